"""``hayflick admit``: whether a pool takes texts, one decision for each, as they come."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from hayflick.cli import options
from hayflick.cli.printing import (
    ALARM,
    INTERRUPTED,
    print_result,
    say,
    say_inputs,
    say_interrupted,
    say_written,
)
from hayflick.core.output import check_page
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.auditing.admission_rules import AdmissionRules
    from hayflick.auditing.admission_summary import AdmissionRecord, AdmissionSummary
    from hayflick.auditing.admit import CandidateColumns

_optional = partial(typer.Option, show_default=False)


class Failing(StrEnum):
    """What the exit code tells of."""

    REJECT = "reject"
    QUARANTINE = "quarantine"


class Printed(StrEnum):
    """What standard output carries."""

    LINES = "lines"
    TABLE = "table"
    JSON = "json"


def admit_command(
    texts: Annotated[
        str,
        typer.Argument(
            metavar="TEXTS",
            help="A file of JSON lines, or - for standard input.",
            show_default=False,
        ),
    ] = "-",
    pool: Annotated[
        str | None,
        _optional(help="The texts of the pool: what hayflick audit reads.", metavar="FILE"),
    ] = None,
    index: Annotated[
        Path | None,
        _optional(
            help="The file that keeps the index of the pool: written once, then read.",
            metavar="FILE",
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Add what is admitted to the pool's index.")
    ] = False,
    text: Annotated[
        str, typer.Option(help="The column of the texts, or a path into one.", metavar="COLUMN")
    ] = "text",
    id_column: Annotated[
        str | None, _optional("--id", help="The column of the texts' names.", metavar="COLUMN")
    ] = None,
    source: Annotated[
        str | None, _optional(help="The column of the texts' sources.", metavar="COLUMN")
    ] = None,
    score: Annotated[
        str | None, _optional(help="The column of a score, such as a detector's.", metavar="COLUMN")
    ] = None,
    rules: Annotated[
        Path | None,
        _optional(help="A TOML file with the limits below and [actions].", metavar="FILE"),
    ] = None,
    similarity: Annotated[
        float | None, _optional(help="Common share of word pairs of near copies. [default: 0.5]")
    ] = None,
    min_words: Annotated[
        int | None, _optional(help="Words of a text. [default: 1]", metavar="WORDS")
    ] = None,
    max_cluster: Annotated[
        int | None,
        _optional(
            help="Near copies of one another in the pool, the new text included. [default: 1]",
            metavar="TEXTS",
        ),
    ] = None,
    max_source_share: Annotated[
        float | None, _optional(help="Largest share of one source in the pool.", metavar="SHARE")
    ] = None,
    max_phrase: Annotated[
        float | None,
        _optional(
            help="Largest share of the latest texts with the same four words in a row. [default: "
            "0.1]",
            metavar="SHARE",
        ),
    ] = None,
    window: Annotated[
        int | None, _optional(help="How many texts are the latest. [default: 500]", metavar="TEXTS")
    ] = None,
    max_score: Annotated[
        float | None, _optional(help="Largest score, with --score.", metavar="SCORE")
    ] = None,
    action: Annotated[
        list[str] | None,
        _optional(
            help="What is done for a reason: near-copy=quarantine. Can be repeated.",
            metavar="REASON=ACTION",
        ),
    ] = None,
    fail_on: Annotated[
        Failing | None,
        _optional(help="Exit code 1 if a text was rejected, or also if one was quarantined."),
    ] = None,
    encoding: Annotated[str, typer.Option(help="Encoding of the pool.")] = "utf-8",
    separator: options.SeparatorOption = None,
    quote: options.QuoteOption = None,
    no_header: options.NoHeaderOption = False,
    sheet: options.SheetOption = None,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Count rows of the pool that cannot be used, and go on."),
    ] = False,
    output_format: Annotated[
        Printed,
        typer.Option(
            "--format",
            help="What is printed: a line for each text as it comes, or at the end a summary as "
            "a table or as JSON.",
        ),
    ] = Printed.LINES,
    out: options.PageOption = None,
    lang: options.LangOption = options.Lang.EN,
    force: options.ForceOption = False,
    yes: options.YesOption = False,
) -> int:
    """Say of each text whether a pool should take it.

    The answers are admit, quarantine and reject, with reasons.

    Takes a JSON object or string in each line, and writes a JSON object for each in the same order
    as soon as it can. A line that cannot be read is rejected; blank lines are left out.
    """
    from hayflick.auditing.admission_summary import AdmissionRecord
    from hayflick.auditing.admit import CandidateColumns, open_gate
    from hayflick.core.errors import ArgumentError

    limits = {
        "min_words": min_words,
        "max_cluster": max_cluster,
        "max_source_share": max_source_share,
        "max_phrase": max_phrase,
        "window": window,
        "max_score": max_score,
    }
    if pool == texts == "-":
        takes = "a file where the texts are standard input"
        raise ArgumentError("pool", got=pool, takes=takes)
    inputs = [None if texts == "-" else texts, rules]
    if out is not None:
        check_page(out, inputs=[*inputs, pool, index], force=force)
    columns = CandidateColumns(text, id_column, source, score)
    with _opened(texts) as file, progress_bar(yes=yes) as progress:
        is_new = index is not None and (force or not index.exists())
        gate = open_gate(
            pool=pool,
            index=index,
            rules=_rules(rules, limits, action or []),
            columns=columns,
            similarity=similarity,
            force=force,
            inputs=inputs,
            skip_bad=skip_bad,
            encoding=encoding,
            table=options.table_format(
                separator=separator, decimal=None, quote=quote, no_header=no_header, sheet=sheet
            ),
            progress=progress,
        )
        if output_format is Printed.LINES:
            say_inputs(gate.sources)
        name = "standard input" if texts == "-" else Path(texts).name
        record = AdmissionRecord(
            gate, name=name, columns=dataclasses.asdict(columns), update=update
        )
        shows = output_format is Printed.LINES
        interrupted = _decide(file, record, columns, index=index, shows=shows)
    summary = record.summary()
    if out is not None:
        summary.save(out, lang=lang.value, force=force)
    if output_format is not Printed.LINES:
        print_result(summary, options.Format(output_format.value), lang)
    say_written(index if is_new or record.has_grown else None, out)
    say(_counts(summary))
    if interrupted:
        return INTERRUPTED
    failing = () if fail_on is None else ("reject", fail_on.value)
    return ALARM if any(summary.decisions[one] for one in failing) else 0


def _decide(
    file: Any,
    record: AdmissionRecord,
    columns: CandidateColumns,
    *,
    index: Path | None,
    shows: bool,
) -> bool:
    """Decide about each line of a file as soon as it has come; return whether that was cut short.

    What was admitted until then is in the index.
    """
    ascii_only = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") != "utf8"
    try:
        for lines in _batches(file):
            for answer in record.decide(map(columns.of_line, lines)):
                if shows:
                    line = json.dumps(_whole(answer.to_dict()), ensure_ascii=ascii_only)
                    sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        say_interrupted()
        return True
    finally:
        if index is not None and record.has_grown:
            record.gate.save(index)
    return False


def _counts(summary: AdmissionSummary) -> str:
    """Return how many texts were admitted, quarantined and rejected, with the reasons."""
    said = []
    for decision, name in (
        ("admit", "admitted"),
        ("quarantine", "quarantined"),
        ("reject", "rejected"),
    ):
        for_it = [one for one in summary.reasons if one.action == decision and one.decisive]
        reasons = ", ".join(f"{one.reason} {one.decisive}" for one in for_it)
        said.append(f"{summary.decisions[decision]} {name}" + (f" ({reasons})" if reasons else ""))
    return f"{', '.join(said)}; the pool has {summary.pool_after} texts"


def _rules(path: Path | None, limits: dict[str, Any], actions: list[str]) -> AdmissionRules:
    """Return the rules of a file, with what the options say in place of what it says."""
    from hayflick.auditing.admission_rules import AdmissionRules
    from hayflick.core.errors import ArgumentError

    rules = AdmissionRules() if path is None else AdmissionRules.from_toml(path)
    named = dict(rules.actions)
    for one in actions:
        reason, sign, done = one.partition("=")
        if not sign:
            raise ArgumentError("action", got=one, takes="REASON=ACTION, near-copy=quarantine")
        named[reason.strip()] = done.strip()
    given = {name: limit for name, limit in limits.items() if limit is not None}
    return dataclasses.replace(rules, actions=named, **given)


@contextmanager
def _opened(texts: str) -> Iterator[Any]:
    """Open the file of the texts; standard input is not closed at the end."""
    from hayflick.auditing.admit import opened_lines

    with _standard_input() if texts == "-" else opened_lines(Path(texts)) as file:
        yield file


def _standard_input() -> IO[bytes]:
    from hayflick.core.errors import DataError

    try:
        return open(0 if sys.stdin is None else sys.stdin.fileno(), "rb", closefd=False)
    except OSError as fault:
        raise DataError(f"standard input: cannot be read ({fault.strerror or fault})") from None


def _batches(file: Any) -> Iterator[list[bytes]]:
    """Yield the lines that have come, without waiting for more where there are some."""
    from hayflick.auditing.admit import LONGEST_LINE
    from hayflick.core.errors import DataError

    rest = b""
    number = 0
    read = getattr(file, "read1", file.read)
    while chunk := read(1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        number += len(lines)
        if len(rest) > LONGEST_LINE:
            raise DataError(f"line {number + 1} has more than {LONGEST_LINE:,} bytes; cut it")
        yield [line for line in lines if line.strip()]
    if rest.strip():
        yield [rest]


def _whole(record: Any) -> Any:
    """Return a record without halves of surrogate pairs, which cannot be written."""
    if isinstance(record, str):
        return record if record.isascii() else record.encode("utf-8", "replace").decode()
    if isinstance(record, dict):
        return {name: _whole(value) for name, value in record.items()}
    return [_whole(one) for one in record] if isinstance(record, list) else record
