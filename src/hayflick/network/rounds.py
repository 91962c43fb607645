"""The rounds of a network of agents over one shared pool: Algorithm 1 of Wang et al.

Round t: every agent reads k = ⌊β |A_{t-1}|⌋ texts of the pool (or what its retrieval says), answers
every query L times, and is measured; then its first answer joins: |A_t| = |A_{t-1}| + n. The first
pool A_0 is real, so the share n t / (|A_0| + n t) of A_t is synthetic. What is decided about a
reading is carried out from the next round on; where nothing decides, a round is measured while
the answers of the next are waited for.

References
----------
Wang et al., *LLM Web Dynamics*, 2025, Algorithm 1.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
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
from hayflick.network.agents.protocol import Agent, AnswerSeed, Learner
from hayflick.network.asking import Question, ask_all
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
from hayflick.network.setup import (
    NetworkSetup,
    Place,
    contexts,
    retrieve_texts,
)
from hayflick.storage.runs import (
    RunStore,
    StoredAnswer,
    StoredRead,
    StoredRound,
    StoredText,
)


@dataclass(frozen=True, eq=False)
class RoundOutput:
    """What was said in a round.

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

    @property
    def means(self) -> dict[tuple[str, int], Floats | None]:
        """The mean by agent's name and number of the query; None where all were empty."""
        places: dict[tuple[str, int], list[int]] = {}
        for place, one in enumerate(self.answers):
            places.setdefault((one.agent, one.query), []).append(place)
        return {
            key: _mean(self.vectors[chosen].astype(np.float64)) for key, chosen in places.items()
        }


def measure_round(said: RoundOutput, *, observer: Observer) -> tuple[Reading, ...]:
    """Return the reading of all answers, the only one with metrics of words, then each agent's."""
    answers = said.answers
    by_agent = RoundAnswers(
        round=said.number,
        vectors=said.vectors,
        prompts=[str(one.query) for one in answers],
        groups=[one.agent for one in answers],
    )
    # Words are counted once, for all: counting them agent by agent takes longer than the rest.
    texts = [one.text for one in answers]
    (words,) = observer.read(RoundAnswers(round=said.number, texts=texts))
    together, *groups = observer.read(by_agent)
    known = {name: value for name, value in said.values.items() if value is not None}
    values = {**words.values, **together.values, **known}
    return (Reading(said.number, values, together.scores), *groups)


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


def _mean(vectors: Floats) -> Floats | None:
    whole = vectors[np.isfinite(vectors).all(axis=1)]
    return whole.mean(axis=0) if len(whole) else None


Say = Callable[[str], None]

_GOING_OUT_S = 0.02
"""What the requests of a round are given to go out, before the round before is measured."""


