"""Texts are admitted to a pool, quarantined or rejected, with reasons."""

import gzip
import json
import random

import numpy as np
import pytest

import hayflick as hf
from hayflick.auditing.admission import Candidate, hostile_characters
from hayflick.auditing.pool_index import IndexSettings, PoolIndex
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, OutputError

DRAW = random.Random(5)
WORDS = [f"word{number}" for number in range(3000)]


def text(words=40):
    return " ".join(DRAW.choices(WORDS, k=words))


def edited(original, edits=3):
    words = original.split()
    for place in DRAW.sample(range(len(words)), edits):
        words[place] = f"changed{place}"
    return " ".join(words)


POOL = [text() for _ in range(60)]


def reasons(answer):
    return [one.reason for one in answer.reasons]


@pytest.fixture
def gate():
    return hf.AdmissionGate(POOL)


def test_a_new_text_is_admitted(gate):
    answer = gate.decide(text())
    assert (answer.decision, answer.reasons) == ("admit", ())


def test_copies_are_rejected_and_name_the_item_of_the_pool(gate):
    exact, near = gate.decide(f"  {POOL[6].upper()} "), gate.decide(edited(POOL[7]))
    assert (exact.decision, reasons(exact)) == ("reject", ["exact-copy"])
    assert exact.reasons[0].details == {"item": 7, "cluster": 1}
    assert (near.decision, reasons(near)) == ("reject", ["near-copy"])
    assert near.reasons[0].details["item"] == 8
    assert near.reasons[0].details["similarity"] > 0.5


def test_the_similarity_is_that_of_the_sets_of_word_pairs():
    gate = hf.AdmissionGate(["a b c d e f"])
    [reason] = gate.decide("a b c d e x").reasons
    assert reason.details["similarity"] == round(4 / 6, 4)


def test_nearly_all_planted_copies_are_found_and_nothing_else():
    gate = hf.AdmissionGate([text(60) for _ in range(1000)] + POOL)
    copies = [edited(DRAW.choice(POOL), edits=4) for _ in range(300)]
    found = [reasons(one) for one in gate.decide_all(map(Candidate, copies))]
    assert found.count(["near-copy"]) >= 0.95 * len(copies)
    others = list(gate.decide_all(Candidate(text(60)) for _ in range(300)))
    assert {one.decision for one in others} == {"admit"}


def test_japanese_texts_are_compared_too():
    gate = hf.AdmissionGate(["吾輩は猫である。名前はまだ無い。どこで生れたか見当がつかぬ。"])
    copy = gate.decide("吾輩は犬である。名前はまだ無い。どこで生れたか見当がつかぬ。")
    assert reasons(copy) == ["near-copy"]
    assert gate.decide("国境の長いトンネルを抜けると雪国であった。").decision == "admit"


def test_a_pool_that_grows_one_by_one_is_that_which_was_indexed_at_once():
    texts = [text(12) for _ in range(300)]
    texts += [edited(one, edits=1) for one in texts[:100]] + texts[:50] + [""]
    grown, whole = PoolIndex(IndexSettings()), PoolIndex(IndexSettings())
    prepared = whole.prepared(series(texts))
    entries = whole.add(prepared)
    for place in range(len(texts)):
        one = grown.prepared(series(texts[place : place + 1]))
        assert grown.add(one).tolist() == [entries[place]]
    assert entries[-1] == -1
    assert len(whole) == len(set(texts)) - 1
    for name, values in whole.arrays().items():
        assert np.array_equal(values, grown.arrays()[name]), name


def series(texts):
    import polars as pl

    return pl.Series("text", texts)


def test_what_is_admitted_is_compared_with_where_the_pool_is_updated(gate):
    new = text()
    first, second = gate.decide_all([Candidate(new, id="n1"), Candidate(new)], update=True)
    assert (first.decision, second.decision) == ("admit", "reject")
    assert second.reasons[0].details == {"item": 61, "id": "n1", "cluster": 1}
    assert len(gate) == 61
    again = text()
    assert [gate.decide(again).decision for _ in range(2)] == ["admit", "admit"]


def test_clusters_may_be_as_large_as_the_rules_say():
    gate = hf.AdmissionGate(POOL, rules=hf.AdmissionRules(max_cluster=3))
    copies = [gate.decide(edited(POOL[0], edits=2), update=True).decision for _ in range(4)]
    assert copies == ["admit", "admit", "reject", "reject"]
    assert gate.decide(POOL[0]).reasons[0].details["cluster"] == 3


