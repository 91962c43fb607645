"""Trials at their designed size: power and coverage, simulated, fixed seeds."""

import math

import numpy as np
import pytest

import hayflick as hf
from hayflick.monitor.pilot_variation import PilotData

SIGMAS = 4.0


def simulated(trial, shifts, rng):
    """Return readings of a trial: round effects, and answers about them."""
    sd, rho = trial.variation.sd, trial.variation.correlation
    values, arms = [], []
    for name, shift in zip(trial.arms, shifts, strict=True):
        rounds = rng.normal(0.0, sd * math.sqrt(rho), (trial.rounds, 1))
        own = rng.normal(0.0, sd * math.sqrt(1.0 - rho), (trial.rounds, trial.answers))
        values.append((shift + rounds + own).ravel())
        arms += [name] * values[-1].size
    total = np.concatenate(values)
    rounds = np.tile(np.repeat(np.arange(trial.rounds), trial.answers), len(trial.arms))
    return PilotData("simulated", total, rounds, tuple(arms), np.arange(total.size))


@pytest.mark.parametrize("sizes", [{"answers": 10}, {"rounds": 6}], ids=str)
def test_the_power_is_the_one_stated_and_intervals_cover(sizes):
    trial = hf.pilot(effect=0.3, power=0.8, sd=0.5, correlation=0.05, **sizes)
    rng, runs = np.random.default_rng(1), 500
    found = [
        hf.analyse_pilot(simulated(trial, (0.0, 0.3), rng), plan=trial).comparisons[0]
        for _ in range(runs)
    ]
    power = np.mean([one.adjusted <= 0.05 for one in found])
    error = math.sqrt(trial.power * (1.0 - trial.power) / runs)
    assert abs(power - trial.power) <= SIGMAS * error
    assert np.mean([one.low <= 0.3 <= one.high for one in found]) >= 0.93


def test_false_alarms_of_several_treatments_stay_within_their_share():
    arms, runs = ["control", "a", "b", "c"], 500
    trial = hf.pilot(effect=0.3, arms=arms, false_alarms=0.1, sd=0.5, correlation=0.05, answers=10)
    rng = np.random.default_rng(2)
    alarms = sum(
        any(
            one.adjusted <= 0.1
            for one in hf.analyse_pilot(simulated(trial, [0.0] * 4, rng), plan=trial).comparisons
        )
        for _ in range(runs)
    )
    assert alarms <= 0.1 * runs + SIGMAS * math.sqrt(0.09 * runs)
