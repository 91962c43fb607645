"""``hayflick forecast``: how many rounds until the rare things are gone."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import (
    INTERRUPTED,
    expect_page,
    print_result,
    say_gaussian,
    say_interrupted,
    say_written,
)
from hayflick.core.display import report_of
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import values
from hayflick.core.output import check_folder, check_page, default_name, write_text
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.forecast_result import BaseForecast


class FamilyName(StrEnum):
    """Families to choose from."""

    DISCRETE = "discrete"
    GAUSSIAN = "gaussian"
    MULTIVARIATE_GAUSSIAN = "multivariate-gaussian"
    POISSON = "poisson"
    NEGATIVE_BINOMIAL = "negative-binomial"
    NGRAM = "ngram"


class Law(StrEnum):
    """Laws to choose from."""

    AUTO = "auto"
    EXACT = "exact"
    BRANCHING = "branching"


def forecast_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A text, a folder of texts, a table (.csv, .tsv, .jsonl, .ndjson, .parquet, "
            ".xlsx) or a JSON object of symbol: count.",
        ),
    ],
    column: Annotated[
        str | None, typer.Option(help="The column of a table; its cells are labels, or numbers.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Columns of numbers, separated by commas, for a multivariate Gaussian.",
            show_default=False,
        ),
    ] = None,
    family: Annotated[
        FamilyName | None,
        typer.Option(
            help="What is retrained. [default: multivariate-gaussian for several columns, gaussian "
            "for a column of numbers that are not all whole, else discrete]",
            show_default=False,
        ),
    ] = None,
    order: Annotated[
        int | None,
        typer.Option(
            help="Order of an n-gram model, with --family ngram. [default: 2]", show_default=False
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
    regime: Annotated[
        str,
        typer.Option(
            help="What each round is trained on: replace, fresh:SHARE, periodic:SHARE,every=T, "
            "scheduled:FILE (columns samples and fresh), anchor:FILE (a reserve of real items "
            "that is part of every round); for numbers also accumulate or accumulate-subsample.",
            autocompletion=completion.regimes,
        ),
    ] = "replace",
    generations: Annotated[int, typer.Option(help="Rounds of recursive training.")] = 50,
    samples: options.SamplesOption = None,
    delta: Annotated[
        float, typer.Option(help="Pseudo-count of add-delta smoothing; 0 is maximum likelihood.")
    ] = 0.0,
    law: Annotated[Law, typer.Option(help="Law of survival.")] = Law.AUTO,
    confidence: Annotated[
        float,
        typer.Option(
            help="Share of runs that are to stay within the limit in every round, above 0 and "
            "below 1."
        ),
    ] = 0.95,
    at_least: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Examples that a training set must hold of a symbol to keep it, or as many as "
            "the data hold. [default: 5 of a label, 1 of a word]",
            show_default=False,
        ),
    ] = None,
    resampler: options.ResamplerOption = None,
    replicates: Annotated[
        int | None,
        typer.Option(
            help="Simulated runs; 0 for the law alone. [default: 64; 256 with --resampler]",
            show_default=False,
        ),
    ] = None,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Report to write. [default: forecast-INPUT.html, numbered if taken; none with "
            "--format json]",
            show_default=False,
        ),
    ] = None,
    brief: Annotated[
        Path | None, typer.Option(help="One-page brief to write.", show_default=False)
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Forecast which words or labels are lost, and how soon.

    Of a column of numbers: how much of its spread.
    Prints a short table and writes one self-contained HTML report.
    """
    if out is not None and brief is not None and out.resolve() == brief.resolve():
        raise ArgumentError("brief", got=str(brief), takes="another file than out")
    inputs: list[str | Path] = [source, *values(regime)]
    for name, path in (("out", out), ("brief", brief)):
        if path is not None:
            check_page(path, name=name, inputs=inputs, force=force)
    is_default = out is None and output_format is options.Format.TABLE
    if is_default:
        check_folder(Path())
    if is_default or out is not None:
        expect_page()
    from hayflick.planning.forecast import forecast
    from hayflick.simulation.executors import open_executor

    options.check_threads(threads, scheduler=scheduler, workers=workers)
    with open_executor(scheduler, workers=workers) as executor, progress_bar(yes=yes) as progress:
        result = forecast(
            source,
            family=None if family is None else family.value,
            column=column,
            columns=None if columns is None else options.split_columns(columns),
            order=order,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            delta=delta,
            regime=regime,
            generations=generations,
            samples=samples,
            law=law.value,
            confidence=confidence,
            at_least=at_least,
            resampler=resampler,
            replicates=replicates,
            seed=seed,
            threads=threads,
            executor=executor,
            progress=progress,
        )
    _warn(result, family=family, tokenizer=tokenizer)
    # First the files: whoever reads the table may leave before its end.
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    if brief is not None:
        result.save(brief, lang=lang.value, force=force, brief=True)
    if is_default:
        path = default_name(source.resolve().stem, prefix="forecast-", suffix=".html")
        out = write_text(path, report_of(result).page(result, lang=lang.value), numbered=True)
    say_written(out, brief)
    print_result(result, output_format, lang)
    return INTERRUPTED if result.interrupted else 0


def _warn(result: BaseForecast, *, family: FamilyName | None, tokenizer: str | None) -> None:
    source = result.source
    if source.missing:
        print(f"warning: empty cells left out: {source.missing}", file=sys.stderr)
    if result.family == "gaussian" and family is None:
        say_gaussian(source.column)
    is_chosen = tokenizer not in (None, "auto")
    if result.family == "discrete" and source.tokenizer == "mixed" and not is_chosen:
        print(
            "note: runs of scripts without spaces are counted by pairs of characters, all others "
            "by words; Japanese words take --tokenizer japanese and the extra ja",
            file=sys.stderr,
        )
    if result.interrupted:
        say_interrupted()
