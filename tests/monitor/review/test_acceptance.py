import pytest

from hayflick.core.errors import ArgumentError
from hayflick.monitor.acceptance import AcceptanceDecision, Queue, acceptance

CLEAN, SPOILT = [False] * 200, [False, True] * 100


@pytest.mark.parametrize(
    ("queues", "decision"),
    [
        ([Queue(CLEAN, 5000)], AcceptanceDecision.ACCEPT),
        ([Queue(CLEAN)], AcceptanceDecision.ACCEPT),
        ([Queue(CLEAN[:30], 5000)], AcceptanceDecision.GO_ON),
        ([Queue([], 5000)], AcceptanceDecision.GO_ON),
        ([Queue(SPOILT, 5000)], AcceptanceDecision.REJECT),
        ([Queue(SPOILT)], AcceptanceDecision.REJECT),
        ([Queue(CLEAN, 900, "a"), Queue(CLEAN, 900, "b")], AcceptanceDecision.ACCEPT),
        ([Queue(SPOILT, 900, "a"), Queue(CLEAN, 900, "b")], AcceptanceDecision.REJECT),
        ([Queue(SPOILT[:40], 50, "a"), Queue([], 2000, "b")], AcceptanceDecision.GO_ON),
    ],
)
def test_decisions(queues, decision):
    assert acceptance(queues, limit=0.03).decision is decision


@pytest.mark.parametrize(
    "queues",
    [
        [Queue(CLEAN[:40], 5000)],
        [Queue(CLEAN[:40])],
        [Queue(CLEAN[:40], 900, "a"), Queue(CLEAN[:10], 300, "b")],
    ],
)
def test_so_many_more_are_enough_and_one_fewer_is_not(queues):
    more = acceptance(queues, limit=0.04).more_if_none_bad
    left = [q.population - q.checked if q.population else 1 for q in queues]
    # Where groups share them, rounding moves one or two.
    slack = len(queues) - 1
    for extra, decision in (
        (more + slack, AcceptanceDecision.ACCEPT),
        (more - 1 - slack, AcceptanceDecision.GO_ON),
    ):
        later = [
            Queue([*q.bad, *[False] * round(extra * size / sum(left))], q.population, q.group)
            for q, size in zip(queues, left, strict=True)
        ]
        assert acceptance(later, limit=0.04).decision is decision


def test_going_on_as_so_far_takes_longer_than_without_bad_ones():
    state = acceptance([Queue([*[False] * 60, True, *[False] * 39], 20_000)], limit=0.03)
    assert 0 < state.more_if_none_bad < state.more_as_so_far
    assert state.share == 0.01


def test_a_share_above_the_limit_never_gets_there():
    state = acceptance([Queue([*[False] * 18, True, True], 20_000)], limit=0.03)
    assert state.more_as_so_far is None
    assert state.more_if_none_bad > 0


def test_a_small_population_may_be_past_saving():
    assert acceptance([Queue([True] * 3, 50)], limit=0.05).more_if_none_bad is None
    assert acceptance([Queue([True] * 2 + [False], 50)], limit=0.05).more_if_none_bad == 47


def test_groups_count_by_their_size():
    queues = [Queue([True] * 5 + [False] * 5, 100, "a"), Queue([False] * 10, 900, "b")]
    assert acceptance(queues, limit=0.1).share == pytest.approx(0.05)
    assert acceptance([*queues, Queue([], 50, "c")], limit=0.1).share is None


def test_each_parameter_matters():
    queue = [Queue(CLEAN[:100], 400)]
    base = acceptance(queue, limit=0.03)
    assert acceptance(queue, limit=0.03, error=0.01).high > base.high
    assert acceptance(queue, limit=0.02).more_if_none_bad > base.more_if_none_bad
    assert acceptance([Queue(CLEAN[:100], 4000)], limit=0.03).high > base.high


@pytest.mark.parametrize(
    ("queues", "settings", "message"),
    [
        ([], {}, "queues: got none"),
        ([Queue([False])], {"limit": 0.0}, "limit: got 0"),
        ([Queue([False])], {"limit": 1.0}, "limit: got 1"),
        ([Queue([False])], {"error": 0.0}, "error: got 0"),
        ([Queue([False], None, "a"), Queue([], 5, "b")], {}, "population: got None for 'a'"),
    ],
)
def test_a_mistake_is_named(queues, settings, message):
    with pytest.raises(ArgumentError, match=message):
        acceptance(queues, **{"limit": 0.03, **settings})


def test_no_more_can_be_checked_than_there_are():
    with pytest.raises(ArgumentError, match="population: got 2"):
        Queue([False] * 3, 2)
