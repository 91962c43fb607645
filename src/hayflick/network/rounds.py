"""The rounds of a network of agents over one shared pool: Algorithm 1 of Wang et al.

Round t: every agent reads k = ⌊β |A_{t-1}|⌋ texts of the pool (or what its retrieval says), answers
every query L times, and is measured; then its first answer is added: |A_t| = |A_{t-1}| + n. The
first pool A_0 is real, so the share n t / (|A_0| + n t) of A_t is synthetic. What is decided about
a reading is carried out from the next round on. A round is stored, and measured if there are no
rules, while the answers of the next are awaited; none of them is stored before.

References
----------
Wang et al., *LLM Web Dynamics*, 2025, Algorithm 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Rule
from hayflick.core.records import Reading
from hayflick.diversity.observing import Observer, RoundAnswers
from hayflick.embed.embedder import Vectors
from hayflick.network.agents.processes import QUESTIONS, AgentProcess, ProcessAgent
from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed, Learner
from hayflick.network.interventions import (
    RecordedAction,
    ReviewPending,
    archive_review,
    injected_texts,
    open_reviews,
    prompt,
    read_review,
    reviewed_texts,
    write_review,
)
from hayflick.network.pool import NewText, Pool
from hayflick.network.run_rules import RoundDecisions
from hayflick.network.setup import AgentQuery, NetworkSetup, retrieve_texts
from hayflick.storage.runs import RunStore, StoredAnswer, StoredRead, StoredRound, StoredText

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
        How many are under way at once, those to agents in processes apart.
    store
        Called with the answers to store, once each.

    Raises
    ------
    EndpointError, BudgetExhausted, ExecutorError
        The first failure, once every answer that was under way is stored.
    """
    asking = _Asking(store)
    others: list[Question] = []
    held: dict[AgentProcess, list[tuple[ProcessAgent, Question]]] = {}
    for one in questions:
        if isinstance(one.agent, ProcessAgent):
            held.setdefault(one.agent.process, []).append((one.agent, one))
        else:
            others.append(one)
    left = iter(others)
    # A process that holds agents has all their questions at once, so that it is never idle.
    together = [
        asking.work_together(process, asked[first : first + QUESTIONS])
        for process, asked in held.items()
        for first in range(0, len(asked), QUESTIONS)
    ]
    alone = (asking.work(left) for _ in range(min(concurrency, len(others))))
    try:
        await asyncio.gather(*together, *alone)
    finally:
        asking.flush()
    if asking.failure is not None:
        raise asking.failure


class _Asking:
    """What has gone wrong, and the answers to be stored."""

    def __init__(self, store: Store) -> None:
        self.failure: Exception | None = None
        self._store = store
        self._arrived: list[StoredAnswer] = []
        self._stored: asyncio.Future[None] | None = None

    async def work(self, questions: Iterator[Question]) -> None:
        """Ask one question after the other, until none is left or something failed."""
        previous: asyncio.Future[None] | None = None
        try:
            for question in questions:
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

    async def work_together(
        self, process: AgentProcess, questions: Sequence[tuple[ProcessAgent, Question]]
    ) -> None:
        """Ask the agents of one process some questions at once."""
        try:
            asked = [(agent.key, one.query, one.context, one.seed) for agent, one in questions]
            for (_, one), answer in zip(questions, await process.ask(asked), strict=True):
                self._add(_stored_answer(one, answer))
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


Say = Callable[[str], None]

_SENDING_S = 0.02
"""The requests of a round get so long to go out before the previous round is stored."""


@dataclass(frozen=True, eq=False)
class RoundOutput:
    """The answers of a round.

    Parameters
    ----------
    number
        Of the round.
    answers
        All of them, in order.
    vectors
        Of the answers, shape ``(answers, d)``; NaN where one is empty.
    values
        Further numbers of the round; those that are None are left out.
    """

    number: int
    answers: Sequence[StoredAnswer]
    vectors: Vectors
    values: Mapping[str, float | None]

    def mean_vectors(self) -> dict[tuple[str, int], Floats | None]:
        """Return the mean by agent's name and query; None where all answers were empty."""
        rows: dict[tuple[str, int], list[int]] = {}
        for row, answer in enumerate(self.answers):
            rows.setdefault((answer.agent, answer.query), []).append(row)
        return {key: _mean(self.vectors[chosen]) for key, chosen in rows.items()}


