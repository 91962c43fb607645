"""Rounds as they are measured: readings, what charts and rules say of them, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import HayflickError
from hayflick.core.records import Action, ActionKind, Reading, State, Verdict
from hayflick.core.reproducibility import stream as random_stream
from hayflick.corpus.answers import Answers
from hayflick.diversity.observing import RoundAnswers, RoundCounts, count_rounds
from hayflick.monitor.changed_phrases import sampled_texts, typical
from hayflick.monitor.measuring import measure_round, round_answers, sample_of
from hayflick.monitor.round_summary import RoundSummary
from hayflick.service.live_stream import (
    LiveStream,
    StreamObserver,
    StreamRules,
    Taken,
    stored_rounds,
)
from hayflick.service.round_samples import RoundSample, most_measured
from hayflick.service.stream_answers import StreamColumns, answers_of, measured_answers
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.readings import AnswerOfRound, Headline
from hayflick.storage.rounds import RoundRow, round_names
from hayflick.storage.streams import StreamRow


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Answers that people are asked to check: their rows, and how many they were drawn from."""

    rows: tuple[AnswerOfRound, ...]
    size: int


@dataclass(eq=False, kw_only=True)
class MeasuredRound:
    """A round that was measured, or could not be.

    Parameters
    ----------
    round
        The round.
    readings
        Its readings by group; none of a round that could not be measured.
    summary, texts
        What is kept of its answers; None without any.
    note
        What a reader should know of it; None for nothing.
    failed
        Whether it could not be measured.
    keys
        Keys of the answers that were measured, where those are a sample that is stored; else None.
    taken
        What charts and rules say of it.
    drawn
        Answers to check.
    state, headline, alarming
        How the stream is after it, and the charts that alarm.
    """

    round: RoundRow
    readings: Mapping[str, Reading] = field(default_factory=dict)
    summary: RoundSummary | None = None
    texts: dict[str, Any] | None = None
    note: str | None = None
    failed: bool = False
    keys: tuple[str, ...] | None = None
    taken: Taken = field(default_factory=lambda: Taken(verdicts=()))
    drawn: Drawn | None = None
    state: State = State.NO_READING
    headline: Headline | None = None
    alarming: Sequence[Mapping[str, Any]] = ()


def begun_stream(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    rounds: Sequence[RoundRow],
) -> tuple[LiveStream, list[MeasuredRound]]:
    """Return a stream whose baseline is complete, and the rounds of the baseline.

    Parameters
    ----------
    connection
        For reading.
    stream, settings
        The stream.
    rounds
        All rounds of the baseline.

    Raises
    ------
    HayflickError
        If nothing can be measured.
    """
    rules = StreamRules.of(connection, stream, settings)
    by_round = {one.number: measured_answers(connection, one, settings) for one in rounds}
    rows = list(chain.from_iterable(by_round.values()))
    labels = [one.name for one in rounds]
    measuring = StreamObserver.learnt(
        rows, labels, settings, kind=stream.kind, rules=rules.rule_set
    )
    found = [
        _Prepared.of(connection, one, by_round[one.number], measuring.columns).measured(
            measuring, settings
        )
        for one in rounds
    ]
    live = LiveStream(settings, measuring, rules, [one.readings for one in found])
    decided: dict[int, list[tuple[str, Action]]] = {}
    for number, group, action in live.learn(labels):
        decided.setdefault(number, []).append((group, action))
    for one in found:
        one.taken = Taken(verdicts=(), actions=decided.get(one.round.number, []))
        one.drawn = _drawn(by_round[one.round.number], one, settings)
    _conclude(found[-1], live)
    return live, found


def measured_rounds(
    connection: sa.Connection,
    live: LiveStream,
    stream: StreamRow,
    rounds: Sequence[RoundRow],
    *,
    gives_up: bool,
) -> list[MeasuredRound]:
    """Return rounds behind the baseline, which charts and rules have taken.

    Parameters
    ----------
    connection
        For reading.
    live
        The stream, which takes them.
    stream
        Its row.
    rounds
        The next rounds; fewer of them are measured where they have many answers.
    gives_up
        Whether a round that cannot be measured becomes one without a reading.

    Raises
    ------
    Exception
        If the first one cannot be measured, and `gives_up` does not say to go on.
    """
    found: list[MeasuredRound] = []

    def earlier() -> list[Mapping[str, Reading]]:
        names = round_names(connection, stream.id, last=stream.measured_round)
        stored = stored_rounds(connection, stream.id, names)
        return [*stored, *(before.readings for before in found)]

    prepared = _prepared(connection, live, rounds)
    # Small rounds take less time together.
    tokenizer = live.measuring.observer.tokenizer
    counts = count_rounds([one.batch for one in prepared], tokenizer=tokenizer)
    for one, counted in zip(prepared, counts, strict=True):
        try:
            measured = one.measured(live.measuring, live.settings, counted)
        except Exception as fault:
            if found:
                break
            if not gives_up:
                raise
            measured = MeasuredRound(round=one.round, note=_reason(fault), failed=True)
        number, name = one.round.number, one.round.name
        measured.taken = live.take(measured.readings, number, name, earlier)
        measured.drawn = _drawn(one.rows, measured, live.settings)
        _conclude(measured, live)
        found.append(measured)
    return found


