"""Who started a phrase, in runs of built-in agents and in logs, from the command line too."""

import json
import random

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

WORDS = ["rain", "snow", "wind", "river", "stone", "bread", "salt", "lamp", "road", "field", "bell"]
PLANTED = "The purple heron sang all night beneath two crooked pines."


def planted_run(seed, out, *, rounds=5):
    """Return a run with a planted source, and its kind and name."""
    draw = random.Random(seed)

    def sentence():
        one, two, three, four = draw.choices(WORDS, k=4)
        return f"The {one} and the {two} met a {three} by the {four}."

    names = [f"agent{number}" for number in range(4)]
    corpora = {name: [sentence() for _ in range(30)] for name in names}
    pool = [sentence() for _ in range(6)]
    if seed % 2:
        truth = ("writer", names[seed % 4])
        corpora[truth[1]] += [PLANTED] * 30
    else:
        truth = ("text", str(seed % 6))
        pool[seed % 6] = PLANTED
    experiment = hf.Experiment.of(
        {
            "format_version": 1, "seed": seed, "rounds": rounds, "answers": 8,
            "query": "Tell me of the village", "retrieval": "uniform:0.4",
            "embedder": "hashing:dimensions=16", "pool": {"texts": pool},
            "agents": [
                {"name": name, "kind": "ngram", "texts": corpora[name], "most_tokens": 30}
                for name in names
            ],
        }
    )  # fmt: skip
    return hf.run_network(experiment, out=out), truth


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return planted_run(2, tmp_path_factory.mktemp("trace") / "run")[0]


def test_the_planted_source_of_a_run_is_named(tmp_path):
    named = 0
    for seed in range(6):
        found, (kind, name) = planted_run(seed, tmp_path / str(seed))
        first = hf.trace(found, "purple heron sang").genealogy.origins[0]
        named += first.kind == kind and name in (first.name, str(first.document))
    assert named >= 5


def test_the_command_line_shows_the_tree(run, capsys, tmp_path):
    page = tmp_path / "tree.html"
    assert main(["trace", str(run.folder), "purple heron sang", "--out", str(page)]) == 0
    shown = capsys.readouterr().out
    assert "most probably began with text 2" in " ".join(shown.split())
    assert f"text: {PLANTED}" in shown
    assert "  agent" in shown
    assert "Who has it from whom" in page.read_text()
    assert "<svg" in page.read_text()
    assert main(["trace", str(run.folder), "purple heron sang", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["origins"][0]["document"] == 2
    assert record["carrying"] == sum(one["carrying"] for one in record["rounds"])
    assert all(one["parent"] is None or one["parent"] < one["number"] for one in record["tree"])


def test_the_page_is_in_japanese_too(run, tmp_path):
    page = hf.trace(run, "purple heron sang").save(tmp_path / "tree.html", lang="ja").read_text()
    assert "誰が誰から得たか" in page
    assert "most probably" not in page


def test_an_author_stands_in_front_of_the_answers_that_they_wrote(tmp_path):
    found = hf.trace(planted_run(1, tmp_path / "run")[0], "purple heron sang")
    page = found.save(tmp_path / "tree.html").read_text()
    assert "most probably began with agent1, who wrote it (&gt;99%)" in page
    assert "who wrote it on their own" in page


def test_a_phrase_that_nobody_has_is_said(run, capsys):
    assert main(["trace", str(run.folder), "nobody says so"]) == 0
    assert "No answer has" in capsys.readouterr().out


def log_of_answers():
    """Return a log in which a document spreads from answer to answer."""
    draw = random.Random(5)

    def plain():
        return " ".join(draw.choices(WORDS, k=9))

    store = [PLANTED, *(plain() for _ in range(9))]
    log = []
    for number in range(160):
        docs = draw.sample(store, k=3)
        has = any("purple heron" in one for one in docs) and draw.random() < 0.6
        said = f"{plain()} {PLANTED.lower()[:-1] if has else plain()}"
        day, model = number // 20 + 1, f"m{number % 3}"
        log.append({"day": day, "model": model, "answer": said, "docs": docs})
        if number % 5 == 0:
            store.append(said)
    return log


def test_a_log_is_traced_by_what_was_retrieved(tmp_path, capsys):
    log = log_of_answers()
    columns = {"text": "answer", "retrieved": "docs", "group": "model"}
    for by in ("day", None):
        found = hf.trace(log, "purple heron sang all night", by=by, **columns)
        first = found.genealogy.origins[0]
        assert (first.kind, first.text) == ("text", PLANTED)
        assert any(one.parent for one in found.genealogy.carriers)
        assert "<svg" in found.save(tmp_path / f"{by}.html").read_text()
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in log))
    options = ["--text", "answer", "--retrieved", "docs", "--by", "day", "--group", "model"]
    assert (
        main(["trace", str(path), "purple heron sang all night", *options, "--format", "json"]) == 0
    )
    record = json.loads(capsys.readouterr().out)
    assert record["origins"][0]["text"] == PLANTED
    assert record["inputs"][0]["rows"] == 160


def test_what_is_no_run_is_refused(run, tmp_path, capsys):
    with pytest.raises(DataError, match="holds no run"):
        hf.trace(tmp_path, "purple heron")
    with pytest.raises(ArgumentError, match="retrieved"):
        hf.trace(log_of_answers(), "purple heron")
    with pytest.raises(ArgumentError, match="text"):
        hf.trace(run, "purple heron", text="answer")
    with pytest.raises(ArgumentError, match="phrase"):
        hf.trace(run, "")
    path = tmp_path / "log.csv"
    path.write_text("answer,docs\nIt rains.,[]\n")
    assert main(["trace", str(path), "rains", "--text", "answer", "--retrieved", "docs"]) == 2
    assert main(["trace", str(path), "rains"]) == 2
    assert "error: retrieved: got nothing" in capsys.readouterr().err


def test_a_log_without_the_column_of_what_was_retrieved_is_told_to_name_it(tmp_path, capsys):
    path = tmp_path / "log.csv"
    path.write_text("answer,docs\nIt rains.,5\n")
    assert main(["trace", str(path), "rains", "--text", "answer"]) == 2
    assert "retrieved: got nothing, takes the column" in capsys.readouterr().err
    assert main(["trace", str(path), "rains", "--text", "answer", "--retrieved", "docs"]) == 2
    assert "'docs' the text '5', takes a list of texts" in capsys.readouterr().err


def test_one_answer_with_the_phrase_is_counted_as_one(capsys, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"answer": PLANTED, "docs": [PLANTED]}))
    assert (
        main(["trace", str(path), "purple heron", "--text", "answer", "--retrieved", "docs"]) == 0
    )
    assert "one answer has it." in " ".join(capsys.readouterr().out.split())
