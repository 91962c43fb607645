"""Every result says what it was made of: in its record, its tables, its page and its brief."""

import hashlib
import html
import json
import random
import re
import shlex
import shutil
from pathlib import Path

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.command_line import masked_command
from hayflick.core.display import report_of

DRAW = random.Random(5)
WORDS = [f"word{number}" for number in range(60)]
SENTENCES = [" ".join(DRAW.choices(WORDS, k=9)) + "." for _ in range(120)]
SHARED = {"generations": 4, "replicates": 8}
NETWORK = """
format_version = 1
rounds = 3
answers = 4
query = "What is new"
retrieval = "uniform:0.5"
embedder = "hashing:dimensions=32"
rules = "spread.toml"
[pool]
file = "pool.txt"
[reserve]
file = "stored.txt"
[[agents]]
name = "one"
kind = "ngram"
corpus = "one.txt"
[[agents]]
name = "two"
kind = "ngram"
corpus = "one.txt"
"""
PANEL = """
format_version = 1
prompts = ["How is it?"]
answers = 2
file = "probed.jsonl"
[[agents]]
name = "anna"
kind = "ngram"
corpus = "one.txt"
"""
SPREAD = """
format_version = 1
mode = "warn"
baseline = 5
[[watch]]
name = "voice"
metric = "distinct_1"
below = 0.01
actions = ["tell"]
[[action]]
name = "tell"
kind = "notify"
"""


