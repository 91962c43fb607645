"""Dates and times as people write them: ISO 8601 and its kin, names of months, quarters, weeks.

A label is read by itself as far as that goes. Whether the day or the month comes first in
``03/11/2026`` is decided over all labels, and refused where it cannot be decided; so are years of
two digits, and dates without a year.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from hayflick.core.errors import DataError

_BEGINNING = datetime(1970, 1, 1)
_NUMBER = re.compile(r"([0-9]{9,19})(?:\.([0-9]+))?")
_FLOAT = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,2}")
# By the number of digits: names of the units, and the power of ten of a second that they are.
_UNITS = {
    "seconds": (0, (9, 10)),
    "milliseconds": (3, (12, 13)),
    "microseconds": (6, (15, 16)),
    "nanoseconds": (9, (18, 19)),
}
POWERS = {digits: power for power, lengths in _UNITS.values() for digits in lengths}
"""What power of ten of a second a number of so many digits counts; no other number is a time."""


def epoch_times(labels: Sequence[str]) -> list[datetime | None]:
    """Return the times, in UTC, of numbers since 1970; None where a label is none.

    Raises
    ------
    DataError
        If some count another unit than others.

    Examples
    --------
    >>> epoch_times(["1790086400.25", "1790086401"])[0].isoformat()
    '2026-09-22T14:13:20.250000'
    """
    found = [_NUMBER.fullmatch(_without_exponent(label)) for label in labels]
    powers = [None if one is None else POWERS.get(len(one[1])) for one in found]
    _refuse_mixed(labels, powers)
    return [
        None if one is None or power is None else _time(one, power)
        for one, power in zip(found, powers, strict=True)
    ]


def _without_exponent(label: str) -> str:
    """Return a number such as 1.790086400e+18, as floats are spelled, in digits."""
    return f"{Decimal(label):f}" if _FLOAT.fullmatch(label) else label


def _time(found: re.Match[str], power: int) -> datetime:
    # Whole numbers: floats cannot tell the microseconds of nanoseconds.
    digits = found[1] + (found[2] or "")
    end = len(found[1]) - power + 6
    return _BEGINNING + timedelta(microseconds=int(digits[:end].ljust(end, "0")))


def _refuse_mixed(labels: Sequence[str], powers: Sequence[int | None]) -> None:
    if len({power for power in powers if power is not None}) < 2:
        return
    names = {power: name for name, (power, _) in _UNITS.items()}
    first = {power: label for label, power in zip(labels, powers, strict=True)}
    units = [f"{first[power]} {name}" for power, name in names.items() if power in first]
    raise DataError(
        f"by: times since 1970 are counted in several units: {', '.join(units)}; write all in one,"
        " or as 2026-11-03T08:00:00Z"
    )


EARLIEST, LATEST = 1900, 2199
"""Years of a date; those outside are taken for mistakes, such as the year 1 for "unknown"."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment that a label names.

    Parameters
    ----------
    wall
        Date and time as written, without a zone; the beginning of a day, week, month or quarter.
    offset
        Offset from UTC; None if the label names no zone.

    Examples
    --------
    >>> moments(["20 Nov 2026 10:00 +0900"])[0].wall.isoformat()
    '2026-11-20T10:00:00'
    """

    wall: datetime
    offset: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Readings:
    """A label as a date with the day first and with the month first; None if it is none."""

    day_first: Moment | None
    month_first: Moment | None
    problem: str = ""

    @classmethod
    def one(cls, day: date) -> _Readings:
        moment = Moment(datetime(day.year, day.month, day.day))
        return cls(moment, moment)


def moments(labels: Sequence[str], *, digits: bool = False) -> list[Moment | None]:
    """Return the moments that labels name, None for a label that is no date.

    Parameters
    ----------
    labels
        The labels.
    digits
        Whether digits alone can be a date (``20261120``) or a number of seconds since 1970, or of
        thousandths, millionths or billionths of one.

    Raises
    ------
    DataError
        If all labels are dates, but day and month cannot be told apart, a year has two digits or
        is missing, or lies outside of 1900 to 2199; if numbers since 1970 have several units.

    Examples
    --------
    >>> [one.wall.day for one in moments(["3/11/2026", "20/11/2026"])]
    [3, 20]
    """
    written = [_clean(label) for label in labels]
    found = [_readings(text) for text in written]
    if all(one is None for one in found):
        found = (
            _digits(written) if digits else [_readings(text) for text in _without_frame(written)]
        )
    if len({text.partition("/")[1:] for text in written}) == 1 < len(written) and "/" in written[0]:
        # "1/20", "2/20", … count to 20.
        found = [None if one is None or one.problem == _WITHOUT_YEAR else one for one in found]
    if any(one is None for one in found):
        return [None if one is None else one.day_first or one.month_first for one in found]
    known = [one for one in found if one is not None]
    for label, one in zip(labels, known, strict=True):
        if one.problem:
            raise DataError(f"by: {label!r} {one.problem}")
    return list(_in_one_order(labels, known))


def _in_one_order(labels: Sequence[str], known: Sequence[_Readings]) -> list[Moment]:
    """Return the moments in the order of day and month that fits all labels."""
    day_first = [one.day_first for one in known if one.day_first is not None]
    month_first = [one.month_first for one in known if one.month_first is not None]
    either = len(day_first) == len(month_first) == len(known)
    if either and day_first != month_first:
        pairs = zip(labels, day_first, month_first, strict=True)
        label, one, other = next(pair for pair in pairs if pair[1] != pair[2])
        raise DataError(
            f"by: day and month cannot be told apart: {label!r} is {_spelled(one)} with the day"
            f" first and {_spelled(other)} with the month first, and every label can be read both"
            f" ways; write dates as {one.wall:%Y-%m-%d} (year, month, day)"
        )
    if len(day_first) == len(known):
        return _possible(labels, day_first)
    if len(month_first) == len(known):
        return _possible(labels, month_first)
    both = list(zip(labels, known, strict=True))
    day = next(label for label, one in both if one.month_first is None)
    month = next(label for label, one in both if one.day_first is None)
    raise DataError(
        f"by: {day!r} has the day first and {month!r} the month; write dates as 2026-11-03 (year,"
        " month, day)"
    )


def _possible(labels: Sequence[str], found: list[Moment]) -> list[Moment]:
    for label, one in zip(labels, found, strict=True):
        if not EARLIEST <= one.wall.year <= LATEST:
            raise DataError(
                f"by: {label!r} is in the year {one.wall.year}, takes years from {EARLIEST} to"
                f" {LATEST}; fix or remove these rows"
            )
    return found


def _spelled(moment: Moment) -> str:
    return f"{moment.wall.day} {moment.wall:%B} {moment.wall.year}"


def _without_frame(written: Sequence[str]) -> Sequence[str]:
    """Return labels without the words that all begin or end with: "week of 20.11.2026"."""
    first = re.match(r"\D*", written[0])
    last = re.search(r"\D*$", written[0])
    start, end = (first[0] if first else ""), (last[0] if last else "")
    if not all(one.startswith(start) and one.endswith(end) for one in written):
        return written
    return [one[len(start) : len(one) - len(end)] for one in written]


_DASHES = str.maketrans(dict.fromkeys("‐‑‒−", "-"))
_WEEKDAYS = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?\b\.?,?"
    r"|\([月火水木金土日]\)|[月火水木金土日]曜日?",
    re.IGNORECASE,
)


def _clean(label: str) -> str:
    """Return a label with plain digits, dashes and single blanks."""
    text = unicodedata.normalize("NFKC", label).translate(_DASHES)
    text = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return " ".join(text.split())


_RANGES = re.compile(r"\s+-\s+|\s*[–—~〜]\s*|\s+to\s+|\s*\.\.\s*|/(?=\d{4}-)")


def _readings(text: str) -> _Readings | None:
    """Return how a label can be read as a date; a range of dates is read as its first."""
    ends = _RANGES.split(text)
    if len(ends) == 2 and all(ends):
        first, last = map(_readings, ends)
        if first is not None and last is not None:
            return first
    found = _iso(text)
    if found is not None:
        return found
    without = _WEEKDAYS.sub(" ", text)
    clock = _TIME.search(without)
    if clock is None:
        return _day(without)
    day = _day(f"{without[: clock.start()]} {without[clock.end() :]}")
    return None if day is None else _at(day, clock)


# Of milliseconds, 1791051611457.7, the library would take a digit for the T of a date.
_COUNT = re.compile(r"\d+|\d{9,}\.\d+")


def _iso(text: str) -> _Readings | None:
    if _COUNT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 takes t and z for T and Z
    except ValueError:
        return None
    found = Moment(moment.replace(tzinfo=None), moment.utcoffset())
    return _Readings(found, found)


_TIME = re.compile(
    r"""
    (?P<before>午前|午後|오전|오후)?\s*
    (?<!\d)(?P<hour>\d{1,2})
    (?: : (?P<minute>\d{2}) (?: : (?P<second>\d{2}) (?: [.,] (?P<fraction>\d+) )? )?
      | [時시] (?: \s* (?P<minutes>\d{1,2}) [分분] (?: \s* (?P<seconds>\d{1,2}) [秒초] )? )?
      | (?= \s* [ap]\.?m\b )
    )
    (?: \s* (?P<after>[ap]\.?m\b\.?) )?
    (?: \s* (?P<zone> Z\b | (?:UTC|GMT)? [+-] \d{1,2} (?: :? \d{2} )? | UTC\b | GMT\b ) )?
    (?: \s* \[ [A-Za-z_]+ / [A-Za-z_/]+ \] )?
    (?: \s* (?-i: (?P<letters> (?!OCT|SEPT) [A-Z]{2,4}T \b | MSK\b ) ) )?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def _at(day: _Readings, clock: re.Match[str]) -> _Readings | None:
    """Return a day's readings at the time that was found beside it."""
    hour = int(clock["hour"])
    half = (clock["before"] or clock["after"] or "").lower().replace(".", "")
    if half:
        if hour > 12:
            return None
        hour = hour % 12 + 12 * (half in ("pm", "午後", "오후"))
    minute = int(clock["minute"] or clock["minutes"] or 0)
    second = int(clock["second"] or clock["seconds"] or 0)
    micro = int((clock["fraction"] or "0")[:6].ljust(6, "0"))
    if hour > 23 or minute > 59 or second > 59:
        return None
    if clock["letters"]:
        name = clock["letters"]
        return replace(day, problem=f"names the time zone {name!r}, takes an offset as in +09:00")
    offset = _offset(clock["zone"])
    if clock["zone"] and offset is None:
        return None

    def moved(moment: Moment | None) -> Moment | None:
        if moment is None:
            return None
        wall = moment.wall.replace(hour=hour, minute=minute, second=second, microsecond=micro)
        return Moment(wall, offset)

    return _Readings(moved(day.day_first), moved(day.month_first), day.problem)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    found = re.fullmatch(r"[A-Za-z]*([+-])(\d{1,2}):?(\d{2})?", zone)
    if found is None:
        return timedelta(0)
    minutes = 60 * int(found[2]) + int(found[3] or 0)
    if minutes > 24 * 60 - 1:
        return None
    return timedelta(minutes=minutes if found[1] == "+" else -minutes)


