"""The chain of one symbol's count on a grid of counts, for training sets of any size.

For n ≤ 500 the grid has every count, and the chain is exact. Beyond, it has the 64 lowest and
highest counts and forty per factor e in between. A function of the count is interpolated between
them as a polynomial in the logit of N, and wide binomials are taken for normal.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import roots_hermitenorm

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.laws.survival import spectrum_of
from hayflick.regimes.replace import Replace

LARGEST_EXACT = 500
"""Largest training set of which every count is on the grid."""

_SINGLE_COUNTS = 64
_NODES_PER_UNIT = 40
_WIDEST_VARIANCE = 1000.0
_DEVIATIONS = 9.0
_HERMITE = roots_hermitenorm(32)
_ROUNDS_AT_ONCE = 64


class CountGrid:
    """One round's law of the next count, on a grid of counts.

    Parameters
    ----------
    rounds
        The rounds of the chain: the first one, which draws from the fit to the real data, and the
        second, which all later ones are like.
    """

    def __init__(self, rounds: ChainRounds) -> None:
        self.size = int(rounds.samples[0])
        self.generated, self.fresh = int(rounds.generated[0]), int(rounds.fresh[0])
        self.shares, self.types = rounds.uniform, rounds.reserve.size
        self.can_fix = self.generated == self.size and self.shares[1] == 0.0
        # A symbol that is fixed is never lost.
        self.last = self.size - 1 if self.can_fix else self.size
        self.grid = _grid(self.size, self.last)

    def first_row(self, chance: float) -> Floats:
        """Return the law of the first count of a symbol of real probability `chance`."""
        return self.row((1.0 - self.shares[0]) * chance + self.shares[0] / self.types, chance)

    def matrix(self, chance: float) -> Floats:
        """Return the law of the next count from every count of the grid."""
        observed = (1.0 - self.shares[1]) * self.grid / self.size + self.shares[1] / self.types
        rows = [self.row(float(law), chance) for law in observed]
        return np.array(rows, dtype=np.float64).reshape(-1, self.grid.size + 1)

    def row(self, law: float, chance: float) -> Floats:
        """Return the next count's law as weights on 0 and on the counts of the grid."""
        mean = self.generated * law + self.fresh * chance
        variance = self.generated * law * (1.0 - law) + self.fresh * chance * (1.0 - chance)
        if variance > _WIDEST_VARIANCE and self.size > LARGEST_EXACT:
            points, weights = _HERMITE
            counts = np.clip(mean + np.sqrt(variance) * points, 0.0, self.size)
            return self._interpolated(counts, weights / weights.sum())
        generated, first = _window(self.generated, law)
        if self.fresh:
            fresh, offset = _window(self.fresh, chance)
            generated, first = np.convolve(generated, fresh), first + offset
        return self._interpolated(first + np.arange(generated.size, dtype=np.float64), generated)

    def _interpolated(self, counts: Floats, weights: Floats) -> Floats:
        """Spread weights at counts over the neighbouring counts of the grid."""
        row = np.zeros(self.grid.size + 1)
        zero = counts < 1.0
        row[0] = weights[zero].sum()
        inside = ~zero & (counts <= self.last)
        counts, weights = counts[inside], weights[inside]
        nodes, at = _logit(self.grid, self.size), _logit(counts, self.size)
        members = _stencils(nodes, at)
        np.add.at(row, 1 + members, weights[:, None] * _lagrange(nodes[members], at))
        return row


_STENCIL = 5


