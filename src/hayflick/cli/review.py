"""``hayflick review draw`` and ``judge``: random answers to check, and what the verdicts prove."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli import options
from hayflick.cli.help import examples
from hayflick.cli.printing import ALARM, print_result, say_notes, say_written
from hayflick.core.output import check_not_input
from hayflick.core.progress import progress_bar

DRAW = examples("hayflick review draw answers.jsonl --text answer --by day --out review.csv")
JUDGE = examples("hayflick review judge review.csv --limit 0.05")

review_app = typer.Typer(
    rich_markup_mode=None, help="Have people check random answers.", epilog=DRAW
)


class AllocationName(StrEnum):
    """How a sample is divided among groups."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"


@review_app.command("draw", epilog=DRAW)
def draw_command(
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="A table of answers, also by its URL (s3://…).")
    ],
    by: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the round.")],
    text: Annotated[str, typer.Option(metavar="COLUMN", help="The column of the answers.")],
    out: Annotated[Path, typer.Option(help="File to fill in: .csv or .xlsx.")],
    number: Annotated[int, typer.Option(help="How many answers to draw.")] = 50,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Every group is drawn from by itself.", show_default=False
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="What was asked, to be shown.", show_default=False),
    ] = None,
    allocation: Annotated[
        AllocationName, typer.Option(help="Answers of each group.")
    ] = AllocationName.PROPORTIONAL,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Leave out the rounds before this one: its name, or an equal number.",
            show_default=False,
        ),
    ] = None,
    skip_bad: options.SkipBadOption = False,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    seed: options.SeedOption = 1,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Draw random answers into a file that a person fills in."""
    from hayflick.monitor.review_sample import check_review_file, draw_review

    check_not_input(out, [source])
    check_review_file(out, force=force)
    with progress_bar(yes=yes) as progress:
        sample = draw_review(
            source,
            by=by,
            text=text,
            number=number,
            group=group,
            prompt=prompt,
            allocation=allocation.value,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            seed=seed,
            progress=progress,
        )
    say_written(sample.save(out, force=force))
    say_notes(note for source in sample.sources for note in source.notes)
    return 0


@review_app.command("judge", epilog=JUDGE)
def judge_command(
    source: Annotated[Path, typer.Argument(metavar="REVIEW", help="The file, filled in so far.")],
    limit: Annotated[float, typer.Option(help="Share of bad answers that is acceptable.")] = 0.05,
    error: Annotated[
        float, typer.Option(help="Chance that a bound is ever wrong, whenever one looks.")
    ] = 0.05,
    encoding: options.EncodingOption = "utf-8",
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    lang: options.LangOption = options.Lang.EN,
) -> int:
    """Say what the verdicts so far prove about all answers.

    All answers are those that were drawn from.
    Exit code 0: accept or go on; 1: the share of bad answers is above the limit.
    """
    from hayflick.monitor.acceptance import AcceptanceDecision
    from hayflick.monitor.review import judge_review

    result = judge_review(
        source,
        limit=limit,
        error=error,
        encoding=encoding,
        table=options.table_format(
            separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
        ),
    )
    print_result(result, output_format, lang)
    return ALARM if result.decision is AcceptanceDecision.REJECT else 0
