"""The law of a network of a thousand models, and a thousand interacting mixtures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import hayflick as hf
from hayflick.laws.network import network_law
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
from hayflick.network.topology import ring
from pairs import Result, duration

AGENTS, ROUNDS = 1000, 1000


def results() -> Iterator[Result]:
    model = hf.Discrete.zipf_mandelbrot(1000, exponent=1.0)
    dense = np.random.default_rng(1).random((AGENTS, AGENTS))
    dense /= dense.sum(axis=1, keepdims=True)
    settings = {"samples": 1000, "real_shares": 0.0, "generations": ROUNDS}
    yield duration(
        "law of a network, 1,000 models, 1,000 rounds, everyone reads everyone unevenly",
        task=lambda: network_law(model, reading=dense, **settings),
        described="`network_law`",
        target=120.0,
        runs=1,
    )
    sparse = ring(AGENTS, neighbours=5).reading(itself=True)
    yield duration(
        "the same in a ring, everyone reads itself and ten others",
        task=lambda: network_law(model, reading=sparse, **settings),
        described="`network_law`, sparse",
        target=20.0,
        runs=3,
    )
    eleven = tuple(10.0 * place for place in range(-5, 6))
    system = Surrogate(means=eleven, agents=AGENTS, draws=3, read=200)
    yield duration(
        "surrogate, 1,000 agents, 11 components, 200 rounds, 200 points read in each",
        task=lambda: simulate_surrogate(system, rounds=200, replicates=1, seed=1, threads=2),
        described="`simulate_surrogate`, 2 threads",
        target=10.0,
        runs=3,
    )
