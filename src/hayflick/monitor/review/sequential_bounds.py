r"""Bounds of the mean of bounded numbers, valid at every look, by betting.

Against a mean m one bets on each x of [0, 1], before it is seen, that it lies above:

    K_t(m) = Σ_j w_j Π_{i≤t} (1 + c_j (x_i / m_i − 1)),   c_j ∈ (0, 1],  Σ_j w_j = 1.

m_i is the mean of what x_i is drawn from: m itself, or (N m − x_1 − … − x_{i−1})/(N − i + 1)
where N items are drawn without replacement. If m is the true mean, or lies above it, K is a
non-negative supermartingale that starts at 1: it ever reaches 1/error with probability at most
`error` (Ville). K falls with m, so the m that are not refused begin at one lower bound.

Exact: the coverage is at least nominal for every sample size and law on [0, 1], whenever one
looks. Items may depend on those before as long as each has the mean m given the past.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError

# From all that may be lost, for a mean near 1, to what suits long series, in steps of √2.
BETS: Floats = np.concatenate([[1.0, 0.85], 2.0 ** (-0.5 * np.arange(1, 16))])
# Values that are all the same are common, and a bet of everything is best for them.
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
        Numbers in [0, 1] in the order in which they were seen, shape ``(looks,)``.
    error
        Probability with which the bound may ever lie above the mean.
    population
        How many items the values are drawn from, without replacement; the mean is then
        theirs. None for draws from a law.

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
    seen = _checked(values)
    error = number_between("error", error, low=_SMALLEST_ERROR, high=1.0)
    if population is not None:
        population = whole_number("population", population, at_least=max(1, seen.size))
    low = 0.0 if population is None else float(seen.sum()) / population
    high, refused = 1.0, low
    for _ in range(_HALVINGS):
        middle = 0.5 * (refused + high)
        if _log_capital(seen, middle, population) >= -np.log(error):
            refused = middle
        else:
            high = middle
    return refused


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
    seen = _checked(values)
    mean = number_between("mean", mean, low=0.0, high=1.0)
    if mean <= (0.0 if population is None else float(seen.sum()) / population):
        return True
    return bool(_log_capital(seen, mean, population) >= -np.log(error))


def _checked(values: Sequence[float] | Floats) -> Floats:
    seen = np.asarray(values, dtype=np.float64)
    inside = (seen >= 0.0) & (seen <= 1.0)
    if seen.ndim != 1 or not inside.all():
        outside = seen[~inside] if seen.ndim == 1 else seen.shape
        raise ArgumentError("values", got=str(outside), takes="numbers from 0 to 1 in one row")
    return seen


def _log_capital(values: Floats, mean: float, population: int | None) -> float:
    """Return the largest log K over all looks."""
    if not values.size:
        return -np.inf
    means = np.full(values.size, mean)
    if population is not None:
        before = np.cumsum(values) - values
        means = (population * mean - before) / (population - np.arange(values.size))
    with np.errstate(divide="ignore"):
        # A bet of all that there is loses all.
        steps = np.log((1.0 - BETS) + BETS * (values / means)[:, None])
    capital = np.logaddexp.reduce(np.log(WEIGHTS) + np.cumsum(steps, axis=0), axis=1)
    return float(capital.max())
