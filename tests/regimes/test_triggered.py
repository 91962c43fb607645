import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Action, ActionKind
from hayflick.core.source import Source
from hayflick.regimes.regime import parse_regime


class Always:
    """Decides the same after every reading."""

    def __init__(self, *actions):
        self.actions = actions
        self.seen = []

    def decide(self, reading):
        self.seen.append(reading.round)
        return self.actions


def injection(items=0, **settings):
    return Action(kind=ActionKind.INJECT, reason="test", items=items, **settings)


def left(generation, value):
    return hf.Reading(generation, {"surviving_fraction": value})


def test_an_injection_lasts_for_its_rounds_from_the_next_one_on():
    course = hf.Triggered(Always(injection(30, rounds=2))).start()
    course.read(left(5, 0.1))
    fresh = [course.mix(generation, samples=100).fresh for generation in (6, 7, 8)]
    assert fresh == [30, 30, 0]


def test_injections_that_overlap_add_up_to_at_most_all_generated_items():
    course = hf.Triggered(
        Always(injection(30, rounds=2), injection(50)), base=hf.Fresh(0.1)
    ).start()
    course.read(left(1, 0.1))
    mix = course.mix(2, samples=100)
    assert (mix.generated, mix.fresh) == (10, 90)
    course.read(left(2, 0.1))
    assert course.mix(3, samples=100).generated == 0


def test_a_store_takes_the_place_of_generated_items():
    stored = hf.Counts.from_mapping({"rare": 3, "dear": 4})
    course = hf.Triggered(Always(injection(reserve=stored), injection(10))).start()
    course.read(left(1, 0.1))
    mix = course.mix(2, samples=100)
    assert (mix.generated, mix.fresh, mix.reserve) == (83, 10, stored)


def test_two_stores_at_once_and_a_store_that_is_too_large_are_refused():
    stores = [hf.Counts.from_mapping({"rare": count}) for count in (3, 200)]
    course = hf.Triggered(Always(*(injection(reserve=store) for store in stores))).start()
    course.read(left(1, 0.1))
    with pytest.raises(ArgumentError, match="one reserve at a time"):
        course.mix(2, samples=1000)
    course = hf.Triggered(Always(injection(reserve=stores[1]))).start()
    course.read(left(1, 0.1))
    with pytest.raises(ArgumentError, match="a reserve of at most the 100 items"):
        course.mix(2, samples=100)


def test_other_actions_leave_the_training_set_alone():
    review = Action(kind=ActionKind.REVIEW, reason="test", items=50)
    course = hf.Triggered(Always(review)).start()
    assert course.read(left(1, 0.1)) == (review,)
    assert course.mix(2, samples=100).generated == 100


def test_every_run_has_a_rule_of_its_own():
    rule = Always()
    regime = hf.Triggered(rule)
    regime.start().read(left(1, 0.1))
    assert rule.seen == []


def test_a_threshold_fires_below_its_limit_alone():
    rule = hf.Threshold(below=0.8, items=20, metric="diversity")
    fired = [bool(rule.decide(hf.Reading(1, {"diversity": value}))) for value in (0.8, 0.79)]
    assert fired == [False, True]
    assert rule.decide(left(1, 0.1)) == ()
    (action,) = rule.decide(hf.Reading(3, {"diversity": 0.5}, group="a"))
    assert (action.kind, action.items, action.rounds) == (ActionKind.INJECT, 20, 1)
    (verdict,) = action.evidence
    assert (verdict.metric, verdict.round, verdict.value) == ("diversity", 3, 0.5)
    assert (verdict.limit, verdict.group, verdict.alarm) == (0.8, "a", True)


def test_the_grammar_goes_both_ways():
    like = Source("corpus.txt")
    regime = parse_regime("triggered:0.8,items=20", like=like)
    assert regime.rule == hf.Threshold(below=0.8, items=20)
    assert parse_regime(regime.describe(), like=like).rule == regime.rule


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hf.Triggered(rule=7), "rule: got 7, takes an object with decide"),
        (
            lambda: hf.Triggered(Always(), base=hf.Accumulate()),
            "base: got accumulate, takes a regime",
        ),
        (lambda: hf.Triggered(Always(), base=hf.Anchor.from_mapping({"a": 1})), "base: got anchor"),
        (lambda: hf.Triggered(Always(), base=hf.Triggered(Always())), "without a rule of its own"),
        (lambda: hf.Threshold(below=float("nan"), items=1), "below: got nan"),
        (lambda: hf.Threshold(below=0.5, items=0), "items: got 0, takes a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