_ERAS = {"明治": 1868, "大正": 1912, "昭和": 1926, "平成": 1989, "令和": 2019}
_S = r"\s*[-/._ ]\s*"
_YEAR = r"(?P<year>(?:19|2[01])\d{2})"
_Y = rf"(?:FY|CY)?\s*{_YEAR}"
_SHORT_YEAR = r"(?:FY|CY)?\s*['’]?(?:2\d|3\d)"
_WITHOUT_YEAR = "is a date without a year; write the year, as in 2026-11-03"
_NO_YEAR = "has a year of two digits; write all four"


def _day(text: str) -> _Readings | None:
    """Return how a date without a time can be read."""
    text = re.sub(r"(?<=\d)T$", "", text.strip(" ,;:_-"))
    for pattern, read in _FORMS:
        found = pattern.fullmatch(text)
        if found is not None:
            try:
                return read(found)
            except ValueError:
                return None
    return _with_month_name(text)


def _ymd(found: re.Match[str]) -> _Readings:
    names = found.groupdict()
    day = int(names.get("day") or 1)
    return _Readings.one(date(int(names["year"]), int(names["month"]), day))


def _compact(found: re.Match[str]) -> _Readings:
    layout = "%H%M%S" if len(found["clock"]) == 6 else "%H%M"
    clock = datetime.strptime(found["clock"], layout).time()
    day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    moment = Moment(datetime.combine(day, clock))
    return _Readings(moment, moment)


