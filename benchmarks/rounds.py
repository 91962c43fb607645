"""What a run adds to the time that its endpoint takes: 20 agents, 50 ms an answer."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.network import running, setting
from hayflick.network.agents.protocol import Answer
from hayflick.network.experiment import Experiment
from pairs import Result

AGENTS, ANSWERS, ROUNDS, DELAY_S, CONCURRENCY = 20, 5, 20, 0.05, 20
WORDS = [
    "rain",
    "snow",
    "wind",
    "river",
    "stone",
    "bread",
    "salt",
    "lamp",
    "road",
    "field",
    "horse",
    "apple",
    "winter",
    "bell",
]
LINES = [f"{WORDS[n % 14]} {WORDS[3 * n % 14]} and {WORDS[5 * n % 14]}" for n in range(40)]


@dataclass(frozen=True)
class Stub:
    """An endpoint of so many milliseconds, without a server that shares our processors."""

    name: str

    async def answer(self, query: str, context: Any, *, seed: Any) -> Answer:  # noqa: ARG002
        """Answer after a while."""
        await asyncio.sleep(DELAY_S)
        number = seed.number
        words = [WORDS[(number >> (4 * place)) % 14] for place in range(12)]
        return Answer(" ".join(words), tokens_in=100, tokens_out=12, cost=0.001, latency_s=DELAY_S)

    async def close(self) -> None:
        """Do nothing."""

    def describe(self) -> dict[str, Any]:
        """Return its name."""
        return {"name": self.name}


def results() -> Iterator[Result]:
    agents = [{"name": f"agent {n}", "kind": "ngram", "texts": LINES} for n in range(AGENTS)]
    experiment = Experiment.of(
        {
            "format_version": 1,
            "rounds": ROUNDS,
            "answers": ANSWERS,
            "query": "What is new?",
            "concurrency": CONCURRENCY,
            "pool": {"texts": LINES},
            "agents": agents,
        }
    )
    made = setting.parse_agents
    setting.parse_agents = lambda sections, **_: [Stub(str(one["name"])) for one in sections]
    try:
        seconds = sorted(_seconds(experiment) for _ in range(3))
    finally:
        setting.parse_agents = made
    ideal = ROUNDS * AGENTS * ANSWERS / CONCURRENCY * DELAY_S
    excess = seconds[1] / ideal - 1.0
    yield Result(
        name=f"a network's {ROUNDS} rounds, 20 agents, L = 5, endpoint of 50 ms, 20 at once",
        ours=f"`run_network`: {seconds[1]:.3g} s, kept and measured",
        alternative=f"ideal: {ideal:.3g} s",
        figure=f"{excess:.1%} above",
        target="≤ 15%",
        met=excess <= 0.15,
    )


def _seconds(experiment: Experiment) -> float:
    with tempfile.TemporaryDirectory() as place:
        start = time.perf_counter()
        running.run_network(experiment, out=Path(place) / "run")
        return time.perf_counter() - start


if __name__ == "__main__":
    for result in results():
        print(f"{result.name}: {result.ours}, {result.alternative}: {result.figure}")