def _mean(vectors: Vectors) -> Floats | None:
    known = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
    return known.mean(axis=0) if len(known) else None


def measure_round(output: RoundOutput, *, observer: Observer) -> tuple[Reading, ...]:
    """Return the reading of all answers, the only one with metrics of words, then each agent's."""
    answers = output.answers
    by_agent = RoundAnswers(
        round=output.number,
        vectors=output.vectors,
        prompts=[str(one.query) for one in answers],
        groups=[one.agent for one in answers],
    )
    # Words are counted once, for all: counting them agent by agent takes longer than the rest.
    texts = [one.text for one in answers]
    (words,) = observer.read(RoundAnswers(round=output.number, texts=texts))
    together, *groups = observer.read(by_agent)
    known = {name: value for name, value in output.values.items() if value is not None}
    values = {**words.values, **together.values, **known}
    return (Reading(output.number, values, together.scores), *groups)


def reading_record(reading: Reading) -> dict[str, Any]:
    """Return a reading ready for JSON."""
    scores = {name: found.tolist() for name, found in reading.scores.items()}
    return {
        "round": reading.round,
        "group": reading.group,
        "values": dict(reading.values),
        "scores": scores,
    }


def reading_from_record(values: Mapping[str, Any]) -> Reading:
    """Return the reading of a record.

    Examples
    --------
    >>> reading_from_record(reading_record(Reading(3, {"spread": 0.25}, {}, "anna"))).values
    {'spread': 0.25}
    """
    scores = {name: np.array(found) for name, found in values["scores"].items()}
    return Reading(values["round"], values["values"], scores, values["group"])


@dataclass(frozen=True, eq=False)
class _FinishedRound:
    """What a round leaves, and which texts were read in it."""

    record: StoredRound
    output: RoundOutput
    texts: Sequence[StoredText]
    read: Mapping[AgentQuery, Integers]


