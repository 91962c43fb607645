"""All questions of a round, asked concurrently; every answer is stored as it arrives.

Answers that arrive together are stored in one transaction while others are awaited, and a worker
asks again only once its answer before the last is stored. After a first failure nothing new is
asked, but requests under way are awaited: their answers are paid for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed
from hayflick.storage.runs import StoredAnswer

_BATCH_S = 0.005
"""Answers that arrive within this time of one another are stored in one transaction."""

Store = Callable[[Sequence[StoredAnswer]], None]


@dataclass(frozen=True, eq=False)
class Question:
    """A query to an agent, the texts that it reads before, and the place of the answer."""

    agent: Agent
    query: str
    context: Sequence[str] = field(repr=False)
    seed: AnswerSeed


async def ask_all(questions: Sequence[Question], *, concurrency: int, store: Store) -> None:
    """Ask all questions.

    Parameters
    ----------
    questions
        Those without an answer yet.
    concurrency
        How many are under way at once.
    store
        Called with the answers to store, once each.

    Raises
    ------
    EndpointError, BudgetExhausted
        The first failure, once every answer that was under way is stored.
    """
    asking = _Asking(iter(questions), store)
    try:
        await asyncio.gather(*(asking.work() for _ in range(min(concurrency, len(questions)))))
    finally:
        asking.flush()
    if asking.failure is not None:
        raise asking.failure


class _Asking:
    """The questions that are left, shared by all workers, and the answers to be stored."""

    def __init__(self, questions: Iterator[Question], store: Store) -> None:
        self.failure: Exception | None = None
        self._questions = questions
        self._store = store
        self._arrived: list[StoredAnswer] = []
        self._stored: asyncio.Future[None] | None = None

    async def work(self) -> None:
        """Ask one question after the other, until none is left or something failed."""
        previous: asyncio.Future[None] | None = None
        try:
            for question in self._questions:
                answer = await question.agent.answer(
                    question.query, question.context, seed=question.seed
                )
                stored = self._add(_stored_answer(question, answer))
                # The previous answer was written while this one was awaited.
                if previous is not None:
                    await asyncio.shield(previous)
                if self.failure is not None:
                    break
                previous = stored
        except Exception as failure:
            self.failure = self.failure or failure

    def flush(self) -> None:
        """Store what has arrived and is not stored yet."""
        if self._arrived:
            self._store(self._arrived)
            self._arrived = []

    def _add(self, answer: StoredAnswer) -> asyncio.Future[None]:
        """Return what is done once the answer is stored."""
        self._arrived.append(answer)
        if self._stored is None:
            loop = asyncio.get_running_loop()
            self._stored = loop.create_future()
            loop.call_later(_BATCH_S, self._write, self._stored)
        return self._stored

    def _write(self, stored: asyncio.Future[None]) -> None:
        self._stored = None
        try:
            self.flush()
        except Exception as failure:
            self.failure = self.failure or failure
        stored.set_result(None)


def _stored_answer(question: Question, answer: Answer) -> StoredAnswer:
    seed = question.seed
    return StoredAnswer(
        round=seed.round,
        agent=seed.agent,
        query=seed.query,
        place=seed.index,
        text=answer.text,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
        cost=answer.cost,
        latency_s=answer.latency_s,
        attempts=answer.attempts,
        finish=answer.finish,
        model=answer.model,
    )


def run_async(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end.

    Where an event loop runs already, as in a notebook, the coroutine gets a loop of its own in
    another thread.

    Examples
    --------
    >>> async def greet():
    ...     print("hello")
    >>> run_async(greet())
    hello
    """
    if not _loop_is_running():
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, work).result()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
