"""Rules that decide: a `RuleSet` is a rules file, `RunningRules` decide reading by reading.

A stream is the readings of one group, or of all answers together. The charts of a stream share
the file's ``false_alarms`` evenly: by the union bound, the rate holds for all of them together.
Plain limits are not charts and have no rate.

Where ``false_discoveries`` is stated, a watch over every group (``groups = ["*"]``) acts on the
alarms that the e-BH procedure selects. Half of the rate q goes to e-BH, the other half covers
the baselines: the threshold of each of K groups is wrong with a probability of at most q / 2K.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.notes import translatable
from hayflick.core.records import Action, ActionKind, Reading, Verdict
from hayflick.core.source import Source
from hayflick.rules.actions import (
    ActionResources,
    ReserveFile,
    build_action,
    read_prompts,
    standing_action,
)
from hayflick.rules.e_bh import e_bh
from hayflick.rules.model import Inject, Mode, RulesFile, VaryPrompts, WatchTable
from hayflick.rules.parsing import read_rules
from hayflick.rules.stream import Stream, chart_spec

FORMAT_VERSION = 1
"""Version of the state that `RunningRules.state` returns."""


@dataclass(frozen=True, eq=False)
class RuleSet:
    """A rules file with the reserves and prompts that its actions use.

    Parameters
    ----------
    rules
        Content of the file.
    resources
        Reserves and prompts.
    name
        Name of the file.
    sources
        The file, and those that it names; empty for rules that were parsed from a text.

    Examples
    --------
    >>> from hayflick.rules.parsing import parse_rules
    >>> rules = RuleSet.of(parse_rules('''
    ... format_version = 1
    ... mode = "act"
    ... [[watch]]
    ... name = "words"
    ... metric = "surviving_fraction"
    ... below = 0.8
    ... actions = ["real data"]
    ... [[action]]
    ... name = "real data"
    ... kind = "inject"
    ... items = 20
    ... '''))
    >>> running = rules.start()
    >>> left = [(1, 0.9), (2, 0.7)]
    >>> [len(running.decide(Reading(k, {"surviving_fraction": x}))) for k, x in left]
    [0, 1]
    """

    rules: RulesFile
    resources: ActionResources
    name: str = "rules.toml"
    sources: tuple[Source, ...] = ()

    def __deepcopy__(self, _: object) -> RuleSet:
        # It is immutable.
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, like: Source | None = None) -> RuleSet:
        """Read a rules file, and the files beside it that it names.

        Parameters
        ----------
        path
            The file.
        like
            How the data that reserves belong to were read.

        Raises
        ------
        DataError
            If the file cannot be read or is inconsistent, or prompts are missing.
        """
        folder = Path(path).parent
        found = cls.of(read_rules(path), folder=folder, like=like, name=str(path))
        files: list[tuple[str, object]] = [("rules", path)]
        files += [("reserve", folder / name) for name in sorted(found.resources.reserves)]
        files += [
            ("prompts", folder / one.prompts)
            for one in found.rules.action
            if isinstance(one, VaryPrompts) and isinstance(one.prompts, str)
        ]
        return replace(found, sources=Source.files(*files))

    @classmethod
    def of(
        cls,
        rules: RulesFile,
        *,
        folder: Path = Path(),
        like: Source | None = None,
        name: str = "rules.toml",
    ) -> RuleSet:
        """Return parsed rules; the files that they name are in `folder`.

        Raises
        ------
        DataError
            If prompts are missing.
        """
        named = {one.reserve for one in rules.action if isinstance(one, Inject) and one.reserve}
        reserves = {one: ReserveFile.from_file(folder / one, name=one, like=like) for one in named}
        prompts = {}
        for one in rules.action:
            if isinstance(one, VaryPrompts) and isinstance(one.prompts, str):
                prompts[one.name] = read_prompts(folder / one.prompts, name=one.prompts)
            elif isinstance(one, VaryPrompts):
                prompts[one.name] = tuple(one.prompts)
                if not prompts[one.name]:
                    raise DataError(f"{name}: [[action]] {one.name}: prompts holds no prompt")
        return cls(rules, ActionResources(reserves, prompts), name)

    @property
    def underived(self) -> tuple[WatchTable, ...]:
        """Watches with a target whose limit has not been derived."""
        watches = self.rules.watch
        return tuple(one for one in watches if one.target is not None and one.below is None)

    def with_limits(self, limits: Mapping[str, tuple[float, int]]) -> RuleSet:
        """Return the rules with derived limits.

        Parameters
        ----------
        limits
            Limit and dose by name of the watch; injections without ``items`` get the dose.
        """
        doses: dict[str, int] = {}
        watches = []
        for watch in self.rules.watch:
            if watch.name in limits:
                limit, dose = limits[watch.name]
                doses |= {action: dose for action in watch.actions if action not in doses}
                watches.append(watch.model_copy(update={"below": limit}))
            else:
                watches.append(watch)
        actions = [
            action.model_copy(update={"items": doses[action.name]})
            if isinstance(action, Inject) and action.items is None and action.name in doses
            else action
            for action in self.rules.action
        ]
        rules = self.rules.model_copy(update={"watch": watches, "action": actions})
        return replace(self, rules=rules)

    def baseline_problems(self) -> tuple[str, ...]:
        """Return the watches whose charts take more baseline readings than the file gives them.

        Guaranteed charts are not among them: what they take depends on the readings.

        Raises
        ------
        ArgumentError
            If a setting of a chart is out of its range.

        Examples
        --------
        >>> from hayflick.rules.parsing import parse_rules
        >>> rules = RuleSet.of(parse_rules('''
        ... format_version = 1
        ... mode = "act"
        ... baseline = 5
        ... [[watch]]
        ... name = "words"
        ... metric = "distinct_2"
        ... chart = "cusum"
        ... '''))
        >>> len(rules.baseline_problems())
        1
        """
        problems = []
        for watch in self.rules.watch:
            if watch.chart is None:
                continue
            needed = chart_spec(watch, rate=_largest_rate(self.rules, watch)).readings_needed()
            if needed is not None and needed > self.rules.baseline:
                problems.append(
                    f"[[watch]] {watch.name}: {watch.chart} takes at least {needed} readings of the"
                    f" baseline and has {self.rules.baseline}; set baseline = {needed}, or a larger"
                    " false_alarms"
                )
        return tuple(problems)

    def check_baseline(self) -> None:
        """Refuse rules whose charts take more baseline readings than the file gives them.

        Raises
        ------
        DataError
            If there is such a chart; the message says how many readings it takes.
        """
        problems = self.baseline_problems()
        if problems:
            raise DataError(f"{self.name}: {problems[0]}")

    def start(self, baseline: Iterable[Reading] = (), *, strict: bool = False) -> RunningRules:
        """Return the rules ready to decide, at the beginning of one stream or several.

        Parameters
        ----------
        baseline
            Healthy readings that the charts learn from; the first readings of a stream where
            empty.
        strict
            Whether a watch that cannot go on is an error, as in a simulation, where it would be
            counted as one that decides nothing.

        Raises
        ------
        DataError
            If a limit has not been derived.
        """
        if self.underived:
            remedy = "name the real data (--corpus, or corpus = ... in the file), or write a limit"
            watch = self.underived[0].name
            raise DataError(f"{self.name}: [[watch]] {watch} has a target and no limit; {remedy}")
        running = RunningRules(self, strict=strict)
        for reading in baseline:
            running.learn(reading)
        return running

    def restore(self, state: Mapping[str, Any]) -> RunningRules:
        """Return the rules in a state that `RunningRules.state` returned.

        Raises
        ------
        DataError
            If the state is of another version or of other rules.
        """
        running = self.start()
        try:
            if state["format_version"] != FORMAT_VERSION:
                raise DataError(f"{self.name}: its state is of another version; start again")
            running.used.update(state["used"])
            for one in state["streams"]:
                running.stream(one["watch"], one["group"]).resume(one)
        except (KeyError, TypeError, ValueError) as fault:
            raise DataError(
                f"{self.name}: cannot go on from this state ({fault}); start again"
            ) from None
        return running


@dataclass(frozen=True, slots=True)
class StoppedWatch:
    """A watch that decides nothing any more.

    Parameters
    ----------
    watch, group
        Its name, and the group; an empty group is all answers together.
    reason
        Why.
    """

    watch: str
    group: str
    reason: str


class RunningRules:
    """Rules that decide about one reading after another; see `RuleSet.start`.

    Attributes
    ----------
    proposed : tuple of Action
        Actions for the last reading, before the mode filters them.
    verdicts : dict of str to Verdict
        Verdicts about the last reading, by name of the watch.
    """

    def __init__(self, rule_set: RuleSet, *, strict: bool = False) -> None:
        self.rule_set, self.strict = rule_set, strict
        self.used: dict[str, int] = {}
        self.proposed: tuple[Action, ...] = ()
        self.verdicts: dict[str, Verdict] = {}
        self._streams: dict[tuple[str, str], Stream] = {}
        self._groups = Counter[str]()
        self._watches = {watch.name: watch for watch in rule_set.rules.watch}

    @property
    def name(self) -> str:
        """Name of the rules file."""
        return self.rule_set.name

    def decide(self, reading: Reading) -> tuple[Action, ...]:
        """Return the actions to take from the next round on.

        None in mode ``observe``, only notifications in mode ``warn``. A watch whose chart cannot
        be made from its baseline decides nothing from then on; see `stopped`.
        """
        self.verdicts, self.proposed = {}, ()
        for watch in self._of_group(reading.group):
            self.proposed += self._evaluate(watch, reading)
        match self.rule_set.rules.mode:
            case Mode.OBSERVE:
                return ()
            case Mode.WARN:
                return tuple(one for one in self.proposed if one.kind is ActionKind.NOTIFY)
        return self.proposed

    def due(self, round: int) -> tuple[Action, ...]:  # noqa: A002
        """Return the actions of a round that are due whatever is read; none but in mode ``act``."""
        if self.rule_set.rules.mode is not Mode.ACT:
            return ()
        standing = self.rule_set.rules.standing
        due = (standing_action(one, round, self.rule_set.resources) for one in standing)
        return tuple(action for action in due if action is not None)

    @property
    def is_cooling_down(self) -> bool:
        """Whether a watch has decided something lately, and decides nothing for some readings."""
        return any(stream.cooling_down for stream in self._streams.values())

    @property
    def stopped(self) -> tuple[StoppedWatch, ...]:
        """The watches that decide nothing any more, and why."""
        return tuple(
            StoppedWatch(watch, group, stream.stopped)
            for (watch, group), stream in self._streams.items()
            if stream.stopped
        )

    def idle(self, judged: Collection[tuple[str, str]]) -> Iterator[StoppedWatch]:
        """Yield the watches that have stopped, or are not among those that judged a reading.

        Parameters
        ----------
        judged
            Name and group of each watch that judged a reading.
        """
        yield from self.stopped
        for (watch, group), stream in self._streams.items():
            if not stream.stopped and (watch, group) not in judged:
                yield StoppedWatch(watch, group, stream.waits_for)
        unheard = set(self._watches) - {watch for watch, _ in self._streams}
        for watch in sorted(unheard):
            yield StoppedWatch(watch, "", translatable("no answer is of its groups"))

    def learn(self, reading: Reading) -> None:
        """Let charts learn from a healthy reading, and decide nothing."""
        for watch in self._of_group(reading.group):
            stream = self.stream(watch.name, reading.group)
            if watch.chart is not None and stream.chart is None:
                self._read(stream, reading, rate=self._rate(watch, reading.group))

    def stream(self, watch: str, group: str) -> Stream:
        """Return the state of a watch for a group; an empty name is all answers together."""
        key = (watch, group)
        if key not in self._streams:
            baseline = self.rule_set.rules.baseline
            self._streams[key] = Stream(self._watches[watch], baseline)
            self._groups[watch] += 1
        return self._streams[key]

    def state(self) -> dict[str, Any]:
        """Return the state, ready for JSON; `RuleSet.restore` takes it."""
        streams = [
            {"watch": watch, "group": group, **stream.state()}
            for (watch, group), stream in self._streams.items()
        ]
        return {"format_version": FORMAT_VERSION, "used": dict(self.used), "streams": streams}

    def _of_group(self, group: str) -> Sequence[WatchTable]:
        return [watch for watch in self.rule_set.rules.watch if _covers(watch, group)]

    def _rate(self, watch: WatchTable, group: str) -> float:
        """Return a chart's share of the false-alarm rate."""
        rules = self.rule_set.rules
        if self._uses_e_bh(watch):
            return float(rules.false_discoveries or 0.0) / self._groups[watch.name]
        return _shared_rate(rules, self._of_group(group))

    def _uses_e_bh(self, watch: WatchTable) -> bool:
        return _uses_e_bh(self.rule_set.rules, watch)

    def _evaluate(self, watch: WatchTable, reading: Reading) -> tuple[Action, ...]:
        stream = self.stream(watch.name, reading.group)
        rate = 1.0 if watch.chart is None else self._rate(watch, reading.group)
        verdict = self._read(stream, reading, rate=rate)
        self.verdicts[watch.name] = verdict
        if verdict.value is None:
            return ()
        alarm = self._is_discovery(watch, verdict) if self._uses_e_bh(watch) else verdict.alarm
        if not stream.confirm(alarm=alarm):
            return ()
        if stream.chart is not None and not self._uses_e_bh(watch):
            stream.chart.restart()
        return tuple(self._act(name, watch, verdict) for name in watch.actions)

    def _read(self, stream: Stream, reading: Reading, *, rate: float) -> Verdict:
        verdict = stream.read(reading, rate=rate)
        if self.strict and stream.stopped:
            whose = f", group {reading.group}" if reading.group else ""
            raise DataError(f"[[watch]] {stream.watch.name}{whose}: {stream.stopped}")
        return verdict

    def _is_discovery(self, watch: WatchTable, verdict: Verdict) -> bool:
        stream = self.stream(watch.name, verdict.group)
        stream.evidence = verdict.evidence
        level = float(self.rule_set.rules.false_discoveries or 0.0) / 2.0
        if (verdict.evidence or 0.0) * level < 1.0:
            # Too little however many of the others alarm.
            return False
        evidence = {
            group: one.evidence or 0.0
            for (name, group), one in self._streams.items()
            if name == watch.name
        }
        return verdict.group in e_bh(evidence, false_discoveries=level)

    def _act(self, name: str, watch: WatchTable, verdict: Verdict) -> Action:
        rules, mode = self.rule_set.rules, self.rule_set.rules.mode
        table = rules.action_named(name)
        action, used = build_action(
            table,
            reason=_reason(watch, verdict),
            evidence=(verdict,),
            resources=self.rule_set.resources,
            used=self.used,
        )
        if mode is Mode.ACT:
            self.used.update(used)
        return action


