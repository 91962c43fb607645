"""How results and notes go to standard output and standard error, and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hayflick.cli.options import Format, Lang
from hayflick.cli.streams import one_destination
from hayflick.core.display import Result, report_of
from hayflick.core.display_text import LONGEST_TEXT, display_text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hayflick.core.source import Source

ALARM, USER_MISTAKE, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130


def expect_page() -> None:
    """Get ready to draw a page while the command computes."""
    from hayflick.report.drawing import start_renderer

    start_renderer()


def print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON."""
    # Other encodings lack letters, and JSON can spell them out.
    ascii_only = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") != "utf8"
    print(json.dumps(record, ensure_ascii=ascii_only, allow_nan=False, indent=2))


def print_tables(parts: Iterable[RenderableType]) -> None:
    """Print tables and sentences."""
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    for part in parts:
        console.print(display_text(part, longest=LONGEST_TEXT) if isinstance(part, str) else part)


def print_result(result: Result, output_format: Format, lang: Lang) -> None:
    """Print a result as a table or as JSON; say on standard error how its input was read."""
    say_inputs(result.sources)
    if output_format is Format.JSON:
        print_json(result.to_dict())
    else:
        print_tables(report_of(result).tables(result, lang=lang.value))
        print_inputs(result.sources, lang)


def print_inputs(sources: Sequence[Source], lang: Lang) -> None:
    """Print what was read, a line for each file."""
    from hayflick.report.inputs import input_lines
    from hayflick.report.language import Language

    # Who reads both streams in one place has read the notes already.
    print_tables(input_lines(sources, Language(lang.value), notes=not one_destination()))


def say_gaussian(column: str | None) -> None:
    """Say on standard error that a column was taken for a Gaussian."""
    say(
        f"note: the column {column!r} holds numbers; taken for a Gaussian "
        "(--family discrete counts them as labels)"
    )


def say(message: str) -> None:
    """Say on standard error what people should know; signs that move its cursor are replaced."""
    print(display_text(message, longest=LONGEST_TEXT), file=sys.stderr)


def say_notes(notes: Iterable[object]) -> None:
    """Say on standard error how the input was read."""
    for note in notes:
        say(f"note: {note}")


def say_inputs(sources: Iterable[Source]) -> None:
    """Say on standard error how the inputs were read, and where they do not fit."""
    sources = tuple(sources)
    say_notes(dict.fromkeys(note for source in sources for note in source.notes))
    say_notes(dict.fromkeys(check for source in sources for check in source.fit_checks))


def say_written(*paths: object) -> None:
    """Say on standard error what was written."""
    for path in filter(None, paths):
        say(f"wrote {path}")


def say_interrupted() -> None:
    """Say on standard error that a run was cut short."""
    print("interrupted: what was finished is reported", file=sys.stderr)
