"""``hayflick pilot``: how large a small trial must be, and ``pilot analyse``: what came of it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import print_result, say_written
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_page, check_writable

pilot_app = typer.Typer(
    rich_markup_mode=None,
    epilog=examples("hayflick pilot --effect 0.05 --sd 0.3 --correlation 0.02 --out plan.json"),
)


class ScaleName(StrEnum):
    """How arms are compared."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"


class CorrectionName(StrEnum):
    """How false alarms are kept over several treatments."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"


class Sides(StrEnum):
    """In which directions is looked."""

    ONE = "1"
    TWO = "2"


@pilot_app.callback(invoke_without_command=True)
def pilot_command(
    context: typer.Context,
    arms: Annotated[
        str, typer.Option(help="Names of the arms, separated by commas, the control first.")
    ] = "control,treated",
    effect: Annotated[
        float | None,
        typer.Option(
            help="Change that is to be found: of the metric, or as a share of the control with "
            "--scale relative (-0.1 for a tenth less). Its sign says what is hoped for.",
            show_default=False,
        ),
    ] = None,
    scale: Annotated[
        ScaleName, typer.Option(help="Whether the change is a difference or a share.")
    ] = ScaleName.ABSOLUTE,
    smallest: Annotated[
        float | None,
        typer.Option(help="Smallest change that matters. [default: EFFECT]", show_default=False),
    ] = None,
    sd: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of an answer's metric; without --correlation, of a round's. "
            "With --scale relative, as a share.",
            show_default=False,
        ),
    ] = None,
    correlation: Annotated[
        float | None,
        typer.Option(
            help="Correlation of answers within a round, from 0 to 1.", show_default=False
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="PilotData to take both from: a table with columns round and value.",
            show_default=False,
        ),
    ] = None,
    round_column: Annotated[
        str, typer.Option("--round", help="Column of the baseline's rounds.")
    ] = "round",
    value_column: Annotated[
        str, typer.Option("--value", help="Column of the baseline's numbers.")
    ] = "value",
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    answers: Annotated[
        int | None,
        typer.Option(
            help="Answers in each round. [default: 100; with --rounds as many as needed]",
            show_default=False,
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Rounds of each arm. [default: as many as needed]", show_default=False),
    ] = None,
    power: Annotated[float, typer.Option(help="Chance of finding the change.")] = 0.8,
    false_alarms: Annotated[
        float, typer.Option(help="Chance of finding one where there is none, over all arms.")
    ] = 0.05,
    sides: Annotated[
        Sides, typer.Option(help="2 to look in both directions, 1 in that of EFFECT.")
    ] = Sides.TWO,
    correction: Annotated[
        CorrectionName, typer.Option(help="For several treatments.")
    ] = CorrectionName.HOLM,
    price: Annotated[
        float | None, typer.Option(help="Price of an answer.", show_default=False)
    ] = None,
    currency: Annotated[str, typer.Option(help="What the price is in.")] = "USD",
    output_format: options.FormatOption = options.Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(help="Plan to write (.json), for pilot analyse.", show_default=False),
    ] = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
) -> int:
    """Design a small trial, and analyse its results.

    Says how many rounds and answers an effect, a power and a false-alarm rate take.
    Rounds are the units, as answers of one round are alike. Give --answers to learn the rounds,
    --rounds to learn the answers, or both to learn the power.
    """
    if context.invoked_subcommand is not None:
        return 0
    from hayflick.monitor.pilot_design import pilot

    if effect is None:
        raise ArgumentError("effect", got="none", takes="the change to find: --effect 0.05")
    if out is not None:
        if out.suffix.lower() != ".json":
            raise ArgumentError("out", got=str(out), takes="a name ending in .json")
        check_not_input(out, [baseline])
        check_writable(out, force=force)
    design = pilot(
        effect=effect,
        arms=options.split_columns(arms),
        scale=scale.value,
        smallest=smallest,
        sd=sd,
        correlation=correlation,
        baseline=baseline,
        round_column=round_column,
        value_column=value_column,
        encoding=encoding,
        normalize=normalize.value,
        table=options.table_format(
            separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
        ),
        answers=answers,
        rounds=rounds,
        power=power,
        false_alarms=false_alarms,
        sides=int(sides.value),
        correction=correction.value,
        price=price,
        currency=currency,
    )
    if out is not None:
        design.save(out, force=force)
    print_result(design, output_format, lang)
    say_written(out)
    return 0


@pilot_app.command(
    "analyse", epilog=examples("hayflick pilot analyse results.csv --plan plan.json")
)
def analyse_command(
    results: Annotated[
        Path,
        typer.Argument(
            metavar="RESULTS",
            help="A table (.csv, .tsv, .jsonl, .ndjson, .parquet, .xlsx) with a row per answer or "
            "per round.",
        ),
    ],
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Plan of hayflick pilot --out.", show_default=False),
    ] = None,
    arm_column: Annotated[str, typer.Option("--arm", help="Column of arms.")] = "arm",
    round_column: Annotated[str, typer.Option("--round", help="Column of rounds.")] = "round",
    value_column: Annotated[str, typer.Option("--value", help="Column of numbers.")] = "value",
    skip_bad: options.SkipBadOption = False,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
) -> int:
    """Analyse a trial's results: go, no go or inconclusive.

    With effect, interval and p-value.
    """
    from hayflick.monitor.pilot_analysis import analyse_pilot

    if plan is None:
        raise ArgumentError("plan", got="none", takes="the trial's plan: --plan pilot.json")
    if out is not None:
        check_page(out, inputs=[results, plan], force=force)
    result = analyse_pilot(
        results,
        plan=plan,
        arm_column=arm_column,
        round_column=round_column,
        value_column=value_column,
        skip_bad=skip_bad,
        encoding=encoding,
        normalize=normalize.value,
        table=options.table_format(
            separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
        ),
    )
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    if result.skipped:
        print(f"note: skipped {result.skipped} rows that cannot be used", file=sys.stderr)
    print_result(result, output_format, lang)
    say_written(out)
    return 0
