"""How help texts look: commands under the question they answer, an example at the end of each."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup
from typing_extensions import override

FORECAST = "Forecast and plan"
WATCH = "Watch answers"
DATA = "Check data"
NETWORKS = "Networks of models"
SERVICE = "Run the service"
PACKAGE = "Papers, and this installation"

PANELS = (FORECAST, WATCH, DATA, NETWORKS, SERVICE, PACKAGE)
"""The parts of the list of commands, in their order."""

GUIDES = {
    "forecast": "forecast",
    "plan": "planning",
    "reserve": "planning",
    "calibrate": "calibration",
    "simulate": "families",
    "expressivity": "families",
    "loop": "loop",
    "sweep": "sweeps",
    "watch": "watching",
    "compare": "comparing",
    "gate": "gates",
    "probe": "how-to/probe-endpoints",
    "trace": "contamination",
    "summarise": "scale",
    "merge": "scale",
    "review": "reviews",
    "pilot": "pilots",
    "rules": "rules",
    "audit": "audit",
    "admit": "audit",
    "network": "networks-of-models",
    "serve": "service",
    "db": "service",
    "reproduce": "families",
    "doctor": "how-to/check-installation",
}
"""The page of the documentation about each command."""

START = """\
How soon are rare things gone?          hayflick forecast corpus.txt
How much real data prevents that?       hayflick plan corpus.txt --keep 0.8
Are the answers becoming one voice?     hayflick watch traces.jsonl
Is a data set fit to be trained on?     hayflick audit train.jsonl --text text
How do models do that share a store?    hayflick network run experiment.toml
All commands: hayflick --help           Is all well installed? hayflick doctor"""
"""What ``hayflick`` alone prints."""

_LONGEST = 1000


def examples(*commands: str) -> str:
    r"""Return commands as the end of a help text, where they keep their lines.

    Examples
    --------
    >>> examples("hayflick forecast corpus.txt")
    '\x08\nExample:\n  hayflick forecast corpus.txt'
    """
    title = "Example:" if len(commands) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {command}" for command in commands)])


class CommandList(TyperGroup):
    """A group that lists its commands under the names of `PANELS`."""

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        listed = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        width = max(len(name) for name, _ in listed)
        for panel in PANELS:
            rows = [
                (f"{name:<{width}}", command.get_short_help_str(_LONGEST))
                for name, command in listed
                if getattr(command, "rich_help_panel", None) == panel
            ]
            with formatter.section(panel):
                formatter.write_dl(rows)