def _two_orders(found: re.Match[str]) -> _Readings | None:
    year, first, second = int(found["year"]), int(found["first"]), int(found["second"])
    day_first, month_first = _date(year, second, first), _date(year, first, second)
    if day_first is None and month_first is None:
        return None
    return _Readings(day_first, month_first)


def _date(year: int, month: int, day: int) -> Moment | None:
    try:
        return Moment(datetime(year, month, day))
    except ValueError:
        return None


def _quarter(found: re.Match[str]) -> _Readings:
    return _Readings.one(date(int(found["year"]), 3 * int(found["quarter"]) - 2, 1))


def _half(found: re.Match[str]) -> _Readings:
    second = found["half"] in ("2", "下", "後")
    return _Readings.one(date(int(found["year"]), 7 if second else 1, 1))


def _week(found: re.Match[str]) -> _Readings:
    day = int(found.groupdict().get("day") or 1)
    return _Readings.one(date.fromisocalendar(int(found["year"]), int(found["week"]), day))


def _japanese(found: re.Match[str]) -> _Readings:
    if found["era"]:
        year = (
            _ERAS[found["era"]] - 1 + (1 if found["era_year"] == "元" else int(found["era_year"]))
        )
    else:
        year = int(found["year"])
    return _Readings.one(date(year, int(found["month"] or 1), int(found["day"] or 1)))


