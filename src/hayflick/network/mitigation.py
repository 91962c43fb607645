"""What keeps a network of built-in agents diverse, at what cost in real texts: a small grid.

All real text of an experiment (its first pool and its reserve) is split among the models, text by
text; each is an n-gram agent with the settings of the experiment's first one. Rounds, retrieval and
policy are those of the experiment, and so is the number of answers a round, which is divided among
the models: more models do not give more answers. An irrelevant text is a real one with every word
spelt backwards: as long and as frequent, but without its words. All agents get one prompt, or the
experiment's variations in turn.

The results are measured on cheap stand-ins; nothing is proved about language models.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import share, whole_number
from hayflick.core.display import Result, report_of
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.diversity.lexical import NgramCounts, vocabulary_kept
from hayflick.laws.surrogate import distance_floor
from hayflick.network.experiment import Experiment, experiment_in, experiment_sources, texts_of
from hayflick.network.run import run_network
from hayflick.network.run_results import NetworkRun
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate
from hayflick.network.topology import parse_topology
from hayflick.network.usage import ReadingEstimate

if TYPE_CHECKING:
    import xarray


_PICTURES = (".svg", ".png")

_SCHEMA = {
    "models": pl.Int64,
    "irrelevant": pl.Float64,
    "prompts": pl.String,
    "topology": pl.String,
    "injected": pl.Int64,
    "texts": pl.Int64,
    "kept": pl.Float64,
    "apart": pl.Float64,
    "on_frontier": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True)
class MitigationCase:
    """One case of the grid.

    Parameters
    ----------
    injected
        Real texts (of a surrogate: points) that are added after every round.
    topology
        Who may read whom.
    models
        The number of models that the real text is split among; of a surrogate, its agents.
    irrelevant
        Share of the first pool that is irrelevant.
    prompts
        ``one`` for all, or ``varied``.
    kept
        Share of the real words that a round's answers use (of a surrogate: of the components),
        over the last quarter of rounds; None where no round of these has words.
    apart
        ‖D‖ in units of its noise floor, over the same rounds; None where it is undefined.
    texts
        Real texts that were injected in all.
    on_frontier
        Whether no case with as much irrelevant text keeps more for as few texts; cases without
        `kept` are left out.
    """

    injected: int
    topology: str
    models: int
    irrelevant: float = 0.0
    prompts: str = "one"
    kept: float | None
    apart: float | None
    texts: int
    on_frontier: bool = False


def mark_frontier(cases: Sequence[MitigationCase]) -> tuple[MitigationCase, ...]:
    """Return the cases, in the same order, with the Pareto frontier marked.

    Examples
    --------
    >>> alike = {"topology": "complete", "models": 2, "apart": None}
    >>> cases = [MitigationCase(injected=n, texts=n, kept=0.5, **alike) for n in (0, 3)]
    >>> [case.on_frontier for case in mark_frontier(cases)]
    [True, False]
    """
    best = (
        case.kept is not None and not any(_dominates(other, case) for other in cases)
        for case in cases
    )
    return tuple(replace(case, on_frontier=on) for case, on in zip(cases, best, strict=True))


def _dominates(other: MitigationCase, case: MitigationCase) -> bool:
    """Return whether `other` dominates: no worse in words and texts, and better in one of them."""
    if other.kept is None or case.kept is None or other.irrelevant != case.irrelevant:
        return False
    no_worse = other.kept >= case.kept and other.texts <= case.texts
    return no_worse and (other.kept > case.kept or other.texts < case.texts)


def cases_table(cases: Sequence[MitigationCase]) -> pl.DataFrame:
    """Return cases as a table, one a row."""
    return pl.DataFrame([asdict(case) for case in cases], schema=_SCHEMA)


LAST = 0.25
"""Share of the rounds, the last ones, that is averaged over."""

PROMPTS = ("one", "varied")
"""One prompt for all, or the experiment's variations in turn."""


