"""Write the command line's own help into docs/cli.md; a test holds the two together."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path

from hayflick.cli.help import GUIDES

PAGE = Path(__file__).with_name("cli.md")
HEAD = """\
# The command line

Written by `make generated` from the commands themselves.

Exit codes: 0 ok, 1 alarm, 2 the user's mistake, 3 incomplete, 70 internal error, 130 interrupted.
Standard output carries the result alone; progress, warnings and the names of written files go to
standard error. `HAYFLICK_TRACEBACK=1` shows where an internal error comes from.

[Complete commands in the shell](how-to/shell-completion.md) with the Tab key; `hayflick doctor`
says [what an installation lacks](how-to/check-installation.md).
"""
NEXT = """\
## Next

- [Forecasting](forecast.md) and [watching what models say](watching.md): commands at work
- [Inputs](inputs.md) and [logs](logs.md): what the commands read
- [Gates](gates.md): what a pipeline does with the exit codes
"""


def helped(*command: str) -> str:
    """Return the help of a command, 100 columns wide whatever the terminal."""
    os.environ["COLUMNS"] = "100"
    os.environ["TERMINAL_WIDTH"] = "100"
    from hayflick.cli.main import main

    with redirect_stdout(io.StringIO()) as shown:
        main([*command, "--help"])
    return "\n".join(line.rstrip() for line in shown.getvalue().splitlines()).strip()


def section(title: str, *command: str, level: str) -> str:
    """Return the help of a command under its title, after its guide and its examples."""
    text, _, shown = helped(*command).partition("\n\n  Example")
    examples = "\n".join(line.strip() for line in shown.splitlines()[1:])
    parts = [f"{level} {title}", f"```sh\n{examples}\n```", f"```text\n{text}\n```"]
    if level == "##" and command:
        parts.insert(1, f"[The guide to {command[0]}]({GUIDES[command[0]]}.md)")
    return "\n\n".join(parts) + "\n"


def page() -> str:
    """Return the whole page."""
    from hayflick.cli.app import app

    groups = {
        group.name: [(group.name, one.name) for one in group.typer_instance.registered_commands]
        for group in app.registered_groups
    }
    subcommands = [command for listed in groups.values() for command in listed]
    of_groups = [command for name, listed in groups.items() for command in ((name,), *listed)]
    commands = [(), *((command.name,) for command in app.registered_commands), *of_groups]
    parts = [HEAD]
    for command in commands:
        level = "###" if command in subcommands else "##"
        title = " ".join(("hayflick", *filter(None, command)))
        parts.append(section(title, *filter(None, command), level=level))
    return "\n".join([*parts, NEXT])


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    PAGE.write_text(page(), encoding="utf-8")
