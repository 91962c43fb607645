"""A stream as it is watched round by round: what measures it, its charts and its rules.

All of it is in the store, so that another process, or the next one, goes on from there. What is
charted of a round depends on the rounds before it alone, but for one thing: with another group all
charts share their rate anew, and take all readings again.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa

from hayflick.core.errors import HayflickError
from hayflick.core.records import Action, Reading, State, Verdict
from hayflick.corpus.normalization import normalize_text
from hayflick.detection.power import DetectableLoss
from hayflick.diversity.observing import SLOW, Observer
from hayflick.embed.embedder import Embedder, parse_embedder
from hayflick.monitor.chart_requests import ChartRequest, slow_metrics_of, stream_requests
from hayflick.monitor.charting import LiveChart, LiveCharts
from hayflick.monitor.measuring import Measurement, learn_baseline
from hayflick.monitor.panel import ChartPanel
from hayflick.monitor.state_file import observer_of, observer_record, reading_of
from hayflick.rules.model import Mode
from hayflick.rules.rule_set import RuleSet, slow_metrics
from hayflick.service.rule_files import rules_of_text
from hayflick.service.stream_answers import StreamColumns, answers_of
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.readings import (
    LONGEST_LINE,
    AnswerOfRound,
    Headline,
    chart_states_of,
    observer_of_stream,
    readings_of_stream,
    store_chart_states,
    store_observer,
)
from hayflick.storage.rounds import round_names
from hayflick.storage.rules import active_rules
from hayflick.storage.streams import StreamRow

Found: TypeAlias = Mapping[str, Reading]
"""The readings of a round by group."""

Key: TypeAlias = tuple[str, str, str]

_SHARE = 50
"""The states of charts are written once in so many parts of all rounds."""

SHARED: Key = ("", "", "")
"""The key of what all charts share, among their states."""


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamObserver:
    """What measures the rounds of a stream, which its baseline fixes.

    Parameters
    ----------
    observer
        What measures them.
    columns
        What the answers are measured by.
    powers
        What charts can detect on this baseline.
    embedder
        Turns texts into vectors.
    """

    observer: Observer
    columns: StreamColumns
    powers: dict[str, tuple[DetectableLoss, ...]]
    embedder: Embedder

    @classmethod
    def learnt(
        cls,
        rows: Sequence[AnswerOfRound],
        labels: Sequence[str],
        settings: StreamSettings,
        *,
        kind: str,
        rules: RuleSet | None,
    ) -> StreamObserver:
        """Return what measures a stream, from the answers of its baseline.

        Raises
        ------
        HayflickError
            If nothing can be measured.
        """
        columns = StreamColumns.of(rows, settings, kind=kind)
        answers = answers_of(rows, columns, name="the baseline", labels=labels, first=1)
        metrics = (*settings.metrics, *(slow_metrics(rules, SLOW) if rules is not None else ()))
        measurement = Measurement(
            baseline=settings.baseline,
            embedder=parse_embedder(settings.embedder),
            tokenizer=settings.tokenizer,
            must_keep={normalize_text(one, "nfc"): w for one, w in settings.must_keep.items()},
            slow=slow_metrics_of(metrics, requests_of(settings, columns)),
            seed=settings.seed,
        )
        observer = learn_baseline(answers, measurement)
        return cls(observer=observer, columns=columns, powers={}, embedder=measurement.embedder)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        powers = {name: [asdict(one) for one in found] for name, found in self.powers.items()}
        return {
            "observer": observer_record(self.observer),
            "columns": self.columns.record(),
            "powers": powers,
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any], settings: StreamSettings) -> StreamObserver:
        """Return what `record` returned."""
        return cls(
            observer=observer_of(record["observer"]),
            columns=StreamColumns.of_record(record["columns"]),
            powers={
                name: tuple(DetectableLoss(**one) for one in found)
                for name, found in record["powers"].items()
            },
            embedder=parse_embedder(settings.embedder),
        )


def requests_of(settings: StreamSettings, columns: StreamColumns) -> tuple[ChartRequest, ...]:
    """Return the charts of a stream, none of which is required."""
    requests = stream_requests(
        settings.charts,
        has_vectors=columns.vectors,
        has_text=columns.text,
        has_prompts=columns.prompt,
        values=columns.values,
    )
    return tuple(replace(one, required=False) for one in requests)


def panel_of(settings: StreamSettings) -> ChartPanel | None:
    """Return the rate that the charts of a panel share; None for charts that were asked for."""
    return ChartPanel(settings.false_alarms, settings.form) if settings.charts is None else None


def stored_rounds(
    connection: sa.Connection,
    stream: int,
    names: Mapping[int, str],
    *,
    after: int = 0,
    last: int | None = None,
) -> list[dict[str, Reading]]:
    """Return the readings of a stream round by round; those of a failed round are none.

    Parameters
    ----------
    stream
        Number of the stream.
    names
        Names of the rounds by number.
    after, last
        The rounds behind the one, up to the other.
    """
    found: dict[int, dict[str, Reading]] = {
        number: {} for number in names if number > after and (last is None or number <= last)
    }
    for number, group, content in readings_of_stream(connection, stream, after=after, last=last):
        if number in found:
            label = names[number]
            found[number][group] = reading_of(content, number, group=group, label=label)
    return [found[number] for number in sorted(found)]


@dataclass(frozen=True, eq=False)
class StreamRules:
    """The rules of a stream.

    Parameters
    ----------
    text
        The rule file that decides; None for none.
    rule_set
        What was read of it; None too where it is of no use.
    """

    text: str | None = None
    rule_set: RuleSet | None = None

    @classmethod
    def of(
        cls, connection: sa.Connection, stream: StreamRow, settings: StreamSettings
    ) -> StreamRules:
        """Return the rules of a stream as they are now."""
        name = settings.rules
        text = None if name is None else active_rules(connection, stream.project, name)
        if name is None or text is None:
            return cls()
        try:
            return cls(text, rules_of_text(text, name=name))
        except HayflickError:
            # It was read when it was stored, maybe by an earlier version.
            return cls(text)

    @property
    def hash(self) -> str | None:
        """What tells the rules from others; None for none."""
        return None if self.text is None else hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, eq=False, kw_only=True)
class Taken:
    """What charts and rules say of a round.

    Parameters
    ----------
    verdicts
        The verdicts with their charts; of all rounds where the charts were made anew.
    anew
        Whether they were.
    actions
        What the rules decided: the group, and the actions to take.
    """

    verdicts: Sequence[tuple[str, Verdict]]
    anew: bool = False
    actions: Sequence[tuple[str, Action]] = ()


class LiveStream:
    """A stream behind its baseline, which takes the readings of one round after the other.

    Parameters
    ----------
    settings
        Those of the stream.
    measuring
        What measures its rounds.
    rules
        Those that decide.
    baseline
        The readings of the baseline's rounds.
    groups
        The groups of charts that are made again; None for new ones.
    names
        Groups that came after the baseline.
    """

    def __init__(
        self,
        settings: StreamSettings,
        measuring: StreamObserver,
        rules: StreamRules,
        baseline: Sequence[Found],
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
        names: Collection[str] = (),
    ) -> None:
        self.settings, self.measuring = settings, measuring
        self.rules_text, self.rule_set, self._rules_hash = rules.text, rules.rule_set, rules.hash
        self.requests = requests_of(settings, measuring.columns)
        self.round = len(baseline)
        self.names = set().union(*baseline) | {""}
        self._baseline = tuple(baseline)
        self._last: dict[Key, Verdict] = {}
        self._lines: dict[tuple[str, str], deque[float | None]] = {}
        self._count = 0
        self._acted = False
        self._decided: list[tuple[str, Action]] = []
        # None of it is stored yet.
        self._stored_powers, self._stored_round, self._anew = -1, 0, True
        self.rules = None if self.rule_set is None else self.rule_set.start()
        self.names |= set(names)
        self.charts = self._made(self._baseline, self.names, groups=groups)
        for found in baseline:
            self._draw(found)

    @classmethod
    def loaded(
        cls, connection: sa.Connection, stream: StreamRow, settings: StreamSettings
    ) -> LiveStream | None:
        """Return a stream as it is in the store; None before its baseline is complete."""
        record = observer_of_stream(connection, stream.id)
        if record is None:
            return None
        measuring = StreamObserver.of_record(record, settings)
        rules = StreamRules.of(connection, stream, settings)
        measured, learnt = stream.measured_round, settings.baseline
        names = round_names(connection, stream.id, last=measured)
        baseline = stored_rounds(connection, stream.id, names, last=learnt)
        states = chart_states_of(connection, stream.id)
        at, shared = states.get(SHARED, (0, None))
        if shared is None or shared["rules_of"] != rules.hash:
            live = cls(settings, measuring, rules, baseline)
            live._replay(stored_rounds(connection, stream.id, names))
            return live
        groups, later_names = shared["groups"], shared["names"]
        live = cls(settings, measuring, rules, baseline, groups=groups, names=later_names)
        first = max(learnt, at - LONGEST_LINE)
        later = stored_rounds(connection, stream.id, names, after=first)
        for found in later[: at - first]:
            live._draw(found)
        live._resume(states, shared, at)
        for number, found in enumerate(later[at - first :], at + 1):
            live.take(
                found, number, names[number], lambda: stored_rounds(connection, stream.id, names)
            )
        return live

    def goes_on(
        self, connection: sa.Connection, stream: StreamRow, settings: StreamSettings
    ) -> bool:
        """Return whether this is how the stream is in the store."""
        rules = settings.rules
        text = None if rules is None else active_rules(connection, stream.project, rules)
        same = self.round == stream.measured_round and self.rules_text == text
        return same and self.settings == settings

    def take(
        self, found: Found, number: int, label: str, earlier: Callable[[], Sequence[Found]]
    ) -> Taken:
        """Take the readings of the next round.

        Parameters
        ----------
        found
            The readings by group; none of a round that could not be measured.
        number, label
            Number and name of the round.
        earlier
            Returns the readings of all rounds before, which another group makes necessary.
        """
        is_new = not set(found) <= self.names
        self.names |= set(found)
        # Whoever goes on from the store is to know them too.
        self._anew = self._anew or is_new
        anew = not self.charts.knows(found, self.requests)
        if anew or (is_new and self.rules is not None):
            verdicts = self._replay([*earlier()[: number - 1], found], labels={number: label})
            return Taken(verdicts=verdicts, anew=True, actions=self._decided)
        self.round = number
        verdicts = self._take(found, number, label)
        return Taken(verdicts=verdicts, actions=self._decide(found, number, label))

    def learn(self, labels: Sequence[str]) -> Sequence[tuple[int, str, Action]]:
        """Return what the rules decided in the baseline: round, group and action."""
        decided: list[tuple[int, str, Action]] = []
        for number, (found, label) in enumerate(zip(self._baseline, labels, strict=True), 1):
            some = self._decide(found, number, label)
            decided += [(number, group, action) for group, action in some]
        return decided

    @property
    def standing(self) -> list[tuple[LiveChart, Verdict | None]]:
        """The charts whose alarm stands, with their last verdict where it is known."""
        return [(one, self._last.get(one.key)) for one in self.charts.charts if one.alarms]

    @property
    def state(self) -> State:
        """How the stream is, after the last round."""
        if any(one.alarms for one in self.charts.charts) or self.rules_alarm:
            return State.ALARM
        if any(one.has_fallen for one in self.charts.charts):
            return State.FALLING
        whole = [one.silent for one in self.charts.charts if not one.group]
        judged = bool(self.charts.charts) or self.rules is not None
        silent = bool(whole) and all(whole) and self.round > len(self._baseline)
        return State.HEALTHY if judged and not silent else State.NO_READING

    @property
    def rules_alarm(self) -> bool:
        """Whether rules that may act have decided something lately."""
        if self.rules is None or self.rules.rule_set.rules.mode is Mode.OBSERVE:
            return False
        return self._acted or self.rules.is_cooling_down

    @property
    def headline(self) -> Headline | None:
        """The number that lost most, of those that alarm where there are any."""
        charts = [one for one in self.charts.charts if one.alarms] or list(self.charts.charts)
        if not charts:
            return None

        def loss(chart: LiveChart) -> float:
            change = chart.change
            return 0.0 if change is None or change.loss is None else change.loss

        worst = max(charts, key=loss)
        if loss(worst) <= 0.0:
            worst = charts[0]
        change, last = worst.change, self._last.get(worst.key)
        metric, group = worst.request.metric, worst.group
        line = tuple(self._lines.get((metric, group), ()))
        return Headline(
            metric=metric,
            group=group,
            loss=None if change is None else change.loss,
            before=None if change is None else change.before,
            now=None if change is None else change.now,
            since=last.since_name if last is not None and last.alarm else None,
            line=line,
            baseline=max(0, len(self._baseline) - (self._count - len(line))),
        )

    def store(self, connection: sa.Connection, stream: int) -> None:
        """Store what another process goes on from; charts not after every round.

        Their states grow with the rounds, and what is behind them is taken up again.
        """
        if len(self.measuring.powers) != self._stored_powers:
            store_observer(connection, stream, self.measuring.record())
            self._stored_powers = len(self.measuring.powers)
        if self._anew or self.round - self._stored_round >= max(1, self.round // _SHARE):
            store_chart_states(connection, stream, self.states(), round=self.round)
            self._stored_round, self._anew = self.round, False

    def states(self) -> dict[Key, Any]:
        """Return the states of all charts, and what they share, ready for JSON."""
        groups = {text: sorted(some) for text, some in self.charts.groups.items()}
        shared = {
            "groups": groups,
            "names": sorted(self.names),
            "rules_of": self._rules_hash,
            "rules": None if self.rules is None else self.rules.state(),
            "acted": self._acted,
        }
        return {SHARED: shared, **{one.key: one.state() for one in self.charts.charts}}

    def _resume(
        self, states: Mapping[Key, tuple[int, Any]], shared: Mapping[str, Any], at: int
    ) -> None:
        for one in self.charts.charts:
            one.resume(states[one.key][1])
        if self.rule_set is not None:
            self.rules = self.rule_set.restore(shared["rules"])
        self.round, self._acted, self._count = at, shared["acted"], at
        self._stored_powers, self._stored_round = len(self.measuring.powers), at
        self._anew = False

    def _made(
        self,
        rounds: Sequence[Found],
        names: set[str],
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
    ) -> LiveCharts:
        """Return charts that have learnt; without `groups`, the rounds are all that there are."""
        return LiveCharts.started(
            _series(rounds, names),
            self.requests,
            baseline=len(self._baseline),
            scaling=max(1, len(self._baseline) // 5),
            panel=panel_of(self.settings),
            powers=self.measuring.powers,
            groups=groups,
        )

    def _replay(
        self, rounds: Sequence[Found], *, labels: Mapping[int, str] | None = None
    ) -> list[tuple[str, Verdict]]:
        """Make charts and rules anew, which take all rounds; return all verdicts."""
        self.names |= set().union(*rounds)
        self.charts = self._made(rounds, self.names)
        self.rules = None if self.rule_set is None else self.rule_set.start()
        self._lines, self._count, self._anew = {}, 0, True
        verdicts: list[tuple[str, Verdict]] = []
        for number, found in enumerate(rounds, 1):
            known = next(iter(found.values()), None)
            label = known.label if known is not None else (labels or {}).get(number, "")
            if number <= len(self._baseline):
                self._draw(found)
            else:
                verdicts += self._take(found, number, label)
            self._decided = self._decide(found, number, label)
        self.round = len(rounds)
        return verdicts

    def _take(self, found: Found, number: int, label: str) -> list[tuple[str, Verdict]]:
        self._draw(found)
        verdicts = self.charts.take(found, number=number, label=label)
        charts = self.charts.charts
        self._last = {one.key: verdict for one, verdict in zip(charts, verdicts, strict=True)}
        return [(one.request.text, verdict) for one, verdict in zip(charts, verdicts, strict=True)]

    def _decide(self, found: Found, number: int, label: str) -> list[tuple[str, Action]]:
        if self.rules is None:
            return []
        decided: list[tuple[str, Action]] = []
        for group in sorted(self.names):
            reading = found.get(group) or Reading(number, group=group, label=label)
            decided += [(group, action) for action in self.rules.decide(reading)]
        self._acted = bool(decided)
        return decided

    def _draw(self, found: Found) -> None:
        """Take up the numbers that the overview draws."""
        self._count += 1
        for metric, group in {(one.request.metric, one.group) for one in self.charts.charts}:
            reading = found.get(group)
            line = self._lines.setdefault((metric, group), deque(maxlen=LONGEST_LINE))
            line.append(None if reading is None else reading.values.get(metric))


def _series(rounds: Sequence[Found], names: set[str]) -> dict[str, list[Reading]]:
    return {
        name: [
            found.get(name) or Reading(number, group=name) for number, found in enumerate(rounds, 1)
        ]
        for name in sorted(names)
    }
