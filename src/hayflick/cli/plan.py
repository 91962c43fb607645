"""``hayflick plan``: how much real data, how often, what kept in reserve, at what cost."""

from __future__ import annotations

from collections.abc import Iterable
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
    say_interrupted,
    say_written,
)
from hayflick.core.errors import HayflickError
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.cost import CostModel
    from hayflick.planning.plan_result import Plan


class Of(StrEnum):
    """What can be kept beside a must-keep list."""

    TYPES = "types"
    DIVERSITY = "diversity"
    VARIANCE = "variance"


def plan_command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A text, a folder of texts, a table (.csv, .tsv, .jsonl, .ndjson, .parquet, "
            ".xlsx) or a JSON object of symbol: count.",
        ),
    ],
    keep: Annotated[
        float, typer.Option(help="Share that is to be left in every round, above 0, up to 1.")
    ] = 0.9,
    generations: Annotated[int, typer.Option(help="Rounds to plan for.")] = 50,
    of: Annotated[
        Of | None,
        typer.Option(
            help="What is to be kept, without a list. [default: types; of a column of numbers "
            "that are not all whole the variance, in the median run]",
            show_default=False,
        ),
    ] = None,
    must_keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Symbols to keep instead of all: one per line, or a JSON list (.json).",
            show_default=False,
        ),
    ] = None,
    cost_real: Annotated[
        float | None, typer.Option(help="Price of a real item.", show_default=False)
    ] = None,
    cost_generated: Annotated[
        float | None, typer.Option(help="Price of a generated item.", show_default=False)
    ] = None,
    cost_check: Annotated[
        float | None, typer.Option(help="Price of a human check of a round.", show_default=False)
    ] = None,
    cost_monitoring: Annotated[
        float | None, typer.Option(help="Price of monitoring a round.", show_default=False)
    ] = None,
    cost_loss: Annotated[
        float | None,
        typer.Option(
            help="Price of a symbol that is missing for one round, or of the whole variance.",
            show_default=False,
        ),
    ] = None,
    currency: Annotated[str, typer.Option(help="What prices are in.")] = "USD",
    rounds_per_month: Annotated[float, typer.Option(help="For monthly and yearly totals.")] = 1.0,
    samples: Annotated[
        int | None,
        typer.Option(help="Size of a training set. [default: the data's]", show_default=False),
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
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A recorded run (NetCDF of hayflick simulate discrete): compare it with the "
            "plan, and plan on from where it stands.",
            show_default=False,
        ),
    ] = None,
    replicates: Annotated[
        int, typer.Option(help="Simulated runs of the recommended design; 0 for laws alone.")
    ] = 32,
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
    write_rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Write rules that hold the target, and a sheet of the numbers to watch beside "
            "them (HTML and CSV).",
            show_default=False,
        ),
    ] = None,
    reserve_out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Write the recommended reserve: symbol: number of stored items, for the regime "
            "anchor:FILE.json.",
            show_default=False,
        ),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table and the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> int:
    """Plan how much real data each round needs, and what that costs.

    Prints the recommended design, its cost and margin, the runner-up and what would change it.
    Without prices, designs are ranked by real items a round.
    """
    from hayflick.report.planning import plan

    prices = {
        "real": cost_real,
        "generated": cost_generated,
        "check": cost_check,
        "monitoring": cost_monitoring,
        "loss": cost_loss,
    }
    costs = _costs(prices, currency, rounds_per_month)
    _check_files(write_rules, reserve_out, (source, must_keep, history, out), force=force)
    with progress_bar() as progress:
        result = plan(
            source,
            keep=keep,
            generations=generations,
            must_keep=must_keep,
            of=_objective(of, listed=must_keep is not None),
            costs=costs,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            samples=samples,
            history=history,
            replicates=replicates,
            seed=seed,
            threads=threads,
            out=out,
            lang=lang.value,
            force=force,
            progress=progress,
        )
    if result.interrupted:
        say_interrupted()
    rules_fault = _write_rules(result, write_rules, lang=lang.value, force=force)
    reserve_fault = _write_reserve(result, reserve_out, force=force)
    _print(result, output_format, lang.value)
    say_written(out)
    _raise_first((rules_fault, reserve_fault))
    return INTERRUPTED if result.interrupted else 0


def _raise_first(faults: Iterable[HayflickError | None]) -> None:
    for fault in filter(None, faults):
        raise fault


def _check_files(
    rules: Path | None, reserve: Path | None, inputs: tuple[Path | None, ...], *, force: bool
) -> None:
    """Refuse files that cannot be written beside the page, before any work starts."""
    if rules is not None:
        from hayflick.report.rules_writing import check_rules_files

        check_rules_files(rules, inputs=inputs, force=force)
    if reserve is not None:
        from hayflick.report.reserve_writing import check_reserve_file

        check_reserve_file(reserve, inputs=inputs, force=force)


def _write_reserve(result: Plan, path: Path | None, *, force: bool) -> HayflickError | None:
    """Write the reserve that was asked for; return why there is none, for after the plan."""
    if path is None:
        return None
    from hayflick.report.reserve_writing import write_planned_reserve

    try:
        write_planned_reserve(result, path, force=force)
    except HayflickError as fault:
        return fault
    say_written(path)
    return None


def _write_rules(
    result: Plan, path: Path | None, *, lang: str, force: bool
) -> HayflickError | None:
    """Write the rules that were asked for; return why there are none, for after the plan."""
    if path is None:
        return None
    from hayflick.report.rules_writing import rules_files, write_rules

    try:
        write_rules(result, path, lang=lang, force=force)
    except HayflickError as fault:
        return fault
    say_written(*rules_files(path))
    return None


def _objective(of: Of | None, *, listed: bool) -> str | None:
    """Return what is kept: a list is one of types."""
    if of is Of.TYPES and listed:
        return "must-keep"
    return None if of is None else of.value


def _costs(
    prices: dict[str, float | None], currency: str, rounds_per_month: float
) -> CostModel | None:
    """Return the prices; None where not one was named."""
    from hayflick.planning.cost import CostModel

    named = {name: price for name, price in prices.items() if price is not None}
    if not named:
        return None
    return CostModel(**named, currency=currency, rounds_per_month=rounds_per_month)


def _print(result: Plan, output_format: Format, lang: str) -> None:
    from hayflick.report.plan_record import plan_record
    from hayflick.report.plan_table import plan_tables

    if output_format is Format.JSON:
        print_json(plan_record(result))
    else:
        print_tables(plan_tables(result, lang=lang))
