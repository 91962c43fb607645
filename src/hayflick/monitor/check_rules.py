"""What a rules file comes to: limits, rates, and rules that never or always fire.

A rule is held against what is known of healthy and of unaided rounds: readings (of recorded
runs, or of real answers), and the law of the data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.provenance import provenance
from hayflick.core.records import Reading
from hayflick.corpus.answers import Answers
from hayflick.diversity.metrics import METRICS, Unit
from hayflick.monitor.watch import watch
from hayflick.planning.dose import ThresholdPolicy
from hayflick.planning.problem import planning_problem
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.rules.loading import LoadedRules, load_rules
from hayflick.rules.model import (
    Inject,
    Mode,
    Notify,
    WatchTable,
)
from hayflick.rules.rule_set import RuleSet

_Path: TypeAlias = str | os.PathLike[str]

ALWAYS, NEVER = "always", "never"
_SHARES = {metric.name for metric in METRICS if metric.unit is Unit.SHARE}
_SHARES |= {"surviving_fraction", "diversity"}


@dataclass(frozen=True, kw_only=True)
class RuleWarning:
    """A rule that fires always or never, as far as is known.

    Parameters
    ----------
    watch, metric
        Whose.
    fires
        ``always`` or ``never``.
    where
        In what: ``readings``, ``law`` or ``range``.
    low, high
        What was seen or is expected, from and to.
    number
        How many readings were seen, or rounds are expected; 0 for what is possible at all.
    limit
        The limit.
    """

    watch: str
    metric: str
    fires: str
    where: str
    low: float
    high: float
    number: int
    limit: float


@dataclass(frozen=True, eq=False, kw_only=True)
class RulesCheck(Result):
    """A rules file, looked through.

    Parameters
    ----------
    rule_set, policies
        The rules, and how their limits were derived.
    warnings
        Rules that fire always or never.
    problems
        What is missing: reserves without items, say.
    alarms, readings
        Alarms of each watch in the readings that were given, and how many it read.
    source, generations
        Name of the data, None without any, and the rounds that the law looks ahead.
    """

    rule_set: RuleSet
    policies: Mapping[str, ThresholdPolicy]
    warnings: tuple[RuleWarning, ...]
    problems: tuple[str, ...]
    alarms: Mapping[str, int]
    readings: Mapping[str, int]
    source: str | None = None
    generations: int = 50

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the check again."""
        return provenance(
            {
                "command": "rules check",
                "rules": self.rule_set.name,
                "input": self.source,
                "generations": self.generations,
            }
        )

    @property
    def charts(self) -> int:
        """How many charts share the rate of false alarms of all answers together."""
        watches = self.rule_set.rules.watch
        return sum(watch.chart is not None and not watch.groups for watch in watches)


def check_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
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
    column, tokenizer, encoding
        How a corpus is read.
    samples, generations
        Size of a training set, and the rounds that the law looks ahead.
    history
        A recorded run (NetCDF of ``hayflick simulate``), or readings in order, to hold the
        rules against. Charts learn from the first ones.
    answers, by, text
        A table of answers to hold the rules against, with the columns of the round and of the
        answers.
    progress
        Called with how far reading and measuring have come.

    Raises
    ------
    DataError
        If a file cannot be used, a target cannot be held, or a chart cannot be made from the
        readings.
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
        samples=samples,
        generations=generations,
        progress=progress,
    )
    rule_set = loaded.rule_set
    readings: Sequence[Reading] = ()
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
    seen: dict[str, list[tuple[float, bool]]] = {watch.name: [] for watch in rule_set.rules.watch}
    if readings:
        _replay(rule_set, readings, seen)
    warnings = [warning for watch in rule_set.rules.watch for warning in _range_warnings(watch)]
    for table in rule_set.rules.watch:
        warnings += _reading_warnings(table, seen[table.name])
        if loaded.model is not None:
            warnings += _law_warnings(table, loaded, generations)
    return RulesCheck(
        rule_set=rule_set,
        policies=loaded.policies,
        warnings=tuple(warnings),
        problems=(*_reserve_problems(rule_set), *_idle_watches(rule_set)),
        alarms={name: sum(alarm for _, alarm in found) for name, found in seen.items()},
        readings={name: len(found) for name, found in seen.items()},
        source=None if loaded.model is None else loaded.model.source.name,
        generations=generations,
    )


