"""The figures of *LLM Web Dynamics*, computed one after the other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.laws.network import network_law
from hayflick.laws.surrogate import distance_floor
from hayflick.network.discrete_network import simulate_discrete_network
from hayflick.network.experiment import Experiment
from hayflick.network.mitigation import (
    MitigationCase,
    agent_mitigation,
    cases_table,
    surrogate_mitigation,
)
from hayflick.network.run import Say, quiet
from hayflick.network.silo import simulate_silos
from hayflick.network.surrogate import Surrogate
from hayflick.network.surrogate_runs import simulate_surrogate, timed_work
from hayflick.network.topology import parse_topology
from hayflick.papers.figure import Figure, curves, mean_agreement, single_runs
from hayflick.papers.wang2025.models import (
    MODEL_FIGURES,
    EndpointStudy,
    check_models,
    model_figure,
    run_models,
)

if TYPE_CHECKING:
    import xarray


_AGENTS = 10


def network(name: str, topology: str, seed: int) -> Figure:
    """Return |D|_F of 10 models: a Zipf law of 50 symbols, n = 100, 2 % real, 200 rounds.

    Both curves are roots of means of |D|_F², over 200 runs and by the law.
    """
    settings: dict[str, Any] = {
        "reading": parse_topology(topology, agents=_AGENTS).reading(itself=True),
        "samples": 100,
        "real_shares": 0.02,
        "generations": 200,
    }
    model = Discrete.zipf_mandelbrot(50, exponent=1.0)
    runs = simulate_discrete_network(model, replicates=200, seed=seed, **settings)
    squares = runs["squared_distance"].to_numpy()
    law = network_law(model, **settings)
    return Figure(
        name=name,
        quantity="distance",
        curves=curves(simulated=np.sqrt(squares.mean(axis=0)), exact=np.sqrt(law.squared_distance)),
        runs=runs,
        agreement=mean_agreement(squares, law.squared_distance),
        paper="wang2025",
    )


_ROUNDS, _RUNS, _SHARE = 200, 20, 0.5
_NOTHING = 1e-20
_NEIGHBOURS = (1, 2, 5, 10, 20)
_ELEVEN = tuple(10.0 * place for place in range(-5, 6))
"""As far apart as the two of the paper, which only says that they are evenly spaced."""

SURROGATES = {
    name: Surrogate(means=means, agents=3, draws=3, share_read=_SHARE)
    for name, means in {"surrogate-two": (-5.0, 5.0), "surrogate-eleven": _ELEVEN}.items()
}
"""The surrogate systems of figures, by name."""


def cost(name: str) -> str:
    """Return a message on how long the figure of a surrogate takes on this machine."""
    work = timed_work(SURROGATES[name], _ROUNDS, replicates=_RUNS)
    return f"{name}: {work.evaluations:,} evaluations, about {work.seconds:.1f} s on this machine"


def surrogate(name: str, seed: int) -> Figure:
    """Return |D|_F of interacting mixtures: n = 3, L = 3, β = .5, 200 rounds, 20 runs.

    The simulated curve is the root of the mean of |D|_F², as the law is of its expectation.
    """
    runs = simulate_surrogate(SURROGATES[name], rounds=_ROUNDS, replicates=_RUNS, seed=seed)
    squares = runs["squared_distance"].to_numpy()
    read = runs["read"].to_numpy()[:, 0]
    floors = [
        distance_floor(seen, agents=3, read=read, share_read=_SHARE)
        for seen in runs["seen"].to_numpy()
    ]
    # There is no floor before the first round.
    floor: Floats = np.concatenate([[np.nan], np.sqrt(np.mean(floors, axis=0))])
    named = curves(simulated=np.sqrt(squares.mean(axis=0)), floor=floor)
    # Agents that have all lost the same components differ only by rounding.
    distances = np.where(squares < _NOTHING, 0.0, np.sqrt(squares))
    shown: pl.DataFrame = single_runs(distances).vstack(named.drop_nans("value"))
    return Figure(
        name=name,
        quantity="distance",
        curves=shown,
        runs=runs,
        agreement=None,
        logarithmic=True,
        paper="wang2025",
    )


def silos(seed: int) -> Figure:
    """Return the mean number of silos over 80 rounds and 40 runs, for several k."""
    made = {k: simulate_silos(k, rounds=80, replicates=40, seed=seed) for k in _NEIGHBOURS}
    means = {f"nearest_{k}": runs["silos"].mean("replicate").to_numpy() for k, runs in made.items()}
    import xarray

    joined = xarray.concat(list(made.values()), dim="neighbours").assign_coords(
        neighbours=list(_NEIGHBOURS)
    )
    joined.attrs = made[_NEIGHBOURS[0]].attrs
    return Figure(
        name="silos",
        quantity="silos",
        curves=curves(**means),
        runs=joined,
        agreement=None,
        paper="wang2025",
    )


_WHEN = "today often sometimes perhaps tonight"
_WHO = (
    "farmers ferrymen bakers tailors widows fiddlers captains potters teachers mayors cooks "
    "millers clerks sailors shepherds smiths gardeners painters judges butchers children"
)
_DO = (
    "sell mend count carry hide paint weigh buy borrow find clean steal repair remember collect "
    "draw lend polish forget"
)
_WHAT = (
    "bread nets lamps wool honey herring ropes stones clocks apples letters boats cheese pepper "
    "onions umbrellas cups bells books eels seeds barrels spectacles pianos candles horses "
    "envelopes potatoes coats bridges strawberries swallows cabbages bottles pigs mirrors keys "
    "gloves maps kites socks"
)
_WHERE = (
    "harbour mill market river pier well chapel wood hill island orchard lighthouse cellar "
    "stable garden square school"
)
_FIRST, _TEXTS = 15, 60


def village(*, seed: int = 1) -> Experiment:
    """Return an experiment on 60 made-up real texts, 15 of them in the first pool.

    The lists of words have coprime lengths, so that texts share single words and no two are
    equal. The agents continue from the last word of a prompt: the single prompt ends with today,
    varied prompts with the other moments.

    Examples
    --------
    >>> village().pool.texts[:2]
    ['today farmers sell bread near the harbour.', 'often ferrymen mend nets near the mill.']
    """
    when, who, do, what, where = (
        [words[place % len(words)] for place in range(_TEXTS)]
        for words in map(str.split, (_WHEN, _WHO, _DO, _WHAT, _WHERE))
    )
    texts = [
        f"{moment} {one} {act} {thing} near the {place}."
        for moment, one, act, thing, place in zip(when, who, do, what, where, strict=True)
    ]
    agent = {"kind": "ngram", "texts": texts, "order": 2, "trust": 0.3, "learning": 0.1}
    values: dict[str, Any] = {
        "format_version": 1,
        "seed": seed,
        "rounds": 30,
        "answers": 24,
        "query": "What is new today",
        "prompt_variations": [f"{{query}} and {moment}" for moment in _WHEN.split()],
        "embedder": "hashing:dimensions=64",
        "pool": {"texts": texts[:_FIRST]},
        "reserve": {"texts": texts[_FIRST:]},
        "agents": [{**agent, "name": "all", "most_tokens": 40, "most_sentences": 1}],
    }
    return Experiment.of(values)


def agent_grid(seed: int) -> Figure:
    """Return the grid on built-in agents: injections, topologies, sizes, prompts, irrelevance."""
    experiment = village(seed=seed)
    cases = agent_mitigation(experiment)
    return _frontier("mitigation", cases, experiment.model_dump(exclude_none=True), seed)


def surrogate_grid(seed: int) -> Figure:
    """Return the grid on interacting mixtures: injections, topologies, sizes."""
    cases = surrogate_mitigation(topologies=("complete", "ring:1", "blocks:count=2"), seed=seed)
    return _frontier("mitigation-surrogate", cases, {"family": "surrogate"}, seed)


def _frontier(
    name: str, cases: Sequence[MitigationCase], parameters: dict[str, Any], seed: int
) -> Figure:
    numbers = cases_table(cases)
    return Figure(
        name=name,
        quantity="frontier",
        curves=numbers,
        runs=_dataset(
            {column: numbers[column].to_numpy() for column in numbers.columns}
        ).assign_attrs(provenance=json.dumps(provenance(parameters, seed=seed))),
        agreement=None,
        paper="wang2025",
    )


def _dataset(columns: dict[str, Any]) -> xarray.Dataset:
    import xarray

    return xarray.Dataset({name: ("case", values) for name, values in columns.items()})


_NUMERIC: Mapping[str, Callable[[int], Figure]] = {
    **{name: partial(surrogate, name) for name in SURROGATES},
    "silos": silos,
    "network-complete": partial(network, "network-complete", "complete"),
    "network-ring": partial(network, "network-ring", "ring:1"),
    "network-blocks": partial(network, "network-blocks", "blocks:count=2,bridges=1"),
    "mitigation": agent_grid,
    "mitigation-surrogate": surrogate_grid,
}
FIGURES = tuple(_NUMERIC)
"""Names of the figures without language models, in order; see also `MODEL_FIGURES`."""


def figures(
    names: Sequence[str] = FIGURES,
    *,
    seed: int = 1,
    study: EndpointStudy | None = None,
    folder: Path | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> Iterator[Figure]:
    """Yield the figures of Wang et al. as they are finished.

    The surrogates are the paper's; the silos are those of arXiv:2506.00077; the networks of
    discrete chains join the paper to arXiv:2412.17646, and their law is exact. Those of
    `MODEL_FIGURES` are measured on an endpoint.

    Parameters
    ----------
    names
        Names of figures, from `FIGURES` and `MODEL_FIGURES`.
    seed
        Seed of the simulations.
    study
        Endpoint and parameters of the figures of language models.
    folder
        Folder of the run of the language models; the current one if None.
    say
        Called with a message before long work.
    progress
        Called with the number of figures done.

    Raises
    ------
    ArgumentError
        If there is no figure of that name, or it needs an endpoint and there is none.
    EndpointError, BudgetExhausted
        If the language models cannot go on now; the same call resumes their run.

    Examples
    --------
    >>> [figure.agreement < 4.5 for figure in figures(["network-ring"])]
    [True]
    """
    check_names(names, study=study)
    place = Path() if folder is None else folder
    if study is not None and not set(names).isdisjoint(MODEL_FIGURES):
        check_models(study, folder=place, seed=seed)
    for done, name in enumerate(names):
        progress("reproducing", done, len(names))
        if name in SURROGATES:
            say(cost(name))
        if study is not None and name in MODEL_FIGURES:
            run = run_models(study, folder=place, seed=seed, say=say, progress=progress)
            yield model_figure(name, study, run)
        else:
            yield _NUMERIC[name](seed)
    progress("reproducing", len(names), len(names))


def check_names(names: Sequence[str], *, study: EndpointStudy | None = None) -> None:
    """Check the names of figures, and that there is an endpoint if one is needed.

    Raises
    ------
    ArgumentError
        If there is no figure of that name, or it needs an endpoint.
    """
    for name in names:
        if name not in (*FIGURES, *MODEL_FIGURES):
            takes = f"one of {', '.join((*FIGURES, *MODEL_FIGURES))}"
            raise ArgumentError("figure", got=name, takes=takes)
        if study is None and name in MODEL_FIGURES:
            takes = "an endpoint to measure it on"
            remedy = "give --base-url URL and --model NAME (in Python, base_url and model)"
            raise ArgumentError("figure", got=name, takes=takes, remedy=remedy)
