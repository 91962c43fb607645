import os

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, OutputError


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "corpus.txt"
    path.write_text("rain snow rain hail rain snow sun " * 20)
    return path


def test_everything_the_command_does_is_one_call(corpus, tmp_path):
    result = hf.forecast(
        "corpus.txt",
        regime="fresh:0.1",
        generations=5,
        replicates=32,
        out="r.html",
        brief="b.html",
        lang="ja",
    )
    assert isinstance(result, hf.Forecast)
    assert result.regime == hf.Fresh(share=0.1)
    assert sorted(os.listdir(tmp_path)) == ["b.html", "corpus.txt", "r.html"]
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_nothing_is_written_unless_asked_for(corpus, tmp_path):
    hf.forecast(corpus, generations=3, replicates=0)
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_existing_pages_are_kept_without_force(corpus, tmp_path):
    (tmp_path / "r.html").write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        hf.forecast(corpus, out="r.html")
    assert (tmp_path / "r.html").read_text() == "old"
    hf.forecast(corpus, generations=3, replicates=0, out="r.html", force=True)
    assert (tmp_path / "r.html").read_text() != "old"


def test_two_pages_need_two_files(corpus):
    with pytest.raises(ArgumentError, match=r"brief: got r.html, takes another file than out"):
        hf.forecast(corpus, out="r.html", brief="r.html")


def test_a_fault_in_the_data_leaves_nothing_behind(corpus, tmp_path):
    with pytest.raises(DataError):
        hf.forecast("missing.txt", out="r.html")
    assert os.listdir(tmp_path) == ["corpus.txt"]


def test_a_law_is_taken_as_it_is_or_smoothed(words):
    assert hf.forecast(words, generations=2, replicates=0).model is words
    smoothed = hf.forecast(words, generations=2, replicates=0, delta=0.5)
    assert smoothed.model.estimator == hf.AddDelta(0.5)


def test_a_reserve_is_read_like_the_data(corpus, tmp_path):
    (tmp_path / "reserve.txt").write_text("Hail! SUN.")
    result = hf.forecast(corpus, regime="anchor:reserve.txt", generations=3, replicates=0)
    assert result.regime.reserve.symbols == ("hail", "sun")
