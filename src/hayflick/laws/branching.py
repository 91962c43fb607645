r"""Rare symbols as a branching process with immigration: any training-set size, with a bound.

A count N of the previous round has about Poisson(ρ N) descendants, ρ = q/n with q the
generated items of the round; fresh draws and smoothing bring about Poisson(ι) immigrants.
Then Pr(N_k = 0) = exp(-(p_0 a_k + b_k)), with a_k and b_k from composing generating
functions backwards from 0. In the replace regime a_k = n g_k, g_{k+1} = 1 - exp(-g_k).

Error bound. Every round replaces a binomial by a Poisson law inside a generating function,
and e^{-qu} - (1-u)^q = u e^{-qu} at its largest, so it is in [0, 1/(e q)] for 0 ≤ u ≤ 1.
Round by round (each remaining factor is at most 1) the survival probability of the true
chain is at least the branching law's, and at most that plus the sum of these steps.

References
----------
Suresh et al., arXiv:2412.17646, Theorem 1 (its lower bound is this law); Ewens,
*Mathematical Population Genetics* (2004), section 1.4.3, for survival of a new mutant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.laws.rounds import ChainRounds

_MOST_CELLS = 1 << 22


def survival_exponents(generations: int, *, rate: float = 1.0) -> Floats:
    """Return g_k for k = 1 … `generations`: g_1 = 1, g_{k+1} = 1 - exp(-ρ g_k).

    Pr(N_k ≠ 0) = 1 - exp(-c g_k) for a symbol of count c under replace; 1/k ≤ g_k ≤ 3/k.
    ρ is the mean number of descendants, `rate`.

    Examples
    --------
    >>> survival_exponents(3).round(4).tolist()
    [1.0, 0.6321, 0.4685]
    """
    exponents = np.ones(generations)
    for generation in range(1, generations):
        exponents[generation] = -math.expm1(-rate * exponents[generation - 1])
    return exponents


@dataclass(frozen=True, eq=False)
class Branching:
    """The branching law of one chain's rounds; a lower bound with a bounded error.

    Parameters
    ----------
    slope
        a_k for k = 0 … K, with inf at k = 0 (nothing is lost before the first round).
    offset
        b_k for k = 0 … K, from smoothing.
    steps, fresh_squares, fresh_steps
        Terms of the error bound for k = 0 … K: Σ 1/(e q), Σ m v²/2 and Σ 1/(e m).
    """

    slope: Floats
    offset: Floats
    steps: Floats
    fresh_squares: Floats
    fresh_steps: Floats
    name: str = "branching"

    @classmethod
    def of(cls, rounds: ChainRounds) -> Branching:
        """Return the law of rounds; where all are alike it takes one pass over them."""
        alike = all(np.ptp(kind) == 0 for kind in (rounds.generated, rounds.fresh, rounds.samples))
        slope, offset, squares = _same_mix(rounds) if alike else _varying_mix(rounds)
        return cls(slope, offset, _steps(rounds.generated), squares, _steps(rounds.fresh))

    def present(self, probabilities: Floats) -> Floats:
        """Return Pr(N_k ≠ 0), shape ``(len(probabilities), K + 1)``.

        Parameters
        ----------
        probabilities
            Real probabilities p_0 of symbols that no reserve holds.
        """
        return self._present(probabilities, slice(None))

    def total(self, probabilities: Floats, weights: Floats) -> Floats:
        """Return Σ weights · Pr(N_k ≠ 0), shape ``(K + 1,)``, in bounded memory."""
        step = max(1, _MOST_CELLS // max(1, probabilities.size))
        parts = [
            weights @ self._present(probabilities, slice(first, first + step))
            for first in range(0, self.slope.size, step)
        ]
        return np.concatenate(parts)

    def _present(self, probabilities: Floats, generations: slice) -> Floats:
        slope, offset = self.slope[generations], self.offset[generations]
        return -np.expm1(-(np.multiply.outer(probabilities, slope) + offset))

    def error(self, probabilities: Floats) -> Floats:
        """Return how far above `present` the true survival can lie, in any generation.

        Parameters
        ----------
        probabilities
            Real probabilities p_0 of symbols that no reserve holds.

        Returns
        -------
        A bound per symbol, shape ``(len(probabilities),)``.
        """
        fresh = np.minimum(probabilities**2 * self.fresh_squares.max(), self.fresh_steps[-1])
        bound: Floats = np.minimum(self.steps[-1] + fresh, 1.0)
        return bound


def _same_mix(rounds: ChainRounds) -> tuple[Floats, Floats, Floats]:
    """Return slopes, offsets and squares where every round has the same mix."""
    generated, fresh = float(rounds.generated[0]), float(rounds.fresh[0])
    first, later = rounds.uniform[0], rounds.uniform[-1]
    rate = generated * (1.0 - later) / float(rounds.samples[0])
    v = survival_exponents(rounds.number, rate=rate)
    before = np.concatenate([[0.0], np.cumsum(v)])
    per_type = generated / rounds.reserve.size
    slope = np.concatenate([[np.inf], generated * (1.0 - first) * v + fresh * before[1:]])
    offset = np.concatenate([[0.0], per_type * (first * v + later * before[:-1])])
    squares = np.concatenate([[0.0], 0.5 * fresh * np.cumsum(v**2)])
    return slope, offset, squares


def _varying_mix(rounds: ChainRounds) -> tuple[Floats, Floats, Floats]:
    """Return the same for any rounds, composing backwards for every target at once."""
    number, types = rounds.number, rounds.reserve.size
    slope, offset, squares = np.zeros((3, number + 1))
    slope[0] = np.inf
    # v = 1 - z, where z is the argument of the generating function of one round.
    v = np.ones(number + 1)
    for place in range(number - 1, -1, -1):
        target = slice(place + 1, None)
        generated, fresh = rounds.generated[place], rounds.fresh[place]
        uniform = rounds.uniform[place]
        slope[target] += fresh * v[target]
        offset[target] += generated * uniform / types * v[target]
        squares[target] += 0.5 * fresh * v[target] ** 2
        if place == 0:
            slope[target] += generated * (1.0 - uniform) * v[target]
        else:
            rate = generated * (1.0 - uniform) / rounds.samples[place - 1]
            v[target] = -np.expm1(-rate * v[target])
    return slope, offset, squares


def _steps(draws: Integers) -> Floats:
    largest = np.divide(np.exp(-1.0), draws, out=np.zeros(draws.size), where=draws > 0)
    return np.concatenate([[0.0], np.cumsum(largest)])