def _short_year(found: re.Match[str]) -> _Readings | None:
    """Return a problem where one part can be a day, one a month and one a year of two digits."""
    first, second, third = (int(found[k]) for k in (1, 3, 4))
    plausible = found[2] == "/" or 20 <= third <= 39 or third >= 90
    plausible |= 20 <= first <= 39 and len(found[0]) == len("26-11-03")
    if not plausible or not (0 < first <= 39 and 0 < second <= 31 and min(first, second) <= 12):
        return None
    return _Readings(None, None, _NO_YEAR)


def _no_year(found: re.Match[str]) -> _Readings | None:
    month, day = sorted((int(found[1]), int(found[2])))
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return _Readings(None, None, _WITHOUT_YEAR)


def _japanese_without_year(found: re.Match[str]) -> _Readings:  # noqa: ARG001
    return _Readings(None, None, _WITHOUT_YEAR)


def _short_period(found: re.Match[str]) -> _Readings:  # noqa: ARG001
    return _Readings(None, None, _NO_YEAR)


_Form = tuple[re.Pattern[str], Callable[[re.Match[str]], "_Readings | None"]]


def _form(pattern: str, read: Callable[[re.Match[str]], _Readings | None]) -> _Form:
    return re.compile(pattern, re.IGNORECASE), read


