"""What keeps a network of built-in agents diverse, at what cost in real texts: a small grid.

All real text of an experiment (its first pool and its reserve) is split among so many models, text
by text; each is an n-gram agent with the settings of the experiment's first one. Rounds, retrieval
and policy are the experiment's, and so is the number of answers a round, which is divided among
the models: more models are not more answers. An irrelevant text is a real one with every word
spelt backwards: as long and as frequent, and none of the words. Prompts are one for all, or the
experiment's variations in turn.

This is measured, on cheap stand-ins; it is no theorem about language models.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from hayflick.core.checks import share, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.vocabulary import vocabulary_kept
from hayflick.network.experiment import Experiment
from hayflick.network.mitigated import Mitigated, marked
from hayflick.network.run_results import NetworkRun, read_run
from hayflick.network.running import run_network
from hayflick.network.texts import texts_of
from hayflick.network.topology import parse_topology

LAST = 0.25
"""Share of the rounds, the last ones, that is averaged over."""

PROMPTS = ("one", "varied")
"""What may be asked: one prompt, or the experiment's variations in turn."""


def mitigation(
    experiment: Experiment,
    *,
    folder: Path,
    injections: Sequence[int] = (0, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    irrelevant: Sequence[float] = (0.0, 0.25),
    prompts: Sequence[str] | None = None,
    progress: Progress = silent,
) -> tuple[Mitigated, ...]:
    """Return all cases of the grid, in order, those on the frontier marked.

    Parameters
    ----------
    experiment
        With a reserve, and an n-gram agent in the first place.
    folder
        Where the files that it names are.
    injections, topologies, models, irrelevant
        What is varied.
    prompts
        Of `PROMPTS`; None for both where the experiment has variations, else for one prompt.
    progress
        Told the cases done.

    Raises
    ------
    ArgumentError
        If the experiment has no reserve or begins with another agent, or a value is out of its
        range; nothing is run then.
    """
    case = _Case.of(experiment, folder)
    chosen = _prompts(experiment, prompts)
    check_axes(injections=injections, topologies=topologies, models=models)
    for number in models:
        whole_number("models", number, at_least=1, at_most=len(case.real))
        if case.answers % number:
            takes = f"divisors of {case.answers}, the answers of all agents in a round"
            raise ArgumentError("models", got=number, takes=takes, remedy="change answers, too")
    _filled("irrelevant", irrelevant)
    for false in irrelevant:
        share("irrelevant", false)
    grid = list(itertools.product(models, irrelevant, chosen, topologies, injections))
    found = []
    for done, values in enumerate(grid):
        progress("cases", done, len(grid))
        found.append(case.measured(*values))
    progress("cases", len(grid), len(grid))
    return marked(found)


def check_axes(
    *, injections: Sequence[int], topologies: Sequence[str], models: Sequence[int]
) -> None:
    """Refuse values that no network can be made of.

    Raises
    ------
    ArgumentError
        If an axis has no value, or a value is out of its range.
    DataError
        If a topology's file cannot be read.
    """
    for name, values in (
        ("injections", injections),
        ("topologies", topologies),
        ("models", models),
    ):
        _filled(name, values)
    for items in injections:
        whole_number("injections", items, at_least=0)
    for number in models:
        whole_number("models", number, at_least=1)
        for topology in topologies:
            parse_topology(topology, agents=number)


def _filled(name: str, values: Sequence[object]) -> None:
    if not values:
        raise ArgumentError(name, got="nothing", takes="at least one value")


def _prompts(experiment: Experiment, chosen: Sequence[str] | None) -> Sequence[str]:
    """Return what is asked, as far as the experiment can ask it."""
    variations = bool(experiment.prompt_variations)
    if chosen is None:
        return PROMPTS if variations else PROMPTS[:1]
    _filled("prompts", chosen)
    for one in chosen:
        if one not in PROMPTS:
            raise ArgumentError("prompts", got=one, takes=f"one of {', '.join(PROMPTS)}")
        if one == "varied" and not variations:
            remedy = "state prompt_variations in the experiment"
            raise ArgumentError("prompts", got=one, takes="one: there are no others", remedy=remedy)
    return chosen


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

    @property
    def answers(self) -> int:
        """Answers of all agents in a round, whatever their number."""
        return self.experiment.answers * len(self.experiment.agents)

    @cached_property
    def words(self) -> NgramCounts:
        """The words of all real text."""
        tokenizer = self.experiment.observe.tokenizer
        return NgramCounts.of(self.real, tokenizer=tokenizer, longest=1)

    def measured(
        self, models: int, irrelevant: float, prompts: str, topology: str, injected: int
    ) -> Mitigated:
        """Return what comes of one case."""
        values: dict[str, Any] = self.experiment.model_dump(exclude_none=True)
        values |= {
            "agents": self._agents(models),
            "answers": self.answers // models,
            "topology": topology,
            "topologies": [],
            "pool": self._pool(irrelevant) | {"inject": injected},
            "reserve": {"texts": list(self.reserve)},
            "vary_prompts": "always" if prompts == "varied" else "when asked",
        }
        with TemporaryDirectory() as place:
            run = read_run(run_network(Experiment.of(values), out=Path(place) / "run"))
        return Mitigated(
            injected=injected,
            topology=topology,
            models=models,
            irrelevant=irrelevant,
            prompts=prompts,
            kept=_kept(run, self.words),
            apart=_apart(run),
            texts=sum(one.origin == "injected" for one in run.texts),
        )

    def _agents(self, models: int) -> list[dict[str, Any]]:
        settings = {
            key: value
            for key, value in self.experiment.agents[0].items()
            if key not in ("name", "corpus", "texts", "encoding")
        }
        return [
            {**settings, "name": f"model {place + 1}", "texts": list(self.real[place::models])}
            for place in range(models)
        ]

    def _pool(self, irrelevant: float) -> dict[str, Any]:
        false = round(irrelevant * len(self.first))
        texts = [*map(_backwards, self.first[:false]), *self.first[false:]]
        return {"texts": texts, "policy": self.experiment.pool.policy}


def _backwards(text: str) -> str:
    return " ".join(word[::-1] for word in text.split())


def _late(rounds: int) -> int:
    """Return after which round the last ones begin."""
    return rounds - max(1, round(LAST * rounds))


def _kept(run: NetworkRun, real: NgramCounts) -> float | None:
    """Return the mean share of the real words that a round's answers use.

    The run's own metric would count the words of irrelevant texts as real.
    """
    said: dict[int, list[str]] = {number: [] for number in range(_late(run.rounds), run.rounds)}
    for answer in run.answers:
        if answer.round - 1 in said:
            said[answer.round - 1].append(answer.text)
    counts = (NgramCounts.of(texts, tokenizer=real.tokenizer, longest=1) for texts in said.values())
    shares = [vocabulary_kept(count, real) for count in counts]
    known = [one for one in shares if one is not None]
    return float(np.mean(known)) if known else None


def _apart(run: NetworkRun) -> float | None:
    norms, floors = (
        np.array([one for one in run.series(name)[_late(run.rounds) :] if one is not None])
        for name in ("group_frobenius_norm", "noise_floor")
    )
    if not (norms.size and floors.size and floors.any()):
        return None
    return float(np.sqrt(np.mean(norms**2) / np.mean(floors**2)))