def _reason(fault: Exception) -> str:
    return str(fault)[:2000] if isinstance(fault, HayflickError) else type(fault).__name__


def _prepared(
    connection: sa.Connection, live: LiveStream, rounds: Sequence[RoundRow]
) -> list[_Prepared]:
    """Return the first rounds, as many as are stored together."""
    prepared: list[_Prepared] = []
    answers = 0
    for one in rounds:
        answers += one.answers
        if prepared and answers > _MOST_ANSWERS:
            break
        rows = measured_answers(connection, one, live.settings)
        prepared.append(_Prepared.of(connection, one, rows, live.measuring.columns))
    return prepared


_MOST_ANSWERS = 5000
"""Answers of rounds that are stored together."""

_SAMPLED = "measured on a random sample of {size:,} of its {answers:,} answers"
_UNMEASURED = "some answers name a {what}, and those of the baseline none: it is not measured"


@dataclass(frozen=True, eq=False)
class _Prepared:
    """The answers of a round, as they are stored and as they are measured."""

    round: RoundRow
    rows: Sequence[AnswerOfRound]
    answers: Answers
    batch: RoundAnswers
    sample: RoundSample

    @classmethod
    def of(
        cls,
        connection: sa.Connection,
        one: RoundRow,
        rows: Sequence[AnswerOfRound],
        columns: StreamColumns,
    ) -> _Prepared:
        labels = [one.name]
        answers = answers_of(rows, columns, name="the round", labels=labels, first=one.number)
        sample = RoundSample.stored(connection, one.stream, one.number)
        return cls(one, rows, answers, round_answers(answers, one.number), sample)

    def measured(
        self,
        measuring: StreamObserver,
        settings: StreamSettings,
        counted: RoundCounts | None = None,
    ) -> MeasuredRound:
        columns = measuring.columns
        readings, batch = measure_round(
            self.batch, measuring.observer, embedder=measuring.embedder, counted=counted
        )
        notes = [
            _UNMEASURED.format(what=what)
            for what, has in (("group", columns.group), ("prompt", columns.prompt))
            if not has and any(getattr(row, what) for row in self.rows)
        ]
        notes += self.sample.notes
        if self.round.answers > most_measured(settings):
            notes.append(_SAMPLED.format(size=batch.size, answers=self.round.answers))
        texts = None
        if settings.keep_text and columns.text:
            sampled = sampled_texts(
                self.answers, [1], baseline=settings.baseline, seed=settings.seed
            )
            texts = {"sample": sampled[1], "typical": _typical(batch, settings.seed)}
        return MeasuredRound(
            round=self.round,
            readings=readings,
            summary=self._summary(batch) if self.rows else None,
            texts=texts,
            note="; ".join(notes) or None,
            keys=tuple(row.key for row in self.rows) if self._is_sample else None,
        )

    @property
    def _is_sample(self) -> bool:
        """Whether other answers of the round were counted and are not stored."""
        return self.sample.totals.answers > len(self.rows)

    def _summary(self, batch: RoundAnswers) -> RoundSummary:
        summary, totals = RoundSummary.of(batch), self.sample.totals
        if not self._is_sample:
            return summary
        # Exact but for the vectors, of which the sample has some.
        groups = totals.groups if summary.groups else {}
        return replace(totals, groups=groups, scatter=summary.scatter)


def _typical(batch: RoundAnswers, seed: int) -> list[str]:
    sample = sample_of(batch, seed)
    return [] if sample is None else typical(*sample)


def _drawn(
    rows: Sequence[AnswerOfRound], measured: MeasuredRound, settings: StreamSettings
) -> Drawn | None:
    """Return a random sample of answers to check, as many as the settings and the rules ask for."""
    asked = [
        action.items for _, action in measured.taken.actions if action.kind is ActionKind.REVIEW
    ]
    size = max([settings.review, *asked])
    with_text = [row for row in rows if row.text]
    if not size or not with_text or not settings.keep_text:
        return None
    rng = random_stream(settings.seed, block=measured.round.number)
    places = rng.permutation(len(with_text))[:size]
    answers = len(with_text)
    if measured.round.answers > most_measured(settings):
        # A sample of a sample is one of all answers.
        answers = measured.round.answers
    return Drawn(rows=tuple(with_text[int(place)] for place in places), size=answers)


def _conclude(measured: MeasuredRound, live: LiveStream) -> None:
    """Set how the stream is after a round."""
    measured.state, measured.headline = live.state, live.headline
    alarming = [
        _alarm_record(one.request.text, verdict)
        for one, verdict in live.standing
        if verdict is not None
    ]
    for _, action in measured.taken.actions:
        alarming += [_alarm_record(verdict.chart, verdict) for verdict in action.evidence]
    measured.alarming = alarming


def _alarm_record(chart: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "metric": verdict.metric,
        "group": verdict.group,
        "chart": chart,
        "value": verdict.value,
        "statistic": verdict.statistic,
        "limit": verdict.limit,
        "evidence": verdict.evidence,
        "since": verdict.since,
        "since_name": verdict.since_name if verdict.since is not None else None,
    }
