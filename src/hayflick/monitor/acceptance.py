"""Acceptance sampling: bounds of the share of bad answers that hold at every look.

One stratum is judged by betting against its mean, several by the union over all compositions:
so many bad answers in each stratum that no bet rejects.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError

# From a bet of everything, best for a mean near 1, to small bets for long series, in steps of √2.
BETS: Floats = np.concatenate([[1.0, 0.85], 2.0 ** (-0.5 * np.arange(1, 16))])
# Values that are all equal are common, and a bet of everything is best for them.
WEIGHTS: Floats = np.concatenate([[0.25], np.full(BETS.size - 1, 0.75 / (BETS.size - 1))])
_HALVINGS = 45
_SMALLEST_ERROR = 1e-12


def lower_bound(
    values: Sequence[float] | Floats, *, error: float, population: int | None = None
) -> float:
    """Return a lower confidence bound of the mean, the highest of all looks so far.

    Parameters
    ----------
    values
        Numbers in [0, 1] in the order of looking, shape ``(looks,)``.
    error
        Probability with which the bound may ever lie above the mean.
    population
        Number of items that the values are drawn from without replacement, whose mean is
        bounded. None for draws from a law.

    Raises
    ------
    ArgumentError
        If a value is outside of [0, 1], there are more than the population has, or an
        argument is out of its range.

    Examples
    --------
    >>> round(lower_bound([1.0] * 100, error=0.05), 4)
    0.9592
    >>> lower_bound([1.0, 0.0, 1.0, 1.0], error=0.05, population=4)
    0.75

    References
    ----------
    Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting",
    arXiv:2010.09686, sections 4 (a mixture of bets) and 5 (without replacement).
    """
    looks = _checked(values)
    error = number_between("error", error, low=_SMALLEST_ERROR, high=1.0)
    if population is not None:
        population = whole_number("population", population, at_least=max(1, looks.size))
    low = 0.0 if population is None else float(looks.sum()) / population
    high, rejected = 1.0, low
    for _ in range(_HALVINGS):
        middle = 0.5 * (rejected + high)
        if _log_capital(looks, middle, population) >= -np.log(error):
            rejected = middle
        else:
            high = middle
    return rejected


def upper_bound(
    values: Sequence[float] | Floats, *, error: float, population: int | None = None
) -> float:
    """Return an upper confidence bound of the mean, the lowest of all looks so far.

    Parameters, errors and coverage are those of `lower_bound`.

    Examples
    --------
    >>> round(upper_bound([0.0] * 100, error=0.05), 4)
    0.0408
    """
    return 1.0 - lower_bound(1.0 - _checked(values), error=error, population=population)


def is_above(
    values: Sequence[float] | Floats, *, mean: float, error: float, population: int | None = None
) -> bool:
    """Return whether the lower bound of the mean has reached `mean`, in one step.

    Parameters, errors and coverage are those of `lower_bound`.

    Examples
    --------
    >>> is_above([1.0] * 100, mean=0.95, error=0.05), is_above([1.0] * 50, mean=0.95, error=0.05)
    (True, False)
    """
    looks = _checked(values)
    mean = number_between("mean", mean, low=0.0, high=1.0)
    if mean <= (0.0 if population is None else float(looks.sum()) / population):
        return True
    return bool(_log_capital(looks, mean, population) >= -np.log(error))


def _checked(values: Sequence[float] | Floats) -> Floats:
    looks = np.asarray(values, dtype=np.float64)
    inside = (looks >= 0.0) & (looks <= 1.0)
    if looks.ndim != 1 or not inside.all():
        outside = looks[~inside] if looks.ndim == 1 else looks.shape
        raise ArgumentError("values", got=str(outside), takes="numbers from 0 to 1 in one row")
    return looks


def _log_capital(values: Floats, mean: float, population: int | None) -> float:
    """Return the logarithm of the largest capital K over all looks."""
    if not values.size:
        return -np.inf
    means = np.full(values.size, mean)
    if population is not None:
        before = np.cumsum(values) - values
        means = (population * mean - before) / (population - np.arange(values.size))
    with np.errstate(divide="ignore"):
        # A bet of everything can lose everything.
        steps = np.log((1.0 - BETS) + BETS * (values / means)[:, None])
    capital = np.logaddexp.reduce(np.log(WEIGHTS) + np.cumsum(steps, axis=0), axis=1)
    return float(capital.max())


@dataclass(frozen=True, eq=False)
class Stratum:
    """The verdicts on a random sample of a group's answers, in the order of the draw.

    Parameters
    ----------
    bad
        Whether each answer is bad, shape ``(checked,)``.
    population
        Number of answers in the group, those checked included; None if unknown.
    group
        Name of the group; empty for all answers.

    Raises
    ------
    ArgumentError
        If more were checked than the group has.
    """

    bad: Sequence[bool]
    population: int | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if self.population is not None:
            at_least = max(1, len(self.bad))
            whole_number("population", self.population, at_least=at_least)

    @property
    def checked(self) -> int:
        """Number of verdicts."""
        return len(self.bad)

    @property
    def bad_count(self) -> int:
        """Number of bad answers found."""
        return int(sum(self.bad))

    @property
    def share(self) -> float | None:
        """Share of bad answers among those checked; None before the first."""
        return self.bad_count / self.checked if self.checked else None

    @property
    def values(self) -> Floats:
        """The verdicts as numbers, 1 for bad."""
        return np.asarray(self.bad, dtype=np.float64)

    def extrapolated(self, more: int, *, share: float) -> Stratum:
        """Return the stratum after `more` checks, `share` of them bad and evenly spread."""
        # Half a step, so that the first bad answer comes neither at once nor at the very end.
        numbers = np.floor(np.arange(more + 1) * share + 0.5)
        return replace(self, bad=[*self.bad, *(np.diff(numbers) > 0.0)])


# Each is best where the share found is that much below the one that is rejected.
_ON_GOOD = {1.0: 0.25, 0.85: 0.15, 0.7: 0.15, 0.5: 0.15, 0.3: 0.15, 0.15: 0.15}
# Bad answers are rare, so a bet on them pays many times its stake.
_ON_BAD = dict.fromkeys((0.5, 0.25, 0.12, 0.06, 0.03, 0.015, 0.007, 0.0035), 0.125)
_FINEST = 5000
_FIRST_REACH = 64


def bad_share_interval(strata: Sequence[Stratum], *, error: float) -> tuple[float, float]:
    """Return bounds of the share of bad answers in all groups together.

    Parameters
    ----------
    strata
        The verdicts of each group; its size must be known.
    error
        Probability with which each bound may ever miss the share.

    Raises
    ------
    ArgumentError
        If there is no group, the size of one is not known, or `error` is out of its range.

    Examples
    --------
    >>> groups = [Stratum([False] * 30, population=1000) for _ in range(10)]
    >>> low, high = bad_share_interval(groups, error=0.05)
    >>> low, round(high, 4)
    (0.0, 0.0142)
    >>> bad_share_interval([Stratum([True, False, False, True], population=4)], error=0.05)
    (0.5, 0.5)

    References
    ----------
    Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting",
    arXiv:2010.09686, section 5; the union over compositions is that of stratified audits,
    Stark, "ALPHA: audit that learns from previously hand-audited ballots", arXiv:2201.02707.
    """
    high = highest_bad_share(strata, error=error)
    sizes = _sizes(strata)
    good = [~np.asarray(stratum.bad, dtype=bool) for stratum in strata]
    total = sum(sizes)
    return (total - _largest_bad_count(good, sizes, error, bets=_ON_BAD)) / total, high


def highest_bad_share(strata: Sequence[Stratum], *, error: float, enough: float = 0.0) -> float:
    """Return the upper bound of `bad_share_interval`; the same errors are raised.

    A bound at or below `enough` need not be the lowest one, and takes less time.
    """
    sizes = _sizes(strata)
    error = number_between("error", error, low=_SMALLEST_ERROR, high=1.0)
    bad = [np.asarray(stratum.bad, dtype=bool) for stratum in strata]
    total = sum(sizes)
    low_enough = int(enough * total)
    return _largest_bad_count(bad, sizes, error, bets=_ON_GOOD, enough=low_enough) / total


def _sizes(strata: Sequence[Stratum]) -> list[int]:
    if not strata:
        raise ArgumentError("strata", got="none", takes="at least one stratum")
    for stratum in strata:
        if stratum.population is None:
            takes = "the number of answers of every group"
            raise ArgumentError("population", got=f"None for {stratum.group!r}", takes=takes)
    return [int(stratum.population or 0) for stratum in strata]


def _largest_bad_count(
    bad: Sequence[NDArray[np.bool_]],
    sizes: Sequence[int],
    error: float,
    *,
    bets: Mapping[float, float],
    enough: int = -1,
) -> int:
    """Return the largest Σ M_g of a composition that no bet rejects; bets have weights.

    If it is at most `enough`, any number from there up to `enough` is returned.
    """
    pairs = list(zip(bad, sizes, strict=True))
    least = sum(int(verdicts.sum()) for verdicts, _ in pairs)
    most = least + sum(size - verdicts.size for verdicts, size in pairs)
    for bet, weight in bets.items():
        if bet == 1.0 and least:
            # A bad answer has lost the whole bet.
            continue
        lost = least * np.log1p(-bet) if least else 0.0
        spent = sum(
            float(_log_gains(verdicts, size, bet, np.zeros(1))[0]) for verdicts, size in pairs
        )
        left = -np.log(error * weight) - lost - spent
        steps = np.concatenate([_log_steps(verdicts, size, bet, left) for verdicts, size in pairs])
        taken = int(np.searchsorted(np.cumsum(np.sort(steps)), left))
        most = min(most, least + taken)
        if most <= enough:
            break
    return most


def _log_steps(bad: NDArray[np.bool_], size: int, bet: float, left: float) -> Floats:
    """Return what each further bad answer of a group adds to log K, as far as `left` reaches.

    In large groups, answers are taken in blocks, and each adds what the block before it added
    per answer, which is never too much.
    """
    most, at_once = size - bad.size, -(-size // _FINEST)
    reach = min(_FIRST_REACH * at_once, most)
    while reach < most:
        ends = _log_gains(bad, size, bet, np.array([0.0, reach]))
        if ends[1] - ends[0] > left:
            break
        reach = min(2 * reach, most)
    places = np.append(np.arange(0, reach, at_once), reach)
    counts = np.diff(places)
    added: Floats = np.diff(_log_gains(bad, size, bet, places.astype(float)))
    if at_once == 1:
        return added
    return np.repeat(np.append(0.0, (added / counts)[:-1]), counts)


def _log_gains(bad: NDArray[np.bool_], size: int, bet: float, more: Floats) -> Floats:
    """Return the sum of log (1 + c (1/m − 1)) over the good answers of a group.

    `more` are bad answers beyond those that were found, shape ``(compositions,)``.
    """
    before: Integers = np.cumsum(bad) - bad
    places = np.flatnonzero(~bad)
    bad_count = int(bad.sum())
    gains = np.zeros(more.size)
    # In parts, to bound the size of the table.
    for part in np.array_split(places, 1 + places.size * more.size // 2_000_000):
        left_bad = bad_count - before[part][:, None] + more
        share = 1.0 - left_bad / (size - part)[:, None]
        gains += np.log((1.0 - bet) + bet / share).sum(axis=0)
    return gains


_MOST_CHECKS = 1_000_000


class AcceptanceDecision(StrEnum):
    """The decision of a review."""

    ACCEPT = "accept"
    REJECT = "reject"
    GO_ON = "go on"


@dataclass(frozen=True, eq=False)
class Acceptance:
    """What the verdicts so far prove.

    Parameters
    ----------
    limit, error
        Share of bad answers that is acceptable, and the probability with which each bound
        may ever miss the true share.
    checked, bad
        Number of verdicts so far, and how many are bad.
    share
        Estimated share of bad answers, each group weighted by its size; None before every
        group has a verdict.
    low, high
        Bounds of the share of bad answers in the population.
    more_as_so_far, more_if_none_bad
        Number of further checks that bring `high` to the limit at the present share of bad
        answers, or if none is bad; 0 if it is there already, None if no number that was looked at
        does.
    """

    limit: float
    error: float
    checked: int
    bad: int
    share: float | None
    low: float
    high: float
    more_as_so_far: int | None
    more_if_none_bad: int | None

    @property
    def decision(self) -> AcceptanceDecision:
        """Accept, reject, or go on checking."""
        if self.high <= self.limit:
            return AcceptanceDecision.ACCEPT
        return AcceptanceDecision.REJECT if self.low > self.limit else AcceptanceDecision.GO_ON


def acceptance(
    strata: Sequence[Stratum], *, limit: float, error: float = 0.05, most: int = _MOST_CHECKS
) -> Acceptance:
    """Return what the verdicts so far prove; look as often as you like.

    One stratum is judged by `lower_bound` and `upper_bound`, several by `bad_share_interval`.

    Parameters
    ----------
    strata
        One for a random sample of all answers, or one per group.
    limit
        Share of bad answers that is acceptable, above 0 and below 1.
    error
        Probability with which each bound may ever miss the true share.
    most
        Further checks up to which it is looked how many are enough; with many large groups, a
        smaller number takes less time.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the size of one of several groups is unknown.

    Examples
    --------
    >>> half_way = acceptance([Stratum([False] * 100, population=5000)], limit=0.03)
    >>> half_way.decision.value, round(half_way.high, 3), half_way.more_if_none_bad
    ('go on', 0.04, 35)

    References
    ----------
    Waudby-Smith & Ramdas, arXiv:2010.09686.
    """
    limit = number_between("limit", limit, low=1e-9, high=1.0 - 1e-9)
    error = number_between("error", error, low=1e-9, high=0.5)
    if len(strata) != 1:
        _sizes(strata)
    share = _estimate(strata)
    low, high = _bounds(strata, error)
    more_as_so_far = None
    if share is None or share < limit:
        more_as_so_far = _checks_to_limit(strata, limit, error, most, lambda one: one.share or 0.0)
    return Acceptance(
        limit=limit,
        error=error,
        checked=sum(stratum.checked for stratum in strata),
        bad=sum(stratum.bad_count for stratum in strata),
        share=share,
        low=low,
        high=high,
        more_as_so_far=more_as_so_far,
        more_if_none_bad=_checks_to_limit(strata, limit, error, most, lambda _: 0.0),
    )


def _estimate(strata: Sequence[Stratum]) -> float | None:
    shares = [stratum.share for stratum in strata]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    # The size of a single stratum does not matter, and may be unknown.
    sizes = [stratum.population or 1 for stratum in strata]
    return float(np.average(known, weights=sizes))


def _checks_to_limit(
    strata: Sequence[Stratum],
    limit: float,
    error: float,
    most: int,
    share: Callable[[Stratum], float],
) -> int | None:
    """Return how many further checks are enough if `share` of each stratum's are bad."""
    sizes = [stratum.population for stratum in strata]
    if None in sizes:
        most = min(most, int(np.ceil(1000.0 / limit)))
    else:
        left = sum(size or 0 for size in sizes) - sum(stratum.checked for stratum in strata)
        most = min(most, left)

    def enough(more: int) -> bool:
        return _is_enough(_extrapolated(strata, more, share), limit, error)

    if enough(0):
        return 0
    low, high = 0, min(16, most)
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    return bisect_left(range(high), x=True, lo=low + 1, key=enough)


