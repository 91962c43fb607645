"""All questions of a round, asked at once, and every answer kept as it arrives.

Answers that arrive together are kept in one transaction, while the next are waited for; nobody
asks again before the answer before the last is kept. After a first failure no further question is
asked, but those under way are waited for: their answers are paid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed
from hayflick.storage.runs import StoredAnswer

_TOGETHER_S = 0.005
"""Answers that arrive within this time of one another are kept in one transaction."""

Keep = Callable[[Sequence[StoredAnswer]], None]


@dataclass(frozen=True, eq=False)
class Question:
    """What an agent is asked, in the light of which texts, at which place of the run."""

    agent: Agent
    query: str
    context: Sequence[str] = field(repr=False)
    seed: AnswerSeed


async def ask_all(questions: Sequence[Question], *, concurrency: int, keep: Keep) -> None:
    """Ask all questions.

    Parameters
    ----------
    questions
        Those that have no answer yet.
    concurrency
        How many are under way at once.
    keep
        Called with answers to keep them, before anything else is done with them.

    Raises
    ------
    EndpointError, BudgetExhausted
        The first failure, once all that was under way is kept.
    """
    work = _Work(iter(questions), _Ledger(keep))
    await asyncio.gather(*(work.go_on() for _ in range(min(concurrency, len(questions)))))
    work.ledger.keep_rest()
    if work.failure is not None:
        raise work.failure


@dataclass
class _Work:
    """The questions that are left, shared by all who ask."""

    questions: Iterator[Question]
    ledger: _Ledger
    failure: Exception | None = None

    async def go_on(self) -> None:
        """Ask one question after the other, until none is left or something failed."""
        try:
            await self._ask_in_turn()
        except Exception as failure:
            self.failure = self.failure or failure

    async def _ask_in_turn(self) -> None:
        kept: asyncio.Future[None] | None = None
        try:
            for question in self.questions:
                answer = await question.agent.answer(
                    question.query, question.context, seed=question.seed
                )
                before, kept = kept, self.ledger.add(_stored(question, answer))
                # The answer before was written while this one was waited for.
                if before is not None:
                    await asyncio.shield(before)
                if self.failure is not None:
                    break
        finally:
            if kept is not None:
                await asyncio.shield(kept)


class _Ledger:
    """Keeps what arrives within a few milliseconds in one go."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._arrived: list[StoredAnswer] = []
        self._kept: asyncio.Future[None] | None = None

    def add(self, answer: StoredAnswer) -> asyncio.Future[None]:
        """Return what is done once the answer is kept."""
        self._arrived.append(answer)
        if self._kept is None:
            loop = asyncio.get_running_loop()
            self._kept = loop.create_future()
            loop.call_later(_TOGETHER_S, self._write, self._kept)
        return self._kept

    def keep_rest(self) -> None:
        """Keep what could not be kept before, if there is anything."""
        if self._arrived:
            self._keep(self._arrived)
            self._arrived = []

    def _write(self, kept: asyncio.Future[None]) -> None:
        self._kept = None
        try:
            self.keep_rest()
        except Exception as fault:
            kept.set_exception(fault)
        else:
            kept.set_result(None)


def _stored(question: Question, answer: Answer) -> StoredAnswer:
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
    """Do asynchronous work, and return when it is done.

    Where an event loop runs already, as in a notebook, it waits: the work has a loop of its own
    in another thread.

    Examples
    --------
    >>> async def greet():
    ...     print("hello")
    >>> run_async(greet())
    hello
    """
    if not _running():
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, work).result()


def _running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
