"""``hayflick reproduce``: the figures of a paper."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli.printing import (
    INCOMPLETE,
    INTERRUPTED,
    Lang,
    print_tables,
    say,
    say_interrupted,
    say_written,
)
from hayflick.core.progress import Progress, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hayflick.papers.figure import Figure
    from hayflick.papers.wang2025.models import EndpointStudy
    from hayflick.report.language import Language


class Paper(StrEnum):
    """Papers whose figures can be made."""

    SURESH2024 = "suresh2024"
    WANG2025 = "wang2025"


def reproduce_command(
    paper: Annotated[Paper, typer.Argument(metavar="PAPER", help="suresh2024 or wang2025.")],
    figure: Annotated[
        list[str] | None,
        typer.Option(
            help="A figure's name; several times for several. [default: all; those of language "
            "models, models and models-pool, where --base-url is given]",
            show_default=False,
        ),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="The text of the unigrams and bigrams of suresh2024 [default: the docstrings "
            "of Python's standard library]; or real texts for the models of wang2025, one a "
            "line, at least 20 [default: 20 sentences about an old bridge].",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to. [default: the paper's name, numbered if taken]",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Endpoint with the chat interface of OpenAI, for the models of wang2025.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Model to ask there: one for all three agents, or three times for one each.",
            show_default=False,
        ),
    ] = None,
    key_variable: Annotated[
        str | None,
        typer.Option(help="Environment variable that holds its key.", show_default=False),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(help="Question about the texts of --corpus.", show_default=False),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Rounds of the models. [default: 60]", show_default=False),
    ] = None,
    answers: Annotated[
        int | None,
        typer.Option(help="Answers of a model in a round. [default: 40]", show_default=False),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option(
            help="What turns answers into vectors: hashing, sentence:MODEL or endpoint:... "
            "[default: hashing]",
            show_default=False,
        ),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(help="Budget of the models in tokens.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulations.")] = 1,
    lang: Annotated[Lang, typer.Option(help="Language of the figures.")] = Lang.EN,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that exists.")
    ] = False,
) -> int:
    """Make the figures of a paper, with the exact laws beside its bounds.

    Writes a gallery page, and every figure as PNG, SVG, HTML, CSV and NetCDF.

    With --base-url, language models are asked. Their run is kept in OUT/models-run: the same
    command goes on with it. Exit code 3: it stopped before its end.
    """
    from hayflick.report.language import Language

    asked = _asked(
        paper,
        corpus,
        base_url=base_url,
        model=model,
        key_variable=key_variable,
        query=query,
        rounds=rounds,
        answers=answers,
        embedder=embedder,
        tokens=tokens,
    )
    every, check_names, figures = _figures_of(paper, corpus, asked)
    names = tuple(figure or every)
    check_names(names)
    folder = _kept(paper, out, asked, seed=seed) if _asks(names) else None
    folder = folder or _new(paper, out, force=force)
    try:
        return _make(partial(figures, names, seed=seed), folder, Language(lang.value))
    except BaseException:
        # What holds nothing is not left behind; what holds something cannot be removed so.
        with suppress(OSError):
            folder.rmdir()
        raise


def _make(figures: Callable[..., Iterator[Figure]], folder: Path, language: Language) -> int:
    """Make figures one after the other, then their page, and return the exit code."""
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.core.output import write_text
    from hayflick.report.gallery import gallery_page, save_figure
    from hayflick.report.gallery_table import gallery_table

    made: list[Figure] = []
    code = 0
    with progress_bar() as progress:
        try:
            for finished in figures(folder=folder, say=say, progress=progress):
                save_figure(finished, folder, language=language)
                made.append(finished)
        except KeyboardInterrupt:
            code = INTERRUPTED
        except (BudgetExhausted, EndpointError) as stop:
            say(f"stopped: {stop}")
            code = INCOMPLETE
    kept = code != 0 and _said_how_to_go_on(folder)
    if made:
        gallery = folder / "index.html"
        write_text(gallery, gallery_page(made, language), force=True)
        if code == INTERRUPTED:
            say_interrupted()
        print_tables([gallery_table(made, language)])
        say_written(gallery)
    elif code == INTERRUPTED:
        if not kept:
            raise KeyboardInterrupt
        say("interrupted: what was answered is kept")
    return code


def _figures_of(
    paper: Paper, corpus: Path | None, asked: EndpointStudy | None
) -> tuple[Sequence[str], Callable[[Sequence[str]], None], Callable[..., Iterator[Figure]]]:
    """Return the names of a paper's figures, their check, and what makes them."""
    from hayflick.papers.suresh2024 import figures as suresh2024
    from hayflick.papers.wang2025 import figures as wang2025
    from hayflick.papers.wang2025.models import MODEL_FIGURES

    if paper is Paper.SURESH2024:
        text = None if corpus is None else str(corpus)

        def make(
            names: Sequence[str], *, seed: int, progress: Progress, **_: object
        ) -> Iterator[Figure]:
            return suresh2024.figures(names, seed=seed, corpus=text, progress=progress)

        return suresh2024.FIGURES, suresh2024.check_names, make
    every = wang2025.FIGURES if asked is None else (*wang2025.FIGURES, *MODEL_FIGURES)
    return (
        every,
        partial(wang2025.check_names, asked=asked),
        partial(wang2025.figures, asked=asked),
    )


def _asked(paper: Paper, corpus: Path | None, **settings: Any) -> EndpointStudy | None:
    """Return which models are asked what; None where no endpoint is given."""
    from hayflick.core.errors import ArgumentError
    from hayflick.papers.wang2025.models import EndpointStudy, real_texts

    given = {name: value for name, value in settings.items() if value not in (None, [])}
    if paper is Paper.SURESH2024:
        for name, value in given.items():
            takes = "nothing for suresh2024: no language model is asked"
            raise ArgumentError(name, got=value, takes=takes)
        return None
    if "base_url" not in given:
        without = given if corpus is None else {"corpus": str(corpus), **given}
        for name, value in without.items():
            takes = "nothing for wang2025 without --base-url, an endpoint"
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


def _asks(names: Sequence[str]) -> bool:
    from hayflick.papers.wang2025.models import MODEL_FIGURES

    return any(name in MODEL_FIGURES for name in names)


def _kept(paper: Paper, out: Path | None, asked: EndpointStudy | None, *, seed: int) -> Path | None:
    """Return the folder that holds the run of these models already; None where none does."""
    from hayflick.papers.wang2025.models import holds_run

    folder, number = out or Path(paper.value), 1
    while asked is not None and folder.exists():
        if holds_run(folder, asked, seed=seed):
            return folder
        if out is not None:
            return None
        number += 1
        folder = Path(f"{paper.value}-{number}")
    return None


def _new(paper: Paper, out: Path | None, *, force: bool) -> Path:
    from hayflick.core.output import check_new_folder, make_folder

    check_new_folder(out, force=force)
    return make_folder(out or Path(paper.value), numbered=out is None, force=force)


def _said_how_to_go_on(folder: Path) -> bool:
    """Say how a run that is kept is gone on with; return whether there is one."""
    from hayflick.papers.wang2025.models import RUN

    kept = (folder / RUN).exists()
    if kept:
        more = "with a larger --tokens where the budget is used up"
        say(f"go on with the same command, {more}, or: hayflick network resume {folder / RUN}")
    return kept
