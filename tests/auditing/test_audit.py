"""The audit of one data set, from the command line and from Python."""

import gzip
import json
import random
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hostile import ENCODABLE, TEXTS

import hayflick as hf
from hayflick.auditing.composition import common_phrases, common_templates
from hayflick.auditing.duplicates import find_duplicates
from hayflick.auditing.effective_items import effective_items
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError

STREAMS = Path(__file__).parents[3] / "shared" / "data" / "streams"
WORDS = [f"w{number}" for number in range(2000)]


def texts_of(number, *, seed=1, length=12):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=length)) for _ in range(number)]


def printed(capsys, *arguments):
    """Return the exit code of an audit, and what it prints as JSON."""
    code = main(["audit", *map(str, arguments), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def write_lines(path, texts, **columns):
    rows = [
        {"text": text, **{name: values[place] for name, values in columns.items()}}
        for place, text in enumerate(texts)
    ]
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    return path


def test_the_command_tells_duplicates_and_effective_items(tmp_path, capsys):
    path = write_lines(tmp_path / "train.jsonl", [*texts_of(40) * 5, "", None])
    code, found = printed(capsys, path, "--text", "text")
    assert code == 0
    assert (found["items"], found["blank"]) == (202, 2)
    duplicates = found["near_duplicates"]
    assert (duplicates["number"], duplicates["redundant"], duplicates["largest"]) == (40, 160, 5)
    assert {one["size"] for one in duplicates["clusters"]} == {5}
    assert len(duplicates["clusters"][0]["examples"]) == 1
    effective = found["effective_items"]
    assert effective["value"] == pytest.approx(40)
    assert effective["low"] < 40 < effective["high"]
    assert duplicates["effective_clusters"] == pytest.approx(40)
    assert found["synthetic_share"] is None
    assert found["leakage"] is None


def test_python_and_the_command_line_agree_in_every_format(tmp_path, capsys):
    texts = [*texts_of(30), *texts_of(10)]
    frame = pl.DataFrame({"body": texts, "kind": ["a"] * 39 + ["b"]})
    for path in (tmp_path / "t.csv", tmp_path / "t.tsv"):
        frame.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    frame.write_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress((tmp_path / "t.csv").read_bytes()))
    (tmp_path / "t.json").write_text(json.dumps(frame.to_dicts()))
    expected = hf.audit(frame, text="body", label="kind", rare_share=0.05).to_dict()
    assert expected["near_duplicates"]["redundant"] == 10
    assert [one["name"] for one in expected["classes"]["rare"]] == ["b"]
    for path in sorted(tmp_path.iterdir()):
        _, found = printed(capsys, path, "--text", "body", "--class", "kind", "--rare-share", 0.05)
        for name in ("near_duplicates", "effective_items", "classes", "lengths", "scripts"):
            assert found[name] == expected[name], path


def test_nested_columns_are_read(tmp_path, capsys):
    rows = [{"messages": [{"content": text}], "meta": {"lang": "en"}} for text in texts_of(9)]
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    _, found = printed(capsys, path, "--text", "messages[0].content", "--language", "meta.lang")
    assert [(one["name"], one["items"]) for one in found["languages"]] == [("en", 9)]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--max-duplicates", "0.5"], 0),
        (["--max-duplicates", "0.49"], 1),
        (["--max-cluster", "2"], 0),
        (["--max-cluster", "1"], 1),
        (["--min-effective", "29"], 0),
        (["--min-effective", "31"], 1),
        (["--min-effective", "0.49"], 0),
        (["--min-effective", "0.6"], 1),
        (["--max-phrase", "0.9"], 0),
        (["--max-phrase", "0.1", "--max-duplicates", "0.6"], 0),
    ],
)
def test_thresholds_decide_the_exit_code(tmp_path, capsys, options, code):
    path = write_lines(tmp_path / "train.jsonl", texts_of(30) * 2)
    assert main(["audit", str(path), "--text", "text", *options]) == code
    said = capsys.readouterr().err
    assert (" is above " in said or " is below " in said) is (code == 1)


