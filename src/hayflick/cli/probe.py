"""``hayflick probe``: the same prompts to one's own endpoints, a round every time it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli.options import Format, FormatOption, Lang, YesOption
from hayflick.cli.printing import INCOMPLETE, print_result, say, say_written
from hayflick.core.display_text import display_text
from hayflick.core.progress import progress_bar


def probe_command(
    panel: Annotated[Path, typer.Argument(metavar="PANEL", help="A TOML file.")],
    deadline: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="When the round ends at the latest; as the panel says, else by the estimate, "
            "ten minutes at least.",
            show_default=False,
        ),
    ] = None,
    output_format: FormatOption = Format.TABLE,
    yes: YesOption = False,
) -> int:
    """Ask a panel once more, and add the round to the file that watch reads.

    An endpoint that is down costs its own answers alone: they are missing in the round.

    Exit code 3: no agent answered, or the budget is spent; the next call goes on with the round.
    """
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.network.probe import probe

    try:
        with progress_bar(yes=yes) as progress:
            done = probe(panel, deadline=deadline, progress=progress)
    except (BudgetExhausted, EndpointError) as stop:
        say(f"stopped: {stop}")
        say(f"go on with: hayflick probe {panel}")
        return INCOMPLETE
    if done.missing:
        names = ", ".join(f"{display_text(one.agent)} ({one.number:,})" for one in done.missing)
        say(f"round {done.round} is closed without answers of: {names}")
    print_result(done, output_format, Lang.EN)
    say_written(done.file)
    return 0
