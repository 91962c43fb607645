"""What an experiment takes, before anybody is asked: as k_t grows, so does what is read.

The rounds are gone through with answers that are as long as they may be, and nobody answers.
A token is four bytes of text, about right for most models and languages; what rules inject is not
foreseen.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.display import Result
from hayflick.core.provenance import provenance
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.budget import Prices
from hayflick.network.agents.chat import ChatAgent
from hayflick.network.agents.protocol import Agent
from hayflick.network.experiment import Experiment, experiment_in
from hayflick.network.interventions import injected_texts
from hayflick.network.pool import NewText
from hayflick.network.setup import NetworkSetup, retrieve_texts, set_up_network

_BYTES = 4


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """What one agent takes.

    Parameters
    ----------
    agent
        Its name.
    answers
        How many it gives; a request each.
    tokens_in, tokens_out
        About how many it reads, and the most that it writes; both if every answer is as long
        as it may be.
    cost
        At its prices; None where they are not stated.
    """

    agent: str
    answers: int
    tokens_in: int
    tokens_out: int
    cost: float | None


@dataclass(frozen=True)
class NetworkEstimate(Result):
    """What an experiment takes.

    Parameters
    ----------
    agents
        Each of them, in order.
    texts_read
        k_T, the mean number of texts that an agent reads in the last round.
    spent_in_round
        The round in which the budget would be spent, which agents behind endpoints share; None
        where it lasts, or there is none.
    experiment
        What is estimated.
    """

    agents: tuple[AgentUsage, ...]
    texts_read: float
    spent_in_round: int | None
    experiment: Experiment = field(compare=False, repr=False)

    @property
    def answers(self) -> int:
        """Answers of all agents."""
        return sum(one.answers for one in self.agents)

    @property
    def tokens(self) -> int:
        """Tokens that all agents read and write."""
        return sum(one.tokens_in + one.tokens_out for one in self.agents)

    @property
    def cost(self) -> float | None:
        """What the agents with both prices cost; None where none has."""
        known = [one.cost for one in self.agents if one.cost is not None]
        return sum(known) if known else None

    def provenance(self) -> dict[str, Any]:
        """Return what the estimate was made with."""
        return provenance(self.experiment.parameters(), seed=self.experiment.seed)


def estimate_network(
    experiment: Experiment | str | os.PathLike[str],
    *,
    folder: str | os.PathLike[str] | None = None,
) -> NetworkEstimate:
    """Return what an experiment takes; nobody is asked.

    Parameters
    ----------
    experiment
        A TOML file, or an experiment.
    folder
        Where files that the experiment names are; its own folder where None.

    Raises
    ------
    ArgumentError, DataError
        If the experiment is not understood or cannot be run.

    Examples
    --------
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 10, "answers": 5, "query": "How is it?",
    ...     "pool": {"texts": ["It rains in May.", "It snows in June."]},
    ...     "agents": [{"name": n, "kind": "ngram", "texts": ["It rains in May."]} for n in "ab"],
    ... })
    >>> found = estimate_network(village)
    >>> found.answers, found.texts_read
    (100, 10.0)
    """
    experiment, named = experiment_in(experiment, folder)
    where = named.resolve()
    # Vectors may have to be paid, and have no say in how many texts are read.
    setup = replace(set_up_network(experiment, folder=where), embedder=HashingEmbedder())
    rounds = list(_rounds(setup, folder=where))
    read = np.array([one.tokens for one in rounds])
    longest = np.array([_longest(agent) for agent in setup.agents])
    each = experiment.answers * len(experiment.query_texts)
    written = np.tile(each * longest, (len(rounds), 1))
    return NetworkEstimate(
        tuple(
            _usage(
                agent, each * len(rounds), int(read[:, place].sum()), int(written[:, place].sum())
            )
            for place, agent in enumerate(setup.agents)
        ),
        rounds[-1].texts,
        _budget_round(setup, read, written),
        experiment,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read in a round: tokens by agent, and the mean number of texts."""

    tokens: list[int]
    texts: float


