"""``hayflick probe``: the same prompts to one's own endpoints, a round every time it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hayflick.cli.options import Format, FormatOption, Lang, YesOption
from hayflick.cli.printing import INCOMPLETE, INTERRUPTED, print_result, say, say_written
from hayflick.core.display_text import display_text
from hayflick.core.progress import progress_bar

if TYPE_CHECKING:
    from hayflick.network.probe import ProbeInterrupted


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
    """Ask a panel of prompts once more: a round for watch.

    The round is added to the file that hayflick watch reads.

    An endpoint that is down costs its own answers alone: they are missing in the round.

    Exit code 3: no agent answered, which the record shows as a gap once it has a round, or the
    budget is spent; then the next call goes on with the round.
    """
    from hayflick.core.errors import BudgetExhausted, EndpointError
    from hayflick.network.probe import ProbeInterrupted, probe

    try:
        with progress_bar(yes=yes) as progress:
            done = probe(panel, deadline=deadline, progress=progress)
    except (BudgetExhausted, EndpointError) as stop:
        say(f"stopped: {stop}")
        say(f"go on with: hayflick probe {panel}")
        return INCOMPLETE
    except ProbeInterrupted as stop:
        _say_interrupted(stop, panel)
        return INTERRUPTED
    if done.missing:
        names = ", ".join(f"{display_text(one.agent)} ({one.number:,})" for one in done.missing)
        say(f"round {done.round} is closed without answers of: {names}")
    print_result(done, output_format, Lang.EN)
    say_written(done.file)
    return 0 if done.answers else INCOMPLETE


def _say_interrupted(stop: ProbeInterrupted, panel: Path) -> None:
    whole = f"; whole rounds in the file: {stop.round - 1:,}" if stop.round > 1 else ""
    if not stop.kept:
        say(f"interrupted: no answer of round {stop.round:,} had arrived{whole}")
        say(f"ask it again with: hayflick probe {panel}")
        return
    kept = f"{stop.kept:,} of {stop.asked:,} answers of round {stop.round:,} are kept"
    say(f"interrupted: {kept}{whole}")
    say(f"go on within {stop.seconds_left:,.0f} s with: hayflick probe {panel}")
    say("after that, the round is closed with the answers that it has")