_QUARTER, _WEEK = r"Q(?:uarter)?\s*(?P<quarter>[1-4])", r"(?:C?W|KW|WK|Week)\s*(?P<week>\d{1,2})"
_FORMS: tuple[_Form, ...] = (
    _form(rf"{_YEAR}{_S}(?P<month>\d{{1,2}}){_S}(?P<day>\d{{1,2}})", _ymd),
    _form(rf"{_YEAR}(?P<month>\d{{2}})(?P<day>\d{{2}})", _ymd),
    _form(rf"{_YEAR}(?P<month>\d{{2}})(?P<day>\d{{2}})[T_ -]?(?P<clock>\d{{6}}|\d{{4}})", _compact),
    _form(rf"{_YEAR}{_S}(?P<month>\d{{1,2}})", _ymd),
    _form(rf"(?P<month>\d{{1,2}}){_S}{_YEAR}", _ymd),
    _form(rf"(?P<first>\d{{1,2}}){_S}(?P<second>\d{{1,2}}){_S}{_YEAR}", _two_orders),
    _form(
        rf"(?:(?P<era>{'|'.join(_ERAS)})\s*(?P<era_year>\d{{1,2}}|元)|{_YEAR})\s*[年년]度?\s*"
        r"(?:(?P<month>\d{1,2})\s*[月월])?\s*(?:(?P<day>\d{1,2})\s*[日号일])?",
        _japanese,
    ),
    _form(rf"{_Y}[-/._ ]*{_QUARTER}", _quarter),
    _form(rf"{_QUARTER}[-/._, ]*(?:of\s+)?{_Y}", _quarter),
    _form(rf"(?P<quarter>[1-4])Q[-/._ ]*{_Y}", _quarter),
    _form(rf"{_Y}[-/._ ]*(?P<quarter>[1-4])Q", _quarter),
    _form(_YEAR + r"年度?\s*第?(?P<quarter>[1-4])四?半期", _quarter),
    _form(rf"{_Y}[-/._ ]*H(?P<half>[12])", _half),
    _form(rf"H(?P<half>[12])[-/._, ]*{_Y}", _half),
    _form(_YEAR + r"年度?\s*(?P<half>[上下前後])半?期", _half),
    _form(rf"{_Y}[-/._ ]*{_WEEK}(?:[-.](?P<day>[1-7]))?", _week),
    _form(rf"{_WEEK}[-/._, ]*(?:of\s+)?{_Y}", _week),
    _form(_YEAR + r"年\s*第?(?P<week>\d{1,2})週", _week),
    _form(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{2})", _short_year),
    _form(r"(\d{1,2})/(\d{1,2})", _no_year),
    _form(r"(1[0-2]|0?[1-9])\s*[月월](?:\s*\d{1,2}\s*[日号일])?", _japanese_without_year),
    _form(rf"(?:Q[1-4]|H[12]|C?W\d{{1,2}}|KW\s*\d{{1,2}})[-/._, ]*{_SHORT_YEAR}", _short_period),
    _form(rf"{_SHORT_YEAR}[-/._ ]*(?:Q[1-4]|H[12]|C?W\d{{1,2}})", _short_period),
    _form(rf"[1-4]Q[-/._ ]*{_SHORT_YEAR}", _short_period),
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            # English, German, French, Spanish, Italian, Portuguese, Dutch
            "jan january januar janv janvier enero ene gennaio gen janeiro januari jänner",
            "feb february februar fevr fevrier févr février febrero febbraio fevereiro februari",
            "mar march märz mrz mars marzo março marco maart mrt",
            "apr april avr avril abril abr aprile",
            "may mai mayo maggio mag maio mei",
            "jun june juni juin junio giugno giu junho",
            "jul july juli juil juillet julio luglio lug julho",
            "aug august aout août agosto ago augustus",
            "sep sept september septembre septiembre settembre set setembro",
            "oct october okt oktober octobre octubre ottobre ott outubro out",
            "nov november novembre noviembre novembro",
            "dec december dez dezember déc décembre decembre diciembre dic dicembre dezembro",
        ),
        start=1,
    )
    for name in names.split()
}
_ENGLISH = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
_WORDS = re.compile(r"(\d+)(?:st|nd|rd|th|er|º|°)?(?=\W|_|$)|([^\W\d_]+)", re.IGNORECASE)
_FILLERS = {"of", "the", "de", "del", "di", "den"}


