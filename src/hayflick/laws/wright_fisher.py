"""The exact law of one symbol's count: a Markov chain on 0 … n.

N' | N ~ Bin(q, (1-s) N/n + s/types) + Bin(m, p_0) + r for q generated, m fresh and r stored
items, and smoothing share s. The law of N after k rounds is a vector times k matrices; all
symbols of a corpus share the first binomial and so one matrix product per round.

References
----------
Ewens, *Mathematical Population Genetics* (2004), section 1.2 (the neutral Wright-Fisher
chain; fresh data is immigration).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import gammaln, xlog1py, xlogy

from hayflick.core.arrays import Floats
from hayflick.laws.rounds import Rounds

LARGEST_SAMPLE = 3000
_AFFORDABLE_PRODUCTS = 2e10


def affordable(rounds: Rounds, *, distinct: int) -> bool:
    """Return whether the matrix products for `distinct` probabilities take about a second."""
    size = int(rounds.samples.max())
    products = float(distinct) * rounds.number * size**2
    return size <= LARGEST_SAMPLE and products <= _AFFORDABLE_PRODUCTS


def binomial_rows(trials: int, probabilities: Floats) -> Floats:
    """Return the laws Bin(trials, p), shape ``(len(probabilities), trials + 1)``.

    Examples
    --------
    >>> binomial_rows(2, np.array([0.0, 0.5])).tolist()
    [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]]
    """
    hits = np.arange(trials + 1)
    choose = gammaln(trials + 1) - gammaln(hits + 1) - gammaln(trials - hits + 1)
    p = np.asarray(probabilities, dtype=np.float64)[:, None]
    rows: Floats = np.exp(choose + xlogy(hits, p) + xlog1py(trials - hits, -p))
    return rows


@dataclass(frozen=True, eq=False)
class WrightFisher:
    """The exact law of one chain's rounds."""

    rounds: Rounds
    name: str = "exact"
    _transitions: dict[tuple[int, int, float], Floats] = field(default_factory=dict)

    def present(self, probabilities: Floats) -> Floats:
        """Return Pr(N_k ≠ 0), shape ``(len(probabilities), K + 1)``.

        Parameters
        ----------
        probabilities
            Real probabilities p_0 of symbols that no reserve holds.
        """
        survival = np.ones((len(probabilities), self.rounds.number + 1))
        for generation, law in enumerate(self.laws(probabilities), start=1):
            survival[:, generation] = 1.0 - law[:, 0]
        return np.clip(survival, 0.0, 1.0)

    def laws(self, probabilities: Floats) -> Iterator[Floats]:
        """Yield the law of the count after each round, shape ``(symbols, n_k + 1)``."""
        p = np.asarray(probabilities, dtype=np.float64)
        rounds, types = self.rounds, self.rounds.reserve.size
        law = np.empty((p.size, 0))
        for place in range(rounds.number):
            generated, uniform = int(rounds.generated[place]), float(rounds.uniform[place])
            if place == 0:
                law = binomial_rows(generated, (1.0 - uniform) * p + uniform / types)
            else:
                law = law @ self._transition(int(rounds.samples[place - 1]), generated, uniform)
            fresh = int(rounds.fresh[place])
            if fresh:
                law = fftconvolve(law, binomial_rows(fresh, p), axes=1)
            # A symbol that the reserve lacks never counts above n less the stored items.
            law = np.pad(law, ((0, 0), (0, int(rounds.samples[place]) + 1 - law.shape[1])))
            yield law

    def error(self, probabilities: Floats) -> Floats:
        """Return the rounding error of `present` in any generation, per symbol."""
        scale = np.finfo(np.float64).eps * float(self.rounds.samples.max())
        return np.full(len(probabilities), scale * self.rounds.number)

    def _transition(self, samples: int, generated: int, uniform: float) -> Floats:
        key = samples, generated, uniform
        if key not in self._transitions:
            observed = np.arange(samples + 1) / samples
            law = (1.0 - uniform) * observed + uniform / self.rounds.reserve.size
            self._transitions[key] = binomial_rows(generated, law)
        return self._transitions[key]
