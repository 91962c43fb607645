"""Estimators of a discrete law from counts: add-δ smoothing and simple Good-Turing.

References
----------
Gale, Sampson, *Good-Turing Frequency Estimation Without Tears*, Journal of Quantitative
Linguistics 2 (1995), pages 217-237.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.grammar import Entry, number

_LARGEST_DELTA = 1e6


@dataclass(frozen=True, slots=True)
class AddDelta:
    """Estimate p_i = (N_i + δ) / (n + δ m): every one of m symbols gets δ pseudo-counts.

    Parameters
    ----------
    delta
        Pseudo-count, from 0 to a million. With 0 it is the maximum-likelihood estimator, 1 is
        Laplace's rule, 1/2 Jeffreys' and Krichevsky and Trofimov's.

    Raises
    ------
    ArgumentError
        If `delta` is not between 0 and a million.

    Examples
    --------
    >>> AddDelta(0.5).uniform_share(total=98, types=4)
    0.02
    """

    delta: float

    def __post_init__(self) -> None:
        number_between("delta", self.delta, low=0.0, high=_LARGEST_DELTA)

    def uniform_share(self, *, total: int, types: int) -> float:
        """Return the share of the estimate's mass that is spread evenly over all symbols.

        The estimate is the mixture of the observed frequencies and the uniform law; the
        simulation draws from it so, and the laws treat the second part as immigration.
        """
        added = self.delta * types
        return added / (total + added)

    def describe(self) -> str:
        """Return the estimator in the grammar of the command line."""
        return "ml" if self.delta == 0.0 else f"add:delta={self.delta:g}"


MAXIMUM_LIKELIHOOD = AddDelta(0.0)
"""The observed frequencies: unseen symbols have probability 0."""


def smoothings(model: Any) -> dict[str, Entry[Any]]:
    """Return a model of counts under each kind of add-δ smoothing, by name."""

    def smoothed(delta: str = "0") -> Any:
        return replace(model, estimator=AddDelta(number("delta", delta)))

    return {"ml": Entry(smoothed), "add": Entry(smoothed, ("delta",))}


_CONFIDENCE = 1.96
_MOST_UNSEEN = 0.5


@final
@dataclass(frozen=True, slots=True)
class GoodTuring:
    """Estimate a law from counts of counts; unseen symbols share their mass evenly.

    The unseen symbols get mass N_1 / n, at most one half; none if no count is 1 or every symbol
    was seen. The slope of the smoothing line is at most -1.

    Examples
    --------
    >>> GoodTuring().fit(np.array([5.0, 2.0, 1.0, 1.0, 0.0])).round(3).tolist()
    [0.438, 0.172, 0.084, 0.084, 0.222]
    """

    def fit(self, counts: Floats) -> Floats:
        """Return the law of one replicate's counts, shape ``(symbols,)`` as given."""
        seen = counts > 0
        numbers, of_symbol, frequencies = np.unique(
            counts[seen], return_inverse=True, return_counts=True
        )
        total = counts.sum()
        once = numbers.size > 0 and numbers[0] == 1.0 and not seen.all()
        unseen = min(frequencies[0] / total, _MOST_UNSEEN) if once else 0.0
        if seen.all() or numbers.size < 2:
            law = counts / max(total, 1.0) * (1.0 - unseen)
        else:
            adjusted = _adjusted(numbers, frequencies.astype(np.float64))[of_symbol]
            law = np.zeros(counts.size)
            law[seen] = (1.0 - unseen) * adjusted / adjusted.sum()
        if unseen:
            law[~seen] = unseen / np.count_nonzero(~seen)
        return np.asarray(law, dtype=np.float64)

    def describe(self) -> str:
        """Return the estimator in the grammar of the command line."""
        return "good-turing"


def _adjusted(numbers: Floats, frequencies: Floats) -> Floats:
    """Return r*, Turing's estimate while it differs from the smoothed one, then that one."""
    before = np.concatenate([[0.0], numbers[:-1]])
    after = np.concatenate([numbers[1:], [2.0 * numbers[-1] - before[-1]]])
    slope, _ = np.polyfit(np.log(numbers), np.log(2.0 * frequencies / (after - before)), 1)
    smoothed = numbers * (1.0 + 1.0 / numbers) ** (min(slope, -1.0) + 1.0)
    follows = np.zeros(numbers.size, bool)
    follows[:-1] = numbers[1:] == numbers[:-1] + 1.0
    following = np.concatenate([frequencies[1:], [0.0]])
    turing = (numbers + 1.0) * following / frequencies
    error = (numbers + 1.0) * np.sqrt(following * (1.0 + following / frequencies)) / frequencies
    differs = follows & (np.abs(turing - smoothed) > _CONFIDENCE * error)
    # From the first count on where they agree, the smoothed one stays.
    still = np.logical_and.accumulate(differs)
    adjusted: Floats = np.where(still, turing, smoothed)
    return adjusted
