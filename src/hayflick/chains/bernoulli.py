"""The Bernoulli family: the chance of one symbol.

A generation draws n zeros and ones and takes the share of ones as the new chance. It is
the neutral Wright-Fisher chain, absorbed at 0 and at 1.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD, AddDelta
from hayflick.chains.parametric import (
    CompiledParametricChain,
    bernoulli_walk,
    binomials,
)
from hayflick.chains.pools import (
    MOST_COUNTED,
    MergedPools,
    check_pool,
    refuse_stages,
    subsampled,
)
from hayflick.chains.samplers import Temperature, TopK, TopP
from hayflick.chains.stages import (
    DISCRETE_DEGRADATIONS,
    DISCRETE_SELECTIONS,
    GeneratedLaw,
    Grid,
    Stages,
)
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.records import Mix

_TAKES: dict[str, tuple[type, ...]] = {
    "sampler": (Temperature, TopK, TopP),
    "degradation": DISCRETE_DEGRADATIONS,
    "selection": DISCRETE_SELECTIONS,
    "real_weight": (float,),
    "rounding": (Grid,),
}
SYMBOLS = ("0", "1")
"""What a draw is called in stages that name symbols."""


@dataclass(frozen=True)
class Bernoulli:
    """A chance, and how it is estimated again in every generation.

    Parameters
    ----------
    probability
        Chance of a one in the real data, from 0 to 1.
    total
        Number of real items; None for a law that is known.
    estimator
        From counts to the chance: maximum likelihood, or add-δ over the two symbols.

    Raises
    ------
    ArgumentError
        If `probability` is outside [0, 1].

    Examples
    --------
    >>> from hayflick.simulation.simulate import simulate
    >>> runs = simulate(Bernoulli(0.2), samples=100, generations=5, seed=1)
    >>> list(runs.data_vars)
    ['probability']
    """

    probability: float
    total: int | None = None
    estimator: AddDelta = MAXIMUM_LIKELIHOOD

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", checks.share("probability", self.probability))

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""
        return checks.training_size(samples, total=self.total, at_least=1)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> BernoulliChain:
        """Return the family in motion at training sets of `samples` items."""
        return BernoulliChain(self, samples, stages)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        return {
            "family": "bernoulli",
            "probability": self.probability,
            "total": self.total,
            "estimator": self.estimator.describe(),
        }


class BernoulliStatistic(NamedTuple):
    """Weighted number of ones of every replicate, and of items."""

    ones: Floats
    weight: float

    def merge(self, other: BernoulliStatistic) -> BernoulliStatistic:
        """Return both tallies together."""
        return BernoulliStatistic(self.ones + other.ones, self.weight + other.weight)

    @staticmethod
    def drawn(rng: np.random.Generator, pool: BernoulliStatistic, items: int) -> BernoulliStatistic:
        """Draw `items` of unweighted items, without replacement."""
        ones = pool.ones.astype(np.int64)
        drawn = rng.hypergeometric(ones, int(pool.weight) - ones, items)
        return BernoulliStatistic(drawn.astype(np.float64), float(items))


class BernoulliChain(CompiledParametricChain):
    """The Bernoulli family in motion."""

    family = "bernoulli"
    parameters = ("probability",)

    def __init__(self, model: Bernoulli, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        stages.check(self.family, _TAKES)
        self._generated = GeneratedLaw.of(stages, SYMBOLS)

    @property
    def real(self) -> tuple[float, ...]:
        """θ_0, the chance in the real data."""
        model = self.model
        if model.total is None:
            return (model.probability,)
        share = model.estimator.uniform_share(total=model.total, types=2)
        return ((1.0 - share) * model.probability + share / 2.0,)

    def walk(
        self,
        rngs: tuple[np.random.Generator, ...],
        population: Floats,
        generated: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> Floats:
        """Return the populations of the next generations."""
        delta, real = self.model.estimator.delta, self.model.probability
        path: Floats = bernoulli_walk(rngs, population, generated, fresh, real, delta, self.step)
        return path

    def generate(
        self, rng: np.random.Generator, population: Floats, draws: int
    ) -> BernoulliStatistic:
        """Draw how many of `draws` items are ones."""
        chance = population[0]
        if not self.compiled:
            law = self._generated.of_law(np.stack([1.0 - chance, chance], axis=-1))
            chance = np.clip(law[..., 1], 0.0, 1.0)
        return BernoulliStatistic(binomials(rng, draws, chance).astype(np.float64), float(draws))

    def mix(
        self, rng: np.random.Generator, pool: BernoulliStatistic, mix: Mix[Any]
    ) -> BernoulliStatistic:
        """Add fresh draws from the real law."""
        if not mix.fresh:
            return pool
        weight = self.stages.real_weight
        ones = binomials(rng, mix.fresh, np.full(pool.ones.size, self.model.probability))
        return BernoulliStatistic(pool.ones + weight * ones, pool.weight + weight * mix.fresh)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[BernoulliStatistic]:
        """Return how the tallies of all rounds are kept; a law's real data are drawn.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted ones, or from too many.
        """
        if subsampled(mixes):
            known = set(self.stages.given()) - {"real_weight"}
            refuse_stages(self.stages.given(), known, self.family)
            check_pool(mixes, real=self.model.total or self.samples, most=MOST_COUNTED)
        return MergedPools(self._data, BernoulliStatistic.merge, BernoulliStatistic.drawn)

    def _data(self, rng: np.random.Generator, replicates: int) -> BernoulliStatistic:
        model, weight = self.model, self.stages.real_weight
        chances = np.full(replicates, model.probability)
        if model.total is None:
            drawn = binomials(rng, self.samples, chances).astype(np.float64)
            return BernoulliStatistic(weight * drawn, weight * self.samples)
        return BernoulliStatistic(weight * np.round(chances * model.total), weight * model.total)

    def estimate(self, pool: BernoulliStatistic) -> Floats:
        """Return the share of ones."""
        delta = self.model.estimator.delta
        return self.rounded((pool.ones + delta) / (pool.weight + 2.0 * delta))[None]
