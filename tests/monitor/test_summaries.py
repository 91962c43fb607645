"""Summaries of partitions: merged in any order, they are watched as all files together."""

import itertools
import json
import random
from pathlib import Path

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main

WORDS = [f"word{number}" for number in range(80)]


def records(*, rounds=16, size=30, seed=5):
    """Answers of which those of the last rounds are alike."""
    draw = random.Random(seed)
    for number in range(rounds * size):
        at = number // size + 1
        words = draw.choices(WORDS if at < 13 else WORDS[:3], k=6)
        yield {
            "round": at,
            "answer": " ".join(words) if draw.random() > 0.02 else "",
            "model": draw.choice("ab"),
            "asked": draw.choice("xyz"),
            "score": draw.gauss(0, 1),
            "at": f"2026-03-{at + 15:02d}T{draw.randrange(24):02d}:15:00Z",
            "vector": [draw.gauss(0, 1) for _ in range(3)],
        }


def parts(folder, number=4, **settings):
    """Write answers to several files, each with some of every round."""
    found = list(records(**settings))
    paths = [folder / f"part-{place}.jsonl" for place in range(number)]
    for place, path in enumerate(paths):
        path.write_text("".join(f"{json.dumps(one)}\n" for one in found[place::number]))
    return paths


READING = {"by": "round", "text": "answer", "group": "model", "prompt": "asked"}


def same(one, other):
    """Check that two results of `watch` have the same readings, charts and verdict."""
    left, right = one.to_dict(), other.to_dict()
    for key in left:
        if key not in ("sources", "inputs", "settings", "provenance", "reproducibility", "name"):
            assert left[key] == right[key], key


@pytest.mark.parametrize(
    "reading",
    [
        READING,
        {"by": "round", "text": "answer", "values": ("score",)},
        {"by": "round", "vectors": "vector"},
        {"by": "at", "every": "1d", "text": "answer", "group": "model"},
        {"by": "at", "every": "1d", "text": "answer", "time_zone": "Europe/Berlin"},
        {"by": "at", "every": "1d", "text": "answer", "normalize": "casefold"},
    ],
)
def test_merged_in_any_order_they_are_watched_as_the_files_are(tmp_path, reading):
    paths = parts(tmp_path)
    whole = hf.watch(paths, **reading, baseline=8)
    summaries = [hf.summarise(path, **reading) for path in paths]
    single = hf.summarise(paths, **reading)
    one, two, three, four = summaries
    trees = [
        [four, three, two, one],
        [hf.merge([three, one]), hf.merge([four, two])],
        [two, hf.merge([four, hf.merge([one, three])])],
    ]
    for tree in trees:
        merged = hf.merge(tree)
        assert merged.frame.equals(single.frame)
        assert {name: one.answers for name, one in merged.totals.items()} == {
            name: one.answers for name, one in single.totals.items()
        }
    same(hf.watch(merged, baseline=8), whole)


def test_of_large_rounds_the_same_sample_is_kept_in_any_order(tmp_path):
    paths = parts(tmp_path, size=60)
    single = hf.summarise(paths, **READING, capacity=25)
    assert single.answers == 16 * 60
    assert set(single.frame["label"].value_counts()["count"]) == {25}
    summaries = [hf.summarise(path, **READING, capacity=25) for path in paths]
    for order in itertools.islice(itertools.permutations(summaries), 5):
        merged = hf.merge(order)
        assert merged.frame.equals(single.frame)
        for label, total in merged.totals.items():
            record, expected = total.record(), single.totals[label].record()
            assert (record["answers"], record["empty"], record["letters"]) == (
                (expected["answers"], expected["empty"], expected["letters"])
            )
            assert record["groups"] == expected["groups"]
    watched = hf.watch(single, baseline=8)
    notes = [str(note) for source in watched.sources for note in source.notes]
    assert "round 1 is measured on a sample of 25 of its 60 answers" in notes
    assert (watched.answers, watched.measured_answers) == (16 * 60, 16 * 25)


def test_sums_are_exact_where_a_sample_is_kept(tmp_path):
    paths = parts(tmp_path)
    found = hf.summarise(paths, by="round", text="answer", values=("score",), capacity=5)
    known = list(records())
    for label, total in found.totals.items():
        those = [one for one in known if one["round"] == int(label)]
        assert total.answers == len(those)
        assert total.empty == sum(not one["answer"] for one in those)
        assert total.letters == sum(len(one["answer"]) for one in those)
        number, value = total.values["score"]
        assert number == len(those)
        assert value == pytest.approx(sum(one["score"] for one in those), rel=1e-12)


