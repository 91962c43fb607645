"""What a run will take, before anybody is asked: as k_t grows, so does what is read.

A small run is simulated with answers of the greatest length; of a large one, the same is computed
from the number and the mean length of the texts (see `hayflick.network.usage`). A token is taken to
be four bytes of text, about right for most models and languages; what rules inject is not foreseen.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.display import Result
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.budget import Prices
from hayflick.network.agents.chat import ChatSection
from hayflick.network.agents.protocol import Agent, AgentSection
from hayflick.network.experiment import Experiment, experiment_in, experiment_sources
from hayflick.network.interventions import injected_texts
from hayflick.network.pool import NewText
from hayflick.network.preflight import check_first_round_of
from hayflick.network.setup import NetworkSetup, retrieve_texts, set_up_network
from hayflick.network.usage import BYTES_OF_A_TOKEN, ReadingEstimate, longest_answer, tokens_of

_MOST_SIMULATED = 1500
"""Answers of a run that is simulated round by round; of more, what they read is computed."""


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
    reading = ReadingEstimate.of(experiment, folder=where)
    each = experiment.answers * len(experiment.query_texts)
    if len(reading.sections) * each * experiment.rounds <= _MOST_SIMULATED:
        use = _simulated_use(reading, folder=where)
    else:
        use = _computed_use(reading)
    check_first_round_of(experiment, folder=named, reading=reading)
    return NetworkEstimate(
        tuple(
            AgentUsage(
                one.name,
                each * experiment.rounds,
                round(tokens_in),
                tokens_out := each * experiment.rounds * longest_answer(one),
                _prices(one).cost(tokens_in=round(tokens_in), tokens_out=tokens_out),
            )
            for one, tokens_in in zip(reading.sections, use.tokens_in, strict=True)
        ),
        use.texts,
        _budget_round(reading, use),
        experiment,
        experiment_sources(experiment, given=given, folder=where),
    )


@dataclass(frozen=True, eq=False)
class _Use:
    """Tokens that agents read in all, the texts of the last round, and what rounds spend."""

    tokens_in: Floats
    texts: float
    tokens: Floats
    money: Floats


def _computed_use(reading: ReadingEstimate) -> _Use:
    experiment = reading.experiment
    answers, queries = experiment.answers, len(experiment.query_texts)
    asked = sum(tokens_of(query) for query in experiment.query_texts)
    personas = [tokens_of(getattr(one, "persona", "")) for one in reading.sections]
    # What is read for the texts is the same for all agents, what is asked in all rounds.
    own = answers * (asked + queries * np.array(personas, dtype=np.float64))
    shared = answers * queries * reading.context
    written = answers * queries * reading.longest
    chats = _chats(reading)
    prices_in = np.array([_prices(reading.sections[one]).tokens_in or 0.0 for one in chats])
    prices_out = np.array([_prices(reading.sections[one]).tokens_out or 0.0 for one in chats])
    return _Use(
        reading.total(shared) + experiment.rounds * own,
        float(reading.texts_read[-1]),
        len(chats) * shared + (own + written)[chats].sum(),
        (
            shared * prices_in.sum()
            + (own[chats] * prices_in).sum()
            + (written[chats] * prices_out).sum()
        )
        / 1e6,
    )


def _simulated_use(reading: ReadingEstimate, *, folder: Path) -> _Use:
    experiment = reading.experiment
    # Vectors may cost money, and do not affect how many texts are read.
    setup = replace(set_up_network(experiment, folder=folder), embedder=HashingEmbedder())
    read, texts = _simulate_reading(setup, folder=folder)
    written = experiment.answers * len(experiment.query_texts) * reading.longest
    chats = _chats(reading)
    money = np.zeros(len(read))
    for one in chats:
        prices = _prices(reading.sections[one])
        money += read[:, one] * (prices.tokens_in or 0.0) / 1e6
        money += written[one] * (prices.tokens_out or 0.0) / 1e6
    tokens = read[:, chats].sum(axis=1) + written[chats].sum()
    return _Use(read.sum(axis=0).astype(np.float64), texts, tokens, money)


def _chats(reading: ReadingEstimate) -> list[int]:
    """Return the numbers of the agents behind endpoints."""
    sections = enumerate(reading.sections)
    return [number for number, one in sections if isinstance(one, ChatSection)]


def _prices(section: AgentSection) -> Prices:
    """Return an agent's prices; one without both has none."""
    both = getattr(section, "price_in", None), getattr(section, "price_out", None)
    return Prices() if None in both else Prices(*both)


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
    prompts = [tokens_of(str(agent.describe().get("persona", ""))) for agent in setup.agents]
    lengths: list[int] = []
    tokens = np.zeros((experiment.rounds, len(setup.agents)), np.int64)
    texts = 0.0
    for number in range(1, experiment.rounds + 1):
        lengths += [tokens_of(one.text) for one in pool.texts[len(lengths) :]]
        read = retrieve_texts(setup, pool, targets=targets, number=number)
        for (agent, query), numbers in read.items():
            context = sum(lengths[one] for one in numbers.tolist())
            asked = tokens_of(experiment.query_texts[query]) + prompts[agent]
            tokens[number - 1, agent] += experiment.answers * (context + asked)
        texts = float(np.mean([numbers.size for numbers in read.values()]))
        real = injected_texts(experiment, (), reserve=setup.reserve, after=number)
        new = [*answers, *(NewText(text, origin="injected") for text in real)]
        # The vector of an answer is not known; it is taken to be that of the first query.
        vectors = np.repeat(targets[:1].astype(np.float32), len(new), axis=0)
        pool = pool.extended(new, vectors=vectors, after=number)
    return tokens, texts


def _budget_round(reading: ReadingEstimate, use: _Use) -> int | None:
    """Return the round in which the agents behind endpoints would have spent their budget."""
    experiment = reading.experiment
    requests = experiment.answers * len(experiment.query_texts) * max(len(_chats(reading)), 1)
    over = np.zeros(use.tokens.size, dtype=np.bool_)
    budget = experiment.budget
    for spent, limit in ((use.tokens, budget.tokens), (use.money, budget.money)):
        if limit is not None:
            # About what the last request sets aside: a token for every byte of its prompt.
            reserved = (BYTES_OF_A_TOKEN - 1) * spent / requests
            over |= reading.cumulative(spent) + reserved > limit
    return int(reading.rounds[np.argmax(over)]) if over.any() else None


def _longest(agent: Agent) -> int:
    """Return the most tokens that an answer of an agent has."""
    described = agent.describe()
    return int(described.get("max_tokens", described.get("most_tokens", 0)))
