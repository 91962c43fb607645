"""``hayflick audit``: what repeats itself in one data set, and how much a model wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli import options
from hayflick.cli.printing import ALARM, INCOMPLETE, expect_page, print_result, say, say_written
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.auditing.audit_result import AuditResult

_optional = partial(typer.Option, show_default=False)
_TABLE = (
    "The data set: .jsonl, .ndjson, .json, .csv, .tsv, .parquet, .xlsx, or .txt with a text in "
    "every line, also .gz and .zst; a log "
    "of a tool, a folder of them, their URL in an object store (s3://…), or - for standard input."
)


def audit_command(
    dataset: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET...", help=_TABLE, show_default=False)
    ] = None,
    text: Annotated[
        str | None,
        _optional(
            help="The column of the texts, or a path into one: messages[0].content. [default: "
            "where a log has its answers]",
            metavar="COLUMN",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            "--label",
            "--class",
            help="The column of the class.",
            metavar="COLUMN",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        str | None, _optional(help="The column of the language.", metavar="COLUMN")
    ] = None,
    log: options.LogOption = None,
    pattern: Annotated[
        list[str] | None,
        _optional(
            "--glob",
            help="Further files by a pattern in quotes, such as 'parts/**/*.parquet'; several are "
            "allowed.",
            metavar="PATTERN",
        ),
    ] = None,
    human: Annotated[
        str | None,
        _optional(
            help="Texts of people, for the share of generated texts: a table like the data set, "
            "or .txt with a text in every line.",
            metavar="FILE",
        ),
    ] = None,
    model: Annotated[
        str | None, _optional(help="Texts of the model, with --human.", metavar="FILE")
    ] = None,
    score: Annotated[
        str | None,
        _optional(
            help="The column of a detector's scores, higher for generated texts.", metavar="COLUMN"
        ),
    ] = None,
    score_threshold: Annotated[
        float, typer.Option(help="Texts with at least this score are called generated.")
    ] = 0.5,
    confusion: Annotated[
        str | None,
        _optional(
            help="The detector's answers about texts of known origin, with --score: true "
            "positives, false negatives, false positives, true negatives.",
            metavar="TP,FN,FP,TN",
        ),
    ] = None,
    holdout: Annotated[
        str | None,
        _optional(
            help="An evaluation set that must not stand in the data: its common runs of 8 words "
            "are searched.",
            metavar="FILE",
        ),
    ] = None,
    reference_text: Annotated[
        str | None,
        _optional(
            help="The column of the texts in --human, --model and --holdout. [default: that of "
            "--text]",
            metavar="COLUMN",
        ),
    ] = None,
    similarity: Annotated[
        float, typer.Option(help="Common share of word pairs of two texts that are near copies.")
    ] = 0.5,
    clusters: Annotated[
        int, typer.Option(help="Clusters of near copies that JSON lists, the largest first.")
    ] = 100_000,
    phrase_share: Annotated[
        float, typer.Option(help="List phrases and templates in at least this share of the items.")
    ] = 0.05,
    rare_share: Annotated[
        float, typer.Option(help="Classes with a smaller share of the items are rare.")
    ] = 0.01,
    max_duplicates: Annotated[
        float | None,
        _optional(
            help="Exit code 1 if a larger share of the items are copies or near copies of others.",
            metavar="SHARE",
        ),
    ] = None,
    max_cluster: Annotated[
        int | None,
        _optional(help="Exit code 1 if a cluster of near copies is larger.", metavar="ITEMS"),
    ] = None,
    max_synthetic: Annotated[
        float | None,
        _optional(help="Exit code 1 if a larger share of the texts is generated.", metavar="SHARE"),
    ] = None,
    max_leakage: Annotated[
        float | None,
        _optional(
            help="Exit code 1 if a larger share of the evaluation items stands in the data.",
            metavar="SHARE",
        ),
    ] = None,
    max_phrase: Annotated[
        float | None,
        _optional(help="Exit code 1 if a phrase is in a larger share of items.", metavar="SHARE"),
    ] = None,
    min_effective: Annotated[
        float | None,
        _optional(
            help="Exit code 1 if the effective number of items is smaller; up to 1 it is a share "
            "of the items.",
            metavar="ITEMS",
        ),
    ] = None,
    write_clean: Annotated[
        str | None,
        _optional(
            help="Write the data set without near duplicates here, in its own format (.jsonl, "
            ".json, .csv, .tsv, .parquet, .txt); the dropped rows are listed in NAME.dropped.csv. "
            "Of several files, a folder.",
            metavar="FILE",
        ),
    ] = None,
    max_copies: Annotated[
        int,
        typer.Option(help="Rows of each cluster of near copies in --write-clean, all different."),
    ] = 1,
    confidence: Annotated[float, typer.Option(help="Of every interval by itself.")] = 0.95,
    encoding: options.EncodingOption = "utf-8",
    normalize: options.NormalizeOption = options.Normalize.NFC,
    separator: options.SeparatorOption = None,
    decimal: options.DecimalOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: options.SkipBadOption = False,
    seed: options.SeedOption = 1,
    scheduler: options.SchedulerOption = None,
    workers: options.WorkersOption = None,
    output_format: options.FormatOption = options.Format.TABLE,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Audit a data set: duplicates, mix, generated share.

    Also its effective size, phrases and templates, and leaked evaluation items.

    Exit code 0, 1 where a threshold (--max-…, --min-…) fails, or 3 where one is on a number that
    cannot be told.
    """
    options.check_threads(None, scheduler=scheduler, workers=workers)
    inputs = [*(dataset or ()), human, model, holdout, write_clean]
    if out is not None:
        check_page(out, inputs=inputs, force=force)
        expect_page()
    from hayflick.auditing.audit import audit
    from hayflick.simulation.executors import open_executor

    with (
        _opened(dataset or [], pattern or []) as source,
        open_executor(scheduler, workers=workers) as executor,
        progress_bar(yes=yes) as progress,
    ):
        result = audit(
            source,
            text=text,
            label=label,
            language=language,
            log=log,
            human=human,
            model=model,
            score=score,
            score_threshold=score_threshold,
            confusion=None if confusion is None else _numbers(confusion),
            holdout=holdout,
            reference_text=reference_text,
            similarity=similarity,
            clusters=clusters,
            phrase_share=phrase_share,
            rare_share=rare_share,
            max_duplicates=max_duplicates,
            max_cluster=max_cluster,
            max_synthetic=max_synthetic,
            max_leakage=max_leakage,
            max_phrase=max_phrase,
            min_effective=min_effective,
            write_clean=write_clean,
            max_copies=max_copies,
            force=force,
            confidence=confidence,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize.value,
            table=options.table_format(
                separator=separator, decimal=decimal, quote=quote, no_header=no_header, sheet=sheet
            ),
            seed=seed,
            executor=executor,
            progress=progress,
        )
    if out is not None:
        result.save(out, lang=lang.value, force=force)
    print_result(result, output_format, lang)
    clean = result.clean
    say_written(out, *(() if clean is None else (clean.file, clean.dropped_file)))
    return _exit_code(result)


@contextmanager
def _opened(paths: Sequence[str], patterns: Sequence[str]) -> Iterator[Any]:
    """Yield the data set: the path of a file as it is, else all files."""
    if len(paths) == 1 and paths[0] != "-" and not patterns:
        yield paths[0]
        return
    from hayflick.corpus.files import input_files

    with input_files(paths, patterns=patterns) as files:
        yield files


def _numbers(confusion: str) -> list[int]:
    """Return whole numbers with commas between them."""
    from hayflick.core.errors import ArgumentError

    try:
        return [int(part) for part in confusion.split(",")]
    except ValueError:
        takes = "four whole numbers with commas between them, such as 900,100,50,950"
        raise ArgumentError("confusion", got=confusion, takes=takes) from None


def _exit_code(result: AuditResult) -> int:
    """Say which thresholds decide, and return the exit code."""
    for one in result.failed:
        compared = "below" if one.is_least else "above"
        say(f"--{one.name}: {one.value:.4g} is {compared} {one.limit:.4g}")
    for one in result.unknown:
        say(f"--{one.name}: the number cannot be told, see the notes")
    if result.failed:
        return ALARM
    return INCOMPLETE if result.unknown else 0
