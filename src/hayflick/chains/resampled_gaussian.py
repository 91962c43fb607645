"""The Gaussian chain of a trainer that is not ideal: see `hayflick.chains.gaussian_resampler`.

A population holds the mean and the deviation of the training sets, the parameters of every
replicate's trainer, which are drawn when it generates first, and the training sets' sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from hayflick.chains.degradation import AdditiveNoise
from hayflick.chains.family import ItemPools, Rng
from hayflick.chains.gaussian import Gaussian, GaussianChain, Moments
from hayflick.chains.gaussian_resampler import GaussianResampler, effective_draws
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.protocols import Pools, Recorded
from hayflick.core.records import Mix


class ResampledGaussianChain(GaussianChain):
    """The mean and the deviation of training sets, each drawn by a trained model.

    Parameters and errors are those of `hayflick.chains.gaussian.GaussianChain`; a training set
    needs two effective items.
    """

    takes: ClassVar = {
        "degradation": (AdditiveNoise,),
        "real_weight": (float,),
        "rounding": (Grid,),
    }

    def __init__(self, model: Gaussian, samples: int, stages: Stages = Stages()) -> None:
        super().__init__(model, samples, stages)
        assert model.resampler is not None
        self.resampler: GaussianResampler = model.resampler
        self.resampler.check(samples)

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        super().check(mixes)
        for mix in mixes:
            self.resampler.check(mix.samples)

    @override
    def start(self, replicates: int) -> Floats:
        trainer = np.full((2, replicates), np.nan)
        sizes = np.full((1, replicates), float(self.samples))
        return np.concatenate([super().start(replicates), trainer, sizes])

    @override
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        from hayflick.chains.parametric_kernels import resampled_gaussian_rounds

        constants = (np.array(self.real), self.resampler.values, self.resampler.factor)
        return resampled_gaussian_rounds, constants

    @override
    def generate(self, rng: Rng, population: Floats, draws: int) -> Moments:
        mean, deviation, share, factor, size = population
        if np.isnan(share).any():
            noise = rng.standard_normal((mean.size, 2))
            share, factor = np.exp(self.resampler.values[:, None] + self.resampler.factor @ noise.T)
        trainer = np.stack([share, factor])
        deviation = np.sqrt(factor) * deviation
        if isinstance(self.stages.degradation, AdditiveNoise):
            deviation = np.hypot(deviation, self.stages.degradation.deviation)
        number = np.full(mean.size, float(draws))
        scatter = np.zeros(mean.size)
        if draws:
            effective = effective_draws(number, size, share)
            mean = mean + deviation / np.sqrt(effective) * rng.standard_normal(mean.size)
            if draws > 1:
                chi = rng.chisquare(effective - 1.0) / (effective - 1.0)
                scatter = deviation**2 * (draws - 1.0) * chi
        return Moments(number, number, mean, scatter, trainer)

    @override
    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        pools = super().pools(mixes)
        return TrainedItems(pools) if isinstance(pools, ItemPools) else pools

    @override
    def estimate(self, pool: Moments) -> Floats:
        assert pool.trainer is not None
        deviation = np.sqrt(pool.variance(ddof=1))
        fitted = self.rounded(np.stack([pool.mean, deviation]))
        return np.concatenate([fitted, pool.trainer, pool.weight[None]])


@dataclass(frozen=True, eq=False)
class TrainedItems(Pools):
    """Pools kept number by number, with the trainers of the replicates beside them.

    Parameters
    ----------
    items
        The pools of numbers.
    """

    items: ItemPools[Moments]

    @override
    def start(self, rng: Rng, replicates: int) -> tuple[Floats, Floats | None]:
        return self.items.start(rng, replicates), None

    @override
    def add(
        self, rng: Rng, kept: tuple[Floats, Floats | None], pool: Moments
    ) -> tuple[Floats, Floats | None]:
        return self.items.add(rng, kept[0], pool), pool.trainer

    @override
    def training_set(
        self, rng: Rng, kept: tuple[Floats, Floats | None], items: int | None
    ) -> Moments:
        return replace(self.items.training_set(rng, kept[0], items), trainer=kept[1])

    @override
    def measure(self, pool: Moments | None, kept: tuple[Floats, Floats | None]) -> Recorded:
        return {}
