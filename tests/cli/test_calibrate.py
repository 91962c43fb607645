"""``hayflick calibrate`` in a shell: tables, files, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded_rounds import count_files, recorded_counts, records_of, text_files

from hayflick.calibration.calibration_file import resampler_of
from hayflick.cli.main import main

QUICK = ["--ahead", "2", "--replicates", "20"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    counts = recorded_counts(types=500, items=4000)
    text_files(tmp_path, counts)
    count_files(tmp_path, counts)
    rows = records_of(counts)
    Path("rounds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


TEXTS = [f"round{number}.txt" for number in range(4)]


def test_the_answer_is_printed_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *TEXTS, *QUICK, "--save", "c.json", "--out", "p.html"]) == 0
    out, err = capsys.readouterr()
    assert "Your trainer" in out
    assert "effective sample size" in out
    assert "calibrated chain" in out
    assert "wrote c.json" in err
    assert "wrote p.html" in err
    assert resampler_of("c.json").log_size < 5.0
    assert "<svg" in Path("p.html").read_text(encoding="utf-8")
    assert main(["calibrate", *TEXTS, *QUICK, "--lang", "ja"]) == 0
    assert "学習器" in capsys.readouterr().out


def test_all_inputs_give_the_same_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for inputs in (
        TEXTS,
        [name.replace(".txt", ".json") for name in TEXTS],
        ["rounds.jsonl", "--by", "round", "--text", "text"],
    ):
        assert main(["calibrate", *inputs, *QUICK, "--format", "json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    for other in found[1:]:
        for key in ("sizes", "kept", "forecast", "diagnoses"):
            assert other[key] == found[0][key]
    Path("printed.json").write_text(json.dumps(found[0]))
    assert resampler_of("printed.json").sharpening == found[0]["parameters"]["sharpening"]["value"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("round0.txt", "got the real data alone"),
        ("round0.txt round1.txt", "at least 2 rounds"),
        ("round0.txt round2.txt round1.txt", "by the numbers in the names"),
        ("round0.txt round1.txt round1.txt", "the same file (SHA-256)"),
        ("round0.txt round1.txt nothing.txt", "nothing.txt"),
        ("rounds.jsonl --by round", "text for answers"),
        ("rounds.jsonl --by turn --text text", "'turn'"),
        ("round0.txt round1.txt round2.txt --column a", "column: got a"),
        ("round0.txt round1.txt round2.txt --regime fresh:2", "share: got 2.0"),
        ("round0.txt round1.txt round2.txt --ahead 0", "ahead: got 0"),
        ("round0.txt round1.txt round2.txt --save c.txt", "takes a name ending in .json"),
        ("round0.txt round1.txt round2.txt --save round0.json --out round0.json", "save"),
        ("round0.json round1.json round2.json --save round0.json", "is the input"),
        ("round0.txt round1.txt round2.txt --save round0.json", "exists already"),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    line: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", *line.split()]) == 2
    assert says in capsys.readouterr().err


def test_notes_go_to_standard_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = recorded_counts(types=500, items=4000)
    counts[2] //= 2
    text_files(folder, counts)
    assert main(["calibrate", *TEXTS, *QUICK, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert "note: the rounds are of very different sizes" in err
    json.loads(out)
