"""What a run adds to the time that its endpoint takes, and built-in agents over processes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import agents
from hayflick.network.experiment import Experiment
from hayflick.network.run import run_network
from pairs import Result

AGENTS, ANSWERS, ROUNDS, AT_ONCE = 20, 5, 20, 20
IDEAL_S = ROUNDS * AGENTS * ANSWERS / AT_ONCE * agents.LATENCY_S
WORDS = agents.SAID[:14]
LINES = [f"{WORDS[n % 14]} {WORDS[3 * n % 14]} and {WORDS[5 * n % 14]}" for n in range(40)]


# Agents that compute: each has 600 sentences of its own, and learns.
LEARNERS, LONG = 200, 25


def experiment(url: str, *, rounds: int) -> Experiment:
    about = {"kind": "openai", "base_url": f"{url}/v1", "model": "m", "concurrency": AT_ONCE}
    return Experiment.of(
        {
            "format_version": 1,
            "rounds": rounds,
            "answers": ANSWERS,
            "query": "What is new?",
            "concurrency": AT_ONCE,
            "pool": {"texts": LINES},
            "agents": [{"name": f"agent {n}", **about} for n in range(AGENTS)],
        }
    )


def results() -> Iterator[Result]:
    # In a process of its own, as an endpoint is.
    command = [sys.executable, agents.__file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        # What is loaded on first use is loaded before.
        _seconds(experiment(url, rounds=1))
        seconds = sorted(_seconds(experiment(url, rounds=ROUNDS)) for _ in range(3))
        process.terminate()
    excess = seconds[1] / IDEAL_S - 1.0
    yield Result(
        name=f"a network's {ROUNDS} rounds, 20 agents, L = 5, endpoint of 50 ms, 20 at once",
        ours=f"`run_network`: {seconds[1]:.3g} s, kept and measured",
        alternative=f"the endpoint alone: {IDEAL_S:.3g} s",
        figure=f"{excess:.1%} above",
        target="≤ 10%",
        met=excess <= 0.10,
    )
    yield spread()


def spread() -> Result:
    """Measure a run of many built-in agents without processes, on one, and on two."""
    made = learners(rounds=LONG)
    none, one, two = (_seconds(made, workers=workers) for workers in (None, 1, 2))
    return Result(
        name=f"a network's {LONG} rounds, {LEARNERS} built-in agents that learn, L = 5",
        ours=f"`run_network`, 2 processes, started here: {two:.3g} s",
        alternative=f"1 process: {one:.3g} s; none: {none:.3g} s",
        figure=f"{one / two:.2f} ×",
        target="≥ 1.4 ×",
        met=one / two >= 1.4,
    )


def learners(*, rounds: int) -> Experiment:
    rng = np.random.default_rng(1)
    frequent = 1 / np.arange(1, 3001)
    words = [f"w{number}" for number in range(3000)]

    def sentences(number: int) -> list[str]:
        drawn = rng.choice(words, (number, 12), p=frequent / frequent.sum())
        return [f"{' '.join(one)}." for one in drawn]

    about = {"kind": "ngram", "learning": 0.1}
    named = [{"name": f"agent {n}", "texts": sentences(600), **about} for n in range(LEARNERS)]
    return Experiment.of(
        {
            "format_version": 1,
            "rounds": rounds,
            "answers": 5,
            "query": "What is new?",
            "pool": {"texts": sentences(100)},
            "agents": named,
        }
    )


def _seconds(made: Experiment, *, workers: int | None = None) -> float:
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        run_network(made, out=Path(place) / "run", workers=workers)
        return time.perf_counter() - start


if __name__ == "__main__":
    for result in [spread()] if "spread" in sys.argv else results():
        print(f"{result.name}: {result.ours}, {result.alternative}: {result.figure}")
