"""``hayflick summarise`` and ``hayflick merge``: answers in parts, each read where it lies."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli import completion, options
from hayflick.cli.printing import INCOMPLETE, print_json, say
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.monitor.summaries import AnswerSummary

_optional = partial(typer.Option, show_default=False)
_Out = Annotated[
    str,
    typer.Option(
        "--out",
        "-o",
        help="The summary to write: NAME.summary, also s3://BUCKET/NAME.summary.",
        metavar="FILE",
    ),
]


def summarise_command(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Answers: .jsonl, .ndjson, .json, .csv, .tsv, .parquet or .xlsx, also .gz and "
            ".zst; a log of a tool, a folder of them, their URL in an object store (s3://…), or - "
            "for standard input.",
        ),
    ],
    out: _Out,
    by: Annotated[
        str | None,
        _optional(
            help="The column of the round: a name, or a time with --every.", metavar="COLUMN"
        ),
    ] = None,
    text: options.TextOption = None,
    log: options.LogOption = None,
    group: Annotated[
        str | None, _optional(help="The column that says who answered.", metavar="COLUMN")
    ] = None,
    prompt: Annotated[
        str | None, _optional(help="The column that says what was asked.", metavar="COLUMN")
    ] = None,
    value: Annotated[
        list[str] | None,
        _optional(help="A column of numbers; several are allowed.", metavar="COLUMN"),
    ] = None,
    vectors: Annotated[
        str | None, _optional(help="A column of lists of numbers.", metavar="COLUMN")
    ] = None,
    every: Annotated[
        str | None, _optional(help="Length of a round where rounds are times: 1h, 6h, 1d, 1w, 1mo.")
    ] = None,
    time_zone: Annotated[
        str | None,
        _optional(
            help="The zone in which days are counted, as Europe/Berlin.",
            metavar="ZONE",
            autocompletion=completion.zones,
        ),
    ] = None,
    capacity: Annotated[
        int, typer.Option(help="Answers of a round that are kept; of more, a sample is.")
    ] = 20_000,
    like: Annotated[
        str | None,
        _optional(
            help="Read as this summary was read, in place of all these options.", metavar="FILE"
        ),
    ] = None,
    embedder: Annotated[
        str | None,
        _optional(
            help="Make vectors of the answers that are kept, where the files are read: hashing, "
            "sentence:MODEL or endpoint:url=URL,model=NAME[,key=ENV]. [default: watch makes them]",
            autocompletion=completion.embedders,
        ),
    ] = None,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: options.SkipBadOption = False,
    output_format: options.FormatOption = options.Format.TABLE,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Summarise answers where they lie, for merge and watch.

    Exit code 0, or 3 if some of several files cannot be read: they are named in the summary.
    """
    from hayflick.corpus.files import input_files
    from hayflick.monitor.summarise import summarise
    from hayflick.monitor.summary_places import check_target
    from hayflick.simulation.executors import open_executor

    options.check_threads(None, scheduler=scheduler, workers=workers)
    check_target(out, inputs=[*source, like], force=force)
    with (
        input_files(source) as files,
        open_executor(scheduler, workers=workers) as executor,
        progress_bar(yes=yes) as progress,
    ):
        summary = summarise(
            files,
            by=by,
            text=text,
            log=log,
            group=group,
            prompt=prompt,
            values=value or (),
            vectors=vectors,
            every=every,
            time_zone=time_zone,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            capacity=capacity,
            like=like,
            embedder=embedder,
            executor=executor,
            progress=progress,
        )
    return _written(summary, out, output_format, force=force)


def merge_command(
    summaries: Annotated[
        list[str],
        typer.Argument(
            metavar="SUMMARY...",
            help="Summaries, in any order; also s3://BUCKET/FOLDER/ or a pattern in a store.",
        ),
    ],
    out: _Out,
    output_format: options.FormatOption = options.Format.TABLE,
    force: options.ForceOption = False,
) -> int:
    """Merge summaries of several files into one.

    Exit code 0, or 3 if files that could not be summarised are missing in it.
    """
    from hayflick.monitor.summaries import merge
    from hayflick.monitor.summary_places import check_target

    check_target(out, inputs=summaries, force=force)
    return _written(merge(summaries), out, output_format, force=force)


def _written(
    summary: AnswerSummary, out: str, output_format: options.Format, *, force: bool
) -> int:
    """Write a summary and print what it holds."""
    summary.save(out, force=force)
    for name, reason in summary.failed.items():
        say(f"error: {name} is missing in the summary: {reason}")
    if output_format is options.Format.JSON:
        print_json(summary.to_dict())
    else:
        files, rounds = _counted(len(summary.files), "file"), _counted(len(summary.totals), "round")
        answers, kept = _counted(summary.answers, "answer"), len(summary.frame)
        verb = "is" if kept == 1 else "are"
        typer.echo(f"{out}: {files}, {rounds}, {answers}, of which {kept:,} {verb} kept")
    return INCOMPLETE if summary.failed else 0


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
