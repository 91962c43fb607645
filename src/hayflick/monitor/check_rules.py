"""Check a rules file: its limits and rates, and rules that never or always fire.

A rule is compared with readings (of recorded runs, or of real answers) and with the law of the
data: for training on real data alone, and for training without any.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.core.display import Result
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading, Verdict
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.corpus.must_keep import MustKeep
from hayflick.corpus.table_format import TableFormat
from hayflick.diversity.metrics import METRICS, Unit
from hayflick.monitor.watch import watch
from hayflick.planning.dose import ThresholdPolicy
from hayflick.planning.problem import PlanningProblem, planning_problem
from hayflick.planning.retention import SimulationSettings
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.rules.loading import RETENTION, load_rules, target_of
from hayflick.rules.model import Inject, Mode, Notify, WatchTable
from hayflick.rules.rule_set import RuleSet

_Path: TypeAlias = str | os.PathLike[str]

ALWAYS, NEVER = "always", "never"

_HARDLY_EVER = 1e-3
"""Chance up to which a rule is said never to fire, or to be silent."""

_SHARES = {metric.name for metric in METRICS if metric.unit is Unit.SHARE}
_SHARES |= {"surviving_fraction", "diversity"}


@dataclass(frozen=True, kw_only=True)
class RuleWarning:
    """A rule that always or never fires.

    Parameters
    ----------
    watch, metric
        Names of the watch and its metric.
    fires
        ``always`` or ``never``.
    where
        The evidence: ``readings``, ``law`` or ``range`` (of a share).
    low, high
        Lowest and highest value of the metric there.
    number
        Number of readings or rounds; 0 for a range.
    limit
        The limit of the watch.
    """

    watch: str
    metric: str
    fires: str
    where: str
    low: float
    high: float
    number: int
    limit: float


@dataclass(frozen=True, kw_only=True)
class FiringChance:
    """How likely a plain limit is passed within the horizon, by the law of the real data.

    Parameters
    ----------
    watch
        Name of the watch.
    without
        Share of runs without any real data in which it fires at least once.
    healthy
        The same for training on real data alone.
    standard_error
        The larger one of both; 0 where a law says it.
    """

    watch: str
    without: float
    healthy: float
    standard_error: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RulesCheck(Result):
    """The check of a rules file.

    Parameters
    ----------
    rule_set, policies
        The rules, and the policies that their limits were derived from, by name of the watch.
    warnings
        Rules that always or never fire.
    chances
        How likely each limit is passed, where that follows from the data.
    problems
        What would keep rules from working, such as a reserve without items.
    alarms, readings
        Number of alarms and of readings of each watch, by name.
    source, generations
        Name of the data, None without any, and the number of rounds that the law looks ahead.
    sources
        What was read: the rules, the data, readings or answers.
    """

    rule_set: RuleSet
    policies: Mapping[str, ThresholdPolicy]
    warnings: tuple[RuleWarning, ...]
    chances: tuple[FiringChance, ...]
    problems: tuple[str, ...]
    alarms: Mapping[str, int]
    readings: Mapping[str, int]
    source: str | None = None
    generations: int = 50
    sources: tuple[Source, ...] = ()

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the check again."""
        names = {"rules": self.rule_set.name, "input": self.source}
        return provenance({"command": "rules check", **names, "generations": self.generations})

    @property
    def impossible(self) -> bool:
        """Whether a chart can never begin: it takes more baseline than the file gives it."""
        return bool(self.rule_set.baseline_problems())

    @property
    def charts(self) -> int:
        """Number of charts that share the false-alarm rate of the stream of all answers."""
        watches = self.rule_set.rules.watch
        return sum(watch.chart is not None and not watch.groups for watch in watches)


