"""The Bernoulli family: the probability of one symbol.

A generation draws n zeros and ones and takes the share of ones as the new probability. It is
the neutral Wright-Fisher chain, absorbed at 0 and at 1.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from typing_extensions import override

from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD, AddDelta, smoothings
from hayflick.chains.family import (
    MOST_COUNTED,
    CompiledParametricChain,
    FamilyData,
    MergedPools,
    NamedModel,
    Rng,
    subsampled,
)
from hayflick.chains.stages import DISCRETE_STAGES, GeneratedLaw, Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats
from hayflick.core.grammar import Entry, number
from hayflick.core.protocols import Model
from hayflick.core.records import Mix

SYMBOLS = ("0", "1")
"""Names of the two outcomes in stages that name symbols."""


@dataclass(frozen=True)
class Bernoulli(NamedModel):
    """A probability and the estimator that refits it in every generation.

    Parameters
    ----------
    probability
        Probability of a one in the real data, from 0 to 1.
    total
        Number of real items; None for a law that is known.
    estimator
        From counts to the probability: maximum likelihood, or add-δ over the two symbols.

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

    family: ClassVar[str] = "bernoulli"
    described: ClassVar[tuple[str, ...]] = ("probability", "total", "estimator")

    probability: float
    total: int | None = None
    estimator: AddDelta = MAXIMUM_LIKELIHOOD

    def __post_init__(self) -> None:
        object.__setattr__(self, "probability", checks.share("probability", self.probability))

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        return Entry(lambda probability: cls(number("probability", probability)), ("probability",))

    @override
    def estimators(self) -> Mapping[str, Entry[Model]]:
        return smoothings(self)

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> BernoulliChain:
        return BernoulliChain(self, samples, stages)


class BernoulliStatistic(NamedTuple):
    """Weighted number of ones of every replicate, and of items."""

    ones: Floats
    weight: float

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.ones.size

    def merge(self, other: BernoulliStatistic) -> BernoulliStatistic:
        """Return the numbers of both."""
        return BernoulliStatistic(self.ones + other.ones, self.weight + other.weight)

    def weighted(self, weight: float) -> BernoulliStatistic:
        """Return the same items, each of them weighing `weight` times as much."""
        return BernoulliStatistic(weight * self.ones, weight * self.weight)

    def subsample(self, rng: Rng, items: int) -> BernoulliStatistic:
        """Draw `items` of unweighted items, without replacement."""
        ones = self.ones.astype(np.int64)
        drawn = rng.hypergeometric(ones, int(self.weight) - ones, items)
        return BernoulliStatistic(drawn.astype(np.float64), float(items))


class BernoulliChain(CompiledParametricChain[BernoulliStatistic]):
    """A probability re-estimated from its own draws."""

    takes = DISCRETE_STAGES
    parameters = ("probability",)
    unit = 1.0
    model: Bernoulli

    def __init__(self, model: Bernoulli, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        self._generated = GeneratedLaw.of(stages, SYMBOLS)

    @property
    @override
    def real(self) -> tuple[float, ...]:
        model = self.model
        if model.total is None:
            return (model.probability,)
        share = model.estimator.uniform_share(total=model.total, types=2)
        return ((1.0 - share) * model.probability + share / 2.0,)

    @override
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        from hayflick.chains.parametric_kernels import bernoulli_rounds

        return bernoulli_rounds, (self.model.probability, self.model.estimator.delta)

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> BernoulliStatistic:
        chance = population[0]
        if not self.compiled:
            law = self._generated.of_law(np.stack([1.0 - chance, chance], axis=-1))
            chance = np.clip(law[..., 1], 0.0, 1.0)
        return _drawn(rng, draws, chance)

    @override
    def draw_real(self, rng: Rng, replicates: int, items: int) -> BernoulliStatistic:
        return _drawn(rng, items, np.full(replicates, self.model.probability))

    @override
    def real_data(self, replicates: int) -> BernoulliStatistic | None:
        model = self.model
        if model.total is None:
            return None
        ones = np.round(np.full(replicates, model.probability) * model.total)
        return BernoulliStatistic(ones, model.total)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[BernoulliStatistic]:
        """Return how the counts of all rounds are kept.

        Raises
        ------
        ArgumentError
            If items would have to be drawn from weighted ones, or from too many.
        """
        if subsampled(mixes):
            self.check_subsamples(mixes, most=MOST_COUNTED)
        return MergedPools(self.real_pools, BernoulliStatistic.subsample)

    @override
    def estimate(self, pool: BernoulliStatistic) -> Floats:
        delta = self.model.estimator.delta
        return self.rounded((pool.ones + delta) / (pool.weight + 2.0 * delta))[None]


def _drawn(rng: Rng, draws: int, chances: Floats) -> BernoulliStatistic:
    from hayflick.chains.parametric_kernels import binomials

    return BernoulliStatistic(binomials(rng, draws, chances).astype(np.float64), float(draws))
