import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.core.source import Source
from hayflick.rules.from_plan import rules_from_plan
from hayflick.rules.parsing import parse_rules

COUNTS = {f"w{place}": 1 + 600 // place for place in range(1, 400)}
WORDS = hf.Discrete.from_counts(COUNTS)


def planned(model=WORDS, *, keep=0.7, generations=20, **settings):
    return rules_from_plan(
        hf.plan(model, keep=keep, generations=generations, replicates=0, **settings)
    )


def test_the_file_says_what_was_derived():
    found = planned()
    rules = parse_rules(found.text)
    kept, missed = rules.watch
    assert kept.metrics == ("surviving_fraction", "retention")
    assert (kept.target, kept.below) == (0.7, round(found.policy.limit, 6))
    assert rules.action_named("real data").items == found.policy.dose
    assert (missed.below, missed.cool_down) == (0.7, 10)
    assert {action.kind for action in rules.action} == {"inject", "review", "notify"}
    assert f"one more round without real data leaves {found.policy.next_unaided:.1%}" in found.text


def test_a_list_is_watched_as_a_list_and_diversity_in_its_own_unit():
    (kept, _) = parse_rules(planned(must_keep=["w300", "w350"]).text).watch
    assert kept.metrics == ("retention",)
    found = planned(of="diversity", keep=0.99, generations=100)
    (kept, missed) = parse_rules(found.text).watch
    unit = 1.0 - float((WORDS.probabilities**2).sum())
    assert kept.metrics == ("diversity",)
    assert missed.below == pytest.approx(0.99 * unit, abs=1e-6)
    assert found.initial_reading == pytest.approx(unit)


def test_a_name_with_anything_in_it_stays_a_comment():
    source = Source('evil\nmode = "observe"\x1b.txt')
    rules = parse_rules(planned(hf.Discrete.from_counts(COUNTS, source=source)).text)
    assert rules.mode.value == "act"


def test_what_no_rule_can_hold_is_refused():
    with pytest.raises(DataError, match="fresh data alone keep"):
        planned(keep=0.99)
    numbers = hf.Gaussian(0.0, 1.0)
    with pytest.raises(DataError, match="not for numbers"):
        rules_from_plan(hf.plan(numbers, keep=0.9, generations=5, samples=20, replicates=0))
