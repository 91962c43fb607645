import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.planning.expressivity import COLLAPSED

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
    assert row.left == law.surviving_fraction[-1]
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
    assert told[-1][1] == told[-1][2] == 16
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
