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


def test_a_forecast_saves_its_page_and_its_brief(corpus, tmp_path):
    result = hf.forecast("corpus.txt", regime="fresh:0.1", generations=5, replicates=32)
    assert isinstance(result, hf.Forecast)
    assert result.regime == hf.Fresh(share=0.1)
    assert os.listdir(tmp_path) == ["corpus.txt"]
    result.save("r.html", lang="ja")
    result.save("b.html", lang="ja", brief=True)
    page, brief = ((tmp_path / name).read_text(encoding="utf-8") for name in ("r.html", "b.html"))
    assert page.startswith("<!doctype html>")
    assert brief.startswith("<!doctype html>")
    assert len(brief) < len(page)
    assert '<html lang="ja">' in brief


@pytest.mark.parametrize("brief", [False, True])
def test_existing_pages_are_kept_without_force(corpus, tmp_path, brief):
    result = hf.forecast(corpus, generations=3, replicates=0)
    (tmp_path / "r.html").write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        result.save("r.html", brief=brief)
    assert (tmp_path / "r.html").read_text() == "old"
    result.save("r.html", brief=brief, force=True)
    assert (tmp_path / "r.html").read_text() != "old"


@pytest.mark.parametrize("brief", [False, True])
def test_a_page_needs_a_language_and_a_name_that_a_browser_opens(corpus, brief):
    result = hf.forecast(corpus, generations=3, replicates=0)
    with pytest.raises(ArgumentError, match="lang: got fr"):
        result.save("r.html", brief=brief, lang="fr")
    with pytest.raises(ArgumentError, match=r"takes a name ending in .html"):
        result.save("r.pdf", brief=brief)


def test_a_fault_in_the_data_is_an_error():
    with pytest.raises(DataError):
        hf.forecast("missing.txt")


def test_a_law_is_taken_as_it_is_or_smoothed(words):
    assert hf.forecast(words, generations=2, replicates=0).model is words
    smoothed = hf.forecast(words, generations=2, replicates=0, delta=0.5)
    assert smoothed.model.estimator == hf.AddDelta(0.5)


def test_a_reserve_is_read_like_the_data(corpus, tmp_path):
    (tmp_path / "reserve.txt").write_text("Hail! SUN.")
    result = hf.forecast(corpus, regime="anchor:reserve.txt", generations=3, replicates=0)
    assert result.regime.reserve.symbols == ("hail", "sun")


def test_the_curve_is_a_frame(words):
    result = hf.forecast(words, generations=4, replicates=32)
    frame = result.to_frame()
    assert frame["generation"].to_list() == [0, 1, 2, 3, 4]
    assert frame["law"].to_list() == result.left.tolist()
    assert {"real_data_alone", "simulated_mean", "simulated_low"} <= set(frame.columns)
