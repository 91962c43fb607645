from dataclasses import replace

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot_design import rounds_needed

AIM = hf.Aim(effect=0.1)
ANSWERS = {"sd": 0.5, "correlation": 0.02}
NUMBERS = {"sd": 0.15, "correlation": None}
TWO = ("control", "fresh")


def design(**settings):
    return hf.pilot(**{"effect": 0.1, "arms": TWO, **ANSWERS, **settings})


@pytest.mark.parametrize("variation", [ANSWERS, NUMBERS])
def test_rounds_are_the_fewest_that_are_enough(variation):
    trial = design(**variation)
    assert trial.power >= 0.8 > replace(trial, rounds=trial.rounds - 1).power
    assert rounds_needed(trial) == trial.rounds
    assert trial.answers == (100 if variation is ANSWERS else None)


def test_answers_are_the_fewest_that_are_enough():
    trial = design(rounds=20)
    assert trial.power >= 0.8 > replace(trial, answers=trial.answers - 1).power


def test_both_given_are_taken_as_they_are():
    trial = design(rounds=4, answers=30)
    assert (trial.rounds, trial.answers) == (4, 30)
    assert trial.power < 0.4
    assert trial.detectable > 0.1
    found = replace(trial, aim=replace(AIM, effect=trial.detectable))
    assert found.power == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"effect": 0.2}, False),
        ({"effect": -0.1}, None),
        ({"power": 0.95}, True),
        ({"false_alarms": 0.01}, True),
        ({"sides": 1}, False),
        ({"scale": "relative", "correlation": None}, True),
        ({"arms": ("control", "a", "b", "c")}, True),
        ({"sd": 0.7}, True),
        ({"correlation": 0.2}, True),
        ({"answers": 1000}, False),
    ],
)
def test_each_parameter_changes_the_rounds(change, more):
    rounds, base = design(**change).rounds, design().rounds
    assert rounds == base if more is None else (rounds > base) is more
    assert rounds == base or more is not None


def test_a_relative_fall_is_larger_than_the_rise_of_that_share():
    rise = design(effect=0.2, scale="relative", **NUMBERS)
    fall = design(effect=-0.2, scale="relative", **NUMBERS)
    assert fall.rounds <= rise.rounds
    assert fall.detectable < 0.0 < rise.detectable


def test_what_it_costs():
    trial = design(rounds=10, answers=50, price=0.2)
    assert (trial.answers_per_arm, trial.cost_per_arm) == (500, 100.0)
    assert design(rounds=10, answers=50).cost_per_arm is None
    assert design(**NUMBERS).answers_per_arm is None
    assert design(**NUMBERS, price=2.0).cost_per_arm is None


def test_too_few_rounds_say_how_many_it_takes():
    with pytest.raises(ArgumentError) as caught:
        design(correlation=0.1, rounds=5)
    told = str(caught.value)
    assert told.startswith("rounds: got 5, takes at least ")
    assert "endless answers in each would reach a power of" in told
    needed = int(told.split("at least ")[1].split(";")[0])
    assert design(correlation=0.1, rounds=needed + 1).power >= 0.8
    with pytest.raises(ArgumentError, match="rounds: got"):
        design(correlation=0.1, rounds=needed - 1)


def test_effects_beyond_reach_are_refused():
    with pytest.raises(ArgumentError, match="effect: got 1e-09, takes an effect that 100,000 rou"):
        design(effect=1e-9)
    with pytest.raises(ArgumentError, match="takes an effect that 10,000,000 answers in each"):
        design(effect=1e-9, correlation=0.0, rounds=5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"effect": 0.0}, "effect: got 0.0, takes a change other than 0"),
        ({"effect": float("nan")}, "effect: got nan"),
        ({"effect": -1.0, "scale": "relative"}, "effect: got -1.0, takes a number from -1"),
        ({"effect": 0.1, "power": 1.0}, "power: got 1.0, takes a number above .* 0.05, and below"),
        ({"effect": 0.1, "power": 0.05}, "power: got 0.05"),
        ({"effect": 0.1, "power": 80}, "power: got 80, takes a number from 0 to 1"),
        ({"effect": 0.1, "false_alarms": 0.0}, "false_alarms: got 0.0"),
        ({"effect": 0.1, "false_alarms": 0.6}, "false_alarms: got 0.6"),
        ({"effect": 0.1, "sides": 3}, "sides: got 3"),
        ({"effect": 0.1, "scale": "log"}, "scale: got log, takes one of absolute, relative"),
        ({"effect": 0.1, "correction": "fdr"}, "takes one of holm, bonferroni"),
        ({"effect": 0.1, "smallest": -0.1}, "smallest: got -0.1, takes a change of the sign"),
        ({"effect": 0.1, "smallest": 0.2}, "smallest: got 0.2"),
    ],
)
def test_an_aim_is_checked(settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.Aim(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arms": ["alone"]}, "arms: got alone, takes at least two names"),
        ({"arms": ["a", "a"]}, "arms: got a, a, takes names that differ"),
        ({"arms": ["a", ""]}, "arms: got a, , takes names that differ"),
        ({"rounds": 1}, "rounds: got 1, takes a whole number from 2"),
        ({"answers": 0}, "answers: got 0"),
        ({"price": -1.0}, "price: got -1.0"),
    ],
)
def test_sizes_are_checked(settings, message):
    with pytest.raises(ArgumentError, match=message):
        design(**settings)
    with pytest.raises(ArgumentError, match="answers: got None, takes a number of answers"):
        hf.PilotDesign(arms=TWO, rounds=3, answers=None, aim=AIM, variation=hf.Variation(**ANSWERS))


def test_the_old_function_still_designs():
    with pytest.warns(DeprecationWarning, match=r"hayflick.pilot now"):
        old = hf.design_pilot
    assert old(AIM, arms=TWO, variation=hf.Variation(**ANSWERS)) == design()
