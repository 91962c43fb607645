"""The command line that is running, as pages show it: secrets are masked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

_MASK = "***"
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# Whoever knows the address of a web hook can post to it.
_WEB_HOOK = "--notify="
_SECRET_NAME = re.compile(
    r"key|token(?!s|iz)|secret|passw|credential|auth(?!or)|^--notify$", re.IGNORECASE
)
_ASSIGNMENT = re.compile(r"(?<![\w-])(-{0,2}[\w.-]+)=([^\s&;,]+)")
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|pk|rk|hf|gh[opsu]|github_pat|xox[abp]|glpat|AKIA|AIza|eyJ)[A-Za-z0-9_-]{12,}"
    r"|(?<![A-Za-z0-9/._-])(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}"
    r"(?![A-Za-z0-9/._-])"
)

_running: ContextVar[tuple[str, ...] | None] = ContextVar("running", default=None)


@contextmanager
def running_command(arguments: Sequence[str]) -> Iterator[None]:
    """Record what was typed after ``hayflick`` while it runs."""
    before = _running.set(tuple(arguments))
    try:
        yield
    finally:
        _running.reset(before)


def command_line() -> str | None:
    """Return the command that is running, for a shell, secrets masked; None in Python.

    Examples
    --------
    >>> with running_command(["forecast", "my corpus.txt"]):
    ...     command_line()
    "hayflick forecast 'my corpus.txt'"
    """
    arguments = _running.get()
    return None if arguments is None else masked_command(arguments)


def masked_command(arguments: Sequence[str]) -> str:
    """Return arguments as a command for a shell: no password, and nothing that looks like a key.

    Examples
    --------
    >>> masked_command(["watch", "http://me:secret@example.org/a.csv", "--api-key", "abc"])
    "hayflick watch 'http://***@example.org/a.csv' --api-key ***"
    >>> masked_command(["watch", "a.csv", "--notify", "https://example.org/a?b=c&d"])
    'hayflick watch a.csv --notify ***'
    """
    shown = []
    is_secret = False
    for argument in arguments:
        is_option = argument.startswith("-") and "=" not in argument
        shown.append(_MASK if is_secret and not is_option else masked_text(argument))
        is_secret = is_option and bool(_SECRET_NAME.search(argument))
    # The mask needs no quotes of its own.
    return f"hayflick {shlex.join(shown)}".replace(f"'{_MASK}'", _MASK) if shown else "hayflick"


def masked_text(argument: str) -> str:
    """Return a text without passwords, and without what looks like a key.

    Examples
    --------
    >>> masked_text("postgresql://me:secret@example.org/store: no answer")
    'postgresql://***@example.org/store: no answer'
    """
    if argument.startswith(_WEB_HOOK):
        return f"{_WEB_HOOK}{_MASK}"
    without = _CREDENTIALS.sub(f"{_MASK}@", argument)
    without = _ASSIGNMENT.sub(_masked_assignment, without)
    return _KEY.sub(_MASK, without)


def _masked_assignment(found: re.Match[str]) -> str:
    return f"{found[1]}={_MASK}" if _SECRET_NAME.search(found[1]) else found[0]
