"""``hayflick forecast``: how many rounds until the rare things are gone."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.core.output import check_folder, default_name, write_text
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.forecast import Forecast

INTERRUPTED = 130


class Format(StrEnum):
    """What standard output carries."""

    TABLE = "table"
    JSON = "json"


class Lang(StrEnum):
    """Languages of the table and the pages."""

    EN = "en"
    JA = "ja"


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
        str | None, typer.Option(help="The column of a table; its cells are labels.")
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
            help="What each round is trained on: replace, fresh:SHARE or anchor:FILE (a "
            "reserve of real items that is part of every round)."
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
    """Forecast which words or labels are lost, and how soon.

    Prints a short table and writes one self-contained HTML report.
    """
    from hayflick.report.publishing import forecast

    if out is None and output_format is Format.TABLE:
        check_folder(Path())
    with progress_bar() as progress:
        result = forecast(
            source,
            column=column,
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
    _warn(result, asked=tokenizer)
    _print(result, output_format, lang.value)
    if out is None and output_format is Format.TABLE:
        out = _write_default(result, source, lang.value)
    for page in filter(None, (out, brief)):
        print(f"wrote {page}", file=sys.stderr)
    return INTERRUPTED if result.interrupted else 0


def _write_default(result: Forecast, source: Path, lang: str) -> Path:
    from hayflick.report.rendering import forecast_page

    path = default_name(source.resolve().stem, prefix="forecast-", suffix=".html")
    return write_text(path, forecast_page(result, lang=lang), numbered=True)


def _warn(result: Forecast, *, asked: str | None) -> None:
    source = result.model.source
    if source.missing:
        print(f"warning: empty cells left out: {source.missing}", file=sys.stderr)
    if asked in (None, "auto") and source.tokenizer == "mixed":
        print(
            "note: scripts without spaces are counted by pairs of characters; Japanese words "
            "take --tokenizer japanese and the extra ja",
            file=sys.stderr,
        )
    if result.interrupted:
        print("interrupted: what was finished is reported", file=sys.stderr)


def _print(result: Forecast, output_format: Format, lang: str) -> None:
    from hayflick.report.forecast_record import forecast_record
    from hayflick.report.forecast_table import forecast_tables

    if output_format is Format.JSON:
        # Other encodings lack letters, and JSON can spell them out.
        ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        record = forecast_record(result)
        print(json.dumps(record, ensure_ascii=ascii_only, allow_nan=False, indent=2))
        return
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    for part in forecast_tables(result, lang=lang):
        console.print(part)
