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

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.laws.rounds import ChainRounds

_MOST_CELLS = 1 << 22


def survival_exponents(
    generations: int, *, rate: float = 1.0, first: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return g_k for k = 1 … `generations`: g_1 = 1, g_{k+1} = 1 - exp(-ρ g_k).

    Pr(N_k ≠ 0) = 1 - exp(-c g_k) for a symbol of count c under replace; 1/k ≤ g_k ≤ 3/k.
    ρ is the mean number of descendants, `rate`. Other values of g_1 may be given as `first`, and
    are along the further axes.

    Examples
    --------
    >>> survival_exponents(3).round(4).tolist()
    [1.0, 0.6321, 0.4685]
    """
    start = np.ones(()) if first is None else first
    exponents = np.empty((generations, *start.shape), start.dtype)
    exponents[0] = start
    for generation in range(1, generations):
        exponents[generation] = -np.expm1(-rate * exponents[generation - 1])
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
        parts = composed(rounds, np.ones(()))
        slope = parts.slope.copy()
        slope[0] = np.inf
        squares = 0.5 * parts.fresh_squares
        return cls(slope, parts.offset, _steps(rounds.generated), squares, _steps(rounds.fresh))

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


@dataclass(frozen=True, eq=False)
class Composed:
    """What the exponents of the generating functions of every round are made of.

    Each has the shape ``(K + 1, *v.shape)``, and is 0 at k = 0.

    Parameters
    ----------
    slope, offset
        a_k and b_k.
    stored
        Σ_{j<k} log(1 - v_j), the exponent of one stored item of a symbol.
    fresh_squares
        Σ_{j<k} m v_j².
    """

    slope: NDArray[Any]
    offset: NDArray[Any]
    stored: NDArray[Any]
    fresh_squares: NDArray[Any]


def composed(rounds: ChainRounds, v: NDArray[Any]) -> Composed:
    """Return the exponents of the generating functions; for rounds that are alike, in one pass.

    Parameters
    ----------
    rounds
        What each round is trained on.
    v
        1 - z, where z is the argument of the generating function: real or complex, of any shape.
    """
    alike = all(np.ptp(kind) == 0 for kind in (rounds.generated, rounds.fresh, rounds.samples))
    with np.errstate(divide="ignore"):
        return _same_mix(rounds, v) if alike else _varying_mix(rounds, v)


def _same_mix(rounds: ChainRounds, v: NDArray[Any]) -> Composed:
    """Return the exponents where every round has the same mix."""
    generated, fresh = float(rounds.generated[0]), float(rounds.fresh[0])
    first, later = rounds.uniform[0], rounds.uniform[-1]
    path = survival_exponents(
        rounds.number, rate=generated * (1.0 - later) / float(rounds.samples[0]), first=v
    )
    before = _sums(path)
    per_type = generated / rounds.reserve.size
    slope, offset = np.zeros_like(before), np.zeros_like(before)
    slope[1:] = generated * (1.0 - first) * path + fresh * before[1:]
    offset[1:] = per_type * (first * path + later * before[:-1])
    return Composed(slope, offset, _sums(np.log1p(-path)), fresh * _sums(path**2))


def _sums(path: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate([np.zeros_like(path[:1]), np.cumsum(path, axis=0)])


def _varying_mix(rounds: ChainRounds, v: NDArray[Any]) -> Composed:
    """Return the same for any rounds, composing backwards for every target at once."""
    number, types = rounds.number, rounds.reserve.size
    path = np.repeat(v[None], number + 1, axis=0)
    slope, offset, stored, squares = (np.zeros_like(path) for _ in range(4))
    for place in range(number - 1, -1, -1):
        target = slice(place + 1, None)
        generated, fresh = rounds.generated[place], rounds.fresh[place]
        uniform = rounds.uniform[place]
        slope[target] += fresh * path[target]
        offset[target] += generated * uniform / types * path[target]
        stored[target] += np.log1p(-path[target])
        squares[target] += fresh * path[target] ** 2
        if place == 0:
            slope[target] += generated * (1.0 - uniform) * path[target]
        else:
            rate = generated * (1.0 - uniform) / rounds.samples[place - 1]
            path[target] = -np.expm1(-rate * path[target])
    return Composed(slope, offset, stored, squares)


def _steps(draws: Integers) -> Floats:
    largest = np.divide(np.exp(-1.0), draws, out=np.zeros(draws.size), where=draws > 0)
    return np.concatenate([[0.0], np.cumsum(largest)])
