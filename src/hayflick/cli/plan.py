"""``hayflick plan``: how much real data, how often, what kept in reserve, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli import options
from hayflick.cli.printing import (
    INTERRUPTED,
    expect_page,
    print_result,
    say_interrupted,
    say_written,
)
from hayflick.core.errors import ArgumentError, HayflickError
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.planning.cost import CostModel
    from hayflick.planning.plan_result import Plan


class RulesKind(StrEnum):
    """Kinds of rules, as `hayflick.rules.from_plan.KINDS`."""

    ANCHOR = "anchor"
    FRESH = "fresh"
    PERIODIC = "periodic"
    BELOW = "below"
    REPLACE = "replace"


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
    confidence: Annotated[
        float, typer.Option(help="Share of runs in which it is to be left, above 0 and below 1.")
    ] = 0.95,
    at_least: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Items that a training set must hold of a symbol to keep it, or as many as the "
            "data hold. [default: 5 of a label, 1 of a word]",
            show_default=False,
        ),
    ] = None,
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
            help="Symbols to keep instead of all: one per line, a JSON list (.json), or a table "
            "with the columns symbol, weight and at_least.",
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
    samples: options.SamplesOption = None,
    column: options.ColumnOption = None,
    tokenizer: options.TokenizerOption = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A recorded run (NetCDF of hayflick simulate discrete): compare it with the "
            "plan, and plan on from where it stands.",
            show_default=False,
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Temperature of the sampler that the recommended design is tried against. "
            "[default: 0.95]",
            show_default=False,
        ),
    ] = None,
    resampler: options.ResamplerOption = None,
    replicates: Annotated[
        int, typer.Option(help="Simulated runs of the recommended design; 0 for laws alone.")
    ] = 32,
    seed: options.SeedOption = 1,
    threads: options.ThreadsOption = None,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    brief: Annotated[
        Path | None,
        typer.Option(help="One-page brief to write, for a meeting.", show_default=False),
    ] = None,
    write_rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="Write rules that carry out the recommended design, once simulated runs have "
            "shown that they hold the target, and a sheet of the numbers to watch beside them "
            "(HTML and CSV).",
            show_default=False,
        ),
    ] = None,
    rules_kind: Annotated[
        RulesKind | None,
        typer.Option(
            help="What --write-rules carries out: a reserve, fresh data in every round, in every "
            "T-th, or below a limit. [default: what the plan recommends]",
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
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Plan how much real data each round needs, and its cost.

    Prints the recommended design, its cost and margin, the runner-up and what would change it.
    Without prices, designs are ranked by the different real items that they take.
    """
    inputs = (source, must_keep, history)
    _check_pages(out, brief, inputs=inputs, force=force)
    from hayflick.planning.plan import plan
    from hayflick.simulation.executors import open_executor

    prices = (cost_real, cost_generated, cost_check, cost_monitoring, cost_loss)
    costs = _costs(prices, currency, rounds_per_month)
    _check_files(write_rules, reserve_out, inputs=(*inputs, out, brief), force=force)
    table = options.table_format(
        separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
    )
    options.check_threads(threads, scheduler=scheduler, workers=workers)
    with open_executor(scheduler, workers=workers) as executor, progress_bar(yes=yes) as progress:
        result = plan(
            source,
            keep=keep,
            confidence=confidence,
            at_least=at_least,
            generations=generations,
            must_keep=must_keep,
            of=None if of is None else of.value,
            costs=costs,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize.value,
            table=table,
            samples=samples,
            history=history,
            temperature=temperature,
            resampler=resampler,
            replicates=replicates,
            seed=seed,
            threads=threads,
            executor=executor,
            progress=progress,
        )
    for page in filter(None, (out, brief)):
        result.save(page, lang=lang.value, force=force, brief=page is brief)
    if result.interrupted:
        say_interrupted()
    failed = _write_rules(
        result,
        write_rules,
        kind=None if rules_kind is None else rules_kind.value,
        corpus=source,
        must_keep=must_keep,
        table=table,
        resampler=resampler,
        lang=lang.value,
        force=force,
        yes=yes,
    )
    result, unwritten = _with_reserve(result, reserve_out, force=force)
    print_result(result, output_format, lang)
    say_written(out, brief)
    for fault in filter(None, (failed, unwritten)):
        raise fault
    return INTERRUPTED if result.interrupted else 0


def _check_pages(
    out: Path | None, brief: Path | None, *, inputs: tuple[Path | None, ...], force: bool
) -> None:
    """Refuse pages that cannot be written, before any work starts."""
    if out is not None and brief is not None and out.resolve() == brief.resolve():
        raise ArgumentError("brief", got=str(brief), takes="another file than out")
    for page in filter(None, (out, brief)):
        check_page(page, inputs=inputs, force=force)
        expect_page()


def _check_files(
    rules: Path | None, reserve: Path | None, *, inputs: tuple[Path | None, ...], force: bool
) -> None:
    """Refuse files of rules and of a reserve that cannot be written, before any work starts."""
    if rules is not None:
        from hayflick.rules.from_plan import check_rules_files

        check_rules_files(rules, inputs=inputs, force=force)
    if reserve is not None:
        from hayflick.planning.plan_result import check_reserve_file

        check_reserve_file(reserve, inputs=inputs, force=force)


def _write_rules(
    result: Plan, path: Path | None, *, yes: bool, **settings: Any
) -> HayflickError | KeyboardInterrupt | None:
    """Write the rules; return the error, or Ctrl-C, to raise after the plan is printed."""
    if path is None:
        return None
    from hayflick.rules.from_plan import reserve_file, rules_files, write_rules

    try:
        with progress_bar(yes=yes) as progress:
            planned = write_rules(result, path, progress=progress, **settings)
    except (HayflickError, KeyboardInterrupt) as fault:
        return fault
    stored = () if planned.reserve is None else (reserve_file(path),)
    say_written(*rules_files(path), *stored)
    return None


def _with_reserve(
    result: Plan, path: Path | None, *, force: bool
) -> tuple[Plan, HayflickError | None]:
    """Write the reserve and name its file; return the error to raise after the plan is printed."""
    if path is None:
        return result, None
    try:
        say_written(result.save_reserve(path, force=force))
    except HayflickError as fault:
        return result, fault
    return replace(result, reserve_file=str(path)), None


_PRICED = ("real", "generated", "check", "monitoring", "loss")


def _costs(
    prices: Sequence[float | None], currency: str, rounds_per_month: float
) -> CostModel | None:
    """Return the prices of what is priced; None if none was given."""
    from hayflick.planning.cost import CostModel

    named = dict(zip(_PRICED, prices, strict=True))
    given = {name: price for name, price in named.items() if price is not None}
    if not given:
        return None
    return CostModel(**given, currency=currency, rounds_per_month=rounds_per_month)
