"""Store what was found of rounds, and tell what follows, in one transaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from hayflick.core.records import Action, State
from hayflick.monitor.changed_phrases import phrased_rounds
from hayflick.monitor.round_summary import RoundSummary
from hayflick.monitor.state_file import reading_record
from hayflick.service.live_stream import LiveStream
from hayflick.service.round_measuring import MeasuredRound
from hayflick.service.round_samples import most_measured, thin_round
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.actions import record_action
from hayflick.storage.alerts import clear_alarm, raise_alarm
from hayflick.storage.answers import digests_of_keys, number_in_time
from hayflick.storage.changes import record_change
from hayflick.storage.readings import (
    ReadingRow,
    add_readings,
    add_to_rollup,
    add_verdicts,
    delete_verdicts,
    drop_texts_of_answers,
    drop_texts_of_round,
    finish_round,
    store_progress,
)
from hayflick.storage.reviews import add_reviews
from hayflick.storage.round_samples import drop_samples
from hayflick.storage.streams import StreamRow

_PERIODS = {"hour": 3600.0, "day": 86_400.0}


def store_rounds(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    live: LiveStream,
    found: Sequence[MeasuredRound],
    *,
    now: float,
) -> None:
    """Store rounds that follow one another, and what they lead to.

    Parameters
    ----------
    connection
        In a transaction for writing that holds the row of the stream.
    stream, settings
        The stream, as its row is now.
    live
        The stream, which has taken the rounds.
    found
        The rounds.
    now
        The time.
    """
    first, last = found[0].round.number, found[-1].round.number
    begins = stream.measured_round == 0
    for one in found:
        _leave_out_erased(connection, stream, one)
        _store(connection, stream, one)
        _reviews(connection, stream, one, now=now)
        for group, action in one.taken.actions:
            content = _action_record(action, one)
            number, kind = one.round.number, action.kind.value
            record_action(connection, stream, number, group, kind, content, now=now)
        if not begins or one is found[-1]:
            stream = _store_state(connection, stream, one, now=now)
    if not settings.keep_text:
        drop_texts_of_answers(connection, stream.id, first, last)
    if settings.capacity is not None:
        _settle_samples(connection, stream, settings, found)
    kept = set(phrased_rounds(last, settings.baseline))
    for number in range(max(1, first - settings.baseline), last + 1):
        if number not in kept:
            drop_texts_of_round(connection, stream.id, number)
    live.store(connection, stream.id)


def _settle_samples(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    found: Sequence[MeasuredRound],
) -> None:
    """Keep the answers that were measured, and no others."""
    most, numbers = most_measured(settings), [one.round.number for one in found]
    for number in numbers:
        thin_round(connection, stream.id, number, most=most, seed=settings.seed)
    drop_samples(connection, stream.id, numbers[0], numbers[-1])


def _leave_out_erased(connection: sa.Connection, stream: StreamRow, one: MeasuredRound) -> None:
    """Keep no texts of answers that were erased before their round was measured, or meanwhile."""
    if one.texts is None and one.drawn is None:
        return
    if one.keys is not None:
        whole = len(digests_of_keys(connection, stream.id, one.keys)) == len(one.keys)
    else:
        whole = number_in_time(connection, stream.id, one.round.number) == one.round.answers
    if whole:
        return
    one.texts = None
    if one.drawn is not None:
        held = digests_of_keys(connection, stream.id, [row.key for row in one.drawn.rows])
        rows = tuple(row for row in one.drawn.rows if row.key in held)
        one.drawn = replace(one.drawn, rows=rows)


def _store(connection: sa.Connection, stream: StreamRow, one: MeasuredRound) -> None:
    number = one.round.number
    rows = [
        ReadingRow(number, group, reading_record(reading))
        for group, reading in one.readings.items()
    ]
    add_readings(connection, stream.id, rows)
    if one.taken.anew:
        delete_verdicts(connection, stream.id)
    add_verdicts(connection, stream.id, one.taken.verdicts)
    summary = None if one.summary is None else one.summary.record()
    finish_round(
        connection,
        stream.id,
        number,
        note=one.note,
        failed=one.failed,
        summary=summary,
        texts=one.texts,
    )
    at = one.round.begins if one.round.begins is not None else one.round.closed
    if summary is None or at is None:
        return
    for period, length in _PERIODS.items():
        add_to_rollup(
            connection,
            stream.id,
            period,
            math.floor(at / length) * length,
            answers=one.round.answers,
            summary=summary,
            merge=_merged,
        )


def _merged(before: Any, later: Any) -> Any:
    return RoundSummary.of_record(before).merge(RoundSummary.of_record(later)).record()


def _reviews(
    connection: sa.Connection, stream: StreamRow, one: MeasuredRound, *, now: float
) -> None:
    if one.drawn is not None:
        rows = [
            {"key": row.key, "group": row.group, "prompt": row.prompt, "text": row.text}
            for row in one.drawn.rows
        ]
        add_reviews(connection, stream, one.round.number, rows, one.drawn.size, now=now)


def _action_record(action: Action, one: MeasuredRound) -> dict[str, Any]:
    return {
        "reason": action.reason,
        "items": action.items,
        "rounds": action.rounds,
        "texts": list(action.texts),
        "round_name": one.round.name,
    }


def _store_state(
    connection: sa.Connection, stream: StreamRow, one: MeasuredRound, *, now: float
) -> StreamRow:
    """Store how a stream is after a round, and tell whoever is to know."""
    number, name = one.round.number, one.round.name
    state = one.state.value
    since = stream.state_since if state == stream.state else now
    headline = None if one.headline is None else one.headline.text()
    store_progress(
        connection,
        stream.id,
        measured_round=number,
        state=state,
        state_since=since,
        headline=headline,
    )
    content = {"stream": stream.name, "round": number, "name": name, "state": state}
    record_change(connection, stream.project, "round", content, now=now, stream=stream.id)
    if state != stream.state:
        content = {**content, "before": stream.state}
        record_change(connection, stream.project, "state", content, now=now, stream=stream.id)
    if one.state is State.ALARM:
        alarm = {"round_name": name, "charts": list(one.alarming)}
        raise_alarm(connection, stream, round=number, content=alarm, now=now)
    elif stream.state == State.ALARM.value:
        clear_alarm(connection, stream, round=number, now=now)
    return replace(stream, measured_round=number, state=state, state_since=since, headline=headline)
