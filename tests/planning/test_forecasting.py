import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.planning.forecast_result import FRESH_SHARES


def test_a_forecast_is_its_law_and_its_simulation(words):
    result = hf.forecast(words, generations=10, replicates=64, seed=4)
    law = hf.survival(words, generations=10)
    assert_allclose(result.law.surviving_fraction, law.surviving_fraction)
    assert result.kept == law.surviving_fraction[-1]
    band = result.simulated_band()
    assert (band["low"] <= band["mean"]).all()
    assert (band["mean"] <= band["high"]).all()
    runs = result.simulated["surviving_fraction"]
    assert_allclose(band["standard_error"], runs.std("replicate", ddof=1) / 8)


def test_the_limit_is_nine_tenths_of_the_baseline(words):
    result = hf.forecast(words, generations=10, replicates=0)
    assert result.limit == pytest.approx(0.9 * result.law.baseline[-1])
    first = result.first_below
    assert result.law.surviving_fraction[first] < result.limit
    assert (result.law.surviving_fraction[:first] >= result.limit).all()
    assert hf.forecast(words, generations=1, replicates=0).first_below is None


def test_the_most_at_risk_are_the_rarest(words):
    result = hf.forecast(words, generations=10, replicates=0)
    assert [risk.symbol for risk in result.most_at_risk] == ["here", "sat", "cat", "the"]
    here = result.most_at_risk[0]
    chances = hf.survival(words, generations=10).of_symbols(["here"])[0]
    assert here.survival == pytest.approx(chances[-1])
    assert here.baseline == pytest.approx(1 - 0.99**100)
    assert chances[here.median_loss] <= 0.5 < chances[here.median_loss - 1]
    assert here.mean_loss == pytest.approx(hf.loss_time(words).of_symbols(["here"])[0])
    assert result.most_at_risk[3].median_loss is None
    assert result.rarest == 1


def test_what_a_reserve_holds_is_not_at_risk(words):
    anchor = hf.Anchor.from_mapping({"here": 1})
    result = hf.forecast(words, generations=10, regime=anchor, replicates=0)
    assert [risk.symbol for risk in result.most_at_risk] == ["sat", "cat", "the"]
    whole = hf.Anchor.from_mapping(dict.fromkeys(words.symbols, 2))
    assert hf.forecast(words, generations=3, regime=whole, replicates=0).most_at_risk == ()


def test_survival_by_count_is_that_of_a_symbol_with_the_count(words):
    by_count = hf.forecast(words, generations=5, replicates=0).by_count
    assert by_count.counts.tolist() == [1, 2, 3, 5, 10, 20, 30, 50]
    law = hf.survival(words, generations=5)
    assert_allclose(by_count.survival[0], law.of_symbols(["here"])[0])
    assert_allclose(by_count.survival[6], law.of_symbols(["cat"])[0])
    assert_allclose(by_count.baseline[[0, 6]], 1 - np.array([0.99, 0.7]) ** 100)


def test_fresh_shares_are_compared_by_the_same_law(words):
    result = hf.forecast(words, generations=10, replicates=0)
    for share, kept in zip(FRESH_SHARES, result.fresh_shares, strict=True):
        law = hf.survival(words, generations=10, regime=hf.Fresh(share))
        assert kept == pytest.approx(law.surviving_fraction[-1])
    # Four symbols must all be kept, and even real data alone misses one that is seen once.
    assert result.smallest_holding_share is None
    shares = [found.confidence for found in result.fresh_assurances]
    every = hf.survival(words, generations=10).of_symbols(words.symbols)[:, -1]
    assert shares[0] == pytest.approx(every.prod())


def test_no_share_below_one_may_hold():
    tail = hf.Discrete.from_counts({f"word{number}": 1 for number in range(500)})
    result = hf.forecast(tail, generations=100, samples=50, replicates=0)
    assert result.smallest_holding_share is None


def test_runs_below_the_limit_are_counted(words):
    result = hf.forecast(words, generations=10, replicates=64, seed=4)
    ends = result.simulated["surviving_fraction"].to_numpy()[:, -1]
    assert result.runs_below == np.mean(ends < result.limit)
    assert 0 < result.runs_below < 1
    assert hf.forecast(words, generations=10, replicates=0).runs_below is None


def test_a_symbol_at_one_half_is_as_likely_gone_as_left():
    pair = hf.Discrete.from_counts({"a": 1, "b": 1})
    one, two = (hf.forecast(pair, generations=6, samples=n, replicates=0) for n in (1, 2))
    assert one.most_at_risk[0].survival == 0.5
    assert one.most_at_risk[0].median_loss == 1
    # Of two tokens the survival falls towards one half and never gets there.
    assert two.most_at_risk[0].median_loss is None


def test_a_law_without_data_has_expected_counts():
    law = hf.Discrete.zipf_mandelbrot(200, exponent=1.2)
    result = hf.forecast(law, generations=5, samples=100, replicates=0)
    assert result.most_at_risk[0].symbol == "200"
    assert result.most_at_risk[0].count == pytest.approx(100 * law.probabilities[-1])
    assert result.by_count.counts[0] == 1


def test_an_interrupted_simulation_is_kept_and_said(words, monkeypatch):
    whole = hf.simulate(words, generations=5, replicates=32, seed=1)

    def interrupted(*arguments, **settings):
        raise SimulationInterrupted(whole)

    monkeypatch.setattr("hayflick.planning.forecast.simulate", interrupted)
    result = hf.forecast(words, generations=5)
    assert result.interrupted
    assert result.simulated is whole


@pytest.mark.parametrize("arguments", [{"replicates": -1}, {"generations": 0}, {"samples": 0}])
def test_bad_arguments_are_refused(words, arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        hf.forecast(words, **arguments)


def test_provenance_makes_the_forecast_again(words):
    record = hf.forecast(words, generations=3, replicates=32, seed=8).provenance()
    assert record["seed"] == 8
    assert record["parameters"]["generations"] == 3
    assert record["parameters"]["replicates"] == 32
    assert json.loads(json.dumps(record)) == record


def test_a_single_run_has_no_standard_error(words):
    band = hf.forecast(words, generations=3, replicates=1).simulated_band()
    assert np.isnan(band["standard_error"]).all()
