"""An experiment set up to run: its agents, who reads what, and how answers are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.reproducibility import stream
from hayflick.corpus.tokenizers import tokenizer_for
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.observing import Observer
from hayflick.diversity.pairs import disjoint_pairs, squared_distances
from hayflick.embed.embedder import Embedder, Vectors, embed_all, parse_embedder
from hayflick.embed.hashing import HashingEmbedder
from hayflick.network.agents.budget import Budget, Spending
from hayflick.network.agents.parsing import parse_agents
from hayflick.network.agents.processes import AgentProcesses
from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed
from hayflick.network.experiment import Experiment, texts_of
from hayflick.network.pool import NewText, Pool, PoolPolicy, parse_policy
from hayflick.network.retrieval import Reader, Retrieval, parse_retrieval, readable_texts
from hayflick.network.topology import TopologySchedule, parse_topology
from hayflick.storage.database import Database
from hayflick.storage.embedding_cache import EmbeddingCache


@dataclass(frozen=True, eq=False)
class NetworkSetup:
    """Everything that a run works with; the agents are those of the first round.

    Parameters
    ----------
    experiment
        The contents of its file.
    agents
        In order.
    topologies
        Who may read whose texts from which round on; an agent may always read its own.
    retrieval, policy
        What is read, and what is in the pool.
    embedder
        Turns texts into vectors.
    budget
        The tokens and the money that all agents share.
    reserve
        Real texts that can be injected.
    cache
        Of vectors, if computing them takes an endpoint or a large model.
    """

    experiment: Experiment
    agents: tuple[Agent, ...]
    topologies: TopologySchedule
    retrieval: Retrieval
    policy: PoolPolicy
    embedder: Embedder
    budget: Budget
    reserve: tuple[str, ...]
    cache: EmbeddingCache | None = field(default=None, repr=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the agents."""
        return tuple(agent.name for agent in self.agents)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the topologies."""
        return self.topologies.warnings if len(self.agents) > 1 else ()

    def may_read(self, agent: int, *, round: int) -> NDArray[np.bool_]:  # noqa: A002
        """Return whose texts an agent may read, its own among them, shape ``(agents,)``."""
        readable = np.zeros(len(self.agents), dtype=np.bool_)
        readable[[*self.topologies.at(round=round).neighbours[agent], agent]] = True
        return readable

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, shape ``(texts, d)``; NaN for a blank text."""
        parts = list(embed_all(self.embedder, texts, cache=self.cache))
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    def cached_in(self, database: Database) -> NetworkSetup:
        """Return the setup with a cache of vectors in a database, unless they are cheap."""
        if isinstance(self.embedder, HashingEmbedder):
            return self
        return replace(self, cache=EmbeddingCache(database, embedder=self.embedder.id))

    def first_pool(self, *, folder: Path, embedded: bool = True) -> Pool:
        """Return the first pool, A_0; without vectors if it is not to be embedded.

        Raises
        ------
        ArgumentError
            If there are fewer texts than its size.
        DataError
            If the texts cannot be read.
        """
        section = self.experiment.pool
        texts = texts_of(section, folder=folder)
        size = len(texts) if section.size is None else section.size
        if size > len(texts):
            takes = f"at most the {len(texts)} texts that there are"
            raise ArgumentError("pool.size", got=size, takes=takes)
        names = self.names
        owners = names if section.owners == "split" else ("",)
        new = [
            NewText(text, author=owners[number % len(owners)], origin="first")
            for number, text in enumerate(texts[:size])
        ]
        pool = Pool((), agents=names, policy=self.policy)
        vectors = self.embed(texts[:size]) if embedded else np.empty((size, 0), np.float32)
        return pool.extended(new, vectors=vectors, after=0)

    def observer(self, pool: Pool) -> Observer:
        """Return the observer that measures the rounds.

        Distances are in units of those between the first pool's real texts. The vocabulary that
        is kept is that of all real text, the reserve included, so that runs with and without
        injections are comparable.
        """
        first = [one for one in pool.texts if one.origin == "first"]
        texts = [one.text for one in first]
        observe, seed = self.experiment.observe, self.experiment.seed
        tokenizer = observe.tokenizer
        if tokenizer == "auto":
            tokenizer = tokenizer_for(texts).name
        vectors = np.stack([np.frombuffer(one.embedding, "<f4") for one in first])
        return Observer(
            scale=_scale(vectors, seed),
            tokenizer=tokenizer,
            baseline=NgramCounts.of([*texts, *self.reserve], tokenizer=tokenizer),
            baseline_vectors=vectors if observe.slow else None,
            must_keep=dict.fromkeys(observe.must_keep, 1.0),
            slow=frozenset(observe.slow),
            seed=seed,
        )


