"""Files are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from hayflick.core.errors import OutputError


def check_writable(path: Path, *, force: bool) -> None:
    """Refuse a path that cannot be written, before any work starts.

    Raises
    ------
    OutputError
        If its folder is missing, it is a folder, or it exists and `force` is not set.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, takes a file name; give one inside it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: the folder {path.parent} is not writable; choose another")
    if path.exists() and not force:
        raise OutputError(f"{path}: exists already; choose another name or add --force")


def unused_path(path: Path) -> Path:
    """Return `path`, or its first numbered sister that does not exist.

    Examples
    --------
    >>> unused_path(Path("/no/such/folder/forecast-corpus.html")).name
    'forecast-corpus.html'
    """
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to a temporary file beside `path`, then rename it.

    Raises
    ------
    OutputError
        If the operating system refuses.
    """
    temporary = path.parent / f".hayflick-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        try:
            with open(temporary, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as fault:
        raise OutputError(f"{path}: cannot be written ({fault.strerror})") from fault
