"""Simulation against the plain loop over numpy's multinomial."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import hayflick as hf
from pairs import Result, duration, ratio

SAMPLES, GENERATIONS, REPLICATES = 1000, 10, 2000


def plain_loop(law: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    surviving = np.empty((REPLICATES, GENERATIONS + 1))
    for replicate in range(REPLICATES):
        probabilities = law
        surviving[replicate, 0] = law.size
        for generation in range(1, GENERATIONS + 1):
            counts = rng.multinomial(SAMPLES, probabilities)
            probabilities = counts / SAMPLES
            surviving[replicate, generation] = np.count_nonzero(counts)
    return surviving


def results() -> Iterator[Result]:
    law = hf.Discrete.zipf_mandelbrot(SAMPLES, exponent=1.0, offset=2.7)
    settings = {"generations": GENERATIONS, "samples": SAMPLES, "replicates": REPLICATES}
    yield ratio(
        "simulation, Zipf law of 1,000 types, n = 1,000, 10 generations, 2,000 replicates",
        ours=lambda: hf.simulate(law, seed=1, threads=2, **settings),
        alternative=lambda: plain_loop(law.probabilities),
        described=("`hf.simulate`, 2 threads", "loop over `rng.multinomial`"),
        target=5.0,
        pairs=15,
    )
    types = hf.Discrete.zipf_mandelbrot(50_000, exponent=1.0)
    counts = np.maximum(types.probabilities * 1_000_000, 1.0).astype(np.int64)
    trainer = hf.Resampler(sharpening=1.014, log_size=1.27, size_power=0.46, return_weight=0.008)
    trained = hf.Discrete(types.symbols, counts).with_estimator(trainer)
    yield duration(
        "simulation of a trained model, 50,000 types, 974,000 items, 10 rounds, 200 runs",
        task=lambda: hf.simulate(trained, generations=10, replicates=200, seed=1, threads=2),
        described="`hf.simulate`, 2 threads",
        target=10.0,
        runs=3,
    )
