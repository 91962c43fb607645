"""Simulated rounds of a resampler after a recorded one: the share of the types that they hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hayflick.calibration.record import Record
from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Regime
from hayflick.laws.rounds import rounds_of

_CELLS_AT_ONCE = 2_000_000
# Work of less than a second is not worth loading compiled code for.
_COMPILED_CELLS = 5_000_000.0
_SHARPENING = np.array([1.0, 0.0, 0.0, 0.0])[:, None, None]


@dataclass(frozen=True, eq=False)
class RoundItems:
    """What rounds that follow one another are made of.

    Parameters
    ----------
    generated, fresh
        Items that the trainer draws, and items that the real law does, shape ``(rounds,)``.
    stored
        Counts of the stored items in each, shape ``(types,)``.
    """

    generated: Integers
    fresh: Integers
    stored: Integers

    @classmethod
    def recorded(cls, record: Record, *, origin: int) -> RoundItems:
        """Return what the rounds after a recorded one were made of."""
        fresh = record.fresh[origin:]
        generated = record.sizes[origin + 1 :] - fresh - int(record.stored.sum())
        return cls(generated, fresh, record.stored)

    @classmethod
    def ahead(
        cls, record: Record, rounds: int, *, regime: Regime | None, samples: int | None
    ) -> RoundItems:
        """Return what the rounds after the record are made of.

        Without a regime they are mixed as the last recorded one.

        Raises
        ------
        ArgumentError
            If the regime reacts, accumulates, or does not fit the size of a round.
        """
        size = int(record.sizes[-1]) if samples is None else samples
        if regime is None:
            stored = int(record.stored.sum())
            share = int(record.fresh[-1]) / int(record.sizes[-1])
            fresh = min(math.floor(share * size + 0.5), max(size - stored, 0))
            generated = max(size - stored - fresh, 0)
            return cls(np.full(rounds, generated), np.full(rounds, fresh), record.stored)
        model = Discrete(record.symbols, record.counts[0])
        last = record.transitions
        laid = rounds_of(model, regime=regime, samples=size, generations=last + rounds)
        return cls(laid.generated[last:], laid.fresh[last:], laid.reserve)


def simulate_kept(
    parameters: Floats,
    start: Integers,
    mixing: RoundItems,
    *,
    law: Floats,
    rng: np.random.Generator,
    drift: Floats | None = None,
) -> Floats:
    """Return the share of the real types in the rounds that follow.

    Parameters
    ----------
    parameters
        Of each replicate, in the order of `hayflick.chains.resampler.PARAMETERS`, shape
        ``(4, replicates)``.
    start
        Counts of the round before.
    mixing
        What the rounds are made of.
    law
        The real law.
    rng
        Source of randomness.
    drift
        What is added to the sharpening in each round, shape ``(rounds,)``; nothing where None.

    Returns
    -------
    Shape ``(rounds, replicates)``.
    """
    if not mixing.fresh.any() and not mixing.stored.any():
        cells = float(np.count_nonzero(start)) * parameters.shape[1] * mixing.generated.size
        if cells > _COMPILED_CELLS:
            return _compiled(parameters, start, mixing.generated, rng, drift)
    return simulate_kept_plainly(parameters, start, mixing, law=law, rng=rng, drift=drift)


def simulate_kept_plainly(
    parameters: Floats,
    start: Integers,
    mixing: RoundItems,
    *,
    law: Floats,
    rng: np.random.Generator,
    drift: Floats | None = None,
) -> Floats:
    """Return the same by array operations alone."""
    # Types that can never be there again are not drawn.
    alive = start > 0
    if (parameters[3] > 0.0).any() or mixing.fresh.any():
        alive = np.ones(start.size, bool)
    alive |= mixing.stored > 0
    replicates, at_once = parameters.shape[1], max(1, _CELLS_AT_ONCE // max(1, int(alive.sum())))
    kept = np.empty((mixing.generated.size, replicates))
    for first in range(0, replicates, at_once):
        own = parameters[:, first : first + at_once, None]
        counts = np.repeat(start[None, alive].astype(np.float64), own.shape[1], axis=0)
        for step, (generated, fresh) in enumerate(zip(mixing.generated, mixing.fresh, strict=True)):
            now = own if drift is None else own + _SHARPENING * drift[step]
            counts = _next(counts, now, int(generated), rng)
            if fresh:
                counts += rng.poisson(fresh * law[alive], counts.shape)
            counts += mixing.stored[alive]
            kept[step, first : first + at_once] = np.count_nonzero(counts, axis=1)
    return kept / start.size


def _compiled(
    parameters: Floats,
    start: Integers,
    generated: Integers,
    rng: np.random.Generator,
    drift: Floats | None,
) -> Floats:
    from hayflick.chains.resampler_kernels import resample

    types, replicates = start.size, parameters.shape[1]
    symbols = np.flatnonzero(start).astype(np.int32)
    counts, offsets = start[symbols].astype(np.float64), np.array([0, symbols.size])
    kept = np.empty((generated.size, replicates))
    for step, items in enumerate(generated):
        now = parameters.copy()
        now[0] += 0.0 if drift is None else drift[step]
        symbols, drawn, offsets = resample(rng, symbols, counts, offsets, now, int(items), types)
        counts = drawn.astype(np.float64)
        kept[step] = np.diff(offsets)
    return kept / types


def _next(counts: Floats, parameters: Floats, generated: int, rng: np.random.Generator) -> Floats:
    """Return a trainer's own draws, shape ``(replicates, types)``; none where all is lost."""
    sharpening, log_size, power, weight = parameters
    logs = np.log(np.maximum(counts, 1.0))
    weights = np.where(
        counts > 0.0,
        np.exp(sharpening * (logs - logs.max(axis=1, keepdims=True))),
        weight * np.exp(-sharpening * logs.max(axis=1, keepdims=True)),
    )
    sums = weights.sum(axis=1, keepdims=True)
    mean = generated * np.divide(weights, sums, out=np.zeros_like(weights), where=sums > 0.0)
    noisy = np.isfinite(log_size[:, 0])
    if noisy.any():
        sizes = np.exp(np.clip(log_size[noisy] + power[noisy] * logs[noisy], -50.0, 50.0))
        drawn = rng.standard_gamma(sizes)
        mean[noisy] *= drawn / sizes
    counts = rng.poisson(np.minimum(mean, 1e18))
    return counts.astype(np.float64)


def parameters_of(resampler: Resampler, replicates: int) -> Floats:
    """Return the same parameters for every replicate, shape ``(4, replicates)``."""
    return np.repeat(resampler.values[:, None], replicates, axis=1)
