"""The bounds of reviews that are looked at after every item, fixed seeds."""

import math

import numpy as np
import pytest

from hayflick.monitor.acceptance import Stratum, bad_share_interval, is_above

SIGMAS = 3.0
TRIALS, ERROR = 250, 0.1


def most_misses(error, trials):
    """Return how many misses nominal coverage allows, at so many standard errors."""
    return error * trials + SIGMAS * math.sqrt(error * (1.0 - error) * trials)


@pytest.mark.parametrize(("population", "bad"), [(2000, 60), (300, 30), (150, 3)])
def test_a_queue_from_a_population(population, bad):
    rng = np.random.default_rng(1)
    share, misses = bad / population, 0
    settings = {"error": ERROR, "population": population}
    for _ in range(TRIALS):
        stratum = (rng.permutation(population) < bad)[:150].astype(float)
        # The last bound is the best of all looks: it misses if any look did.
        misses += is_above(1.0 - stratum, mean=1.0 - share + 1e-9, **settings)
        misses += is_above(stratum, mean=share + 1e-9, **settings)
    assert misses <= most_misses(2.0 * ERROR, TRIALS)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_queue_without_end(share):
    rng = np.random.default_rng(2)
    strata = (rng.random((TRIALS, 200)) < share).astype(float)
    misses = sum(is_above(1.0 - stratum, mean=1.0 - share, error=ERROR) for stratum in strata)
    assert misses <= most_misses(ERROR, TRIALS)


def test_queues_of_groups_at_every_look():
    trials, looks, error = 30, 24, 0.2
    rng = np.random.default_rng(3)
    sizes, bad = (100, 50, 20), (1, 10, 2)
    share, misses = sum(bad) / sum(sizes), 0
    for _ in range(trials):
        order = [rng.permutation(n) < b for n, b in zip(sizes, bad, strict=True)]
        checked, missed = np.zeros(3, int), False
        for look in range(looks):
            checked[look % 3 if checked[2] < 10 else look % 2] += 1
            strata = [Stratum(row[:k], n) for row, k, n in zip(order, checked, sizes, strict=True)]
            low, high = bad_share_interval(strata, error=error)
            missed |= not low - 1e-9 <= share <= high + 1e-9
        misses += missed
    assert misses <= most_misses(2.0 * error, trials)
