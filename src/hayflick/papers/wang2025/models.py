"""The figures of language models over one shared pool, measured at an endpoint.

The run is one of `hayflick.network`, with the paper's parameters: n = 3 agents, |A_0| = 20 real
texts, β = 1/2, L = 40 answers, T = 60 rounds. It is stored in a folder: a run that was stopped is
resumed, and one that is finished can be drawn again without a request.

References
----------
Wang et al., arXiv:2506.15690, Algorithm 1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import sources_record
from hayflick.network.experiment import Experiment, PoolSection, texts_of
from hayflick.network.run import Say, quiet, resume_network, run_network
from hayflick.network.run_results import DATABASE, NetworkRun, experiment_of_run, report_network
from hayflick.network.setup import set_up_network
from hayflick.papers.figure import Figure, curves

if TYPE_CHECKING:
    import xarray


QUERY = "What should the town do with its old bridge?"
TEXTS = (
    "The old bridge is the shortest way to school for half of the children in the town.",
    "An engineer found rust in two of the four arches and wants the lorries kept off it.",
    "A new bridge would cost as much as the town spends on its roads in nine years.",
    "Cyclists like the old bridge because cars are slow there and everyone can see the river.",
    "The baker at the far end says that she would lose her morning customers without it.",
    "Before the war there was a ferry, and some people would rather have that again.",
    "Painting the iron every three years would stop the rust, but nobody has budgeted for it.",
    "Fishermen stand under the third arch because the water there is deep and cold.",
    "The fire brigade needs eleven minutes more when it has to go round by the motorway.",
    "A photograph of the bridge in fog is on every postcard that the town sells.",
    "If only walkers could use it, the arches would carry them for another hundred years.",
    "The county offers to pay half of a repair, provided that work begins before autumn.",
    "Swallows nest in the masonry, and the law protects them from April to August.",
    "Young people meet on the bridge in the evening since there is no other place to sit.",
    "A tunnel was proposed once and given up when the ground turned out to be sand.",
    "The mayor promised a vote on the bridge and has put it off for the second time.",
    "Every flood of the last century went over the road but never over the bridge.",
    "Tearing it down would take a summer and leave stones enough for a market square.",
    "Tolls would bring in little, because most of those who cross live three streets away.",
    "Whatever is decided, the water main under the pavement has to be moved first.",
)


RUN = "models-run"
"""Name of the run's folder, in the folder of the figures."""

FORMAT_VERSION = 1
"""Version of the Dataset's names and dimensions."""

_NAMES = ("one", "two", "three")
_SIZE = len(TEXTS)
_METRICS = {
    "distance": "group_frobenius_norm",
    "noise_floor": "noise_floor",
    "synthetic_share": "synthetic_share",
    "vocabulary_kept": "vocabulary_kept",
}
_SERIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "models": ("distance", {"measured": "distance", "noise": "noise_floor"}),
    "models-pool": (
        "share",
        {"synthetic_share": "synthetic_share", "vocabulary_kept": "vocabulary_kept"},
    ),
}
MODEL_FIGURES = tuple(_SERIES)
"""Names of the figures that need an endpoint: the distance, and the contents of the pool."""


