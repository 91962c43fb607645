"""What the commands share: choices, and how a result goes to standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

ALARM, INCOMPLETE, INTERRUPTED = 1, 3, 130


class Format(StrEnum):
    """What standard output carries."""

    TABLE = "table"
    JSON = "json"


class Lang(StrEnum):
    """Languages of tables and pages."""

    EN = "en"
    JA = "ja"


def print_json(record: dict[str, Any]) -> None:
    """Print a record as JSON."""
    # Other encodings lack letters, and JSON can spell them out.
    ascii_only = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") != "utf8"
    print(json.dumps(record, ensure_ascii=ascii_only, allow_nan=False, indent=2))


def print_tables(parts: Iterable[RenderableType]) -> None:
    """Print tables and sentences."""
    from rich.console import Console

    class Plain(Console):
        """A console that leaves it to the command what a reader who leaves means."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    console = Plain(markup=False, highlight=False)
    for part in parts:
        console.print(part)


def split_columns(names: str) -> list[str]:
    """Return the names of columns that are separated by commas."""
    return [name.strip() for name in names.split(",")]


def say_gaussian(column: str | None) -> None:
    """Say on standard error that a column was taken for a Gaussian."""
    print(
        f"note: the column {column!r} holds numbers; taken for a Gaussian "
        "(--family discrete counts them as labels)",
        file=sys.stderr,
    )


def say(message: str) -> None:
    """Say on standard error what people should know; signs that move its cursor are left out."""
    from hayflick.report.tables import printable

    print(printable(message), file=sys.stderr)


def say_written(*paths: object) -> None:
    """Say on standard error what was written."""
    for path in filter(None, paths):
        print(f"wrote {path}", file=sys.stderr)


def say_interrupted() -> None:
    """Say on standard error that a run was cut short."""
    print("interrupted: what was finished is reported", file=sys.stderr)
