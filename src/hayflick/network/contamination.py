"""How far the agents' answers go in a run: into the pool, into what is read, into new answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.contamination import RetrievalContamination, find_contamination
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from hayflick.core.arrays import Integers
from hayflick.core.errors import HayflickError
from hayflick.core.notes import Note
from hayflick.network.pool import Pool, parse_policy
from hayflick.network.retrieval import PoolView, readable_texts
from hayflick.network.run_results import NetworkRun, experiment_of_run
from hayflick.network.topology import TopologySchedule, parse_topology
from hayflick.storage.runs import StoredAnswer, StoredRead

MOST_READS = 4_000_000
"""Texts that are read by answers, and texts in pools, that are followed; of more, some rounds."""


def contamination_of_run(run: NetworkRun) -> RetrievalContamination | None:
    """Return how far generated texts go in a run; None where nothing was read yet.

    An answer that is in the pool is generated; whoever wrote or owns a text is its source.
    """
    found = _Run(run)
    log, notes = found.log(), found.notes()
    if log.reads.is_empty():
        return None
    contamination = find_contamination(log)
    return replace(contamination, notes=(*notes, *contamination.notes))


def retrieval_log_of_run(run: NetworkRun) -> RetrievalLog:
    """Return a whole run as a log of retrievals, without its pools."""
    return _Run(run, whole=True).log()


@dataclass(frozen=True, eq=False)
class _Run:
    """A run, of which the rounds that are followed are read; the whole is read without pools."""

    run: NetworkRun
    whole: bool = False

    @cached_property
    def pool(self) -> Pool:
        policy = parse_policy(self.run.experiment.pool.policy)
        return Pool(tuple(self.run.texts), self.run.agents, policy)

    @cached_property
    def topologies(self) -> TopologySchedule | None:
        """Who may read whom; None where a file that says it is gone."""
        schedule, agents = self.run.experiment.topology_schedule, len(self.run.agents)
        try:
            is_file = any(one.topology.startswith("edges") for one in schedule)
            folder = experiment_of_run(self.run.folder)[1] if is_file else Path()
            found = [parse_topology(one.topology, agents=agents, folder=folder) for one in schedule]
        except (HayflickError, OSError):
            return None
        return TopologySchedule([one.from_round for one in schedule], found)

    @cached_property
    def chosen(self) -> frozenset[int]:
        """The rounds that are followed: all, or some that are evenly spaced."""
        rounds = self.run.rounds
        if self.whole:
            return frozenset(range(1, rounds + 1))
        reads = sum(len(one.texts) // 4 for one in self.run.reads)
        answers = len(self.run.answers) / max(1, len(self.run.reads))
        whose = len({tuple(row) for row in self._may_read(1)}) if rounds else 1
        work = max(reads * max(1.0, answers), whose * len(self.run.texts) * rounds)
        number = max(1, min(rounds, int(rounds * MOST_READS / max(1.0, work))))
        return frozenset(np.linspace(1, max(1, rounds), number).round().astype(int).tolist())

    def notes(self) -> tuple[Note, ...]:
        """Return what has been left out."""
        notes = []
        if len(self.chosen) < self.run.rounds:
            notes.append(
                Note(
                    "{number} of {rounds} rounds are followed, evenly spaced",
                    number=len(self.chosen),
                    rounds=self.run.rounds,
                )
            )
        if self.topologies is None:
            notes.append(
                Note("the file of who may read whom is gone: all are taken to read all texts")
            )
        return tuple(notes)

    def log(self) -> RetrievalLog:
        """Return the run as a log of retrievals."""
        run = self.run
        reads = [one for one in run.reads if one.round in self.chosen]
        numbers = {(one.round, one.agent, one.query): row for row, one in enumerate(reads)}
        answers = [one for one in run.answers if (one.round, one.agent, one.query) in numbers]
        pools, pool_of = self._pools(() if self.whole else reads)
        return RetrievalLog(
            rounds=tuple(map(str, range(1, run.rounds + 1))),
            documents=self._documents(),
            requests=_frame(
                [
                    (one.round, one.agent, run.experiment.query_texts[one.query], pool)
                    for one, pool in zip_longest(reads, pool_of)
                ],
                REQUESTS,
            ),
            reads=_reads(reads),
            answers=_answers(answers, numbers),
            pools=pools,
        )

    def _documents(self) -> pl.DataFrame:
        rows = [
            (
                one.text,
                one.synthetic,
                one.author or None,
                one.author if one.origin == "answer" and one.author else None,
                one.round if one.origin == "answer" else None,
            )
            for one in self.run.texts
        ]
        return _frame(rows, DOCUMENTS)

    def _pools(self, reads: Sequence[StoredRead]) -> tuple[list[Integers], list[int]]:
        """Return the different pools, and the one of each request."""
        places = {name: number for number, name in enumerate(self.run.agents)}
        rounds = {one.round for one in reads}
        numbers_of = {one: self.pool.in_force(after=one - 1) for one in rounds}
        may_read_of = {one: self._may_read(one) for one in rounds}
        found: dict[tuple[int, bytes], int] = {}
        pools: list[Integers] = []
        pool_of = []
        for one in reads:
            may_read = may_read_of[one.round][places[one.agent]]
            key = one.round, may_read.tobytes()
            if key not in found:
                found[key] = len(pools)
                numbers = numbers_of[one.round]
                pools.append(numbers[readable_texts(self._view(numbers), may_read=may_read)])
            pool_of.append(found[key])
        return pools, pool_of

    def _may_read(self, number: int) -> NDArray[np.bool_]:
        """Return whose texts each agent may read in a round, shape ``(agents, agents)``."""
        agents = len(self.run.agents)
        if self.topologies is None:
            return np.ones((agents, agents), dtype=np.bool_)
        readable = np.eye(agents, dtype=np.bool_)
        for agent, neighbours in enumerate(self.topologies.at(round=number).neighbours):
            readable[agent, list(neighbours)] = True
        return readable

    def _view(self, numbers: Integers) -> PoolView:
        authors, rounds, synthetic = self._columns
        return PoolView(authors[numbers], rounds[numbers], synthetic[numbers])

    @cached_property
    def _columns(self) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        view = self.pool.view(np.arange(len(self.run.texts)))
        return view.authors, view.rounds, view.synthetic


def _frame(rows: Sequence[tuple[Any, ...]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def _reads(reads: Sequence[StoredRead]) -> pl.DataFrame:
    numbers = [np.frombuffer(one.texts, "<i4").astype(np.int64) for one in reads]
    columns = {
        "request": np.repeat(np.arange(len(reads)), [one.size for one in numbers]),
        "document": np.concatenate([np.empty(0, np.int64), *numbers]),
    }
    return pl.DataFrame(columns, schema=READS).unique(maintain_order=True)


def _answers(
    answers: Sequence[StoredAnswer], numbers: Mapping[tuple[int, str, int], int]
) -> pl.DataFrame:
    rows = [(numbers[one.round, one.agent, one.query], one.text) for one in answers]
    return _frame(rows, ANSWERS)
