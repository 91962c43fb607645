"""TopologySchedule that follow one another."""

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.network.topology import TopologySchedule, complete, of_edges, ring


def test_each_is_in_force_from_its_round_until_the_next():
    both = TopologySchedule((1, 3, 10), (complete(4), ring(4), complete(4)))
    names = [both.at(round=number).name for number in (1, 2, 3, 9, 10, 500)]
    assert names == ["complete", "complete", "ring:1", "ring:1", "complete", "complete"]


@pytest.mark.parametrize("rounds", [(2,), (1, 1), (1, 5, 3), ()])
def test_rounds_rise_from_the_first(rounds):
    with pytest.raises(ArgumentError, match=r"from_round: got .*, takes rounds that rise from 1"):
        TopologySchedule(rounds, [complete(2)] * len(rounds))


def test_warnings_say_from_when_on():
    apart = of_edges([], agents=2)
    assert TopologySchedule((1,), (apart,)).warnings == apart.warnings
    later = TopologySchedule((1, 4), (complete(2), apart)).warnings
    assert later == tuple(f"from round 4 on, {warning}" for warning in apart.warnings)
