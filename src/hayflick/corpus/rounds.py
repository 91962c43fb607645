"""Assign answers to rounds: labels in the order of numbers, times or appearance."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

import polars as pl

from hayflick.core.errors import ArgumentError, DataError, listed

_MOST_PERIODS = 1_000_000
_DURATION = re.compile(r"([1-9][0-9]*)(m|h|d|w|mo|q|y)")
_SHORTEST_DAYS = {"m": 1 / 1440, "h": 1 / 24, "d": 1, "w": 7, "mo": 28, "q": 90, "y": 365}


@dataclass(frozen=True, eq=False)
class RoundOrder:
    """The rounds of a stream.

    Parameters
    ----------
    names
        Their names, in order; round k is ``names[k - 1]``.
    places
        Number of the round of each label.
    """

    names: tuple[str, ...]
    places: dict[str, int]


def round_order(labels: Sequence[str], *, every: str | None = None) -> RoundOrder:
    """Return the order of labels: numeric, chronological, or else by appearance.

    Parameters
    ----------
    labels
        The labels, each once, in the order of appearance.
    every
        Length of a round, if labels are times: ``1h``, ``1d``, ``1w``, ``1mo``. Periods without
        a label are rounds too. None makes each label a round.

    Raises
    ------
    ArgumentError
        If `every` is not such a length.
    DataError
        If most labels are numbers or times but a few are not, or if some are not times although
        `every` is given.

    Examples
    --------
    >>> round_order(["10", "9"]).names
    ('9', '10')
    >>> round_order(["2026-11-03", "2026-11-01T08:00"], every="1d").names
    ('2026-11-01', '2026-11-02', '2026-11-03')
    """
    if every is not None:
        return _periods(labels, every)
    readers: dict[str, Callable[[str], object]] = {"number": _number, "time": _time}
    for kind, read in readers.items():
        keys = [read(label) for label in labels]
        others = [label for label, key in zip(labels, keys, strict=True) if key is None]
        if not others:
            return _sorted(labels, keys)
        if 2 * len(others) < len(labels):
            # One odd label would put all rounds in the order of appearance.
            remedy = "mend or remove these rows"
            raise DataError(f"by: is no {kind}, as most rounds are: {listed(others)}; {remedy}")
    return RoundOrder(tuple(labels), {label: place for place, label in enumerate(labels, 1)})


def _sorted(labels: Sequence[str], keys: Sequence[object]) -> RoundOrder:
    """Return the order of labels by their keys; labels with equal keys are one round."""
    pairs = sorted(zip(keys, labels, strict=True), key=lambda pair: pair[0])  # type: ignore[arg-type,return-value]
    names: list[str] = []
    places: dict[str, int] = {}
    last: object = None
    for key, label in pairs:
        if not names or key != last:
            names.append(label)
        places[label] = len(names)
        last = key
    return RoundOrder(tuple(names), places)


def _periods(labels: Sequence[str], every: str) -> RoundOrder:
    length = _DURATION.fullmatch(every)
    if length is None:
        takes = "a number and a unit: m, h, d, w, mo, q or y, such as 1d"
        raise ArgumentError("every", got=every, takes=takes)
    times = [_time(label) for label in labels]
    wrong = [label for label, time in zip(labels, times, strict=True) if time is None]
    if wrong:
        takes = "takes ISO 8601, such as 2026-11-03T08:00"
        raise DataError(f"by: is no time: {listed(wrong)}; {takes}")
    stamps = pl.Series("time", times, dtype=pl.Datetime("us"))
    starts: list[datetime] = stamps.dt.truncate(every).to_list()
    shortest = timedelta(days=int(length[1]) * _SHORTEST_DAYS[length[2]])
    if (max(starts) - min(starts)) / shortest > _MOST_PERIODS:
        takes = f"a length that gives at most {_MOST_PERIODS:,} rounds"
        raise ArgumentError("every", got=every, takes=takes)
    periods = pl.select(pl.datetime_range(min(starts), max(starts), interval=every)).to_series()
    place = {start: number for number, start in enumerate(periods.to_list(), 1)}
    names = tuple(_name(start) for start in place)
    places = {label: place[start] for label, start in zip(labels, starts, strict=True)}
    return RoundOrder(names, places)


def _name(start: datetime) -> str:
    midnight = start.hour == start.minute == 0
    return start.date().isoformat() if midnight else start.isoformat(timespec="minutes")


def _number(label: str) -> Decimal | None:
    """Return the exact number that a label spells."""
    try:
        number = Decimal(label.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _time(label: str) -> datetime | None:
    """Return the time that a label spells, in UTC if it names a zone."""
    try:
        time = datetime.fromisoformat(label.strip())
    except ValueError:
        return None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
