import pytest

from hayflick.core.errors import ArgumentError
from hayflick.monitor.acceptance import AcceptanceDecision, Stratum, acceptance

CLEAN, SPOILT = [False] * 200, [False, True] * 100


@pytest.mark.parametrize(
    ("strata", "decision"),
    [
        ([Stratum(CLEAN, 5000)], AcceptanceDecision.ACCEPT),
        ([Stratum(CLEAN)], AcceptanceDecision.ACCEPT),
        ([Stratum(CLEAN[:30], 5000)], AcceptanceDecision.GO_ON),
        ([Stratum([], 5000)], AcceptanceDecision.GO_ON),
        ([Stratum(SPOILT, 5000)], AcceptanceDecision.REJECT),
        ([Stratum(SPOILT)], AcceptanceDecision.REJECT),
        ([Stratum(CLEAN, 900, "a"), Stratum(CLEAN, 900, "b")], AcceptanceDecision.ACCEPT),
        ([Stratum(SPOILT, 900, "a"), Stratum(CLEAN, 900, "b")], AcceptanceDecision.REJECT),
        ([Stratum(SPOILT[:40], 50, "a"), Stratum([], 2000, "b")], AcceptanceDecision.GO_ON),
    ],
)
def test_decisions(strata, decision):
    assert acceptance(strata, limit=0.03).decision is decision


@pytest.mark.parametrize(
    "strata",
    [
        [Stratum(CLEAN[:40], 5000)],
        [Stratum(CLEAN[:40])],
        [Stratum(CLEAN[:40], 900, "a"), Stratum(CLEAN[:10], 300, "b")],
    ],
)
def test_so_many_more_are_enough_and_one_fewer_is_not(strata):
    more = acceptance(strata, limit=0.04).more_if_none_bad
    left = [q.population - q.checked if q.population else 1 for q in strata]
    # Where groups share them, rounding moves one or two.
    slack = len(strata) - 1
    for extra, decision in (
        (more + slack, AcceptanceDecision.ACCEPT),
        (more - 1 - slack, AcceptanceDecision.GO_ON),
    ):
        later = [
            Stratum([*q.bad, *[False] * round(extra * size / sum(left))], q.population, q.group)
            for q, size in zip(strata, left, strict=True)
        ]
        assert acceptance(later, limit=0.04).decision is decision


def test_going_on_as_so_far_takes_longer_than_without_bad_ones():
    state = acceptance([Stratum([*[False] * 60, True, *[False] * 39], 20_000)], limit=0.03)
    assert 0 < state.more_if_none_bad < state.more_as_so_far
    assert state.share == 0.01


def test_a_share_above_the_limit_never_gets_there():
    state = acceptance([Stratum([*[False] * 18, True, True], 20_000)], limit=0.03)
    assert state.more_as_so_far is None
    assert state.more_if_none_bad > 0


def test_a_small_population_may_be_past_saving():
    assert acceptance([Stratum([True] * 3, 50)], limit=0.05).more_if_none_bad is None
    assert acceptance([Stratum([True] * 2 + [False], 50)], limit=0.05).more_if_none_bad == 47


def test_groups_count_by_their_size():
    strata = [Stratum([True] * 5 + [False] * 5, 100, "a"), Stratum([False] * 10, 900, "b")]
    assert acceptance(strata, limit=0.1).share == pytest.approx(0.05)
    assert acceptance([*strata, Stratum([], 50, "c")], limit=0.1).share is None


def test_each_parameter_matters():
    stratum = [Stratum(CLEAN[:100], 400)]
    base = acceptance(stratum, limit=0.03)
    assert acceptance(stratum, limit=0.03, error=0.01).high > base.high
    assert acceptance(stratum, limit=0.02).more_if_none_bad > base.more_if_none_bad
    assert acceptance([Stratum(CLEAN[:100], 4000)], limit=0.03).high > base.high


@pytest.mark.parametrize(
    ("strata", "settings", "message"),
    [
        ([], {}, "strata: got none"),
        ([Stratum([False])], {"limit": 0.0}, "limit: got 0"),
        ([Stratum([False])], {"limit": 1.0}, "limit: got 1"),
        ([Stratum([False])], {"error": 0.0}, "error: got 0"),
        ([Stratum([False], None, "a"), Stratum([], 5, "b")], {}, "population: got None for 'a'"),
    ],
)
def test_a_mistake_is_named(strata, settings, message):
    with pytest.raises(ArgumentError, match=message):
        acceptance(strata, **{"limit": 0.03, **settings})


def test_no_more_can_be_checked_than_there_are():
    with pytest.raises(ArgumentError, match="population: got 2"):
        Stratum([False] * 3, 2)
