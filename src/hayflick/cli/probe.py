"""``hayflick probe``: the same prompts to one's own endpoints, a round every time it is called."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli.printing import (
    INCOMPLETE,
    Format,
    print_json,
    say_written,
)


def probe_command(
    panel: Annotated[Path, typer.Argument(metavar="PANEL", help="A TOML file.")],
    output_format: Annotated[
        Format, typer.Option("--format", help="What standard output carries.")
    ] = Format.TABLE,
) -> int:
    """Ask a panel once more, and add the round to the file that watch reads.

    Exit code 3: the round is not finished; the next call goes on with it.
    """
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.network.probe import probe

    try:
        done = probe(panel)
    except (BudgetExhausted, EndpointError) as stop:
        print(f"stopped: {stop}", file=sys.stderr)
        print(f"go on with: hayflick probe {panel}", file=sys.stderr)
        return INCOMPLETE
    if output_format is Format.JSON:
        counts = {"round": done.round, "answers": done.answers, "empty_answers": done.empty}
        print_json({"format_version": 1, "file": str(done.file), **counts})
    else:
        print(f"round {done.round}: {done.answers} answers, {done.empty} of them empty")
    say_written(done.file)
    return 0
