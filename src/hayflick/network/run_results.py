"""The results of a run, finished or not, read without locking it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.errors import DataError, OutputError
from hayflick.core.locks import file_lock
from hayflick.core.output import check_name, make_folder, write_text
from hayflick.core.records import Reading
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.network.agents.protocol import Answer, AnswerSeed
from hayflick.network.agents.replay import record_line
from hayflick.network.experiment import Experiment
from hayflick.network.interventions import RecordedAction
from hayflick.network.rounds import reading_from_record
from hayflick.network.run_rules import RunRules
from hayflick.storage.database import Database, check_readable
from hayflick.storage.runs import RunStore, StoredAnswer, StoredRead, StoredText

DATABASE, _LOCK = "run.db", "lock.db"


def make_run_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder of a new run, and return it.

    Raises
    ------
    OutputError
        If it exists already, or cannot be made.
    """
    path = Path(path)
    if (path / DATABASE).exists():
        remedy = f"go on with it by hayflick network resume {path}, or choose another folder"
        raise OutputError(f"{path}: holds a run already; {remedy}")
    empty = path.is_dir() and not any(path.iterdir())
    return make_folder(path, numbered=False, force=empty)


@contextmanager
def open_run(folder: Path) -> Iterator[Database]:
    """Yield the database of a run, locked against other processes.

    Raises
    ------
    DataError
        If another process is working on the run.
    """
    with file_lock(folder / _LOCK, subject=str(folder)), Database(folder / DATABASE) as database:
        yield database


def run_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a run.

    Raises
    ------
    DataError
        If it holds none.
    """
    folder = Path(folder)
    check_name(folder / DATABASE)
    if not (folder / DATABASE).exists():
        raise DataError(f"{folder}: holds no run; begin one with hayflick network run")
    check_readable(folder / DATABASE)
    return folder


_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def stored_run(folder: Path) -> Iterator[RunStore]:
    """Yield the store of a run, which is only read; its folder may be one that cannot be written.

    Raises
    ------
    DataError
        If it is damaged, or of another version.
    """
    path = folder / DATABASE
    try:
        with Database(path, read_only=True) as database:
            store = RunStore(database)
            store.check()
            yield store
    except _MISFITS as fault:
        # What is stored was checked when it was written: it has been changed since.
        reason = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
        raise DataError(f"{path}: is damaged ({reason}); restore a copy of the file") from None


@dataclass(frozen=True, eq=False)
class NetworkRun(Result):
    """A run of a network, finished or not; `save` writes its page.

    Parameters
    ----------
    folder
        Where it is stored.
    experiment
        What was run.
    readings
        The readings of the finished rounds by group; the empty name stands for all answers.
    decisions
        What rules decided, in order.
    texts
        All texts of the pool.
    answers
        All answers, by round, agent, query and index.
    reads
        What was read, by round, agent and query.
    spent
        Tokens and money that endpoints took.
    sources
        What the run was begun with: the experiment, and the files that it names.
    rules
        Which rules decided from which round on; empty for none, and for runs of earlier versions.
    """

    folder: Path
    experiment: Experiment
    readings: Mapping[str, Sequence[Reading]]
    decisions: Sequence[RecordedAction]
    texts: Sequence[StoredText]
    answers: Sequence[StoredAnswer]
    reads: Sequence[StoredRead]
    spent: tuple[int, float]
    sources: tuple[Source, ...] = ()
    rules: tuple[RunRules, ...] = ()

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Self:
        """Return the run of a folder.

        Raises
        ------
        DataError
            If it holds no run, or one of another version.
        """
        place = run_folder(folder)
        with stored_run(place) as store:
            # A round that was not measured before the run stopped will be when it is resumed.
            stored = store.rounds()
            if [one.number for one in stored] != list(range(1, len(stored) + 1)):
                raise ValueError("the rounds are not numbered from 1 on")
            rounds = [one for one in stored if one.readings]
            readings: dict[str, list[Reading]] = {"": []}
            for done in rounds:
                for values in done.readings:
                    reading = reading_from_record(values)
                    readings.setdefault(reading.group, []).append(reading)
            config = store.config
            if not isinstance(config["folder"], str) or not isinstance(config["files"], dict):
                raise ValueError("its folder and files are no names")
            run = cls(
                folder=place,
                experiment=Experiment.of(config["experiment"]),
                readings=readings,
                decisions=[RecordedAction.stored(one) for done in rounds for one in done.decisions],
                texts=store.texts(),
                answers=store.answers(),
                reads=[one for one in store.reads() if one.round <= len(rounds)],
                spent=store.spent,
                sources=tuple(map(Source.from_dict, config.get("inputs", ()))),
                rules=tuple(RunRules.stored(config)),
            )
            run.check()
        return run

    def check(self) -> None:
        """Refuse a run whose parts do not fit together, which can be neither shown nor resumed.

        Raises
        ------
        ValueError
            If they do not.
        """
        names, queries = set(self.agents), len(self.experiment.query_texts)
        vectors = {len(one.embedding) for one in self.texts}
        means = {len(one.mean) for one in self.reads if one.mean is not None}
        numbers = np.frombuffer(b"".join(one.texts for one in self.reads), "<i4")
        placed: list[StoredAnswer | StoredRead] = [*self.answers, *self.reads]
        sound = {
            "the rounds": [one.round for one in self.readings[""]]
            == list(range(1, self.rounds + 1)),
            "the number of rounds": self.rounds <= self.experiment.rounds,
            "the texts": [one.number for one in self.texts] == list(range(len(self.texts))),
            "the vectors": len(vectors) == 1 and not vectors.pop() % 4,
            "the mean vectors": len(means) <= 1 and not sum(means) % 8,
            "the texts that were read": not numbers.size
            or 0 <= numbers.min() <= numbers.max() < len(self.texts),
            "the agents": names.issuperset(one.agent for one in placed),
            "the queries": all(0 <= one.query < queries for one in placed),
            "the rounds of answers": all(
                1 <= one.round <= self.experiment.rounds for one in placed
            ),
            "the groups of readings": {"", *names}.issuperset(self.readings),
            "the values of readings": all(
                isinstance(value, float | int)
                for group in self.readings.values()
                for one in group
                for value in one.values.values()
            ),
        }
        if wrong := [name for name, fits in sound.items() if not fits]:
            raise ValueError(f"{wrong[0]} do not fit the rest")

    def __fspath__(self) -> str:
        """Return the folder, so that a run stands wherever its folder may."""
        return str(self.folder)

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the agents, in the order of the file."""
        return tuple(str(section["name"]) for section in self.experiment.agents)

    @property
    def rounds(self) -> int:
        """Number of finished rounds."""
        return len(self.readings[""])

    @property
    def finished(self) -> bool:
        """Whether all rounds are done."""
        return self.rounds == self.experiment.rounds

    def series(self, metric: str, *, group: str = "") -> list[float | None]:
        """Return a metric by round; None in rounds where it is undefined."""
        return [reading.values.get(metric) for reading in self.readings[group]]

    @cached_property
    def means(self) -> Floats:
        """Mean answer vectors, shape ``(rounds, agents, queries, d)``; NaN if all were empty."""
        known = [np.frombuffer(one.mean, "<f8") for one in self.reads if one.mean is not None]
        width = known[0].size if known else 0
        queries = len(self.experiment.query_texts)
        found = np.full((self.rounds, len(self.agents), queries, width), np.nan)
        places = {name: number for number, name in enumerate(self.agents)}
        for one in self.reads:
            if one.mean is not None:
                vector = np.frombuffer(one.mean, "<f8")
                found[one.round - 1, places[one.agent], one.query] = vector
        return found

    def totals(self) -> dict[str, float | None]:
        """Return tokens, cost and number of all answers; None if no agent reports them."""
        return {
            "answers": float(len(self.answers)),
            "tokens_in": _sum([one.tokens_in for one in self.answers]),
            "tokens_out": _sum([one.tokens_out for one in self.answers]),
            "cost": _sum([one.cost for one in self.answers]),
            "attempts": float(sum(one.attempts for one in self.answers)),
        }

    def records(self) -> Iterator[str]:
        """Yield every answer as a line of JSON, which an agent of the kind ``replay`` repeats."""
        for one in self.answers:
            place = AnswerSeed(self.experiment.seed, one.agent, one.round, one.query, one.place)
            known = {field.name: getattr(one, field.name) for field in fields(Answer)}
            yield record_line(Answer(**known), seed=place)

    def provenance(self) -> dict[str, Any]:
        """Return what the run was made with."""
        return provenance(self.experiment.parameters(), seed=self.experiment.seed)


