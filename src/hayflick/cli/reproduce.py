"""``hayflick reproduce``: the figures of a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.printing import INTERRUPTED, Lang, print_tables, say_interrupted, say_written
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hayflick.workflows.figure import Figure


class Paper(StrEnum):
    """Papers whose figures can be made."""

    SURESH2024 = "suresh2024"
    WANG2025 = "wang2025"


def reproduce_command(
    paper: Annotated[Paper, typer.Argument(metavar="PAPER", help="suresh2024 or wang2025.")],
    figure: Annotated[
        list[str] | None,
        typer.Option(help="A figure's name; several times for several. [default: all]"),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="The text of the unigrams and bigrams of suresh2024. [default: the docstrings "
            "of Python's standard library]",
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
    seed: Annotated[int, typer.Option(help="Seed of the simulations.")] = 1,
    lang: Annotated[Lang, typer.Option(help="Language of the figures.")] = Lang.EN,
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that exists.")
    ] = False,
) -> int:
    """Make the figures of a paper, with the exact laws beside its bounds.

    Writes a gallery page, and every figure as PNG, SVG, HTML, CSV and NetCDF.
    """
    from hayflick.core.output import check_new_folder, make_folder, write_text
    from hayflick.report.gallery import gallery_page, save_figure
    from hayflick.report.gallery_table import gallery_table
    from hayflick.report.language import Language

    every, check_names, figures = _figures_of(paper, corpus)
    names = tuple(figure or every)
    check_names(names)
    language = Language(lang.value)
    check_new_folder(out, force=force)
    made: list[Figure] = []
    folder, interrupted = out or Path(paper.value), False
    with progress_bar() as progress:
        try:
            for finished in figures(names, seed=seed, progress=progress):
                if not made:
                    folder = make_folder(folder, numbered=out is None, force=force)
                save_figure(finished, folder, language=language)
                made.append(finished)
        except KeyboardInterrupt:
            interrupted = True
    if not made:
        raise KeyboardInterrupt
    gallery = folder / "index.html"
    write_text(gallery, gallery_page(made, language), force=True)
    if interrupted:
        say_interrupted()
    print_tables([gallery_table(made, language)])
    say_written(gallery)
    return INTERRUPTED if interrupted else 0


def _figures_of(
    paper: Paper, corpus: Path | None
) -> tuple[Sequence[str], Callable[[Sequence[str]], None], Callable[..., Iterator[Figure]]]:
    """Return the names of a paper's figures, their check, and what makes them."""
    from functools import partial

    from hayflick.core.errors import ArgumentError
    from hayflick.workflows.suresh2024 import figures as suresh2024
    from hayflick.workflows.wang2025 import figures as wang2025

    if paper is Paper.SURESH2024:
        make = partial(suresh2024.figures, corpus=None if corpus is None else str(corpus))
        return suresh2024.FIGURES, suresh2024.check_names, make
    if corpus is not None:
        takes = "nothing for wang2025: none of its figures is of a text"
        raise ArgumentError("corpus", got=str(corpus), takes=takes)
    return wang2025.FIGURES, wang2025.check_names, wang2025.figures
