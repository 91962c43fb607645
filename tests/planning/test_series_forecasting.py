import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.corpus.sentences import split_sentences
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.poisson import poisson_law
from hayflick.planning import series_forecast as module
from hayflick.planning.forecast_result import FRESH_SHARES, KEPT_OF_BASELINE
from hayflick.planning.series_forecast import SPREAD_OF_BASELINE

HEIGHTS = hf.Gaussian(170.0, 8.0, total=20)
PLANE = hf.MultivariateGaussian(np.array([1.0, 2.0, 3.0]), np.diag([1.0, 4.0, 100.0]))


@pytest.fixture(scope="module")
def text():
    rare = " ".join(f"It met the odd{number} one." for number in range(30))
    return hf.NGram(split_sentences("The cat sat on the mat. " * 20 + rare), order=2)


def test_a_gaussian_follows_the_median_of_its_exact_law():
    result = hf.forecast(HEIGHTS, generations=30, replicates=0)
    law = gaussian_scale(20, generations=30)
    assert result.law_name == "exact"
    assert_allclose(result.left, np.exp(law.quantile(0.5) / 2))
    assert_allclose(result.main.best.low, np.exp(law.quantile(0.05) / 2))
    assert_allclose(result.main.best.high, np.exp(law.quantile(0.95) / 2))
    assert result.baseline == result.left[1]
    assert result.limit == SPREAD_OF_BASELINE * result.baseline
    assert result.left[result.first_below] < result.limit <= result.left[result.first_below - 1]


def test_the_simulation_beside_a_law_agrees_with_it():
    result = hf.forecast(HEIGHTS, generations=30, replicates=4000, seed=3)
    assert_allclose(result.main.simulated.middle, result.main.law.middle, rtol=0.05)
    assert_allclose(result.main.simulated.low, result.main.law.low, rtol=0.1)
    assert result.runs_below == pytest.approx(
        1 - gaussian_scale(20, generations=30).survival(2 * np.log(result.limit))[-1], abs=0.03
    )


def test_several_dimensions_are_on_the_scale_of_one_deviation():
    result = hf.forecast(PLANE, samples=30, generations=20, replicates=2000)
    law = gaussian_scale(30, generations=20, dimensions=3)
    assert_allclose(result.left, np.exp(law.quantile(0.5) / 6))
    assert_allclose(result.main.simulated.middle, result.left, rtol=0.05)


def test_the_unit_of_the_data_does_not_matter():
    small, large = (hf.Gaussian(0.0, deviation) for deviation in (1e-3, 1e3))
    first, second = (hf.forecast(m, samples=9, generations=5) for m in (small, large))
    assert_allclose(first.main.simulated.middle, second.main.simulated.middle)


def test_fewer_items_than_dimensions_are_a_named_outcome():
    result = hf.forecast(PLANE, samples=3, generations=5, replicates=32)
    assert result.singular
    assert result.first_below == 1
    assert result.runs_below is None
    assert result.smallest_holding_share is None
    assert not result.left[1:].any()
    assert not result.main.simulated.middle[1:].any()
    assert set(result.fresh_shares) == {0.0}


def test_fresh_data_have_medians_from_runs_and_an_exact_root_mean_square():
    regime = hf.Fresh(share=0.1)
    result = hf.forecast(HEIGHTS, generations=40, regime=regime, replicates=4000)
    spread, squares = result.series
    assert result.law_name == "moments"
    assert spread.law is None
    moments = fresh_moments(20, fresh=2, generations=40)
    assert_allclose(squares.law.middle, np.sqrt(moments.variance))
    assert_allclose(squares.simulated.middle, squares.law.middle, rtol=0.05)
    assert (spread.simulated.middle[1:] < squares.law.middle[1:]).all()


def test_rounds_of_real_data_alone_are_the_baseline_over_and_over():
    result = hf.forecast(HEIGHTS, generations=5, regime=hf.Fresh(share=1.0), replicates=0)
    assert result.law_name == "exact"
    assert set(result.left[1:]) == {result.baseline}
    assert result.first_below is None


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_rate_has_its_chance_exactly_with_fresh_data_or_without(share):
    model = hf.Poisson(0.2, total=30)
    result = hf.forecast(model, generations=25, regime=hf.Fresh(share=share), replicates=4000)
    law = poisson_law(0.2, samples=30, generations=25, fresh=round(30 * share))
    assert result.law_name == "exact"
    assert_allclose(result.left, law.present)
    assert_allclose(result.main.simulated.middle, law.present, atol=0.03)
    assert result.limit == pytest.approx(KEPT_OF_BASELINE * (1 - np.exp(-6.0)))
    assert result.runs_below is None
    assert [series.name for series in result.series] == ["chance", "rate"]


def test_a_text_is_simulated_alone(text):
    result = hf.forecast(text, generations=8, replicates=32)
    assert result.law_name == "simulation"
    assert [series.name for series in result.series] == ["words", "contexts", "sentence_length"]
    assert result.left[0] == 1.0
    assert result.left[-1] < result.baseline < 1.0
    assert result.limit == KEPT_OF_BASELINE * result.baseline
    assert result.fresh_shares[-1] == result.baseline
    assert result.fresh_shares[0] < result.fresh_shares[-2]


