"""What an agent is, and what it answers.

Agents are asynchronous, since most of them wait for an endpoint; one that computes its answer
does so at once, in milliseconds. An agent never changes: what a learning agent has read makes
another agent, so its state is that of the pool, replayed, and cannot fall out of step with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from hayflick.network.agents.seeds import AnswerSeed


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent said, and what that took.

    Parameters
    ----------
    text
        The answer; it may be empty.
    tokens_in, tokens_out
        Tokens read and written, as the agent counts them; None where it does not say.
    cost
        In the currency of the prices; None where it is not known.
    latency_s
        Seconds that the request took which was answered; None where nothing was asked.
    attempts
        Requests that were made, failed ones included.
    finish
        Why the answer ends there: ``stop``, ``length``, or what an endpoint calls it.
    model
        Name of the model, as the endpoint says it; empty where there is none.

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
        """Whether nothing was said: recorded, counted, and left out of means."""
        return not self.text.strip()


class Agent(Protocol):
    """A language model, or what stands for one."""

    @property
    def name(self) -> str:
        """What it is called; different from all others in its network."""

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Answer a query in the light of texts.

        Parameters
        ----------
        query
            What is asked.
        context
            The texts that were retrieved for it; none are fine.
        seed
            Where the answer stands in the run: with the same one, the same answer.

        Raises
        ------
        EndpointError
            If no answer is to be had, after all retries.
        BudgetExhausted
            If the request could exceed the budget; it was not made.
        """

    async def close(self) -> None:
        """Let go of connections; an agent without any does nothing."""

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters that make the agent again, ready for JSON, without keys."""


@runtime_checkable
class Learner(Agent, Protocol):
    """An agent that may be changed by what it reads."""

    def after_reading(self, texts: Sequence[str]) -> Self:
        """Return the agent that has read the texts of a round; the same one if it is frozen.

        A run that goes on replays its rounds' texts in their order.
        """
