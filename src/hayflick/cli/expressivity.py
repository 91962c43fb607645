"""``hayflick expressivity``: what an estimator's discreteness costs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.printing import (
    INTERRUPTED,
    print_result,
    say_gaussian,
    say_interrupted,
    say_written,
)
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar


class EstimatorFamily(StrEnum):
    """Families that estimators are compared for."""

    DISCRETE = "discrete"
    GAUSSIAN = "gaussian"


def expressivity_command(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A text, a folder of texts, a table or counts.")
    ],
    column: options.ColumnOption = None,
    family: Annotated[
        EstimatorFamily | None,
        typer.Option(
            help="Words and labels are discrete, numbers Gaussian. [default: Gaussian for a "
            "column of numbers that are not whole]",
            show_default=False,
        ),
    ] = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    generations: Annotated[
        int | None,
        typer.Option(
            help="Rounds to look ahead. [default: twice as many as a line of the first estimator "
            "lasts]",
            show_default=False,
        ),
    ] = None,
    samples: options.SamplesOption = None,
    replicates: Annotated[
        int | None, typer.Option(help="Runs per simulation. [default: by size]", show_default=False)
    ] = None,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Compare estimators by how long a line of models lasts.

    Everything else held fixed, it varies the estimator, its smoothing and the grid (bits) that
    its values are rounded to.
    """
    from hayflick.chains.gaussian import Gaussian
    from hayflick.planning.expressivity import expressivity

    if out is not None:
        check_page(out, inputs=[source], force=force)
    with progress_bar(yes=yes) as progress:
        result = expressivity(
            source,
            column=column,
            family=None if family is None else family.value,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            generations=generations,
            samples=samples,
            replicates=replicates,
            seed=seed,
            threads=threads,
            progress=progress,
        )
    if family is None and isinstance(result.model, Gaussian):
        say_gaussian(column)
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    say_written(out)
    if result.interrupted:
        say_interrupted()
    print_result(result, output_format, lang)
    return INTERRUPTED if result.interrupted else 0