@dataclass(frozen=True)
class SilentAgent:
    """Stands for an agent where nobody is asked."""

    name: str

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Refuse to answer."""
        raise AssertionError(f"agent {self.name} was asked {query!r} ({len(context)}, {seed})")

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def describe(self) -> dict[str, Any]:
        """Return the name."""
        return {"name": self.name}


def set_up_network(
    experiment: Experiment,
    *,
    folder: Path,
    spent: tuple[int, float] = (0, 0.0),
    asking: bool = True,
    processes: AgentProcesses | None = None,
) -> NetworkSetup:
    """Return an experiment set up to run.

    Parameters
    ----------
    experiment
        The contents of its file.
    folder
        Where files that it names are looked up.
    spent
        Tokens and money that were spent before.
    asking
        Whether agents are asked; if not, neither their files nor their keys are needed.
    processes
        What holds the agents that compute here; None for this process.

    Raises
    ------
    ArgumentError
        If a value is not understood, or there are processes, and no agent computes here.
    ExecutorError
        If a process was killed.
    DataError
        If a file cannot be read.
    MissingExtraError
        If an agent or the embedder needs an extra that is not installed.
    """
    budget = Budget(**experiment.budget.model_dump(), spent=Spending(*spent))
    agents: Sequence[Agent] = [SilentAgent(str(one["name"])) for one in experiment.agents]
    if asking:
        make = parse_agents if processes is None else processes.agents
        agents = make(experiment.agent_sections(), folder=folder, budget=budget)
    reserve = experiment.reserve
    return NetworkSetup(
        experiment=experiment,
        agents=tuple(agents),
        topologies=TopologySchedule(
            [one.from_round for one in experiment.topology_schedule],
            [
                parse_topology(one.topology, agents=len(agents), folder=folder)
                for one in experiment.topology_schedule
            ],
        ),
        retrieval=parse_retrieval(experiment.retrieval),
        policy=parse_policy(experiment.pool.policy),
        embedder=parse_embedder(experiment.embedder),
        budget=budget,
        reserve=() if reserve is None else tuple(texts_of(reserve, folder=folder)),
    )


def _scale(vectors: NDArray[Any], seed: int) -> float | None:
    """Return the median squared distance over disjoint pairs of the real texts."""
    whole = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
    if len(whole) < 2:
        return None
    pairs = disjoint_pairs(len(whole), rng=stream(seed, block=0))
    median = float(np.median(squared_distances(whole[pairs.first], whole[pairs.second])))
    return median if median > 0.0 else None


AgentQuery: TypeAlias = tuple[int, int]
"""Number of an agent, and of a query."""


def retrieve_texts(
    setup: NetworkSetup, pool: Pool, *, targets: Floats, number: int
) -> dict[AgentQuery, Integers]:
    """Return the numbers of the texts that every agent reads for every query, in reading order.

    Parameters
    ----------
    setup
        Who reads what.
    pool
        All texts; those of A_{number - 1} are read.
    targets
        Embeddings of the queries, shape ``(queries, d)``.
    number
        Of the round, from 1.

    Raises
    ------
    ArgumentError
        If a share of the texts rounds down to none of them.
    """
    numbers = pool.in_force(after=number - 1)
    view = pool.view(numbers)
    found: dict[AgentQuery, Integers] = {}
    for agent, name in enumerate(setup.names):
        readable = readable_texts(view, may_read=setup.may_read(agent, round=number))
        for query, target in enumerate(targets):
            rng = _stream(setup.experiment.seed, name, number, query)
            reader = Reader(agent, readable, target)
            try:
                found[agent, query] = numbers[setup.retrieval.read(rng, view, reader)]
            except ArgumentError as fault:
                raise ArgumentError(
                    "retrieval",
                    got=setup.retrieval.describe(),
                    takes=f"what gives agent {name} a text in round {number}",
                    remedy=str(fault),
                ) from None
    return found


def _stream(seed: int, agent: str, number: int, query: int) -> np.random.Generator:
    name = int.from_bytes(blake2b(agent.encode(), digest_size=8).digest(), "little")
    # One number less than an answer's key, so that the two are never the same.
    sequence = np.random.SeedSequence(seed, spawn_key=(name, number, query))
    return np.random.Generator(np.random.Philox(sequence))
