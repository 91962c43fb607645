import json
import os
import time

import pytest

from hayflick.cli.main import main

QUICK = ["--generations", "8", "--replicates", "16"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("rain snow rain hail sun rain wind snow " * 10)
    rows = "".join(f"{number * 0.7 % 5:.2f}\n" for number in range(40))
    (tmp_path / "numbers.csv").write_text("weight\n" + rows)
    return tmp_path


def test_words_are_compared(folder, capsys):
    assert main(["expressivity", "corpus.txt", "--out", "e.html", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert "good-turing" in out
    assert "8-bit grid" in out
    assert err == "wrote e.html\n"
    assert "<svg" in (folder / "e.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_numbers_are_compared(lang, capsys):
    arguments = ["expressivity", "numbers.csv", "--family", "gaussian", "--lang", lang]
    assert main([*arguments, *QUICK]) == 0
    assert "unbiased" in capsys.readouterr().out


def test_json_has_a_row_per_estimator(capsys):
    arguments = ["expressivity", "numbers.csv", "--family", "gaussian", "--format", "json"]
    assert main([*arguments, *QUICK]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["format_version"] == 1
    assert len(record["estimators"]) == 16
    assert record["horizon"] == "given"
    promised = {"estimator", "bits", "collapse_round", "left", "method"}
    promised |= {"collapse_standard_error", "left_standard_error"}
    assert promised <= set(record["estimators"][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt"], "missing.txt: no such file"),
        (["numbers.csv", "--family", "gaussian", "--column", "x"], "no column 'x'"),
        (["corpus.txt", "--family", "gaussian"], "is no table"),
        (["corpus.txt", "--generations", "0"], "generations: got 0"),
        (["corpus.txt", "--out", "no/e.html"], "no: the folder does not exist"),
    ],
)
def test_a_mistake_is_one_line(folder, capsys, arguments, message):
    assert main(["expressivity", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert sorted(os.listdir(folder)) == ["corpus.txt", "numbers.csv"]


def test_a_horizon_is_chosen_and_said(folder, capsys):
    (folder / "labels.csv").write_text("label\n" + "a\n" * 60 + "b\n" * 30 + "c\n" * 9 + "d\n" * 2)
    arguments = ["expressivity", "labels.csv", "--column", "label", "--replicates", "32"]
    assert main([*arguments, "--out", "e.html"]) == 0
    out, _ = capsys.readouterr()
    assert "twice as many rounds as a line of models with ml lasts" in " ".join(out.split())
    assert "±" in out
    page = (folder / "e.html").read_text(encoding="utf-8")
    assert "one standard error of 32 simulated runs" in page
    assert main([*arguments, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["horizon"] == "lifetime"
    assert record["estimators"][0]["collapse_round"] <= record["generations"] / 2


def test_four_labels_take_seconds(cases, capsys):
    start = time.process_time()
    assert main(["expressivity", str(cases / "movies4.csv"), "--column", "mpaa"]) == 0
    # Compiling is included where the code was never run; on two cores it is half as long.
    assert time.process_time() - start < 40.0
    assert "in round 2,456" in capsys.readouterr().out
