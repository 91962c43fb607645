"""Reproduce the figures of a paper, each written as soon as it is finished."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import polars as pl
from typing_extensions import override

from hayflick.core.checks import check_language
from hayflick.core.display import Report, Result, report_of
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import (
    ArgumentError,
    BudgetExhausted,
    EndpointError,
    SimulationInterrupted,
)
from hayflick.core.output import make_folder
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source
from hayflick.network.run import Say, quiet
from hayflick.papers.figure import Figure
from hayflick.papers.suresh2024 import figures as suresh2024
from hayflick.papers.wang2025 import figures as wang2025
from hayflick.papers.wang2025.models import MODEL_FIGURES, RUN, EndpointStudy, holds_run, real_texts

PAPERS = ("suresh2024", "wang2025")
"""The papers whose figures can be reproduced."""

PAGE = "index.html"
"""File name of the gallery's page, in the folder of the figures."""


class _GalleryReport(Report, Protocol):
    def save_figure(self, figure: Figure, folder: Path, *, lang: str) -> tuple[Path, ...]:
        """Write a figure as PNG, SVG, HTML, CSV and NetCDF, and return the paths."""


@dataclass(frozen=True, eq=False)
class Gallery(Result):
    """The figures of a paper.

    Parameters
    ----------
    paper
        One of `PAPERS`.
    figures
        The figures that were finished, in order.
    folder
        Where they were written; None if they were not.
    stopped
        Why the language models could not go on, such as an exhausted budget; empty if every
        figure was finished.
    """

    paper: str
    figures: tuple[Figure, ...]
    folder: Path | None = None
    stopped: str = ""

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return tuple(dict.fromkeys(one for figure in self.figures for one in figure.sources))

    @property
    def run(self) -> Path | None:
        """The folder with the run of the language models; None if there is no run."""
        run = None if self.folder is None else self.folder / RUN
        return run if run is not None and run.exists() else None

    @property
    def page(self) -> Path | None:
        """The page of all figures; None if none was written."""
        return self.folder / PAGE if self.folder is not None and self.figures else None

    def to_frame(self) -> pl.DataFrame:
        """Return the numbers behind all figures as one table, with a column ``figure``.

        Columns that only some figures have are null elsewhere.
        """
        parts = [one.curves.select(pl.lit(one.name).alias("figure"), "*") for one in self.figures]
        return pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame()


_FIGURE_S = 15.0


def reproduce(
    paper: str,
    *,
    figure: str | Sequence[str] = (),
    corpus: str | os.PathLike[str] | None = None,
    base_url: str | None = None,
    model: str | Sequence[str] = (),
    key_variable: str | None = None,
    query: str | None = None,
    rounds: int | None = None,
    answers: int | None = None,
    embedder: str | None = None,
    tokens: int | None = None,
    out: str | os.PathLike[str] | None = None,
    numbered: bool = False,
    lang: str = "en",
    force: bool = False,
    seed: int = 1,
    say: Say = quiet,
    progress: Progress = silent,
) -> Gallery:
    """Compute the figures of a paper, with exact laws beside its bounds and simulations.

    With `out`, every figure is written as PNG, SVG, HTML, CSV and NetCDF as soon as it is
    finished, and a page of all of them at the end. The figures of language models
    (``models`` and ``models-pool`` of wang2025) need `base_url`, `model` and `out`: their run is
    kept in ``models-run`` in that folder, and the same call resumes it.

    Parameters
    ----------
    paper
        ``suresh2024`` (arXiv:2412.17646) or ``wang2025`` (arXiv:2506.15690).
    figure
        Names of figures; all of them by default, those of language models if `base_url` is
        given.
    corpus
        The text of the unigrams and bigrams of suresh2024, by default the docstrings of Python's
        standard library; or real texts for the language models of wang2025, one a line, at
        least 20.
    base_url
        Endpoint with OpenAI's chat interface, for the language models of wang2025.
    model
        Model at the endpoint: one name for all three agents, or one for each.
    key_variable
        Environment variable that holds the endpoint's key.
    query
        Question about the texts of `corpus`, for the language models.
    rounds, answers
        Rounds of the language models, and answers of each in a round; 60 and 40 by default.
    embedder
        Turns answers into vectors; ``hashing`` by default.
    tokens
        Budget of the language models in tokens.
    out
        Folder to write to; nothing is written if None.
    numbered
        Whether a number is added to a folder that exists, unless it holds the run to resume.
    lang
        Language of the pictures and pages, ``en`` or ``ja``.
    force
        Whether figures are written into a folder that exists.
    seed
        Seed of the simulations.
    say
        Called with each message for the user.
    progress
        Called with the number of figures done.

    Raises
    ------
    ArgumentError
        If there is no such paper, figure or language, or an argument does not belong to the paper.
    DataError
        If the corpus cannot be read.
    OutputError
        If the folder exists and `force` is not set, or a file cannot be written.
    MissingExtraError
        If an extra that the language models need is not installed.
    SimulationInterrupted
        On Ctrl-C; `partial` is the gallery of the figures that were finished.

    Examples
    --------
    >>> gallery = reproduce("suresh2024", figure="theorem-3")
    >>> [(one.name, one.agreement < 4.5) for one in gallery.figures]
    [('theorem-3', True)]
    >>> gallery.to_frame().columns
    ['figure', 'generation', 'value', 'series']

    References
    ----------
    Suresh, Thangaraj and Khandavally, arXiv:2412.17646; Wang et al., arXiv:2506.15690.
    """
    check_language(lang)
    if paper not in PAPERS:
        raise ArgumentError("paper", got=paper, takes=f"one of {', '.join(PAPERS)}")
    study = _study(
        paper,
        corpus,
        base_url=base_url,
        model=[model] if isinstance(model, str) else [*model],
        key_variable=key_variable,
        query=query,
        rounds=rounds,
        answers=answers,
        embedder=embedder,
        tokens=tokens,
    )
    names: Sequence[str] = [figure] if isinstance(figure, str) else figure
    if paper == "suresh2024":
        names = names or suresh2024.FIGURES
        suresh2024.check_names(names)
    else:
        names = names or (*wang2025.FIGURES, *(MODEL_FIGURES if study else ()))
        wang2025.check_names(names, study=study)
    folder = None if out is None else Path(out)
    runs_models = any(name in MODEL_FIGURES for name in names)
    if runs_models and folder is None:
        takes = "a folder: the run of the language models is kept there"
        raise ArgumentError("out", got="none", takes=takes)
    if folder is not None:
        existing = _run_folder(folder, study, seed=seed, numbered=numbered) if runs_models else None
        folder = existing or make_folder(folder, numbered=numbered, force=force)
    work = f"making {len(names)} figure{'s' if len(names) > 1 else ''}"
    expect(progress, Effort(work, seconds=_FIGURE_S * len(names)))
    if paper == "suresh2024":
        text = None if corpus is None else os.fspath(corpus)
        figures = suresh2024.figures(names, seed=seed, corpus=text, progress=progress)
    else:
        figures = wang2025.figures(
            names, seed=seed, study=study, folder=folder, say=say, progress=progress
        )
    try:
        return _gallery(paper, figures, folder, lang=lang, say=say)
    except BaseException:
        # Remove a folder into which nothing was written: rmdir fails on any other.
        with suppress(OSError):
            if folder is not None:
                folder.rmdir()
        raise


