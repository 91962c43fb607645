"""The discrete chain of a trained model: its kernel, its refusals and what it records."""

import json
import math

import numpy as np
import pytest

import hayflick as hf
from hayflick import Resampler
from hayflick.chains.resampled import ResampledChain, resample_plainly
from hayflick.core.errors import ArgumentError, HayflickError

COUNTS = {f"word{rank}": 1 + 120 // rank for rank in range(1, 60)}
WORDS = hf.Discrete.from_counts(COUNTS)
TRAINERS = {
    "a language model": Resampler(1.05, 1.2, 0.5, 0.02),
    "sharp": Resampler(1.3),
    "flat": Resampler(0.7),
    "noisy": Resampler(1.0, -0.5, 0.2),
    "returning": Resampler(1.0, math.inf, 0.0, 0.3),
}


def dense(population, types):
    symbols, counts, offsets = population.sparse
    found = np.zeros((offsets.size - 1, types))
    for replicate in range(len(found)):
        own = slice(offsets[replicate], offsets[replicate + 1])
        found[replicate, symbols[own]] = counts[own]
    return found


@pytest.mark.parametrize("trainer", TRAINERS)
@pytest.mark.parametrize("large", [1, 60])
def test_the_kernel_has_the_law_of_the_plain_reference(trainer, large, rng):
    # Small counts are drawn by inversion, large ones by a gamma law and Poisson's.
    before = np.array([0, 0, 0, 0, 1, 1, 2, 3, 7, 20, 33, 80]) * large
    model = hf.Discrete(tuple(map(str, range(before.size))), np.maximum(before, 1) * 1.0)
    chain = ResampledChain(model.with_estimator(TRAINERS[trainer]), 100)
    parameters = TRAINERS[trainer].draw_parameters(rng, 20_000)
    there = before > 0
    ends = there.sum() * np.arange(20_001)
    sparse = (
        np.tile(np.flatnonzero(there).astype(np.int32), 20_000),
        np.tile(before[there], 20_000),
        ends,
    )
    population = type(chain.start(1))(sparse, 100, parameters)
    draws = int(before.sum())
    fast = dense(chain.generate(rng, population, draws), before.size)
    slow = resample_plainly(rng, np.tile(before.astype(float), (20_000, 1)), parameters, draws)
    for statistic in (lambda c: c, lambda c: c == 0, lambda c: c == 1, lambda c: (c - 5.0) ** 2):
        one, two = statistic(fast), statistic(slow)
        error = np.hypot(one.std(axis=0), two.std(axis=0)) / np.sqrt(20_000)
        assert (np.abs(one.mean(axis=0) - two.mean(axis=0)) <= 4.7 * error + 1e-12).all()
    assert (fast.sum(axis=1).mean() - draws) < 5 * fast.sum(axis=1).std() / np.sqrt(20_000)


@pytest.mark.parametrize("weight", [1e-4, 0.05, 50.0])
def test_those_that_return_are_chosen_evenly(weight, rng):
    # Few of many are picked, many of few are taken in order.
    model = hf.Discrete(tuple(map(str, range(40))), np.ones(40))
    trainer = Resampler(return_weight=weight)
    chain = ResampledChain(model.with_estimator(trainer), 60)
    present = 4
    sparse = (
        np.tile(np.arange(present, dtype=np.int32) * 7, 8000),
        np.full(present * 8000, 2),
        present * np.arange(8001),
    )
    population = type(chain.start(1))(sparse, 8, trainer.draw_parameters(rng, 8000))
    drawn = dense(chain.generate(rng, population, 60), 40)
    absent = np.setdiff1d(np.arange(40), np.arange(present) * 7)
    mean = drawn[:, absent].mean(axis=0)
    expected = 60 * weight / (present * 2 + weight * absent.size)
    assert drawn[:, absent].mean() == pytest.approx(expected, rel=0.05 if weight > 0.01 else 0.5)
    error = drawn[:, absent].std(axis=0) / np.sqrt(8000)
    assert (np.abs(mean - expected) <= 4.5 * error + 1e-3).all()


def test_what_is_lost_altogether_stays_empty():
    tired = hf.Discrete.from_counts({"a": 3, "b": 2}).with_estimator(Resampler(1.0, -3.0))
    runs = hf.simulate(tired, generations=30, replicates=64, seed=3)
    assert (runs["surviving_types"][:, -1] == 0).any()
    gone = runs["surviving_types"].to_numpy() == 0
    # Nothing comes back, and nothing has a diversity.
    assert not (gone[:, :-1] & ~gone[:, 1:]).any()
    assert np.isnan(runs["diversity"].to_numpy()[gone]).all()
    assert np.isfinite(runs["diversity"].to_numpy()[~gone]).all()
    back = hf.Discrete.from_counts({"a": 3, "b": 2}).with_estimator(Resampler(1.0, -3.0, 0.0, 0.5))
    again = hf.simulate(back, generations=30, replicates=64, seed=3)["surviving_types"].to_numpy()
    assert ((again[:, :-1] == 0) & (again[:, 1:] > 0)).any()


def test_every_run_keeps_the_trainer_that_it_drew():
    covariance = np.zeros((4, 4))
    covariance[0, 0] = 0.04
    spread = Resampler(1.0, covariance=tuple(map(tuple, covariance)))
    runs = hf.simulate(WORDS.with_estimator(spread), generations=4, replicates=400, seed=1)
    one = hf.simulate(WORDS.with_estimator(Resampler(1.2)), generations=4, replicates=400, seed=1)
    kept = runs["surviving_fraction"].to_numpy()
    # Early and late rounds of the same run belong together.
    assert np.corrcoef(kept[:, 2], kept[:, 4])[0, 1] > 0.8
    assert kept[:, 4].std() > 2 * one["surviving_fraction"].to_numpy()[:, 4].std()


@pytest.mark.parametrize(
    "stages",
    [
        hf.Stages(sampler=hf.Temperature(0.8)),
        hf.Stages(sampler=hf.TopK(5)),
        hf.Stages(degradation=hf.Contamination(0.1)),
    ],
    ids=str,
)
def test_stages_change_the_law_of_what_is_written(stages):
    settings = {"generations": 4, "replicates": 200, "seed": 2}
    trainer = WORDS.with_estimator(Resampler(1.02, 1.5, 0.4))
    plain = hf.simulate(trainer, **settings)["surviving_fraction"].mean("replicate").to_numpy()
    runs = hf.simulate(trainer, stages=stages, **settings)
    changed = runs["surviving_fraction"].mean("replicate").to_numpy()
    higher = stages.degradation is not None
    assert (changed[2:] > plain[2:]).all() if higher else (changed[2:] < plain[2:]).all()
    if isinstance(stages.sampler, hf.TopK):
        assert (runs["surviving_types"][:, 1:] <= 5).all()
    assert runs["class_survivors"].sum("count_class").equals(runs["surviving_types"])


@pytest.mark.parametrize(
    "stages", [hf.Stages(real_weight=2.0), hf.Stages(rounding=hf.Grid(bits=8))]
)
def test_weights_and_rounding_are_refused_with_a_reason(stages):
    trainer = WORDS.with_estimator(Resampler(1.02))
    with pytest.raises(ArgumentError, match="whole counts"):
        hf.simulate(trainer, generations=2, stages=stages, seed=1)


@pytest.mark.parametrize("law", [hf.survival, hf.expected_diversity])
def test_a_law_is_refused_where_none_is_known(law):
    with pytest.raises(HayflickError, match="a law of it is not known"):
        law(WORDS.with_estimator(Resampler(1.1)), generations=3)


def test_an_ideal_resampler_is_maximum_likelihood():
    assert WORDS.with_estimator(Resampler()).estimator == WORDS.estimator


def test_provenance_names_parameters_and_covariance():
    covariance = tuple(tuple(row) for row in np.diag([1e-4, 0.0, 0.0, 0.0]))
    trainer = WORDS.with_estimator(Resampler(1.1, covariance=covariance))
    runs = hf.simulate(trainer, generations=2, replicates=32, seed=1)
    described = json.loads(runs.attrs["provenance"])["parameters"]["model"]
    assert described["estimator"].startswith("calibrated:sharpening=1.1")
    assert described["resampler"]["parameters"]["log_size"] is None
    assert described["resampler"]["covariance"][0][0] == 1e-4


@pytest.mark.parametrize("accumulating", [hf.Accumulate(), hf.AccumulateSubsample()])
def test_what_accumulates_is_the_training_set(accumulating):
    trainer = WORDS.with_estimator(Resampler(1.1, 1.0, 0.5))
    settings = {"generations": 6, "replicates": 96, "seed": 5}
    alone = hf.simulate(trainer, **settings)["surviving_fraction"].mean("replicate")
    runs = hf.simulate(trainer, regime=accumulating, **settings)
    assert (runs["surviving_in_pool"] == WORDS.types).all()
    assert float(runs["surviving_fraction"].mean("replicate")[-1]) > float(alone[-1])


def test_every_run_reacts_to_its_own_readings():
    trainer = WORDS.with_estimator(Resampler(1.1, 1.0, 0.5))
    regime = hf.Triggered(hf.Threshold(0.8, 100))
    runs = hf.simulate(trainer, regime=regime, generations=6, replicates=40, seed=5)
    assert (runs["actions"] > 0).any()
    alone = hf.simulate(trainer, generations=6, replicates=40, seed=5)
    last = {"generation": -1}
    assert runs["surviving_types"].isel(last).mean() > alone["surviving_types"].isel(last).mean()
