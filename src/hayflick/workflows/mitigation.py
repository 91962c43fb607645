"""What keeps a network of built-in agents diverse, at what cost in real texts: a small grid.

All real text of an experiment (its first pool and its reserve) is split among so many models, text
by text; each is an n-gram agent with the settings of the experiment's first one. Rounds, answers,
retrieval and policy are the experiment's. An irrelevant text is a real one with every word spelt
backwards: as long and as frequent, and none of the words.

This is measured, on cheap stand-ins; it is no theorem about language models.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hayflick.core.checks import share, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.network.experiment import Experiment
from hayflick.network.run_results import NetworkRun, read_run
from hayflick.network.running import run_network
from hayflick.network.texts import texts_of

_LAST = 0.25
"""Share of the rounds, the last ones, that is averaged over."""


@dataclass(frozen=True, kw_only=True)
class Mitigated:
    """One case of the grid.

    Parameters
    ----------
    injected
        Real texts that join after every round.
    topology
        Who may read whom.
    models
        Among how many the real text is split.
    irrelevant
        Share of the first pool that is irrelevant.
    kept
        Share of the real words that a round's answers use, over the last quarter of rounds;
        None where no round of these has words.
    apart
        ‖D‖ in units of its noise floor, over the same rounds; None where it is undefined.
    texts
        Real texts that were injected in all.
    on_frontier
        Whether no case of as many models and as much irrelevant text keeps more words for as
        few texts; a case without `kept` is not on it and beats none.
    """

    injected: int
    topology: str
    models: int
    irrelevant: float
    kept: float | None
    apart: float | None
    texts: int
    on_frontier: bool = False


def mitigation(
    experiment: Experiment,
    *,
    folder: Path,
    injections: Sequence[int] = (0, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    irrelevant: Sequence[float] = (0.0, 0.25),
    progress: Progress = silent,
) -> list[Mitigated]:
    """Return all cases of the grid, in order, those on the frontier marked.

    Parameters
    ----------
    experiment
        With a reserve, and an n-gram agent in the first place.
    folder
        Where the files that it names are.
    injections, topologies, models, irrelevant
        What is varied.
    progress
        Told the cases done.

    Raises
    ------
    ArgumentError
        If the experiment has no reserve or begins with another agent, or a value is out of its
        range.
    """
    case = _Case.of(experiment, folder)
    for items in injections:
        whole_number("injections", items, at_least=0)
    for number in models:
        whole_number("models", number, at_least=1, at_most=len(case.real))
    for false in irrelevant:
        share("irrelevant", false)
    grid = list(itertools.product(models, irrelevant, topologies, injections))
    found = []
    for done, (number, false, topology, injected) in enumerate(grid):
        progress("cases", done, len(grid))
        run = case.run(models=number, irrelevant=false, topology=topology, injected=injected)
        found.append(_measured(run, injected, topology, number, false))
    progress("cases", len(grid), len(grid))
    return list(_marked(found))


@dataclass(frozen=True)
class _Case:
    """What all cases share."""

    experiment: Experiment
    first: tuple[str, ...]
    reserve: tuple[str, ...]

    @classmethod
    def of(cls, experiment: Experiment, folder: Path) -> _Case:
        if experiment.reserve is None:
            raise ArgumentError("reserve", got="nothing", takes="a section of real texts to inject")
        if experiment.agents[0].get("kind") != "ngram":
            got = str(experiment.agents[0].get("kind"))
            raise ArgumentError("agents.1.kind", got=got, takes="ngram: the grid runs on these")
        first = texts_of(experiment.pool, folder=folder)[: experiment.pool.size]
        return cls(experiment, tuple(first), tuple(texts_of(experiment.reserve, folder=folder)))

    @property
    def real(self) -> tuple[str, ...]:
        """All real text."""
        return self.first + self.reserve

    def run(self, *, models: int, irrelevant: float, topology: str, injected: int) -> NetworkRun:
        """Return the run of one case."""
        settings = {
            key: value
            for key, value in self.experiment.agents[0].items()
            if key not in ("name", "corpus", "texts", "encoding")
        }
        agents = [
            {**settings, "name": f"model {place + 1}", "texts": list(self.real[place::models])}
            for place in range(models)
        ]
        false = round(irrelevant * len(self.first))
        pool = [*map(_backwards, self.first[:false]), *self.first[false:]]
        policy = {"policy": self.experiment.pool.policy, "inject": injected}
        values: dict[str, Any] = self.experiment.model_dump(exclude_none=True)
        values |= {"agents": agents, "pool": {"texts": pool, **policy}, "topology": topology}
        values |= {"reserve": {"texts": list(self.reserve)}}
        with TemporaryDirectory() as place:
            return read_run(run_network(Experiment.of(values), out=Path(place) / "run"))


def _backwards(text: str) -> str:
    return " ".join(word[::-1] for word in text.split())


def _measured(
    run: NetworkRun, injected: int, topology: str, models: int, irrelevant: float
) -> Mitigated:
    start = run.rounds - max(1, round(_LAST * run.rounds))
    kept, norms, floors = (
        np.array([value for value in run.series(name)[start:] if value is not None])
        for name in ("vocabulary_kept", "group_frobenius_norm", "noise_floor")
    )
    known = norms.size and floors.size and floors.any()
    return Mitigated(
        injected=injected,
        topology=topology,
        models=models,
        irrelevant=irrelevant,
        kept=float(kept.mean()) if kept.size else None,
        apart=float(np.sqrt(np.mean(norms**2) / np.mean(floors**2))) if known else None,
        texts=sum(one.origin == "injected" for one in run.texts),
    )


def _marked(found: Sequence[Mitigated]) -> Iterator[Mitigated]:
    for one in found:
        beaten = any(_beats(other, one) for other in found)
        yield replace(one, on_frontier=one.kept is not None and not beaten)


def _beats(other: Mitigated, one: Mitigated) -> bool:
    """Say whether `other` keeps as many words for as few texts, and is better in one of both."""
    if other.kept is None or one.kept is None:
        return False
    alike = (other.models, other.irrelevant) == (one.models, one.irrelevant)
    no_worse = other.kept >= one.kept and other.texts <= one.texts
    return alike and no_worse and (other.kept > one.kept or other.texts < one.texts)
