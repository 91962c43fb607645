"""``hayflick probe``: the same prompts to one's own endpoints, a round every time it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hayflick.cli.options import Format, FormatOption, Lang, YesOption
from hayflick.cli.printing import INCOMPLETE, print_result, say, say_written
from hayflick.core.progress import progress_bar


def probe_command(
    panel: Annotated[Path, typer.Argument(metavar="PANEL", help="A TOML file.")],
    output_format: FormatOption = Format.TABLE,
    yes: YesOption = False,
) -> int:
    """Ask a panel once more, and add the round to the file that watch reads.

    Exit code 3: the round is not finished; the next call goes on with it.
    """
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.network.probe import probe

    try:
        with progress_bar(yes=yes) as progress:
            done = probe(panel, progress=progress)
    except (BudgetExhausted, EndpointError) as stop:
        say(f"stopped: {stop}")
        say(f"go on with: hayflick probe {panel}")
        return INCOMPLETE
    print_result(done, output_format, Lang.EN)
    say_written(done.file)
    return 0