def check_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    must_keep: MustKeep | None = None,
    samples: int | None = None,
    generations: int = 50,
    history: _Path | Sequence[Reading] | None = None,
    answers: _Path | Answers | None = None,
    by: str | None = None,
    text: str | None = None,
    progress: Progress = silent,
) -> RulesCheck:
    """Check a rules file: its limits and rates, and rules that always or never fire.

    Parameters
    ----------
    rules
        A rules file, or rules that were read.
    corpus
        The real data (a text or a table), or their law; the rules' own ``corpus`` where None.
    column, tokenizer, encoding, normalize, table
        How a corpus is read.
    must_keep
        The list that ``retention`` is of; None for all symbols.
    samples, generations
        Size of a training set, and the rounds that the law looks ahead.
    history
        A recorded run (NetCDF of ``hayflick simulate``), or readings in order, to compare the
        rules with. Charts learn from the first ones.
    answers, by, text
        A table of answers to compare the rules with, with its columns of the round and of the
        answers.
    progress
        Called with how far reading and measuring have come.

    Raises
    ------
    DataError
        If a file cannot be used, or a target cannot be held.
    ArgumentError
        If an argument is out of its range or does not fit another.

    Examples
    --------
    >>> from hayflick.rules.parsing import parse_rules
    >>> rules = RuleSet.of(parse_rules('''
    ... format_version = 1
    ... mode = "act"
    ... [[watch]]
    ... name = "words"
    ... metric = "surviving_fraction"
    ... below = 1.5
    ... '''))
    >>> [(one.watch, one.fires) for one in check_rules(rules).warnings]
    [('words', 'always')]
    """
    loaded = load_rules(
        rules,
        corpus=corpus,
        column=column,
        tokenizer=tokenizer,
        encoding=encoding,
        normalize=normalize,
        table=table,
        must_keep=must_keep,
        samples=samples,
        generations=generations,
        progress=progress,
    )
    rule_set = loaded.rule_set
    readings: Sequence[Reading] = ()
    compared: tuple[Source, ...] = Source.files(("history", history))
    if history is not None and answers is not None:
        raise ArgumentError("answers", got=str(answers), takes="nothing beside history")
    if isinstance(history, (str, os.PathLike)):
        readings = readings_of_run(history)
    elif history is not None:
        readings = history
    elif answers is not None:
        baseline = rule_set.rules.baseline
        watched = watch(answers, by=by, text=text, baseline=baseline, charts=(), progress=progress)
        readings = watched.readings[""]
        compared = tuple(replace(one, role="answers") for one in watched.sources)
    seen, stopped = _verdicts(rule_set, readings)
    warnings = [warning for watch in rule_set.rules.watch for warning in _range_warnings(watch)]
    chances: list[FiringChance] = []
    for one in rule_set.rules.watch:
        warnings += _reading_warnings(one, seen[one.name])
        if loaded.model is not None and _follows_from_data(one, listed=must_keep is not None):
            target = target_of(one, loaded.model, must_keep=must_keep)
            problem = replace(
                planning_problem(target, generations=generations, samples=samples),
                simulation=SimulationSettings(),
            )
            warnings += _law_warnings(one, problem, chances)
    return RulesCheck(
        rule_set=rule_set,
        policies=loaded.policies,
        warnings=tuple(warnings),
        chances=tuple(chances),
        problems=(
            *rule_set.baseline_problems(),
            *stopped,
            *_reserve_problems(rule_set),
            *_action_problems(rule_set),
        ),
        alarms={name: sum(one.alarm for one in found) for name, found in seen.items()},
        readings={name: len(found) for name, found in seen.items()},
        source=None if loaded.model is None else loaded.model.source.name,
        generations=generations,
        sources=(*rule_set.sources, *compared),
    )


def _verdicts(
    rule_set: RuleSet, readings: Sequence[Reading]
) -> tuple[dict[str, list[Verdict]], list[str]]:
    """Return the verdicts of each watch, and why some have stopped."""
    seen: dict[str, list[Verdict]] = {watch.name: [] for watch in rule_set.rules.watch}
    if not readings:
        return seen, []
    running = rule_set.start()
    for reading in readings:
        running.decide(reading)
        for name, verdict in running.verdicts.items():
            if verdict.value is not None:
                seen[name].append(verdict)
    # What the file itself shows is a problem of its own.
    known = {problem.partition(":")[0] for problem in rule_set.baseline_problems()}
    reasons = {f"[[watch]] {one.watch}": one.reason for one in running.stopped}
    return seen, [f"{name}: {reason}" for name, reason in reasons.items() if name not in known]


def _warning(
    watch: WatchTable, fires: str, where: str, values: Collection[float], number: int, limit: float
) -> RuleWarning:
    return RuleWarning(
        watch=watch.name,
        metric=watch.metrics[0],
        fires=fires,
        where=where,
        low=float(min(values)),
        high=float(max(values)),
        number=number,
        limit=limit,
    )


