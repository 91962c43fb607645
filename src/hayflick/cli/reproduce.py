"""``hayflick reproduce``: the figures of a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import (
    INCOMPLETE,
    INTERRUPTED,
    print_result,
    say,
    say_interrupted,
    say_written,
)
from hayflick.core.errors import SimulationInterrupted
from hayflick.core.progress import progress_bar


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
        str | None, typer.Option(help="Question about the texts of --corpus.", show_default=False)
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(help="Rounds of the models. [default: 60]", show_default=False)
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
            autocompletion=completion.embedders,
            show_default=False,
        ),
    ] = None,
    tokens: Annotated[
        int | None, typer.Option(help="Budget of the models in tokens.", show_default=False)
    ] = None,
    seed: options.SeedOption = 1,
    lang: options.LangOption = options.Lang.EN,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that exists.")
    ] = False,
    yes: options.YesOption = False,
) -> int:
    """Make the figures of a paper, with exact laws beside them.

    Writes a gallery page, and every figure as PNG, SVG, HTML, CSV and NetCDF.

    With --base-url, language models are asked. Their run is kept in OUT/models-run: the same
    command goes on with it. Exit code 3: it stopped before its end.
    """
    from hayflick.papers.reproduce import reproduce

    interrupted = False
    with progress_bar(yes=yes) as progress:
        try:
            gallery = reproduce(
                paper.value,
                figure=figure or (),
                corpus=corpus,
                base_url=base_url,
                model=model or (),
                key_variable=key_variable,
                query=query,
                rounds=rounds,
                answers=answers,
                embedder=embedder,
                tokens=tokens,
                out=out or paper.value,
                numbered=out is None,
                lang=lang.value,
                force=force,
                seed=seed,
                say=say,
                progress=progress,
            )
        except SimulationInterrupted as stop:
            gallery, interrupted = stop.partial, True
    if gallery.figures:
        if interrupted:
            say_interrupted()
        print_result(gallery, options.Format.TABLE, lang)
        say_written(gallery.page)
    elif interrupted:
        if gallery.run is None:
            raise KeyboardInterrupt
        say("interrupted: what was answered is kept")
    return INTERRUPTED if interrupted else INCOMPLETE if gallery.stopped else 0
