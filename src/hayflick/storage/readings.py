"""What was measured of the rounds of a stream: readings, verdicts, chart states and roll-ups."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from hayflick.core.records import State, Verdict
from hayflick.storage.service_tables import (
    answers,
    chart_states,
    observers,
    pack,
    readings,
    rollups,
    rounds,
    streams,
    unpack,
    verdicts,
)

LONGEST_LINE = 60
"""Readings that a headline carries."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The number of a stream that lost most, or that comes first where none did.

    Parameters
    ----------
    metric, group
        The number; an empty group is all answers together.
    loss
        Share of its baseline that it lost, negative for a gain; None before there is a baseline.
    before, now
        Its median in the baseline, and its last readings' median; None without either.
    since
        Name of the round in which its change began; None without an alarm.
    line
        Its last readings, `LONGEST_LINE` at most; None for a round without one.
    baseline
        How many of them, from the first on, belong to the baseline.
    """

    metric: str
    group: str = ""
    loss: float | None = None
    before: float | None = None
    now: float | None = None
    since: str | None = None
    line: Sequence[float | None] = ()
    baseline: int = 0

    def text(self) -> str:
        """Return it as it is stored.

        Examples
        --------
        >>> one = Headline(metric="spread", loss=0.25, line=(1.0, None, 0.75))
        >>> Headline.of(one.text()) == one
        True
        """
        row = {name: _plain(value) for name, value in asdict(self).items()}
        return json.dumps({**row, "line": [_plain(one) for one in self.line]}, allow_nan=False)

    @classmethod
    def of(cls, text: str) -> Headline:
        """Return what was stored."""
        row = json.loads(text)
        return cls(**{**row, "line": tuple(row["line"])})


def _plain(value: object) -> object:
    """Return a value that JSON can hold: a number that is not finite is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


class AnswerOfRound(NamedTuple):
    """An answer as it is measured; see `hayflick.storage.service_tables.answers`."""

    key: str
    round: int
    at: float
    group: str | None
    prompt: str | None
    text: str | None
    vector: bytes | None
    numbers: str | None
    weight: int


_MIXED_BY, _PARTS = 48_271, 1_000_003


def answers_of_rounds(
    connection: sa.Connection,
    stream: int,
    first: int,
    last: int | None = None,
    *,
    share: float = 1.0,
) -> list[AnswerOfRound]:
    """Return the answers of rounds that came in time, in the order in which they came.

    Parameters
    ----------
    stream
        Number of the stream.
    first, last
        The rounds, both included; the first alone where `last` is None.
    share
        Below 1, about this share of them, the same whenever it is asked for.
    """
    query = sa.select(*(answers.c[name] for name in AnswerOfRound._fields)).where(
        answers.c.stream == stream,
        answers.c.round.between(first, first if last is None else last),
        sa.not_(answers.c.late),
    )
    if share < 1.0:
        # Numbers that follow one another are mixed well by a multiple of them.
        query = query.where(answers.c.id * _MIXED_BY % _PARTS < int(share * _PARTS))
    found = connection.execute(query.order_by(answers.c.round, answers.c.id))
    return [AnswerOfRound(*row) for row in found]


def rows_of_round(connection: sa.Connection, stream: int, number: int) -> int:
    """Return the number of rows of a round: rows of label counts stand for several answers."""
    query = sa.select(sa.func.count()).where(
        answers.c.stream == stream, answers.c.round == number, sa.not_(answers.c.late)
    )
    return connection.scalar(query) or 0


def drop_texts_of_answers(connection: sa.Connection, stream: int, first: int, last: int) -> None:
    """Remove the texts and prompts of the answers of rounds, both included, late ones too."""
    connection.execute(
        sa.update(answers)
        .where(answers.c.stream == stream, answers.c.round.between(first, last))
        .values(text=None, prompt=None)
    )


def observer_of_stream(connection: sa.Connection, stream: int) -> Any | None:
    """Return what measures the rounds of a stream; None before its baseline is complete."""
    content = connection.scalar(sa.select(observers.c.content).where(observers.c.stream == stream))
    return None if content is None else unpack(content)


def store_observer(connection: sa.Connection, stream: int, record: Any) -> None:
    """Store what measures the rounds of a stream."""
    connection.execute(sa.delete(observers).where(observers.c.stream == stream))
    connection.execute(sa.insert(observers).values(stream=stream, content=pack(record)))


class ReadingRow(NamedTuple):
    """The reading of a round and a group; an empty group is all answers together."""

    round: int
    group: str
    content: Any


