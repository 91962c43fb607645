import json

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError, DataError
from hayflick.monitor.rules_evaluation import evaluate_rules
from hayflick.planning.plan import plan
from hayflick.rules.from_plan import rules_from_plan
from hayflick.rules.reading import parse_rules
from hayflick.rules.rule_set import RuleSet

WORDS = Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
KEEP, ROUNDS = 0.7, 15
SETTINGS = {"model": WORDS, "generations": ROUNDS, "replicates": 32}
HEAD = 'format_version = 1\nmode = "act"\n'
TELL = '[[action]]\nname = "tell"\nkind = "notify"\n'


def rule_set(watch, *, top="", mode="act"):
    text = f'format_version = 1\nmode = "{mode}"\n{top}\n[[watch]]\nname = "w"\n{watch}\n'
    return RuleSet.of(parse_rules(f'{text}actions = ["tell"]\n{TELL}'))


@pytest.fixture(scope="module")
def tried():
    text = rules_from_plan(plan(WORDS, keep=KEEP, generations=ROUNDS, replicates=0)).text
    return evaluate_rules(RuleSet.of(parse_rules(text)), keep=KEEP, **SETTINGS)


def test_the_rule_holds_what_is_lost_without_it(tried):
    assert tried.without.held(KEEP) == 0.0
    assert tried.with_rule.held(KEEP) > 0.9
    assert tried.fixed.held(KEEP) > 0.9
    assert tried.with_rule.lowest > tried.without.lowest
    assert 0.0 < tried.cost_ratio < 1.3
    assert tried.without.real_per_round == 0.0
    assert (tried.delay, tried.missed, tried.onset) == (3.0, 0, 0)


def test_false_alarms_are_counted_in_healthy_rounds(tried):
    assert tried.healthy_rounds == 32 * ROUNDS
    assert tried.at_most_per_thousand > tried.false_alarms_per_thousand
    always = evaluate_rules(rule_set('metric = "surviving_fraction"\nbelow = 1.0'), **SETTINGS)
    assert always.false_alarms_per_thousand == 1000.0
    assert always.at_most_per_thousand == 1000.0
    assert (always.keep, always.fixed, always.cost_ratio) == (None, None, None)
    json.dumps(always.provenance())


def test_a_rule_that_never_fires_has_no_delay():
    found = evaluate_rules(rule_set('metric = "diversity"\nbelow = 0.001'), **SETTINGS)
    assert (found.delay, found.missed, found.false_alarms) == (None, 32, 0)
    assert np.array_equal(found.with_rule.left, found.with_rule.left)


def test_charts_learn_before_the_planted_collapse():
    rules = rule_set(
        'metric = "surviving_fraction"\nchart = "cusum"\ncool_down = 5',
        top="baseline = 60\nfalse_alarms = 0.01",
    )
    found = evaluate_rules(rules, **{**SETTINGS, "replicates": 8})
    assert found.onset == 60
    assert found.with_rule.left.shape == (8, ROUNDS)
    assert found.delay <= 2.0


def test_what_a_simulation_does_not_measure_is_said():
    one = 'metric = "surviving_fraction"\nbelow = 0.5\nactions = ["tell"]'
    other = 'metric = "spread"\nbelow = 0.5'
    text = f'{HEAD}[[watch]]\nname = "a"\n{one}\n[[watch]]\nname = "b"\n{other}\n{TELL}'
    found = evaluate_rules(RuleSet.of(parse_rules(text)), **{**SETTINGS, "replicates": 2})
    assert found.unread == ("b",)
    with pytest.raises(DataError, match="a simulation does not measure spread; takes one of"):
        evaluate_rules(rule_set(other), **SETTINGS)


def test_the_same_seed_gives_the_same_figures(tried):
    text = rules_from_plan(plan(WORDS, keep=KEEP, generations=ROUNDS, replicates=0)).text
    again = evaluate_rules(RuleSet.of(parse_rules(text)), keep=KEEP, **SETTINGS)
    assert np.array_equal(again.with_rule.left, tried.with_rule.left)
    assert np.array_equal(again.with_rule.real, tried.with_rule.real)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"keep": 2.0}, "keep: got 2"), ({"generations": 0}, "generations: got 0")],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        evaluate_rules(
            rule_set('metric = "surviving_fraction"\nbelow = 0.5'), **{**SETTINGS, **settings}
        )
