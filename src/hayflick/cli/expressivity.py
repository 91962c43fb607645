"""``hayflick expressivity``: what an estimator's discreteness costs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hayflick.cli.printing import (
    INTERRUPTED,
    Format,
    Lang,
    print_json,
    print_tables,
    say_gaussian,
    say_interrupted,
    say_written,
)
from hayflick.core.output import write_text
from hayflick.core.progress import progress_bar


class Family(StrEnum):
    """Families that estimators are compared for."""

    DISCRETE = "discrete"
    GAUSSIAN = "gaussian"


def expressivity_command(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A text, a folder of texts, a table or counts.")
    ],
    column: Annotated[
        str | None, typer.Option(help="The column of a table.", show_default=False)
    ] = None,
    family: Annotated[
        Family | None,
        typer.Option(
            help="Words and labels are discrete, numbers Gaussian. [default: Gaussian for a "
            "column of numbers that are not whole]",
            show_default=False,
        ),
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="How text is split.", show_default=False)
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a text or table.")] = "utf-8",
    generations: Annotated[int, typer.Option(help="Rounds to look ahead.")] = 50,
    samples: Annotated[
        int | None,
        typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(help="Runs per simulation. [default: by size]", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulations.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads. [default: one per processor]", show_default=False),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option(help="HTML page to write.", show_default=False)
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table and the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> int:
    """Compare estimators by how long a line of models lasts.

    Everything else held fixed, it varies the estimator, its smoothing and the grid (bits) that
    its values are rounded to.
    """
    from hayflick.chains.parsing import FamilyData, parse_family
    from hayflick.core.output import check_page
    from hayflick.planning.expressivity import compare_estimators
    from hayflick.planning.inputs import InputOptions, chosen_family
    from hayflick.report.expressivity import (
        expressivity_page,
        expressivity_record,
        expressivity_tables,
    )

    if out is not None:
        check_page(out, inputs=[source], force=force)
    with progress_bar() as progress:
        columns = () if column is None else (column,)
        data = FamilyData(str(source), columns, tokenizer, encoding, progress)
        reading = InputOptions(family and family.value, columns, None, tokenizer, encoding)
        chosen = chosen_family(source, reading)
        if family is None and chosen == "gaussian":
            say_gaussian(column)
        model: Any = parse_family(chosen, data=data)
        result = compare_estimators(
            model,
            generations=generations,
            samples=samples,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if out is not None:
        write_text(out, expressivity_page(result, lang=lang.value), force=force)
    say_written(out)
    if result.interrupted:
        say_interrupted()
    if output_format is Format.JSON:
        print_json(expressivity_record(result))
    else:
        print_tables(expressivity_tables(result, lang=lang.value))
    return INTERRUPTED if result.interrupted else 0