def add_readings(connection: sa.Connection, stream: int, rows: Sequence[ReadingRow]) -> None:
    """Store readings."""
    packed = [
        {"stream": stream, "round": one.round, "group": one.group, "content": pack(one.content)}
        for one in rows
    ]
    if packed:
        connection.execute(sa.insert(readings), packed)


def readings_of_stream(
    connection: sa.Connection,
    stream: int,
    *,
    after: int = 0,
    last: int | None = None,
    group: str | None = None,
) -> list[ReadingRow]:
    """Return the readings of a stream by round and group.

    Parameters
    ----------
    stream
        Number of the stream.
    after
        Only those of rounds behind this one.
    last
        Only those of rounds up to this one; None for all.
    group
        Only those of one group, empty for all answers together; None for all.
    """
    query = sa.select(readings.c.round, readings.c.group, readings.c.content)
    query = query.where(readings.c.stream == stream, readings.c.round > after)
    if last is not None:
        query = query.where(readings.c.round <= last)
    if group is not None:
        query = query.where(readings.c.group == group)
    found = connection.execute(query.order_by(readings.c.round, readings.c.group))
    return [ReadingRow(row.round, row.group, unpack(row.content)) for row in found]


class VerdictRow(NamedTuple):
    """The verdict of a chart on a round; rounds without a reading have none."""

    round: int
    metric: str
    group: str
    chart: str
    state: str
    value: float | None
    statistic: float | None
    limit: float | None
    evidence: float | None
    since: int | None

    @classmethod
    def of(cls, verdict: Verdict, chart: str) -> VerdictRow:
        """Return a verdict as it is stored.

        Parameters
        ----------
        verdict
            The verdict.
        chart
            The chart in the grammar of the command line.
        """
        return cls(
            verdict.round,
            verdict.metric,
            verdict.group,
            chart,
            verdict.state.value,
            verdict.value,
            verdict.statistic,
            verdict.limit,
            verdict.evidence,
            verdict.since,
        )


def add_verdicts(
    connection: sa.Connection, stream: int, found: Sequence[tuple[str, Verdict]]
) -> None:
    """Store the verdicts of charts; those without a reading are left out."""
    rows = [
        {"stream": stream, **VerdictRow.of(verdict, chart)._asdict()}
        for chart, verdict in found
        if verdict.state is not State.NO_READING
    ]
    if rows:
        connection.execute(sa.insert(verdicts), rows)


def verdicts_of_stream(
    connection: sa.Connection,
    stream: int,
    *,
    after: int = 0,
    last: int | None = None,
    most: int | None = None,
) -> list[VerdictRow]:
    """Return the verdicts of a stream by round, metric, group and chart.

    Parameters
    ----------
    stream
        Number of the stream.
    after, last
        Only those of rounds behind the one, and up to the other; None for all.
    most
        So many at most; None for all.
    """
    columns = [verdicts.c[name] for name in VerdictRow._fields]
    query = sa.select(*columns).where(verdicts.c.stream == stream, verdicts.c.round > after)
    if last is not None:
        query = query.where(verdicts.c.round <= last)
    order = (verdicts.c.round, verdicts.c.metric, verdicts.c.group, verdicts.c.chart)
    found = connection.execute(query.order_by(*order).limit(most))
    return [VerdictRow(*row) for row in found]


def delete_verdicts(connection: sa.Connection, stream: int) -> None:
    """Remove all verdicts of a stream, whose charts are made anew."""
    connection.execute(sa.delete(verdicts).where(verdicts.c.stream == stream))


def chart_states_of(
    connection: sa.Connection, stream: int
) -> dict[tuple[str, str, str], tuple[int, Any]]:
    """Return the states of a stream's charts, and the round that each has taken up last.

    Keys are metric, group and chart. The key of empty texts holds what all charts share.
    """
    query = sa.select(chart_states).where(chart_states.c.stream == stream)
    return {
        (row.metric, row.group, row.chart): (row.round, unpack(row.content))
        for row in connection.execute(query)
    }


def store_chart_states(
    connection: sa.Connection,
    stream: int,
    states: Mapping[tuple[str, str, str], Any],
    *,
    round: int,  # noqa: A002
) -> None:
    """Store the states of all charts of a stream, after they have taken up a round."""
    connection.execute(sa.delete(chart_states).where(chart_states.c.stream == stream))
    rows = [
        {
            "stream": stream,
            "metric": metric,
            "group": group,
            "chart": chart,
            "round": round,
            "content": pack(state),
        }
        for (metric, group, chart), state in states.items()
    ]
    if rows:
        connection.execute(sa.insert(chart_states), rows)