@dataclass(eq=False, kw_only=True)
class NetworkLoop:
    """A run on its way; what it holds is what its store holds, replayed.

    Parameters
    ----------
    setup
        What the run is made with.
    store, folder
        Where it is kept, and where files for people go.
    rule
        Decides what to do about a round's reading of all answers; None for nothing.
    say
        Told what people should know.
    progress
        Told the rounds done.
    """

    setup: NetworkSetup
    store: RunStore
    folder: Path
    rule: Rule | None = None
    say: Say = field(default=lambda _: None)
    progress: Progress = silent

    def __post_init__(self) -> None:
        names, policy = self.setup.names, self.setup.policy
        self._pool = Pool(tuple(self.store.texts()), names, policy)
        self._agents: list[Agent] = list(self.setup.agents)
        self._decisions: list[RecordedAction] = []
        self._targets = np.asarray(
            self.setup.embed(self.setup.experiment.query_texts), dtype=np.float64
        )
        self._observer: Observer = self.setup.observer(self._pool)
        # Of the round under way: a run that was stopped in its midst goes on with them.
        self._answers = self.store.answers(round=self.store.finished + 1)
        self._pending: RoundOutput | None = None
        self._replay()

    def _replay(self) -> None:
        """Take agents and rule through the rounds that are finished."""
        read: dict[int, dict[Place, Integers]] = {}
        for one in self.store.reads():
            place = self.setup.names.index(one.agent), one.query
            read.setdefault(one.round, {})[place] = np.frombuffer(one.texts, "<i4")
        for done in self.store.rounds():
            seen = read.get(done.number, {})
            readings = tuple(reading_from_record(one) for one in done.readings)
            if not readings:
                answers = self.store.answers(round=done.number)
                readings = self._measure(self._output(answers, seen, self._pool, done.number))
            if self.rule is not None:
                for reading in readings:
                    self.rule.decide(reading)
            self._decisions += [RecordedAction.stored(one) for one in done.decisions]
            self._learn(seen)

    async def run(self) -> None:
        """Go through the rounds that are left.

        Raises
        ------
        EndpointError, BudgetExhausted, ReviewPending
            If it cannot go on now; all that was answered is kept.
        """
        total = self.setup.experiment.rounds
        try:
            for number in range(self.store.finished + 1, total + 1):
                self.progress("rounds", number - 1, total)
                self._apply_reviews(after=number - 1)
                await self._round(number)
            self.progress("rounds", total, total)
        finally:
            self._keep(())
            await asyncio.gather(*(agent.close() for agent in self.setup.agents))
            self._measure_pending()

    async def _round(self, number: int) -> None:
        read = retrieve_texts(self.setup, self._pool, targets=self._targets, number=number)
        there = {(one.agent, one.query, one.place) for one in self._answers}
        questions = [
            question
            for question in self._questions(read, number)
            if (question.seed.agent, question.seed.query, question.seed.index) not in there
        ]
        concurrency = self.setup.experiment.concurrency
        asking = asyncio.ensure_future(ask_all(questions, concurrency=concurrency, keep=self._keep))
        try:
            await self._measure_previous(asking)
        except asyncio.CancelledError:
            asking.cancel()
            raise
        finally:
            await asking
        self._finish(number, read)
        self._answers = []

    def _questions(self, read: Mapping[Place, Integers], number: int) -> list[Question]:
        experiment = self.setup.experiment
        # One answer of every agent, then the next of every agent: endpoints share the load.
        places = [(index, *place) for index in range(experiment.answers) for place in read]
        # The answers of an agent to a query read the same texts.
        pool = [one.text for one in self._pool.texts]
        texts = {place: [pool[one] for one in which] for place, which in read.items()}
        found = []
        for index, agent, query in places:
            asked = experiment.query_texts[query]
            text = prompt(asked, experiment, self._decisions, agent=agent, round=number)
            name = self.setup.names[agent]
            seed = AnswerSeed(experiment.seed, name, number, query, index)
            found.append(Question(self._agents[agent], text, texts[agent, query], seed))
        return found

    def _keep(self, answers: Sequence[StoredAnswer]) -> None:
        spent = self.setup.budget.spent
        self.store.add_answers(answers, spent=(spent.tokens, spent.money))
        self._answers += answers

    def _finish(self, number: int, read: Mapping[Place, Integers]) -> None:
        """Decide, and keep what the round leaves in one transaction."""
        answers = sorted(self._answers, key=lambda one: (one.agent, one.query, one.place))
        new = self._new_texts(answers)
        # What this round's reading has injected cannot be in the reading itself.
        pool = self._extended_pool(new, number)
        said = self._output(answers, read, pool, number)
        readings: tuple[Reading, ...] = ()
        decided: list[RecordedAction] = []
        if self.rule is not None:
            readings = measure_round(said, observer=self._observer)
            decided = self._decide(self.rule, readings, number)
        if decided:
            pool = self._extended_pool(new, number)
        done = StoredRound(
            number, [reading_record(one) for one in readings], [one.record() for one in decided]
        )
        added = pool.texts[len(self._pool.texts) :]
        reviewed = self._to_review(added, decided, number)
        if reviewed:
            # Before the round is kept: a file too many is written again, one too few is lost.
            path = write_review(self.folder, reviewed, after=number)
            self.say(f"round {number}: wrote {path} for a review")
        self.store.finish_round(done, texts=added, reads=self._reads(read, said))
        self._learn(read)
        self._pool = pool
        self._pending = None if readings else said

    async def _measure_previous(self, asking: asyncio.Future[None]) -> None:
        """Measure the round before in a thread, once the requests of this one have gone out."""
        if self._pending is None:
            return
        await asyncio.wait({asking}, timeout=_GOING_OUT_S)
        said = self._pending
        self._add(said, await asyncio.to_thread(measure_round, said, observer=self._observer))

    def _measure_pending(self) -> None:
        """Measure the round before, if that was put off."""
        if self._pending is not None:
            self._measure(self._pending)

    def _measure(self, said: RoundOutput) -> tuple[Reading, ...]:
        readings = measure_round(said, observer=self._observer)
        self._add(said, readings)
        return readings

    def _add(self, said: RoundOutput, readings: Sequence[Reading]) -> None:
        self.store.add_readings(said.number, [reading_record(one) for one in readings])
        self._pending = None

    def _decide(self, rule: Rule, readings: Sequence[Reading], number: int) -> list[RecordedAction]:
        decided = [
            RecordedAction.of(action, round=number)
            for reading in readings
            for action in rule.decide(reading)
        ]
        self._decisions += decided
        for one in decided:
            self.say(f"round {number}: {one.kind.value}: {one.reason}")
        return decided

    def _new_texts(self, answers: Sequence[StoredAnswer]) -> list[NewText]:
        """Return the answers that join; the first is the first that says something."""
        said = [one for one in answers if one.text.strip()]
        if self.setup.policy.adds == "first":
            said = list({(one.agent, one.query): one for one in reversed(said)}.values())[::-1]
        return [NewText(one.text, author=one.agent) for one in said]

    def _extended_pool(self, new: Sequence[NewText], number: int) -> Pool:
        """Return the pool with what joins after a round."""
        experiment, reserve = self.setup.experiment, self.setup.reserve
        injected = injected_texts(experiment, self._decisions, reserve=reserve, after=number)
        new = [*new, *(NewText(text, origin="injected") for text in injected)]
        vectors = self.setup.embed([one.text for one in new])
        return self._pool.extended(new, vectors=vectors, after=number)

    def _output(
        self,
        answers: Sequence[StoredAnswer],
        read: Mapping[Place, Integers],
        pool: Pool,
        number: int,
    ) -> RoundOutput:
        values = {
            "pool_read": float(pool.in_force(after=number - 1).size),
            "texts_read": float(np.mean([numbers.size for numbers in read.values()])),
            "pool_size": float(pool.in_force(after=number).size),
            "synthetic_share": pool.synthetic_share(after=number),
        }
        return RoundOutput(number, answers, self.setup.embed([one.text for one in answers]), values)

    def _reads(self, read: Mapping[Place, Integers], said: RoundOutput) -> list[StoredRead]:
        names, means = self.setup.names, said.means
        return [
            StoredRead(
                round=said.number,
                agent=names[agent],
                query=query,
                texts=numbers.astype("<i4").tobytes(),
                mean=_stored(means[names[agent], query]),
            )
            for (agent, query), numbers in read.items()
        ]

    def _learn(self, read: Mapping[Place, Integers]) -> None:
        for place, agent in enumerate(self._agents):
            if isinstance(agent, Learner):
                self._agents[place] = agent.after_reading(contexts(read, self._pool, agent=place))

    def _to_review(
        self, added: Sequence[StoredText], decided: Sequence[RecordedAction], number: int
    ) -> list[StoredText]:
        written = [one for one in added if one.synthetic]
        if self.setup.policy.waits:
            return written
        experiment = self.setup.experiment
        return reviewed_texts(experiment, decided, written=written, after=number)

    def _apply_reviews(self, *, after: int) -> None:
        """Take in what people have decided; wait for it, if that is asked for."""
        for path in open_reviews(self.folder, after=after):
            found = read_review(path)
            if found is None:
                if self.setup.experiment.review == "wait":
                    raise ReviewPending(path)
                continue
            # What people decide now cannot be in the reading of the round that they look at.
            self._measure_pending()
            known = {one.number: one for one in self._pool.texts}
            admitted = [one for one in found.kept if known[one].admitted is None]
            self.store.review(admitted=admitted, withdrawn=found.refused, after=after)
            archive_review(path)
            self._pool = Pool(tuple(self.store.texts()), self.setup.names, self.setup.policy)


def _stored(mean: Floats | None) -> bytes | None:
    return None if mean is None else mean.astype("<f8").tobytes()
