"""What the tests of a fit find in records of planted trainers, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from planted_records import NOISY, real_counts, record_of

from hayflick.calibration.diagnoses import Diagnosis, diagnose, find_drift, later_fit
from hayflick.calibration.fit import fit_resampler
from hayflick.calibration.goodness import expected, goodness
from hayflick.calibration.likelihood import pairs_of
from hayflick.calibration.record import Record
from hayflick.chains.resampler import Resampler

NAMES = ("fit", "drift", "first transition", "memory", "unexplained loss")


def diagnosed(record: Record) -> dict[str, Diagnosis]:
    return {one.name: one for one in diagnose(record, fit_resampler(record))}


def test_nothing_is_found_where_the_chain_is_right() -> None:
    found = []
    for seed in range(10):
        diagnoses = diagnosed(record_of(NOISY, seed=seed))
        assert tuple(diagnoses) == NAMES
        found += [one.name for one in diagnoses.values() if one.found]
    assert len(found) <= 3


def test_ideal_chain_has_nothing_to_find() -> None:
    found = [
        one.name
        for seed in range(5)
        for one in diagnosed(record_of(Resampler(), seed=seed)).values()
        if one.found
    ]
    assert len(found) <= 2


def test_drift_is_found_with_its_slope() -> None:
    record = record_of(NOISY, drift=0.03, rounds=5)
    drift = find_drift(pairs_of(record), fit_resampler(record))
    assert drift is not None
    assert drift.found
    assert abs(drift.slope - 0.03) < 3.0 * drift.standard_error
    assert diagnosed(record)["drift"].found


def test_first_transition_that_differs_is_no_drift() -> None:
    first = replace(NOISY, sharpening=1.2, log_size=0.0)
    record = record_of(NOISY, first=first, rounds=6)
    diagnoses = diagnosed(record)
    assert diagnoses["first transition"].found
    assert not diagnoses["drift"].found
    later = later_fit(pairs_of(record), fit_resampler(record))
    assert later is not None
    error = later.standard_error("sharpening")
    assert error is not None
    assert abs(later.resampler.sharpening - NOISY.sharpening) < 3.0 * error


def test_later_transitions_are_left_together_where_the_first_is_like_them() -> None:
    record = record_of(NOISY)
    assert later_fit(pairs_of(record), fit_resampler(record)) is None


def test_types_that_are_reproduced_worse_are_memory() -> None:
    rng = np.random.default_rng(3)
    reach = np.exp(rng.normal(0.0, 0.3, real_counts().size))
    counts = [real_counts()]
    for _ in range(3):
        mean = counts[-1] * reach
        counts.append(rng.poisson(counts[0].sum() * mean / mean.sum()))
    names = tuple(map(str, range(reach.size)))
    none = np.zeros(3, np.int64), np.zeros(reach.size, np.int64)
    memory = diagnosed(Record(names, np.array(counts), *none))["memory"]
    assert memory.found
    assert "types that lost go on losing" in str(memory.note)


def test_fresh_items_that_were_never_there_are_a_loss_without_reason() -> None:
    record = record_of(Resampler(log_size=3.0, size_power=0.5))
    stated = replace(record, fresh=np.full(3, 4000))
    assert not diagnosed(record)["unexplained loss"].found
    assert diagnosed(stated)["unexplained loss"].found


@pytest.mark.parametrize("fresh", [0, 2000])
def test_expected_moments_are_those_of_draws(fresh: int) -> None:
    record = record_of(NOISY, fresh=fresh)
    fit = fit_resampler(record)
    pairs = pairs_of(record)
    law = expected(pairs, fit)
    rng = np.random.default_rng(5)
    sizes = fit.resampler.sizes(pairs.before)
    own = law.mean - pairs.fresh
    draws = rng.poisson(rng.gamma(sizes, own / sizes, (2000, sizes.size))) + rng.poisson(
        pairs.fresh, (2000, sizes.size)
    )
    error = np.sqrt((law.fourth + 3.0 * law.variance**2) / 2000.0)
    assert np.abs((draws.mean(axis=0) - law.mean) / np.sqrt(law.variance / 2000.0)).max() < 5.0
    assert np.mean(np.abs(draws.var(axis=0) - law.variance) < 3.0 * error) > 0.98
    absent = np.sqrt(law.absent * (1.0 - law.absent) / 2000.0)
    assert (np.abs((draws == 0).mean(axis=0) - law.absent) < 5.0 * absent + 1e-3).all()


def test_classes_hold_every_type_once() -> None:
    record = record_of(NOISY)
    classes = goodness(record, fit_resampler(record))
    assert sum(one.pairs for one in classes) == 3 * len(record.symbols)
    assert all(before.upper < after.lower for before, after in pairwise(classes))
    assert classes[0].lower == classes[0].upper == 0
    assert all(one.pairs >= 10 for one in classes[2:])
    for one in classes:
        assert abs(one.mean_deviation) < 4.5
        assert abs(one.variance_deviation) < 4.5


def test_two_transitions_of_few_types_have_diagnoses_without_a_trace() -> None:
    counts = np.array([[60, 30, 9, 1, 1], [58, 33, 9, 1, 0], [60, 32, 8, 1, 0]])
    record = Record(tuple("abcde"), counts, np.zeros(2, np.int64), np.zeros(5, np.int64))
    assert tuple(diagnosed(record)) == NAMES
