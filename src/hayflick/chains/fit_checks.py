"""Fit checks: do data look like the family that they are taken for.

A check speaks where a departure is beyond chance and large enough to matter, both: of 20 numbers
any skewness can be chance, and of a million numbers none is. Levels are low, as several checks look
at one column. Fewer than 20 rows are not checked.

References
----------
Anscombe, Glynn, *Distribution of the kurtosis statistic b2 for normal samples*, Biometrika 70
(1983) 227-234. Kelley, *Statistical Method* (1923), on the skewness of outer quantiles. Fisher,
Thornton, Mackenzie, Annals of Applied Biology 9 (1922) 325-359, on the index of dispersion.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import bdtrc, gammainc, gammaincc, ndtr, pdtr, pdtrc

from hayflick.core.arrays import Floats, Integers
from hayflick.core.fit_check import FitCheck
from hayflick.core.notes import Note, translatable
from hayflick.core.source import Source
from hayflick.corpus.frames import table_or_path
from hayflick.corpus.numbers import NumericTable
from hayflick.corpus.reading import source_of

_FEWEST = 20
_NORMAL_95 = 1.959964


def checked_source(
    path: Any, read: NumericTable, checks: tuple[FitCheck, ...], *, encoding: str = "utf-8"
) -> Source:
    """Return where numbers come from, with what was checked of them."""
    return source_of(
        table_or_path(path),
        column=", ".join(read.columns),
        encoding=encoding,
        missing=read.missing,
        sheet=read.sheet,
        rows=len(read.values) + read.missing,
        notes=read.notes,
        checks=checks,
    )


def gaussian_checks(values: Floats, columns: Sequence[str]) -> tuple[FitCheck, ...]:
    """Return where columns of numbers do not look Gaussian: skewed, heavy-tailed, bounded, heaped.

    Parameters
    ----------
    values
        Shape ``(rows, columns)``.
    columns
        Their names.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> [check.name for check in gaussian_checks(rng.exponential(size=(200, 1)), ["wait"])]
    ['skew', 'bound']
    >>> gaussian_checks(rng.normal(size=(200, 1)), ["weight"])
    ()
    """
    if len(values) < _FEWEST:
        return ()
    found: list[FitCheck] = []
    for name, column in zip(columns, values.T, strict=True):
        numbers = _Numbers(name, np.sort(column), len(columns))
        steps = _steps(numbers)
        if steps:
            # Their shape is that of the steps.
            found += steps
            continue
        skew = _skew(numbers)
        found += [*skew, *([] if skew else _tails(numbers)), *_bounds(numbers), *_heaps(numbers)]
    return _by_kind(found)


def count_checks(values: Floats, column: str) -> tuple[FitCheck, ...]:
    """Return where counts do not look like Poisson counts.

    Parameters
    ----------
    values
        Shape ``(rows,)``.
    column
        Its name.

    Examples
    --------
    >>> [check] = count_checks(np.repeat([0.0, 1.0, 8.0], 20), "visits")
    >>> round(check.value, 2), check.low < 4.24 < check.high, str(check.remedy)
    (4.29, True, '--family negative-binomial fits such counts.')
    """
    rows, total = values.size, float(values.sum())
    mean = total / max(rows, 1)
    if rows < _FEWEST or mean == 0.0:
        return ()
    ratio = float(values.var(ddof=1)) / mean
    low, high = _ratio_interval(values, ratio)
    p_over, p_under = _dispersion_levels(values, total)
    if ratio >= _OVERDISPERSED and p_over < _COUNT_LEVEL:
        remedy = Note("--family negative-binomial fits such counts.")
        p = p_over
    elif ratio <= 1.0 / _OVERDISPERSED and p_under < _COUNT_LEVEL:
        remedy = Note(
            "The figures take it for more varied than it is; there is no family for such counts, "
            "--family discrete takes them as labels."
        )
        p = p_under
    else:
        return ()
    meaning = Note(
        "The variance of {column} is {ratio} times its mean ({low} to {high}); that of Poisson "
        "counts is their mean.",
        column=column,
        ratio=_number(ratio),
        low=f"{low:.2g}",
        high=f"{high:.2g}",
    )
    name = translatable("variance over mean")
    return (FitCheck("variance", column, name, ratio, meaning, remedy, low, high, p),)


def dispersion_checks(dispersion: float, column: str) -> tuple[FitCheck, ...]:
    """Return where counts do not look negative binomial: their dispersion is 0."""
    if dispersion > 0.0:
        return ()
    meaning = Note(
        "The variance of {column} is not above its mean: its dispersion is 0.", column=column
    )
    remedy = Note("--family poisson is that law, and has exact figures.")
    name = translatable("dispersion")
    return (FitCheck("variance", column, name, dispersion, meaning, remedy),)


_MANY_LABELS = 20
_LARGE_COUNT = 1000.0


def label_checks(
    symbols: Sequence[str], numbers: Integers | Floats, column: str
) -> tuple[FitCheck, ...]:
    """Return whether labels look like numbers: many of them, and all are whole numbers.

    Parameters
    ----------
    symbols, numbers
        The labels, and how often each is there.
    column
        Its name.

    Examples
    --------
    >>> ages = [str(age) for age in range(20, 60)]
    >>> [check] = label_checks(ages, np.full(40, 5), "age")
    >>> print(check.meaning)
    age holds 40 different whole numbers, and they are taken as labels: 31 is as far from 32 as \
