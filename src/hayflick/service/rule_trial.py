"""Rules tried on what a stream has measured so far: on which rounds they would have decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hayflick.core.errors import DataError
from hayflick.monitor.check_rules import RuleWarning, check_rules
from hayflick.monitor.watch_result import WatchResult
from hayflick.rules.rule_set import Decision, RuleSet, StoppedWatch, apply_rules

MOST_READS = 300_000
"""Readings that are judged in a trial: about ten seconds of work."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RuleTrial:
    """What rules would have decided about the stored readings of a stream.

    Parameters
    ----------
    stream
        Name of the stream.
    rounds
        Names of its rounds that were measured.
    learning
        Number of the first rounds that charts learn from; 0 without charts.
    decisions
        What they would have decided, in the order of the rounds.
    idle
        The watches that could decide nothing, and why.
    warnings
        Watches that fire in every reading, or in none that is possible.
    """

    stream: str
    rounds: tuple[str, ...]
    learning: int
    decisions: tuple[Decision, ...]
    idle: tuple[StoppedWatch, ...]
    warnings: tuple[RuleWarning, ...]

    @property
    def fired(self) -> frozenset[int]:
        """Numbers of the rounds with a decision."""
        return frozenset(one.round for one in self.decisions)


def try_rules(rule_set: RuleSet, result: WatchResult, *, stream: str) -> RuleTrial:
    """Return what rules would have decided if they had been there from the first round on.

    Parameters
    ----------
    rule_set
        The rules, with all their limits.
    result
        What is known of the stream.
    stream
        Its name.

    Raises
    ------
    DataError
        If the rules would read more than can be read while someone waits.
    """
    reads = _reads(rule_set, result)
    if reads > MOST_READS:
        raise DataError(
            f"{rule_set.name}: would read {reads:,} numbers of {stream}, and at most"
            f" {MOST_READS:,} are read here; try fewer watches, or export the stream"
        )
    outcome = apply_rules(rule_set, result.readings)
    checked = check_rules(rule_set, history=result.readings[""])
    charted = any(one.chart is not None for one in rule_set.rules.watch)
    return RuleTrial(
        stream=stream,
        rounds=tuple(result.rounds),
        learning=min(rule_set.rules.baseline, len(result.rounds)) if charted else 0,
        decisions=outcome.decisions,
        idle=outcome.idle,
        warnings=checked.warnings,
    )


def _reads(rule_set: RuleSet, result: WatchResult) -> int:
    """Return how many readings the watches would judge, at most."""
    grouped = sum(bool(one.groups) for one in rule_set.rules.watch)
    apart = sum(len(readings) for group, readings in result.readings.items() if group)
    together = len(result.readings[""])
    return grouped * apart + (len(rule_set.rules.watch) - grouped) * together


def strip(trial: RuleTrial, *, most: int = 200) -> list[str]:
    """Return one of ``fired``, ``learning`` and ``quiet`` per round, or per some rounds together.

    Parameters
    ----------
    trial
        What was tried.
    most
        How many parts at most.

    Examples
    --------
    >>> from hayflick.rules.rule_set import Decision
    >>> fired = Decision(4, "", (), ())
    >>> trial = RuleTrial(
    ...     stream="talk", rounds=("a", "b", "c", "d"), learning=2, decisions=(fired,), idle=(),
    ...     warnings=(),
    ... )
    >>> strip(trial), strip(trial, most=2)
    (['learning', 'learning', 'quiet', 'fired'], ['learning', 'fired'])
    """
    number = len(trial.rounds)
    parts = min(most, number)
    bounds = [number * k // parts for k in range(parts + 1)] if parts else [0]
    return [_part(trial, range(a + 1, b + 1)) for a, b in pairwise(bounds)]


def _part(trial: RuleTrial, rounds: Sequence[int]) -> str:
    if trial.fired.intersection(rounds):
        return "fired"
    return "learning" if rounds[-1] <= trial.learning else "quiet"
