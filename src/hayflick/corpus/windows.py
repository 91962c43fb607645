"""The windows of time that rounds are: hours, days, weeks or months of a zone's clock."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from hayflick.core.errors import ArgumentError
from hayflick.corpus.instants import instants_of, offsets
from hayflick.corpus.labels import labels_of

MOST_PERIODS = 1_000_000
"""Largest number of windows that a stream is cut into."""

_DURATION = re.compile(r"([1-9][0-9]{0,5})(m|min|h|d|w|mo|q|y)")
_SHORTEST_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "mo": 28, "q": 90, "y": 365}
_CLOCK_UNITS = ("m", "h")


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises
    ------
    ArgumentError
        If there is no such zone; the nearest name is offered.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        known = sorted(available_timezones())
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        remedy = f"did you mean {near[0]}?" if near else ""
        takes = "an IANA name such as Europe/Berlin, Asia/Tokyo or UTC"
        raise ArgumentError("time_zone", got=name, takes=takes, remedy=remedy) from None


def shortest_length(every: str) -> timedelta:
    """Return the length of a window, of the shortest where months and years differ.

    Raises
    ------
    ArgumentError
        If `every` is no length.

    Examples
    --------
    >>> shortest_length("15m"), shortest_length("1mo")
    (datetime.timedelta(seconds=900), datetime.timedelta(days=28))
    """
    number, unit = _length(every)
    return timedelta(days=number * _SHORTEST_DAYS[unit])


def _length(every: str) -> tuple[int, str]:
    """Return a length as a number and its unit; minutes are m or min."""
    found = _DURATION.fullmatch(every)
    if found is None:
        takes = "a number and a unit: m, h, d, w, mo, q or y, such as 1d"
        raise ArgumentError("every", got=every, takes=takes)
    return int(found[1]), "m" if found[2] == "min" else found[2]


@dataclass(frozen=True)
class Windows:
    """Windows of equal length, one after the other, in the zone's calendar.

    Hours are of equal length, from the first day's midnight on; days, weeks and months are those of
    the zone's calendar, also where clocks are changed. A window is known by its `start`: what the
    zone's clock shows when it begins, for hours the clock of the first day.

    Parameters
    ----------
    every
        Their length: ``15m``, ``1h``, ``1d``, ``1w``, ``1mo``.
    zone
        The zone; None for times as they stand.
    first
        The first time of the stream, in UTC.

    Raises
    ------
    ArgumentError
        If `every` is not such a length.

    Examples
    --------
    >>> days = Windows("1d", ZoneInfo("Asia/Tokyo"), datetime(2026, 11, 3))
    >>> start = days.starts([datetime(2026, 11, 3, 16)])[0]
    >>> days.name(start), days.begins(start)
    ('2026-11-04', datetime.datetime(2026, 11, 3, 15, 0))
    """

    every: str
    zone: ZoneInfo | None
    first: datetime

    def __post_init__(self) -> None:
        shortest_length(self.every)

    @property
    def shortest(self) -> timedelta:
        """Length of the shortest of them."""
        return shortest_length(self.every)

    def starts(self, instants: Sequence[datetime]) -> list[datetime]:
        """Return the start of the window that each time, in UTC, is in."""
        return self.starts_of(pl.Series("time", instants, dtype=pl.Datetime("us"))).to_list()

    def starts_of(self, instants: pl.Series) -> pl.Series:
        """Return the starts as `starts` does, of many times."""
        return (instants + self._offsets(instants)).dt.truncate(self._interval)

    def between(self, first: datetime, last: datetime) -> list[datetime]:
        """Return all starts from the first one to the last one."""
        return (
            pl.select(pl.datetime_range(first, last, interval=self._interval)).to_series().to_list()
        )

    def following(self, start: datetime) -> datetime:
        """Return the start of the next window."""
        following: datetime = pl.Series([start]).dt.offset_by(self._interval)[0]
        return following

    def begins(self, start: datetime) -> datetime:
        """Return when a window begins, in UTC."""
        if self.zone is None:
            return start
        if self._by_clock:
            return start - self._offset(start)
        return start.replace(tzinfo=self.zone).astimezone(UTC).replace(tzinfo=None)

    def name(self, start: datetime) -> str:
        """Return the name of a window: when it begins."""
        if self.zone is not None and self._by_clock:
            instant = self.begins(start).replace(tzinfo=UTC)
            return instant.astimezone(self.zone).isoformat(timespec="minutes")
        midnight = start.hour == start.minute == 0
        return start.date().isoformat() if midnight else start.isoformat(timespec="minutes")

    @property
    def _interval(self) -> str:
        number, unit = _length(self.every)
        return f"{number}{unit}"

    @property
    def _by_clock(self) -> bool:
        return self._interval.endswith(_CLOCK_UNITS)

    def _offsets(self, instants: pl.Series) -> pl.Series | timedelta:
        if self.zone is None or self._by_clock:
            return self._offset(self.first)
        return offsets(instants, self.zone, local=False)

    def _offset(self, instant: datetime) -> timedelta:
        """Return what the zone's clock is ahead of UTC at a time in UTC."""
        if self.zone is None:
            return timedelta(0)
        at = self.first if self._by_clock else instant
        return at.replace(tzinfo=UTC).astimezone(self.zone).utcoffset() or timedelta(0)


def earliest(instants: pl.Series) -> datetime:
    """Return the first of some times."""
    first: datetime = instants.sort()[0]
    return first


_LENGTHS = ("1w", "1d", "6h", "1h", "10m", "1m")
_LEAST_ROUNDS = _LEAST_ANSWERS = 20


def longest_windows(times: pl.Series, *, time_zone: str | None = None) -> str | None:
    """Return the longest windows that give at least 20 rounds of at least 20 answers.

    Parameters
    ----------
    times
        When each answer was given, as text or numbers; missing times are left out.
    time_zone
        The zone in which days are counted; see `hayflick.corpus.rounds.round_order`.

    Returns
    -------
    One of ``1w``, ``1d``, ``6h``, ``1h``, ``10m``, ``1m``. None if there are too few answers for
    any of them, or fewer than half of the rounds with answers would have 20.

    Raises
    ------
    DataError
        If some are no times, or cannot be told; as `hayflick.corpus.rounds.round_order`.

    Examples
    --------
    >>> times = pl.Series([1790086400 + 1800 * number for number in range(24 * 2 * 25)])
    >>> longest_windows(times)
    '1d'
    """
    zone = None if time_zone is None else zone_named(time_zone)
    labels = times.drop_nulls()
    if labels.dtype != pl.String:
        labels = labels.to_frame("by").select(labels_of("by", labels.dtype)).to_series()
    if len(labels) < _LEAST_ROUNDS * _LEAST_ANSWERS:
        return None
    counted = labels.value_counts(name="answers")
    instants, _ = instants_of(counted.to_series(0), zone)
    return next(
        (
            every
            for every in _LENGTHS
            if _fits(Windows(every, zone, earliest(instants)), instants, counted["answers"])
        ),
        None,
    )


def _fits(windows: Windows, instants: pl.Series, answers: pl.Series) -> bool:
    """Return whether enough windows, and most of those with answers, have enough answers."""
    starts = windows.starts_of(instants)
    found = pl.DataFrame({"start": starts, "answers": answers}).group_by("start").sum()
    if (max(found["start"]) - min(found["start"])) / windows.shortest > MOST_PERIODS:
        return False
    full = int((found["answers"] >= _LEAST_ANSWERS).sum())
    return full >= _LEAST_ROUNDS and 2 * full >= len(found)
