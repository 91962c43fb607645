"""Agents behind an endpoint that takes 50 ms, against the time that it takes by itself."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from hayflick.network.agents.chat import ChatAgent, Endpoint
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.protocol import AnswerSeed
from hayflick.service.listening import address
from pairs import Result, duration

AGENTS, ANSWERS, AT_ONCE, LATENCY_S, ROUNDS = 20, 5, 20, 0.05, 9
IDEAL_S = AGENTS * ANSWERS / AT_ONCE * LATENCY_S
CONTEXT = ["The sea is grey and the wind is cold today, so nobody goes out."] * 50
TEXT = "It rains in May. The sea is grey today. Nobody goes out while the wind is cold. " * 2000


def reply(text: str) -> bytes:
    """Return an endpoint's whole reply."""
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 45}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


SAID = TEXT.split()
REPLIES = itertools.cycle([reply(" ".join(SAID[n : n + 30 : 1 + n % 7])) for n in range(211)])
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class SlowEndpoint(asyncio.Protocol):
    """Replies 50 ms after a request has arrived, with as little work as can be."""

    def connection_made(self, transport: Any) -> None:
        """Keep what the reply is written to."""
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        """Set the time for the reply once a request is here in full."""
        self.received += data
        head, end, body = self.received.partition(b"\r\n\r\n")
        if end and len(body) == int(LENGTH.search(head)[1]):  # type: ignore[index]
            self.received = b""
            asyncio.get_running_loop().call_later(LATENCY_S, self.transport.write, next(REPLIES))


async def serve() -> None:
    endpoint = await asyncio.get_running_loop().create_server(SlowEndpoint, "127.0.0.1", 0)
    print(address(endpoint.sockets[0]), flush=True)
    await endpoint.serve_forever()


async def rounds(url: str) -> list[float]:
    endpoint = Endpoint(f"{url}/v1", concurrency=AT_ONCE)
    agents = [ChatAgent(name=f"{n}", endpoint=endpoint, model="m") for n in range(AGENTS)]
    seconds = []
    for turn in range(1, ROUNDS + 2):
        begun = time.perf_counter()
        places = [(agent, index) for agent in agents for index in range(ANSWERS)]
        asked = (
            agent.answer("Why?", CONTEXT, seed=AnswerSeed(1, agent.name, turn, index=index))
            for agent, index in places
        )
        await asyncio.gather(*asked)
        seconds.append(time.perf_counter() - begun)
    await endpoint.close()
    # The first round opens the connections.
    return seconds[1:]


def results() -> Iterator[Result]:
    # In a process of its own, as an endpoint is.
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seconds = asyncio.run(rounds(process.stdout.readline().strip()))
        process.terminate()
    ratio = median(seconds) / IDEAL_S
    yield Result(
        f"{AGENTS} agents, {ANSWERS} answers each, {AT_ONCE} at once, endpoint of 50 ms: a round",
        f"`ChatAgent.answer`: {median(seconds):.3f} s",
        f"the endpoint alone: {IDEAL_S:.3f} s",
        f"{ratio:.2f} × ({min(seconds) / IDEAL_S:.2f} to {max(seconds) / IDEAL_S:.2f})",
        "≤ 1.15 ×",
        met=ratio <= 1.15,
    )
    agent = NGramAgent.of_texts("anna", [TEXT])
    yield duration(
        "an answer of an n-gram agent, 34,000 words of its own, 50 texts read",
        task=lambda: agent.write("Why?", CONTEXT, seed=AnswerSeed(1)),
        described="`NGramAgent.write`",
        target=0.01,
        runs=99,
    )


if __name__ == "__main__":
    asyncio.run(serve())