def test_a_share_that_cannot_be_told_is_incomplete(tmp_path, capsys):
    path = write_lines(tmp_path / "a.jsonl", texts_of(5), p=[0.1, 0.9, 0.2, 0.3, 0.8])
    options = ["--score", "p", "--confusion", "10,90,10,90", "--max-synthetic", "0.5"]
    assert main(["audit", str(path), "--text", "text", *options]) == 3
    assert "--max-synthetic: the number cannot be told" in capsys.readouterr().err


def test_a_detector_s_scores_tell_a_share(tmp_path, capsys):
    path = write_lines(tmp_path / "a.jsonl", texts_of(200), p=[0.9] * 60 + [0.1] * 140)
    options = ["--score", "p", "--confusion", "900,100,50,950"]
    _, found = printed(capsys, path, "--text", "text", *options)
    share = found["synthetic_share"]
    assert share == found["detector_share"]
    assert share["value"] == pytest.approx(0.25 / 0.85)
    assert share["low"] < share["value"] < share["high"]


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_references_tell_a_share_and_a_holdout_leaks(tmp_path, capsys, suffix):
    draw = random.Random(4)

    def written(number, words):
        return [" ".join(draw.choices(words, k=9)) for _ in range(number)]

    plain, ornate = WORDS[:300], WORDS[200:500]
    data = written(350, plain) + written(150, ornate)
    held = [data[3] + " and more", *written(3, WORDS[900:])]
    for name, texts in (
        ("human", written(400, plain)),
        ("model", written(400, ornate)),
        ("held", held),
    ):
        lines = texts if suffix == "txt" else ["text", *texts]
        (tmp_path / f"{name}.{suffix}").write_text("\n".join(lines))
    path = write_lines(tmp_path / "train.jsonl", data)
    human, model, holdout = (tmp_path / f"{name}.{suffix}" for name in ("human", "model", "held"))
    options = ["--human", human, "--model", model, "--holdout", holdout, "--max-leakage", 0.1]
    code, found = printed(capsys, path, "--text", "text", *options)
    assert code == 1
    share = found["synthetic_share"]
    assert share["method"] == "words"
    assert share["low"] <= 0.3 <= share["high"]
    assert (found["leakage"]["leaked"], found["leakage"]["share"]) == (1, 0.25)
    assert {one["role"] for one in found["inputs"]} == {
        "data", "texts of people", "texts of the model", "evaluation set",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "argument"),
    [
        ({"human": ["a"]}, "model"),
        ({"model": ["a"]}, "human"),
        ({"score": "p"}, "confusion"),
        ({"confusion": [1, 1, 1, 1]}, "score"),
        ({"score": "p", "confusion": [1, 2]}, "confusion"),
        ({"max_synthetic": 0.5}, "max_synthetic"),
        ({"max_leakage": 0.5}, "max_leakage"),
        ({"max_duplicates": 1.5}, "max_duplicates"),
        ({"max_cluster": 0}, "max_cluster"),
        ({"min_effective": -1}, "min_effective"),
        ({"phrase_share": 2}, "phrase_share"),
        ({"rare_share": -0.1}, "rare_share"),
        ({"confidence": 1.0}, "confidence"),
        ({"similarity": 0.0}, "similarity"),
    ],
)
def test_wrong_arguments_are_named(how, argument):
    data = {"text": texts_of(6), "p": [0.5] * 6}
    with pytest.raises(ArgumentError, match=f"^{argument}"):
        hf.audit(data, text="text", **how)


def test_unusable_inputs_are_refused(tmp_path, capsys):
    with pytest.raises(DataError, match="none of its 2 items has a text"):
        hf.audit({"text": ["", None]}, text="text")
    path = write_lines(tmp_path / "a.jsonl", texts_of(3))
    assert main(["audit", str(path), "--text", "body"]) == 2
    assert "body" in capsys.readouterr().err
    assert main(["audit", str(path), "--text", "text", "--confusion", "a,b"]) == 2
    assert main(["audit", str(path)]) == 2
    assert "--text" in capsys.readouterr().err


