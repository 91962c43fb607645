"""The discrete family with further stages or estimators: laws of all symbols, in full.

`hayflick.chains.discrete_chain` is the fast way for counts that are drawn and fitted as
they are; both have the same law where both apply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.discrete import Discrete
from hayflick.chains.good_turing import GoodTuring
from hayflick.chains.pools import MergedPools
from hayflick.chains.stages.generated_law import (
    DISCRETE_DEGRADATIONS,
    DISCRETE_SELECTIONS,
    GeneratedLaw,
)
from hayflick.chains.stages.record import Stages
from hayflick.chains.stages.rounding import Grid, law_on_grid
from hayflick.chains.stages.samplers import Temperature, TopK, TopP
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix

_TAKES: dict[str, tuple[type, ...]] = {
    "sampler": (Temperature, TopK, TopP),
    "degradation": DISCRETE_DEGRADATIONS,
    "selection": DISCRETE_SELECTIONS,
    "real_weight": (float,),
    "rounding": (Grid,),
}


@dataclass(frozen=True, eq=False)
class Laws:
    """Laws of a block, and the counts that they were fitted to.

    Parameters
    ----------
    law
        Shape ``(replicates, types)``.
    counts
        Items in the training set, unweighted, of the same shape; None for θ_0.
    """

    law: Floats
    counts: Integers | None


@dataclass(frozen=True, eq=False)
class WeightedCounts:
    """Counts of a block, generated and real apart, shape ``(replicates, types)``."""

    generated: Integers
    real: Integers


@dataclass(frozen=True, eq=False)
class StagedDiscreteChain:
    """The discrete family in motion, every stage built in; see `core.protocols.Chain`.

    Parameters
    ----------
    model
        The law, and how it is estimated.
    samples
        Size of a training set.
    stages
        What else happens in a round.
    """

    model: Discrete
    samples: int
    stages: Stages

    def __post_init__(self) -> None:
        self.stages.check("discrete", _TAKES)
        if isinstance(self.model.estimator, GoodTuring) and self.stages.real_weight != 1.0:
            takes = "1 with the estimator good-turing, which needs whole counts"
            raise ArgumentError("real_weight", got=self.stages.real_weight, takes=takes)
        _ = self._generated

    @cached_property
    def _generated(self) -> GeneratedLaw:
        return GeneratedLaw.of(self.stages, self.model.symbols)

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse a reserve that names other symbols.

        Raises
        ------
        DataError
            If there is one.
        """
        for mix in mixes[:1]:
            self.model.align(mix.reserve)

    def start(self, replicates: int) -> Laws:
        """Return copies of the model fitted to the real data."""
        model = self.model
        real = model.probabilities[None]
        if model.counts is not None:
            real = self._fit(model.counts[None].astype(np.float64))
        if self.stages.rounding is not None:
            real = law_on_grid(real, self.stages.rounding)
        return Laws(np.repeat(real, replicates, axis=0), None)

    def generate(self, rng: np.random.Generator, population: Laws, draws: int) -> WeightedCounts:
        """Draw `draws` symbols from every model, as they arrive in the training set."""
        counts = rng.multinomial(draws, self._generated.of_law(population.law))
        return WeightedCounts(counts, np.zeros_like(counts))

    def mix(self, rng: np.random.Generator, pool: WeightedCounts, mix: Mix[Any]) -> WeightedCounts:
        """Add fresh draws from the real law and the stored real items."""
        real = self.model.align(mix.reserve)[None].repeat(len(pool.real), axis=0)
        if mix.fresh:
            real += rng.multinomial(mix.fresh, self.model.probabilities, len(real))
        return WeightedCounts(pool.generated, pool.real + real)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[WeightedCounts]:
        """Return how the counts of all rounds are kept."""
        from hayflick.chains.discrete_pools import staged_pools

        return staged_pools(self, mixes)

    def estimate(self, pool: WeightedCounts) -> Laws:
        """Fit every model to its weighted counts, and round it."""
        weighted = pool.generated + self.stages.real_weight * pool.real
        law = self._fit(weighted)
        if self.stages.rounding is not None:
            law = law_on_grid(law, self.stages.rounding)
        return Laws(law, pool.generated + pool.real)

    def _fit(self, counts: Floats) -> Floats:
        estimator = self.model.estimator
        if isinstance(estimator, GoodTuring):
            return np.stack([estimator.fit(row) for row in counts])
        smoothed = counts + estimator.delta
        law: Floats = smoothed / smoothed.sum(axis=1, keepdims=True)
        return law

    def measure(self, population: Laws) -> Recorded:
        """Return surviving types (in the training set) and diversity of the model."""
        types = self.model.types
        surviving = np.full(len(population.law), types)
        if population.counts is not None:
            surviving = np.count_nonzero(population.counts, axis=1)
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / types,
            "diversity": 1.0 - np.sum(population.law**2, axis=1),
        }

    def measure_last(self, population: Laws) -> Recorded:  # noqa: ARG002
        """Return nothing beyond what every generation leaves behind."""
        return {}

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return no further dimension."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        return {**self.model.describe(), "samples": self.samples, **self.stages.describe()}
