"""What a run reads, writes and takes, by arithmetic: quick for any number of rounds and agents.

Rounds are counted one by one up to 2,000; of more, as many are, evenly spaced, and what lies
between is interpolated. Texts are taken to be of their mean length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.effort import Effort
from hayflick.core.errors import ArgumentError
from hayflick.network.agents.chat import ChatSection
from hayflick.network.agents.ngram import NGramSection
from hayflick.network.agents.parsing import parse_sections
from hayflick.network.agents.protocol import AgentSection
from hayflick.network.experiment import Experiment, texts_of
from hayflick.network.pool import parse_policy
from hayflick.network.retrieval import parse_retrieval
from hayflick.network.topology import mean_neighbours

BYTES_OF_A_TOKEN = 4
"""About right for most models and languages."""

_MOST_ROUNDS = 2000

_ANSWER_S, _TOKEN_S, _REQUEST_S, _READ_S = 2e-4, 5e-6, 1.0, 2e-8
"""Seconds for an answer (it is embedded, measured and stored), for a token that a built-in agent
writes, for a request to an endpoint, and for a text that is read."""

_ANSWER_BYTES, _TEXT_BYTES, _VECTOR_BYTES = 700, 600, 4 * 1024
"""Bytes in memory of an answer and of a text beside their letters, and of a text's vector."""

Numbers: TypeAlias = Floats


def tokens_of(text: str) -> int:
    """Return about how many tokens a text has."""
    return math.ceil(len(text.encode()) / BYTES_OF_A_TOKEN)


def longest_answer(section: AgentSection) -> int:
    """Return the most tokens that an answer of an agent has; 0 if that is not known."""
    if isinstance(section, ChatSection):
        return section.max_tokens
    return section.most_tokens if isinstance(section, NGramSection) else 0


