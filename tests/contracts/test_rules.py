"""One rules file, the same readings: whatever carries the rules decides the same.

A carrier takes rules and the readings of one stream, and returns what was decided after each
reading, as (round, kind, items, reason). A new one, such as a network or a service, joins
`CARRIERS`.
"""

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.records import Mix, Schedule
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import decisions
from hayflick.simulation.blocks import reactive_rounds

ROUNDS = 90
ACTIONS = """
[[action]]
name = "real"
kind = "inject"
items = 5
[[action]]
name = "stored"
kind = "inject"
items = 2
reserve = "r.txt"
[[action]]
name = "ask"
kind = "vary_prompts"
prompts = ["a", "b", "c"]
[[action]]
name = "look"
kind = "review"
items = 3
[[action]]
name = "tell"
kind = "notify"
"""
RULES = {
    "a limit": 'below = 0.78\nactions = ["real", "tell"]',
    "a band": 'below = 0.76\nabove = 0.84\nhealthy = "steady"\nactions = ["look"]',
    "confirmed": 'below = 0.79\nconfirm = { needed = 2, of = 3 }\nactions = ["real"]',
    "a cool-down": 'below = 0.79\ncool_down = 4\nactions = ["ask", "tell"]',
    "a chart": 'chart = "cusum"\ncool_down = 3\nactions = ["real", "look"]',
    "a reserve": 'below = 0.78\nactions = ["stored"]',
}


def readings():
    rng = np.random.default_rng(11)
    means = np.where(np.arange(ROUNDS) < 60, 0.8, 0.775)
    return [
        hf.Reading(number, {"retention": float(value)})
        for number, value in enumerate(rng.normal(means, 0.015), start=1)
    ]


def plain(number, actions):
    return [(number, action.kind.value, action.items, action.reason) for action in actions]


class Chain:
    """A chain whose rounds leave behind the numbers that it was given."""

    samples = 100

    def __init__(self, given):
        self.values = [np.nan, *(reading.values["retention"] for reading in given)]

    def start(self, replicates):
        return 0

    def generate(self, rng, population, draws):
        return population + 1

    def mix(self, rng, pool, mix):
        return pool

    def estimate(self, pool):
        return pool

    def measure(self, population):
        return {"retention": np.array([self.values[population]])}

    def measure_last(self, population):
        return {}


class Listening:
    """The responder of a run, written down."""

    def __init__(self, responder):
        self.responder, self.heard = responder, []

    def mix(self, generation, *, samples):
        return self.responder.mix(generation, samples=samples)

    def read(self, reading):
        actions = self.responder.read(reading)
        self.heard += plain(reading.round, actions)
        return actions


def in_simulation(rule_set, given):
    regime = hf.Triggered(rule_set.start())
    listening = []

    def respond():
        listening.append(Listening(regime.start()))
        return listening[-1]

    schedule = Schedule([Mix(generated=100)] * len(given), respond)
    for _ in reactive_rounds(Chain(given), schedule, rng=np.random.default_rng(1), replicates=2):
        pass
    first, second = (one.heard for one in listening)
    assert first == second, "runs share what a rule remembers"
    return first


def in_watch(rule_set, given):
    found = decisions(rule_set, {"": given})
    return [line for one in found for line in plain(one.round, one.actions)]


def by_hand(rule_set, given):
    running = rule_set.start()
    return [line for one in given for line in plain(one.round, running.decide(one))]


def after_every_restart(rule_set, given):
    running, heard = rule_set.start(), []
    for one in given:
        running = rule_set.restore(running.state())
        heard += plain(one.round, running.decide(one))
    return heard


CARRIERS = {
    "simulation": in_simulation,
    "watch": in_watch,
    "by hand": by_hand,
    "a restart after every reading": after_every_restart,
}


@pytest.fixture
def rule_set(request, tmp_path):
    (tmp_path / "r.txt").write_text("quince\nmedlar\nsorb\n")
    head = 'format_version = 1\nmode = "act"\nbaseline = 60\nfalse_alarms = 0.01\n[[watch]]\n'
    text = f'{head}name = "w"\nmetric = "retention"\n{RULES[request.param]}\n{ACTIONS}'
    return hf.RuleSet.of(parse_rules(text), folder=tmp_path)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("rule_set", RULES, indirect=True)
def test_the_same_readings_lead_to_the_same_decisions(rule_set, carrier):
    given = readings()
    expected = by_hand(rule_set, given)
    assert expected, "the readings are to lead to decisions"
    assert CARRIERS[carrier](rule_set, given) == expected


def test_other_readings_lead_to_other_decisions():
    # The contract would hold for rules that pass over their readings.
    rules = hf.RuleSet.of(
        parse_rules(
            'format_version = 1\nmode = "act"\n[[watch]]\nname = "w"\nmetric = "retention"\n'
            f"{RULES['a limit']}\n{ACTIONS}"
        )
    )
    given = readings()
    moved = [hf.Reading(one.round, {"retention": one.values["retention"] + 0.01}) for one in given]
    assert by_hand(rules, moved) != by_hand(rules, given)
    assert in_watch(rules, moved) == by_hand(rules, moved)
