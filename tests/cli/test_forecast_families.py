"""Forecasts of numbers and running text; every mistake is one line, and nothing is written."""

import json
import os
import signal
import threading
from contextlib import contextmanager

import pytest

import hayflick as hf
from hayflick.cli.main import main

ROWS = [(70.5, 180.0, 3), (61.2, 165.5, 0), (82.0, 190.2, 1), (75.4, 171.0, 2), (66.6, 177.7, 0)]
FILES = {
    "table.csv": "weight,height,visits\n" + "".join(f"{w},{h},{v}\n" for w, h, v in ROWS),
    "constant.csv": "x\n1.5\n1.5\n1.5\n",
    "nan.csv": "x\n1.5\nNaN\n2.5\n",
    "blank.csv": "x,y\n1.5,1\n,2\n2.5,3\n",
    "single.csv": "x\n1.5\n",
    "labels.csv": "x\na\nb\n",
    "negative.csv": "x\n-1\n2\n",
    "same.csv": "x,y\n1.5,3.0\n2.5,5.0\n4.5,9.0\n",
    "short.txt": "One two three.",
    "corpus.txt": "The cat sat on the mat. A dog saw the cat run! Did it sing? " * 5,
    "counts.json": '{"a": 1}',
}
QUICK = ["--generations", "5", "--replicates", "32"]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)


