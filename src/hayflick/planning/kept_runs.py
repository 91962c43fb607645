"""Simulated runs of a target: the weight that each run keeps, round by round.

A type is kept in a round if its training set holds enough items of it. Counts of types that
are not wanted add up to one more type, which changes nothing for the others: counts are a
multinomial, and stay one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.block_counts import BlockCounts, LawBlock, WeightedCounts
from hayflick.chains.discrete import Discrete
from hayflick.chains.discrete_chains import DiscreteChain, StagedDiscreteChain
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD, AddDelta
from hayflick.chains.family import MergedPools
from hayflick.chains.resampled import ResampledChain
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Recorded, Regime
from hayflick.core.records import Mix
from hayflick.simulation.simulate import simulate

KEPT = "kept"
"""Name of the measurement: the weight that is kept."""

_REST = "\N{REPLACEMENT CHARACTER} all others"


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a run is measured by.

    Parameters
    ----------
    weights
        Of every type of the model, 0 for one that does not count; shape ``(types,)``.
    least
        Items that a training set must hold of a type to keep it, shape ``(types,)``.
    """

    weights: Floats
    least: Integers

    def of_counts(self, counts: Integers) -> Floats:
        """Return the weight kept in runs of counts, shape ``(replicates, types)``."""
        kept: Floats = (counts >= self.least).astype(np.float64) @ self.weights
        return kept

    def of_block(self, block: BlockCounts) -> Floats:
        """Return the weight kept in every replicate of a block."""
        if block.size == 0:
            return np.full(block.replicates, float(self.weights.sum()))
        symbols, counts, offsets = block.sparse
        weights = np.where(counts >= self.least[symbols], self.weights[symbols], 0.0)
        runs = np.repeat(np.arange(block.replicates), np.diff(offsets))
        kept: Floats = np.bincount(runs, weights=weights, minlength=block.replicates).astype(
            np.float64
        )
        return kept


class _KeptChain(DiscreteChain):
    """Counts alone, and the weight that they keep."""

    model: _WantedModel

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        return {KEPT: self.model.wanted.of_block(population)}

    @override
    def measure_last(self, population: BlockCounts) -> Recorded:
        return {}

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {}


class _KeptResampledChain(ResampledChain):
    """Rounds of a trained model, and the weight that they keep."""

    model: _WantedModel

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        return {KEPT: self.model.wanted.of_block(population)}

    @override
    def measure_last(self, population: BlockCounts) -> Recorded:
        return {}

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {}


class _KeptStagedChain(StagedDiscreteChain):
    """A chain with further stages, and the weight that its training sets keep."""

    model: _WantedModel

    @override
    def measure(self, population: LawBlock) -> Recorded:
        wanted = self.model.wanted
        if population.counts is None:
            return {KEPT: np.full(len(population.law), float(wanted.weights.sum()))}
        return {KEPT: wanted.of_counts(population.counts)}

    @override
    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[WeightedCounts]:
        own, wanted = super().pools(mixes), self.model.wanted

        def measured(sample: WeightedCounts | None, kept: WeightedCounts) -> Recorded:  # noqa: ARG001
            if sample is None:
                return {}
            return {KEPT: wanted.of_counts(sample.generated + sample.real)}

        return MergedPools(own.real, own.subsample, measured)


@dataclass(frozen=True, eq=False)
class _WantedModel(Discrete):
    """A law whose runs record the weight that is kept."""

    wanted: Wanted = field(kw_only=True)

    @override
    def chain(
        self, samples: int, *, stages: Stages = Stages()
    ) -> _KeptChain | _KeptResampledChain | _KeptStagedChain:
        size = self.training_size(samples)
        if isinstance(self.estimator, Resampler):
            return _KeptResampledChain(self, size, stages)
        if stages.given() or not isinstance(self.estimator, AddDelta):
            return _KeptStagedChain(self, size, stages)
        return _KeptChain(self, size)


def kept_runs(
    model: Discrete,
    weights: Floats,
    least: Integers,
    *,
    regime: Regime,
    samples: int,
    generations: int,
    stages: Stages = Stages(),
    **settings: Any,
) -> Floats:
    """Return the share of the weight that each simulated run keeps, round by round.

    Parameters
    ----------
    model
        The real data's law.
    weights
        Of every type, 0 for one that does not count; shape ``(types,)``.
    least
        Items that a training set must hold of a type to keep it, shape ``(types,)``.
    regime, samples, generations, stages, settings
        As of `hayflick.simulate`.

    Returns
    -------
    Shape ``(replicates, K + 1)``.

    Examples
    --------
    >>> from hayflick.regimes.replace import Replace
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> settings = {"samples": 100, "generations": 10, "replicates": 64, "seed": 1}
    >>> runs = kept_runs(words, np.ones(4), np.ones(4, int), regime=Replace(), **settings)
    >>> runs.shape, float(runs[:, 0].min())
    ((64, 11), 1.0)
    """
    mixes = [regime.mix(k, samples=samples) for k in range(1, generations + 1)]
    alone = np.zeros(model.types, dtype=np.bool_)
    if not stages.given() and model.estimator == MAXIMUM_LIKELIHOOD:
        alone = weights == 0.0
        for stored in {mix.reserve for mix in mixes if mix.reserve is not None}:
            alone[model.align(stored) > 0] = False
    wanted = _wanted_model(model, weights, least, others=np.flatnonzero(alone))
    runs = simulate(
        wanted, regime=regime, samples=samples, generations=generations, stages=stages, **settings
    )
    kept: Floats = runs[KEPT].to_numpy() / weights.sum()
    return kept


def _wanted_model(
    model: Discrete, weights: Floats, least: Integers, *, others: Integers
) -> _WantedModel:
    """Return the law with what is wanted, with one type for all `others`."""
    symbols, law = model.symbols, model.weights
    if others.size > 1:
        places = np.setdiff1d(np.arange(model.types), others)
        symbols = (*(symbols[place] for place in places), _REST)
        law = np.append(law[places], law[others].sum())
        weights, least = np.append(weights[places], 0.0), np.append(least[places], 1)
    wanted = Wanted(weights, least)
    return _WantedModel(symbols, law, model.estimator, model.source, wanted=wanted)