def _bounds(strata: Sequence[Stratum], error: float) -> tuple[float, float]:
    if len(strata) > 1:
        return bad_share_interval(strata, error=error)
    values, size = strata[0].values, strata[0].population
    return (
        lower_bound(values, error=error, population=size),
        upper_bound(values, error=error, population=size),
    )


def _is_enough(strata: Sequence[Stratum], limit: float, error: float) -> bool:
    """Return whether the upper bound is at the limit, without computing the bound."""
    if len(strata) > 1:
        return highest_bad_share(strata, error=error, enough=limit) <= limit
    good, size = 1.0 - strata[0].values, strata[0].population
    return is_above(good, mean=1.0 - limit, error=error, population=size)


def _extrapolated(
    strata: Sequence[Stratum], more: int, share: Callable[[Stratum], float]
) -> list[Stratum]:
    """Return the strata after `more` checks, in proportion to what is left of each group."""
    if len(strata) == 1:
        return [strata[0].extrapolated(more, share=share(strata[0]))]
    left = np.array([int(stratum.population or 0) - stratum.checked for stratum in strata])
    ends = np.floor(np.cumsum(left) * (more / max(int(left.sum()), 1)) + 1e-9).astype(int)
    parts = np.diff(ends, prepend=0)
    return [
        stratum.extrapolated(int(part), share=share(stratum))
        for stratum, part in zip(strata, parts, strict=True)
    ]