def recorded(capsys, *arguments):
    assert main(["forecast", *arguments, "--format", "json", *QUICK]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_numbers_that_are_not_all_whole_are_a_gaussian_and_it_is_said(capsys):
    record, err = recorded(capsys, "table.csv", "--column", "weight")
    assert (record["family"], record["law"], record["quantity"]) == ("gaussian", "exact", "spread")
    assert err == (
        "note: the column 'weight' holds numbers; taken for a Gaussian (--family discrete "
        "counts them as labels)\n"
    )


def test_the_note_is_for_a_choice_that_was_not_made(capsys):
    record, err = recorded(capsys, "table.csv", "--column", "weight", "--family", "gaussian")
    assert (record["family"], err) == ("gaussian", "")
    record, err = recorded(capsys, "table.csv", "--column", "weight", "--family", "discrete")
    assert ("types" in record, err) == (True, "")


def test_whole_numbers_stay_labels(capsys):
    record, err = recorded(capsys, "table.csv", "--column", "visits")
    assert (record["types"], err) == (4, "")


def test_columns_counts_and_texts_have_their_families(capsys):
    record, _ = recorded(capsys, "table.csv", "--columns", "weight, height")
    assert (record["family"], record["dimensions"]) == ("multivariate-gaussian", 2)
    assert record["column"] == "weight, height"
    record, _ = recorded(capsys, "table.csv", "--column", "visits", "--family", "poisson")
    assert (record["family"], record["quantity"]) == ("poisson", "chance")
    record, _ = recorded(capsys, "corpus.txt", "--family", "ngram", "--order", "3")
    assert (record["law"], record["tokenizer"]) == ("simulation", "words")
    assert record["provenance"]["parameters"]["model"]["order"] == 3


def test_a_table_is_printed_and_pages_are_written(tmp_path, capsys):
    arguments = ["table.csv", "--column", "weight", "--brief", "b.html", "--lang", "ja"]
    assert main(["forecast", *arguments, *QUICK]) == 0
    assert "wrote forecast-table.html\nwrote b.html\n" in capsys.readouterr().err
    assert set(os.listdir(tmp_path)) == {*FILES, "forecast-table.html", "b.html"}
    assert '<html lang="ja">' in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_too_few_items_for_the_columns_are_shown_not_refused(capsys):
    arguments = ["table.csv", "--columns", "weight,height", "--samples", "2", "--out", "r.html"]
    assert main(["forecast", *arguments, *QUICK]) == 0
    assert "The rank collapses to 1 at once" in capsys.readouterr().out


def test_the_same_in_python():
    result = hf.forecast("table.csv", columns=["weight", "height"], generations=4)
    assert isinstance(result, hf.SeriesForecast)
    assert result.family == "multivariate-gaussian"
    assert hf.forecast("corpus.txt", family="ngram", order=2, generations=3).family == "ngram"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["constant.csv"], "the column 'x' is constant (1.5); there is no spread to lose"),
        (["single.csv"], "has 1 values, takes at least 2"),
        (["table.csv", "--column", "age"], "no column 'age'; it has: 'weight', 'height', 'visits'"),
        (["table.csv", "--columns", "weight,age"], "no column 'age'; it has: 'weight', 'height'"),
        (["table.csv", "--column", "weight", "--columns", "weight,height"], "beside a column"),
        (["table.csv", "--columns", "weight,"], "columns: got weight,, takes different names"),
        (["table.csv", "--columns", "weight,weight"], "takes different names"),
        (["same.csv", "--columns", "x,y"], "covariance: got a singular matrix"),
        (["labels.csv", "--family", "gaussian"], "holds no numbers but labels, such as 'a'"),
        (["negative.csv", "--family", "poisson"], "holds -1, takes counts: whole numbers from 0"),
        (["table.csv", "--family", "gaussian"], "name a column with --column: 'weight', 'height'"),
        (["table.csv", "--family", "multivariate-gaussian"], "columns: got None, takes names"),
        (["table.csv", "--family", "poisson", "--columns", "weight,height"], "takes one column"),
        (["table.csv", "--family", "beta"], "Invalid value for '--family'"),
        (["table.csv", "--column", "weight", "--samples", "1"], "samples: got 1"),
        (["table.csv", "--column", "weight", "--delta", "0.5"], "delta: got 0.5, takes nothing"),
        (["table.csv", "--column", "weight", "--law", "branching"], "law: got branching"),
        (
            ["table.csv", "--column", "weight", "--regime", "anchor:labels.csv"],
            "regime: got anchor:labels.csv, takes replace or fresh:SHARE for the family gaussian",
        ),
        (["table.csv", "--column", "weight", "--regime", "fresh:2"], "share: got 2.0"),
        (
            ["table.csv", "--column", "weight", "--regime", "fresh:0.5", "--replicates", "0"],
            "replicates: got 0, takes at least 1 here",
        ),
        (["corpus.txt", "--order", "2"], "order: got 2, takes nothing but with the family ngram"),
        (["corpus.txt", "--family", "gaussian"], "corpus.txt: is no table"),
        (["corpus.txt", "--family", "ngram", "--order", "0"], "order: got 0"),
        (["short.txt", "--family", "ngram", "--order", "9"], "order: got 9, takes at most 3"),
        (["corpus.txt", "--family", "ngram", "--column", "x"], "column: got x, takes nothing"),
        (["table.csv", "--family", "ngram"], "table.csv: is no running text"),
        (["counts.json", "--family", "ngram"], "counts.json: is no running text"),
        (["corpus.txt", "--family", "ngram", "--regime", "anchor:short.txt"], "takes replace or"),
        (["table.csv", "--column", "weight", "--out", "table.csv"], "table.csv: is the input"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(tmp_path, capsys, arguments, message):
    assert main(["forecast", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == sorted(FILES)


def test_ctrl_c_reports_what_is_finished(monkeypatch, capsys):
    @contextmanager
    def impatient(*, yes):
        def progress(stage, done, total):
            if stage == "simulating" and done == 3 * 40:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        yield progress

    monkeypatch.setattr("hayflick.cli.forecast.progress_bar", impatient)
    settings = ["--generations", "40", "--replicates", "640000", "--threads", "1"]
    arguments = ["corpus.txt", "--family", "ngram", "--format", "json", *settings]
    assert main(["forecast", *arguments]) == 130
    out, err = capsys.readouterr()
    assert "interrupted: what was finished is reported" in err
    record = json.loads(out)
    assert record["interrupted"]
    assert record["simulated"]["replicates"] >= 96