def _uses_e_bh(rules: RulesFile, watch: WatchTable) -> bool:
    """Return whether e-BH selects among the alarms of a watch's groups."""
    return rules.false_discoveries is not None and "*" in watch.groups


def _shared_rate(rules: RulesFile, together: Sequence[WatchTable]) -> float:
    sharing = [one for one in together if one.chart and not _uses_e_bh(rules, one)]
    return rules.false_alarms / len(sharing)


def _largest_rate(rules: RulesFile, watch: WatchTable) -> float:
    """Return the share of the rate that a watch's chart has at most, whatever the groups."""
    if _uses_e_bh(rules, watch):
        return float(rules.false_discoveries or 0.0)
    groups = [one for one in watch.groups if one != "*"] or ["*"] if watch.groups else [""]
    return max(
        _shared_rate(rules, [one for one in rules.watch if _covers(one, group)]) for group in groups
    )


def _covers(watch: WatchTable, group: str) -> bool:
    if not group:
        return not watch.groups
    return group in watch.groups or "*" in watch.groups


def _reason(watch: WatchTable, verdict: Verdict) -> str:
    whose = f" of {verdict.group}" if verdict.group else ""
    text = f"{watch.name}: {verdict.metric}{whose} {verdict.value:.4g}"
    if watch.chart is None:
        side = "above" if verdict.limit == watch.above else "below"
        text += f" is {side} {verdict.limit:.4g}"
    else:
        text += f", {verdict.chart} {verdict.statistic:.4g} at its limit {verdict.limit:.4g}"
        text += "" if verdict.since is None else f", since round {verdict.since_name}"
    if watch.confirm.of > 1:
        text += f", confirmed by {watch.confirm.needed} of {watch.confirm.of} readings"
    return text


