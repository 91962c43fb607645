"""``hayflick review draw`` and ``judge``: random answers for a person, and what verdicts prove."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.printing import (
    ALARM,
    Format,
    Lang,
    print_json,
    print_tables,
    say_written,
)
from hayflick.core.output import check_not_input, check_writable
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.monitor.review import Review

FORMAT_VERSION = 1

review_app = typer.Typer(rich_markup_mode=None, help="Human checks of random answers.")


class AllocationName(StrEnum):
    """How a sample is divided among groups."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"


@review_app.command("draw")
def draw_command(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A table of answers.")],
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
        typer.Option("--from", help="Pass over the rounds before this one.", show_default=False),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Count rows that cannot be used, and go on.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Encoding of a text table.")] = "utf-8",
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> int:
    """Draw random answers into a file that a person fills in."""
    from hayflick.corpus.answers import AnswerColumns, read_answers
    from hayflick.monitor.review_sample import draw_answers, write_review

    check_not_input(out, [source])
    check_writable(out, force=force)
    columns = AnswerColumns(by=by, text=text, group=group, prompt=prompt)
    with progress_bar() as progress:
        answers = read_answers(
            source,
            columns=columns,
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            progress=progress,
        )
    sample = draw_answers(answers, number=number, seed=seed, allocation=allocation.value)
    say_written(write_review(sample, out, force=force))
    return 0


@review_app.command("judge")
def judge_command(
    source: Annotated[Path, typer.Argument(metavar="REVIEW", help="The file, filled in so far.")],
    limit: Annotated[float, typer.Option(help="Share of bad answers that is acceptable.")] = 0.05,
    error: Annotated[
        float, typer.Option(help="Chance that a bound is ever wrong, whenever one looks.")
    ] = 0.05,
    encoding: Annotated[str, typer.Option(help="Encoding of a CSV file.")] = "utf-8",
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
    lang: Annotated[Lang, typer.Option(help="Language of the table.")] = Lang.EN,
) -> int:
    """Say what the verdicts so far prove about all answers that were drawn from.

    Exit code 0: accept or go on; 1: the share of bad answers is above the limit.
    """
    from hayflick.monitor.acceptance import AcceptanceDecision
    from hayflick.monitor.review import read_review

    review = read_review(source, encoding=encoding)
    state = review.acceptance(limit=limit, error=error)
    if output_format is Format.JSON:
        counts = _counts(review)
        record = {**counts, **asdict(state), "decision": state.decision.value}
        print_json({"format_version": FORMAT_VERSION, **record})
    else:
        from hayflick.report.review_table import review_tables

        print_tables(review_tables(review, state, lang=lang.value))
    return ALARM if state.decision is AcceptanceDecision.REJECT else 0


def _counts(review: Review) -> dict[str, int | str]:
    return {
        "review": review.name,
        "ok": review.ok,
        "bad": review.bad,
        "pending": review.pending,
        "waiting": review.waiting,
    }
