"""``hayflick pilot``: how large a small trial must be, and ``pilot analyse``: what came of it."""

from __future__ import annotations

import sys
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
    split_columns,
)
from hayflick.core.errors import ArgumentError
from hayflick.core.output import check_not_input, check_writable, write_text

if TYPE_CHECKING:
    from hayflick.monitor.pilot_design import PilotDesign
    from hayflick.monitor.pilot_variation import Variation

pilot_app = typer.Typer(rich_markup_mode=None)


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
            help="Readings to take both from: a table with columns round and value.",
            show_default=False,
        ),
    ] = None,
    round_column: Annotated[
        str, typer.Option("--round", help="Column of the baseline's rounds.")
    ] = "round",
    value_column: Annotated[
        str, typer.Option("--value", help="Column of the baseline's numbers.")
    ] = "value",
    encoding: Annotated[str, typer.Option(help="Encoding of the baseline.")] = "utf-8",
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
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(help="Plan to write (.json), for pilot analyse.", show_default=False),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> int:
    """Design a small trial: rounds and answers for an effect, a power and a false-alarm rate.

    Rounds are the units, as answers of one round are alike. Give --answers to learn the rounds,
    --rounds to learn the answers, or both to learn the power.
    """
    if context.invoked_subcommand is not None:
        return 0
    from hayflick.monitor.pilot_design import Aim, design_pilot, plan_text

    if effect is None:
        raise ArgumentError("effect", got="none", takes="the change to find: --effect 0.05")
    _check_out(out, baseline, force=force)
    aim = Aim(
        effect=effect,
        smallest=smallest,
        scale=scale.value,
        power=power,
        false_alarms=false_alarms,
        sides=int(sides.value),
        correction=correction.value,
    )
    names = (round_column, value_column, encoding)
    variation = _variation(sd, correlation, baseline, scale.value, names)
    trial = design_pilot(
        aim,
        arms=split_columns(arms),
        variation=variation,
        answers=answers,
        rounds=rounds,
        price=price,
        currency=currency,
    )
    if out is not None:
        write_text(out, plan_text(trial), force=force)
    _print_design(trial, output_format, lang.value)
    say_written(out)
    return 0


@pilot_app.command("analyse")
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
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Pass over rows that cannot be used.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Encoding of a text table.")] = "utf-8",
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    out: Annotated[
        Path | None, typer.Option(help="HTML page to write.", show_default=False)
    ] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the table and the page.")] = Lang.EN,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> int:
    """Analyse a trial's results: effect, interval, p-value, and go, no go or inconclusive."""
    from hayflick.report.pilots import analyse_pilot

    if plan is None:
        raise ArgumentError("plan", got="none", takes="the trial's plan: --plan pilot.json")
    result = analyse_pilot(
        results,
        plan=plan,
        arm_column=arm_column,
        round_column=round_column,
        value_column=value_column,
        skip_bad=skip_bad,
        encoding=encoding,
        out=out,
        lang=lang.value,
        force=force,
    )
    if result.passed_over:
        print(f"passed over {result.passed_over} rows that cannot be used", file=sys.stderr)
    if output_format is Format.JSON:
        from hayflick.report.pilot_record import result_record

        print_json(result_record(result))
    else:
        from hayflick.report.pilot_table import result_tables

        print_tables(result_tables(result, lang=lang.value))
    say_written(out)
    return 0


def _check_out(out: Path | None, baseline: Path | None, *, force: bool) -> None:
    """Refuse a name that cannot be written, before any work starts."""
    if out is None:
        return
    if out.suffix.lower() != ".json":
        raise ArgumentError("out", got=str(out), takes="a name ending in .json")
    check_not_input(out, [baseline])
    check_writable(out, force=force)


def _variation(
    sd: float | None,
    correlation: float | None,
    baseline: Path | None,
    scale: str,
    names: tuple[str, str, str],
) -> Variation:
    """Return the variation that was stated, or that of a baseline."""
    from hayflick.monitor.pilot_variation import read_variation, stated_variation

    if baseline is None:
        if sd is None:
            takes = "a standard deviation, or readings to take it from: --baseline FILE"
            raise ArgumentError("sd", got="none", takes=takes)
        return stated_variation(sd, correlation=correlation, scale=scale)
    for name, stated in (("sd", sd), ("correlation", correlation)):
        if stated is not None:
            raise ArgumentError(name, got=stated, takes="nothing beside a baseline")
    round_column, value_column, encoding = names
    return read_variation(
        baseline,
        scale=scale,
        round_column=round_column,
        value_column=value_column,
        encoding=encoding,
    )


def _print_design(trial: PilotDesign, output_format: Format, lang: str) -> None:
    if output_format is Format.JSON:
        from hayflick.report.pilot_record import design_record

        print_json(design_record(trial))
    else:
        from hayflick.report.pilot_table import design_tables

        print_tables(design_tables(trial, lang=lang))