from 59.
    """
    if len(symbols) < _MANY_LABELS or not all(map(_is_whole, symbols)):
        return ()
    values = np.array(symbols, dtype=np.float64)
    ordered = np.sort(values)
    middle = ordered.size // 4
    meaning = Note(
        "{column} holds {number} different whole numbers, and they are taken as labels: {one} is "
        "as far from {next} as from {last}.",
        column=column,
        number=f"{len(symbols):,}",
        one=f"{ordered[middle + 1]:.0f}",
        next=f"{ordered[middle + 2]:.0f}",
        last=f"{ordered[-1]:.0f}",
    )
    if values.min() < 0.0 or np.average(values, weights=numbers) > _LARGE_COUNT:
        remedy = Note(
            "If they are measurements, --family gaussian takes them as numbers (plan: --of "
            "variance)."
        )
    else:
        counts = np.repeat(values, np.minimum(numbers, _MOST_REPEATS))
        varied = any(check.value > 1.0 for check in count_checks(counts, column))
        remedy = Note(
            "If they count something, --family {family} takes them as counts; if they are "
            "measurements, --family gaussian (plan: --of variance) takes them as numbers.",
            family="negative-binomial" if varied else "poisson",
        )
    name = translatable("different labels")
    return (FitCheck("labels", column, name, float(len(symbols)), meaning, remedy),)


_MOST_REPEATS = 10_000
_LONGEST_NUMBER = 15


def _is_whole(symbol: str) -> bool:
    digits = symbol.removeprefix("-")
    written = digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER
    # 007 is a code.
    return written and (digits == "0" or digits[0] != "0")


# Levels of single checks. Together they speak of at most some 2 % of Gaussian columns.
_LEVEL, _BOUND_LEVEL, _HEAP_LEVEL, _COUNT_LEVEL = 0.005, 0.002, 1e-5, 0.01
# Departures that matter.
_SKEWED, _HEAVY, _BEYOND, _HEAPED, _OVERDISPERSED = 0.15, 1.0, 0.01, 0.1, 1.2
_REPEATED, _FEWEST_REPEATED, _TIMES_MORE, _FEW_NUMBERS = 0.02, 5, 3.0, 10


@dataclass(frozen=True, eq=False)
class _Numbers:
    """A column in ascending order, and how many columns are looked at together."""

    column: str
    values: Floats
    columns: int

    @property
    def deviation(self) -> float:
        return float(self.values.std(ddof=1))


def _skew(numbers: _Numbers) -> list[FitCheck]:
    """Compare the distances of the 5 and 95 % quantiles to the median."""
    values = numbers.values
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    if high <= low:
        return []
    skewness = float((high + low - 2.0 * middle) / (high - low))
    # Of a Gaussian its standard error is 1.0003 / √n, from the covariances of the quantiles.
    p = float(2.0 * ndtr(-abs(skewness) * np.sqrt(values.size)))
    if p * numbers.columns > _LEVEL or abs(skewness) < _SKEWED:
        return []
    if skewness > 0.0:
        meaning = Note(
            "{column} is skewed to the right: its 95% quantile is {times} times as far from its "
            "median as its 5% quantile; in a Gaussian both are equally far.",
            column=numbers.column,
            times=_times(high - middle, middle - low),
        )
    else:
        meaning = Note(
            "{column} is skewed to the left: its 5% quantile is {times} times as far from its "
            "median as its 95% quantile; in a Gaussian both are equally far.",
            column=numbers.column,
            times=_times(middle - low, high - middle),
        )
    if values[0] > 0.0 and skewness > 0.0:
        remedy = Note("Forecast its logarithms: all are above 0.")
    else:
        remedy = Note("Change its scale first, or read the figures as those of its middle alone.")
    name = translatable("skewness of the outer quantiles")
    return [FitCheck("skew", numbers.column, name, skewness, meaning, remedy, p=p)]


def _tails(numbers: _Numbers) -> list[FitCheck]:
    """Test the kurtosis against that of a Gaussian."""
    values, rows = numbers.values, numbers.values.size
    away = (values - values.mean()) / values.std()
    kurtosis = float(np.mean(away**4))
    p = _kurtosis_level(kurtosis, rows)
    if p * numbers.columns > _LEVEL or kurtosis - 3.0 < _HEAVY:
        return []
    far = int(np.count_nonzero(np.abs(away) > 3.0))
    meaning = Note(
        "{column} has heavier tails than a Gaussian: {number} of its numbers lie beyond three "
        "standard deviations, where a Gaussian has {expected}.",
        column=numbers.column,
        number=f"{far:,}",
        expected=_number(2.0 * float(ndtr(-3.0)) * rows),
    )
    remedy = Note("Check the farthest for errors; the figures say nothing of the tails.")
    name = translatable("excess kurtosis")
    return [FitCheck("tails", numbers.column, name, kurtosis - 3.0, meaning, remedy, p=p)]


def _kurtosis_level(kurtosis: float, rows: int) -> float:
    """Return the chance of so large a kurtosis in Gaussian numbers, by Anscombe and Glynn."""
    n = float(rows)
    mean = 3.0 * (n - 1) / (n + 1)
    variance = 24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3) * (n + 5))
    skewness = 6.0 * (n * n - 5 * n + 2) / ((n + 7) * (n + 9))
    skewness *= np.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2) * (n - 3)))
    root = np.sqrt(1.0 + 4.0 / skewness**2)
    degrees = 6.0 + 8.0 / skewness * (2.0 / skewness + root)
    scaled = 1.0 + (kurtosis - mean) / np.sqrt(variance) * np.sqrt(2.0 / (degrees - 4.0))
    if scaled <= 0.0:
        return 1.0
    part = 2.0 / (9.0 * degrees)
    z = (1.0 - part - np.cbrt((1.0 - 2.0 / degrees) / scaled)) / np.sqrt(part)
    return float(ndtr(-z))


def _bounds(numbers: _Numbers) -> Iterator[FitCheck]:
    """Look for an end beyond which a Gaussian would have numbers, and the data have none."""
    values, rows, deviation = numbers.values, numbers.values.size, numbers.deviation
    below = float(ndtr((values[0] - values.mean()) / deviation))
    above = float(ndtr((values.mean() - values[-1]) / deviation))
    for share, end, is_low in ((below, values[0], True), (above, values[-1], False)):
        p = float(np.exp(rows * np.log1p(-share)))
        if p * numbers.columns > _BOUND_LEVEL or share < _BEYOND:
            continue
        said = {"column": numbers.column, "end": f"{end:.6g}", "share": f"{share:.1%}"}
        if is_low:
            meaning = Note(
                "{column} has no number below {end}, and a Gaussian draws {share} of its numbers "
                "there.",
                **said,
            )
        else:
            meaning = Note(
                "{column} has no number above {end}, and a Gaussian draws {share} of its numbers "
                "there.",
                **said,
            )
        remedy = Note("Change its scale first, or read the figures as those of its middle alone.")
        name = translatable("share of a Gaussian beyond the last number")
        yield FitCheck("bound", numbers.column, name, share, meaning, remedy, p=p)


def _steps(numbers: _Numbers) -> list[FitCheck]:
    """Look for a few numbers that are taken again and again."""
    distinct = np.unique(numbers.values)
    few = distinct.size <= _FEW_NUMBERS and numbers.values.size >= _FEW_NUMBERS * distinct.size
    if not (few or _grid(distinct, numbers.deviation) >= numbers.deviation / 2.0):
        return []
    meaning = Note(
        "{column} holds only {number} different numbers; a Gaussian draws what lies between them "
        "too.",
        column=numbers.column,
        number=f"{distinct.size:,}",
    )
    remedy = Note("--family discrete takes them as labels.")
    name = translatable("different numbers")
    return [FitCheck("heaps", numbers.column, name, float(distinct.size), meaning, remedy)]


def _heaps(numbers: _Numbers) -> list[FitCheck]:
    """Look for a number that is there too often, or for round numbers."""
    values, rows, deviation = numbers.values, numbers.values.size, numbers.deviation
    distinct, times = np.unique(values, return_counts=True)
    # Numbers of many digits are not heaped.
    if distinct.size == rows:
        return []
    grid = _grid(distinct, deviation)
    top = int(np.argmax(times))
    spike = _spike(numbers.column, distinct, times, top, grid / deviation)
    # What piles up at an end, at 0 or at one number is no habit of rounding.
    rest = np.ones(distinct.size, bool)
    rest[[0, -1, top]] = False
    rest &= distinct != 0.0
    rounded, step = _round_numbers(numbers, distinct[rest], times[rest], grid)
    inside = distinct[top] != 0.0 and 0 < top < times.size - 1
    if step and inside and _multiples(distinct[top : top + 1], step)[0]:
        spike = []
    return [*spike, *rounded]


def _spike(column: str, distinct: Floats, times: Integers, top: int, grid: float) -> list[FitCheck]:
    rows, most = int(times.sum()), int(times[top])
    beside = [int(times[place]) for place in (top - 1, top + 1) if 0 <= place < times.size]
    # A cell of a Gaussian holds at most its width over √(2π) standard deviations.
    usual = max(*beside, rows * grid * 0.4)
    share = most / rows
    if most < _FEWEST_REPEATED or share < _REPEATED or most < _TIMES_MORE * usual:
        return []
    p = times.size * float(pdtrc(most - 1.0, usual)) if usual else 0.0
    if p > _LEVEL:
        return []
    meaning = Note(
        "{share} of the numbers of {column} are exactly {value}; a Gaussian never repeats one.",
        column=column,
        share=f"{share:.1%}",
        value=f"{distinct[top]:.6g}",
    )
    remedy = Note("Check whether it stands for a limit or for a missing value, and leave it out.")
    name = translatable("share of the most frequent number")
    return [FitCheck("heaps", column, name, share, meaning, remedy, p=p)]


def _round_numbers(
    numbers: _Numbers, distinct: Floats, times: Integers, grid: float
) -> tuple[list[FitCheck], float]:
    """Look for a step of which too many are multiples; 0 if there is none."""
    rows, deviation = int(times.sum()), numbers.deviation
    if rows < _FEWEST:
        return [], 0.0
    best = (0.0, 0.0, 0.0, 0.0, 1.0)
    for step in _nice_steps(max(deviation / 20.0, 1.5 * grid), 2.0 * deviation):
        expected = grid / step
        if grid and not _multiples(np.array([step]), grid)[0]:
            continue
        hits = int(times[_multiples(distinct, step)].sum())
        share = hits / rows
        p = float(bdtrc(hits - 1, rows, expected)) if hits and expected > 0.0 else 1.0
        if expected == 0.0:
            p = 0.0 if hits >= _FEWEST_REPEATED else 1.0
        heaped = (share - expected) / (1.0 - expected)
        # Of steps that say nearly the same the largest, which holds the others.
        if p < _HEAP_LEVEL and share - expected >= _HEAPED and heaped >= 0.9 * best[0]:
            best = (max(heaped, best[0]), step, share, expected, p)
    _, step, share, expected, p = best
    if not step:
        return [], 0.0
    meaning = Note(
        "{share} of the numbers of {column} are multiples of {step}; spread evenly, {expected} "
        "would be.",
        column=numbers.column,
        share=f"{share:.0%}",
        step=f"{step:.6g}",
        expected=f"{expected:.0%}",
    )
    remedy = Note(
        "They look rounded by hand: differences below {step} mean little.", step=f"{step:.6g}"
    )
    name = translatable("share of round numbers")
    return [FitCheck("heaps", numbers.column, name, share, meaning, remedy, p=p)], step


def _grid(distinct: Floats, deviation: float) -> float:
    """Return the largest round step of which all numbers are multiples; 0 if there is none."""
    steps = list(_nice_steps(deviation * 1e-5, max(4.0 * deviation, 1.0)))
    return next((step for step in reversed(steps) if _multiples(distinct, step).all()), 0.0)


def _nice_steps(low: float, high: float) -> Iterator[float]:
    """Yield 1, 2, 5 times the powers of ten between two numbers, in ascending order."""
    for power in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1):
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            if low <= step <= high:
                yield step


def _multiples(values: Floats, step: float) -> np.ndarray:
    parts = values / step
    return np.abs(parts - np.round(parts)) < 1e-9 * np.maximum(1.0, np.abs(parts)) + 1e-9


def _dispersion_levels(values: Floats, total: float) -> tuple[float, float]:
    """Return the chances of more and of less spread in Poisson counts of the same sum.

    Given the sum, the number of pairs of events in one item has the mean and nearly the variance
    of a Poisson law. Where counts are small that is its law, where they are large the index of
    dispersion is chi-squared: the larger of the two chances is taken.
    """
    rows = values.size
    pairs = float((values * (values - 1.0)).sum()) / 2.0
    expected = total * (total - 1.0) / (2.0 * rows)
    index = float(((values - total / rows) ** 2).sum()) / (total / rows)
    half = (rows - 1) / 2.0
    over = max(float(pdtrc(pairs - 1.0, expected)), float(gammaincc(half, index / 2.0)))
    under = max(float(pdtr(pairs, expected)), float(gammainc(half, index / 2.0)))
    return over, under


def _ratio_interval(values: Floats, ratio: float) -> tuple[float, float]:
    """Return a 95 % interval of variance over mean, by the delta method on its logarithm."""
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    away = values - mean
    influence = (away**2 - variance) / mean - variance * away / mean**2
    error = float(influence.std(ddof=1)) / np.sqrt(values.size) / ratio
    factor = float(np.exp(_NORMAL_95 * error))
    return ratio / factor, ratio * factor


def _times(far: float, near: float) -> str:
    return _number(far / near) if far < 1000.0 * near else "> 1,000"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def _by_kind(found: list[FitCheck]) -> tuple[FitCheck, ...]:
    """Return the strongest check of every kind, with the other columns that it is true of."""
    kinds: dict[str, list[FitCheck]] = {}
    for one in found:
        kinds.setdefault(one.meaning.message, []).append(one)
    strongest = []
    for same in kinds.values():
        first = max(same, key=lambda one: abs(one.value))
        others = tuple(one.column for one in same if one is not first)
        strongest.append(replace(first, others=others))
    return tuple(strongest)
