"""Agents that compute here, spread over processes of this machine.

Each process holds its share of the agents for a whole run, what they have learned included. A
text is sent to a process once and named by its number from then on; questions are sent many at a
time. The answers are those of the same agents in one process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, final

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.errors import ArgumentError, ExecutorError
from hayflick.network.agents.budget import Budget
from hayflick.network.agents.ngram import NGramAgent
from hayflick.network.agents.parsing import parse_agents, parse_sections
from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed
from hayflick.simulation.executors import process_executor, worker_count

QUESTIONS, _READINGS = 32, 64
"""As many are sent together: answers arrive while others are written, and no process is idle."""

_POLL_S = 0.05


@dataclass(frozen=True)
class _Message:
    """What a process is to do: remember texts, let agents read, forget agents, then answer."""

    texts: Sequence[str]
    readings: Sequence[tuple[int, int, Integers]]
    forgotten: Sequence[int]
    contexts: Sequence[Integers] = ()
    questions: Sequence[tuple[int, str, int, AnswerSeed]] = ()


_held: dict[int, NGramAgent] = {}
_texts: list[str] = []


def _hold(sections: Sequence[Mapping[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Make the agents of a process, and return what they say of themselves."""
    agents = parse_agents(sections, folder=folder)
    _held.clear()
    _texts.clear()
    _held.update((key, agent) for key, agent in enumerate(agents) if isinstance(agent, NGramAgent))
    return [agent.describe() for agent in _held.values()]


def _work(message: _Message) -> list[Answer]:
    """Do what a message says, in the process that holds the agents."""
    _texts.extend(message.texts)
    for before, after, numbers in message.readings:
        _held[after] = _held[before].after_reading([_texts[one] for one in numbers])
    for key in message.forgotten:
        del _held[key]
    contexts = [[_texts[one] for one in numbers] for numbers in message.contexts]
    return [
        _held[key].write(query, contexts[context], seed=seed)
        for key, query, context, seed in message.questions
    ]


