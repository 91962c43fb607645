import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.chains.stages import Grid, Stages
from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.planning.expressivity import COLLAPSED
from hayflick.simulation.refitted_runs import surviving_shares_of_runs

COUNTS = {f"word{rank}": 1 + 200 // rank for rank in range(1, 200)}


def row_of(result, estimator, bits=None):
    (row,) = [row for row in result.rows if (row.estimator, row.bits) == (estimator, bits)]
    return row


def test_unrounded_counts_have_the_law():
    model = hf.Discrete.from_counts(COUNTS)
    result = hf.expressivity(model, generations=60, samples=300, replicates=32)
    law = hf.survival(model, generations=60, samples=300)
    row = row_of(result, "ml")
    assert row.method == law.name == "exact"
    assert row.left == pytest.approx(law.surviving_fraction[-1], abs=1e-9)
    assert (row.left_error, row.collapse_error) == (0.0, 0.0)
    below = law.surviving_fraction <= COLLAPSED * law.baseline[-1]
    assert row.collapse == np.flatnonzero(below)[0]


def test_fine_grids_change_nothing_and_coarse_ones_much():
    # The rarest are drawn often enough, but have a chance of less than 2^-9.
    result = hf.expressivity(
        hf.Discrete.from_counts(COUNTS), generations=10, samples=3000, replicates=64
    )
    exact, fine, coarse = (row_of(result, "ml", bits) for bits in (None, 24, 8))
    assert fine.method == coarse.method == "simulation"
    assert fine.left == pytest.approx(exact.left, abs=0.01)
    assert coarse.left < 0.8 * exact.left


def test_smoothing_keeps_symbols():
    result = hf.expressivity(
        hf.Discrete.from_counts(COUNTS), generations=30, samples=300, replicates=64
    )
    left = [row_of(result, name).left for name in ("ml", "add:0.01", "add:0.1", "add:1")]
    assert left == sorted(left)
    assert row_of(result, "good-turing").left > left[0]


def test_a_gaussian_collapses_when_its_median_does():
    result = hf.expressivity(hf.Gaussian(5.0, 2.0), samples=20, generations=60)
    unbiased, likely = (row_of(result, name) for name in ("unbiased", "ml"))
    law = gaussian_scale(20, generations=60)
    threshold = COLLAPSED * np.exp(law.quantile(0.5)[1] / 2.0)
    assert unbiased.collapse == law.collapse_time(2.0 * np.log(threshold))
    assert likely.collapse < unbiased.collapse
    rounded = row_of(result, "unbiased", 10)
    assert rounded.collapse == pytest.approx(unbiased.collapse, abs=3)


def test_a_comparison_says_how_it_was_made():
    result = hf.expressivity(hf.Gaussian(0.0, 1.0), samples=9, generations=5, replicates=32, seed=4)
    record = result.provenance()
    assert record["seed"] == 4
    assert record["parameters"]["replicates"] == 32
    assert json.loads(json.dumps(record)) == record


def test_progress_is_told_and_mistakes_are_refused():
    told = []
    hf.expressivity(
        hf.Gaussian(0.0, 1.0),
        samples=9,
        generations=2,
        replicates=32,
        progress=lambda *state: told.append(state),
    )
    assert told[-1][1] == told[-1][2] == 14
    with pytest.raises(ArgumentError, match="replicates"):
        hf.expressivity(hf.Gaussian(0.0, 1.0), samples=9, replicates=0)
    with pytest.raises(ArgumentError, match="samples: got None"):
        hf.expressivity(hf.Gaussian(0.0, 1.0))


def test_a_notebook_shows_the_chart():
    result = hf.expressivity(hf.Gaussian(0.0, 1.0), samples=9, generations=3, replicates=32)
    assert "<svg" in result._repr_html_()


def test_what_is_simulated_says_how_sure_it_is():
    result = hf.expressivity(hf.Gaussian(0.0, 1.0), samples=20, generations=80, replicates=64)
    rounded, exact = row_of(result, "unbiased", 10), row_of(result, "unbiased")
    assert rounded.earliest <= rounded.collapse <= (rounded.latest or 80)
    assert rounded.earliest <= exact.collapse <= (rounded.latest or 80)
    assert exact.earliest == exact.collapse == exact.latest


def test_ctrl_c_keeps_the_estimators_that_are_done():
    def progress(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt

    result = hf.expressivity(
        hf.Gaussian(0.0, 1.0), samples=9, generations=3, replicates=32, progress=progress
    )
    assert result.interrupted
    assert len(result.rows) == 3


LABELS = {"R": 60, "PG-13": 30, "PG": 8, "NC-17": 1}


@pytest.mark.parametrize("estimator", ["ml", "add:0.1", "good-turing"])
@pytest.mark.parametrize("bits", [None, 12, 6])
def test_fast_runs_are_those_of_the_plain_simulation(estimator, bits):
    if bits is None and estimator != "good-turing":
        pytest.skip("the plain simulation draws these in another order; the law is tested")
    estimators = {"ml": hf.AddDelta(0), "add:0.1": hf.AddDelta(0.1), "good-turing": hf.GoodTuring()}
    counts = {f"w{rank}": 1 + 40 // rank for rank in range(1, 40)}
    model = hf.Discrete.from_counts(counts).with_estimator(estimators[estimator])
    grid = None if bits is None else Grid(bits=bits)
    options = {"samples": 150, "generations": 12, "replicates": 40, "seed": 3, "threads": 1}
    fast = surviving_shares_of_runs(model, rounding=grid, **options)
    plain = hf.simulate(model, stages=Stages(rounding=grid), **options)["surviving_fraction"]
    np.testing.assert_array_equal(fast, plain)
    again = surviving_shares_of_runs(model, rounding=grid, **{**options, "threads": 3})
    np.testing.assert_array_equal(fast, again)


@pytest.mark.parametrize("estimator", [hf.AddDelta(0.1), hf.GoodTuring()])
def test_rare_words_among_many_are_drawn_alike(estimator):
    model = hf.Discrete.from_counts(COUNTS).with_estimator(estimator)
    options = {"samples": 600, "generations": 15, "replicates": 96, "seed": 3}
    fast = surviving_shares_of_runs(model, rounding=Grid(bits=12), threads=1, **options)
    plain = hf.simulate(model, stages=Stages(rounding=Grid(bits=12)), **options)
    plain = plain["surviving_fraction"].to_numpy()
    error = np.hypot(fast.std(0), plain.std(0)) / np.sqrt(96)
    assert (np.abs(fast.mean(0) - plain.mean(0))[1:] < 4.5 * error[1:]).all()


def test_the_horizon_is_twice_as_long_as_the_first_line_lasts():
    for model in (hf.Discrete.from_counts(LABELS), hf.Gaussian(0.0, 1.0, total=30)):
        result = hf.expressivity(model, replicates=2)
        first = result.rows[0]
        assert result.horizon == "lifetime"
        assert 2 * first.collapse <= result.generations <= 2.6 * first.collapse + 10
        assert hf.expressivity(model, replicates=2, generations=7).horizon == "given"


def test_a_line_that_lasts_too_long_is_cut_and_it_is_said(monkeypatch):
    # Seconds that it may take.
    monkeypatch.setattr("hayflick.planning.expressivity._BUDGET_S", 0.05)
    labels = hf.Discrete.from_counts({"a": 400_000, "b": 200_000})
    result = hf.expressivity(labels, replicates=2, threads=1)
    assert result.horizon == "longest"
    assert result.rows[0].collapse is None


def test_standard_errors_are_those_of_other_seeds():
    model, options = hf.Discrete.from_counts(LABELS), {"generations": 150, "replicates": 32}
    found = [row_of(hf.expressivity(model, seed=seed, **options), "ml", 12) for seed in range(8)]
    told = np.mean([row.left_error for row in found])
    assert np.std([row.left for row in found], ddof=1) == pytest.approx(told, rel=0.7)
    law = row_of(hf.expressivity(model, **options), "ml")
    assert np.mean([row.left for row in found]) == pytest.approx(law.left, abs=4 * told)
    told = np.mean([row.collapse_error for row in found])
    assert np.std([row.collapse for row in found], ddof=1) == pytest.approx(told, rel=0.7)
