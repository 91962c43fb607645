"""Compiled rounds of the families of a few numbers, and their binomial draws.

A family's compiled rounds make the same draws in the same order as its stages one by one.
Every kernel releases the GIL.
"""

from __future__ import annotations

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.compiled import njit
from hayflick.core.reproducibility import LOGICAL_BLOCK

_FEW = 50.0
_MOST = 160
_RECIPROCALS = np.concatenate([[0.0], 1.0 / np.arange(1.0, _MOST + 1.0)])


@njit(nogil=True, cache=True)
def binomial(rng: np.random.Generator, draws: int, chance: float) -> int:
    """Return the number of hits in `draws` draws."""
    if chance <= 0.0 or draws == 0:
        return 0
    if chance >= 1.0:
        return draws
    if draws * chance > _FEW:
        # Its own first line looks for few misses.
        return int(rng.binomial(draws, chance))
    odds = chance / (1.0 - chance)
    none = np.exp(draws * np.log1p(-chance))
    while True:
        left, mass, hits = rng.random(), none, 0
        while left > mass and hits < _MOST:
            left -= mass
            hits += 1
            mass *= odds * (draws - hits + 1) * _RECIPROCALS[hits]
        # Rounding leaves a tail of about 1e-16 that belongs to no number of hits.
        if hits < _MOST and hits <= draws:
            return hits


@njit(nogil=True, cache=True)
def binomials(rng: np.random.Generator, draws: int, chances: Floats) -> Integers:
    """Return the number of hits for every chance."""
    hits = np.empty(chances.size, np.int64)
    for place in range(chances.size):
        hits[place] = binomial(rng, draws, chances[place])
    return hits


@njit(nogil=True, cache=True)
def _on_grid(value: float, step: float) -> float:
    if step <= 0.0 or value > step * 1e300:
        return value
    rounded: float = np.round(value / step) * step
    return rounded


@njit(nogil=True, cache=True)
def bernoulli_rounds(
    rngs: tuple[np.random.Generator, ...],
    population: Floats,
    generated: Integers,
    fresh: Integers,
    real: float,
    delta: float,
    step: float,
) -> Floats:
    """Return probabilities after each round, shape ``(rounds, 1, replicates)``."""
    path = np.empty((generated.size, 1, population.shape[1]))
    for block in range(len(rngs)):
        first, rng = block * LOGICAL_BLOCK, rngs[block]
        own = slice(first, first + LOGICAL_BLOCK)
        probability = population[0, own].copy()
        counts = np.empty(probability.size, np.int64)
        for place in range(generated.size):
            for replicate in range(counts.size):
                counts[replicate] = binomial(rng, generated[place], probability[replicate])
            if fresh[place] > 0:
                for replicate in range(counts.size):
                    counts[replicate] += binomial(rng, fresh[place], real)
            total = generated[place] + fresh[place] + 2.0 * delta
            for replicate in range(counts.size):
                probability[replicate] = _on_grid((counts[replicate] + delta) / total, step)
                path[place, 0, first + replicate] = probability[replicate]
    return path


@njit(nogil=True, cache=True)
def poisson_rounds(
    rngs: tuple[np.random.Generator, ...],
    population: Floats,
    generated: Integers,
    fresh: Integers,
    real: float,
    step: float,
) -> Floats:
    """Return rates after each round, shape ``(rounds, 1, replicates)``."""
    path = np.empty((generated.size, 1, population.shape[1]))
    for block in range(len(rngs)):
        first, rng = block * LOGICAL_BLOCK, rngs[block]
        own = slice(first, first + LOGICAL_BLOCK)
        rate = population[0, own].copy()
        sums = np.empty(rate.size, np.int64)
        for place in range(generated.size):
            for replicate in range(sums.size):
                sums[replicate] = rng.poisson(generated[place] * rate[replicate])
            if fresh[place] > 0:
                for replicate in range(sums.size):
                    sums[replicate] += rng.poisson(fresh[place] * real)
            for replicate in range(sums.size):
                total = generated[place] + fresh[place]
                rate[replicate] = _on_grid(sums[replicate] / total, step)
                path[place, 0, first + replicate] = rate[replicate]
    return path


@njit(nogil=True, cache=True)
def gaussian_rounds(
    rngs: tuple[np.random.Generator, ...],
    population: Floats,
    generated: Integers,
    fresh: Integers,
    real: Floats,
    ddof: int,
    step: float,
) -> Floats:
    """Return means and deviations after each round, shape ``(rounds, 2, replicates)``."""
    path = np.empty((generated.size, 2, population.shape[1]))
    for block in range(len(rngs)):
        first, rng = block * LOGICAL_BLOCK, rngs[block]
        own = slice(first, first + LOGICAL_BLOCK)
        mean, deviation = population[0, own].copy(), population[1, own].copy()
        replicates = mean.size
        scatter = np.zeros(replicates)
        new_mean, new_scatter = np.empty(replicates), np.empty(replicates)
        real_mean, real_deviation = np.full(replicates, real[0]), np.full(replicates, real[1])
        for place in range(generated.size):
            draws, others = generated[place], fresh[place]
            _draw_moments(rng, mean, deviation, draws, mean, scatter)
            if others > 0:
                _draw_moments(rng, real_mean, real_deviation, others, new_mean, new_scatter)
                for replicate in range(replicates):
                    gap = new_mean[replicate] - mean[replicate]
                    mean[replicate] += gap * others / (draws + others)
                    between = gap * gap * draws * others / (draws + others)
                    scatter[replicate] += new_scatter[replicate] + between
            for replicate in range(replicates):
                variance = scatter[replicate] / (draws + others - ddof)
                mean[replicate] = _on_grid(mean[replicate], step)
                deviation[replicate] = _on_grid(np.sqrt(variance), step)
                path[place, 0, first + replicate] = mean[replicate]
                path[place, 1, first + replicate] = deviation[replicate]
    return path