def _with_month_name(text: str) -> _Readings | None:
    """Return how a date with the name of its month can be read: 20 Nov 2026, Nov 2026."""
    # A letter may follow a digit at once: 20Nov2026.
    spaced = re.sub(r"(?<=\d)(?=[^\W\d_]{3})|(?<=[^\W\d_])(?=\d)", " ", text)
    months: list[int] = []
    numbers: list[str] = []
    english = False
    for digits, word in _WORDS.findall(spaced):
        if digits:
            numbers.append(digits)
        elif word.lower() in _MONTHS:
            months.append(_MONTHS[word.lower()])
            # Other languages' short names, such as "set", are words too.
            english = english or f"{word:.3}".title() in _ENGLISH
        elif word.lower() not in _FILLERS:
            return None
    if len(months) != 1 or len(numbers) > 2 or re.sub(r"[\w\s,./º°'’-]", "", spaced):
        return None
    years = [one for one in numbers if len(one) == 4]
    days = [one for one in numbers if len(one) <= 2]
    if len(years) + len(days) < len(numbers) or not numbers or len(years) == 2:
        return None
    if not years and not english:
        return None
    if not years:
        return _Readings(None, None, _NO_YEAR if len(days) == 2 else _either(days[0]))
    found = _date(int(years[0]), months[0], int(days[0]) if days else 1)
    return None if found is None else _Readings(found, found)


def _either(number: str) -> str:
    if len(number) == 2 and int(number) > 0:
        return (
            f"can be the day {int(number)} of a month, or a month of the year 20{number};"
            " write the year with four digits"
        )
    return _WITHOUT_YEAR


def _digits(written: Sequence[str]) -> list[_Readings | None]:
    """Return labels of digits alone as compact dates, else as seconds since 1970."""
    for length, layout in ((8, "%Y%m%d"), (14, "%Y%m%d%H%M%S"), (12, "%Y%m%d%H%M")):
        if all(len(text) == length for text in written):
            found = [_strptime(text, layout) for text in written]
            if all(one is not None and one.wall.year >= EARLIEST for one in found):
                return [_Readings(one, one) for one in found]
    if all(re.fullmatch(r"\d{8}", text) for text in written):
        return _compact_days(written)
    if all(re.fullmatch(r"\d{6}", text) for text in written):
        found = [_strptime(text, "%Y%m") for text in written]
        return [None if one is None else _Readings(one, one) for one in found]
    times = epoch_times(written)
    found = [None if time is None else Moment(time, timedelta(0)) for time in times]
    return [None if one is None else _Readings(one, one) for one in found]


def compact_moments(labels: Sequence[str]) -> list[Moment] | None:
    """Return labels of eight digits as days with the year last, None if they are none.

    With the year first they need not be read: their numbers are in the order of time.

    Raises
    ------
    DataError
        If day and month cannot be told apart.

    Examples
    --------
    >>> compact_moments(["20112026"])[0].wall.day, compact_moments(["20261120"])
    (20, None)
    """
    if not all(re.fullmatch(r"\d{8}", label) for label in labels):
        return None
    if all(_strptime(label, "%Y%m%d") for label in labels):
        return None
    found = [one for one in _compact_days(labels) if one is not None]
    return _in_one_order(labels, found) if len(found) == len(labels) else None


def _compact_days(written: Sequence[str]) -> list[_Readings | None]:
    """Return how labels of eight digits can be read with the year last."""
    pattern = re.compile(r"(?P<first>\d{2})(?P<second>\d{2})(?P<year>(?:19|2[01])\d{2})")
    matches = [pattern.fullmatch(text) for text in written]
    return [None if one is None else _two_orders(one) for one in matches]


def _strptime(text: str, layout: str) -> Moment | None:
    try:
        return Moment(datetime.strptime(text, layout))
    except ValueError:
        return None
