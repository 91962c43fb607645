"""Rule files of the service, and on which of the rounds so far their rules would have decided.

Their text is all there is, for no file lies beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.core.toml import parse_toml
from hayflick.monitor.check_rules import RuleWarning, check_rules
from hayflick.monitor.watch_result import WatchResult
from hayflick.rules.model import Inject, RulesFile, VaryPrompts
from hayflick.rules.parsing import parse_rules
from hayflick.rules.rule_set import Decision, RuleSet, StoppedWatch, apply_rules
from hayflick.storage.audit import record_audit
from hayflick.storage.rules import RuleVersion, store_rules, switch_rules_off

_MOST_LETTERS = 100_000
"""Letters of the prompts that an action hands out at a time: they are stored with each decision."""

LONGEST_RULES, MOST_TABLES = 100_000, 100
"""Letters of a rule file, and its watches or actions: the limits of charts take time to find."""


def rules_of_text(text: str, *, name: str = "rules") -> RuleSet:
    r"""Return the rules of a text, ready to start.

    The service opens no file that a rule file names: whoever may write rules may not thereby read
    the files of the machine.

    Parameters
    ----------
    text
        The rule file.
    name
        Its name, for messages.

    Raises
    ------
    DataError
        If it cannot be used: the table and the key are named, and what to do.

    Examples
    --------
    >>> text = 'format_version = 1\nmode = "warn"\n[[watch]]\nname = "few"\nmetric = "spread"'
    >>> len(rules_of_text(text + "\nbelow = 0.5").rules.watch)
    1
    """
    if len(text) > LONGEST_RULES:
        raise DataError(f"{name}: has {len(text):,} letters, takes at most {LONGEST_RULES:,}")
    found = parse_toml(text, name=name)
    for table in ("watch", "action"):
        tables = found.get(table)
        if isinstance(tables, list) and len(tables) > MOST_TABLES:
            takes = f"the service takes at most {MOST_TABLES}"
            raise DataError(f"{name}: has {len(tables):,} tables [[{table}]], {takes}")
    rules = parse_rules(text, name=name)
    for fault in (*_outside(rules), *_too_much(rules)):
        raise DataError(f"{name}: {fault}")
    rule_set = RuleSet.of(rules, name=name)
    if rule_set.underived:
        watch = rule_set.underived[0]
        derived = f"hayflick rules check {name}.toml --corpus FILE shows the limit that follows"
        raise DataError(
            f"{name}: [[watch]] {watch.name}: a target takes the real data, which the service does"
            f" not have; write below = ... ({derived})"
        )
    rule_set.check_baseline()
    return rule_set


def put_rules(
    connection: sa.Connection, project: int, name: str, text: str, *, by: str, now: float
) -> RuleVersion:
    """Store a rule file, which decides from now on, and who did so.

    Parameters
    ----------
    project, name
        The project, and the name of the file.
    text
        What `rules_of_text` has read: that takes too long for a transaction.
    by
        Name of the user or token.
    now
        The time.

    Raises
    ------
    ArgumentError
        If the name cannot be one.
    """
    record_audit(connection, project, by, "rules stored", name, now=now)
    return store_rules(connection, project, name, text, author=by, now=now)


def put_rules_off(
    connection: sa.Connection, project: int, name: str, *, by: str, now: float
) -> bool:
    """Let a rule file decide nothing any more, and store who did so; return whether it did."""
    changed = switch_rules_off(connection, project, name, now=now)
    if changed:
        record_audit(connection, project, by, "rules switched off", name, now=now)
    return changed


def _too_much(rules: RulesFile) -> Iterator[str]:
    """Yield the actions whose texts would fill the memory."""
    for action in rules.action:
        if isinstance(action, VaryPrompts) and not isinstance(action.prompts, str):
            letters = action.items * max(map(len, action.prompts), default=0)
            if letters > _MOST_LETTERS:
                takes = f"up to {letters:,} letters of prompts, takes at most {_MOST_LETTERS:,}"
                yield f"[[action]] {action.name}: items: hands out {takes}"


def _outside(rules: RulesFile) -> Iterator[str]:
    """Yield the files that are named, which the service does not open."""
    if rules.corpus is not None:
        yield "corpus: the service reads no files; write the limits themselves, with below or above"
    for action in rules.action:
        place = f"[[action]] {action.name}"
        if isinstance(action, Inject) and action.reserve is not None:
            yield (
                f"{place}: reserve: the service reads no files; leave it out, and whoever puts the"
                " items in takes them from the reserve"
            )
        if isinstance(action, VaryPrompts) and isinstance(action.prompts, str):
            yield f'{place}: prompts: the service reads no files; write them as ["…", "…"]'


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