def finish_round(
    connection: sa.Connection,
    stream: int,
    number: int,
    *,
    note: str | None,
    failed: bool,
    summary: Any | None,
    texts: Any | None,
) -> None:
    """Store that a round is measured, or that it could not be.

    Parameters
    ----------
    stream, number
        The stream, and the round.
    note
        What a reader should know of it; None for nothing.
    failed
        Whether it could not be measured.
    summary, texts
        A `RoundSummary` and a sample of texts as plain values; None without any.
    """
    connection.execute(
        sa.update(rounds)
        .where(rounds.c.stream == stream, rounds.c.number == number)
        .values(
            status="failed" if failed else "measured",
            note=note,
            summary=None if summary is None else pack(summary),
            texts=None if texts is None else pack(texts),
        )
    )


def note_round(connection: sa.Connection, stream: int, number: int, note: str) -> None:
    """Store what a reader should know of a round."""
    this = (rounds.c.stream == stream, rounds.c.number == number)
    connection.execute(sa.update(rounds).where(*this).values(note=note))


def drop_texts_of_round(connection: sa.Connection, stream: int, number: int) -> None:
    """Remove the sample of texts of a round, which is compared with none any more."""
    this = (rounds.c.stream == stream, rounds.c.number == number)
    connection.execute(sa.update(rounds).where(*this).values(texts=None))


def texts_of_rounds(connection: sa.Connection, stream: int) -> dict[int, Any]:
    """Return the samples of texts by the number of the round, in order."""
    query = sa.select(rounds.c.number, rounds.c.texts).where(
        rounds.c.stream == stream, rounds.c.texts.is_not(None)
    )
    found = connection.execute(query.order_by(rounds.c.number))
    return {row.number: unpack(row.texts) for row in found}


def size_of_texts(connection: sa.Connection, stream: int) -> tuple[int, int]:
    """Return how many rounds of a stream have a sample of texts, and the bytes of all samples."""
    query = sa.select(sa.func.count(), sa.func.sum(sa.func.length(rounds.c.texts)))
    these = (rounds.c.stream == stream, rounds.c.texts.is_not(None))
    number, size = connection.execute(query.where(*these)).one()
    return number, int(size or 0)


class RollupRow(NamedTuple):
    """An hour or a day of a stream."""

    period: str
    begins: float
    rounds: int
    answers: int
    summary: Any


def rollups_of_stream(
    connection: sa.Connection, stream: int, period: str, *, after: float = -1.0, most: int = 1000
) -> list[RollupRow]:
    """Return the hours or days of a stream in order.

    Parameters
    ----------
    stream
        Number of the stream.
    period
        ``hour`` or ``day``.
    after
        Only those that begin behind this time.
    most
        So many at most.
    """
    query = sa.select(rollups).where(
        rollups.c.stream == stream, rollups.c.period == period, rollups.c.begins > after
    )
    found = connection.execute(query.order_by(rollups.c.begins).limit(most))
    return [
        RollupRow(row.period, row.begins, row.rounds, row.answers, unpack(row.summary))
        for row in found
    ]


def add_to_rollup(
    connection: sa.Connection,
    stream: int,
    period: str,
    begins: float,
    *,
    answers: int,
    summary: Any,
    merge: Callable[[Any, Any], Any],
) -> None:
    """Add a round to its hour or day.

    Parameters
    ----------
    stream
        Number of the stream.
    period, begins
        ``hour`` or ``day``, and when it begins.
    answers, summary
        Of the round.
    merge
        Returns two summaries in one, all as plain values.
    """
    this = (rollups.c.stream == stream, rollups.c.period == period, rollups.c.begins == begins)
    row = connection.execute(sa.select(rollups).where(*this)).first()
    if row is None:
        made = {"stream": stream, "period": period, "begins": begins, "rounds": 1}
        made |= {"answers": answers, "summary": pack(summary)}
        connection.execute(sa.insert(rollups).values(made))
        return
    connection.execute(
        sa.update(rollups)
        .where(*this)
        .values(
            rounds=row.rounds + 1,
            answers=row.answers + answers,
            summary=pack(merge(unpack(row.summary), summary)),
        )
    )


def store_progress(
    connection: sa.Connection,
    stream: int,
    *,
    measured_round: int,
    state: str,
    state_since: float | None,
    headline: str | None,
) -> None:
    """Store how far a stream is measured, and how it is."""
    connection.execute(
        sa.update(streams)
        .where(streams.c.id == stream)
        .values(
            measured_round=measured_round, state=state, state_since=state_since, headline=headline
        )
    )


def store_silence(connection: sa.Connection, stream: int, since: float | None) -> None:
    """Store since when a stream is silent; None if it is not."""
    connection.execute(sa.update(streams).where(streams.c.id == stream).values(silent_since=since))
