"""The law of a million types over a thousand generations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import hayflick as hf
from pairs import Result, duration


def results() -> Iterator[Result]:
    law = hf.Discrete.zipf_mandelbrot(1_000_000, exponent=1.1, offset=2.7)
    rng = np.random.default_rng(1)
    counts = np.sort(np.maximum(1, rng.multinomial(20_000_000, law.probabilities)))[::-1]
    corpus = hf.Discrete(law.symbols, counts.copy())
    yield duration(
        "survival, 1,000,000 types, 1,000 generations: a corpus's counts",
        task=lambda: hf.survival(corpus, generations=1000),
        described="`hf.survival`",
        target=0.2,
        runs=9,
    )
    yield duration(
        "the same: a Zipf law, every probability different",
        task=lambda: hf.survival(law, generations=1000, samples=10_000_000),
        described="`hf.survival`",
        target=0.2,
        runs=9,
    )