@pytest.mark.parametrize("model", [HEIGHTS, hf.Poisson(0.1, total=30)], ids=["gaussian", "poisson"])
def test_shares_are_compared_and_the_smallest_that_holds_is_named(model):
    result = hf.forecast(model, generations=200, replicates=0)
    shares = dict(zip(FRESH_SHARES, result.fresh_shares, strict=True))
    assert shares[0.0] == result.kept
    assert shares[1.0] == result.baseline
    holding = result.smallest_holding_share
    assert shares[holding] >= result.limit
    assert all(kept < result.limit for share, kept in shares.items() if share < holding)


def test_the_median_run_is_no_promise():
    result = hf.forecast(hf.Gaussian(70.0, 12.0, total=40), generations=30)
    assert result.first_below is None
    assert 0.2 < result.runs_within < 0.95
    assert result.assurance.runs >= 256
    assert not result.within
    assert result.smallest_holding_share > 0.0
    relaxed = hf.forecast(hf.Gaussian(70.0, 12.0, total=40), generations=30, confidence=0.1)
    assert relaxed.within
    alone = hf.forecast(hf.Gaussian(70.0, 12.0, total=40), generations=30, replicates=0)
    assert alone.runs_within is None


def test_a_share_of_runs_is_told_with_caution():
    model = hf.Gaussian(70.0, 12.0, total=60)
    result = hf.forecast(model, generations=16)
    # A confidence close to the share takes all runs, and is still not shown.
    close = hf.forecast(model, generations=16, confidence=0.905)
    assert close.assurance.runs == 4096
    assert close.runs_within == pytest.approx(result.runs_within, abs=0.05)
    assert close.assurance.assured < close.runs_within - 0.005
    assert close.within == (close.assurance.assured >= 0.905)
    just = hf.forecast(model, generations=16, confidence=close.runs_within - 0.001)
    assert just.runs_within == close.runs_within
    assert not just.within


def test_runs_that_take_long_are_not_repeated(text):
    found = hf.forecast(text, generations=2, replicates=16).assurance
    assert found.runs == 16
    assert found.standard_error > 0.0
    few = hf.forecast(text, generations=2, replicates=7)
    assert few.assurance is None
    assert few.runs_within is None


@pytest.mark.parametrize("model", [HEIGHTS, PLANE, hf.Poisson(0.2)], ids=lambda m: type(m).__name__)
def test_the_same_seed_gives_the_same_whatever_the_threads(model):
    one, two, other = (
        hf.forecast(model, samples=20, generations=6, seed=seed, threads=threads)
        for seed, threads in ((3, 1), (3, 2), (4, 1))
    )
    assert one.fresh_shares == two.fresh_shares
    ends = [result.series[0].simulated.middle.tolist() for result in (one, two, other)]
    assert ends[0] == ends[1] != ends[2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generations": 0}, "generations: got 0"),
        ({"replicates": -1}, "replicates: got -1"),
        ({"seed": -1}, "seed: got -1"),
        ({"threads": 0}, "threads: got 0"),
        ({"samples": 1}, "samples: got 1"),
        (
            {"replicates": 0, "regime": hf.Fresh(share=0.1)},
            "replicates: got 0, takes at least 1 here",
        ),
        (
            {"regime": hf.Anchor.from_mapping({"1.5": 1})},
            "takes replace or fresh:SHARE for the family",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.forecast(HEIGHTS, **settings)


def test_a_family_without_a_forecast_is_refused():
    with pytest.raises(ArgumentError, match="model: got Bernoulli"):
        hf.forecast(hf.Bernoulli(0.5), samples=9)
    with pytest.raises(ArgumentError, match="source: got 7, takes a file, a table or a model"):
        hf.forecast(7)


@pytest.mark.parametrize(
    "settings",
    [{"delta": 0.5}, {"law": "exact"}, {"column": "x"}, {"tokenizer": "words"}, {"order": 2}],
    ids=str,
)
def test_options_that_a_model_does_not_take_are_refused(settings):
    with pytest.raises(ArgumentError, match=f"{next(iter(settings))}: got .* takes nothing"):
        hf.forecast(HEIGHTS, **settings)


def test_the_curves_are_a_frame():
    result = hf.forecast(HEIGHTS, generations=5, regime=hf.Fresh(share=0.1), replicates=32)
    frame = result.to_frame()
    spread, squares = (frame.filter(quantity=name) for name in ("spread", "root_mean_square"))
    assert spread["generation"].to_list() == squares["generation"].to_list() == list(range(6))
    assert_allclose(spread["simulated"], result.left)
    assert spread["law"].null_count() == 6
    assert_allclose(squares["law"], result.series[1].law.middle)


def test_ctrl_c_keeps_what_was_finished(monkeypatch):
    whole = module.simulate

    def interrupted(*arguments, **settings):
        runs = whole(*arguments, **settings)
        if settings["replicates"] != 40:
            return runs
        raise SimulationInterrupted(runs.isel(replicate=slice(32)))

    monkeypatch.setattr(module, "simulate", interrupted)
    result = hf.forecast(HEIGHTS, generations=5, replicates=40)
    assert result.interrupted
    assert result.runs == 32


def test_ctrl_c_before_anything_is_known_ends(monkeypatch, text):
    def interrupted(*arguments, **settings):
        raise SimulationInterrupted(None)

    monkeypatch.setattr(module, "simulate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hf.forecast(text, generations=5)
