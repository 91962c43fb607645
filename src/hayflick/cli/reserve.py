"""``hayflick reserve``: which real items to store, to train on again in every round."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.printing import print_result, say_written
from hayflick.core.output import check_folder, check_not_input, check_writable, default_name
from hayflick.core.progress import progress_bar


class Weights(StrEnum):
    """What covering a symbol is worth."""

    UNIFORM = "uniform"
    FREQUENCY = "frequency"


def reserve_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A text (its lines are the items), a folder (its texts) or a table (its rows).",
        ),
    ],
    size: Annotated[
        int | None, typer.Option(help="How many items to store.", show_default=False)
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(help="How many tokens to store, instead of --size.", show_default=False),
    ] = None,
    weights: Annotated[
        Weights, typer.Option(help="What a symbol in the reserve is worth: the same, or its count.")
    ] = Weights.UNIFORM,
    must_keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Symbols that alone have weight: one per line, a JSON list (.json), or a table "
            "with a column symbol.",
            show_default=False,
        ),
    ] = None,
    column: options.ColumnOption = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the uniform samples to compare with.")] = 1,
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Reserve to write: .jsonl, .txt for the plain text, or .html for a page. "
            "[default: reserve-INPUT.jsonl, numbered if taken]",
            show_default=False,
        ),
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Choose the real items to store that cover the most.

    Items are the lines of a text, the rows of a table or the texts of a folder.
    Writes them as they are; --regime anchor:FILE trains on them in every round.
    """
    from hayflick.planning.reserve import check_suffix, reserve

    if out is None:
        check_folder(Path())
    else:
        check_suffix(out, column=column)
        check_not_input(out, [source, must_keep])
        check_writable(out, force=force)
    with progress_bar(yes=yes) as progress:
        result = reserve(
            source,
            size=size,
            tokens=tokens,
            must_keep=must_keep,
            weights=weights.value,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            seed=seed,
            progress=progress,
        )
    if out is None:
        path = default_name(source.resolve().stem, prefix="reserve-", suffix=".jsonl")
        out = result.save(path, numbered=True)
    else:
        result.save(out, lang=lang.value, force=force)
    say_written(out)
    print_result(result, output_format, lang)
    return 0
