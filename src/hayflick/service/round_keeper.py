"""The worker that closes rounds by the clock, measures and stores them, and says what follows.

A round is measured exactly once: what is found of it is stored in one transaction, which holds the
row of the stream and changes nothing if another process was faster.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from hayflick.core.errors import HayflickError
from hayflick.core.records import Action, State
from hayflick.corpus.windows import shortest_length
from hayflick.monitor.changed_phrases import phrased_rounds
from hayflick.monitor.round_summary import RoundSummary
from hayflick.monitor.state_file import reading_record
from hayflick.service.live_stream import LiveStream
from hayflick.service.round_measuring import MeasuredRound, begun_stream, measured_rounds
from hayflick.service.round_samples import most_measured, thin_round
from hayflick.service.service import Service, Worker
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import settings_of
from hayflick.storage.actions import record_action
from hayflick.storage.alerts import clear_alarm, clear_silence, raise_alarm, raise_silence
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
    note_round,
    store_progress,
    store_silence,
)
from hayflick.storage.reviews import add_reviews
from hayflick.storage.rounds import (
    close_due_rounds,
    close_later,
    drop_samples,
    due_rounds,
    measuring_lock,
    rounds_of,
    unmeasured_streams,
)
from hayflick.storage.streams import StreamRow, answered_streams, stream_numbered

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


_SECONDS_BETWEEN = 0.5
_SILENCE_EVERY_S = 5.0
_LONGEST_PAUSE_S = 10.0
"""Between two looks while the store fails."""

_MOST_LIVE = 200
"""Streams whose charts are held in memory."""

_TOGETHER = 50
"""Rounds that are stored in one transaction, where many wait."""

_STREAMS_TOGETHER = 20
"""Streams of a project that are measured before it is another project's turn."""

_RETRY_S = (1.0, 10.0, 60.0)
"""Seconds after which measuring is tried again."""

_log = logging.getLogger(__name__)