def _rounds(setup: NetworkSetup, *, folder: Path) -> Iterator[_Read]:
    """Go through the rounds with answers as long as they may be, all of them admitted."""
    experiment = setup.experiment
    setup = replace(setup, policy=replace(setup.policy, waits=False))
    pool = setup.first_pool(folder=folder)
    targets = np.asarray(setup.embed(experiment.query_texts), dtype=np.float64)
    said = list(_longest_answers(setup))
    lengths: list[int] = []
    for number in range(1, experiment.rounds + 1):
        lengths += [_tokens(one.text) for one in pool.texts[len(lengths) :]]
        read = retrieve_texts(setup, pool, targets=targets, number=number)
        tokens = [0] * len(setup.agents)
        for (agent, query), numbers in read.items():
            context = sum(lengths[one] for one in numbers.tolist())
            asked = _tokens(experiment.query_texts[query]) + _tokens(_persona(setup.agents[agent]))
            tokens[agent] += experiment.answers * (context + asked)
        yield _Read(tokens, float(np.mean([numbers.size for numbers in read.values()])))
        real = injected_texts(experiment, (), reserve=setup.reserve, after=number)
        joining = [*said, *(NewText(text, origin="injected") for text in real)]
        # Where an answer would lie is not known: it lies where the first query does.
        vectors = np.repeat(targets[:1].astype(np.float32), len(joining), axis=0)
        pool = pool.extended(joining, vectors=vectors, after=number)


def _longest_answers(setup: NetworkSetup) -> Iterator[NewText]:
    """Yield what joins after a round."""
    experiment = setup.experiment
    each = experiment.answers if setup.policy.adds == "all" else 1
    for agent in setup.agents:
        text = "word" * _longest(agent)
        for _ in range(each * len(experiment.query_texts)):
            yield NewText(text, author=agent.name)


def _usage(agent: Agent, answers: int, tokens_in: int, tokens_out: int) -> AgentUsage:
    cost = _prices(agent).cost(tokens_in=tokens_in, tokens_out=tokens_out)
    return AgentUsage(agent.name, answers, tokens_in, tokens_out, cost)


def _budget_round(setup: NetworkSetup, read: Integers, written: Integers) -> int | None:
    """Return the round in which the budget is spent, which agents behind endpoints share."""
    budget = setup.experiment.budget
    tokens, money = np.zeros(len(read)), np.zeros(len(read))
    for place, agent in enumerate(setup.agents):
        if isinstance(agent, ChatAgent):
            tokens += read[:, place] + written[:, place]
            money += [
                _prices(agent).cost(tokens_in=int(seen), tokens_out=int(said)) or 0.0
                for seen, said in zip(read[:, place], written[:, place], strict=True)
            ]
    over = np.zeros(len(read), dtype=np.bool_)
    for spent, limit in ((tokens, budget.tokens), (money, budget.money)):
        if limit is not None:
            over |= np.cumsum(spent) + _reserved(setup, spent) > limit
    return int(np.argmax(over)) + 1 if over.any() else None


def _reserved(setup: NetworkSetup, spent: Floats) -> Floats:
    """Return about what a round's last request needs: a token for every byte of its prompt."""
    asked = sum(isinstance(agent, ChatAgent) for agent in setup.agents)
    requests = max(asked, 1) * setup.experiment.answers * len(setup.experiment.query_texts)
    return (_BYTES - 1) * spent / requests


def _prices(agent: Agent) -> Prices:
    described = agent.describe()
    return Prices(described.get("price_in"), described.get("price_out"))


def _longest(agent: Agent) -> int:
    described = agent.describe()
    return int(described.get("max_tokens", described.get("most_tokens", 0)))


def _persona(agent: Agent) -> str:
    return str(agent.describe().get("persona", ""))


def _tokens(text: str) -> int:
    return math.ceil(len(text.encode()) / _BYTES)
