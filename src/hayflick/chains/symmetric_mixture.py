"""The symmetric mixture ½ N(μ, σ²) + ½ N(-μ, σ²), fitted jointly.

Its estimators need the draws themselves.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, Theorem 4 and appendix (the approximate joint estimator).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.parametric import ParametricChain
from hayflick.chains.pools import MOST_KEPT, ItemPools, check_pool
from hayflick.chains.stages import Grid, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix

MOST_ITEMS = 1_000_000
"""Draws that a training set may hold: they are kept one by one."""

ESTIMATORS = ("approximate-joint-ml", "joint-ml")
_TAKES: dict[str, tuple[type, ...]] = {"degradation": (AdditiveNoise,), "rounding": (Grid,)}
_ETA = 2.0
_LARGEST_SHAPE = 50.0
_STEPS_DOWN, _HALVINGS, _GRID = 100, 50, 24


@dataclass(frozen=True)
class SymmetricMixture:
    """Distance and deviation of two mirrored Gaussians, and how they are estimated.

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

    mean: float
    deviation: float
    estimator: str = "approximate-joint-ml"
    total: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "mean",
            checks.number_between("mean", self.mean, low=0.0, high=checks.LARGEST_SIZE),
        )
        deviation = checks.positive_number("deviation", self.deviation)
        object.__setattr__(self, "deviation", deviation)
        if self.estimator not in ESTIMATORS:
            takes = f"one of {', '.join(ESTIMATORS)}"
            raise ArgumentError("estimator", got=self.estimator, takes=takes)

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""
        return checks.training_size(samples, total=self.total, at_least=2, at_most=MOST_ITEMS)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> SymmetricMixtureChain:
        """Return the family in motion at training sets of `samples` items."""
        return SymmetricMixtureChain(self, self.training_size(samples), stages)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        parameters = {"mean": self.mean, "deviation": self.deviation, "total": self.total}
        return {"family": "symmetric-mixture", **parameters, "estimator": self.estimator}


class SymmetricMixtureChain(ParametricChain):
    """The symmetric mixture in motion; a pool is the draws, ``(replicates, items)``."""

    family = "symmetric-mixture"
    parameters = ("mean", "deviation")
    smallest_round = 2

    def __init__(self, model: SymmetricMixture, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        stages.check(self.family, _TAKES)

    @property
    def real(self) -> tuple[float, ...]:
        """θ_0, distance and deviation of the real law."""
        return (self.model.mean, self.model.deviation)

    @property
    def unit(self) -> float:
        """What a grid's bits divide: the real deviation."""
        deviation: float = self.model.deviation
        return deviation

    def generate(self, rng: np.random.Generator, population: Floats, draws: int) -> Floats:
        """Draw `draws` numbers from every model."""
        mean, deviation = population
        if isinstance(self.stages.degradation, AdditiveNoise):
            deviation = np.hypot(deviation, self.stages.degradation.deviation)
        return mixture_draws(rng, mean, deviation, draws)

    def mix(self, rng: np.random.Generator, pool: Floats, mix: Mix[Any]) -> Floats:
        """Add fresh draws from the real law."""
        if not mix.fresh:
            return pool
        mean, deviation = (np.full(len(pool), value) for value in self.real)
        return np.concatenate([pool, mixture_draws(rng, mean, deviation, mix.fresh)], axis=1)

    def pools(self, mixes: Sequence[Mix[Any]]) -> ItemPools[Floats]:
        """Return how the draws of all rounds are kept; the real data are drawn from θ_0.

        Raises
        ------
        ArgumentError
            If they are too many.
        """
        check_pool(mixes, real=self.model.total or self.samples, most=MOST_KEPT)
        return ItemPools(self._data, lambda _rng, pool: pool, lambda items: items)

    def _data(self, rng: np.random.Generator, replicates: int) -> Floats:
        mean, deviation = (np.full(replicates, value) for value in self.real)
        return mixture_draws(rng, mean, deviation, self.model.total or self.samples)

    def estimate(self, pool: Floats) -> Floats:
        """Return distance and deviation by the model's estimator."""
        fit = approximate_joint if self.model.estimator == ESTIMATORS[0] else exact_joint
        return self.rounded(np.stack(fit(pool)))


def mixture_draws(rng: np.random.Generator, mean: Floats, deviation: Floats, draws: int) -> Floats:
    """Draw from mixtures, shape ``(replicates, draws)``."""
    signs = 2.0 * rng.integers(0, 2, (mean.size, draws)) - 1.0
    noise = rng.standard_normal((mean.size, draws))
    return mean[:, None] * signs + deviation[:, None] * noise


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
