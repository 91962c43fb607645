"""The exact law of one symbol's count: a Markov chain on 0 … n.

N' | N ~ Bin(q, (1-s) N/n + s/types) + Bin(m, p_0) + r for q generated, m fresh and r stored
items, and smoothing share s. The law of N after k rounds is a vector times k matrices.

What a rare symbol cannot reach is left out: a law is kept up to the count beyond which its
mass is below 1e-17, symbols of similar probability share a matrix, and a symbol that the
branching law, a lower bound, keeps with probability 1 to 1e-14 is not followed at all.

References
----------
Ewens, *Mathematical Population Genetics* (2004), section 1.2 (the neutral Wright-Fisher
chain; fresh data is immigration).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from hayflick.core.arrays import Floats, Integers
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import ChainRounds

LARGEST_SAMPLE = 3000
_AFFORDABLE_PRODUCTS = 5e9
_NEGLIGIBLE = 1e-17
_CERTAIN = 1e-14
_DEVIATIONS = 12.0

# A regime has a few kinds of rounds; each matrix can take 72 MB.
_MOST_MATRICES = 2


def affordable(
    rounds: ChainRounds, probabilities: Floats, *, most: float = _AFFORDABLE_PRODUCTS
) -> bool:
    """Return whether following `probabilities` takes `most` products, or about a second."""
    size = float(rounds.samples.max())
    if size > LARGEST_SAMPLE:
        return False
    products = 0.0
    for group in _octaves(probabilities[~_certain(rounds, probabilities)]):
        count = size * float(group.max())
        spread = _DEVIATIONS * np.sqrt(count * rounds.number)
        width = min(size, count + spread + _DEVIATIONS**2)
        products += group.size * width**2 * rounds.number
    return products <= most


def binomial_rows(trials: int, probabilities: Floats, *, hits: Integers | None = None) -> Floats:
    """Return the laws Bin(trials, p), shape ``(len(probabilities), len(hits))``.

    Parameters
    ----------
    trials
        Number of draws.
    probabilities
        Chance of a hit, one per row.
    hits
        Numbers of hits, one per column; 0 … trials where None.

    Examples
    --------
    >>> binomial_rows(2, np.array([0.0, 0.5])).tolist()
    [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]]
    """
    hits = np.arange(trials + 1) if hits is None else hits
    choose = gammaln(trials + 1) - gammaln(hits + 1) - gammaln(trials - hits + 1)
    p = np.asarray(probabilities, dtype=np.float64)[:, None]
    rows: Floats = np.exp(choose + xlogy(hits, p) + xlog1py(trials - hits, -p))
    return rows


@dataclass(frozen=True, eq=False)
class WrightFisher:
    """The exact law of one chain's rounds."""

    rounds: ChainRounds
    name: str = "exact"

    def present(self, probabilities: Floats) -> Floats:
        """Return Pr(N_k ≠ 0), shape ``(len(probabilities), K + 1)``.

        Parameters
        ----------
        probabilities
            Real probabilities p_0 of symbols that no reserve holds.
        """
        p, where = np.unique(probabilities, return_inverse=True)
        survival = np.ones((p.size, self.rounds.number + 1))
        uncertain = np.flatnonzero(~_certain(self.rounds, p))
        done = 0
        for group in _octaves(p[uncertain]):
            members = uncertain[done : done + group.size]
            for generation, law in enumerate(self.laws(group), start=1):
                survival[members, generation] = 1.0 - law[:, 0]
            done += group.size
        return np.clip(survival, 0.0, 1.0)[where]

    def total(self, probabilities: Floats, weights: Floats) -> Floats:
        """Return Σ weights · Pr(N_k ≠ 0), shape ``(K + 1,)``."""
        total: Floats = weights @ self.present(probabilities)
        return total

    def laws(self, probabilities: Floats, *, stored: int = 0) -> Iterator[Floats]:
        """Yield the law of the count after each round, cut off where it is negligible.

        Parameters
        ----------
        probabilities
            Real probabilities of symbols, of similar size for speed.
        stored
            Items of each of them that a reserve puts into every round.

        Returns
        -------
        Arrays of shape ``(symbols, counts)``, the count from `stored` on.
        """
        p = np.asarray(probabilities, dtype=np.float64)
        rounds, types = self.rounds, self.rounds.reserve.size
        transition = _Transition(types)
        drawn: dict[int, Floats] = {}
        law = np.empty((p.size, 0))
        for place in range(rounds.number):
            generated, uniform = int(rounds.generated[place]), float(rounds.uniform[place])
            if place == 0:
                law = binomial_rows(generated, (1.0 - uniform) * p + uniform / types)
            else:
                matrix = transition.block(
                    stored + law.shape[1], int(rounds.samples[place - 1]), generated, uniform
                )
                law = law @ matrix[stored:]
            fresh = int(rounds.fresh[place])
            if fresh:
                if fresh not in drawn:
                    drawn[fresh] = _trimmed(binomial_rows(fresh, p))
                law = _convolved(law, drawn[fresh])
            law = _trimmed(law)
            yield law

    def error(self, probabilities: Floats) -> Floats:
        """Return the numerical error of `present` in any generation, per symbol.

        Binomial coefficients come from differences of log-gamma functions of size n ln n.
        """
        size = float(self.rounds.samples.max())
        scale = np.finfo(np.float64).eps * size * np.log(size + 1.0)
        return np.full(len(probabilities), _CERTAIN + scale * self.rounds.number)