class AgentProcess:
    """A process that holds agents, by keys; one that has read has a new key.

    Parameters
    ----------
    executor
        Of this one process.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._numbers: dict[str, int] = {}
        self._unsent: list[str] = []
        self._readings: list[tuple[int, int, Integers]] = []
        self._forgotten: list[int] = []
        self._trained: Future[list[Answer]] | None = None
        self._keys = 0

    def hold(
        self, sections: Sequence[Mapping[str, Any]], *, folder: Path
    ) -> Future[list[dict[str, Any]]]:
        """Have the process make agents, whose keys are 0, 1, …, in place of those that it has.

        What they say of themselves is the future's result.
        """
        self._keys = len(sections)
        with _told_when_lost():
            return self._executor.submit(_hold, sections, folder)

    async def ask(
        self, questions: Sequence[tuple[int, str, Sequence[str], AnswerSeed]]
    ) -> list[Answer]:
        """Return the answers to questions: the key of each one's agent, query, texts and seed.

        Raises
        ------
        ExecutorError
            If the process was killed.
        """
        # Several answers read the same texts, which are sent once.
        places: dict[int, int] = {}
        contexts: list[Integers] = []
        asked = []
        for key, query, context, seed in questions:
            if id(context) not in places:
                places[id(context)] = len(contexts)
                contexts.append(self._numbered(context))
            asked.append((key, query, places[id(context)], seed))
        with _told_when_lost():
            self._check_training(waiting=False)
            return await asyncio.wrap_future(self._send(contexts, asked))

    def read(self, key: int, texts: Sequence[str]) -> int:
        """Return the key of the agent after it has read texts.

        Raises
        ------
        ExecutorError
            If the process was killed.
        """
        after, self._keys = self._keys, self._keys + 1
        self._readings.append((key, after, self._numbered(texts)))
        if len(self._readings) >= _READINGS:
            with _told_when_lost():
                # A run that goes on reads all its rounds again: no more waits in memory than this.
                self._check_training(waiting=True)
                self._trained = self._send()
        return after

    def forget(self, key: int) -> None:
        """Let the process drop an agent that nobody has any more."""
        self._forgotten.append(key)

    def _check_training(self, *, waiting: bool) -> None:
        """Raise what has gone wrong where agents have read."""
        if self._trained is not None and (waiting or self._trained.done()):
            self._trained.result()
            self._trained = None

    def _send(
        self,
        contexts: Sequence[Integers] = (),
        questions: Sequence[tuple[int, str, int, AnswerSeed]] = (),
    ) -> Future[list[Answer]]:
        message = _Message(self._unsent, self._readings, self._forgotten, contexts, questions)
        self._unsent, self._readings, self._forgotten = [], [], []
        return self._executor.submit(_work, message)

    def _numbered(self, texts: Sequence[str]) -> Integers:
        """Return the numbers of texts; new ones go to the process with the next message."""
        numbers = self._numbers
        for text in texts:
            if text not in numbers:
                numbers[text] = len(numbers)
                self._unsent.append(text)
        return np.array([numbers[text] for text in texts], np.int32)


@contextmanager
def _told_when_lost() -> Iterator[None]:
    try:
        yield
    except BrokenExecutor as fault:
        lost = "a process that holds agents was killed, perhaps as the memory was full"
        raise ExecutorError(f"{lost}; go on with fewer workers") from fault


@final
@dataclass(frozen=True, eq=False)
class ProcessAgent:
    """An agent that is held by a process.

    Parameters
    ----------
    name
        Name of the agent.
    process, key
        Where it is, and what it is called there.
    described
        Its parameters.
    """

    name: str
    process: AgentProcess = field(repr=False)
    key: int = field(repr=False)
    described: Mapping[str, Any] = field(repr=False)

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Return the agent's answer; see `hayflick.network.agents.protocol.Agent`."""
        return (await self.process.ask([(self.key, query, context, seed)]))[0]

    def after_reading(self, texts: Sequence[str]) -> Self:
        """Return the agent after it has read the texts of a round."""
        key = self.process.read(self.key, texts)
        return type(self)(self.name, self.process, key, self.described)

    async def close(self) -> None:
        """Do nothing: the process is ended by whoever has opened it."""

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters that make the agent again, ready for JSON."""
        return self.described

    def __del__(self) -> None:
        self.process.forget(self.key)


@final
class AgentProcesses:
    """Processes that take the agents of an experiment; opened by `agent_processes`.

    Parameters
    ----------
    executors
        One for each process.
    """

    def __init__(self, executors: Sequence[Executor]) -> None:
        self._executors = executors

    def agents(
        self, sections: Sequence[Mapping[str, Any]], *, folder: Path, budget: Budget
    ) -> list[Agent]:
        """Return the agents of an experiment; those that compute are held by the processes.

        Parameters and errors are those of `hayflick.network.agents.parsing.parse_agents`.

        Raises
        ------
        ArgumentError
            If no agent computes here.
        ExecutorError
            If a process was killed, or did not start.
        """
        kinds = [type(section) for section in parse_sections(sections)]
        spread = [number for number, kind in enumerate(kinds) if kind.computes]
        waiting = [number for number, kind in enumerate(kinds) if not kind.computes]
        if not spread:
            takes = "nothing where no agent computes here, as those of kind ngram do"
            raise ArgumentError("workers", got=len(self._executors), takes=takes)
        found: dict[int, Agent] = {}
        if waiting:
            rest = [sections[number] for number in waiting]
            found.update(
                zip(waiting, parse_agents(rest, folder=folder, budget=budget), strict=True)
            )
        processes = [AgentProcess(one) for one in self._executors[: len(spread)]]
        shares = [spread[first :: len(processes)] for first in range(len(processes))]
        held = [
            process.hold([sections[number] for number in share], folder=folder)
            for process, share in zip(processes, shares, strict=True)
        ]
        for process, share, future in zip(processes, shares, held, strict=True):
            for key, (number, described) in enumerate(zip(share, _result(future), strict=True)):
                found[number] = ProcessAgent(str(described["name"]), process, key, described)
        return [found[number] for number in range(len(sections))]


def _result(future: Future[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    # Without a timeout, Ctrl-C would have to wait.
    while not wait([future], timeout=_POLL_S).done:
        pass
    try:
        return future.result()
    except BrokenExecutor as fault:
        lost = "a process that was to hold agents was killed, perhaps as the memory was full"
        remedy = 'take fewer workers; a script calls this under if __name__ == "__main__":'
        raise ExecutorError(f"{lost}; {remedy}") from fault


@contextmanager
def agent_processes(workers: int | None) -> Iterator[AgentProcesses | None]:
    """Open processes for the agents of a run.

    Parameters
    ----------
    workers
        How many; None for none: agents are in this process then.

    Yields
    ------
    What takes the agents; None for none.

    Raises
    ------
    ArgumentError
        If the number is out of its range.
    """
    if workers is None:
        yield None
        return
    with ExitStack() as opened:
        executors = [
            opened.enter_context(process_executor(1)) for _ in range(worker_count(workers))
        ]
        try:
            yield AgentProcesses(executors)
        finally:
            # All are told to end before the first is waited for.
            for one in executors:
                one.shutdown(wait=False, cancel_futures=True)