@dataclass(frozen=True, kw_only=True)
class EndpointStudy:
    """A study of language models at an endpoint.

    Parameters
    ----------
    base_url
        Address of an endpoint with OpenAI's chat interface.
    models
        One name for all three agents, or one for each.
    key_variable
        Name of the environment variable that holds the key; None if none is needed.
    query, texts
        The question, and real texts about it; the first 20 are the first pool.
    rounds, answers
        T rounds, and L answers of every agent in each.
    embedder
        Turns answers into vectors, as in an experiment's file.
    tokens
        Budget of the run in tokens; None for no limit.

    Raises
    ------
    ArgumentError
        If there are fewer than 20 texts, or another number of models.

    Examples
    --------
    >>> url = "http://127.0.0.1:8000/v1"
    >>> study = EndpointStudy(base_url=url, models=("small",), rounds=10, answers=5)
    >>> study.requests, study.experiment(seed=1).retrieval
    (150, 'uniform:0.5')
    """

    base_url: str
    models: Sequence[str]
    key_variable: str | None = None
    query: str = QUERY
    texts: Sequence[str] = TEXTS
    rounds: int = 60
    answers: int = 40
    embedder: str = "hashing"
    tokens: int | None = None

    def __post_init__(self) -> None:
        if len(self.models) not in (1, len(_NAMES)):
            takes = f"one name, or one for each of the {len(_NAMES)} agents"
            raise ArgumentError("model", got=f"{len(self.models)} names", takes=takes)
        if len(self.texts) < _SIZE:
            takes = f"at least {_SIZE} texts, one a line"
            raise ArgumentError("corpus", got=f"{len(self.texts)} texts", takes=takes)

    @property
    def requests(self) -> int:
        """Number of requests, n L T."""
        return len(_NAMES) * self.answers * self.rounds

    @property
    def source(self) -> str:
        """The models and their endpoint."""
        return f"{', '.join(self.models)} ({self.base_url})"

    def experiment(self, *, seed: int) -> Experiment:
        """Return the experiment of the run.

        Raises
        ------
        ArgumentError
            If a value is out of its range.
        """
        models = [*self.models] * (len(_NAMES) // len(self.models))
        shared = {"kind": "openai", "base_url": self.base_url}
        shared |= {} if self.key_variable is None else {"key_variable": self.key_variable}
        values = {
            "format_version": 1,
            "seed": seed,
            "rounds": self.rounds,
            "answers": self.answers,
            "query": self.query,
            "retrieval": "uniform:0.5",
            "embedder": self.embedder,
            "pool": {"texts": [*self.texts[:_SIZE]]},
            "budget": {} if self.tokens is None else {"tokens": self.tokens},
            "agents": [
                {"name": name, "model": model, **shared}
                for name, model in zip(_NAMES, models, strict=True)
            ],
        }
        return Experiment.of(values, name="models")


def real_texts(path: str | os.PathLike[str]) -> list[str]:
    """Return the texts of a file, one a line, or JSON lines with a key ``text``.

    Raises
    ------
    DataError
        If it cannot be read, or holds none.
    """
    return texts_of(PoolSection(file=str(path)), folder=Path())


def holds_run(folder: Path, study: EndpointStudy, *, seed: int) -> bool:
    """Return whether a folder of figures holds a run of this study, with any budget."""
    if not (folder / RUN / DATABASE).is_file():
        return False
    kept, _ = experiment_of_run(folder / RUN)
    new = study.experiment(seed=seed)
    budget = {"budget"}
    return kept.model_dump(exclude=budget) == new.model_dump(exclude=budget)


def check_models(study: EndpointStudy, *, folder: Path, seed: int) -> None:
    """Check that a study can be run in a folder of figures, before any work.

    Raises
    ------
    OutputError
        If the folder holds a run of something else.
    ArgumentError, MissingExtraError
        If the endpoint's key or an extra is missing, or a value is out of its range.
    """
    if holds_run(folder, study, seed=seed):
        return
    if (folder / RUN).exists():
        raise OutputError(f"{folder / RUN}: holds a run of something else; choose another folder")
    set_up_network(study.experiment(seed=seed), folder=folder)


def run_models(
    study: EndpointStudy,
    *,
    folder: Path,
    seed: int = 1,
    say: Say = quiet,
    progress: Progress = silent,
) -> NetworkRun:
    """Run the models in a folder of figures, or resume the run that it holds.

    Raises
    ------
    OutputError, ArgumentError, MissingExtraError
        As `check_models`.
    EndpointError, BudgetExhausted
        If the run cannot go on now; the same call resumes it.
    """
    check_models(study, folder=folder, seed=seed)
    out = folder / RUN
    if not holds_run(folder, study, seed=seed):
        say(_announcement(study, kept=0))
        return run_network(study.experiment(seed=seed), out=out, say=say, progress=progress)
    run = report_network(out)
    if run.finished:
        return run
    say(_announcement(study, kept=len(run.answers)))
    return resume_network(out, tokens=study.tokens, say=say, progress=progress)


def model_figure(name: str, study: EndpointStudy, run: NetworkRun) -> Figure:
    """Return |D|_F of the models with its noise floor, or the contents of the pool, by round.

    All four series are in `Figure.runs`, with NaN for undefined values.

    Raises
    ------
    DataError
        If no distance is defined in any round.
    """
    quantity, drawn = _SERIES[name]
    dataset = _dataset(run)
    if not np.isfinite(dataset["distance"]).any():
        remedy = "look at them with hayflick network report, and ask another model"
        raise DataError(f"{RUN}: all answers of two agents or more are empty; {remedy}")
    # There is no round before the first.
    before = np.array([np.nan])
    series = {one: np.concatenate([before, dataset[kept]]) for one, kept in drawn.items()}
    return Figure(
        name=name,
        quantity=quantity,
        curves=curves(**series).drop_nans("value"),
        runs=dataset,
        agreement=None,
        paper="wang2025",
        measured_on=study.source,
    )


def _announcement(study: EndpointStudy, *, kept: int) -> str:
    counted = f"{len(_NAMES)} agents × {study.answers:,} answers × {study.rounds:,} rounds"
    already = f"; {kept:,} are kept already" if kept else ""
    return f"models: {study.requests:,} requests to {study.base_url} ({counted}){already}"


def _dataset(run: NetworkRun) -> xarray.Dataset:
    import xarray

    values: dict[str, Floats] = {
        name: np.array(run.series(metric), dtype=np.float64) for name, metric in _METRICS.items()
    }
    return xarray.Dataset(
        {name: ("round", series) for name, series in values.items()},
        coords={"round": np.arange(1, run.rounds + 1)},
        attrs={
            "format_version": FORMAT_VERSION,
            "provenance": json.dumps(run.provenance()),
            "inputs": sources_record(run.sources),
        },
    )