@pytest.mark.parametrize(
    ("given", "reason", "decision"),
    [
        ("", "empty", "reject"),
        (" \n\t", "empty", "reject"),
        ("too few", "too-short", "reject"),
        ("a b c d\x1b[2J e", "control-characters", "quarantine"),
        ("a b c d \u202e e", "control-characters", "quarantine"),
        ("a b c d \ud800 e", "control-characters", "quarantine"),
        ("a b c d \u2067 e", "control-characters", "quarantine"),
        ("a b c d e\U000e0041", "control-characters", "quarantine"),
    ],
)
def test_unfit_texts(given, reason, decision):
    gate = hf.AdmissionGate(POOL, rules=hf.AdmissionRules(min_words=4))
    answer = gate.decide(given)
    assert (reasons(answer), answer.decision) == ([reason], decision)


@pytest.mark.parametrize(
    "given",
    ["tab\tand\r\nline", "می‌خواهم", "👩‍💻", "\u2067א\u2069", "🏴\U000e0067\U000e0062\U000e007f"],
)
def test_what_scripts_and_emoji_need_is_not_hostile(given):
    assert hostile_characters(given) == []


def test_sources_and_scores_have_limits():
    rows = [{"text": one, "who": "ann" if row % 3 else "bob"} for row, one in enumerate(POOL)]
    rules = hf.AdmissionRules(max_source_share=0.5, max_score=0.8)
    gate = hf.AdmissionGate(rows, rules=rules, text="text", source="who")
    ann = gate.decide(text(), source="ann")
    assert ann.reasons[0].details == {"source": "ann", "value": round(41 / 61, 4), "limit": 0.5}
    assert gate.decide(text(), source="bob").decision == "admit"
    assert reasons(gate.decide(text(), score=0.81)) == ["score"]
    assert gate.decide(text(), score=0.8).decision == "admit"


def test_a_phrase_that_spreads_is_quarantined_but_not_one_of_the_pool():
    fresh = [f"{text(20)} in a world where" for _ in range(15)]
    old = [f"{text(20)} once upon a time" for _ in range(15)]
    gate = hf.AdmissionGate([f"{one} once upon a time" for one in POOL])
    answers = list(gate.decide_all(map(Candidate, fresh)))
    assert [one.decision for one in answers] == ["admit"] * 10 + ["quarantine"] * 5
    assert answers[-1].reasons[0].details["phrase"] == "in a world where"
    assert {one.decision for one in gate.decide_all(map(Candidate, old))} == {"admit"}


