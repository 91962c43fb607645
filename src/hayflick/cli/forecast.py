"""``hayflick forecast``: how many rounds until the rare things are gone."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    split_columns,
)
from hayflick.core.output import check_folder, default_name, write_text
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.forecast_result import Forecast
    from hayflick.planning.series_forecast import SeriesForecast


class Family(StrEnum):
    """Families to choose from."""

    DISCRETE = "discrete"
    GAUSSIAN = "gaussian"
    MULTIVARIATE_GAUSSIAN = "multivariate-gaussian"
    POISSON = "poisson"
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
        Family | None,
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
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="How text is split: auto, words, whitespace, lines, characters:N, mixed or "
            "japanese. [default: auto for a text, whole cells for a table]",
            show_default=False,
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a text or table.")] = "utf-8",
    regime: Annotated[
        str,
        typer.Option(
            help="What each round is trained on: replace, fresh:SHARE, periodic:SHARE,every=T, "
            "scheduled:FILE (columns samples and fresh), anchor:FILE (a reserve of real items "
            "that is part of every round); for numbers also accumulate or accumulate-subsample."
        ),
    ] = "replace",
    generations: Annotated[int, typer.Option(help="Rounds of recursive training.")] = 50,
    samples: Annotated[
        int | None,
        typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
    ] = None,
    delta: Annotated[
        float, typer.Option(help="Pseudo-count of add-delta smoothing; 0 is maximum likelihood.")
    ] = 0.0,
    law: Annotated[Law, typer.Option(help="Law of survival.")] = Law.AUTO,
    replicates: Annotated[int, typer.Option(help="Simulated runs; 0 for the law alone.")] = 64,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads. [default: one per processor]", show_default=False),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
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
    lang: Annotated[Lang, typer.Option(help="Language of the table and the pages.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> int:
    """Forecast which words or labels are lost, or how much spread, and how soon.

    Prints a short table and writes one self-contained HTML report.
    """
    from hayflick.report.publishing import forecast

    if out is None and output_format is Format.TABLE:
        check_folder(Path())
    with progress_bar() as progress:
        result = forecast(
            source,
            family=None if family is None else family.value,
            column=column,
            columns=None if columns is None else split_columns(columns),
            order=order,
            tokenizer=tokenizer,
            encoding=encoding,
            delta=delta,
            regime=regime,
            generations=generations,
            samples=samples,
            law=law.value,
            replicates=replicates,
            seed=seed,
            threads=threads,
            out=out,
            brief=brief,
            lang=lang.value,
            force=force,
            progress=progress,
        )
    _warn(result, family=family, tokenizer=tokenizer)
    # First the files: whoever reads the table may leave before its end.
    if out is None and output_format is Format.TABLE:
        out = _write_default(result, source, lang.value)
    say_written(out, brief)
    _print(result, output_format, lang.value)
    return INTERRUPTED if result.interrupted else 0


def _write_default(result: Forecast | SeriesForecast, source: Path, lang: str) -> Path:
    from hayflick.report.pages import forecast_page

    path = default_name(source.resolve().stem, prefix="forecast-", suffix=".html")
    return write_text(path, forecast_page(result, lang=lang), numbered=True)


def _warn(
    result: Forecast | SeriesForecast, *, family: Family | None, tokenizer: str | None
) -> None:
    from hayflick.planning.forecast_result import Forecast

    if isinstance(result, Forecast):
        _warn_of_reading(result, asked=tokenizer)
    elif family is None and result.family == "gaussian":
        say_gaussian(result.source.column)
    if result.interrupted:
        say_interrupted()


def _warn_of_reading(result: Forecast, *, asked: str | None) -> None:
    source = result.model.source
    if source.missing:
        print(f"warning: empty cells left out: {source.missing}", file=sys.stderr)
    if asked in (None, "auto") and source.tokenizer == "mixed":
        print(
            "note: scripts without spaces are counted by pairs of characters; Japanese words "
            "take --tokenizer japanese and the extra ja",
            file=sys.stderr,
        )


def _print(result: Forecast | SeriesForecast, output_format: Format, lang: str) -> None:
    from hayflick.report.presenting import record_of, tables_of

    if output_format is Format.JSON:
        print_json(record_of(result))
    else:
        print_tables(tables_of(result, lang=lang))