def lines(records):
    return "".join(f"{json.dumps(record)}\n" for record in records)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one input of every kind."""
    folder = tmp_path_factory.mktemp("inputs")
    answers = [{"round": row // 12 + 1, "answer": SENTENCES[row % 120]} for row in range(240)]
    results = [
        {"arm": arm, "round": f"{arm} {number}", "value": DRAW.gauss(0.5, 0.1)}
        for arm in ("control", "treated")
        for number in range(8)
        for _ in range(5)
    ]
    texts = {
        "corpus.txt": "\n".join(SENTENCES) + "\n",
        "answers.jsonl": lines(answers),
        "later.jsonl": lines(answers[100:]),
        "results.jsonl": lines(results),
        "labels.csv": "id,label\n" + "".join(f"{k},l{k % 7}\n" for k in range(50)) + "50,\n",
        "numbers.csv": "weight,height\n" + "".join(f"{k}.5,{k * k % 7}.25\n" for k in range(20)),
        "keep.txt": "word1\nword2\n",
        "stored.txt": "word1 word2\nword3\n",
        "schedule.csv": "samples,fresh\n100,10\n90,20\n",
        "pool.txt": "\n".join(SENTENCES[:8]) + "\n",
        "one.txt": "\n".join(SENTENCES[8:60]) + "\n",
        "village.toml": NETWORK,
        "panel.toml": PANEL,
        "spread.toml": SPREAD,
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    hf.pilot(effect=0.1, sd=0.1, rounds=8, answers=5).save(folder / "pilot.json")
    plan = hf.plan(folder / "corpus.txt", keep=0.5, generations=5, replicates=0)
    hf.write_rules(plan, folder / "rules.toml")
    drawn = hf.draw_review(folder / "answers.jsonl", by="round", text="answer", number=10)
    drawn.save(folder / "review.csv")
    hf.run_network(folder / "village.toml", out=folder / "run")
    runs = hf.simulate(hf.Discrete.from_file(folder / "corpus.txt"), seed=1, **SHARED)
    runs.to_netcdf(folder / "history.nc", engine="h5netcdf")
    return folder


_ANSWERS = {"by": "round", "text": "answer"}
# What makes a result, and the files that it is of with their rows (None where none are counted).
RESULTS = {
    "forecast of a text": (lambda: hf.forecast("corpus.txt", **SHARED), {"corpus.txt": 120}),
    "forecast of labels": (
        lambda: hf.forecast("labels.csv", column="label", **SHARED),
        {"labels.csv": 51},
    ),
    "forecast of numbers": (
        lambda: hf.forecast("numbers.csv", column="weight", **SHARED),
        {"numbers.csv": 20},
    ),
    "forecast of columns": (
        lambda: hf.forecast("numbers.csv", columns=["weight", "height"], **SHARED),
        {"numbers.csv": 20},
    ),
    "forecast of sentences": (
        lambda: hf.forecast("corpus.txt", family="ngram", **SHARED),
        {"corpus.txt": 120},
    ),
    "forecast with a reserve": (
        lambda: hf.forecast("corpus.txt", regime="anchor:stored.txt", **SHARED),
        {"corpus.txt": 120, "stored.txt": 2},
    ),
    "forecast with a schedule": (
        lambda: hf.forecast("corpus.txt", regime="scheduled:schedule.csv", **SHARED),
        {"corpus.txt": 120, "schedule.csv": 2},
    ),
    "plan": (
        lambda: hf.plan("corpus.txt", keep=0.5, generations=5, must_keep="keep.txt", replicates=0),
        {"corpus.txt": 120, "keep.txt": None},
    ),
    "plan of numbers": (
        lambda: hf.plan("numbers.csv", column="weight", keep=0.5, generations=5, replicates=0),
        {"numbers.csv": 20},
    ),
    "plan with a history": (
        lambda: hf.plan("corpus.txt", keep=0.5, generations=8, replicates=0, history="history.nc"),
        {"corpus.txt": 120, "history.nc": None},
    ),
    "reserve": (
        lambda: hf.reserve("corpus.txt", size=5, must_keep="keep.txt"),
        {"corpus.txt": 120, "keep.txt": None},
    ),
    "expressivity": (
        lambda: hf.expressivity("numbers.csv", column="weight", **SHARED),
        {"numbers.csv": 20},
    ),
    "watch": (
        lambda: hf.watch("answers.jsonl", must_keep="keep.txt", rules="spread.toml", **_ANSWERS),
        {"answers.jsonl": 240, "keep.txt": None, "spread.toml": None},
    ),
    "audit": (
        lambda: hf.audit("answers.jsonl", text="answer", holdout="later.jsonl"),
        {"answers.jsonl": 240, "later.jsonl": 140},
    ),
    "compare": (
        lambda: hf.compare("answers.jsonl", "later.jsonl", text="answer"),
        {"answers.jsonl": 240, "later.jsonl": 140},
    ),
    "draw_review": (
        lambda: hf.draw_review("answers.jsonl", number=10, **_ANSWERS),
        {"answers.jsonl": 240},
    ),
    "judge_review": (lambda: hf.judge_review("review.csv"), {"review.csv": 10}),
    "check_rules": (
        lambda: hf.check_rules("rules.toml", corpus="corpus.txt"),
        {"rules.toml": None, "corpus.txt": 120},
    ),
    "check_rules with answers": (
        lambda: hf.check_rules("spread.toml", answers="answers.jsonl", **_ANSWERS),
        {"spread.toml": None, "answers.jsonl": 240},
    ),
    "evaluate_rules": (
        lambda: hf.evaluate_rules("rules.toml", corpus="corpus.txt", **SHARED),
        {"rules.toml": None, "corpus.txt": 120},
    ),
    "pilot": (lambda: hf.pilot(effect=0.1, baseline="results.jsonl"), {"results.jsonl": 80}),
    "analyse_pilot": (
        lambda: hf.analyse_pilot("results.jsonl", plan="pilot.json"),
        {"results.jsonl": 80, "pilot.json": None},
    ),
    "estimate_network": (
        lambda: hf.estimate_network("village.toml"),
        {"village.toml": None, "pool.txt": 8, "stored.txt": 2, "spread.toml": None},
    ),
    "report_network": (
        lambda: hf.report_network("run"),
        {"village.toml": None, "pool.txt": 8, "one.txt": None, "spread.toml": None},
    ),
    "mitigation_network": (
        lambda: hf.mitigation_network(
            "village.toml", injections=[0], topologies=["complete"], models=[2], irrelevant=[0.0]
        ),
        {"village.toml": None, "pool.txt": 8},
    ),
    "loop": (
        lambda: hf.loop(
            {"data": "corpus.txt", "rounds": 1, "regime": "anchor:stored.txt", "calibrate": False},
            trainer=lambda data, n, out, seed: shutil.copy(data, out),
            out="looped",
        ),
        {"corpus.txt": 120, "stored.txt": 2},
    ),
    "probe": (lambda: hf.probe("panel.toml"), {"panel.toml": None, "one.txt": None}),
    "reproduce": (
        lambda: hf.reproduce("suresh2024", figure="unigrams", corpus="corpus.txt"),
        {"corpus.txt": None},
    ),
}


@pytest.fixture(scope="module")
def made(folder):
    """Results by name, each made once."""
    found = {}

    def make(name):
        if name not in found:
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(folder)
                found[name] = RESULTS[name][0]()
        return found[name]

    return make


def shown(text):
    """Return a page or a fragment without its elements, marks and line breaks."""
    plain = html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL))
    return " ".join(re.sub("[\u2066-\u2069]", "", plain).split())


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", RESULTS)
def test_the_record_names_every_file_with_its_rows_and_hash(name, made, folder):
    inputs = {one["file"]: one for one in made(name).to_dict()["inputs"]}
    for file, rows in RESULTS[name][1].items():
        assert inputs[file]["sha256"] == digest(folder / file)
        assert inputs[file]["rows"] == rows or rows is None, file
    json.dumps(inputs, allow_nan=False)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", RESULTS)
def test_pages_name_every_file_with_its_rows_and_hash(name, lang, made, folder):
    result = made(name)
    page = shown(report_of(result).page(result, lang=lang))
    for file, rows in RESULTS[name][1].items():
        after = page.split({"en": "What was read", "ja": "読み込んだもの"}[lang])[1]
        assert file in after
        assert digest(folder / file) in after
        assert rows is None or f"{rows:,}" in after
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", page)


@pytest.mark.parametrize("name", RESULTS)
def test_notebooks_name_every_file_with_its_rows_and_hash(name, made, folder):
    view = shown(made(name)._repr_html_())
    for file, rows in RESULTS[name][1].items():
        assert f"Read {file}" in view
        assert digest(folder / file)[:16] in view
        assert rows is None or re.search(rf"{rows:,} (rows|lines)", view)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("name", [name for name in RESULTS if name.startswith("forecast")])
def test_briefs_name_every_file_with_its_rows_and_hash(name, lang, made, folder, tmp_path):
    path = made(name).save(tmp_path / "brief.html", brief=True, lang=lang)
    brief = shown(path.read_text(encoding="utf-8"))
    for file, rows in RESULTS[name][1].items():
        assert file in brief
        assert digest(folder / file)[:16] in brief
        assert rows is None or f"{rows:,}" in brief


COMMANDS = {
    "forecast corpus.txt --generations 4 --replicates 0": {"corpus.txt": 120},
    "plan corpus.txt --keep 0.5 --generations 5 --must-keep keep.txt": {"keep.txt": None},
    "reserve corpus.txt --size 5 --out new.jsonl --force": {"corpus.txt": 120},
    "simulate discrete --corpus corpus.txt --generations 4": {"corpus.txt": 120},
    "expressivity corpus.txt --generations 4 --replicates 8": {"corpus.txt": 120},
    "watch answers.jsonl --by round --text answer": {"answers.jsonl": 240},
    "review judge review.csv": {"review.csv": 10},
    "rules check rules.toml --corpus corpus.txt": {"rules.toml": None, "corpus.txt": 120},
    "pilot analyse results.jsonl --plan pilot.json": {"results.jsonl": 80, "pilot.json": None},
    "network estimate village.toml": {"village.toml": None, "pool.txt": 8},
}


@pytest.mark.parametrize("line", COMMANDS)
def test_the_terminal_names_every_file_with_its_rows_and_hash(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "1000")
    assert main(shlex.split(line)) in (0, 1)
    printed = re.sub("[\u2066-\u2069]", "", capsys.readouterr().out)
    for file, rows in COMMANDS[line].items():
        (said,) = [one for one in printed.splitlines() if one.startswith(f"Read {file}")][:1]
        assert digest(folder / file)[:16] in said
        assert rows is None or re.search(rf"{rows:,} (rows|lines)", said)


def test_what_was_left_out_is_counted_with_the_reason(made):
    (source,) = made("forecast of labels").sources
    assert [(one.reason, one.number) for one in source.left_out] == [("empty cells", 1)]
    page = shown(report_of(made("forecast of labels")).page(made("forecast of labels"), lang="ja"))
    assert "1 (空のセル)" in page


def test_a_page_shows_the_command_without_its_secrets(folder, monkeypatch):
    monkeypatch.chdir(folder)
    arguments = ["forecast", "corpus.txt", "--generations", "4", "--replicates", "0"]
    assert main([*arguments, "--out", "page one.html", "--force"]) == 0
    page = shown(Path("page one.html").read_text(encoding="utf-8"))
    assert "hayflick forecast corpus.txt --generations 4" in page
    assert "--out 'page one.html'" in page
    page = hf.forecast("corpus.txt", **SHARED).save("python.html", force=True)
    assert "hayflick forecast" not in shown(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["watch", "https://anna:Geheimnis77@example.org/a.csv"],
        ["probe", "panel.toml", "--api-key", "Geheimnis77"],
        ["probe", "panel.toml", "--api_key=Geheimnis77"],
        ["watch", "a.csv", "--embedder", "openai:model=small,key=Geheimnis77"],
        ["watch", "https://example.org/a.csv?access_token=Geheimnis77&page=2"],
        ["watch", "a.csv", "sk-proj-Geheimnis77Geheimnis77"],
        ["watch", "a.csv", "AKIAGeheimnis77ABCDEFGH"],
        ["watch", "a.csv", "0f343b0931126a20f133d67c2b018a3bGeheimnis77"],
        ["db", "postgresql://hayflick:Geheimnis77@db.example.org:5432/runs"],
    ],
)
def test_secrets_of_a_command_are_masked(arguments):
    assert "Geheimnis77" not in masked_command(arguments)
    assert "***" in masked_command(arguments)


@pytest.mark.parametrize(
    "argument",
    ["answers-2026-03-01.csv", "a b.csv", "round_key", "token count", "--tokens", "詩.txt"],
)
def test_what_is_no_secret_is_shown_as_it_was_typed(argument):
    assert masked_command(["watch", argument, "5"]) == shlex.join(
        ["hayflick", "watch", argument, "5"]
    )


def test_the_time_of_a_page_can_be_set(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1772323200")
    result = hf.forecast(folder / "corpus.txt", **SHARED)
    page = result.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "2026-03-01 00:00 UTC" in page


def test_the_record_of_runs_has_their_inputs(folder):
    runs = hf.simulate("discrete", corpus=folder / "corpus.txt", seed=1, **SHARED)
    (source,) = json.loads(runs.attrs["inputs"])
    assert source["file"] == "corpus.txt"
    assert source["sha256"] == digest(folder / "corpus.txt")
    assert (
        runs.attrs["provenance"]
        == hf.simulate("discrete", corpus=folder / "corpus.txt", seed=1, **SHARED).attrs[
            "provenance"
        ]
    )


def test_a_folder_has_a_hash_of_names_and_contents(tmp_path):
    (tmp_path / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "texts" / name).write_text("the cat sat on the mat and the dog sat too\n")

    def hash_now():
        return hf.forecast(tmp_path / "texts", **SHARED).sources[0].sha256

    first = hash_now()
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert hash_now() == first
    (tmp_path / "texts" / "b.txt").rename(tmp_path / "texts" / "c.txt")
    assert hash_now() != first


def test_what_was_given_in_python_has_no_file(tmp_path):
    words = hf.Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    result = hf.forecast(words, **SHARED)
    assert result.to_dict()["inputs"] == []
    page = result.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No file: what was given in Python, or a law." in page