def test_one_item_and_few_items_have_an_audit():
    one = hf.audit({"text": ["so"]}, text="text")
    assert one.effective_items.value == 1.0
    assert hf.audit({"text": ["so", "it", "goes"]}, text="text").effective_items.value == 3.0
    wordless = hf.audit({"text": ["!!!", "!!!", "???"]}, text="text")
    assert wordless.duplicates.redundant == 1
    assert wordless.effective_items.value == pytest.approx(1 / (1 / 3 + 2 / 3 / 3))


@pytest.mark.parametrize("suffix", [".txt", ".txt.gz"])
def test_the_lines_of_a_text_are_a_data_set(tmp_path, capsys, suffix):
    texts = texts_of(20)
    path, clean = tmp_path / f"corpus{suffix}", tmp_path / "clean.txt"
    content = "\n".join([*texts, "", texts[0].upper()]).encode()
    path.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    code, found = printed(capsys, path, "--write-clean", clean, "--holdout", path)
    assert (code, found["items"], found["near_duplicates"]["exact"]) == (0, 21, 1)
    assert clean.read_text().splitlines() == [*texts, ""]
    assert pl.read_csv(tmp_path / "clean.dropped.csv").select("row", "like_row").rows() == [(22, 1)]
    assert hf.audit(path).items == 21
    for option, column in (("--text", "text"), ("--class", "kind"), ("--language", "lang")):
        assert main(["audit", str(path), option, column]) == 2
        assert "has no columns" in capsys.readouterr().err
    blank = tmp_path / "blank.txt"
    blank.write_text("\n \n")
    assert main(["audit", str(blank)]) == 2
    assert "has no line with text" in capsys.readouterr().err


def test_references_in_another_unicode_form_are_the_same_texts(tmp_path, capsys):
    people = [f"café crème {text}" for text in texts_of(150)]
    model = [f"brûlée {text}" for text in texts_of(150, seed=2)]
    files = {}
    for name, texts, form in (("human", people, "NFD"), ("model", model, "NFC")):
        files[name] = tmp_path / f"{name}.txt"
        text = unicodedata.normalize(form, "\n".join(texts))
        files[name].write_text(text, encoding="utf-8")
    path = write_lines(tmp_path / "data.jsonl", people)
    options = ["--text", "text", "--human", files["human"], "--model", files["model"]]
    _, found = printed(capsys, path, *options)
    share = found["synthetic_share"]
    assert share["value"] < 0.05
    assert share["notes"] == []


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_one_item_is_compared_with_nothing_and_says_so(tmp_path, capsys, lang):
    path = write_lines(tmp_path / "one.jsonl", ["Only this text.", None])
    assert main(["audit", str(path), "--text", "text", "--lang", lang]) == 0
    said = "only one item has text" if lang == "en" else "文章のある項目は1件だけ"
    assert said in capsys.readouterr().out


def test_inputs_are_named_in_the_readers_language(tmp_path, capsys):
    path = write_lines(tmp_path / "data.jsonl", texts_of(150))
    assert main(["audit", str(path), "--text", "text", "--holdout", str(path), "--lang", "ja"]) == 0
    shown = capsys.readouterr().out
    assert "評価" in shown
    assert "evaluation set" not in shown


def test_a_table_without_sentences_is_told_once_what_to_do(tmp_path, capsys):
    path = write_lines(tmp_path / "data.jsonl", ["one two"], kind=["a"])
    assert main(["audit", str(path)]) == 2
    assert capsys.readouterr().err.count("--text") == 1


def test_scripts_and_lengths_are_mixed():
    texts = ["so it is", "これは文です", "这是一个句子", "Это текст", "42", "نص عربي", "σοφία"]
    found = hf.audit({"text": texts}, text="text")
    names = {one.name for one in found.scripts}
    assert names == {"Latin", "Japanese", "Han", "Cyrillic", None, "Arabic", "Greek"}
    assert sum(one.items for one in found.lengths.bins) == len(texts)
    assert found.lengths.quantiles[1.0] == 3


