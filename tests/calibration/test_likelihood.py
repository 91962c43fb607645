"""The likelihood of pairs against sums that are written out, and its derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from hayflick.calibration.likelihood import CountPairs, Likelihood, LogLinearDesign, pairs_of
from hayflick.calibration.record import Record
from hayflick.core.errors import DataError

SHARPENING, LOG_SIZE, POWER, RETURN, LEVEL = 1.05, 0.7, 0.4, 0.3, -0.1
PARAMETERS = np.array([SHARPENING, LOG_SIZE, POWER, math.log(RETURN), LEVEL])


def some_pairs(fresh_share: float) -> CountPairs:
    before = np.array([0.0, 0.0, 1.0, 3.0, 40.0, 2000.0, 2e5])
    after = np.array([0.0, 2.0, 4.0, 0.0, 55.0, 1700.0, 2.1e5])
    fresh = fresh_share * np.array([0.5, 1.0, 1.0, 4.0, 50.0, 2000.0, 2e5])
    number = np.arange(1.0, 8.0)
    return CountPairs(np.zeros(7, np.int64), before, after, fresh, number, np.zeros(7))


def design_of(pairs: CountPairs) -> LogLinearDesign:
    logs = np.log(np.maximum(pairs.before, 1.0))
    one, none = np.ones_like(logs), np.zeros_like(logs)
    mean = np.stack([logs, none, none, pairs.before == 0.0, one], axis=1)
    return LogLinearDesign(mean, np.stack([none, one, logs, none, none], axis=1), none)


def written_out(pairs: CountPairs) -> float:
    total = 0.0
    for before, after, fresh, number in zip(
        pairs.before, pairs.after, pairs.fresh, pairs.number, strict=True
    ):
        weight = before**SHARPENING if before else RETURN
        mean = math.exp(LEVEL) * weight
        size = math.exp(LOG_SIZE) * max(before, 1.0) ** POWER
        drawn = np.arange(after + 1)
        chances = nbinom.logpmf(drawn, size, size / (size + mean)) + poisson.logpmf(
            after - drawn, fresh
        )
        total += number * float(np.logaddexp.reduce(chances))
    return total


@pytest.mark.parametrize("fresh_share", [0.0, 0.02, 0.3])
def test_value_is_the_sum_over_what_is_fresh(fresh_share: float) -> None:
    pairs = some_pairs(fresh_share)
    value, _, _ = Likelihood(pairs, design_of(pairs))(PARAMETERS)
    assert value == pytest.approx(written_out(pairs), abs=1e-6)


@pytest.mark.parametrize("fresh_share", [0.0, 0.1])
@pytest.mark.parametrize("law", ["negative binomial", "poisson"])
def test_derivatives_are_those_of_the_value(fresh_share: float, law: str) -> None:
    pairs = some_pairs(fresh_share)
    design = design_of(pairs)
    noise = law == "negative binomial"
    if not noise:
        design = LogLinearDesign(design.mean[:, [0, 3, 4]], None, design.offset)
    likelihood = Likelihood(pairs, design)
    point = PARAMETERS if noise else PARAMETERS[[0, 3, 4]]
    _, gradient, second = likelihood(point)
    for place in range(point.size):
        move = np.zeros(point.size)
        move[place] = 1e-5
        (upper, rising, _), (lower, falling, _) = likelihood(point + move), likelihood(point - move)
        assert gradient[place] == pytest.approx((upper - lower) / 2e-5, rel=1e-4, abs=1e-3)
        np.testing.assert_allclose(
            second[place], (rising - falling) / 2e-5, rtol=1e-4, atol=1e-6 * np.abs(second).max()
        )


def test_without_noise_of_its_own_is_the_limit_of_large_sizes() -> None:
    pairs = some_pairs(0.05)
    design = design_of(pairs)
    plain = LogLinearDesign(design.mean[:, [0, 3, 4]], None, design.offset)
    limit, _, _ = Likelihood(pairs, plain)(np.array([1.0, -1.0, 0.0]))
    value, _, _ = Likelihood(pairs, design)(np.array([1.0, 26.0, 0.0, -1.0, 0.0]))
    assert value == pytest.approx(limit, abs=1e-3)


def test_pairs_count_every_type_and_take_stored_items_off() -> None:
    counts = np.array([[4, 4, 2, 1], [5, 3, 2, 1], [5, 3, 0, 3]])
    record = Record(tuple("abcd"), counts, np.array([0, 2]), np.array([1, 1, 0, 0]))
    pairs = pairs_of(record)
    assert pairs.number.sum() == 8
    np.testing.assert_array_equal(
        np.bincount(pairs.transition, pairs.number * pairs.after), [11 - 2, 11 - 2]
    )
    later = pairs.where(pairs.transition == 1)
    assert float(later.number @ later.fresh) == pytest.approx(2.0)


def test_fewer_than_the_stored_items_are_refused() -> None:
    counts = np.array([[4, 4], [5, 3], [8, 0]])
    record = Record(("a", "b"), counts, np.zeros(2, np.int64), np.array([1, 1]))
    with pytest.raises(DataError, match="round 2 holds fewer than the stored items of 'b'"):
        pairs_of(record)
