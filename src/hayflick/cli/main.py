"""How ``hayflick`` starts; `hayflick.cli.app` has its commands.

Nothing is loaded here, so that Ctrl-C ends the command in one line also while modules are loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    from hayflick.cli.app import run_command

    return run_command(sys.argv[1:] if arguments is None else list(arguments))


def run() -> None:
    """Run the command that was typed, and exit."""
    import gc
    import warnings

    # To look for cycles every 700 objects, and once more at the end, takes a tenth of a short
    # command's time.
    gc.set_threshold(50_000)
    warnings.showwarning = _show_warning
    try:
        code = main()
    except KeyboardInterrupt:
        # Not caught by the command itself: it had not begun, or had ended.
        _say("error: interrupted; nothing was finished")
        code = _INTERRUPTED
    gc.freeze()
    sys.exit(code)


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"warning: {message}")


def _say(message: str) -> None:
    # A reader who has left, or a closed stream, changes no exit code.
    if sys.stderr is not None:
        with suppress(OSError):
            print(message, file=sys.stderr, flush=True)