def test_phrases_are_whole_and_need_many_items():
    draw = random.Random(2)
    texts = [f"As an AI language model, I {' '.join(draw.choices(WORDS, k=9))}" for _ in range(40)]
    texts += texts_of(60)
    found = common_phrases(pl.Series(texts), share=0.3)
    assert [(one.phrase, one.items, one.share) for one in found] == [
        ("as an ai language model", 40, 0.4),
        ("an ai language model i", 40, 0.4),
    ]
    assert "AI language model" in found[0].example
    assert common_phrases(pl.Series(texts), share=0.5) == ()
    japanese = pl.Series([f"申し訳ありませんが{text}" for text in "あいうえおかきくけこ"])
    assert any("申し訳" in one.phrase for one in common_phrases(japanese, share=0.5))


def test_templates_have_gaps():
    draw = random.Random(3)
    letters = [
        f"Dear {' '.join(draw.choices(WORDS, k=draw.randint(1, 3)))}, thank you for order "
        f"{draw.randrange(10**6)} of today"
        for _ in range(30)
    ]
    found = common_templates(pl.Series(letters + texts_of(70)), share=0.2)
    assert [(one.phrase, one.items) for one in found] == [
        ("dear … thank you for order … of today", 30)
    ]
    assert common_templates(pl.Series(texts_of(100)), share=0.05) == ()
    assert common_templates(pl.Series(["the same text again"] * 20), share=0.05) == ()


def distributions():
    ranks = np.arange(1, 101)
    yield "zipf", 1 / ranks, 300
    yield "equal", np.ones(30), 200
    yield "steep", 0.6 ** np.arange(30), 150


@pytest.mark.parametrize(("weights", "items"), [one[1:] for one in distributions()])
def test_the_interval_holds_the_number_of_known_distributions(weights, items):
    chances = weights / weights.sum()
    kinds = np.array(texts_of(len(weights), seed=5, length=8), dtype=object)
    truth = 1 / (1 / items + (1 - 1 / items) * (chances**2).sum())
    rng, held, runs = np.random.default_rng(8), 0, 30
    for _ in range(runs):
        texts = pl.Series(rng.choice(kinds, items, p=chances).tolist())
        found = effective_items(texts, find_duplicates(texts, threads=1))
        held += found.low <= truth <= found.high
    # Fewer than 25 of 30 have a probability of 0.3 % where 95 % are held.
    assert held >= 25


def test_similar_items_count_less_than_different_ones():
    draw = random.Random(6)
    start = " ".join(draw.choices(WORDS, k=6))
    alike = pl.Series([f"{start} {text}" for text in texts_of(400, length=8)])
    found = effective_items(alike, find_duplicates(alike))
    # 5 pairs of words are common to all, 8 or 9 are not: a similarity of 5 / 21.
    similarity = 5 / (2 * 13 - 5)
    expected = 1 / (1 / 400 + (1 - 1 / 400) * similarity**2)
    assert found.value == pytest.approx(expected, rel=0.05)
    assert found.low < found.value < found.high


def test_a_sample_gives_nearly_the_number_of_all(monkeypatch):
    texts = pl.Series([*texts_of(600), *texts_of(200)])
    duplicates = find_duplicates(texts)
    whole = effective_items(texts, duplicates)
    monkeypatch.setattr("hayflick.auditing.effective_items._SAMPLE", 200)
    monkeypatch.setattr("hayflick.auditing.effective_items._PAIRS", 100)
    part = effective_items(texts, duplicates, seed=4)
    assert part.measured == 200
    assert part.low < whole.value < part.high
    assert part.value == pytest.approx(whole.value, rel=0.1)


def test_of_very_long_items_fewer_are_measured(monkeypatch):
    texts = pl.Series([*texts_of(300), *texts_of(60)])
    duplicates = find_duplicates(texts)
    monkeypatch.setattr("hayflick.auditing.effective_items._MOST_BYTES", 6_000)
    found = effective_items(texts, duplicates)
    assert 50 <= found.measured < 150
    assert found.low < 250 < found.high


def test_all_clusters_are_listed_unless_fewer_are_wanted(tmp_path, capsys):
    path = write_lines(tmp_path / "train.jsonl", texts_of(250) * 2)
    _, found = printed(capsys, path, "--text", "text")
    assert sum(one["size"] - 1 for one in found["near_duplicates"]["clusters"]) == 250
    _, few = printed(capsys, path, "--text", "text", "--clusters", 3)
    assert len(few["near_duplicates"]["clusters"]) == 3
    assert few["near_duplicates"]["number"] == 250


