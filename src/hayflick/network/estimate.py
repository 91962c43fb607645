"""What a run will take, before anybody is asked: as k_t grows, so does what is read.

The rounds are simulated with answers of the greatest length. A token is taken to be four bytes of
text, about right for most models and languages; what rules inject is not foreseen.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.display import Result
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.budget import Prices
from hayflick.network.agents.chat import ChatAgent
from hayflick.network.agents.protocol import Agent
from hayflick.network.experiment import Experiment, experiment_in, experiment_sources
from hayflick.network.interventions import injected_texts
from hayflick.network.pool import NewText
from hayflick.network.setup import NetworkSetup, retrieve_texts, set_up_network

_BYTES = 4


@dataclass(frozen=True, slots=True)
class AgentUsage:
    """What one agent takes in a run.

    Parameters
    ----------
    agent
        Its name.
    answers
        The number of its answers; each is one request.
    tokens_in, tokens_out
        About how many tokens it reads and writes if every answer has its greatest length.
    cost
        At its prices; None if they are not stated.
    """

    agent: str
    answers: int
    tokens_in: int
    tokens_out: int
    cost: float | None


@dataclass(frozen=True)
class NetworkEstimate(Result):
    """What a run of an experiment takes.

    Parameters
    ----------
    agents
        What each of them takes, in order.
    texts_read
        k_T, the mean number of texts that an agent reads in the last round.
    spent_in_round
        The round in which the budget, which agents behind endpoints share, would be spent; None
        if it lasts, or there is none.
    experiment
        What would be run.
    sources
        What was read: the experiment, and the files that it names.
    """

    agents: tuple[AgentUsage, ...]
    texts_read: float
    spent_in_round: int | None
    experiment: Experiment = field(compare=False, repr=False)
    sources: tuple[Source, ...] = field(default=(), compare=False, repr=False)

    @property
    def answers(self) -> int:
        """Number of answers of all agents."""
        return sum(one.answers for one in self.agents)

    @property
    def tokens(self) -> int:
        """Tokens that all agents read and write."""
        return sum(one.tokens_in + one.tokens_out for one in self.agents)

    @property
    def cost(self) -> float | None:
        """Cost of the agents with both prices; None if none has."""
        known = [one.cost for one in self.agents if one.cost is not None]
        return sum(known) if known else None

    def provenance(self) -> dict[str, Any]:
        """Return what the estimate was made with."""
        return provenance(self.experiment.parameters(), seed=self.experiment.seed)


def estimate_network(
    experiment: Experiment | str | os.PathLike[str], *, folder: str | os.PathLike[str] | None = None
) -> NetworkEstimate:
    """Return what a run of an experiment takes; nobody is asked.

    Parameters
    ----------
    experiment
        A TOML file, or an experiment.
    folder
        Where files that the experiment names are looked up; None for its own folder.

    Raises
    ------
    ArgumentError, DataError
        If the experiment is invalid or cannot be run.

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
    given = experiment
    experiment, named = experiment_in(given, folder)
    where = named.resolve()
    # Vectors may cost money, and do not affect how many texts are read.
    setup = replace(set_up_network(experiment, folder=where), embedder=HashingEmbedder())
    read, texts = _simulate_reading(setup, folder=where)
    each = experiment.answers * len(experiment.query_texts)
    written = np.tile([each * _longest(agent) for agent in setup.agents], (len(read), 1))
    totals = zip(setup.agents, read.sum(axis=0), written.sum(axis=0), strict=True)
    return NetworkEstimate(
        tuple(
            AgentUsage(
                agent.name,
                each * experiment.rounds,
                int(tokens_in),
                int(tokens_out),
                _cost(agent, tokens_in, tokens_out),
            )
            for agent, tokens_in, tokens_out in totals
        ),
        texts,
        _budget_round(setup, read, written),
        experiment,
        experiment_sources(experiment, given=given, folder=where),
    )


def _simulate_reading(setup: NetworkSetup, *, folder: Path) -> tuple[Integers, float]:
    """Return the tokens that agents read, ``(rounds, agents)``, and the texts of the last round.

    All answers have their greatest length, and all of them are admitted.
    """
    experiment = setup.experiment
    setup = replace(setup, policy=replace(setup.policy, waits=False))
    pool = setup.first_pool(folder=folder)
    targets = np.asarray(setup.embed(experiment.query_texts), dtype=np.float64)
    each = experiment.answers if setup.policy.adds == "all" else 1
    answers = [
        NewText("word" * _longest(agent), author=agent.name)
        for agent in setup.agents
        for _ in range(each * len(experiment.query_texts))
    ]
    prompts = [_tokens(str(agent.describe().get("persona", ""))) for agent in setup.agents]
    lengths: list[int] = []
    tokens = np.zeros((experiment.rounds, len(setup.agents)), np.int64)
    texts = 0.0
    for number in range(1, experiment.rounds + 1):
        lengths += [_tokens(one.text) for one in pool.texts[len(lengths) :]]
        read = retrieve_texts(setup, pool, targets=targets, number=number)
        for (agent, query), numbers in read.items():
            context = sum(lengths[one] for one in numbers.tolist())
            asked = _tokens(experiment.query_texts[query]) + prompts[agent]
            tokens[number - 1, agent] += experiment.answers * (context + asked)
        texts = float(np.mean([numbers.size for numbers in read.values()]))
        real = injected_texts(experiment, (), reserve=setup.reserve, after=number)
        new = [*answers, *(NewText(text, origin="injected") for text in real)]
        # The vector of an answer is not known; it is taken to be that of the first query.
        vectors = np.repeat(targets[:1].astype(np.float32), len(new), axis=0)
        pool = pool.extended(new, vectors=vectors, after=number)
    return tokens, texts


def _budget_round(setup: NetworkSetup, read: Integers, written: Integers) -> int | None:
    """Return the round in which the agents behind endpoints would have spent their budget."""
    budget = setup.experiment.budget
    chats = [number for number, agent in enumerate(setup.agents) if isinstance(agent, ChatAgent)]
    tokens = (read + written)[:, chats].sum(axis=1)
    money = np.array(
        [
            sum(_cost(setup.agents[one], row_in[one], row_out[one]) or 0.0 for one in chats)
            for row_in, row_out in zip(read, written, strict=True)
        ]
    )
    requests = setup.experiment.answers * len(setup.experiment.query_texts) * max(len(chats), 1)
    over = np.zeros(len(read), dtype=np.bool_)
    for spent, limit in ((tokens, budget.tokens), (money, budget.money)):
        if limit is not None:
            # About what the last request sets aside: a token for every byte of its prompt.
            reserved = (_BYTES - 1) * spent / requests
            over |= np.cumsum(spent) + reserved > limit
    return int(np.argmax(over)) + 1 if over.any() else None


def _cost(agent: Agent, tokens_in: int, tokens_out: int) -> float | None:
    described = agent.describe()
    prices = Prices(described.get("price_in"), described.get("price_out"))
    return prices.cost(tokens_in=int(tokens_in), tokens_out=int(tokens_out))


def _longest(agent: Agent) -> int:
    """Return the most tokens that an answer of an agent has."""
    described = agent.describe()
    return int(described.get("max_tokens", described.get("most_tokens", 0)))


def _tokens(text: str) -> int:
    return math.ceil(len(text.encode()) / _BYTES)
