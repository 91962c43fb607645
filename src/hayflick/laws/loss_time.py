"""The round in which a symbol is first missing from the training set, on average.

The mean T(N) of rounds from a count N solves T(N) = 1 + E[T(N'); N' ≠ 0], N' the next count.
For n ≤ 500 every count is an unknown, and the answer is exact. Beyond, the unknowns are the
64 lowest and highest counts and forty per factor e in between; T between them is a cubic in
the logit of N, and wide binomials are taken for normal. Under replace a symbol can also take
over: the mean is over the runs in which it is lost, a share 1 - p_0 of them.

References
----------
Ewens, *Mathematical Population Genetics* (2004), sections 1.2 and 2.12 (conditional
processes); the diffusion's mean under replace, -2n x ln(x) / (1 - x), is equation 5.52.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import roots_hermitenorm

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.regimes.replace import Replace

_LARGEST_EXACT = 500
_SINGLE_COUNTS = 64
_NODES_PER_UNIT = 40
_WIDEST_VARIANCE = 1000.0
_DEVIATIONS = 9.0
_HERMITE = roots_hermitenorm(32)
# The equations are ill-conditioned beyond: such a symbol is practically never lost.
_LONGEST = 1e12
_ROUNDING = 5e-14
_INTERPOLATION = 0.002


@dataclass(frozen=True, eq=False)
class LossTime:
    """Expected rounds until symbols are first missing.

    Parameters
    ----------
    model, rounds
        The model and its rounds.
    law
        ``exact`` or, above training sets of 500 items, ``interpolated``; how far off a time can
        be is said by `error_of`.
    """

    model: Discrete
    rounds: ChainRounds
    law: str

    def of_symbols(self, symbols: Sequence[str]) -> Floats:
        """Return the expected rounds of named symbols; inf for those that a reserve holds.

        Raises
        ------
        DataError
            If a symbol is not in the data.
        """
        where = self.model.places_of(symbols)
        times = self.of_probabilities(self.model.probabilities[where])
        times[self.rounds.reserve[where] > 0] = np.inf
        return times

    def error_of(self, times: Floats) -> Floats:
        """Return how far off expected rounds can be, as shares of them.

        Interpolation is within 0.2 %. To it comes the rounding of the equations, which grows with
        the number of rounds.

        Parameters
        ----------
        times
            Expected rounds, shape ``(symbols,)``.
        """
        rounding = _ROUNDING * np.where(np.isfinite(times), times, 0.0)
        return rounding + (0.0 if self.law == "exact" else _INTERPOLATION)

    def of_probabilities(self, probabilities: Floats) -> Floats:
        """Return the expected rounds of symbols that no reserve holds.

        Parameters
        ----------
        probabilities
            Their real probabilities, shape ``(symbols,)``.

        Returns
        -------
        Rounds, shape ``(symbols,)``; inf where a symbol is practically never lost. Under
        replace, the mean over the runs in which it is lost.
        """
        distinct, where = np.unique(probabilities, return_inverse=True)
        passage = _FirstPassage(self.rounds)
        times = np.array([passage.mean(float(chance)) for chance in distinct])
        return times[where] if times.size else np.empty(0)


def loss_time(
    model: Discrete, *, regime: Regime = Replace(), samples: int | None = None
) -> LossTime:
    """Return the law of a symbol's first loss.

    Parameters
    ----------
    model
        The real data's law.
    regime
        What each round is trained on, the same in every round.
    samples
        Size of a training set; the data's own size where None.

    Raises
    ------
    ArgumentError
        If the regime's rounds differ, or an argument is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 99, "here": 1})
    >>> times = loss_time(words)
    >>> times.law, times.of_symbols(["here"]).round(2).tolist()
    ('exact', [8.66])
    """
    if not regime.constant:
        takes = "a regime whose rounds are all alike"
        raise ArgumentError("regime", got=regime.describe(), takes=takes)
    # The first round draws from the fit to the real data, all later ones are like the second.
    rounds = rounds_of(model, regime=regime, samples=samples, generations=2)
    exact = rounds.samples[0] <= _LARGEST_EXACT
    return LossTime(model, rounds, "exact" if exact else "interpolated")


class _FirstPassage:
    """First passage to 0 on a grid of counts."""

    def __init__(self, rounds: ChainRounds) -> None:
        self.size = int(rounds.samples[0])
        self.generated, self.fresh = int(rounds.generated[0]), int(rounds.fresh[0])
        self.shares, self.types = rounds.uniform, rounds.reserve.size
        can_fix = self.generated == self.size and self.shares[1] == 0.0
        # A symbol that is fixed is never lost.
        self.last = self.size - 1 if can_fix else self.size
        self.grid = _grid(self.size, self.last)
        # Chance of ever being lost from each count.
        self.lost = 1.0 - self.grid / self.size if can_fix else np.ones(self.grid.size)
        self._solved: tuple[float, Floats] | None = None

    def mean(self, chance: float) -> float:
        """Return the expected round of first loss of a symbol of real probability `chance`."""
        start = self._row((1.0 - self.shares[0]) * chance + self.shares[0] / self.types, chance)
        at_once, onward = start[0], start[1:]
        ever = at_once + onward @ self.lost
        if ever <= 0.0:
            return float("inf")
        time = (at_once + onward @ (self.lost + self._onward(chance))) / ever
        return float(time) if 0.0 < time < _LONGEST else float("inf")

    def _onward(self, chance: float) -> Floats:
        """Return E[rounds; lost] from every count of the grid."""
        # Without fresh data the equations are the same for every symbol.
        key = chance if self.fresh else 0.0
        if self._solved is None or self._solved[0] != key:
            observed = (1.0 - self.shares[1]) * self.grid / self.size + self.shares[1] / self.types
            matrix = np.array([self._row(float(law), chance)[1:] for law in observed])
            self._solved = key, np.linalg.solve(np.eye(self.grid.size) - matrix, self.lost)
        return self._solved[1]

    def _row(self, law: float, chance: float) -> Floats:
        """Return the next count's law as weights on 0 and on the counts of the grid."""
        mean = self.generated * law + self.fresh * chance
        variance = self.generated * law * (1.0 - law) + self.fresh * chance * (1.0 - chance)
        if variance > _WIDEST_VARIANCE and self.size > _LARGEST_EXACT:
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
    if size <= _LARGEST_EXACT:
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
