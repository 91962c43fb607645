r"""The exact law of the scale of a Gaussian that is retrained on its own draws.

With n draws a round in d dimensions, and a covariance estimated with divisor n - ddof, the
generalised variance is a product of independent chi-squared variables (Bartlett), so

    ln|S_k| - ln|S_0| = Σ_{rounds} Σ_{i=1..d} ln(χ²_{n-i} / (n - ddof)).

Exact for every n, k and d; the numerical error of a probability is below 1e-10. The law
does not depend on S_0. With n ≤ d draws the first estimate is singular: collapse at once.

References
----------
Anderson, *An Introduction to Multivariate Statistical Analysis* (2003), theorem 7.5.3;
Suresh et al., arXiv:2412.17646, section on Gaussian models, bounds the same law.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import polygamma

from hayflick.chains.gaussian_resampler import GaussianResampler, effective_draws
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, number_between, share, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.laws.log_gamma import Numbers, centred_cumulant, log_mean_excess

Cumulant = Callable[[NDArray[Any]], NDArray[Any]]

# What is left out on either side of the law, and beyond the last node, is exp(-30) = 1e-13.
_LARGEST_BLOCK = 4096
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


LARGEST_SAMPLE = 10**9
MOST_DIMENSIONS = 10_000
_SMALLEST_PROBABILITY = 1e-9
_MOST_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class GaussianScale:
    """The law of ``ln(|S_k| / |S_0|)`` for k = 0 … K; made by `gaussian_scale`.

    Parameters
    ----------
    samples
        Draws per round, n.
    generations
        How many rounds, K.
    dimensions
        d.
    ddof
        What the divisor of the covariance falls short of n by: 0 or 1.
    resampler
        A trainer that is not ideal, of known parameters; None for an ideal one.
    """

    samples: int
    generations: int
    dimensions: int = 1
    ddof: int = 1
    name: str = "exact"
    resampler: GaussianResampler | None = None

    @property
    def singular(self) -> bool:
        """Whether n ≤ d, so that the first estimate has no volume."""
        return self.samples <= self.dimensions

    @property
    def drift(self) -> float:
        """Mean change of ln|S| per round, Σ ψ(a_i) - ln((n - ddof)/2); -inf where singular."""
        if self.singular:
            return -np.inf
        excess = sum(log_mean_excess(float(shape)) for shape in self._shapes)
        if self.resampler is not None:
            return float(excess + np.log(self.resampler.variance_factor))
        shortfalls = (self.ddof - self._losses) / (self.samples - self.ddof)
        return float(excess + np.log1p(shortfalls).sum())

    @property
    def variance(self) -> float:
        """Variance of the change of ln|S| per round, Σ ψ'(a_i); nan where singular."""
        return np.nan if self.singular else float(polygamma(1, self._shapes).sum())

    def survival(self, log_ratio: ArrayLike) -> Floats:
        """Return ``Pr(ln(|S_k| / |S_0|) > log_ratio)``, the chance of not having collapsed.

        Parameters
        ----------
        log_ratio
            Thresholds. For a standard deviation Σ in one dimension and a limit ε this is
            2 ln(ε/Σ_0); infinities are taken.

        Returns
        -------
        Probabilities by generation 0 … K, shape ``(K + 1,)`` for one threshold and
        ``(len(log_ratio), K + 1)`` for an array; absolute error below 1e-10.

        Raises
        ------
        ArgumentError
            If a threshold is nan, or they have more than one dimension.

        Examples
        --------
        >>> law = gaussian_scale(10, generations=200)
        >>> law.survival(2 * np.log(0.1))[[0, 21, 51, 101]].round(4).tolist()
        [1.0, 0.8312, 0.3644, 0.0791]
        """
        x = _thresholds(log_ratio)
        upper = np.zeros((x.size, self.generations + 1))
        upper[:, 0] = x.ravel() < 0.0
        if not self.singular:
            for rounds, block in self._blocks():
                size = max(1, _MOST_CELLS // block.nodes.size)
                for first in range(0, x.size, size):
                    rows = slice(first, first + size)
                    shifted = x.ravel()[rows, None] - self.drift * rounds
                    upper[rows, rounds] = block.above(shifted)
        return upper.reshape(*x.shape, self.generations + 1)

    def quantile(self, probability: float) -> Floats:
        """Return the quantile of ``ln(|S_k| / |S_0|)`` by generation, shape ``(K + 1,)``.

        Parameters
        ----------
        probability
            Chance of lying at or below the quantile, from 1e-9 to 1 - 1e-9.

        Returns
        -------
        Quantiles: 0 at generation 0, -inf from the first round on where n ≤ d.

        Raises
        ------
        ArgumentError
            If `probability` is out of its range.

        Examples
        --------
        >>> gaussian_scale(10, generations=3).quantile(0.5).round(4).tolist()
        [0.0, -0.0758, -0.1901, -0.305]
        """
        low = _SMALLEST_PROBABILITY
        level = number_between("probability", probability, low=low, high=1.0 - low)
        quantiles = np.full(self.generations + 1, -np.inf)
        quantiles[0] = 0.0
        if not self.singular:
            for rounds, block in self._blocks():
                quantiles[rounds] = block.quantile(level) + self.drift * rounds
        return quantiles

    def collapse_time(self, log_ratio: float, *, probability: float = 0.5) -> int | None:
        """Return the first k with Pr(not collapsed) ≤ `probability`; None beyond K.

        With the default, the first generation whose median is at or below the threshold.

        Parameters
        ----------
        log_ratio
            Threshold of ``ln(|S_k| / |S_0|)``.
        probability
            The chance of not having collapsed, from 0 to 1.

        Raises
        ------
        ArgumentError
            If `log_ratio` is nan or `probability` is out of its range.

        Examples
        --------
        >>> gaussian_scale(10, generations=200).collapse_time(2 * np.log(0.1))
        41
        """
        level = share("probability", probability)
        reached = np.flatnonzero(self.survival(float(log_ratio)) <= level)
        return int(reached[0]) if reached.size else None

    @property
    def _losses(self) -> Floats:
        return np.arange(1.0, self.dimensions + 1.0)

    @property
    def _shapes(self) -> Floats:
        size = (
            self.samples if self.resampler is None else self.resampler.effective_size(self.samples)
        )
        return (size - self._losses) / 2.0

    def _blocks(self) -> Iterator[tuple[NDArray[np.intp], Inversion]]:
        """Yield generations and the laws of ln(|S_k| / |S_0|) less its mean."""

        def cumulant(argument: Numbers) -> Numbers:
            total = np.zeros_like(argument)
            for shape in self._shapes:
                total = total + centred_cumulant(float(shape), argument)
            return total

        first = 1
        deviation, lowest = float(np.sqrt(self.variance)), -float(self._shapes[-1])
        for block in Inversion.blocks(
            cumulant, generations=self.generations, deviation=deviation, lowest=lowest
        ):
            yield np.arange(first, first + block.low.size), block
            first += block.low.size


def gaussian_scale(
    samples: int,
    *,
    generations: int,
    dimensions: int = 1,
    ddof: int = 1,
    resampler: GaussianResampler | None = None,
) -> GaussianScale:
    """Return the exact law of the generalised variance under replace.

    Parameters
    ----------
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.
    dimensions
        d. With n ≤ d the first round already collapses.
    ddof
        What the divisor of the covariance falls short of n by: 1 for the unbiased
        estimate, 0 for maximum likelihood.
    resampler
        A calibrated trainer, in one dimension: n is replaced by its effective sample size, and
        the bias of the divisor by its variance factor. An ideal one changes nothing.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the parameters of the resampler vary between runs:
        their law is a mixture, which is simulated.

    Examples
    --------
    >>> law = gaussian_scale(12, generations=20, dimensions=3)
    >>> law.survival([-12, -9, -6])[:, 20].round(4).tolist()
    [0.4863, 0.1943, 0.0442]
    >>> half = gaussian_scale(20, generations=3, resampler=GaussianResampler(0.5))
    >>> half.quantile(0.5).round(4).tolist()
    [0.0, -0.0758, -0.1901, -0.305]

    References
    ----------
    Anderson, *An Introduction to Multivariate Statistical Analysis* (2003), theorem 7.5.3.
    """
    size = whole_number("samples", samples, at_least=2, at_most=LARGEST_SAMPLE)
    known = lawful_resampler(resampler, size)
    most = MOST_DIMENSIONS if known is None else 1
    return GaussianScale(
        samples=size,
        generations=whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS),
        dimensions=whole_number("dimensions", dimensions, at_least=1, at_most=most),
        ddof=whole_number("ddof", ddof, at_least=0, at_most=1),
        resampler=known,
    )


