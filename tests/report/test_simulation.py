import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, OutputError
from hayflick.report.language import Language
from hayflick.report.simulation import charts, page, record, summary


@pytest.fixture(scope="module")
def runs():
    return hf.simulate(hf.Gaussian(0.0, 1.0), samples=8, generations=120, replicates=64, seed=1)


def test_the_summary_is_that_of_the_runs(runs):
    numbers = summary(runs, "deviation")
    values = runs["deviation"].to_numpy()
    assert numbers["mean"].to_list() == pytest.approx(values.mean(axis=0))
    for column, quantile in (("low", 0.05), ("median", 0.5), ("high", 0.95)):
        below = (values <= numbers[column].to_numpy()).mean(axis=0)
        assert (np.abs(below[1:] - quantile) < 0.02).all()


def test_charts_show_what_spans_decades_on_a_logarithmic_axis(runs):
    mean, deviation = charts(runs, Language("en"))
    assert (mean.name, deviation.name) == ("mean", "deviation")
    assert ">0.01<" in deviation.svg
    assert "standard deviation" in deviation.svg


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_is_whole(runs, lang):
    whole = page(runs, lang=lang)
    assert whole.count("<svg") == 2
    assert f'<html lang="{lang}">' in whole
    assert "</html>" in whole


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_runs_are_drawn_in_one_call(runs, tmp_path, suffix):
    path = tmp_path / f"runs.{suffix}"
    assert hf.plot_runs(runs, path, lang="ja") == path
    start = {"html": b"<!doctype html>", "svg": b"<svg", "png": b"\x89PNG"}[suffix]
    assert path.read_bytes().startswith(start)
    with pytest.raises(OutputError, match="exists already"):
        hf.plot_runs(runs, path)


def test_a_picture_needs_a_name_that_says_its_kind(runs, tmp_path):
    with pytest.raises(ArgumentError, match=r"takes a name ending in .html, .svg, .png"):
        hf.plot_runs(runs, tmp_path / "runs.pdf")


def test_what_is_not_finite_is_none():
    model = hf.MultivariateGaussian(np.zeros(3), np.eye(3))
    runs = hf.simulate(model, samples=3, generations=2, replicates=32, seed=1)
    variables = record(runs)["variables"]
    assert variables["log_variance_ratio"]["median"] == [0.0, None, None]
    assert variables["rank"]["median"] == [3.0, 2.0, 2.0]
    assert "<svg" in charts(runs, Language("en"))[0].svg


def test_many_rounds_are_drawn_too():
    runs = hf.simulate(hf.Bernoulli(0.2), samples=50, generations=3000, replicates=32, seed=1)
    assert len(charts(runs, Language("en"))[0].svg) < 2_000_000