def _study(
    paper: str, corpus: str | os.PathLike[str] | None, **settings: Any
) -> EndpointStudy | None:
    """Return the study of language models; None if no endpoint is given."""
    given = {name: value for name, value in settings.items() if value not in (None, [])}
    takes = ""
    if paper == "suresh2024":
        takes = "nothing for suresh2024: no language model is asked"
    elif "base_url" not in given:
        takes = "nothing for wang2025 without --base-url, an endpoint"
        given = given if corpus is None else {"corpus": str(corpus), **given}
    if takes:
        for name, value in given.items():
            raise ArgumentError(name, got=value, takes=takes)
        return None
    if "model" not in given:
        raise ArgumentError("model", got="none", takes="the name of a model at the endpoint")
    if (corpus is None) != ("query" not in given):
        got = "one of them"
        takes = "both or neither: real texts, and a question about them"
        raise ArgumentError("corpus and query", got=got, takes=takes)
    if corpus is not None:
        given["texts"] = real_texts(corpus)
    return EndpointStudy(models=given.pop("model"), **given)


def _run_folder(
    out: Path, study: EndpointStudy | None, *, seed: int, numbered: bool
) -> Path | None:
    """Return the folder that holds the run of this study already; None if there is none."""
    folder, number = out, 1
    while study is not None and folder.exists():
        if holds_run(folder, study, seed=seed):
            return folder
        if not numbered:
            return None
        number += 1
        folder = out.with_name(f"{out.name}-{number}")
    return None


def _gallery(
    paper: str, figures: Iterator[Figure], folder: Path | None, *, lang: str, say: Say
) -> Gallery:
    """Compute the figures and write each; return, or raise, the gallery of those finished."""
    report = cast(_GalleryReport, report_of(Gallery(paper, ())))
    finished: list[Figure] = []
    interrupted, stopped = False, ""
    try:
        for figure in figures:
            if folder is not None:
                report.save_figure(figure, folder, lang=lang)
            finished.append(figure)
    except KeyboardInterrupt:
        interrupted = True
    except (BudgetExhausted, EndpointError) as stop:
        stopped = str(stop)
        say(f"stopped: {stopped}")
    gallery = Gallery(paper, tuple(finished), folder, stopped)
    if (interrupted or stopped) and gallery.run is not None:
        more = "with a larger --tokens where the budget is used up"
        say(f"go on with the same command, {more}, or: hayflick network resume {gallery.run}")
    if gallery.page is not None:
        gallery.save(gallery.page, lang=lang, force=True)
    if interrupted:
        raise SimulationInterrupted(gallery)
    return gallery