def test_many_classes_are_counted_and_the_first_thousand_listed():
    texts = texts_of(1200, length=3)
    labels = [f"id {place}" for place in range(1200)]
    found = hf.audit({"text": texts, "id": labels}, text="text", label="id").to_dict()["classes"]
    assert (found["number"], found["number_rare"]) == (1200, 1200)
    assert (len(found["classes"]), len(found["rare"])) == (1000, 1000)


STREAM_NUMBERS = {
    # Of the first and the last five generations: effective items with their interval, copies in
    # percent, phrases; as docs/audit.md tells them.
    "a-inspiration": [(404, 383, 424, 1.0, 14), (351, 330, 371, 1.6, 76)],
    "a-rephrase": [(174, 158, 190, 38.0, 69), (196, 182, 211, 57.0, 42)],
}


@pytest.mark.parametrize(
    ("name", "verdict"), [("a-inspiration", "alarm"), ("a-rephrase", "healthy")]
)
def test_the_audit_tells_the_story_of_the_streams(name, verdict):
    path = STREAMS / f"{name}.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not here; the test below has made-up answers")
    frame = pl.read_ndjson(path)
    generations = frame["generation"].unique().sort()
    first, last = audits = [
        hf.audit(frame.filter(pl.col("generation").is_in(some.to_list())), text="answer")
        for some in (generations.head(5), generations.tail(5))
    ]
    for result, known in zip(audits, STREAM_NUMBERS[name], strict=True):
        effective = result.effective_items
        shown = [round(one) for one in (effective.value, effective.low, effective.high)]
        assert (*shown, round(100 * result.redundant_share, 1), len(result.phrases)) == known
    falls = last.effective_items.high < first.effective_items.low
    assert falls is (verdict == "alarm")
    assert hf.watch(path, by="generation", text="answer").verdict == verdict
    in_a_world = [
        next((one.share for one in result.phrases if one.phrase == "in a world"), 0.0)
        for result in audits
    ]
    assert in_a_world == ([0.0, 0.31] if falls else [0.0, 0.0])


def test_answers_that_copy_one_another_are_worth_less():
    draw = random.Random(9)
    healthy = texts_of(300)
    repeating = [f"In a world of {' '.join(draw.choices(WORDS[:40], k=9))}" for _ in range(300)]
    first, last = (hf.audit({"text": texts}, text="text") for texts in (healthy, repeating))
    assert last.effective_items.high < first.effective_items.low
    assert not first.phrases
    assert last.phrases[0].phrase == "in a world of"


def test_hostile_texts_are_audited(tmp_path):
    texts = [text for text in (*ENCODABLE, *ENCODABLE) if len(text) < 10_000]
    found = hf.audit({"text": texts, "kind": texts}, text="text", label="kind")
    assert found.duplicates.exact >= len(texts) // 2
    assert found.effective_items.value <= len(texts)
    json.dumps(found.to_dict(), allow_nan=False)
    rows = "".join(f'{{"text": {json.dumps(text)}}}\n' for text in TEXTS if len(text) < 10_000)
    (tmp_path / "t.jsonl").write_text(rows * 2)
    clean = hf.audit(tmp_path / "t.jsonl", text="text", write_clean=tmp_path / "c.jsonl").clean
    assert clean.dropped["exact copy"] >= 30
    assert len((tmp_path / "c.jsonl").read_text().splitlines()) == clean.kept


def test_an_example_of_a_phrase_has_it_or_is_empty():
    texts = pl.Series([f"👍 well done {word} team" for word in "abcdefgh"])
    for one in common_phrases(texts, share=0.5):
        assert one.example == "" or "well done" in one.example


@pytest.fixture
def parts(tmp_path):
    """Three files of a data set, one of them in another format."""
    texts = texts_of(60)
    write_lines(tmp_path / "part-1.jsonl", texts[:40], kind=["a"] * 40)
    pl.DataFrame({"text": texts[30:50], "kind": "b"}).write_csv(tmp_path / "part-2.csv")
    pl.DataFrame({"text": texts[50:], "kind": "c"}).write_parquet(tmp_path / "part-3.parquet")
    return tmp_path