def test_actions_are_what_the_rules_say(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text('min-words = 3\n[actions]\nnear-copy = "quarantine"\ntoo-short = "admit"\n')
    answers = list(hf.admit([edited(POOL[0]), "so short"], pool=POOL, rules=path))
    assert [one.decision for one in answers] == ["quarantine", "admit"]
    assert [reasons(one) for one in answers] == [["near-copy"], ["too-short"]]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("colour = 1\n", "'colour' is no rule of admission"),
        ('[actions]\ncopy = "reject"\n', "takes one of unreadable"),
        ('[actions]\nscore = "drop"\n', "admit, quarantine, reject"),
        ("min-words = 0\n", "min_words"),
        ("max-phrase = 2\n", "max_phrase"),
        ("actions = 3\n", "actions"),
    ],
)
def test_rules_that_are_none_are_refused(rules, message, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(rules)
    with pytest.raises(hf.HayflickError, match=message):
        hf.AdmissionRules.from_toml(path)


def test_the_index_is_written_once_and_goes_on(tmp_path):
    index, pool = tmp_path / "pool.index", tmp_path / "pool.jsonl"
    pool.write_text("".join(json.dumps({"text": one}) + "\n" for one in POOL))
    new = text()
    [answer] = hf.admit([new], pool=pool, index=index, update=True)
    assert answer.decision == "admit"
    first, second = hf.admit([new, POOL[3]], pool=pool, index=index)
    assert [one.reasons[0].details["item"] for one in (first, second)] == [61, 4]
    [again] = hf.admit([new], index=index)
    assert again.to_dict() == first.to_dict()
    pool.write_text(json.dumps({"text": "Another pool."}) + "\n")
    with pytest.raises(DataError, match="as it is now"):
        hf.admit([new], pool=pool, index=index)
    [fresh] = hf.admit([new], pool=pool, index=index, force=True)
    assert fresh.decision == "admit"


@pytest.mark.parametrize("content", [b"", b"no index", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_index_is_refused(content, tmp_path):
    path = tmp_path / "pool.index"
    path.write_bytes(content)
    with pytest.raises(DataError, match="index"):
        hf.admit(["so"], index=path)


def test_an_index_with_impossible_numbers_is_refused(tmp_path):
    path = tmp_path / "pool.index"
    hf.AdmissionGate(POOL).save(path)
    with np.load(path) as file:
        arrays = dict(file)
    for name, value in (("parents", 10**9), ("offsets", -5), ("latest_sizes", 7)):
        changed = {**arrays, name: arrays[name] + value if arrays[name].size else np.array([value])}
        with open(path, "wb") as target:
            np.savez(target, **changed)
        with pytest.raises(DataError, match="is no index"):
            hf.AdmissionGate.load(path)


def run(arguments, given, monkeypatch, capsys, tmp_path):
    path = tmp_path / "stdin"
    path.write_bytes(given)
    with open(path, encoding="utf-8") as file:
        monkeypatch.setattr("sys.stdin", file)
        code = main(["admit", *arguments])
    shown = capsys.readouterr()
    return code, [json.loads(line) for line in shown.out.splitlines()], shown.err


def test_the_command_answers_every_line_in_order(monkeypatch, capsys, tmp_path):
    pool = tmp_path / "pool.jsonl"
    records = [{"body": one, "id": f"p{row}"} for row, one in enumerate(POOL)]
    pool.write_text("".join(json.dumps(one) + "\n" for one in records))
    lines = [
        json.dumps({"id": 1, "body": text()}).encode(),
        b"{broken",
        b"",
        json.dumps({"id": 3, "body": edited(POOL[2])}).encode(),
        b'{"body": 5}',
        b"\xff",
        b'{"id": 4, "body": "half \\ud800 of a letter"}',
        json.dumps(POOL[0]).encode(),
    ]
    given = b"\xef\xbb\xbf" + b"\r\n".join(lines)
    arguments = ["--pool", str(pool), "--text", "body", "--id", "id"]
    code, answers, said = run(arguments, given, monkeypatch, capsys, tmp_path)
    assert code == 0
    assert [(one.get("id"), one["decision"]) for one in answers] == [
        ("1", "admit"),
        (None, "reject"),
        ("3", "reject"),
        (None, "reject"),
        (None, "reject"),
        ("4", "quarantine"),
        (None, "reject"),
    ]
    assert answers[2]["reasons"][0]["id"] == "p2"
    assert [one["reasons"][0]["reason"] for one in answers[1:2]] == ["unreadable"]
    assert "1 admitted, 1 quarantined (control-characters 1), 5 rejected (unreadable 3, " in said
    read = (json.loads(line) for line in (lines[0], lines[3], lines[6], lines[7]))
    same = hf.admit(read, pool=pool, text="body", id="id")
    assert [answers[place]["decision"] for place in (0, 2, 5, 6)] == [one.decision for one in same]


@pytest.mark.parametrize(
    ("more", "code"), [([], 0), (["--fail-on", "reject"], 1), (["--fail-on", "quarantine"], 1)]
)
def test_the_exit_code_tells_of_rejected_texts(more, code, monkeypatch, capsys, tmp_path):
    pool = tmp_path / "pool.txt.jsonl"
    pool.write_text(json.dumps({"text": POOL[0]}))
    given = json.dumps(POOL[0]).encode()
    assert run(["--pool", str(pool), *more], given, monkeypatch, capsys, tmp_path)[0] == code


def test_options_stand_above_the_file_of_rules(monkeypatch, capsys, tmp_path):
    pool, rules = tmp_path / "pool.jsonl", tmp_path / "rules.toml"
    pool.write_text(json.dumps({"text": POOL[0]}))
    rules.write_text('min-words = 9\n[actions]\ntoo-short = "quarantine"\n')
    how = ["--pool", str(pool), "--rules", str(rules), "--action", "too-short=reject"]
    given = b'"one two three"\n"one two three four"'
    _, answers, _ = run([*how, "--min-words", "4"], given, monkeypatch, capsys, tmp_path)
    assert [one["decision"] for one in answers] == ["reject", "admit"]


def test_update_keeps_what_was_admitted(monkeypatch, capsys, tmp_path):
    pool, index = tmp_path / "pool.jsonl", tmp_path / "pool.index"
    pool.write_text(json.dumps({"text": POOL[0]}))
    given = json.dumps(text()).encode()
    how = ["--index", str(index), "--update"]
    _, first, said = run(["--pool", str(pool), *how], given, monkeypatch, capsys, tmp_path)
    _, second, _ = run(how, given, monkeypatch, capsys, tmp_path)
    assert [first[0]["decision"], second[0]["decision"]] == ["admit", "reject"]
    assert f"wrote {index}" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "pool"),
        (["--index", "none.index"], "there is no such index"),
        (["--pool", "none.jsonl"], "none.jsonl"),
        (["--pool", "{pool}", "--action", "near-copy"], "REASON=ACTION"),
        (["--pool", "{pool}", "--similarity", "0.01"], "similarity"),
        (["--pool", "{pool}", "--text", "body"], "body"),
        (["--pool", "{pool}", "--index", "{pool}", "--force"], "input"),
        (["--pool", "-"], "standard input"),
        (["--pool", "{pool}", "--max-score", "1"], "the column of the scores"),
        (["--pool", "{pool}", "--max-source-share", "1"], "the column of the sources"),
        (["--pool", "{pool}", "none-such.jsonl"], "none-such.jsonl"),
    ],
)
def test_what_cannot_be_done_is_refused(arguments, message, monkeypatch, capsys, tmp_path):
    pool = tmp_path / "pool.jsonl"
    pool.write_text(json.dumps({"text": POOL[0]}))
    filled = [one.format(pool=pool) for one in arguments]
    code, answers, said = run(filled, b'"so"', monkeypatch, capsys, tmp_path)
    assert (code, answers) == (2, [])
    assert message in said


