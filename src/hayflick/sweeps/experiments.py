"""Runs of an experiment with built-in agents as cells of a study."""

from __future__ import annotations

import copy
import hashlib
import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.grammar import Entry
from hayflick.core.source import Source
from hayflick.core.toml import read_toml
from hayflick.corpus.reading import text_files
from hayflick.network.experiment import Experiment, named_files
from hayflick.network.interventions import ReviewPending
from hayflick.network.preflight import check_first_round
from hayflick.network.retrieval import RETRIEVALS
from hayflick.network.run import run_network
from hayflick.network.run_rules import RunRules
from hayflick.network.setup import set_up_network
from hayflick.network.topology import TOPOLOGIES
from hayflick.network.usage import ReadingEstimate
from hayflick.rules.rule_set import RuleSet
from hayflick.simulation.blocks import Block
from hayflick.sweeps.cells import Cell, cells_of, digest_of
from hayflick.sweeps.network_quantities import DISTANCE, DistanceKept, ShareKept
from hayflick.sweeps.network_study import ExperimentStudy
from hayflick.sweeps.tasks import (
    CellAnswer,
    CellQuantity,
    Failed,
    ReadyCell,
    RunsTask,
    SweepWorkload,
    spread_out,
)

_AGENTS = "agents"
_GRAMMARS: Mapping[str, Mapping[str, Entry[Any]]] = {
    "retrieval": RETRIEVALS,
    "topology": TOPOLOGIES,
}