class RoundKeeper(Worker):
    """Closes rounds, measures them, and sees which streams have gone silent.

    Parameters
    ----------
    service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._live: OrderedDict[int, LiveStream] = OrderedDict()
        self._failures: dict[int, tuple[int, float]] = {}
        # The stream of each project that was measured last.
        self._turns: dict[int, int] = {}
        self._next_silence = 0.0
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hayflick rounds", daemon=True)

    @override
    def start(self) -> None:
        self._thread.start()

    @override
    def stop(self) -> None:
        self._ended.set()
        self._woken.set()
        self._thread.join()

    @override
    def wake(self) -> None:
        self._woken.set()

    def _run(self) -> None:
        with suppress(HayflickError):
            self.give_grace()
        pause = _SECONDS_BETWEEN
        while not self._ended.is_set():
            self._woken.wait(_SECONDS_BETWEEN)
            self._woken.clear()
            try:
                self.work()
                pause = _SECONDS_BETWEEN
            except Exception:
                # The store fails: the next look finds what is left to do.
                _log.exception("rounds could not be closed")
                self._live.clear()
                self._ended.wait(pause)
                pause = min(2.0 * pause, _LONGEST_PAUSE_S)

    def give_grace(self) -> None:
        """Let windows that ended while the service was away have their grace from now on.

        Senders that could not reach it send what they have once it is back.
        """
        service, now = self._service, self._service.clock.now()
        with service.database.connect() as connection:
            due = due_rounds(connection, now=now)
        for number in due:
            service.writer.write(partial(_give_grace, number=number, now=now))

    def work(self) -> int:
        """Do all that is to be done now, and return the number of rounds that were measured."""
        measured = 0
        while some := self._look():
            measured += some
        return measured

    def _look(self) -> int:
        """Close rounds, and measure some of each stream, and some streams of each project.

        So nobody waits for all the rounds of somebody else.
        """
        service, now = self._service, self._service.clock.now()
        with service.database.connect() as connection:
            due = due_rounds(connection, now=now)
        for number in due:
            service.writer.write(partial(_close, number=number, now=now))
        with service.database.connect() as connection:
            waiting = unmeasured_streams(connection)
        measured = 0
        for project, streams in waiting.items():
            # Those first whose turn it was not when the last ones were measured.
            last, done = self._turns.get(project, 0), 0
            for number in sorted(streams, key=lambda one: (one <= last, one)):
                if self._ended.is_set() or done == _STREAMS_TOGETHER:
                    break
                found = self._measured(number, now)
                if found:
                    self._turns[project] = number
                    done += 1
                    measured += found
        if now >= self._next_silence:
            self._next_silence = now + _SILENCE_EVERY_S
            self._see_silence(now)
        return measured

    def _measured(self, number: int, now: float) -> int:
        """Measure some rounds of a stream, and return how many; a fault is that stream's alone."""
        if self._failures.get(number, (0, 0.0))[1] > now:
            return 0
        try:
            return self._measure(number)
        except Exception:
            # Nothing of it was stored.
            _log.exception("the rounds of a stream could not be kept")
            self._live.pop(number, None)
            self._failures[number] = (0, now + _RETRY_S[-1])
            return 0

    def _measure(self, number: int) -> int:
        """Measure some rounds of a stream that wait, and return how many there were."""
        with measuring_lock(self._service.database, number) as held:
            return self._measure_some(number) if held else 0

    def _measure_some(self, number: int) -> int:
        database = self._service.database
        with database.connect() as connection:
            stream = stream_numbered(connection, number)
            settings = settings_of(stream)
            waiting = rounds_of(
                connection,
                number,
                after=stream.measured_round,
                most=max(_TOGETHER, settings.baseline),
                status="closed",
            )
        expected = range(stream.measured_round + 1, stream.measured_round + len(waiting) + 1)
        waiting = [one for one, place in zip(waiting, expected, strict=True) if one.number == place]
        is_new = stream.measured_round == 0
        if not waiting or (is_new and len(waiting) < settings.baseline):
            return 0
        attempts = self._failures.get(number, (0, 0.0))[0]
        try:
            with database.connect() as connection:
                if is_new:
                    live, found = begun_stream(
                        connection, stream, settings, waiting[: settings.baseline]
                    )
                else:
                    live = self._found(connection, stream, settings)
                    found = measured_rounds(
                        connection,
                        live,
                        stream,
                        waiting[:_TOGETHER],
                        gives_up=attempts >= len(_RETRY_S) - 1,
                    )
        except Exception as fault:
            self._live.pop(number, None)
            self._failed(stream, waiting[0].number + (settings.baseline - 1) * is_new, fault)
            return 0
        self._failures.pop(number, None)
        return self._store(stream, settings, live, found)

    def _store(
        self,
        stream: StreamRow,
        settings: StreamSettings,
        live: LiveStream,
        found: Sequence[MeasuredRound],
    ) -> int:
        """Store what was found; 0 if another process was faster."""
        now = self._service.clock.now()

        def job(connection: sa.Connection) -> bool:
            row = stream_numbered(connection, stream.id, lock=True)
            if row.measured_round != stream.measured_round:
                return False
            store_rounds(connection, row, settings, live, found, now=now)
            return True

        self._live.pop(stream.id, None)
        if not self._service.writer.write(job):
            return 0
        # What is in memory is what is in the store.
        self._live[stream.id] = live
        while len(self._live) > _MOST_LIVE:
            self._live.popitem(last=False)
        self._service.wake()
        return len(found)

    def _found(
        self, connection: sa.Connection, stream: StreamRow, settings: StreamSettings
    ) -> LiveStream:
        live = self._live.get(stream.id)
        if live is not None and live.goes_on(connection, stream, settings):
            return live
        loaded = LiveStream.loaded(connection, stream, settings)
        assert loaded is not None
        return loaded

    def _failed(self, stream: StreamRow, number: int, fault: Exception) -> None:
        """Note that a round cannot be measured now, and when that is tried again."""
        attempts = self._failures.get(stream.id, (0, 0.0))[0]
        delay = _RETRY_S[min(attempts, len(_RETRY_S) - 1)]
        self._failures[stream.id] = (attempts + 1, self._service.clock.now() + delay)
        if isinstance(fault, HayflickError):
            reason = str(fault)
        else:
            _log.error("stream %r cannot be measured", stream.name, exc_info=fault)
            reason = f"{type(fault).__name__}: {fault}"
        if attempts == 0:
            self._service.writer.write(
                lambda connection: note_round(connection, stream.id, number, reason[:2000])
            )

    def _see_silence(self, now: float) -> None:
        """Raise the alerts of streams that have gone silent, and clear those that have not."""
        with self._service.database.connect() as connection:
            streams = answered_streams(connection)
        for stream in streams:
            last = stream.last_answer
            assert last is not None
            longest = _longest_silence(stream.settings)
            if stream.silent_since is None and longest and now - last > longest:
                self._service.writer.write(partial(_go_silent, number=stream.id, now=now))
            elif stream.silent_since is not None and last > stream.silent_since:
                self._service.writer.write(partial(_speak, number=stream.id, now=now))


def _close(connection: sa.Connection, *, number: int, now: float) -> None:
    stream_numbered(connection, number, lock=True)
    close_due_rounds(connection, number, now=now)


def _give_grace(connection: sa.Connection, *, number: int, now: float) -> None:
    settings = settings_of(stream_numbered(connection, number, lock=True))
    close_later(connection, number, now + settings.grace_s, now=now)


def _go_silent(connection: sa.Connection, *, number: int, now: float) -> None:
    row = stream_numbered(connection, number, lock=True)
    last, longest = row.last_answer, _longest_silence(row.settings)
    if last is not None and row.silent_since is None and longest and now - last > longest:
        store_silence(connection, number, last)
        raise_silence(connection, row, now=now)


def _speak(connection: sa.Connection, *, number: int, now: float) -> None:
    row = stream_numbered(connection, number, lock=True)
    if row.silent_since is not None and (row.last_answer or 0.0) > row.silent_since:
        store_silence(connection, number, None)
        clear_silence(connection, row, now=now)


@lru_cache(maxsize=4096)
def _longest_silence(text: str) -> float:
    """Return the seconds after which a stream with these settings is silent; 0 for never."""
    settings = StreamSettings.model_validate_json(text)
    length = 3600.0
    if isinstance(settings.every, str):
        length = shortest_length(settings.every).total_seconds()
    return settings.silent_after * length
