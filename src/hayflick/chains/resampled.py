"""The discrete chain of a trained model: see `hayflick.chains.resampler`.

A population holds the counts of the training sets and the parameters of every replicate's
trainer, which are drawn when it generates first. How many items a trainer writes is random: the
counts are independent given their means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from hayflick.chains.block_counts import BlockCounts
from hayflick.chains.discrete_chains import DiscreteChain, SymbolLaw
from hayflick.chains.family import Rng, marginal_draws
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import DISCRETE_STAGES, GeneratedLaw, Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix

_REFUSED = ("real_weight", "rounding")
_NO_NOISE, _LARGEST_MEAN = 1e15, 1e17


@dataclass(frozen=True, eq=False)
class ResampledCounts(BlockCounts):
    """Counts of a block, with the trainers of its replicates.

    Parameters
    ----------
    parameters
        Of every replicate, in the order of `hayflick.chains.resampler.PARAMETERS`, shape
        ``(4, replicates)``; None before anything was generated.
    """

    parameters: Floats | None = None

    @property
    def totals(self) -> Integers:
        """Items that each replicate really holds, shape ``(replicates,)``."""
        _, counts, offsets = self.sparse
        return np.diff(np.concatenate([[0], np.cumsum(counts)])[offsets])

    @override
    def merge(self, other: BlockCounts) -> ResampledCounts:
        """Return the counts of both, replicate by replicate; one alone joins every replicate."""
        merged = super().merge(other)
        parameters = self.parameters
        if parameters is None and isinstance(other, ResampledCounts):
            parameters = other.parameters
        return ResampledCounts(merged.sparse, merged.size, parameters)

    @override
    def subsample(self, rng: Rng, items: int) -> ResampledCounts:
        """Draw items without replacement from every replicate; all of one that holds fewer."""
        symbols, counts, offsets = self.sparse
        drawn = [
            row if row.sum() <= items else marginal_draws(rng, row[None], items)[0]
            for row in np.split(counts, offsets[1:-1])
        ]
        kept = np.concatenate(drawn)
        present = kept > 0
        ends = np.concatenate([[0], np.cumsum(present)])[offsets]
        return ResampledCounts((symbols[present], kept[present], ends), items, self.parameters)


class ResampledChain(DiscreteChain):
    """A discrete law retrained by a trained model, whose resampler stands for the estimator.

    Parameters and errors are those of `hayflick.chains.family.FamilyChain`; real items weigh as
    much as others, and nothing is rounded.
    """

    takes: ClassVar = {n: kinds for n, kinds in DISCRETE_STAGES.items() if n not in _REFUSED}

    def __init__(self, model: SymbolLaw, samples: int, stages: Stages = Stages()) -> None:
        for name in _REFUSED:
            if name in stages.given():
                takes = "nothing with a calibrated resampler, which starts from whole counts"
                raise ArgumentError(name, got=stages.describe()[name], takes=takes)
        super().__init__(model, samples, stages)
        assert isinstance(model.estimator, Resampler)
        self.resampler = model.estimator
        self._generated = GeneratedLaw.of(stages, model.symbols) if stages.given() else None

    @cached_property
    def _first(self) -> Floats:
        """Counts of the real data; where the law is known, those to be expected in a set."""
        counts = self.model.counts
        expected = self.model.probabilities * self.samples
        return expected if counts is None else counts.astype(np.float64)

    @override
    def empty_pools(self, replicates: int) -> ResampledCounts:
        return ResampledCounts(BlockCounts.empty(replicates).sparse, 0)

    @override
    def start(self, replicates: int) -> ResampledCounts:
        return self.empty_pools(replicates)

    @override
    def generate(self, rng: Rng, population: BlockCounts, draws: int) -> ResampledCounts:
        from hayflick.chains.resampler_kernels import resample

        types, parameters = self.model.types, _parameters(population)
        first = parameters is None
        if parameters is None:
            parameters = self.resampler.draw_parameters(rng, population.replicates)
        if self._generated is not None:
            before = np.tile(self._first, (population.replicates, 1))
            if not first:
                before = _dense(population, types)
            sparse = _sparse(resample_plainly(rng, before, parameters, draws, self._generated))
        elif first:
            places = np.arange(types, dtype=np.int32)
            whole = np.array([0, types])
            sparse = resample(rng, places, self._first, whole, parameters, draws, types)
        else:
            symbols, counts, offsets = population.sparse
            floats = counts.astype(np.float64)
            sparse = resample(rng, symbols, floats, offsets, parameters, draws, types)
        return ResampledCounts(sparse, draws, parameters)

    @override
    def mix(self, rng: Rng, pool: BlockCounts, mix: Mix[Any]) -> ResampledCounts:
        mixed = super().mix(rng, pool, mix)
        return ResampledCounts(mixed.sparse, mixed.size, _parameters(pool))

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        from hayflick.chains.count_kernels import summarise

        model, classes = self.model, self.classes
        if not isinstance(population, ResampledCounts) or population.parameters is None:
            survivors = np.tile(classes.sizes, (population.replicates, 1))
            alone = 1.0 - np.sum(model.probabilities**2)
            return self.recorded(survivors, np.full(population.replicates, alone))
        tables = classes.of_symbol, classes.lower.size
        survivors, squares = summarise(*population.sparse, *tables)
        totals = population.totals.astype(np.float64)
        # Where everything is lost there is no law, and no diversity of one.
        undefined = np.full(squares.size, np.nan)
        shares = np.divide(squares, totals**2, out=undefined, where=totals > 0.0)
        return self.recorded(survivors, 1.0 - shares)


def _parameters(pool: BlockCounts) -> Floats | None:
    return pool.parameters if isinstance(pool, ResampledCounts) else None


def resample_plainly(
    rng: Rng, counts: Floats, parameters: Floats, draws: int, generated: GeneratedLaw | None = None
) -> Integers:
    """Return every replicate's next counts, shape ``(replicates, types)``, slowly.

    Parameters
    ----------
    rng
        Source of randomness.
    counts
        Of the training sets, shape ``(replicates, types)``.
    parameters
        Of the trainers, shape ``(4, replicates)``.
    draws
        Items that a trainer writes on average.
    generated
        What else becomes of the law of what is written.

    Examples
    --------
    >>> trainers = Resampler(return_weight=0.0).draw_parameters(np.random.default_rng(1), 1)
    >>> lost = resample_plainly(np.random.default_rng(1), np.zeros((1, 3)), trainers, 100)
    >>> lost.tolist()
    [[0, 0, 0]]
    """
    sharpening, log_size, power, absent = parameters[:, :, None]
    logs = np.log(np.maximum(counts, np.where(counts > 0, counts, 1.0)))
    top = np.maximum(logs.max(axis=1, keepdims=True), 0.0)
    # Relative to the largest, so that no power is infinite.
    returning = absent * np.exp(-sharpening * top)
    weights = np.where(counts > 0, np.exp(sharpening * (logs - top)), returning)
    sums = weights.sum(axis=1, keepdims=True)
    some = sums[:, 0] > 0.0
    law = np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0.0)
    if generated is not None and some.any():
        law[some] = generated.of_law(law[some])
    means = draws * law
    with np.errstate(over="ignore"):
        sizes = np.exp(log_size + power * np.maximum(logs, 0.0))
    noisy = (sizes < _NO_NOISE) & (sizes > 0.0)
    shapes = np.where(noisy, sizes, 1.0)
    means = np.where(noisy, means * rng.standard_gamma(shapes) / shapes, means)
    return rng.poisson(np.minimum(np.where(sizes > 0.0, means, 0.0), _LARGEST_MEAN))


def _dense(population: BlockCounts, types: int) -> Floats:
    symbols, counts, offsets = population.sparse
    dense = np.zeros((population.replicates, types))
    dense[np.repeat(np.arange(population.replicates), np.diff(offsets)), symbols] = counts
    return dense


def _sparse(dense: Integers) -> tuple[Any, Integers, Integers]:
    rows, places = np.nonzero(dense)
    ends = np.searchsorted(rows, np.arange(len(dense) + 1))
    return places.astype(np.int32), dense[rows, places], ends
