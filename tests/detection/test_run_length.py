import numpy as np
import pytest
from scipy.stats import norm

from hayflick.detection.limits import LONGEST, Recursion, mean_run_length

SHEWHART, CUSUM = Recursion(0.0, 1.0), Recursion(1.0, 1.0, 0.5)


def ewma(weight, *, reflected=False):
    return Recursion(1.0 - weight, np.sqrt(weight * (2.0 - weight)), reflected=reflected)


def length(recursion, limit, *, direction="both", shift=0.0, scale=1.0):
    law = {"shift": np.array([shift]), "scale": np.array([scale])}
    return float(mean_run_length(recursion, direction=direction, limit=limit, **law)[0])


@pytest.mark.parametrize(
    ("limit", "shift", "published"),
    [(4, 0, 168), (4, 0.5, 26.6), (4, 1, 8.38), (5, 0, 465), (5, 1, 10.4), (5, 2, 4.01)],
)
def test_published_run_lengths_of_the_two_sided_cusum(limit, shift, published):
    # Montgomery, Introduction to Statistical Quality Control, table 9.3.
    assert length(CUSUM, limit, shift=shift) == pytest.approx(published, rel=5e-3)


@pytest.mark.parametrize(
    ("weight", "limit", "shift", "published"),
    [(0.1, 2.814, 0, 500), (0.1, 2.814, 1, 10.3), (0.25, 2.998, 0, 500), (0.4, 3.054, 0.5, 71.2)],
)
def test_published_run_lengths_of_the_ewma(weight, limit, shift, published):
    # Lucas & Saccucci (1990), table 3.
    assert length(ewma(weight), limit, shift=shift) == pytest.approx(published, rel=5e-3)


def test_shewhart_in_closed_form():
    assert length(SHEWHART, 3.0) == pytest.approx(1.0 / (2.0 * norm.sf(3.0)))
    assert length(SHEWHART, 3.0, direction="falls", shift=-1.0) == pytest.approx(1.0 / norm.sf(2.0))
    assert length(SHEWHART, 3.0, scale=2.0) == pytest.approx(1.0 / (2.0 * norm.sf(1.5)))
    assert length(ewma(1.0), 3.0) == pytest.approx(length(SHEWHART, 3.0))


@pytest.mark.parametrize(
    ("recursion", "limit", "direction", "shift", "scale"),
    [
        (CUSUM, 3.0, "both", 0.2, 1.1),
        (CUSUM, 3.0, "falls", -0.3, 1.0),
        (Recursion(1.0, 1.0, 0.25), 5.0, "rises", 0.1, 0.9),
        (ewma(0.2), 2.2, "both", 0.2, 1.1),
        (ewma(0.2, reflected=True), 2.2, "falls", -0.1, 1.0),
    ],
)
def test_run_lengths_agree_with_simulation(recursion, limit, direction, shift, scale):
    rng, runs = np.random.default_rng(1), 4000
    alive, levels = np.arange(runs), np.zeros((runs, len(recursion.signs(direction))))
    lengths = np.zeros(runs)
    while alive.size:
        gaps = rng.normal(shift, scale, (alive.size, 1)) * recursion.signs(direction)
        levels = recursion.keep * levels + recursion.gain * gaps - recursion.drift
        levels = np.maximum(levels, 0.0) if recursion.reflected else levels
        lengths[alive] += 1
        quiet = np.abs(levels).max(axis=1) < limit
        alive, levels = alive[quiet], levels[quiet]
    error = lengths.std() / np.sqrt(runs)
    expected = length(recursion, limit, direction=direction, shift=shift, scale=scale)
    assert abs(lengths.mean() - expected) < 4.0 * error


def test_what_is_too_long_to_tell_is_the_longest():
    assert length(CUSUM, 60.0) == pytest.approx(LONGEST / 2.0)
    assert length(SHEWHART, 20.0, direction="rises") == LONGEST
