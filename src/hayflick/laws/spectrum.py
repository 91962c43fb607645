"""A corpus as far as the laws are concerned: its distinct probabilities, and how many of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers

_DISTINCT = 4096
# 64 bins per factor e: two nodes per bin give sums over symbols to 1e-7 of themselves.
_BINS_PER_UNIT = 64
_BINNING_ERROR = 1e-7


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Probabilities and how many symbols have each.

    Parameters
    ----------
    probabilities
        Ascending, shape ``(nodes,)``.
    weights
        Number of symbols at each, shape ``(nodes,)``.
    error
        Of means over symbols that is due to binning: 0 where there is none.
    """

    probabilities: Floats
    weights: Floats
    error: float = 0.0


def spectrum_of(model: Discrete, *, reserve: Integers) -> Spectrum:
    """Return the distinct probabilities of the symbols that `reserve` does not hold.

    Above 4096 distinct values, each narrow bin of them is replaced by two values with the
    same mean and variance.
    """
    weights = model.weights
    # A scan costs less than a copy of every weight.
    free = weights[reserve == 0] if reserve.any() else weights
    if free.size == 0:
        return Spectrum(np.empty(0), np.empty(0))
    values, numbers = _distinct(free)
    probabilities = values / model.weights.sum()
    if values.size > _DISTINCT:
        return _binned(probabilities, numbers)
    return Spectrum(probabilities, numbers)


def _distinct(weights: Integers | Floats) -> tuple[Floats, Floats]:
    whole = np.issubdtype(weights.dtype, np.integer)
    if whole and weights.max() <= 4 * weights.size:
        histogram = np.bincount(weights)
        values = np.flatnonzero(histogram)
        return values.astype(np.float64), histogram[values].astype(np.float64)
    distinct, numbers = np.unique(weights.astype(np.float64), return_counts=True)
    return distinct, numbers.astype(np.float64)


def _binned(probabilities: Floats, numbers: Floats) -> Spectrum:
    logs = np.log(probabilities)
    place = ((logs - logs[0]) * _BINS_PER_UNIT).astype(np.int64)
    size = np.bincount(place, numbers)
    used = size > 0
    mean = np.bincount(place, numbers * probabilities)[used] / size[used]
    centre = np.zeros(size.size)
    centre[used] = mean
    spread = np.bincount(place, numbers * (probabilities - centre[place]) ** 2)[used]
    deviation = np.sqrt(spread / size[used])
    nodes = np.concatenate([mean - deviation, mean + deviation])
    order = np.argsort(nodes)
    return Spectrum(nodes[order], np.tile(size[used] / 2, 2)[order], _BINNING_ERROR)
