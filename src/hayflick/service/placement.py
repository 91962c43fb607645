"""Which round an answer goes into.

A round is a number of answers, or a window of time. Rounds of a number of answers take answers in
the order in which they come, and are closed when they are full. Windows take answers by the time at
which they were given, and are closed some time after their end, so that two may be open at once;
answers to a window that is closed are late. Windows between answers are rounds too, without any.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa

from hayflick.corpus.windows import Windows, zone_named
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.rounds import (
    RoundRow,
    add_rounds,
    add_to_stream,
    close_rounds,
    count_answers,
    latest_rounds,
    round_numbered,
    rounds_of,
)
from hayflick.storage.streams import StreamRow

_LONGEST_PAST = 10_000
"""Windows that a stream may begin before the time of its first answer's arrival."""


_WINDOWS_BACK = 32
"""Windows that are looked at first for an answer that was given before the last one began."""


class Placed(NamedTuple):
    """Where an answer goes.

    Parameters
    ----------
    round
        Number of the round; 0 for an answer that was given before the first round.
    late
        Whether it came too late to be measured.
    at
        The time at which it was given, which is stored: one in the future counts as now.
    name
        Name of the round; empty for none.
    """

    round: int
    late: bool
    at: float
    name: str


def place(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    items: Sequence[tuple[float, int]],
    *,
    now: float,
) -> list[Placed]:
    """Return where answers go, and count them: rounds are made and closed as it takes.

    Parameters
    ----------
    connection
        In a transaction for writing that holds the row of the stream.
    stream
        The stream, as its row is now.
    settings
        Its settings.
    items
        The time at which each answer was given, and how many answers it stands for.
    now
        The time.
    """
    if not items:
        return []
    # A time is stored, and exported, to the microsecond.
    given = [(round(min(at, now), 6), weight) for at, weight in items]
    if isinstance(settings.every, int):
        return _by_number(connection, stream, settings.every, given, now=now)
    return _by_time(connection, stream, settings, given, now=now)


def _by_number(
    connection: sa.Connection,
    stream: StreamRow,
    every: int,
    items: Sequence[tuple[float, int]],
    *,
    now: float,
) -> list[Placed]:
    number, held = stream.open_round, stream.open_answers
    placed: list[Placed] = []
    counted: dict[int, int] = {}
    new = {number} if held == 0 else set()
    full: list[int] = []
    for at, weight in items:
        placed.append(Placed(number, at=at, late=False, name=str(number)))
        counted[number] = counted.get(number, 0) + weight
        held += weight
        if held >= every:
            full.append(number)
            number, held = number + 1, 0
            new.add(number)
    add_rounds(connection, [RoundRow.of_number(stream.id, one) for one in counted if one in new])
    count_answers(connection, stream.id, {one: (total, 0) for one, total in counted.items()})
    close_rounds(connection, stream.id, full, now=now)
    add_to_stream(
        connection,
        stream.id,
        open_round=number,
        open_answers=held,
        answers=sum(counted.values()),
        late=0,
        now=now,
    )
    return placed


def _by_time(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    items: Sequence[tuple[float, int]],
    *,
    now: float,
) -> list[Placed]:
    times = [at for at, _ in items]
    last = next(iter(latest_rounds(connection, stream.id, most=1)), None)
    made = _new_windows(connection, stream, settings, last, times, now=now)
    add_rounds(connection, made)
    known = [] if last is None else _known_windows(connection, last, times)
    known += made
    begins = [one.begins or 0.0 for one in known]
    placed: list[Placed] = []
    counted: dict[int, tuple[int, int]] = {}
    for at, weight in items:
        place = bisect.bisect_right(begins, at) - 1
        found = known[place] if place >= 0 else None
        late = found is None or found.status != "open"
        number, name = (0, "") if found is None else (found.number, found.name)
        placed.append(Placed(number, late, at, name))
        answers, behind = counted.get(number, (0, 0))
        counted[number] = (answers, behind + weight) if late else (answers + weight, behind)
    count_answers(connection, stream.id, counted)
    open_round = known[-1].number if known else stream.open_round
    held = 0 if made else stream.open_answers
    add_to_stream(
        connection,
        stream.id,
        open_round=open_round,
        open_answers=held + counted.get(open_round, (0, 0))[0],
        answers=sum(map(sum, counted.values())),
        late=sum(late for _, late in counted.values()),
        now=now,
    )
    return placed


def _known_windows(
    connection: sa.Connection, last: RoundRow, times: Sequence[float]
) -> list[RoundRow]:
    """Return the windows that some times may be in, of those that there are, without gaps."""
    assert last.begins is not None
    if min(times) >= last.begins:
        return [last]
    first = round_numbered(connection, last.stream, 1)
    assert first is not None
    assert first.begins is not None
    earliest = min((at for at in times if at >= first.begins), default=last.begins)
    back = _WINDOWS_BACK
    while True:
        known = rounds_of(connection, last.stream, after=max(0, last.number - back))
        if known[0].number == 1 or (known[0].begins or 0.0) <= earliest:
            return known
        back *= 8


def _new_windows(
    connection: sa.Connection,
    stream: StreamRow,
    settings: StreamSettings,
    last: RoundRow | None,
    times: Sequence[float],
    *,
    now: float,
) -> list[RoundRow]:
    """Return the windows behind the last one, to that of the latest time."""
    if last is None:
        windows = Windows(str(settings.every), zone_named(settings.time_zone), _instant(now))
        earliest = now - _LONGEST_PAST * windows.shortest.total_seconds()
        later = [at for at in times if at >= earliest]
        if not later:
            return []
        windows = replace(windows, first=_instant(min(later)))
        begin, number = windows.first, 1
    else:
        assert last.ends is not None
        later = [at for at in times if at >= last.ends]
        if not later:
            return []
        windows = _windows(connection, stream.id, settings)
        begin, number = _instant(last.ends), last.number + 1
    first, latest = windows.starts([begin, _instant(max(later))])
    starts = windows.between(first, latest)
    limits = [windows.begins(one) for one in (*starts, windows.following(latest))]
    edges = [one.replace(tzinfo=UTC).timestamp() for one in limits]
    return [
        RoundRow(
            stream=stream.id,
            number=number + place,
            name=windows.name(start),
            begins=edges[place],
            ends=edges[place + 1],
            due=max(edges[place + 1], now) + settings.grace_s,
        )
        for place, start in enumerate(starts)
    ]


def _windows(connection: sa.Connection, stream: int, settings: StreamSettings) -> Windows:
    """Return the windows of a stream that has some: they go on from the first."""
    first = round_numbered(connection, stream, 1)
    assert first is not None
    assert first.begins is not None
    zone = zone_named(settings.time_zone)
    return Windows(str(settings.every), zone, _instant(first.begins))


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