def with_value(values: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """Set a value of an experiment's file by its dotted key, and return the values.

    ``agents.trust`` is that of all agents, ``agents.anna.trust`` that of one; ``retrieval.k`` is
    the k in ``retrieval = "fixed:5"``.

    Raises
    ------
    ArgumentError
        If the key leads to no place.

    Examples
    --------
    >>> with_value({"retrieval": "fixed:5"}, "retrieval.k", 9)
    {'retrieval': 'fixed:k=9'}
    >>> with_value({"agents": [{"name": "anna"}, {"name": "bert"}]}, "agents.bert.trust", 0.5)
    {'agents': [{'name': 'anna'}, {'name': 'bert', 'trust': 0.5}]}
    """
    first, _, rest = key.partition(".")
    if not rest:
        values[first] = value
        return values
    if first == _AGENTS:
        agents = values.get(_AGENTS)
        name, _, own = rest.partition(".")
        known = agents if isinstance(agents, list) else []
        named = [one for one in known if isinstance(one, dict) and one.get("name") == name]
        for agent in named if own else known:
            with_value(agent, own or rest, value)
        if own and not named:
            names = ", ".join(str(one.get("name")) for one in known if isinstance(one, dict))
            takes = f"agents.KEY for all, or agents.NAME.KEY with one of {names}"
            raise ArgumentError("vary", got=key, takes=takes)
        return values
    if first in _GRAMMARS and isinstance(values.get(first, ""), str):
        values[first] = _with_key(values.get(first), first, rest, value)
        return values
    inner = values.setdefault(first, {})
    if not isinstance(inner, dict):
        takes = f'{first} itself: "{first}" = [...]'
        raise ArgumentError("vary", got=key, takes=takes)
    with_value(inner, rest, value)
    return values


def _with_key(text: str | None, argument: str, key: str, value: object) -> str:
    """Return a text of our grammar with another value of one of its keys."""
    name, _, given = (text or "").partition(":")
    entry = _GRAMMARS[argument].get(name)
    if entry is None or key not in entry.keys:
        known = "nothing" if entry is None else ", ".join(entry.keys) or "nothing"
        takes = f"a key of {text or 'nothing'}, which has {known}"
        remedy = f'vary the whole text: "{argument}" = ["…", "…"]'
        raise ArgumentError("vary", got=f"{argument}.{key}", takes=takes, remedy=remedy)
    parts = [part for part in given.split(",") if part]
    pairs = [part if "=" in part else f"{entry.keys[0]}={part}" for part in parts]
    found = dict(pair.split("=", 1) for pair in pairs)
    found[key] = str(value)
    return f"{name}:" + ",".join(f"{one}={found[one]}" for one in entry.keys if one in found)


_NORM, _FLOOR, _WORDS = "group_frobenius_norm", "noise_floor", "vocabulary_kept"
_BUILT_IN = ("ngram", "replay")
_TRIED, _CHECKED = 12, 50


@dataclass(frozen=True, eq=False)
class ExperimentCell(ReadyCell):
    """A cell that is a run of an experiment.

    Parameters
    ----------
    cell, identifier
        As of `ReadyCell`.
    experiment
        What is run, with the settings of the cell.
    """

    experiment: Experiment

    @property
    def rounds(self) -> int:
        """Number of its rounds."""
        return self.experiment.rounds


@dataclass(frozen=True, eq=False)
class ExperimentWork:
    """The work on runs of an experiment; a call does one.

    Parameters
    ----------
    folder
        Where files that the experiment names are looked up.
    names
        The names of these files.
    kept
        Name of the quantity that is kept.
    carried
        The files themselves, for machines that have none of them; None on this one.
    """

    folder: Path
    names: tuple[str, ...]
    kept: str
    carried: CarriedFiles | None = field(default=None, repr=False)

    def __call__(self, task: RunsTask[ExperimentCell]) -> list[CellAnswer]:
        """Return what is found in a task."""
        found: Floats | Failed
        try:
            found = self._measured(task.ready.experiment)
        except ReviewPending:
            remedy = 'set review = "continue" in the experiment, or take out what waits'
            found = Failed(f"the run waits for a person, whom no cell has; {remedy}")
        except HayflickError as fault:
            found = Failed(str(fault))
        return [CellAnswer(task.ready.cell.number, found)]

    def quantity(self, ready: ExperimentCell) -> CellQuantity:  # noqa: ARG002
        """Return what is kept in a cell."""
        return DistanceKept(first=1) if self.kept == DISTANCE else ShareKept(self.kept)

    def tasks_of(
        self,
        ready: ExperimentCell,
        blocks: Sequence[Block],
        *,
        seconds: float,  # noqa: ARG002 (a run is one task)
    ) -> Iterator[RunsTask[ExperimentCell]]:
        """Yield the task of a cell."""
        yield RunsTask(ready, blocks)

    def for_cluster(self) -> ExperimentWork:
        """Return the work with its files.

        Raises
        ------
        DataError
            If one of them is outside the experiment's folder.
        """
        return replace(self, carried=CarriedFiles.of(self.folder, self.names))

    def _measured(self, experiment: Experiment) -> Floats:
        """Return what is measured in a run by round; before the first one nobody has answered."""
        folder = self.folder if self.carried is None else self.carried.unpacked()
        with TemporaryDirectory() as place:
            run = run_network(experiment, out=Path(place) / "run", folder=folder)
        if self.kept != DISTANCE:
            return np.array([[None, *run.series(_WORDS)]], dtype=np.float64)
        norms, floors = (run.series(name) for name in (_NORM, _FLOOR))
        last = floors[-1]
        values = [None, *norms, None if last is None else last**2]
        return np.array([values], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class CarriedFiles:
    """Files that travel with the work, by their path below a folder.

    Parameters
    ----------
    contents
        What they hold.
    digest
        Of their names and contents.
    """

    contents: Mapping[str, bytes]
    digest: str

    @classmethod
    def of(cls, folder: Path, names: Sequence[str]) -> CarriedFiles:
        """Return files of a folder, and those of its folders.

        Raises
        ------
        DataError
            If a name leads out of the folder.
        """
        contents = {}
        for name in names:
            inside = posixpath.normpath(Path(name).as_posix())
            if Path(name).is_absolute() or inside.startswith(".."):
                remedy = "on a cluster, name files below the folder of the experiment"
                raise DataError(f"{name}: is not in the folder of the experiment; {remedy}")
            for path in _paths(folder / inside):
                below = path.relative_to(folder).as_posix()
                contents[below] = path.read_bytes()
        return cls(contents, _digest_of_bytes(contents))

    def unpacked(self) -> Path:
        """Return a folder that holds the files, made once in a process."""
        with _UNPACKING:
            if self.digest not in _UNPACKED:
                place = TemporaryDirectory(prefix="hayflick-")
                for name, data in self.contents.items():
                    path = Path(place.name) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data)
                _UNPACKED[self.digest] = place
            return Path(_UNPACKED[self.digest].name)


# They are deleted when the process ends.
_UNPACKED: dict[str, TemporaryDirectory[str]] = {}
_UNPACKING = Lock()


def _paths(path: Path) -> Sequence[Path]:
    return text_files(path) if path.is_dir() else [path]


def _digest_of_bytes(contents: Mapping[str, bytes]) -> str:
    found = hashlib.sha256()
    for name, data in contents.items():
        found.update(f"{name}:{len(data)}:".encode())
        found.update(data)
    return found.hexdigest()


@dataclass(eq=False)
class ExperimentPreparation:
    """Makes the experiments that cells name.

    Parameters
    ----------
    study
        The study.
    folder
        Where its experiment is looked up.
    """

    study: ExperimentStudy
    folder: Path
    _digests: dict[str, str] = field(default_factory=dict)
    _files: dict[tuple[str, Path], Source] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Of the experiment."""
        return self.folder / self.study.experiment

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files that were read."""
        return tuple(self._files.values())

    def cells(self) -> list[ExperimentCell]:
        """Return the cells, in order.

        Raises
        ------
        ArgumentError, DataError
            If the experiment cannot be used, or settings do not fit each other; the cell is named.
        """
        values = read_toml(self.path, what="an experiment (.toml)")
        if not self.study.vary and "seed" not in self.study.model_fields_set:
            takes = "a table of what differs: [vary], or several seeds"
            raise ArgumentError("study", got="no setting to vary", takes=takes)
        self._read("experiment", self.study.experiment)
        found = []
        seen: set[tuple[str, Any]] = set()
        for cell in cells_of(self.study):
            try:
                ready = self._ready(cell, values)
                new = {*cell.settings.items()} - seen
                if new and len(seen) < _CHECKED:
                    # Each value once; of very many the first ones.
                    seen |= new
                    self._check(ready.experiment)
            except HayflickError as fault:
                raise DataError(f"{cell}: {fault}") from None
            found.append(ready)
        return found

    def _ready(self, cell: Cell, values: Mapping[str, Any]) -> ExperimentCell:
        own = copy.deepcopy(dict(values))
        for key, value in cell.settings.items():
            own = with_value(own, key, value)
        experiment = Experiment.of(own, name=str(self.path))
        for number, agent in enumerate(experiment.agents, 1):
            if agent.get("kind") not in _BUILT_IN:
                takes = f"{' or '.join(_BUILT_IN)}: cells are runs of built-in agents"
                raise ArgumentError(f"agents.{number}.kind", got=agent.get("kind"), takes=takes)
        digests = {name: self._read(role, name) for role, name in named_files(experiment)}
        common = {
            "experiment": experiment.parameters(),
            "seed": experiment.seed,
            "files": digests,
            "quantity": self.study.quantity,
        }
        return ExperimentCell(cell, digest_of(common), experiment)

    def _read(self, role: str, name: str) -> str:
        """Return the hash of a file or folder that the experiment names."""
        if name not in self._digests:
            path = self.path.parent / name if role != "experiment" else self.path
            if path.is_dir():
                contents = {str(one): one.read_bytes() for one in text_files(path)}
                self._digests[name] = _digest_of_bytes(contents)
            else:
                one = self._files[role, path] = replace(Source.of(path), role=role)
                self._digests[name] = str(one.sha256)
        return self._digests[name]

    def _check(self, experiment: Experiment) -> None:
        """Refuse an experiment that cannot begin."""
        setup = set_up_network(experiment, folder=self.path.parent)
        rules = RunRules.begun_with(experiment, None, folder=self.path.parent)
        pool = setup.first_pool(folder=self.path.parent)
        check_first_round(setup, pool, rules=None if rules is None else rules.load())

    def workload(self, left: Sequence[ExperimentCell]) -> SweepWorkload:
        """Return the work on the cells that are left; the estimate is that of a few of them."""
        names = {name for one in left for _, name in named_files(one.experiment)}
        for one in left:
            if one.experiment.rules is not None:
                names |= self._files_of_rules(one.experiment.rules)
        folder = self.path.parent
        tried = spread_out(left, _TRIED)
        efforts = [ReadingEstimate.of(one.experiment, folder=folder).effort() for one in tried]
        rounds = sum(one.rounds for one in tried)
        seconds = sum(one.seconds for one in efforts) / rounds
        return SweepWorkload(
            work=ExperimentWork(folder.absolute(), tuple(sorted(names)), self.study.quantity),
            simulated=left,
            seconds_of=lambda ready, _: seconds * ready.rounds,
            blocks=((0, 1),),
            first_blocks=1,
            worker_memory=max(one.memory for one in efforts),
            described=", each a run of an experiment,",
        )

    @cache  # noqa: B019 (it lives as long as the study is prepared)
    def _files_of_rules(self, name: str) -> set[str]:
        """Return the names of the files that rules name, below the folder of the experiment."""
        folder = self.path.parent
        found = RuleSet.from_file(folder / name)
        return {os.path.relpath(str(one.name), folder) for one in found.sources}