@dataclass(eq=False, kw_only=True)
class NetworkLoop:
    """A run under way; its state is that of its store, replayed.

    Parameters
    ----------
    setup
        What the run is made with.
    store, folder
        Where it is stored, and where files for people go.
    rule
        Decides what to do about a round's readings; None for nothing.
    say
        Called with every message for the user.
    progress
        Called with the number of rounds done.
    """

    setup: NetworkSetup
    store: RunStore
    folder: Path
    rule: Rule | None = None
    say: Say = field(default=lambda _: None)
    progress: Progress = silent

    def __post_init__(self) -> None:
        self._pool = self._stored_pool()
        self._agents: list[Agent] = list(self.setup.agents)
        self._decisions: list[RecordedAction] = []
        queries = self.setup.experiment.query_texts
        self._targets = np.asarray(self.setup.embed(queries), dtype=np.float64)
        self._observer: Observer = self.setup.observer(self._pool)
        # Of the round under way: a run that was stopped in the middle of one goes on with them.
        self._answers = self.store.answers(round=self.store.finished + 1)
        self._pending: RoundOutput | None = None
        self._unstored: _FinishedRound | None = None
        numbered = enumerate(self._agents)
        # A protocol's check takes longer than all else that a round does for an agent.
        self._learners = {number: one for number, one in numbered if isinstance(one, Learner)}
        self._rules = None if self.rule is None else RoundDecisions(self.rule)
        self._replay()

    def _stored_pool(self) -> Pool:
        return Pool(tuple(self.store.texts()), self.setup.names, self.setup.policy)

    def _replay(self) -> None:
        """Take agents and rule through the finished rounds."""
        read: dict[int, dict[AgentQuery, Integers]] = {}
        for one in self.store.reads():
            key = self.setup.names.index(one.agent), one.query
            read.setdefault(one.round, {})[key] = np.frombuffer(one.texts, "<i4")
        for done in self.store.rounds():
            readings = tuple(reading_from_record(one) for one in done.readings)
            if not readings:
                answers = self.store.answers(round=done.number)
                vectors = self.setup.embed([one.text for one in answers])
                values = self._values(read[done.number], self._pool, done.number)
                readings = self._measure(RoundOutput(done.number, answers, vectors, values))
            if self._rules is not None:
                self._rules.decide(readings)
            self._decisions += [RecordedAction.stored(one) for one in done.decisions]
            self._learn(read.get(done.number, {}))

    async def run(self) -> None:
        """Go through the rounds that are left.

        Raises
        ------
        EndpointError, BudgetExhausted, ExecutorError, ReviewPending
            If the run cannot go on now; every answer so far is stored.
        """
        total = self.setup.experiment.rounds
        try:
            for number in range(self.store.finished + 1, total + 1):
                self.progress("rounds", number - 1, total)
                self._apply_reviews(after=number - 1)
                await self._round(number)
            self.progress("rounds", total, total)
        finally:
            self._store_answers(())
            await asyncio.gather(*(agent.close() for agent in self.setup.agents))
            self._measure_pending()

    async def _round(self, number: int) -> None:
        read = retrieve_texts(self.setup, self._pool, targets=self._targets, number=number)
        answered = {(one.agent, one.query, one.place) for one in self._answers}
        questions = [
            question
            for question in self._questions(read, number)
            if (question.seed.agent, question.seed.query, question.seed.index) not in answered
        ]
        concurrency = self.setup.experiment.concurrency
        asking = asyncio.ensure_future(
            ask_all(questions, concurrency=concurrency, store=self._store_answers)
        )
        try:
            await self._complete_previous(asking)
        except asyncio.CancelledError:
            asking.cancel()
            raise
        finally:
            await asking
        self._finish(number, read)
        self._answers = []

    def _questions(self, read: Mapping[AgentQuery, Integers], number: int) -> list[Question]:
        experiment = self.setup.experiment
        # The answers of an agent to a query read the same texts.
        prepared = []
        for (agent, query), texts in read.items():
            asked = experiment.query_texts[query]
            text = prompt(asked, experiment, self._decisions, agent=agent, round=number)
            prepared.append((agent, query, text, [self._pool.texts[one].text for one in texts]))
        turns = [(index, *one) for index in range(experiment.answers) for one in prepared]
        # One answer of every agent, then the next of every agent: endpoints share the load. What
        # is computed here goes through the texts that it reads once for all its answers.
        turns.sort(key=lambda one: (one[1], one[2]) if one[1] in self._learners else (-1, -1))
        return [
            Question(
                self._agents[agent],
                text,
                context,
                AnswerSeed(experiment.seed, self.setup.names[agent], number, query, index),
            )
            for index, agent, query, text, context in turns
        ]

    def _store_answers(self, answers: Sequence[StoredAnswer]) -> None:
        self._store_finished()
        spent = self.setup.budget.spent
        self.store.add_answers(answers, spent=(spent.tokens, spent.money))
        self._answers += answers

    def _finish(self, number: int, read: Mapping[AgentQuery, Integers]) -> None:
        """Decide, and keep what the round leaves until it is stored."""
        answers = sorted(self._answers, key=lambda one: (one.agent, one.query, one.place))
        vectors = self.setup.embed([one.text for one in answers])
        # What this round's reading has injected cannot be in the reading itself.
        pool = self._extended_pool(answers, vectors, number)
        output = RoundOutput(number, answers, vectors, self._values(read, pool, number))
        readings: tuple[Reading, ...] = ()
        decided: list[RecordedAction] = []
        if self._rules is not None:
            readings = measure_round(output, observer=self._observer)
            decided = self._decide(self._rules, readings, number)
        if decided:
            pool = self._extended_pool(answers, vectors, number)
        added = pool.texts[len(self._pool.texts) :]
        reviewed = [one for one in added if one.synthetic]
        if not self.setup.policy.waits:
            experiment = self.setup.experiment
            reviewed = reviewed_texts(experiment, decided, written=reviewed, after=number)
        if reviewed:
            # Before the round is stored: a file too many is written again, one too few is lost.
            path = write_review(self.folder, reviewed, after=number)
            self.say(f"round {number}: wrote {path} for a review")
        record = StoredRound(
            number, [reading_record(one) for one in readings], [one.record() for one in decided]
        )
        self._unstored = _FinishedRound(record, output, added, read)
        self._learn(read)
        self._pool = pool
        self._pending = None if readings else output

    def _store_finished(self) -> None:
        """Store what the last round leaves in one transaction, if it is not stored yet."""
        if self._unstored is not None:
            done = self._unstored
            reads = self._reads(done.read, done.output)
            self.store.finish_round(done.record, texts=done.texts, reads=reads)
            self._unstored = None

    async def _complete_previous(self, asking: asyncio.Future[None]) -> None:
        """Store and measure the previous round, once the requests of this one have gone out.

        It is measured in a thread.
        """
        await asyncio.wait({asking}, timeout=_SENDING_S)
        self._store_finished()
        if self._pending is None:
            return
        output = self._pending
        readings = await asyncio.to_thread(measure_round, output, observer=self._observer)
        self._store_readings(output, readings)

    def _measure_pending(self) -> None:
        if self._pending is not None:
            self._measure(self._pending)

    def _measure(self, output: RoundOutput) -> tuple[Reading, ...]:
        readings = measure_round(output, observer=self._observer)
        self._store_readings(output, readings)
        return readings

    def _store_readings(self, output: RoundOutput, readings: Sequence[Reading]) -> None:
        self._store_finished()
        self.store.add_readings(output.number, [reading_record(one) for one in readings])
        self._pending = None

    def _decide(
        self, rules: RoundDecisions, readings: Sequence[Reading], number: int
    ) -> list[RecordedAction]:
        decided = [RecordedAction.of(action, round=number) for action in rules.decide(readings)]
        self._decisions += decided
        for one in decided:
            self.say(f"round {number}: {one.kind.value}: {one.reason}")
        return decided

    def _extended_pool(
        self, answers: Sequence[StoredAnswer], vectors: Vectors, number: int
    ) -> Pool:
        """Return the pool with the texts that are added after a round."""
        rows = [row for row, one in enumerate(answers) if one.text.strip()]
        if self.setup.policy.adds == "first":
            first = {(answers[row].agent, answers[row].query): row for row in reversed(rows)}
            rows = sorted(first.values())
        new = [NewText(answers[row].text, author=answers[row].agent) for row in rows]
        experiment, reserve = self.setup.experiment, self.setup.reserve
        injected = injected_texts(experiment, self._decisions, reserve=reserve, after=number)
        new += [NewText(text, origin="injected") for text in injected]
        embedded = [*vectors[rows], *self.setup.embed(injected)]
        return self._pool.extended(new, vectors=embedded, after=number)

    def _values(
        self, read: Mapping[AgentQuery, Integers], pool: Pool, number: int
    ) -> dict[str, float | None]:
        return {
            "pool_read": float(pool.in_force(after=number - 1).size),
            "texts_read": float(np.mean([numbers.size for numbers in read.values()])),
            "pool_size": float(pool.in_force(after=number).size),
            "synthetic_share": pool.synthetic_share(after=number),
        }

    def _reads(self, read: Mapping[AgentQuery, Integers], output: RoundOutput) -> list[StoredRead]:
        means = output.mean_vectors()
        rows = []
        for (agent, query), numbers in read.items():
            name = self.setup.names[agent]
            mean = means[name, query]
            stored = None if mean is None else mean.astype("<f8").tobytes()
            rows.append(
                StoredRead(output.number, name, query, numbers.astype("<i4").tobytes(), stored)
            )
        return rows

    def _learn(self, read: Mapping[AgentQuery, Integers]) -> None:
        """Let every agent that learns read its texts of a round, query by query."""
        for number, learner in self._learners.items():
            chosen = [read[key] for key in sorted(read) if key[0] == number]
            texts = [self._pool.texts[one].text for numbers in chosen for one in numbers]
            self._learners[number] = self._agents[number] = learner.after_reading(texts)

    def _apply_reviews(self, *, after: int) -> None:
        """Apply what people have decided; refuse to go on where a review has to be awaited."""
        for path in open_reviews(self.folder, after=after):
            found = read_review(path)
            if found is None:
                if self.setup.experiment.review == "wait":
                    raise ReviewPending(path)
                continue
            # What people decide now cannot be in the reading of the round that they look at.
            self._store_finished()
            self._measure_pending()
            waiting = {one.number for one in self._pool.texts if one.admitted is None}
            admitted = [one for one in found.kept if one in waiting]
            self.store.review(admitted=admitted, withdrawn=found.refused, after=after)
            archive_review(path)
            self._pool = self._stored_pool()
