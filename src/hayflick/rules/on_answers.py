"""A rules file on real answers: what is decided, round by round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.core.records import Action, Reading
from hayflick.rules.model import Mode
from hayflick.rules.rule_set import RuleSet


@dataclass(frozen=True, eq=False)
class Decided:
    """What one reading led to.

    Parameters
    ----------
    round, group
        Whose reading, and when; an empty group is all answers together.
    actions
        What is to be done.
    proposed
        What would be done in mode ``act``.
    """

    round: int
    group: str
    actions: tuple[Action, ...]
    proposed: tuple[Action, ...]


def decisions(rule_set: RuleSet, readings: Mapping[str, Sequence[Reading]]) -> tuple[Decided, ...]:
    """Return what rules decide about readings, in the order of the rounds.

    Parameters
    ----------
    rule_set
        The rules.
    readings
        By group, one reading per round.

    Raises
    ------
    DataError
        If a limit is still to be derived, or a chart cannot be made from its baseline.
    """
    running = rule_set.start()
    found = []
    for together in zip(*readings.values(), strict=True):
        for reading in together:
            actions = running.decide(reading)
            if running.proposed:
                decided = Decided(reading.round, reading.group, actions, running.proposed)
                found.append(decided)
    return tuple(found)


def slow_metrics(rule_set: RuleSet, slow: Sequence[str]) -> tuple[str, ...]:
    """Return which of the slow metrics rules read: they are measured only where asked for."""
    read = {name for watch in rule_set.rules.watch for name in watch.metrics}
    if "drift_p" in read:
        read.add("drift")
    return tuple(name for name in slow if name in read)


def calls_for_action(rule_set: RuleSet, decided: Sequence[Decided]) -> bool:
    """Return whether anything was decided that is more than observed."""
    return bool(decided) and rule_set.rules.mode is not Mode.OBSERVE
