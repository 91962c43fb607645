"""A plan for a million types over a hundred rounds, over every regime that has a law."""

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
    prices = hf.CostModel(real=0.4, generated=0.002, loss=0.1)
    settings = {"keep": 0.8, "generations": 100, "replicates": 0}
    yield duration(
        "plan, 1,000,000 types, 100 rounds, all regimes with a law: by real items",
        task=lambda: hf.plan(corpus, **settings),
        described="`hf.plan`",
        target=2.0,
        runs=5,
    )
    yield duration(
        "the same by cost, larger and growing training sets too",
        task=lambda: hf.plan(corpus, costs=prices, **settings),
        described="`hf.plan`",
        target=2.0,
        runs=5,
    )