def test_an_index_that_was_read_goes_on_growing(tmp_path):
    hf.AdmissionGate(POOL).save(tmp_path / "pool.index")
    gate = hf.AdmissionGate.load(tmp_path / "pool.index")
    more = [text() for _ in range(200)]
    assert {one.decision for one in gate.decide_all(map(Candidate, more), update=True)} == {"admit"}
    assert len(gate) == 260
    copies = [edited(one, edits=1) for one in (*POOL[:20], *more[:20])]
    items = [one.reasons[0].details["item"] for one in gate.decide_all(map(Candidate, copies))]
    assert items == [*range(1, 21), *range(61, 81)]


def test_an_empty_pool_fills_itself():
    gate = hf.AdmissionGate()
    answers = list(gate.decide_all([*map(Candidate, POOL), Candidate(POOL[0])], update=True))
    assert [one.decision for one in answers] == ["admit"] * 60 + ["reject"]


def test_an_interrupted_stream_keeps_what_was_admitted(monkeypatch, capsys, tmp_path):
    pool, index = tmp_path / "pool.jsonl", tmp_path / "pool.index"
    pool.write_text(json.dumps({"text": POOL[0]}))

    def lines(_):
        yield [json.dumps(POOL[1]).encode()]
        raise KeyboardInterrupt

    monkeypatch.setattr("hayflick.cli.admit._batches", lines)
    how = ["--pool", str(pool), "--index", str(index), "--update"]
    code, answers, said = run(how, b"", monkeypatch, capsys, tmp_path)
    assert (code, len(answers)) == (130, 1)
    assert "interrupted: what was finished is reported" in said
    assert len(hf.AdmissionGate.load(index)) == 2


def written(tmp_path, name, records):
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path):
    """A pool, and texts of which one line cannot be read."""
    pool = written(tmp_path, "pool.jsonl", [{"text": one, "id": one[:9]} for one in POOL])
    wanted = [
        {"text": text(), "id": "new"},
        {"text": POOL[3], "id": "copy"},
        {"text": "日本語の文"},
    ]
    texts = written(tmp_path, "texts.jsonl", wanted)
    lines = texts.read_text().splitlines()
    texts.write_text("\n".join([*lines[:2], '{"text": "cut off', *lines[2:], '"a\u202eb"']))
    return pool, texts


def test_the_summary_counts_by_decision_and_reason_with_examples(files):
    pool, texts = files
    answers = hf.admit(texts, pool=pool, id="id")
    assert next(answers).decision == "admit"
    assert answers.summary.texts == 1
    found = answers.finish()
    assert found.decisions == {"admit": 2, "quarantine": 1, "reject": 2}
    assert [(one.reason, one.texts) for one in found.reasons] == [
        ("exact-copy", 1),
        ("unreadable", 1),
        ("control-characters", 1),
    ]
    copy, unreadable, _ = (one.examples[0] for one in found.reasons)
    assert (copy.number, copy.id, copy.text, copy.details["item"]) == (2, "copy", POOL[3][:300], 4)
    assert (unreadable.number, unreadable.text) == (3, None)
    assert [one.number for one in found.admitted] == [1, 4]
    assert (found.pool_before, found.pool_after) == (60, 60)
    assert found.to_dict()["provenance"]["parameters"]["actions"]["exact-copy"] == "reject"


