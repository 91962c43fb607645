import numpy as np
import pytest

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.multivariate_gaussian import MultivariateGaussian
from hayflick.report.language import Language
from hayflick.report.trajectories import (
    summary,
    trajectories_page,
    trajectories_record,
    trajectory_charts,
)
from hayflick.simulation.simulate import simulate


@pytest.fixture(scope="module")
def runs():
    return simulate(Gaussian(0.0, 1.0), samples=8, generations=120, replicates=64, seed=1)


def test_the_summary_is_that_of_the_runs(runs):
    numbers = summary(runs, "deviation")
    values = runs["deviation"].to_numpy()
    assert numbers["mean"].to_list() == pytest.approx(values.mean(axis=0))
    for column, quantile in (("low", 0.05), ("median", 0.5), ("high", 0.95)):
        below = (values <= numbers[column].to_numpy()).mean(axis=0)
        assert (np.abs(below[1:] - quantile) < 0.02).all()


def test_charts_show_what_spans_decades_on_a_logarithmic_axis(runs):
    mean, deviation = trajectory_charts(runs, Language("en"))
    assert (mean.name, deviation.name) == ("mean", "deviation")
    assert ">0.01<" in deviation.svg
    assert "standard deviation" in deviation.svg


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_is_whole(runs, lang):
    page = trajectories_page(runs, lang=lang)
    assert page.count("<svg") == 2
    assert f'<html lang="{lang}">' in page
    assert "</html>" in page


def test_what_is_not_finite_is_none():
    model = MultivariateGaussian(np.zeros(3), np.eye(3))
    runs = simulate(model, samples=3, generations=2, replicates=32, seed=1)
    record = trajectories_record(runs)
    assert record["variables"]["log_variance_ratio"]["median"] == [0.0, None, None]
    assert record["variables"]["rank"]["median"] == [3.0, 2.0, 2.0]
    assert "<svg" in trajectory_charts(runs, Language("en"))[0].svg


def test_many_rounds_are_drawn_too():
    runs = simulate(Bernoulli(0.2), samples=50, generations=3000, replicates=32, seed=1)
    assert len(trajectory_charts(runs, Language("en"))[0].svg) < 2_000_000