def agent_mitigation(
    experiment: Experiment,
    *,
    folder: Path = Path(),
    injections: Sequence[int] = (0, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    irrelevant: Sequence[float] = (0.0, 0.25),
    prompts: Sequence[str] | None = None,
    progress: Progress = silent,
) -> tuple[MitigationCase, ...]:
    """Return the cases of built-in agents, the Pareto frontier marked.

    Parameters
    ----------
    experiment, injections, topologies, models, irrelevant, prompts, progress
        As `mitigation_network`.
    folder
        Where the files that the experiment names are.

    Raises
    ------
    ArgumentError
        As `mitigation_network`; nothing is run then.
    """
    grid = _Grid(experiment, folder)
    chosen = _prompts(experiment, prompts)
    check_axes(injections=injections, topologies=topologies, models=models, irrelevant=irrelevant)
    for number in models:
        whole_number("models", number, at_least=1, at_most=len(grid.real))
        if grid.answers % number:
            takes = f"divisors of {grid.answers}, the answers of all agents in a round"
            raise ArgumentError("models", got=number, takes=takes, remedy="change answers, too")
    cases = list(itertools.product(models, irrelevant, chosen, topologies, injections))
    one = ReadingEstimate.of(experiment, folder=folder).effort()
    work = f"{len(cases):,} runs of {experiment.rounds:,} rounds"
    expect(progress, Effort(work, seconds=len(cases) * one.seconds, memory=one.memory))
    found = []
    for done, values in enumerate(cases):
        progress("cases", done, len(cases))
        found.append(grid.run(*values))
    progress("cases", len(cases), len(cases))
    return mark_frontier(found)


def check_axes(
    *,
    injections: Sequence[int],
    topologies: Sequence[str],
    models: Sequence[int],
    irrelevant: Sequence[float] = (0.0,),
) -> None:
    """Refuse values that no network can be made of.

    Raises
    ------
    ArgumentError
        If an axis has no value, or a value is out of its range.
    DataError
        If the file of a topology cannot be read.
    """
    _check_any("injections", injections)
    _check_any("topologies", topologies)
    _check_any("models", models)
    _check_any("irrelevant", irrelevant)
    for items in injections:
        whole_number("injections", items, at_least=0)
    for number in models:
        whole_number("models", number, at_least=1)
        for topology in topologies:
            parse_topology(topology, agents=number)
    for part in irrelevant:
        share("irrelevant", part)


def _check_any(name: str, values: Sequence[object]) -> None:
    if not values:
        raise ArgumentError(name, got="nothing", takes="at least one value")


def _prompts(experiment: Experiment, chosen: Sequence[str] | None) -> Sequence[str]:
    """Return which prompts are asked; all that the experiment can ask if none are chosen."""
    variations = bool(experiment.prompt_variations)
    if chosen is None:
        return PROMPTS if variations else PROMPTS[:1]
    _check_any("prompts", chosen)
    for one in chosen:
        if one not in PROMPTS:
            raise ArgumentError("prompts", got=one, takes=f"one of {', '.join(PROMPTS)}")
        if one == "varied" and not variations:
            remedy = "state prompt_variations in the experiment"
            raise ArgumentError("prompts", got=one, takes="one: there are no others", remedy=remedy)
    return chosen


class _Grid:
    """What all cases on the agents of an experiment have in common."""

    def __init__(self, experiment: Experiment, folder: Path) -> None:
        if experiment.reserve is None:
            raise ArgumentError("reserve", got="nothing", takes="a section of real texts to inject")
        if experiment.agents[0].get("kind") != "ngram":
            got = str(experiment.agents[0].get("kind"))
            raise ArgumentError("agents.1.kind", got=got, takes="ngram: the grid runs on these")
        self.experiment = experiment
        self.first = texts_of(experiment.pool, folder=folder)[: experiment.pool.size]
        self.reserve = texts_of(experiment.reserve, folder=folder)
        self.real = self.first + self.reserve
        self.answers = experiment.answers * len(experiment.agents)

    @cached_property
    def words(self) -> NgramCounts:
        """The words of all real text."""
        tokenizer = self.experiment.observe.tokenizer
        return NgramCounts.of(self.real, tokenizer=tokenizer, longest=1)

    def run(
        self, models: int, irrelevant: float, prompts: str, topology: str, injected: int
    ) -> MitigationCase:
        """Run one case."""
        reversed_ = round(irrelevant * len(self.first))
        texts = [*map(_backwards, self.first[:reversed_]), *self.first[reversed_:]]
        own = ("name", "corpus", "texts", "encoding")
        shared = {k: value for k, value in self.experiment.agents[0].items() if k not in own}
        policy = self.experiment.pool.policy
        values: dict[str, Any] = self.experiment.model_dump(exclude_none=True) | {
            "agents": [
                {**shared, "name": f"model {number + 1}", "texts": self.real[number::models]}
                for number in range(models)
            ],
            "answers": self.answers // models,
            "topology": topology,
            "topologies": [],
            "pool": {"texts": texts, "policy": policy, "inject": injected},
            "reserve": {"texts": self.reserve},
            "vary_prompts": "always" if prompts == "varied" else "when asked",
            # Every case injects what the grid says, and nothing else.
            "rules": None,
        }
        with TemporaryDirectory() as folder:
            run = run_network(Experiment.of(values), out=Path(folder) / "run")
        return MitigationCase(
            injected=injected,
            topology=topology,
            models=models,
            irrelevant=irrelevant,
            prompts=prompts,
            kept=_words_kept(run, self.words),
            apart=_relative_distance(run),
            texts=sum(one.origin == "injected" for one in run.texts),
        )


def _backwards(text: str) -> str:
    return " ".join(word[::-1] for word in text.split())


def _first_late_round(rounds: int) -> int:
    """Return the first of the rounds that are averaged over, counted from 0."""
    return rounds - max(1, round(LAST * rounds))


def _words_kept(run: NetworkRun, real: NgramCounts) -> float | None:
    """Return the mean share of the real words that a round's answers use.

    The run's own metric would count the words of irrelevant texts as real.
    """
    late = range(_first_late_round(run.rounds) + 1, run.rounds + 1)
    texts: dict[int, list[str]] = {number: [] for number in late}
    for answer in run.answers:
        if answer.round in texts:
            texts[answer.round].append(answer.text)
    counts = (NgramCounts.of(some, tokenizer=real.tokenizer, longest=1) for some in texts.values())
    shares = [vocabulary_kept(count, real) for count in counts]
    known = [one for one in shares if one is not None]
    return float(np.mean(known)) if known else None


def _relative_distance(run: NetworkRun) -> float | None:
    late = slice(_first_late_round(run.rounds), None)
    norms, floors = (
        np.array([one for one in run.series(name)[late] if one is not None])
        for name in ("group_frobenius_norm", "noise_floor")
    )
    if not (norms.size and floors.size and floors.any()):
        return None
    return float(np.sqrt(np.mean(norms**2) / np.mean(floors**2)))


_MEANS = tuple(10.0 * place for place in range(30))
_ORIGINALS, _SHARE, _ROUNDS, _POINTS = 20, 0.5, 60, 120


def surrogate_mitigation(
    *,
    injections: Sequence[int] = (0, 1, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    replicates: int = 20,
    seed: int = 1,
    progress: Progress = silent,
) -> tuple[MitigationCase, ...]:
    """Return the cases of interacting mixtures, the Pareto frontier marked.

    Parameters
    ----------
    injections
        Real points that are added in every round.
    topologies, models
        Who may read whom, and the number of agents.
    replicates
        Number of independent runs that are averaged.
    seed
        Of the simulations.
    progress
        Called with the number of cases done.

    Raises
    ------
    ArgumentError
        If a value is out of its range.

    Examples
    --------
    >>> cases = surrogate_mitigation(topologies=["complete"], models=[4], injections=[0, 9])
    >>> cases[0].kept < cases[1].kept, cases[1].texts
    (True, 540)
    """
    check_axes(injections=injections, topologies=topologies, models=models)
    grid = list(itertools.product(models, topologies, injections))
    late = slice(_first_late_round(_ROUNDS) + 1, None)
    found = []
    for done, (agents, topology, injected) in enumerate(grid):
        progress("mixtures", done, len(grid))
        system = Surrogate(
            means=_MEANS,
            agents=agents,
            draws=1,
            share_read=_SHARE,
            originals=_ORIGINALS,
            injected=injected,
            topology=parse_topology(topology, agents=agents),
        )
        runs = simulate_surrogate(system, rounds=_ROUNDS, replicates=replicates, seed=seed)
        found.append(
            MitigationCase(
                injected=injected,
                topology=topology,
                models=agents,
                kept=expected_components(runs["weights"].to_numpy()[:, late], points=_POINTS),
                apart=_surrogate_distance(runs, agents=agents, late=late),
                texts=injected * _ROUNDS,
            )
        )
    progress("mixtures", len(grid), len(grid))
    return mark_frontier(found)


def expected_components(weights: Floats, *, points: int) -> float:
    """Return the expected share of components among points that agents post in equal parts.

    Parameters
    ----------
    weights
        Shape ``(..., agents, components)``; the leading axes are averaged over.
    points
        Number of all points; the agents' mean number where it is no multiple of theirs.

    Examples
    --------
    >>> expected_components(np.array([[0.5, 0.5], [1.0, 0.0]]), points=4)
    0.875
    """
    each = points / weights.shape[-2]
    missed = np.prod((1.0 - weights) ** each, axis=-2)
    return float(1.0 - missed.mean())


def _surrogate_distance(runs: xarray.Dataset, *, agents: int, late: slice) -> float | None:
    """Return ‖D‖ over its floor; None for a single agent."""
    if agents == 1:
        return None
    read = runs["read"].to_numpy().mean(axis=1)
    floors = [
        distance_floor(seen, agents=agents, read=read, share_read=_SHARE)
        for seen in runs["seen"].to_numpy()
    ]
    distance = runs["squared_distance"].to_numpy()[:, late].mean()
    # Round t is generation t, and the floors begin with round 1.
    return float(np.sqrt(distance / np.mean(np.array(floors)[:, late.start - 1 :])))


class _PictureReport(Protocol):
    def picture(self, result: Any, path: Path, /, *, lang: str, force: bool) -> None: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class MitigationStudy(Result):
    """Both grids; `save` writes a page, or a picture to a name ending in .svg or .png.

    Parameters
    ----------
    experiment
        What the agents' grid is made of.
    axes
        What was varied, by name.
    agents
        Cases of the built-in agents.
    surrogate
        Cases of the interacting mixtures.
    sources
        What was read: the experiment, and the files that it names.
    """

    experiment: Experiment
    axes: dict[str, list[Any]]
    agents: Sequence[MitigationCase]
    surrogate: Sequence[MitigationCase]
    sources: tuple[Source, ...] = ()

    @override
    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        path = Path(path)
        if path.suffix.lower() not in _PICTURES:
            return super().save(path, lang=lang, force=force)
        cast(_PictureReport, report_of(self)).picture(self, path, lang=lang, force=force)
        return path

    def provenance(self) -> dict[str, Any]:
        """Return what the study was made with."""
        parameters = {"axes": self.axes, "experiment": self.experiment.parameters()}
        return provenance(parameters, seed=self.experiment.seed)


def mitigation_network(
    experiment: Experiment | str | os.PathLike[str],
    *,
    folder: str | os.PathLike[str] | None = None,
    injections: Sequence[int] = (0, 3, 9),
    topologies: Sequence[str] = ("complete", "ring:1"),
    models: Sequence[int] = (4, 8),
    irrelevant: Sequence[float] = (0.0, 0.25),
    prompts: Sequence[str] | None = None,
    progress: Progress = silent,
) -> MitigationStudy:
    """Run a grid of what may keep a network diverse, on built-in agents and on mixtures.

    The mixtures take the same injections, topologies and numbers of models. Rules that the
    experiment names are left out.

    Parameters
    ----------
    experiment
        A TOML file, or an experiment; with a reserve, and an n-gram agent in the first place.
    folder
        Where files that the experiment names are looked up; None for its own folder.
    injections
        Real texts (of mixtures: points) that are added in every round.
    topologies, models
        Who may read whom, and the number of models that the real text is split among.
    irrelevant
        Shares of the first pool that are irrelevant.
    prompts
        Of `PROMPTS`; None for both where the experiment has variations, else for one prompt.
    progress
        Called with the number of cases done.

    Raises
    ------
    ArgumentError
        If the experiment has no reserve or begins with another agent, or a value is out of its
        range; nothing is run then.
    DataError
        If a file cannot be read.

    Examples
    --------
    >>> texts = ["It rains in May.", "It snows in June."]
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 2, "answers": 2, "query": "How is it?",
    ...     "pool": {"texts": texts}, "reserve": {"texts": ["The sea is calm."]},
    ...     "agents": [{"name": "anna", "kind": "ngram", "texts": texts}],
    ... })
    >>> axes = {"injections": [0, 1], "topologies": ["complete"], "models": [2]}
    >>> study = mitigation_network(village, **axes, irrelevant=[0.0])
    >>> [case.texts for case in study.agents], [case.texts for case in study.surrogate]
    ([0, 2], [0, 60])
    """
    given = experiment
    experiment, place = experiment_in(given, folder)
    axes: dict[str, Any] = {"injections": injections, "topologies": topologies, "models": models}
    agents = agent_mitigation(
        experiment, folder=place, **axes, irrelevant=irrelevant, prompts=prompts, progress=progress
    )
    surrogate = surrogate_mitigation(**axes, seed=experiment.seed, progress=progress)
    prompts = list(dict.fromkeys(case.prompts for case in agents))
    varied = {**axes, "irrelevant": irrelevant, "prompts": prompts}
    return MitigationStudy(
        experiment=experiment,
        axes={name: list(values) for name, values in varied.items()},
        agents=agents,
        surrogate=surrogate,
        sources=experiment_sources(experiment, given=given, folder=place),
    )
