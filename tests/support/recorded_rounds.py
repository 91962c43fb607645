"""Rounds of a trainer with known parameters, as counts and as files."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Integers

TRAINER = Resampler(sharpening=1.03, log_size=1.5, size_power=0.5, return_weight=0.02)


def recorded_counts(
    trainer: Resampler = TRAINER,
    *,
    rounds: int = 4,
    types: int = 800,
    items: int = 8000,
    fresh: int = 0,
    seed: int = 1,
) -> Integers:
    """Return the counts of rounds, round 0 being the real data, shape ``(rounds, types)``."""
    rng = np.random.default_rng(seed)
    law = 1.0 / (np.arange(types) + 3.0)
    real = rng.multinomial(items, law / law.sum())
    counts = [real[real > 0].astype(np.int64)]
    law = counts[0] / items
    for _ in range(rounds - 1):
        before = counts[-1].astype(np.float64)
        weights = trainer.weights(before)
        mean = (items - fresh) * weights / weights.sum()
        if trainer.log_size != math.inf:
            mean = rng.gamma(trainer.sizes(before), mean / trainer.sizes(before))
        counts.append(rng.poisson(mean) + rng.poisson(fresh * law))
    return np.array(counts)


def mappings(counts: Integers) -> list[dict[str, int]]:
    """Return counts as a mapping for each round."""
    return [
        {f"w{place}": int(number) for place, number in enumerate(row) if number} for row in counts
    ]


def text_of(row: Integers) -> str:
    """Return a text that has the counts of a round."""
    words = np.repeat([f"w{place}" for place in range(row.size)], row)
    np.random.default_rng(7).shuffle(words)
    return "\n".join(" ".join(words[k : k + 12]) for k in range(0, words.size, 12))


def text_files(folder: Path, counts: Integers) -> list[Path]:
    """Write a text for each round."""
    paths = [folder / f"round{number}.txt" for number in range(len(counts))]
    for path, row in zip(paths, counts, strict=True):
        path.write_text(text_of(row))
    return paths


def count_files(folder: Path, counts: Integers) -> list[Path]:
    """Write a JSON object of counts for each round."""
    paths = [folder / f"round{number}.json" for number in range(len(counts))]
    for path, one in zip(paths, mappings(counts), strict=True):
        path.write_text(json.dumps(one))
    return paths


def records_of(counts: Integers, names: Sequence[str] | None = None) -> list[dict[str, str]]:
    """Return a row for each line of each round's text."""
    labels = [str(number) for number in range(len(counts))] if names is None else names
    return [
        {"round": label, "text": line}
        for label, row in zip(labels, counts, strict=True)
        for line in text_of(row).split("\n")
    ]
