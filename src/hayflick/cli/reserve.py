"""``hayflick reserve``: which real items to store, to train on again in every round."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.printing import (
    Format,
    Lang,
    print_json,
    print_tables,
    say_written,
)
from hayflick.core.output import (
    check_folder,
    check_not_input,
    check_writable,
    default_name,
)
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.reserve import Reserve


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
            help="Symbols that alone have weight: one per line, or a JSON list (.json).",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The column of a table.", show_default=False)
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="How text is split. [default: auto for a text, whole cells for a table]",
            show_default=False,
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of a text or table.")] = "utf-8",
    seed: Annotated[int, typer.Option(help="Seed of the uniform samples to compare with.")] = 1,
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Reserve to write: .jsonl, or .txt for the plain text. [default: "
            "reserve-INPUT.jsonl, numbered if taken]",
            show_default=False,
        ),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> int:
    """Choose the real lines, rows or texts to store, so that they cover the most.

    Writes them as they are; --regime anchor:FILE trains on them in every round.
    """
    from hayflick.corpus.must_keep import read_must_keep
    from hayflick.planning.reserve import build_reserve

    _check_out(out, inputs=[source, must_keep], column=column, force=force)
    with progress_bar() as progress:
        reserve = build_reserve(
            source,
            size=size,
            tokens=tokens,
            must_keep=None if must_keep is None else read_must_keep(must_keep),
            weights=weights.value,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            seed=seed,
            progress=progress,
        )
    path = out or default_name(source.resolve().stem, prefix="reserve-", suffix=".jsonl")
    written = reserve.save(path, force=force and out is not None, numbered=out is None)
    say_written(written)
    _print(reserve, output_format, lang.value)
    return 0


def _check_out(
    out: Path | None, *, inputs: Sequence[Path | None], column: str | None, force: bool
) -> None:
    """Refuse a name that cannot be written, before any work starts."""
    from hayflick.planning.reserve import check_suffix

    if out is None:
        check_folder(Path())
        return
    check_suffix(out, column=column)
    check_not_input(out, inputs)
    check_writable(out, force=force)


def _print(reserve: Reserve, output_format: Format, lang: str) -> None:
    from hayflick.report.reserve_report import reserve_record, reserve_tables

    if output_format is Format.JSON:
        print_json(reserve_record(reserve))
    else:
        print_tables(reserve_tables(reserve, lang=lang))