def test_the_summary_is_a_page_in_two_languages(files, tmp_path, capsys):
    pool, texts = files
    page = tmp_path / "page.html"
    code = main(["admit", str(texts), "--pool", str(pool), "--out", str(page)])
    shown = capsys.readouterr()
    assert code == 0
    assert len(shown.out.splitlines()) == 5
    assert (
        "1 quarantined (control-characters 1), 2 rejected (exact-copy 1, unreadable 1)" in shown.err
    )
    assert "Of 5 texts, 2 were admitted, 1 quarantined and 2 rejected." in page.read_text()
    assert (
        main(["admit", str(texts), "--pool", str(pool), "--format", "table", "--lang", "ja"]) == 0
    )
    assert "5件の文章のうち、2件を受け入れ" in capsys.readouterr().out
    assert main(["admit", str(texts), "--pool", str(pool), "--out", str(page)]) == 2
    assert "exists" in capsys.readouterr().err


def test_nothing_to_decide_about_is_said(tmp_path, capsys):
    pool, texts = written(tmp_path, "pool.jsonl", [{"text": "a b"}]), tmp_path / "none.jsonl"
    texts.touch()
    assert main(["admit", str(texts), "--pool", str(pool), "--format", "table"]) == 0
    assert "No text was decided about." in capsys.readouterr().out


@pytest.mark.parametrize("name", ["texts.jsonl", "rules.toml", "pool.jsonl"])
def test_the_index_is_never_written_over_an_input(name, files, tmp_path, capsys):
    pool, texts = files
    (tmp_path / "rules.toml").write_text("min-words = 2\n")
    before = (tmp_path / name).read_bytes()
    options = ["--pool", str(pool), "--rules", str(tmp_path / "rules.toml"), "--force"]
    assert main(["admit", str(texts), *options, "--index", str(tmp_path / name)]) == 2
    assert "is the input" in capsys.readouterr().err
    with pytest.raises(OutputError, match="is the input"):
        hf.admit(texts, pool=pool, rules=tmp_path / "rules.toml", index=tmp_path / name, force=True)
    assert (tmp_path / name).read_bytes() == before


def test_a_pool_with_broken_lines_or_another_encoding(files, tmp_path, capsys):
    _, texts = files
    pool = tmp_path / "broken.jsonl"
    pool.write_text('{"text": "a good line"}\n{"text": "cut o\n{"text": "another one"}\n')
    assert main(["admit", str(texts), "--pool", str(pool)]) == 2
    assert "line 2 is no JSON" in capsys.readouterr().err
    assert main(["admit", str(texts), "--pool", str(pool), "--skip-bad"]) == 0
    assert "the pool has 2 texts" in capsys.readouterr().err
    pool = tmp_path / "pool.csv"
    pool.write_text("text;id\n日本語の文;1\n", encoding="cp932")
    options = ["--encoding", "cp932", "--separator", ";"]
    assert main(["admit", str(texts), "--pool", str(pool), *options]) == 0
    assert "exact-copy" in capsys.readouterr().out


def test_texts_may_be_compressed_and_a_table_is_refused(files, tmp_path, capsys):
    pool, texts = files
    packed = tmp_path / "texts.jsonl.gz"
    packed.write_bytes(gzip.compress(texts.read_bytes()))
    assert main(["admit", str(packed), "--pool", str(pool)]) == 0
    answers = capsys.readouterr().out
    assert main(["admit", str(texts), "--pool", str(pool)]) == 0
    assert capsys.readouterr().out == answers
    assert [one.decision for one in hf.admit(packed, pool=pool)] == [
        json.loads(line)["decision"] for line in answers.splitlines()
    ]
    table = tmp_path / "texts.csv"
    table.write_text("text\na b c\n")
    assert main(["admit", str(table), "--pool", str(pool)]) == 2
    assert "takes a file of JSON lines" in capsys.readouterr().err
    with pytest.raises(ArgumentError, match="JSON lines"):
        hf.admit(table, pool=pool)
