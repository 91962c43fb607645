"""Times of many labels at once are those that are read one by one."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from hayflick.core.errors import DataError
from hayflick.corpus import instants
from hayflick.corpus.dates import moments
from hayflick.corpus.instants import instants_of, offsets
from hayflick.corpus.rounds import round_order
from hayflick.corpus.windows import Windows, longest_windows, shortest_length

_ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def _one_by_one(labels, zone):
    """The reference: each label by itself, with the datetimes of the standard library."""
    for one in moments(labels, digits=True):
        if one.offset is not None:
            yield one.wall - one.offset
        elif zone is None:
            yield one.wall
        else:
            yield one.wall.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _refuse_to_read_one_by_one(labels):
    pytest.fail(f"{labels[0]} is read one by one")


def _times(seed, number=400):
    draw = random.Random(seed)
    start, end = datetime(1900, 1, 1), datetime(2199, 12, 31)
    return [start + draw.random() * (end - start) for _ in range(number)]


def _changes(zone):
    """Times around the changes of a clock in 2026."""
    hours = (datetime(2026, 1, 1) + timedelta(minutes=30 * n) for n in range(2 * 24 * 365))
    for one, following in itertools.pairwise(hours):
        before, after = (
            at.replace(tzinfo=UTC).astimezone(zone).utcoffset() for at in (one, following)
        )
        if before != after:
            yield from (following + timedelta(minutes=15 * n) for n in range(-60, 60))


_FORMS = [
    lambda time: time.isoformat(),
    lambda time: time.isoformat(sep=" ", timespec="seconds"),
    lambda time: time.isoformat(timespec="milliseconds") + "Z",
    lambda time: time.isoformat(timespec="minutes") + "+05:30",
    lambda time: time.isoformat() + "-0830",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S,%f}789Z",
    lambda time: f"{time:%Y-%m-%dT%H:%M:%S}.5+14:00",
    lambda time: f"{time:%Y-%m-%d}",
]


@pytest.mark.parametrize("zone", [None, *_ZONES])
@pytest.mark.parametrize("form", _FORMS)
def test_iso_times_at_once_are_those_one_by_one(form, zone, monkeypatch):
    zone = zone and ZoneInfo(zone)
    times = _times(1) + (list(_changes(zone)) if zone else [])
    labels = [form(time) for time in times]
    expected = list(_one_by_one(labels, zone))
    monkeypatch.setattr(instants, "moments", _refuse_to_read_one_by_one)
    assert instants_of(pl.Series(labels), zone)[0].to_list() == expected


@pytest.mark.parametrize("power", [0, 3, 6, 9])
@pytest.mark.parametrize("fraction", [0, 1, 7])
def test_numbers_since_1970_have_the_unit_of_their_magnitude(power, fraction, monkeypatch):
    draw = random.Random(power)
    seconds = [draw.randrange(10**9, 7 * 10**9) for _ in range(300)]
    labels, expected = [], []
    for whole in seconds:
        finer = draw.randrange(10 ** (power + fraction))
        digits = f"{whole}{finer:0{power + fraction}d}" if power + fraction else f"{whole}"
        labels.append(digits[: 10 + power] + ("." + digits[10 + power :] if fraction else ""))
        micros = int(digits[10:16].ljust(6, "0"))
        expected.append(datetime(1970, 1, 1) + timedelta(seconds=whole, microseconds=micros))
    assert [one.wall for one in moments(labels, digits=True)] == expected
    monkeypatch.setattr(instants, "moments", _refuse_to_read_one_by_one)
    assert instants_of(pl.Series(labels), None)[0].to_list() == expected


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["100000000", "999999999"], ("1973-03-03", "2001-09-09")),
        (["999999999999", "1000000000000"], ("2001-09-09", "2001-09-09")),
        (["1.790086400e+18", "1.7901728E18"], ("2026-09-22", "2026-09-23")),
        (["1790086400", "1790172800.000001"], ("2026-09-22", "2026-09-23")),
    ],
)
def test_few_numbers_since_1970_are_read_too(labels, names):
    found = round_order(labels, every="1d").names
    assert (found[0], found[-1]) == names


def test_units_that_are_mixed_are_refused():
    mixed = ["1790086400", "1790086400000", "1790086400000000"]
    expected = (
        "times since 1970 are counted in several units: 1790086400 seconds, 1790086400000"
        " milliseconds, 1790086400000000 microseconds; write all in one"
    )
    for kwargs in ({"every": "1d"}, {"time_zone": "Asia/Tokyo"}):
        with pytest.raises(DataError, match=expected):
            round_order(mixed, **kwargs)
    with pytest.raises(DataError, match="by: is no time: '0'"):
        round_order(["1790086400", "0"], every="1d")


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ("2026-02-30T10:00:00", "is no time: '2026-02-30T10:00:00'"),
        ("2026-02-03T24:00:01", "is no time: '2026-02-03T24:00:01'"),
        ("0001-01-01T00:00:00", "is in the year 1, takes years from 1900"),
        ("2026-02-03T10:00:00Z", "names no time zone and '2026-02-03T10:00:00Z' does"),
        ("", "is no time: ''"),
        ("9999999999999999999", "is no time: '9999999999999999999'"),
    ],
)
def test_one_odd_label_is_refused_by_its_name(odd, message):
    with pytest.raises(DataError, match=message):
        round_order(["2026-02-03T10:00:00", odd], every="1d")


def test_a_year_out_of_range_is_refused_in_numbers_too():
    for odd in ("9999999999", "9999999999999999999"):
        with pytest.raises(DataError, match=f"{odd}' is in the year 2286"):
            round_order(["1790086400".ljust(len(odd), "0"), odd], every="1d")


@pytest.mark.parametrize("zone", _ZONES)
@pytest.mark.parametrize("every", ["6h", "1d", "1w", "1mo"])
def test_windows_of_many_times_are_those_one_by_one(zone, every):
    named = ZoneInfo(zone)
    times = _times(2, 100) + list(_changes(named))
    windows = Windows(every, named, min(times))
    series = pl.Series(times, dtype=pl.Datetime("us"))
    for at, start in zip(times, windows.starts_of(series), strict=True):
        clock = min(times) if every == "6h" else at
        wall = at + clock.replace(tzinfo=UTC).astimezone(named).utcoffset()
        assert start == pl.Series([wall]).dt.truncate(every)[0]
    walls = offsets(series, named, local=True)
    assert walls.to_list() == [at.replace(tzinfo=named).utcoffset() for at in times]


@pytest.mark.parametrize(
    ("per_day", "days", "every"),
    [
        (3, 150, "1w"),
        (20, 20, "1d"),
        (20, 141, "1w"),
        (100, 6, "6h"),
        (500, 1, "1h"),
        (24 * 6 * 30, 0.5, "10m"),
        (24 * 60 * 30, 0.1, "1m"),
        (399, 1, None),
        (0.5, 1000, None),
    ],
)
def test_the_longest_windows_with_enough_rounds_are_found(per_day, days, every):
    # From a Monday's midnight on.
    times = [1790553600 + 86400 * number / per_day for number in range(round(per_day * days))]
    for unit in (1, 1e3):
        assert longest_windows(pl.Series([time * unit for time in times])) == every
    written = [datetime.fromtimestamp(time, UTC).isoformat() for time in times]
    assert longest_windows(pl.Series([*written, None])) == every


def test_windows_most_of_which_would_be_nearly_empty_are_none():
    bursts = [1790553600 + 3600 * burst + n for burst in range(25) for n in range(25)]
    lone = [1790553600 + 3600 * 30 + 3600 * hour for hour in range(200)]
    assert longest_windows(pl.Series(bursts)) == "1h"
    assert longest_windows(pl.Series(bursts + lone)) is None


def test_the_zone_decides_where_days_end():
    # 20 answers from 20:00 UTC on for 20 days: in Tokyo they are the next day's morning.
    times = [1790539200 + 86400 * day + 1440 * n for day in range(20) for n in range(20)]
    assert longest_windows(pl.Series(times)) is None
    assert longest_windows(pl.Series(times), time_zone="Asia/Tokyo") == "1d"


def test_times_that_cannot_be_told_are_refused():
    with pytest.raises(DataError, match="by: is no time: 'soon'"):
        longest_windows(pl.Series(["2026-11-03"] * 500 + ["soon"]))


def test_minutes_can_be_spelled_min():
    assert shortest_length("10min") == shortest_length("10m") == timedelta(minutes=10)
    labels = [f"2026-11-03T10:{minute:02}" for minute in range(60)]
    short, long = (round_order(labels, every=every) for every in ("10m", "10min"))
    assert short.names == long.names == tuple(f"2026-11-03T10:{n}0" for n in range(6))
    zoned = round_order(labels, every="30min", time_zone="Asia/Kolkata").names
    assert zoned == ("2026-11-03T10:00+05:30", "2026-11-03T10:30+05:30")