def _stencils(nodes: Floats, at: Floats) -> Integers:
    """Return the places of the nodes that each point is interpolated between.

    Piecewise interpolation has a kink at the nodes, which counts where steps are much smaller than
    the nodes' distances. There all points of a row have the same nodes.
    """
    size = min(_STENCIL, nodes.size)
    if not at.size:
        return np.empty((0, size), np.int64)
    middle = int(np.searchsorted(nodes, 0.5 * (at[0] + at[-1])))
    first = np.full(at.size, np.clip(middle - size // 2, 0, nodes.size - size))
    if at[0] < nodes[first[0]] or at[-1] > nodes[first[0] + size - 1]:
        first = np.clip(np.searchsorted(nodes, at) - size // 2, 0, nodes.size - size)
    stencils: Integers = first[:, None] + np.arange(size)
    return stencils


def _grid(size: int, last: int) -> Floats:
    """Return the counts at which the mean is an unknown, from 1 to `last`."""
    if size <= LARGEST_EXACT:
        return np.arange(1.0, last + 1.0)
    decades = np.log(size / 2.0 / _SINGLE_COUNTS)
    steps = np.geomspace(_SINGLE_COUNTS, size / 2.0, max(2, int(_NODES_PER_UNIT * decades)))
    low = np.concatenate([np.arange(1.0, _SINGLE_COUNTS + 1.0), np.round(steps)])
    both = np.unique(np.concatenate([low, size - low, [last]]))
    return both[(both >= 1.0) & (both <= last)]


def _window(trials: int, chance: float) -> tuple[Floats, int]:
    """Return a binomial law where it is not negligible, and the count it begins at."""
    if chance <= 0.0 or chance >= 1.0:
        return np.ones(1), trials if chance >= 1.0 else 0
    mean, deviation = trials * chance, np.sqrt(trials * chance * (1.0 - chance))
    reach = _DEVIATIONS * deviation + _DEVIATIONS**2
    first, last = max(0, int(mean - reach)), min(trials, int(mean + reach))
    # By the ratios of neighbours: the factorials of large numbers cancel down to their rounding.
    hits = np.arange(first, last, dtype=np.float64)
    steps = np.log((trials - hits) / (hits + 1.0) * (chance / (1.0 - chance)))
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    law = np.exp(logs - logs.max())
    return law / law.sum(), first


def _logit(counts: Floats, size: int) -> Floats:
    logit: Floats = np.log(counts / (size + 1.0 - counts))
    return logit


def _lagrange(nodes: Floats, at: Floats) -> Floats:
    """Return interpolation weights of each row's nodes, shape ``(points, nodes)``."""
    weights = np.ones_like(nodes)
    for one in range(nodes.shape[1]):
        for other in range(nodes.shape[1]):
            if other != one:
                gap = nodes[:, one] - nodes[:, other]
                weights[:, one] *= (at - nodes[:, other]) / gap
    return weights


def surviving_shares(model: Discrete, *, samples: int | None = None) -> Iterator[float]:
    """Yield the expected share of symbols that survive rounds 1, 2, … under replace.

    For many rounds of large training sets, where no other law is close: exact for training sets
    of at most 500 items, beyond within 0.001.

    Parameters
    ----------
    model
        The real data's law.
    samples
        Size of a training set; the data's own size where None.

    Examples
    --------
    >>> from itertools import islice
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> [round(share, 4) for share in islice(surviving_shares(words), 10)][::9]
    [0.9085, 0.7408]
    """
    rounds = rounds_of(model, regime=Replace(), samples=samples, generations=2)
    grid, spectrum = CountGrid(rounds), spectrum_of(model, reserve=rounds.reserve)
    law = np.zeros(grid.grid.size + 1)
    for chance, number in zip(spectrum.probabilities, spectrum.weights / model.types, strict=True):
        law += number * grid.first_row(float(chance))
    lost = grid.row(float(grid.shares[1]) / grid.types, 0.0)
    transition = np.vstack([lost, grid.matrix(0.0)])
    # Pr(N_k ≠ 0) is 1 - Pr(N_k = 0), a column of the powers of the matrix: many at once.
    columns = [np.eye(law.size)[:, :1]]
    while len(columns) < _ROUNDS_AT_ONCE:
        columns.append(transition @ columns[-1])
    absent, stride = np.hstack(columns), np.linalg.matrix_power(transition, _ROUNDS_AT_ONCE)
    while True:
        yield from (1.0 - law @ absent).tolist()
        law = law @ stride