@njit(nogil=True, cache=True)
def _draw_moments(
    rng: np.random.Generator,
    mean: Floats,
    deviation: Floats,
    draws: int,
    new_mean: Floats,
    new_scatter: Floats,
) -> None:
    """Draw the mean and the scatter of `draws` items of every replicate."""
    for replicate in range(mean.size):
        new_scatter[replicate] = 0.0
        if draws > 0:
            error = deviation[replicate] / np.sqrt(draws)
            new_mean[replicate] = mean[replicate] + error * rng.standard_normal()
    if draws > 1:
        for replicate in range(mean.size):
            square = deviation[replicate] * deviation[replicate]
            new_scatter[replicate] = square * rng.chisquare(draws - 1)


@njit(nogil=True, cache=True)
def resampled_gaussian_rounds(
    rngs: tuple[np.random.Generator, ...],
    population: Floats,
    generated: Integers,
    fresh: Integers,
    real: Floats,
    parameters: Floats,
    factor: Floats,
    step: float,
) -> Floats:
    """Return means, deviations, trainers, sizes after each round, ``(rounds, 5, replicates)``."""
    path = np.empty((generated.size, 5, population.shape[1]))
    for block in range(len(rngs)):
        first, rng = block * LOGICAL_BLOCK, rngs[block]
        own = slice(first, first + LOGICAL_BLOCK)
        mean, deviation = population[0, own].copy(), population[1, own].copy()
        share, widening = population[2, own].copy(), population[3, own].copy()
        replicates, size = mean.size, population[4, first]
        if np.isnan(share).any():
            for replicate in range(replicates):
                one, other = rng.standard_normal(), rng.standard_normal()
                share[replicate] = np.exp(parameters[0] + factor[0, 0] * one)
                both = factor[1, 0] * one + factor[1, 1] * other
                widening[replicate] = np.exp(parameters[1] + both)
        scatter = np.empty(replicates)
        new_mean, new_scatter = np.empty(replicates), np.empty(replicates)
        real_mean, real_deviation = np.full(replicates, real[0]), np.full(replicates, real[1])
        for place in range(generated.size):
            draws, others = generated[place], fresh[place]
            _resampled_moments(rng, mean, deviation, share, widening, draws, size, scatter)
            if others > 0:
                _draw_moments(rng, real_mean, real_deviation, others, new_mean, new_scatter)
                for replicate in range(replicates):
                    gap = new_mean[replicate] - mean[replicate]
                    mean[replicate] += gap * others / (draws + others)
                    between = gap * gap * draws * others / (draws + others)
                    scatter[replicate] += new_scatter[replicate] + between
            for replicate in range(replicates):
                variance = scatter[replicate] / (draws + others - 1)
                mean[replicate] = _on_grid(mean[replicate], step)
                deviation[replicate] = _on_grid(np.sqrt(variance), step)
                at = first + replicate
                path[place, 0, at], path[place, 1, at] = mean[replicate], deviation[replicate]
                path[place, 2, at], path[place, 3, at] = share[replicate], widening[replicate]
                path[place, 4, at] = draws + others
            size = float(draws + others)
    return path


@njit(nogil=True, cache=True)
def _resampled_moments(
    rng: np.random.Generator,
    mean: Floats,
    deviation: Floats,
    share: Floats,
    widening: Floats,
    draws: int,
    size: float,
    scatter: Floats,
) -> None:
    """Move every mean and draw the scatter of `draws` items of a trained model."""
    scatter[:] = 0.0
    if draws == 0:
        return
    effective = np.empty(mean.size)
    for replicate in range(mean.size):
        over = max(size, draws) if share[replicate] > 1.0 else size
        lost = (1.0 / share[replicate] - 1.0) / over
        effective[replicate] = max(1.0 / (1.0 / draws + lost), 2.0)
        spread = np.sqrt(widening[replicate]) * deviation[replicate]
        mean[replicate] += spread / np.sqrt(effective[replicate]) * rng.standard_normal()
    if draws > 1:
        for replicate in range(mean.size):
            chi = rng.chisquare(effective[replicate] - 1.0) / (effective[replicate] - 1.0)
            square = widening[replicate] * deviation[replicate] ** 2
            scatter[replicate] = square * (draws - 1.0) * chi
