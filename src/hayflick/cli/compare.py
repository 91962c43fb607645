"""``hayflick compare``: two sets of answers side by side, the gate for a release."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import options
from hayflick.cli.printing import ALARM, expect_page, print_result, say, say_written
from hayflick.cli.summary import PlotOption, SummaryOption, check_summary, write_summary
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.monitor.compare_result import Comparison

_optional = partial(typer.Option, show_default=False)
_TABLE = (
    "Answers: .jsonl, .ndjson, .json, .csv, .tsv, .parquet or .xlsx, also .gz and .zst; a log of a "
    "tool, a folder of them, their URL in an object store (s3://…), or - for standard input."
)


def compare_command(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_TABLE)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The answers to compare with them.")],
    text: options.TextOption = None,
    log: options.LogOption = None,
    prompt: Annotated[
        str | None,
        _optional(
            help="The column that says what was asked: both are compared at the same mix of "
            "prompts, and prompts that only one has are left out.",
            metavar="COLUMN",
        ),
    ] = None,
    value: Annotated[
        list[str] | None,
        _optional(
            help="A column of numbers that is compared too; several are allowed.", metavar="COLUMN"
        ),
    ] = None,
    vectors: Annotated[
        str | None,
        _optional(help="A column of lists of numbers, in place of an embedder.", metavar="COLUMN"),
    ] = None,
    fail_below: Annotated[
        float | None,
        _optional(
            help="Exit code 1 if a number fell, beyond chance, to less than this share of the old "
            "one: its estimate is below the share, and its interval below 1.",
            metavar="SHARE",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(help="Probability with which all intervals hold together.")
    ] = 0.95,
    embedder: options.EmbedderOption = "hashing",
    cache: options.CacheOption = None,
    tokenizer: options.WordsOption = "auto",
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: options.SkipBadOption = False,
    seed: options.SeedOption = 1,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    plot: PlotOption = None,
    summary: SummaryOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Compare two sets of answers: which numbers differ.

    Says by how much. Two releases, two models, two settings. Exit code 0, or 1 under --fail-below.
    """
    from hayflick.monitor.compare_result import checked_share

    share = None if fail_below is None else checked_share(fail_below)
    check_summary(summary, plot, inputs=[old, new, out], force=force)
    if out is not None:
        check_page(out, inputs=[old, new], force=force)
        expect_page()
    from hayflick.monitor.compare import compare

    with progress_bar(yes=yes) as progress:
        result = compare(
            old,
            new,
            text=text,
            log=log,
            prompt=prompt,
            values=value or (),
            vectors=vectors,
            embedder=embedder,
            cache=cache,
            tokenizer=tokenizer,
            confidence=confidence,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            seed=seed,
            progress=progress,
        )
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    write_summary(result, summary, plot, lang=lang, force=force, fail_below=share)
    print_result(result, output_format, lang)
    say_written(out, plot, summary)
    return 0 if share is None else _gate(result, share, lang)


def _gate(result: Comparison, share: float, lang: options.Lang) -> int:
    """Say which numbers decide, and return the exit code."""
    from hayflick.report.compare_findings import gate_sentences
    from hayflick.report.language import Language

    for sentence in gate_sentences(result, share, Language(lang.value)):
        say(sentence)
    return ALARM if result.below(share) else 0
