"""The instants that labels name: many at once where all are ISO 8601 or numbers since 1970."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from hayflick.core.errors import DataError, listed
from hayflick.core.notes import Note
from hayflick.corpus.dates import EARLIEST, LATEST, POWERS, Moment, moments

_TIME = pl.Datetime("us")
_AHEAD = pl.Duration("us")
_Times = tuple[pl.Series, pl.Series]
"""What clocks show, and what they are ahead of UTC, null where a label names no zone."""


def instants_of(labels: pl.Series, zone: ZoneInfo | None) -> tuple[pl.Series, list[Note]]:
    """Return times in UTC, or as they stand if none names a zone; and what to say of them.

    Parameters
    ----------
    labels
        The labels, as text.
    zone
        The zone that labels without one are in.

    Raises
    ------
    DataError
        If some are no times, day and month cannot be told apart, or some times name a zone and
        others do not although `zone` is None.

    Examples
    --------
    >>> instants_of(pl.Series(["2026-11-03T08:00+09:00", "2026-11-03T08:00Z"]), None)[0].to_list()
    [datetime.datetime(2026, 11, 2, 23, 0), datetime.datetime(2026, 11, 3, 8, 0)]
    """
    return _in_utc(labels, _iso_times(labels) or _epoch_times(labels) or _any_times(labels), zone)


def moment_instants(labels: Sequence[str], found: Sequence[Moment]) -> tuple[pl.Series, list[Note]]:
    """Return the moments of labels as `instants_of` returns times, without a zone for others.

    Raises
    ------
    DataError
        If some labels name a zone and others do not.
    """
    return _in_utc(pl.Series(labels, dtype=pl.String), _of_moments(found), None)


def _in_utc(
    labels: pl.Series, times: _Times, zone: ZoneInfo | None
) -> tuple[pl.Series, list[Note]]:
    walls, ahead = times
    _refuse_some_zoned(labels, ahead, zone)
    notes = []
    if zone is not None:
        notes.append(Note("days and times are counted in the zone {zone}", zone=zone.key))
        if 0 < ahead.null_count() < len(ahead):
            notes.append(Note("times that name no zone are taken to be in {zone}", zone=zone.key))
    elif ahead.fill_null(timedelta(0)).ne(timedelta(0)).any():
        notes.append(Note("times with a zone are counted in UTC; another one is --time-zone"))
    if zone is not None and ahead.null_count():
        ahead = ahead.fill_null(offsets(walls, zone, local=True))
    return walls - ahead.fill_null(timedelta(0)), notes


def instant(moment: Moment) -> datetime:
    """Return a moment in UTC, or as it stands if it names no zone."""
    return moment.wall - (moment.offset or timedelta(0))


def offsets(times: pl.Series, zone: ZoneInfo, *, local: bool) -> pl.Series:
    """Return what a zone's clock is ahead of UTC.

    Parameters
    ----------
    times
        Times in UTC; if `local`, what the zone's clock shows.
    zone
        The zone.
    local
        What `times` are.

    Examples
    --------
    >>> times = pl.Series([datetime(2026, 3, 29, 0, 59), datetime(2026, 3, 29, 1)])
    >>> offsets(times, ZoneInfo("Europe/Berlin"), local=False).dt.total_hours().to_list()
    [1, 2]
    """
    # The clock is read once a day where it has not changed in the day.
    days = times.dt.truncate("1d")
    kept = {day: _ahead(day, zone, local=local) for day in days.unique()}
    changed = {
        day for day, ahead in kept.items() if _ahead(day + timedelta(1), zone, local=local) != ahead
    }
    found = days.replace_strict(list(kept), list(kept.values()), return_dtype=_AHEAD)
    if not changed:
        return found
    changing = times.filter(days.is_in(list(changed))).unique()
    single = [_ahead(one, zone, local=local) for one in changing]
    return times.replace_strict(
        changing, pl.Series(single, dtype=_AHEAD), default=found, return_dtype=_AHEAD
    )


_LONGEST = 60


def short_label(label: str) -> str:
    """Return a label for a message, cut if it is long."""
    return label if len(label) <= _LONGEST else f"{label[:_LONGEST]}…"


def listed_labels(labels: Sequence[str], *, most: int = 10) -> str:
    """Return labels for a message: the first ones, and the number of further ones."""
    return listed([short_label(label) for label in labels], most=most)


def _ahead(time: datetime, zone: ZoneInfo, *, local: bool) -> timedelta:
    aware = time.replace(tzinfo=zone) if local else time.replace(tzinfo=UTC).astimezone(zone)
    return aware.utcoffset() or timedelta(0)


def _refuse_some_zoned(labels: pl.Series, ahead: pl.Series, zone: ZoneInfo | None) -> None:
    if zone is not None or not 0 < ahead.null_count() < len(ahead):
        return
    naive, zoned = labels.filter(ahead.is_null())[0], labels.filter(ahead.is_not_null())[0]
    raise DataError(
        f"by: {naive!r} names no time zone and {zoned!r} does; state the zone of the"
        " first, in which days are counted: --time-zone Europe/Berlin (time_zone=)"
    )


def _any_times(labels: pl.Series) -> _Times:
    """Return times that are read one by one."""
    spelled = labels.to_list()
    found = moments(spelled, digits=True)
    wrong = [label for label, one in zip(spelled, found, strict=True) if one is None]
    if wrong:
        takes = "takes ISO 8601, such as 2026-11-03T08:00, or another common form of a date"
        raise DataError(f"by: is no time: {listed_labels(wrong)}; {takes}")
    return _of_moments([one for one in found if one is not None])


def _of_moments(found: Sequence[Moment]) -> _Times:
    walls = pl.Series("time", [one.wall for one in found], dtype=_TIME)
    return walls, pl.Series("ahead", [one.offset for one in found], dtype=_AHEAD)


_ISO = (
    r"^(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-9]{2}))?)?$"
)
_LIMITS = {"hour": 23, "minute": 59, "second": 59, "hours": 23, "minutes": 59}


def _iso_times(labels: pl.Series) -> _Times | None:
    """Return times of ISO 8601; None if some are another form, or mistaken."""
    if not labels.str.contains(_ISO).all():
        return None
    parts = labels.str.extract_groups(_ISO).struct.unnest()
    days = parts["day"].str.to_date("%Y-%m-%d", strict=False)
    if days.null_count() or not days.dt.year().is_between(EARLIEST, LATEST).all():
        return None
    numbers = [pl.col(name).cast(pl.Int64).fill_null(0) for name in _LIMITS]
    if not parts.select(
        pl.all_horizontal(
            number <= most for number, most in zip(numbers, _LIMITS.values(), strict=True)
        ).all()
    ).item():
        return None
    hour, minute, second, hours, minutes = numbers
    fraction = pl.col("fraction").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64).fill_null(0)
    clock = pl.duration(hours=hour, minutes=minute, seconds=second, microseconds=fraction)
    away = pl.duration(minutes=60 * hours + minutes)
    ahead = pl.when(pl.col("sign") == "-").then(-away).otherwise(away)
    found = parts.select(
        time=days.cast(_TIME) + clock,
        ahead=pl.when(pl.col("zone").is_not_null()).then(ahead).cast(_AHEAD),
    )
    return found["time"], found["ahead"]


def _epoch_times(labels: pl.Series) -> _Times | None:
    """Return times that are numbers of one unit since 1970; None if some are not."""
    parts = labels.str.extract_groups(r"^([0-9]+)(?:\.([0-9]+))?$").struct.unnest()
    whole, fraction = parts
    lengths = whole.str.len_chars().unique().to_list()
    # Numbers of other lengths can be dates: 20261103, 202611030800.
    if len(lengths) != 1 or lengths[0] not in (10, 13, 16, 19):
        return None
    places = 6 - POWERS[lengths[0]]
    micros = whole.cast(pl.Int64, strict=False)
    if micros.null_count():
        return None
    if places < 0:
        micros //= 10**-places
    elif places:
        finer = fraction.fill_null("").str.slice(0, places).str.pad_end(places, "0")
        micros = micros * 10**places + finer.cast(pl.Int64)
    walls = micros.cast(_TIME)
    if not walls.dt.year().is_between(EARLIEST, LATEST).all():
        return None
    return walls, pl.repeat(timedelta(0), len(walls), dtype=_AHEAD, eager=True)