@dataclass(frozen=True, eq=False)
class ReadingEstimate:
    """What the agents of an experiment read, by round and agent.

    Parameters
    ----------
    experiment
        What is run.
    sections
        Its agents.
    first, reserve
        The texts of the first pool, and those that can be injected.
    folder
        Where files that it names are looked up.
    """

    experiment: Experiment
    sections: Sequence[AgentSection]
    first: Sequence[str]
    reserve: Sequence[str]
    folder: Path

    @classmethod
    def of(cls, experiment: Experiment, *, folder: Path) -> ReadingEstimate:
        """Return the estimate of an experiment.

        Raises
        ------
        ArgumentError, DataError
            If a section is not understood, or a file cannot be read.
        """
        sections = parse_sections(experiment.agent_sections())
        texts = texts_of(experiment.pool, folder=folder)
        stored = experiment.reserve
        reserve = [] if stored is None else texts_of(stored, folder=folder)
        return cls(experiment, sections, texts[: experiment.pool.size], reserve, folder)

    @cached_property
    def rounds(self) -> Numbers:
        """The rounds that are counted."""
        last = self.experiment.rounds
        if last <= _MOST_ROUNDS:
            return np.arange(1.0, last + 1.0)
        return np.unique(np.linspace(1, last, _MOST_ROUNDS).round())

    @cached_property
    def longest(self) -> Numbers:
        """The longest answer of each agent, in tokens."""
        return np.array([longest_answer(one) for one in self.sections], dtype=np.float64)

    @cached_property
    def texts_read(self) -> Numbers:
        """k_t: the mean number of texts that an agent reads, in the rounds that are counted."""
        return parse_retrieval(self.experiment.retrieval).expected_count(*self._readable)

    def check_first_round(self) -> None:
        """Refuse a retrieval that gives nothing in the first round.

        Raises
        ------
        ArgumentError
            If a share of the texts rounds down to none of them.
        """
        readable = float(self._readable[0][0])
        if readable >= 1.0 and self.texts_read[0] == 0.0:
            takes = f"what gives an agent one of the {readable:.0f} texts in round 1"
            raise ArgumentError("retrieval", got=self.experiment.retrieval, takes=takes)

    @cached_property
    def _parts(self) -> tuple[Numbers, Numbers, Numbers]:
        """How many texts of the first pool, of the reserve and of agents an agent may read."""
        experiment, agents = self.experiment, len(self.sections)
        policy = parse_policy(experiment.pool.policy)
        before = self.rounds - 1.0
        spans = np.minimum(before, math.inf if policy.window is None else policy.window)
        first = np.full(before.size, float(len(self.first)))
        if policy.window is not None:
            first[before >= policy.window] = 0.0
        sources = self._neighbours + 1.0
        if experiment.pool.owners == "split":
            first = first * sources / agents
        injected = min(experiment.pool.inject, len(self.reserve)) * spans
        return first, injected, sources * spans * self._written

    @property
    def _written(self) -> float:
        """Texts that each agent adds in a round."""
        policy = parse_policy(self.experiment.pool.policy)
        each = self.experiment.answers if policy.adds == "all" else 1
        return 0.0 if policy.waits else float(each * len(self.experiment.query_texts))

    @cached_property
    def _readable(self) -> tuple[Numbers, Numbers]:
        """How many texts an agent may read, and how many of these are its own."""
        first, injected, synthetic = self._parts
        own = synthetic / (self._neighbours + 1.0)
        if self.experiment.pool.owners == "split":
            own = own + first / (self._neighbours + 1.0)
        return first + injected + synthetic, own

    @cached_property
    def _neighbours(self) -> Numbers:
        """The mean number of agents that one reads, by round."""
        found = np.zeros(self.rounds.size)
        for one in self.experiment.topology_schedule:
            mean = mean_neighbours(one.topology, agents=len(self.sections), folder=self.folder)
            found[self.rounds >= one.from_round] = mean
        return found

    @cached_property
    def context(self) -> Numbers:
        """Tokens of the texts that an agent reads for a query, in the rounds that are counted."""
        lengths = (_mean_length(self.first), _mean_length(self.reserve), self.longest.mean())
        tokens = sum(length * part for length, part in zip(lengths, self._parts, strict=True))
        readable, _ = self._readable
        mean: Numbers = np.zeros_like(readable)
        np.divide(tokens, readable, out=mean, where=readable > 0)
        return self.texts_read * mean

    def total(self, values: Numbers) -> float:
        """Return the sum of numbers by round over all rounds."""
        rounds = np.arange(1.0, self.experiment.rounds + 1.0)
        if values.size == rounds.size:
            return float(values.sum())
        # Trapezoids between rounds, and half of the first and of the last one.
        return float(np.trapezoid(values, self.rounds) + 0.5 * (values[0] + values[-1]))

    def cumulative(self, values: Numbers) -> Numbers:
        """Return the sums of numbers by round, up to each round that is counted."""
        if values.size == self.experiment.rounds:
            return np.cumsum(values)
        steps = 0.5 * (values[1:] + values[:-1]) * np.diff(self.rounds)
        summed: Numbers = np.concatenate([[0.0], np.cumsum(steps)]) + 0.5 * (values[0] + values)
        return summed

    def effort(self, *, finished: int = 0) -> Effort:
        """Return about what a run takes, with its result in memory.

        Parameters
        ----------
        finished
            Rounds that are done.
        """
        experiment, agents = self.experiment, len(self.sections)
        left = max(0.0, 1.0 - finished / experiment.rounds)
        each = float(experiment.answers) * len(experiment.query_texts) * experiment.rounds
        answers = each * agents
        chats = [isinstance(one, ChatSection) for one in self.sections]
        # Endpoints are asked side by side.
        requests = each * sum(chats) / min(experiment.concurrency, max(sum(chats), 1) * 8)
        built_in = each * float(self.longest[~np.array(chats)].sum())
        read = self.total(self.texts_read) * agents * len(experiment.query_texts)
        readable, _ = self._readable
        joined = float(readable[-1]) if experiment.rounds > 1 else 0.0
        letters = each * float(self.longest.sum()) * BYTES_OF_A_TOKEN
        neighbours = 8.0 * agents * float(self._neighbours.max())
        return Effort(
            f"a run of {experiment.rounds:,} rounds with {agents:,} agents",
            seconds=left
            * (answers * _ANSWER_S + built_in * _TOKEN_S + requests * _REQUEST_S + read * _READ_S),
            memory=answers * _ANSWER_BYTES
            + letters
            + 4.0 * read
            + joined * (_TEXT_BYTES + _VECTOR_BYTES)
            + neighbours,
        )


def _mean_length(texts: Sequence[str]) -> float:
    return float(np.mean([tokens_of(text) for text in texts])) if texts else 0.0


def effort_of_answers(sections: Sequence[AgentSection], *, each: int, concurrency: int) -> Effort:
    """Return about what it takes to ask agents so many questions each.

    Examples
    --------
    >>> section = NGramSection(name="anna", kind="ngram", texts=["It rains."])
    >>> effort_of_answers([section], each=10, concurrency=8).is_long
    False
    """
    chats = sum(isinstance(one, ChatSection) for one in sections)
    written = float(each) * sum(
        longest_answer(one) for one in sections if not isinstance(one, ChatSection)
    )
    answers = float(each) * len(sections)
    letters = float(each) * sum(map(longest_answer, sections)) * BYTES_OF_A_TOKEN
    return Effort(
        f"asking {len(sections):,} agents for {each:,} answers each",
        seconds=answers * _ANSWER_S
        + written * _TOKEN_S
        + each * chats / min(concurrency, max(chats, 1) * 8) * _REQUEST_S,
        # Questions and answers are in memory until the round is written.
        memory=2.0 * answers * _ANSWER_BYTES + letters,
    )
