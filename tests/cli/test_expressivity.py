import json
import os

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
    promised = {"estimator", "bits", "collapse_round", "left", "method"}
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
