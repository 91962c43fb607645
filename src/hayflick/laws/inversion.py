r"""Laws of sums of k independent rounds from their cumulant function, by Gil-Pelaez inversion.

With a centred step of characteristic function φ and S_k the sum of k steps,

    Pr(S_k > x) = 1/2 + (1/π) ∫_0^∞ Im[φ(t)^k e^{-itx}] dt/t,

and the midpoint rule with step h leaves out no more than Pr(S_k < x - 2π/h) or
Pr(S_k > x + 2π/h). Chernoff's bound gives an interval that holds all but 1e-13 of the law
on either side; 2π/h is its length, and an x beyond it is moved to its end.

References
----------
Gil-Pelaez, *Note on the inversion theorem*, Biometrika 38 (1951); Davies, *Numerical
inversion of a characteristic function*, Biometrika 60 (1973), equation 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats

Cumulant = Callable[[NDArray[Any]], NDArray[Any]]

# What is left out on either side of the law, and beyond the last node, is exp(-30) = 1e-13.
_NEGLIGIBLE = 30.0
_LARGEST_BLOCK = 4096
_TRIES = 128
_STEPS = 60
_CLOSE = 1e-14


@dataclass(frozen=True, eq=False)
class Inversion:
    """The laws of sums of k steps for some k, each on its own nodes; exact to 1e-12.

    Parameters
    ----------
    low, high
        Ends of the interval that holds all but 1e-13 of the law on either side, ``(k,)``.
    nodes
        Arguments t of the characteristic functions, shape ``(k, nodes)``.
    values
        The characteristic functions there.
    """

    low: Floats
    high: Floats
    nodes: Floats
    values: NDArray[np.complex128]

    @classmethod
    def blocks(
        cls, cumulant: Cumulant, *, generations: int, deviation: float, lowest: float
    ) -> Iterator[Inversion]:
        """Yield the laws for k = 1 … `generations`, in blocks of neighbours.

        Parameters
        ----------
        cumulant
            ln E exp(w Y) of the centred step Y, for real and for imaginary arrays w; the
            characteristic function is log-concave.
        generations
            The largest k.
        deviation
            Standard deviation of Y.
        lowest
            The (negative) real w to which the cumulant function reaches.
        """
        first = 1
        while first <= generations:
            last = min(generations, 2 * first - 1, first + _LARGEST_BLOCK - 1)
            yield cls._of(cumulant, np.arange(first, last + 1.0), deviation, lowest)
            first = last + 1

    @classmethod
    def _of(cls, cumulant: Cumulant, rounds: Floats, deviation: float, lowest: float) -> Inversion:
        low = -_chernoff_ends(lambda s: cumulant(-s), rounds, deviation, -lowest)
        high = _chernoff_ends(cumulant, rounds, deviation, np.inf)
        step = 2.0 * np.pi / (high - low)
        number = int(np.max(_cutoffs(cumulant, rounds, deviation) / step)) + 1
        nodes = step[:, None] * (np.arange(number) + 0.5)
        values = np.exp(rounds[:, None] * cumulant(1j * nodes))
        return cls(low, high, nodes, values)

    def above(self, thresholds: Floats) -> Floats:
        """Return Pr(S_k > x), shaped like `thresholds`: ``(…, k)``, absolute error 1e-12."""
        inside = np.clip(thresholds, self.low, self.high)
        weights = self.values / (np.pi * (np.arange(self.nodes.shape[1]) + 0.5))
        turn = inside[..., None] * self.nodes
        terms = weights.imag * np.cos(turn) - weights.real * np.sin(turn)
        upper: Floats = np.clip(0.5 + terms.sum(axis=-1), 0.0, 1.0)
        return np.where(thresholds > self.high, 0.0, np.where(thresholds < self.low, 1.0, upper))

    def density(self, thresholds: Floats) -> Floats:
        """Return the density of S_k at one threshold each, shape ``(k,)``."""
        turn = thresholds[..., None] * self.nodes
        terms = self.values.real * np.cos(turn) + self.values.imag * np.sin(turn)
        density: Floats = terms.sum(axis=-1) * 2.0 / (self.high - self.low)
        return density

    def quantile(self, probability: float) -> Floats:
        """Return x with Pr(S_k ≤ x) = `probability`, shape ``(k,)``, by Newton's steps.

        A step that leaves the bracket is replaced by halving it.
        """
        low, high = self.low, self.high
        x = np.zeros(low.size)
        for _ in range(_STEPS):
            excess = self.above(x) - (1.0 - probability)
            if np.abs(excess).max() <= _CLOSE:
                break
            low, high = np.where(excess > 0, x, low), np.where(excess > 0, high, x)
            newton = x + excess / np.maximum(self.density(x), np.finfo(float).tiny)
            inside = (low < newton) & (newton < high)
            x = np.where(inside, newton, 0.5 * (low + high))
        return x


def _chernoff_ends(cumulant: Cumulant, rounds: Floats, deviation: float, reach: float) -> Floats:
    """Return x > 0 with Pr(S_k > x) below exp(-30); any w proves it, the best is sharp."""
    middle = np.sqrt(2.0 * _NEGLIGIBLE) / deviation
    largest = min(20.0 * middle, 0.999 * reach)
    smallest = min(largest, 0.1 * middle / np.sqrt(rounds[-1]))
    w = np.geomspace(smallest, largest, _TRIES)
    ends: Floats = ((np.outer(rounds, cumulant(w)) + _NEGLIGIBLE) / w).min(axis=1)
    return ends


def _cutoffs(cumulant: Cumulant, rounds: Floats, deviation: float) -> Floats:
    """Return t beyond which |φ|^k is below exp(-30) and falls at least exponentially."""
    smallest = np.sqrt(2.0 * _NEGLIGIBLE / rounds[-1]) / deviation
    largest = np.sqrt(2.0 * _NEGLIGIBLE / rounds[0]) / deviation
    while -rounds[0] * cumulant(1j * np.array([largest]))[0].real < _NEGLIGIBLE:
        largest *= 2.0
    t = np.geomspace(smallest, largest, _TRIES)
    decay = -cumulant(1j * t).real
    return t[np.minimum(np.searchsorted(decay, _NEGLIGIBLE / rounds), _TRIES - 1)]
