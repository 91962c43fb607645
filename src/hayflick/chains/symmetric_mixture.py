"""The symmetric mixture ½ N(μ, σ²) + ½ N(-μ, σ²), fitted jointly.

Its estimators need the draws themselves.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, Theorem 4 and appendix (the approximate joint estimator).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from typing_extensions import override

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.family import FamilyData, ItemPools, NamedModel, ParametricChain, Rng
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, number
from hayflick.core.protocols import Model
from hayflick.core.records import Mix

MOST_ITEMS = 1_000_000
"""Largest training set: its draws are kept one by one."""

ESTIMATORS = ("approximate-joint-ml", "joint-ml")
_ETA = 2.0
_LARGEST_SHAPE = 50.0
_STEPS_DOWN, _HALVINGS, _GRID = 100, 50, 24


@dataclass(frozen=True)
class SymmetricMixture(NamedModel):
    """Distance and deviation of two mirrored Gaussians, and their estimator.

    Parameters
    ----------
    mean
        μ, half the distance between the components, at least 0.
    deviation
        σ of each component, above 0.
    estimator
        ``approximate-joint-ml`` (the paper's) or ``joint-ml`` (the exact maximum).
    total
        Number of real items; None for a law that is known.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> pair = SymmetricMixture(1.0, 1.0)
    >>> runs = simulate(pair, samples=10, generations=200, replicates=32, seed=1)
    >>> bool(runs["deviation"][:, -1].median() < 0.1)
    True
    """

    family: ClassVar[str] = "symmetric-mixture"
    described: ClassVar[tuple[str, ...]] = ("mean", "deviation", "total", "estimator")
    smallest_round: ClassVar[int] = 2
    largest_round: ClassVar[int] = MOST_ITEMS

    mean: float
    deviation: float
    estimator: str = "approximate-joint-ml"
    total: int | None = None

    def __post_init__(self) -> None:
        mean = checks.number_between("mean", self.mean, low=0.0, high=checks.LARGEST_SIZE)
        object.__setattr__(self, "mean", mean)
        deviation = checks.positive_number("deviation", self.deviation)
        object.__setattr__(self, "deviation", deviation)
        if self.estimator not in ESTIMATORS:
            takes = f"one of {', '.join(ESTIMATORS)}"
            raise ArgumentError("estimator", got=self.estimator, takes=takes)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(mean: str = "1", deviation: str = "1") -> Model:
            return cls(number("mean", mean), number("deviation", deviation))

        return Entry(make, (), ("mean", "deviation"))

    @override
    def estimators(self) -> Mapping[str, Entry[Model]]:
        return {name: Entry(lambda e=name: replace(self, estimator=e)) for name in ESTIMATORS}

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> SymmetricMixtureChain:
        return SymmetricMixtureChain(self, self.training_size(samples), stages)


class Draws(NamedTuple):
    """The draws themselves, shape ``(replicates, items)``."""

    values: Floats

    @classmethod
    def from_mixtures(cls, rng: Rng, mean: Floats, deviation: Floats, draws: int) -> Draws:
        """Draw from one mixture per replicate."""
        signs = 2.0 * rng.integers(0, 2, (mean.size, draws)) - 1.0
        noise = rng.standard_normal((mean.size, draws))
        return cls(mean[:, None] * signs + deviation[:, None] * noise)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return len(self.values)

    def merge(self, other: Draws) -> Draws:
        """Return the draws of both."""
        return Draws(np.concatenate([self.values, other.values], axis=1))

    def weighted(self, weight: float) -> Draws:
        """Return the same draws: the family takes no weights."""
        assert weight == 1.0
        return self

    def items(self, rng: Rng) -> Floats:  # noqa: ARG002
        """Return the draws."""
        return self.values


class SymmetricMixtureChain(ParametricChain[Draws]):
    """Distance and deviation of two mirrored Gaussians re-estimated from their draws."""

    takes: ClassVar = {"degradation": (AdditiveNoise,), "rounding": (Grid,)}
    parameters = ("mean", "deviation")
    model: SymmetricMixture

    @property
    @override
    def real(self) -> tuple[float, ...]:
        return (self.model.mean, self.model.deviation)

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> Draws:
        mean, deviation = population
        if isinstance(self.stages.degradation, AdditiveNoise):
            deviation = np.hypot(deviation, self.stages.degradation.deviation)
        return Draws.from_mixtures(rng, mean, deviation, draws)

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> Draws:
        mean, deviation = (np.full(replicates, value) for value in self.real)
        return Draws.from_mixtures(rng, mean, deviation, items)

    @override
    def real_data(self, replicates: int) -> None:
        return None

    @override
    def real_pools(self, rng: Rng, replicates: int) -> Draws:
        return self.draw_real(rng, replicates, self.model.total or self.samples)

    def pools(self, mixes: Sequence[Mix[Any]]) -> ItemPools[Draws]:
        """Return how the draws of all rounds are kept; the real data are drawn from θ_0.

        Raises
        ------
        ArgumentError
            If they are too many.
        """
        self.check_subsamples(mixes)
        return ItemPools(self.real_pools, Draws.items, Draws)

    @override
    def estimate(self, pool: Draws) -> Floats:
        fit = approximate_joint if self.model.estimator == ESTIMATORS[0] else exact_joint
        return self.rounded(np.stack(fit(pool.values)))


def approximate_joint(values: Floats) -> tuple[Floats, Floats]:
    """Return the paper's approximate joint estimates of μ and σ.

    Parameters
    ----------
    values
        Draws, shape ``(replicates, items)``.
    """
    items = values.shape[1]
    absolute, square = np.abs(values).mean(axis=1), (values**2).mean(axis=1)
    exponent = (_ETA - 1.0) * ((items - 1.0) / 2.0 + 4.0 * _ETA)
    kappa = np.expm1(exponent / (_ETA * (items - 1.0) * (items + 4.0 * _ETA - 1.0)))
    gap = square - (1.0 + kappa) * absolute**2
    shape = np.full(square.shape, _LARGEST_SHAPE)
    wide = gap > 0.0
    shape[wide] = 2.0 * (1.0 + kappa) * square[wide] / gap[wide]
    joint = shape * square * (square - absolute**2)
    below = shape * absolute**2 + 2.0 * square
    variance = np.divide(joint, below, out=np.zeros_like(joint), where=below > 0.0)
    # Beyond this point the two components are one.
    apart = (shape > 2.0) & (square * (shape - 2.0) <= 2.0 * shape * absolute**2)
    variance = np.clip(np.where(apart, variance, square), 0.0, square)
    return np.sqrt(square - variance), np.sqrt(variance)


def exact_joint(values: Floats) -> tuple[Floats, Floats]:
    """Return the joint maximum-likelihood estimates of μ and σ.

    The likelihood's stationary points solve t = mean(y tanh(t y / σ²)), σ² = mean y² - t².
    There may be several: the largest, 0, and what a search over all t finds are compared.

    Parameters
    ----------
    values
        Draws, shape ``(replicates, items)``.
    """
    square = (values**2).mean(axis=1)
    largest = _largest_stationary(values, square)
    candidates = np.stack([np.zeros_like(square), largest, _searched(values, square)])
    likelihoods = np.stack([_likelihood(values, square, at) for at in candidates])
    best = likelihoods.argmax(axis=0)
    mean: Floats = np.take_along_axis(candidates, best[None], axis=0)[0]
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0))


def _largest_stationary(values: Floats, square: Floats) -> Floats:
    high: Floats = np.abs(values).mean(axis=1)
    for _ in range(_STEPS_DOWN):
        high = _tilted_mean(values, square, high)
    # From above, steps go down to the largest solution, slowly where the components nearly
    # meet: halving the interval below ends the search.
    low = np.zeros_like(high)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = _tilted_mean(values, square, middle) > middle
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def _searched(values: Floats, square: Floats) -> Floats:
    """Return the best t of a grid, improved by steps that never lose likelihood."""
    grid = np.sqrt(square) * np.linspace(0.0, 1.0, _GRID, endpoint=False)[:, None]
    best = np.stack([_likelihood(values, square, at) for at in grid]).argmax(axis=0)
    at: Floats = np.take_along_axis(grid, best[None], axis=0)[0]
    for _ in range(_STEPS_DOWN):
        at = _tilted_mean(values, square, at)
    return at


def _likelihood(values: Floats, square: Floats, at: Floats) -> Floats:
    """Return the mean log-likelihood at μ = t and σ² = mean y² - t², up to a constant."""
    variance = np.maximum(square - at**2, np.finfo(np.float64).tiny)
    absolute = np.abs(values)
    mean = absolute.mean(axis=1)
    with np.errstate(over="ignore"):
        overlap = np.log1p(np.exp(-2.0 * (at / variance)[:, None] * absolute)).mean(axis=1)
        distance = ((at - mean) ** 2 + square - mean**2) / (2.0 * variance)
    likelihood: Floats = overlap - 0.5 * np.log(variance) - distance
    return likelihood


def _tilted_mean(values: Floats, square: Floats, at: Floats) -> Floats:
    variance = np.maximum(square - at**2, np.finfo(np.float64).tiny)
    # Where the components stand far apart the argument is infinite, and its tanh 1.
    with np.errstate(over="ignore"):
        tilted = np.tanh((at / variance)[:, None] * values)
    mean: Floats = (values * tilted).mean(axis=1)
    bounded: Floats = np.minimum(mean, np.sqrt(square))
    return bounded
