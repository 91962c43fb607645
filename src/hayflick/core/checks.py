"""Checks of arguments, with the error messages that users read."""

from __future__ import annotations

import math
import operator

from hayflick.core.errors import ArgumentError

LARGEST_NUMBER = 2**53
"""Whole numbers up to this one are exact in floating point."""

LARGEST_ORDER = 16
"""Of n-gram models."""

MOST_GENERATIONS = 1_000_000
MOST_REPLICATES = 100_000_000
MOST_THREADS = 1024
LARGEST_SIZE = 1e150
"""Largest number whose square is finite, with room for sums of squares."""

LANGUAGES = ("en", "ja")
"""Languages of tables and pages."""

_ORDINARY = f"a number from {1.0 / LARGEST_SIZE:g} to {LARGEST_SIZE:g}"


def whole_number(argument: str, value: object, *, at_least: int, at_most: int | None = None) -> int:
    """Return `value` as an int of at least `at_least`, and at most `at_most` (2^53 where None).

    Raises
    ------
    ArgumentError
        If `value` is not an integer, or out of range.

    Examples
    --------
    >>> whole_number("generations", 50, at_least=1)
    50
    """
    takes = f"a whole number of at least {at_least}"
    if at_most is not None:
        takes = f"a whole number from {at_least} to {at_most:,}"
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ArgumentError(argument, got=value, takes=takes) from None
    if at_most is None and number > LARGEST_NUMBER:
        takes = f"a whole number from {at_least} to {LARGEST_NUMBER:,}"
    beyond = number > (LARGEST_NUMBER if at_most is None else at_most)
    if isinstance(value, bool) or number < at_least or beyond:
        raise ArgumentError(argument, got=value, takes=takes)
    return number


def as_float(value: object) -> float:
    """Return `value` as a float; NaN if it is not a number."""
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]
    except (TypeError, ValueError):
        return math.nan


def share(argument: str, value: float) -> float:
    """Return `value` as a float from 0 to 1.

    Raises
    ------
    ArgumentError
        If `value` is no such number.

    Examples
    --------
    >>> share("share", 0.05)
    0.05
    """
    return number_between(argument, value, low=0.0, high=1.0)


def number_between(argument: str, value: float, *, low: float, high: float = math.inf) -> float:
    """Return `value` as a finite float from `low` to `high`.

    Raises
    ------
    ArgumentError
        If `value` is no such number.
    """
    bounded = math.isfinite(high)
    takes = f"a number from {low:g} to {high:g}" if bounded else f"a number of at least {low:g}"
    number = as_float(value)
    if not (low <= number <= high and math.isfinite(number)):
        raise ArgumentError(argument, got=value, takes=takes)
    return number


def finite_number(argument: str, value: float) -> float:
    """Return `value` as a float whose square is finite too.

    Raises
    ------
    ArgumentError
        If `value` is no such number.
    """
    return number_between(argument, value, low=-LARGEST_SIZE, high=LARGEST_SIZE)


def positive_number(argument: str, value: float) -> float:
    """Return `value` as a finite float above 0.

    Raises
    ------
    ArgumentError
        If `value` is no such number.

    Examples
    --------
    >>> positive_number("epsilon", 0.1)
    0.1
    """
    number = as_float(value)
    if not 1.0 / LARGEST_SIZE <= number <= LARGEST_SIZE:
        takes = "a number above 0" if number <= 0.0 or math.isnan(number) else _ORDINARY
        raise ArgumentError(argument, got=value, takes=takes)
    return number


def training_size(
    samples: int | None, *, total: int | None, at_least: int, at_most: int = LARGEST_NUMBER
) -> int:
    """Return `samples`, or the size of the real data where it is None.

    Parameters
    ----------
    samples
        Size of a training set.
    total
        Number of real items; None for a known law.
    at_least
        The smallest training set that the family can be fitted to.
    at_most
        The largest one.

    Raises
    ------
    ArgumentError
        If the size is below `at_least`, or None for a law without data.
    """
    if samples is None and total is None:
        takes = "a whole number: a law without data has no size of its own"
        raise ArgumentError("samples", got=None, takes=takes)
    size = total if samples is None else samples
    return whole_number("samples", size, at_least=at_least, at_most=at_most)


def check_language(lang: str) -> None:
    """Refuse an unknown language.

    Raises
    ------
    ArgumentError
        If there is no such language.
    """
    if lang not in LANGUAGES:
        raise ArgumentError("lang", got=lang, takes=f"one of {', '.join(LANGUAGES)}")