@dataclass(frozen=True, eq=False)
class Decision:
    """The actions that one reading led to.

    Parameters
    ----------
    round, group
        Round and group of the reading; an empty group is all answers together.
    actions
        The actions to take.
    proposed
        The actions in mode ``act``.
    label
        Name of the round in the data; if empty, its number is the name.
    """

    round: int
    group: str
    actions: tuple[Action, ...]
    proposed: tuple[Action, ...]
    label: str = ""

    @property
    def name(self) -> str:
        """Name of the round."""
        return self.label or str(self.round)


@dataclass(frozen=True, eq=False)
class RulesOutcome:
    """What rules did about recorded readings.

    Parameters
    ----------
    decisions
        Their decisions, in the order of the rounds.
    idle
        The watches that could decide nothing, or nothing any more, and why.
    active
        Names of the watches that judged a reading and have not stopped.
    """

    decisions: tuple[Decision, ...]
    idle: tuple[StoppedWatch, ...]
    active: frozenset[str]


def decisions(rule_set: RuleSet, readings: Mapping[str, Sequence[Reading]]) -> tuple[Decision, ...]:
    """Return the decisions of `apply_rules`."""
    return apply_rules(rule_set, readings).decisions


def apply_rules(rule_set: RuleSet, readings: Mapping[str, Sequence[Reading]]) -> RulesOutcome:
    """Return what rules decide about recorded readings, and which watches could not.

    Parameters
    ----------
    rule_set
        The rules.
    readings
        One reading per round, by group.

    Raises
    ------
    DataError
        If a limit has not been derived.
    """
    running = rule_set.start()
    found: list[Decision] = []
    judged: set[tuple[str, str]] = set()
    for together in zip(*readings.values(), strict=True):
        for reading in together:
            actions = running.decide(reading)
            verdicts = running.verdicts.items()
            judged |= {(name, reading.group) for name, one in verdicts if one.value is not None}
            if running.proposed:
                who = reading.round, reading.group
                found.append(Decision(*who, actions, running.proposed, reading.label))
    idle = tuple(running.idle(judged))
    stopped = {(one.watch, one.group) for one in idle}
    active = frozenset(name for name, group in judged if (name, group) not in stopped)
    return RulesOutcome(tuple(found), idle, active)


def slow_metrics(rule_set: RuleSet, slow: Sequence[str]) -> tuple[str, ...]:
    """Return the slow metrics that rules read, which are measured only on request."""
    read = {name for watch in rule_set.rules.watch for name in watch.metrics}
    if "drift_p" in read:
        read.add("drift")
    return tuple(name for name in slow if name in read)


def calls_for_action(rule_set: RuleSet, decided: Sequence[Decision]) -> bool:
    """Return whether there are decisions, and the mode is not ``observe``."""
    return bool(decided) and rule_set.rules.mode is not Mode.OBSERVE
