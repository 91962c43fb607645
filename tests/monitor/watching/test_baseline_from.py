"""A reference in place of the first rounds of a stream."""

import json

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.corpus.answers import Answers

WORDS = [f"word{place}" for place in range(400)]


def texts(rng, number, *, words=400):
    return [" ".join(rng.choice(WORDS[:words], 12)) for _ in range(number)]


def rounds(rng, number, *, size=30, words=400, name="week"):
    return [
        {"week": f"{name} {place}", "answer": one}
        for place in range(1, number + 1)
        for one in texts(rng, size, words=words)
    ]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def watched(stream, reference, **options):
    return hf.watch(stream, by="week", text="answer", baseline_from=reference, **options)


def test_a_stream_in_collapse_from_its_first_round_is_seen(rng):
    stream = rounds(rng, 20, words=40)
    alone = hf.watch(stream, by="week", text="answer")
    assert not alone.alarms
    result = watched(stream, rounds(rng, 12, name="before"))
    assert result.alarms
    assert result.baseline == 12
    assert result.rounds[11:13] == ("reference before 12", "week 1")
    first = result.alarms[0]
    assert first.since_name == "week 1"
    assert first.first_alarm.name.startswith("week ")


def test_a_healthy_stream_stays_healthy_beside_a_reference(rng):
    result = watched(rounds(rng, 15), rounds(rng, 12))
    assert not result.alarms
    # The same names are told apart.
    assert len(set(result.rounds)) == 27


def test_a_reference_without_rounds_is_cut_into_rounds_of_the_streams_size(rng):
    reference = [{"answer": one} for one in texts(rng, 305)]
    result = watched(rounds(rng, 20, words=40), reference)
    assert result.baseline == 10
    assert result.series("answers")[:11] == [30.0] * 11
    assert result.alarms
    again = watched(rounds(np.random.default_rng(3), 8), reference, seed=2)
    other = watched(rounds(np.random.default_rng(3), 8), reference, seed=3)
    assert again.series("effective_words")[:10] != other.series("effective_words")[:10]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_the_command_names_the_reference_everywhere(rng, tmp_path, capsys, suffix):
    stream = written(tmp_path / "now.jsonl", rounds(rng, 12, words=40))
    reference = tmp_path / f"real.{suffix}"
    rows = [{"answer": one} for one in texts(rng, 400)]
    if suffix == "csv":
        pl.DataFrame(rows).write_csv(reference)
    else:
        written(reference, rows)
    command = ["watch", str(stream), "--by", "week", "--text", "answer"]
    page = tmp_path / "page.html"
    command += ["--baseline-from", str(reference), "--out", str(page)]
    assert main([*command, "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["baseline_from"] == reference.name
    assert found["baseline"] == 13
    assert reference.name in [one["file"] for one in found["inputs"]]
    assert found["charts"][0]["since"].startswith("week ")
    assert reference.name in page.read_text()
    assert main([*command, "--force"]) == 1
    assert f"from {reference.name}" in " ".join(capsys.readouterr().out.split())


def test_what_is_no_reference_is_refused(rng, tmp_path):
    stream = rounds(rng, 12)
    with pytest.raises(hf.HayflickError, match="'answer'"):
        watched(stream, [{"week": "1", "said": "a b"}])
    with pytest.raises(hf.HayflickError, match="has 3 rounds, a reference takes at least 5"):
        watched(stream, rounds(rng, 3))
    few = "90 answers make 3 rounds of 30.* 150 answers"
    with pytest.raises(hf.HayflickError, match=few):
        watched(stream, [{"answer": one} for one in texts(rng, 90)])
    path = written(tmp_path / "now.jsonl", stream)
    with pytest.raises(hf.HayflickError, match="another file than the stream's"):
        watched(path, tmp_path / "." / "now.jsonl")
    with pytest.raises(hf.HayflickError, match="no state"):
        watched(path, rounds(rng, 10), state=tmp_path / "state.db")


def test_vectors_of_another_size_are_refused(rng):
    def answers(dimensions, name):
        frame = pl.DataFrame({"row": range(60), "round": np.repeat(np.arange(1, 7), 10)})
        vectors = rng.normal(size=(60, dimensions)).astype(np.float32)
        return Answers(name, tuple("abcdef"), frame, vectors)

    with pytest.raises(hf.HayflickError, match="vectors of 3 components, those of now have 4"):
        hf.watch(answers(4, "now"), baseline_from=answers(3, "before"))
    result = hf.watch(answers(4, "now"), baseline_from=answers(4, "before"))
    assert result.baseline == 6