def _replay(
    rule_set: RuleSet, readings: Sequence[Reading], seen: dict[str, list[tuple[float, bool]]]
) -> None:
    running = rule_set.start()
    for reading in readings:
        running.decide(reading)
        for name, verdict in running.verdicts.items():
            if verdict.value is not None:
                seen[name].append((verdict.value, verdict.alarm))


def _range_warnings(watch: WatchTable) -> list[RuleWarning]:
    """Return whether a share has a limit that no share is beyond."""
    if watch.metrics[0] not in _SHARES:
        return []
    limit = watch.below if watch.above is None else watch.above
    if limit is None or (watch.below is not None and watch.above is not None):
        return []
    if watch.above is None:
        fires = NEVER if limit <= 0.0 else ALWAYS if limit > 1.0 else None
    else:
        fires = NEVER if limit >= 1.0 else ALWAYS if limit < 0.0 else None
    if fires is None:
        return []
    return [_warning(watch, fires, "range", limit=limit, seen=(0.0, 1.0), number=0)]


def _reading_warnings(watch: WatchTable, seen: Sequence[tuple[float, bool]]) -> list[RuleWarning]:
    limit = watch.below if watch.below is not None else watch.above
    if not seen or limit is None or not all(alarm for _, alarm in seen):
        return []
    values = [value for value, _ in seen]
    ends = (min(values), max(values))
    return [_warning(watch, ALWAYS, "readings", limit=limit, seen=ends, number=len(values))]


def _law_warnings(watch: WatchTable, loaded: LoadedRules, generations: int) -> list[RuleWarning]:
    """Return whether real data alone is below a limit, or no data at all stays above it."""
    if loaded.model is None or watch.below is None or watch.metrics[0] != "surviving_fraction":
        return []
    problem = planning_problem(loaded.model, generations=generations)
    healthy = problem.retention(Fresh(1.0), problem.samples).expected[1:]
    unaided = problem.retention(Replace(), problem.samples).expected[1:]
    found = []
    for fires, left in ((ALWAYS, healthy), (NEVER, unaided)):
        ends = (float(left.min()), float(left.max()))
        wrong = ends[1] < watch.below if fires == ALWAYS else ends[0] > watch.below
        if wrong:
            found.append(
                _warning(watch, fires, "law", limit=watch.below, seen=ends, number=generations)
            )
    return found


def _warning(
    watch: WatchTable,
    fires: str,
    where: str,
    *,
    limit: float,
    seen: tuple[float, float],
    number: int,
) -> RuleWarning:
    return RuleWarning(
        watch=watch.name,
        metric=watch.metrics[0],
        fires=fires,
        where=where,
        low=seen[0],
        high=seen[1],
        number=number,
        limit=limit,
    )


def _reserve_problems(rule_set: RuleSet) -> list[str]:
    """Return what reserves lack."""
    problems = []
    for action in rule_set.rules.action:
        if isinstance(action, Inject) and action.reserve is not None:
            store = rule_set.resources.reserves[action.reserve]
            if store.error:
                problems.append(f"[[action]] {action.name}: {store.error}")
            elif not action.repeat and len(store.texts) < (action.items or 0):
                held = f"{store.name} holds {len(store.texts)} items"
                problems.append(f"[[action]] {action.name}: {held}, fewer than {action.items}")
    return problems


def _idle_watches(rule_set: RuleSet) -> list[str]:
    """Return watches that lead to nothing."""
    rules = rule_set.rules
    problems = [
        f"[[watch]] {watch.name}: has no actions" for watch in rules.watch if not watch.actions
    ]
    if rules.mode is not Mode.WARN:
        return problems
    for table in rules.watch:
        kinds = [rules.action_named(name) for name in table.actions]
        if kinds and not any(isinstance(kind, Notify) for kind in kinds):
            problems.append(f'[[watch]] {table.name}: mode = "warn" and no action of kind notify')
    return problems


def readings_of_run(path: _Path) -> tuple[Reading, ...]:
    """Return the readings of the first run in a file of ``hayflick simulate``.

    Raises
    ------
    DataError
        If it cannot be read, or holds no runs.
    """
    import xarray

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
