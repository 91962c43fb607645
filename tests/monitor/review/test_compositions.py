import itertools
import math

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError
from hayflick.monitor import acceptance as compositions
from hayflick.monitor.acceptance import Stratum, bad_share_interval, upper_bound


def stratum(population, checked=0, bad=0, seed=1):
    verdicts = np.random.default_rng(seed).permutation(checked) < bad
    return Stratum(verdicts.tolist(), population)


def capital(stratum, bad, bet):
    """Return what a bet on good answers has become, draw by draw."""
    product, left, bad_left = 1.0, stratum.population, bad
    for is_bad in stratum.bad:
        good = (left - bad_left) / left
        product *= 1.0 - bet if is_bad else 1.0 + bet * (1.0 / good - 1.0)
        left, bad_left = left - 1, bad_left - is_bad
    return product


def slow(strata, error, bets):
    """Return the largest share, bet by bet and composition by composition."""
    ranges = [range(q.bad_count, q.population - q.checked + q.bad_count + 1) for q in strata]
    size, best = sum(q.population for q in strata), 1.0
    for bet, weight in bets.items():
        totals = [
            sum(composition)
            for composition in itertools.product(*ranges)
            if weight
            * math.prod(capital(q, m, bet) for q, m in zip(strata, composition, strict=True))
            < 1.0 / error
        ]
        best = min(best, max(totals) / size)
    return best


@pytest.mark.parametrize("error", [0.05, 0.3])
@pytest.mark.parametrize(
    "strata",
    [
        [stratum(30, 20, 0)],
        [stratum(30, 20, 4)],
        [stratum(20, 14, 1), stratum(12, 8, 0)],
        [stratum(20, 0, 0), stratum(12, 12, 3)],
        [stratum(9, 7, 1), stratum(14, 10, 0), stratum(5, 2, 2)],
    ],
    ids=str,
)
def test_no_composition_is_left_out(strata, error):
    low, high = bad_share_interval(strata, error=error)
    assert high == pytest.approx(slow(strata, error, compositions._ON_GOOD), abs=1e-12)
    turned = [Stratum([not bad for bad in q.bad], q.population) for q in strata]
    assert low == pytest.approx(1.0 - slow(turned, error, compositions._ON_BAD), abs=1e-12)


def test_nothing_checked_leaves_all_open():
    assert bad_share_interval([stratum(10), stratum(5)], error=0.05) == (0.0, 1.0)


@pytest.mark.parametrize("bad", [0, 6])
def test_groups_in_proportion_are_judged_about_as_one(bad):
    one = upper_bound(stratum(12_000, 360, bad).values, error=0.05, population=12_000)
    apart = [stratum(1000, 30, 1 if k < bad else 0, seed=k) for k in range(12)]
    assert bad_share_interval(apart, error=0.05)[1] == pytest.approx(one, rel=0.25)


def test_answers_taken_some_at_once_are_never_too_few(monkeypatch):
    strata = [stratum(3000, 40, 1), stratum(900, 20, 0)]
    exact = bad_share_interval(strata, error=0.05)
    monkeypatch.setattr(compositions, "_FINEST", 200)
    low, high = bad_share_interval(strata, error=0.05)
    assert exact[1] <= high <= exact[1] + 0.02
    assert exact[0] - 0.02 <= low <= exact[0]
    assert sum(compositions._ON_GOOD.values()) == pytest.approx(1.0)
    assert sum(compositions._ON_BAD.values()) == pytest.approx(1.0)


def test_what_is_left_of_the_error_is_spent_where_it_reaches_furthest():
    # A bad answer of the large group is harder to rule out, so the small one adds none.
    alone = bad_share_interval([stratum(50_000, 30, 0)], error=0.05)[1]
    both = bad_share_interval([stratum(50_000, 30, 0), stratum(100, 1, 0)], error=0.05)[1]
    assert both * 50_100 == pytest.approx(alone * 50_000, abs=12)
    # One of which nothing is known adds all that it has.
    open_too = bad_share_interval([stratum(50_000, 30, 0), stratum(100)], error=0.05)[1]
    assert open_too * 50_100 == pytest.approx(alone * 50_000 + 100, abs=12)


def test_mistakes_are_named():
    with pytest.raises(ArgumentError, match="strata: got none"):
        bad_share_interval([], error=0.05)
    with pytest.raises(ArgumentError, match="error: got 0"):
        bad_share_interval([stratum(5)], error=0.0)
    with pytest.raises(ArgumentError, match="population: got None for 'a'"):
        bad_share_interval([Stratum([False], None, "a")], error=0.05)