def test_other_tables_than_lines_are_read_too(tmp_path):
    paths = parts(tmp_path)
    tables = []
    for path in paths:
        tables.append(path.with_suffix(".parquet"))
        pl.read_ndjson(path).write_parquet(tables[-1])
    watched = hf.watch(hf.merge(hf.summarise(one, **READING) for one in tables), baseline=8)
    assert watched.answers == len(list(records()))
    same(watched, hf.watch(tables, **READING, baseline=8))


def test_frames_that_are_full_are_thinned_out(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.corpus.answer_rows._ROWS_AT_ONCE", 7)
    paths = parts(tmp_path, 2)
    short = hf.summarise(paths, **READING, capacity=5)
    monkeypatch.undo()
    assert short.frame.equals(hf.summarise(paths, **READING, capacity=5).frame)


def test_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paths = [path.name for path in parts(tmp_path, 3)]
    how = ["--by", "round", "--text", "answer", "--group", "model"]
    assert main(["summarise", paths[0], *how, "-o", "0.summary"]) == 0
    for place in (1, 2):
        line = ["summarise", paths[place], "--like", "0.summary", "-o", f"{place}.summary"]
        assert main(line) == 0
    assert main(["merge", "2.summary", "0.summary", "1.summary", "-o", "all.summary"]) == 0
    printed = capsys.readouterr().out.splitlines()[-1]
    assert printed == "all.summary: 3 files, 16 rounds, 480 answers, of which 480 are kept"
    code = main(["watch", "all.summary", "--baseline", "8", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert code == main(["watch", *paths, *how, "--baseline", "8", "--format", "json"])
    whole = json.loads(capsys.readouterr().out)
    assert found["verdict"] == whole["verdict"]
    assert found["charts"] == whole["charts"]
    # Summaries are merged on the way, and later rounds watched alone.
    parts_of = [f"{place}.summary" for place in range(3)]
    main(["watch", *parts_of, "--from", "3", "--baseline", "6", "--format", "json"])
    assert len(json.loads(capsys.readouterr().out)["rounds"]) == len(whole["rounds"]) - 2


def test_a_file_that_fails_is_named_and_the_exit_code_says_so(tmp_path, capsys):
    paths = parts(tmp_path, 3)
    text = paths[1].read_text()
    paths[1].write_text(text + "{broken\n")
    out = tmp_path / "some.summary"
    line = ["summarise", *map(str, paths), "--by", "round", "--text", "answer", "-o", str(out)]
    assert main(line) == 3
    assert f"{paths[1]} is missing in the summary" in " ".join(capsys.readouterr().err.split())
    assert main(["merge", str(out), "-o", str(tmp_path / "again.summary")]) == 3
    watched = hf.watch(out, baseline=8)
    notes = [str(note) for source in watched.sources for note in source.notes]
    assert any(f"{paths[1]} could not be summarised" in note for note in notes)
    # It is complete when the file has been read.
    paths[1].write_text(text)
    rest = hf.summarise(paths[1], by="round", text="answer")
    assert not hf.merge([out, rest]).failed
    assert not hf.merge([rest, out]).failed
    paths[1].write_text(text + "{broken\n")
    with pytest.raises(hf.HayflickError, match="line 161"):
        hf.summarise(paths[1], by="round", text="answer")


def test_summaries_that_do_not_fit_are_refused(tmp_path):
    one, two = parts(tmp_path, 2)
    first = hf.summarise(one, **READING)
    for change, message in [
        ({"group": None}, "group is 'model' in .*, and None in"),
        ({"capacity": 7}, "capacity is 20000 in .*, and 7 in"),
        ({"normalize": "nfkc"}, "normalize is 'nfc' in"),
    ]:
        with pytest.raises(hf.HayflickError, match=message):
            hf.merge([first, hf.summarise(two, **{**READING, **change})])
    with pytest.raises(hf.HayflickError, match="holds the same bytes as"):
        hf.merge([first, first])
    copied = tmp_path / "copy.jsonl"
    copied.write_bytes(one.read_bytes())
    with pytest.raises(hf.HayflickError, match="holds the same bytes as"):
        hf.summarise([one, copied], **READING)
    with pytest.raises(hf.HayflickError, match="at least one summary"):
        hf.merge([])
    found = [json.loads(line) | {"vector": [1.0, 2.0]} for line in two.read_text().splitlines()]
    two.write_text("".join(f"{json.dumps(record)}\n" for record in found))
    with pytest.raises(hf.HayflickError, match=r"has vectors of 2 numbers, .* of 3"):
        hf.merge(hf.summarise(path, by="round", vectors="vector") for path in (one, two))


def test_damaged_files_are_refused(tmp_path):
    (path,) = parts(tmp_path, 1)
    saved = hf.summarise(path, **READING).save(tmp_path / "one.summary")
    whole = saved.read_bytes()
    with pytest.raises(hf.HayflickError, match="exists"):
        hf.summarise(path, **READING).save(saved)
    for damaged in (whole[:-300], whole[: len(whole) // 2], b"", b"PAR1 PAR1", b"{}"):
        saved.write_bytes(damaged)
        with pytest.raises(hf.HayflickError, match="damaged"):
            hf.merge([saved])
    draw = random.Random(3)
    for _ in range(30):
        flipped = bytearray(whole)
        place = draw.randrange(4, len(whole) // 2)
        flipped[place] ^= 1 << draw.randrange(8)
        saved.write_bytes(bytes(flipped))
        try:
            found = hf.merge([saved])
        except hf.HayflickError:
            continue
        # Only what tells nothing of the answers, such as a statistic of a page, is not noticed.
        assert found.frame.equals(hf.summarise(path, **READING).frame)
    with pytest.raises(hf.HayflickError, match=r"gone\.summary: no such file"):
        hf.watch(tmp_path / "gone.summary")
    pl.DataFrame({"a": [1]}).write_parquet(saved)
    with pytest.raises(hf.HayflickError, match="is no summary"):
        hf.merge([saved])


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"text": "answer"}, "by: got nothing"),
        ({"by": "at", "text": "answer", "every": "7h"}, "every: got 7h"),
        ({"by": "at", "text": "answer", "every": "6h", "time_zone": "Europe/Berlin"}, "every: got"),
        ({"by": "at", "text": "answer", "every": "1x"}, "every: got 1x"),
        ({"by": "at", "text": "answer", "time_zone": "Asia/Tokyo"}, "every beside it"),
        ({"by": "round", "vectors": "some.npy"}, "vectors: got some.npy"),
        ({"by": "round", "text": "answer", "capacity": 0}, "capacity"),
        ({"by": "round", "text": "reply"}, "reply"),
    ],
)
def test_what_cannot_be_summarised_is_refused(tmp_path, reading, message):
    with pytest.raises(hf.HayflickError, match=message):
        hf.summarise(parts(tmp_path), **reading)


def test_options_beside_a_summary_are_refused(tmp_path):
    (path,) = parts(tmp_path, 1)
    summary = hf.summarise(path, **READING)
    for option in ({"by": "round"}, {"text": "answer"}):
        with pytest.raises(hf.HayflickError, match="beside a summary"):
            hf.watch(summary, **option)
    with pytest.raises(hf.HayflickError, match="summarise the others first"):
        hf.watch([summary, Path(path)], baseline=8)
    with pytest.raises(hf.HayflickError, match="as the summary of like has"):
        hf.summarise(path, like=summary, by="at")
    with pytest.raises(hf.HayflickError, match=r"ends in \.summary"):
        summary.save(tmp_path / "summary.json")
    with pytest.raises(hf.HayflickError, match="data in memory"):
        hf.summarise([{"round": 1, "answer": "It rains."}], by="round", text="answer")


def test_logs_are_cut_by_their_times(tmp_path):
    draw = random.Random(2)
    paths = []
    for part in range(2):
        calls = [
            {
                "id": f"{part}-{number}",
                "call_type": "acompletion",
                "model": draw.choice(["small", "large"]),
                "startTime": f"2026-03-{number % 25 + 1:02d}T{draw.randrange(24):02d}:00:00Z",
                "messages": [{"role": "user", "content": "Say something."}],
                "response": {
                    "choices": [
                        {
                            "message": {
                                "role": "assistant",
                                "content": " ".join(draw.choices(WORDS, k=5)),
                            }
                        }
                    ]
                },
            }
            for number in range(600)
        ]
        paths.append(tmp_path / f"log-{part}.jsonl")
        paths[-1].write_text("".join(f"{json.dumps(call)}\n" for call in calls))
    whole = hf.watch(paths, every="1d", baseline=10)
    merged = hf.merge(hf.summarise(path, every="1d") for path in reversed(paths))
    same(hf.watch(merged, baseline=10), whole)
    with pytest.raises(hf.HayflickError, match="of a log, give every"):
        hf.summarise(paths)


def test_one_is_one_answer_of_one_round(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text('{"round": 1, "answer": "yes"}\n')
    how = ["--by", "round", "--text", "answer", "-o", str(tmp_path / "a.summary")]
    assert main(["summarise", str(tmp_path / "a.jsonl"), *how]) == 0
    assert "1 file, 1 round, 1 answer, of which 1 is kept" in capsys.readouterr().out
