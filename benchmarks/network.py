"""The law of a network of a thousand models, and thousands of interacting mixtures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np

import hayflick as hf
from hayflick.laws.network import network_law
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
from hayflick.network.topology import ring
from pairs import Result, duration

AGENTS, ROUNDS = 1000, 1000
ELEVEN = tuple(10.0 * place for place in range(-5, 6))
# Run in a process of its own, which says its peak of memory.
_MANY = """
import resource, sys, time
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
means = tuple(10.0 * place for place in range(-5, 6))

def run(agents, rounds):
    system = Surrogate(means=means, agents=agents, draws=int(sys.argv[1]), read=200)
    simulate_surrogate(system, rounds=rounds, replicates=1, seed=1, threads=2)

run(200, 2)
start = time.perf_counter()
run(10_000, 50)
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


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
    system = Surrogate(means=ELEVEN, agents=AGENTS, draws=3, read=200)
    yield duration(
        "surrogate, 1,000 agents, 11 components, 200 rounds, 200 points read in each",
        task=lambda: simulate_surrogate(system, rounds=200, replicates=1, seed=1, threads=2),
        described="`simulate_surrogate`, 2 threads",
        target=10.0,
        runs=3,
    )
    for draws in (3, 200):
        yield many_agents(draws)


def many_agents(draws: int) -> Result:
    """Return the time and memory of 10,000 agents that post so many points in a round each."""
    command = [sys.executable, "-c", _MANY, str(draws)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    took, kilobytes = map(float, done.stdout.split())
    gigabytes = kilobytes / 1e6
    return Result(
        name=f"surrogate, 10,000 agents, 11 components, 50 rounds, {draws} points posted in each"
        " and 200 read",
        ours="`simulate_surrogate`, 2 threads",
        alternative="",
        figure=f"{took:.3g} s, {gigabytes:.2g} GB",
        target="< 30 s, < 4 GB",
        met=took < 30.0 and gigabytes < 4.0,
    )