def experiment_of_run(folder: str | os.PathLike[str]) -> tuple[Experiment, Path]:
    """Return the experiment of a run's folder, and where the files are that it names.

    Raises
    ------
    DataError
        If it holds no run, or one of another version.
    """
    with stored_run(run_folder(folder)) as store:
        config = store.config
        return Experiment.of(config["experiment"]), Path(config["folder"])


def report_network(folder: str | os.PathLike[str]) -> NetworkRun:
    """Return the run of a folder, finished or not; nothing is asked or changed.

    Parameters
    ----------
    folder
        The folder that `run_network` wrote.

    Raises
    ------
    DataError
        If the folder holds no run, or one of another version.
    """
    return NetworkRun.read(folder)


class RecordedRun(NetworkRun):
    """A run that is saved as its answers, for agents of the kind ``replay`` and for `watch`."""

    @override
    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        lines = (f"{line}\n" for line in self.records())
        return write_text(Path(path), "".join(lines), force=force)


def record_network(folder: str | os.PathLike[str]) -> RecordedRun:
    """Return the run of a folder, whose `save` writes its answers as JSON lines.

    Parameters
    ----------
    folder
        The folder that `run_network` wrote.

    Raises
    ------
    DataError
        If the folder holds no run, or one of another version.

    Examples
    --------
    >>> import tempfile
    >>> import hayflick as hf
    >>> texts = ["The mill is old.", "A storm came."]
    >>> settings = {
    ...     "format_version": 1, "rounds": 1, "answers": 1, "query": "How is it?",
    ...     "pool": {"texts": texts}, "agents": [{"name": "anna", "kind": "ngram", "texts": texts}],
    ... }
    >>> with tempfile.TemporaryDirectory() as place:
    ...     run = hf.run_network(hf.Experiment.of(settings), out=f"{place}/run")
    ...     path = record_network(f"{place}/run").save(f"{place}/answers.jsonl")
    ...     path.read_text()[:40]
    '{"agent": "anna", "round": 1, "query": 0'
    """
    return RecordedRun.read(folder)


def _sum(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return float(sum(known)) if known else None
