"""The protocol of an agent, its answers, and the section of an experiment's file that makes it.

Agents are asynchronous, since most of them wait for an endpoint. An agent is immutable: reading
returns another agent, so the state of a learner follows from the pool and can be replayed.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.network.agents.budget import Budget

T = TypeVar("T")

_BITS = 53
_LARGEST_SEED = 2**64 - 1


@dataclass(frozen=True, slots=True)
class AnswerSeed:
    """The place of an answer in a run, from which its random numbers are seeded.

    Parameters
    ----------
    run
        The run's seed, at least 0.
    agent
        Name of the agent that answers.
    round
        Number of the round, from 1.
    query, index
        Number of the query, and of the agent's answer to it in this round, from 0.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> first = AnswerSeed(7, agent="anna", round=3)
    >>> first.number == AnswerSeed(7, agent="anna", round=3).number
    True
    >>> first.number == AnswerSeed(7, agent="anna", round=3, index=1).number
    False
    """

    run: int
    agent: str = ""
    round: int = 1
    query: int = 0
    index: int = 0

    def __post_init__(self) -> None:
        for name, least in (("run", 0), ("round", 1), ("query", 0), ("index", 0)):
            number = whole_number(name, getattr(self, name), at_least=least, at_most=_LARGEST_SEED)
            object.__setattr__(self, name, number)

    @property
    def number(self) -> int:
        """The seed as one whole number below 2^53."""
        place = f"{self.run} {self.round} {self.query} {self.index} {self.agent}"
        digest = blake2b(place.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") >> (64 - _BITS)

    def stream(self) -> np.random.Generator:
        """Return a new generator for the answer."""
        return np.random.Generator(np.random.Philox(self._sequence))

    @property
    def _sequence(self) -> np.random.SeedSequence:
        name = int.from_bytes(blake2b(self.agent.encode(), digest_size=8).digest(), "little")
        place = (name, self.round, self.query, self.index)
        return np.random.SeedSequence(self.run, spawn_key=place)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and what it took.

    Parameters
    ----------
    text
        The answer; it may be empty.
    tokens_in, tokens_out
        Tokens read and written, as the agent counts them; None if it does not.
    cost
        In the currency of the prices; None if unknown.
    latency_s
        Seconds of the successful request; None if there was no request.
    attempts
        Number of requests, failed ones included.
    finish
        Why the answer ends: ``stop``, ``length``, or the endpoint's own word.
    model
        Name of the model, as the endpoint reports it; empty if there is none.

    Examples
    --------
    >>> Answer("It rains.", tokens_out=2).empty, Answer(" ").empty
    (False, True)
    """

    text: str
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    latency_s: float | None = None
    attempts: int = 1
    finish: str = "stop"
    model: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is only whitespace: recorded and counted, but left out of means."""
        return not self.text.strip()


class Agent(Protocol):
    """A language model, or a stand-in for one."""

    @property
    def name(self) -> str:
        """Name, unique in its network."""

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Answer a query, given retrieved texts.

        Parameters
        ----------
        query
            The question.
        context
            The texts that were retrieved for it; may be empty.
        seed
            Place of the answer in the run; the same seed gives the same answer.

        Raises
        ------
        EndpointError
            If there is no answer after all retries.
        BudgetExhausted
            If the request could exceed the budget; it was not made.
        """

    async def close(self) -> None:
        """Close connections, if there are any."""

    def describe(self) -> Mapping[str, Any]:
        """Return the agent's parameters, ready for JSON, without keys."""


@runtime_checkable
class RemoteAgent(Protocol):
    """An agent that waits and asks again where its endpoint fails."""

    @property
    def failing(self) -> str | None:
        """Why the last request failed; None if it did not, or if there was none."""


@runtime_checkable
class Learner(Agent, Protocol):
    """An agent that may learn from what it reads."""

    def after_reading(self, texts: Sequence[str]) -> Self:
        """Return the agent after it has read the texts of a round; itself if it is frozen.

        A run that is resumed replays the texts of its rounds in order.
        """


@dataclass(frozen=True, eq=False)
class SharedParts:
    """What the agents of one experiment share.

    Parameters
    ----------
    folder
        Where the experiment's file is: names of files are taken from there.
    budget
        What all agents may spend together.
    parts
        What agents with the same settings share, such as a connection.
    """

    folder: Path
    budget: Budget = field(default_factory=Budget)
    parts: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the part of a key, made on first use.

        Examples
        --------
        >>> shared = SharedParts(Path())
        >>> shared.once("vocabularies", dict) is shared.once("vocabularies", dict)
        True
        """
        if key not in self.parts:
            self.parts[key] = make()
        part: T = self.parts[key]
        return part


class AgentSection(BaseModel, ABC):
    """A section ``[[agents]]`` of an experiment's file; every kind of agent derives its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    computes: ClassVar[bool] = False
    """Whether its agent computes in the process that it is in, and asks nobody."""

    name: str = Field(min_length=1)

    @abstractmethod
    def make(self, shared: SharedParts) -> Agent:
        """Return the agent.

        Raises
        ------
        ArgumentError
            If a value is out of its range.
        DataError
            If a file cannot be read.
        """


_FIELDS = re.compile(r"\{(context|query)\}")
_LIKE_FIELDS = re.compile(r"\{(\w+)\}")

TEMPLATE = "{context}\n\n{query}"
PERSONA = (
    "Answer the last paragraph in a few sentences. "
    "The paragraphs before it, if there are any, are texts that you may use."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    r"""How a query and its context become chat messages.

    Parameters
    ----------
    template
        The user's message, with ``{query}`` and usually ``{context}``. Other braces are literal.
    persona
        The system message; none is sent if it is empty.

    Raises
    ------
    ArgumentError
        If the template has no ``{query}``, or another field.

    Examples
    --------
    >>> Prompt(persona="").messages("Why?", ["It rains.", "It snows."])
    [{'role': 'user', 'content': 'It rains.\n\nIt snows.\n\nWhy?'}]
    """

    template: str = TEMPLATE
    persona: str = PERSONA

    def __post_init__(self) -> None:
        fields = set(_LIKE_FIELDS.findall(self.template))
        if "query" not in fields or not fields <= {"context", "query"}:
            takes = "a text with {query}, and {context} if it is to be read"
            raise ArgumentError("template", got=self.template, takes=takes)

    def messages(self, query: str, context: Sequence[str]) -> list[dict[str, str]]:
        """Return the messages of the chat interface; a blank line separates the texts."""
        values = {"query": query, "context": "\n\n".join(context)}
        # In one go, so that a text that holds "{query}" is left as it is.
        content = _FIELDS.sub(lambda found: values[found[1]], self.template).strip()
        user = {"role": "user", "content": content}
        return [{"role": "system", "content": self.persona}, user] if self.persona else [user]
