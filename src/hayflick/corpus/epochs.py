"""Times as computers count them: seconds since 1970, or thousandths, millionths, billionths of one.

The unit is seen from the magnitude, in years from 1973 to 2199 or so. All labels have one unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
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
