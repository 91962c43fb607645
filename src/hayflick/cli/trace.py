"""``hayflick trace``: who started a phrase, in a network's run or a log with retrieval."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.printing import expect_page, print_result, say_written
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

_optional = partial(typer.Option, show_default=False)


def trace_command(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN_DIR|LOG",
            help="The folder of a network's run; or with --retrieved answers in the order of time: "
            "a table or a log, as watch reads it.",
        ),
    ],
    phrase: Annotated[
        str,
        typer.Argument(
            metavar="PHRASE",
            help="Some words, or a whole planted text: five of its words in a row are enough.",
        ),
    ],
    retrieved: Annotated[
        str | None,
        _optional(
            help="In a log: the column of what was retrieved for an answer, a list of texts or of "
            "objects.",
            metavar="COLUMN",
        ),
    ] = None,
    text: options.TextOption = None,
    by: options.ByOption = None,
    group: Annotated[
        str | None, _optional(help="The column that says who answered.", metavar="COLUMN")
    ] = None,
    prompt: Annotated[
        str | None, _optional(help="The column that says what was asked.", metavar="COLUMN")
    ] = None,
    log: options.LogOption = None,
    tokenizer: Annotated[
        str, typer.Option(help="How texts are split into words; mixed is for all scripts.")
    ] = "mixed",
    normalize: options.NormalizeOption = options.Normalize.CASEFOLD,
    confidence: Annotated[
        float, typer.Option(help="Probability with which the intervals hold the truth.")
    ] = 0.95,
    encoding: options.EncodingOption = "utf-8",
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: options.SkipBadOption = False,
    seed: options.SeedOption = 1,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> None:
    """Trace a phrase, or a planted text, back to its origin.

    Shows who started it and who passed it on, as a tree.
    """
    if out is not None:
        check_page(out, inputs=[source], force=force)
        expect_page()
    from hayflick.network.trace import trace

    with progress_bar(yes=yes) as progress:
        found = trace(
            source,
            phrase,
            retrieved=retrieved,
            text=text,
            by=by,
            group=group,
            prompt=prompt,
            log=log,
            skip_bad=skip_bad,
            encoding=encoding,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            tokenizer=tokenizer,
            normalize=normalize.value,
            confidence=confidence,
            seed=seed,
            progress=progress,
        )
    if out is not None:
        found.save(out, lang=lang.value, force=force)
    print_result(found, output_format, lang)
    say_written(out)