def test_several_files_are_one_data_set(parts, capsys):
    files = sorted(parts.iterdir())
    options = ["--text", "text", "--class", "kind"]
    _, whole = printed(capsys, *files, *options)
    assert whole["near_duplicates"]["redundant"] == 10
    assert [(one["name"], one["items"]) for one in whole["classes"]["classes"]] == [
        ("a", 40), ("b", 20), ("c", 10),
    ]  # fmt: skip
    for given in ([parts], ["--glob", parts / "part-*"], ["--scheduler", "threads", *files]):
        _, found = printed(capsys, *given, *options)
        assert {**found, "name": "", "inputs": 0, "provenance": 0} == {
            **whole, "name": "", "inputs": 0, "provenance": 0,
        }  # fmt: skip
    assert main(["audit", *map(str, files), *options, "--write-clean", str(parts / "c.csv")]) == 2
    assert "takes a folder" in capsys.readouterr().err
    assert main(["audit", *options]) == 2


def test_workers_read_the_files(parts, capsys):
    options = ["--text", "text", "--class", "kind"]
    _, here = printed(capsys, parts, *options)
    _, there = printed(capsys, parts, *options, "--scheduler", "processes", "--workers", 1)
    for name in ("items", "near_duplicates", "effective_items", "classes", "phrases", "lengths"):
        assert there[name] == here[name]
    assert [one["file"] for one in there["inputs"]] == [
        "part-1.jsonl", "part-2.csv", "part-3.parquet",
    ]  # fmt: skip
    (parts / "part-4.jsonl").write_text("{broken\n")
    assert main(["audit", str(parts), *options, "--scheduler", "processes", "--workers", "1"]) == 2
    assert "part-4.jsonl" in capsys.readouterr().err


def test_standard_input_is_a_data_set(monkeypatch, tmp_path, capsys):
    import io
    import sys

    path = write_lines(tmp_path / "t.jsonl", texts_of(5) * 2)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    code, found = printed(capsys, "-", "--text", "text")
    assert (code, found["near_duplicates"]["redundant"]) == (0, 5)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tables_tell_misfits_leaked_items_and_notes(tmp_path, capsys, lang):
    draw = random.Random(7)
    people, model = ([" ".join(draw.choices(words, k=9)) for _ in range(300)]
                     for words in (WORDS[:60], WORDS[40:100]))  # fmt: skip
    data = [f"{text} unheard" for text in people]
    for name, texts in (("h", people), ("m", model), ("e", data[:2])):
        (tmp_path / f"{name}.txt").write_text("\n".join(texts))
    path = write_lines(tmp_path / "train.jsonl", data)
    given = {"--human": "h", "--model": "m", "--holdout": "e"}
    options = [
        part for name, file in given.items() for part in (name, str(tmp_path / f"{file}.txt"))
    ]
    assert main(["audit", str(path), "--text", "text", *options, "--lang", lang]) == 0
    shown = capsys.readouterr().out
    assert "unheard" in shown
    assert data[0] in shown or data[0][:30] in shown


def test_a_limit_of_phrases_passes_nothing_that_was_not_counted(tmp_path, capsys):
    texts = [*texts_of(97), *(f"x{number} as an ai model y{number}" for number in range(3))]
    path = write_lines(tmp_path / "train.jsonl", texts)
    with pytest.raises(ArgumentError, match=r"max_phrase: got 0\.01, takes at least phrase_share"):
        hf.audit(path, text="text", max_phrase=0.01)
    # Phrases of at least five items are counted, and three items are more than a share of 0.02.
    code, found = printed(capsys, path, "--text", "text", "--max-phrase", 0.02, "--phrase-share", 0)
    assert (code, found["thresholds"][0]["verdict"]) == (3, "not measured")
    code, found = printed(capsys, path, "--text", "text", "--max-phrase", 0.05)
    assert (code, found["thresholds"][0]["verdict"]) == (0, "passed")
