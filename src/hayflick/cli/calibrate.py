"""``hayflick calibrate``: what a trainer is like, and what comes next."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import expect_page, print_result, say_written
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import values
from hayflick.core.output import check_not_input, check_page
from hayflick.core.progress import progress_bar

_optional = partial(typer.Option, show_default=False)


def calibrate_command(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="REAL ROUND...",
            help="The real data, then what each round was trained on, in their order: texts, "
            "folders of texts, tables or JSON objects of symbol: count. With --by one table of "
            "all rounds, the first of them the real data.",
            show_default=False,
        ),
    ],
    by: options.ByOption = None,
    text: Annotated[
        str | None,
        _optional(metavar="COLUMN", help="The column of the texts, of one table with --by."),
    ] = None,
    column: Annotated[
        str | None, _optional(metavar="COLUMN", help="The column of the labels, of tables.")
    ] = None,
    value: Annotated[
        list[str] | None,
        _optional(
            metavar="COLUMN",
            help="A column of numbers, of tables: the trainer is then that of a Gaussian. May be "
            "repeated.",
        ),
    ] = None,
    curve: Annotated[
        Path | None,
        _optional(
            metavar="FILE",
            help="Where no counts were kept: a table or JSON of round and share (of the types of "
            "the real data that the round held), beside the real data alone.",
        ),
    ] = None,
    regime: Annotated[
        str,
        typer.Option(
            help="What the rounds were trained on, and will be: replace, fresh:SHARE, "
            "periodic:SHARE,every=T, scheduled:FILE or anchor:FILE.",
            autocompletion=completion.regimes,
        ),
    ] = "replace",
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    ahead: Annotated[int, typer.Option(help="Rounds to forecast.")] = 5,
    keep: Annotated[
        float | None,
        _optional(
            help="Share of the words or labels to keep; the answer says how much fresh data keeps "
            "it. [default: what the last recorded round holds]"
        ),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Simulated runs.")] = 200,
    seed: options.SeedOption = 1,
    output_format: options.FormatOption = options.Format.TABLE,
    save: Annotated[
        Path | None,
        _optional(
            metavar="FILE",
            help="Where to write the calibration (.json), which --resampler of other commands "
            "takes.",
        ),
    ] = None,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Calibrate on recorded rounds of your own trainer.

    Says what the trainer is like, and what comes next.

    Prints the answer in words, the forecast with its interval, and where the trainer departs from
    the chain.
    """
    inputs: list[str | Path | None] = [*sources, curve, *values(regime)]
    if save is not None:
        from hayflick.calibration.calibrated_trainer import check_calibration_path

        if out is not None and out.resolve() == save.resolve():
            raise ArgumentError("save", got=str(save), takes="another file than out")
        check_not_input(save, inputs)
        check_calibration_path(save, name="save", force=force)
    if out is not None:
        check_page(out, inputs=inputs, force=force)
        expect_page()
    from hayflick.calibration.calibrate import calibrate

    with progress_bar(yes=yes) as progress:
        result = calibrate(
            sources,
            by=by,
            text=text,
            column=column,
            values=value or None,
            curve=curve,
            regime=regime,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            ahead=ahead,
            keep=keep,
            replicates=replicates,
            seed=seed,
            progress=progress,
        )
    # First the files: whoever reads the table may leave before its end.
    for path in (save, out):
        if path is not None:
            result.save(path, lang=lang.value, force=force)
    say_written(save, out)
    print_result(result, output_format, lang)
    return 0