def _range_warnings(watch: WatchTable) -> Iterator[RuleWarning]:
    """Yield a warning if every share, or no share, is beyond the limit."""
    limit = watch.below if watch.above is None else watch.above
    two_sided = watch.below is not None and watch.above is not None
    if watch.metrics[0] not in _SHARES or limit is None or two_sided:
        return
    below = watch.above is None
    never = limit <= 0.0 if below else limit >= 1.0
    always = limit > 1.0 if below else limit < 0.0
    if never or always:
        yield _warning(watch, ALWAYS if always else NEVER, "range", (0.0, 1.0), 0, limit)


def _reading_warnings(watch: WatchTable, verdicts: Sequence[Verdict]) -> Iterator[RuleWarning]:
    limit = watch.below if watch.below is not None else watch.above
    if verdicts and limit is not None and all(one.alarm for one in verdicts):
        values = [one.value for one in verdicts if one.value is not None]
        yield _warning(watch, ALWAYS, "readings", values, len(values), limit)


def _follows_from_data(watch: WatchTable, *, listed: bool) -> bool:
    """Return whether the law of the data says how likely a watch fires."""
    if watch.below is None or not 0.0 < watch.below <= 1.0 or watch.groups:
        return False
    return watch.metrics[0] == "surviving_fraction" or (
        RETENTION in watch.metrics and (listed or "surviving_fraction" in watch.metrics)
    )


def _law_warnings(
    watch: WatchTable, problem: PlanningProblem, chances: list[FiringChance]
) -> list[RuleWarning]:
    """Return a warning if real data alone stay below a limit, or no real data above it."""
    limit = watch.below or 0.0
    size = problem.samples
    unaided = problem.assurance(Replace(), size, limit, precisely=True)
    healthy = problem.assurance(Fresh(1.0), size, limit, precisely=True)
    one_round = replace(problem, generations=1).assurance(Fresh(1.0), size, limit)
    if unaided is None or healthy is None or one_round is None:
        return []
    chance = FiringChance(
        watch=watch.name,
        without=1.0 - unaided.confidence,
        healthy=1.0 - healthy.confidence,
        standard_error=max(unaided.standard_error, healthy.standard_error),
    )
    chances.append(chance)
    found = []
    rounds = problem.generations
    if one_round.confidence <= _HARDLY_EVER:
        values = problem.retention(Fresh(1.0), size).expected[1:]
        found.append(_warning(watch, ALWAYS, "law", values, rounds, limit))
    if chance.without <= _HARDLY_EVER:
        values = problem.retention(Replace(), size).expected[1:]
        found.append(_warning(watch, NEVER, "law", values, rounds, limit))
    return found


def _reserve_problems(rule_set: RuleSet) -> Iterator[str]:
    for action in rule_set.rules.action:
        if isinstance(action, Inject) and action.reserve is not None:
            reserve = rule_set.resources.reserves[action.reserve]
            if reserve.error:
                yield f"[[action]] {action.name}: {reserve.error}"
            elif not action.repeat and len(reserve.texts) < (action.items or 0):
                held = f"{reserve.name} holds {len(reserve.texts)} items"
                yield f"[[action]] {action.name}: {held}, fewer than {action.items}"


def _action_problems(rule_set: RuleSet) -> Iterator[str]:
    """Yield the watches that lead to no action, in mode ``warn`` to no notification."""
    rules = rule_set.rules
    yield from (f"[[watch]] {one.name}: has no actions" for one in rules.watch if not one.actions)
    if rules.mode is Mode.WARN:
        for table in rules.watch:
            kinds = [rules.action_named(name) for name in table.actions]
            if kinds and not any(isinstance(kind, Notify) for kind in kinds):
                yield f'[[watch]] {table.name}: mode = "warn" and no action of kind notify'


def readings_of_run(path: _Path) -> tuple[Reading, ...]:
    """Return the readings of the first run in a file of ``hayflick simulate``.

    Raises
    ------
    DataError
        If it cannot be read, or holds no runs.
    """
    import xarray

    refuse_pipe(path)
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            runs = opened.isel(replicate=0).load()
    except (OSError, ValueError, KeyError) as fault:
        raise DataError(f"{path}: is no file of hayflick simulate --out ({fault})") from None
    series = {name: runs[name].values for name in runs if runs[name].dims == ("generation",)}
    if not series:
        raise DataError(f"{path}: holds no numbers by generation")
    return tuple(
        Reading(k, {str(name): float(values[k]) for name, values in series.items()})
        for k in range(1, runs.sizes["generation"])
    )