def _trimmed(law: Floats) -> Floats:
    reached = np.flatnonzero(law.max(axis=0) > _NEGLIGIBLE)
    return law[:, : reached[-1] + 1]


def _convolved(law: Floats, other: Floats) -> Floats:
    """Return the laws of sums, row by row; exact to rounding, unlike a Fourier transform."""
    total = np.zeros((law.shape[0], law.shape[1] + other.shape[1] - 1))
    for count in range(other.shape[1]):
        total[:, count : count + law.shape[1]] += other[:, count, None] * law
    return total


class _Transition:
    """The upper left corners of the rounds' transition matrices, grown as they are needed."""

    def __init__(self, types: int) -> None:
        self._types = types
        self._matrices: dict[tuple[int, int, float], Floats] = {}

    def block(self, counts: int, samples: int, generated: int, uniform: float) -> Floats:
        """Return the laws of the next count from 0 … `counts` - 1."""
        key = samples, generated, uniform
        matrix = self._matrices.get(key)
        if matrix is None or matrix.shape[0] < counts:
            rows = counts if matrix is None else min(samples + 1, counts * 3 // 2)
            rows = max(rows, counts)
            law = (1.0 - uniform) * np.arange(rows) / samples + uniform / self._types
            mean = generated * law[-1]
            upto = min(generated, int(mean + _DEVIATIONS * np.sqrt(mean) + _DEVIATIONS**2))
            matrix = binomial_rows(generated, law, hits=np.arange(upto + 1))
            if len(self._matrices) == _MOST_MATRICES:
                self._matrices.pop(next(iter(self._matrices)))
            self._matrices[key] = matrix
        return matrix[:counts]


def _certain(
    rounds: ChainRounds, probabilities: Floats
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which symbols are lost with a probability of less than 1e-14."""
    law = Branching.of(rounds)
    absent = np.exp(-(np.multiply.outer(probabilities, law.slope) + law.offset))
    certain: np.ndarray[tuple[int], np.dtype[np.bool_]] = absent.max(axis=1) < _CERTAIN
    return certain


def _octaves(probabilities: Floats) -> Iterator[Floats]:
    """Yield ascending probabilities in groups within a factor of two."""
    while probabilities.size:
        group = probabilities[probabilities <= 2.0 * probabilities[0]]
        yield group
        probabilities = probabilities[group.size :]
