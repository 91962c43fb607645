"""Records of trainers whose parameters are known, drawn with plain numpy."""

from __future__ import annotations

import math

import numpy as np

from hayflick.calibration.record import Record
from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Floats, Integers

NOISY = Resampler(sharpening=1.05, log_size=1.2, size_power=0.45, return_weight=0.15)


def real_counts(types: int = 1500, items: int = 20_000, seed: int = 1) -> Integers:
    """Return counts of a sample of a Zipf-like law."""
    law = 1.0 / (np.arange(types) + 3.0)
    drawn = np.random.default_rng(seed).multinomial(items, law / law.sum())
    return drawn[drawn > 0].astype(np.int64)


def next_counts(
    trainer: Resampler, counts: Integers, items: int, rng: np.random.Generator
) -> Integers:
    """Return a trainer's own draws."""
    before: Floats = counts.astype(np.float64)
    weights = trainer.weights(before)
    mean = items * weights / weights.sum()
    if trainer.log_size != math.inf:
        sizes = trainer.sizes(before)
        mean = rng.gamma(sizes, mean / sizes)
    return rng.poisson(mean)


def record_of(
    trainer: Resampler,
    *,
    rounds: int = 4,
    seed: int = 1,
    fresh: int = 0,
    stored: Integers | None = None,
    real: Integers | None = None,
    first: Resampler | None = None,
    drift: float = 0.0,
) -> Record:
    """Return a record; `first` makes the first transition, and the sharpening moves by `drift`."""
    rng = np.random.default_rng(seed)
    counts = [real_counts() if real is None else real]
    kept = np.zeros_like(counts[0]) if stored is None else stored
    law, items = counts[0] / counts[0].sum(), int(counts[0].sum())
    for step in range(rounds - 1):
        own = first if first is not None and step == 0 else trainer
        moved = Resampler(
            own.sharpening + drift * step, own.log_size, own.size_power, own.return_weight
        )
        drawn = next_counts(moved, counts[-1], items - fresh - int(kept.sum()), rng)
        counts.append(drawn + rng.poisson(fresh * law) + kept)
    names = tuple(f"w{place}" for place in range(law.size))
    return Record(names, np.array(counts), np.full(rounds - 1, fresh), kept)
