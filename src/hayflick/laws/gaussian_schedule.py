r"""The exact law of a Gaussian's variance where training sets differ in size from round to round.

With n_i draws in round i and a variance estimated with divisor n_i - ddof,

    ln(Σ_k² / Σ_0²) = Σ_{i ≤ k} ln(χ²_{n_i - 1} / (n_i - ddof)),

a sum of independent terms: its characteristic function is the product of theirs, inverted as
in `hayflick.laws.inversion`. Exact for all sizes; the numerical error of a probability is
below 1e-10.

References
----------
Gil-Pelaez, *Note on the inversion theorem*, Biometrika 38 (1951); Suresh et al.,
arXiv:2412.17646, section on Gaussian models, for equal sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import polygamma

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, whole_number
from hayflick.laws.gaussian_scale import LARGEST_SAMPLE
from hayflick.laws.inversion import Inversion
from hayflick.laws.log_gamma import Numbers, centred_cumulant, log_mean_excess

_NEGLIGIBLE = 30.0
_TRIES = 128
_SMALLEST_PROBABILITY = 1e-9


@dataclass(frozen=True, eq=False)
class GaussianSchedule:
    """The law of ln(Σ_k² / Σ_0²) for k = 0 … K.

    Parameters
    ----------
    samples
        Draws n_1, …, n_K of the rounds, each at least 2.
    ddof
        What the divisor of the variance falls short of n by: 1 (unbiased) or 0.

    Raises
    ------
    ArgumentError
        If there is no round, or a number is out of its range; the round is named.

    Examples
    --------
    >>> GaussianSchedule((10, 10, 10)).quantile(0.5).round(4).tolist()
    [0.0, -0.0758, -0.1901, -0.305]
    >>> GaussianSchedule((10, 20, 40)).quantile(0.5).round(4).tolist()
    [0.0, -0.0758, -0.1358, -0.1647]
    """

    samples: Sequence[int]
    ddof: int = 1
    name: str = "exact"

    def __post_init__(self) -> None:
        whole_number("rounds", len(self.samples), at_least=1)
        for place, number in enumerate(self.samples, 1):
            what = f"samples of round {place}"
            whole_number(what, number, at_least=2, at_most=LARGEST_SAMPLE)
        whole_number("ddof", self.ddof, at_least=0, at_most=1)

    @cached_property
    def drifts(self) -> Floats:
        """Mean of the logarithm after each round, shape ``(K,)``."""
        sizes = np.asarray(self.samples, dtype=np.float64)
        own = np.array([log_mean_excess(float(shape)) for shape in self._shapes])
        drifts: Floats = np.cumsum(own + np.log((sizes - 1.0) / (sizes - self.ddof)))
        return drifts

    def quantile(self, probability: float) -> Floats:
        """Return the quantile of ln(Σ_k² / Σ_0²) by generation, shape ``(K + 1,)``.

        Raises
        ------
        ArgumentError
            If `probability` is not from 1e-9 to 1 - 1e-9.
        """
        low = _SMALLEST_PROBABILITY
        level = number_between("probability", probability, low=low, high=1.0 - low)
        quantiles = np.zeros(len(self.samples) + 1)
        for rounds, law in self._blocks():
            quantiles[rounds] = law.quantile(level) + self.drifts[rounds - 1]
        return quantiles

    @cached_property
    def _shapes(self) -> Floats:
        return (np.asarray(self.samples, dtype=np.float64) - 1.0) / 2.0

    @cached_property
    def _deviations(self) -> Floats:
        """Standard deviation of the logarithm after each round, shape ``(K,)``."""
        deviations: Floats = np.sqrt(np.cumsum(polygamma(1, self._shapes)))
        return deviations

    def _cumulants(self, argument: Numbers, first: int, last: int) -> Numbers:
        """Return those of the sums of rounds first … last, shape ``(rounds, arguments)``."""
        steps: dict[float, Numbers] = {}
        for shape in self._shapes[:last]:
            if float(shape) not in steps:
                steps[float(shape)] = centred_cumulant(float(shape), argument)
        total = np.cumsum([steps[float(shape)] for shape in self._shapes[:last]], axis=0)
        return total[first - 1 :]

    def _blocks(self) -> Iterator[tuple[NDArray[np.intp], Inversion]]:
        """Yield rounds, and the laws of the sums up to them less their means."""
        first, rounds = 1, len(self.samples)
        while first <= rounds:
            last = min(rounds, 2 * first - 1)
            yield np.arange(first, last + 1), self._inversion(first, last)
            first = last + 1

    def _inversion(self, first: int, last: int) -> Inversion:
        narrow, wide = self._deviations[first - 1], self._deviations[last - 1]
        reach = 0.999 * float(self._shapes[:last].min())
        scale = np.sqrt(2.0 * _NEGLIGIBLE)
        low = -_ends(lambda w: self._cumulants(-w, first, last), scale, narrow, wide, reach)
        high = _ends(lambda w: self._cumulants(w, first, last), scale, narrow, wide, np.inf)
        # All rounds of a block share their nodes, which are close enough for the widest law.
        length = float((high - low).max())
        step = 2.0 * np.pi / length
        number = int(self._cutoff(first, scale / narrow) / step) + 1
        nodes = step * (np.arange(number) + 0.5)
        values = np.exp(self._cumulants((1j * nodes).astype(np.complex128), first, last))
        shared = np.repeat(nodes[None, :], last - first + 1, axis=0)
        return Inversion(low, low + length, shared, values)

    def _cutoff(self, first: int, guess: float) -> float:
        """Return t beyond which the narrowest law's characteristic function is negligible."""
        t = guess
        while -self._cumulants(np.array([1j * t]), first, first)[0, 0].real < _NEGLIGIBLE:
            t *= 1.5
        return float(t)


def _ends(
    cumulants: Callable[[Floats], Floats], scale: float, narrow: float, wide: float, reach: float
) -> Floats:
    """Return x > 0 with Pr(S_k > x) below exp(-30), by Chernoff's bound."""
    largest = min(20.0 * scale / narrow, reach)
    w = np.geomspace(min(0.1 * scale / wide, 0.1 * largest), largest, _TRIES)
    ends: Floats = ((cumulants(w) + _NEGLIGIBLE) / w).min(axis=1)
    return ends