def lawful_resampler(resampler: GaussianResampler | None, samples: int) -> GaussianResampler | None:
    """Return a resampler that laws take; None for an ideal one.

    Raises
    ------
    ArgumentError
        If its parameters vary between runs, or `samples` has fewer than two effective items.
    """
    if resampler is None or resampler.ideal:
        return None
    if not resampler.known:
        takes = "known parameters: the law of parameters with a covariance is simulated"
        raise ArgumentError("resampler", got=resampler.describe(), takes=takes)
    resampler.check(samples)
    return resampler


def _thresholds(log_ratio: ArrayLike) -> Floats:
    x = np.asarray(log_ratio, dtype=np.float64)
    if np.isnan(x).any() or x.ndim > 1:
        takes = "numbers, or infinities, in no more than one dimension"
        raise ArgumentError("log_ratio", got=log_ratio, takes=takes)
    return x


_NEGLIGIBLE = 30.0
_TRIES = 128


@dataclass(frozen=True, eq=False)
class GaussianSchedule:
    """The law of ln(Σ_k² / Σ_0²) for k = 0 … K.

    Parameters
    ----------
    samples
        Draws n_1, …, n_K of the rounds, each at least 2.
    ddof
        What the divisor of the variance falls short of n by: 1 (unbiased) or 0.
    resampler
        A calibrated trainer of known parameters, trained on as many items before the first round
        as in it; None for an ideal one.

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
    resampler: GaussianResampler | None = None

    def __post_init__(self) -> None:
        whole_number("rounds", len(self.samples), at_least=1)
        for place, number in enumerate(self.samples, 1):
            what = f"samples of round {place}"
            whole_number(what, number, at_least=2, at_most=LARGEST_SAMPLE)
        whole_number("ddof", self.ddof, at_least=0, at_most=1)
        object.__setattr__(self, "resampler", lawful_resampler(self.resampler, min(self.samples)))

    @cached_property
    def drifts(self) -> Floats:
        """Mean of the logarithm after each round, shape ``(K,)``."""
        sizes = np.asarray(self.samples, dtype=np.float64)
        own = np.array([log_mean_excess(float(shape)) for shape in self._shapes])
        factors = (sizes - 1.0) / (sizes - self.ddof)
        if self.resampler is not None:
            factors = np.full(sizes.size, self.resampler.variance_factor)
        drifts: Floats = np.cumsum(own + np.log(factors))
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
        sizes = np.asarray(self.samples, dtype=np.float64)
        if self.resampler is not None:
            before = np.concatenate([sizes[:1], sizes[:-1]])
            share = np.full(sizes.size, self.resampler.effective_share)
            sizes = effective_draws(sizes, before, share)
        return (sizes - 1.0) / 2.0

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
