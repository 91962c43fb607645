"""Where summaries lie: files and objects whose names end in ``.summary``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.core.object_patterns import is_pattern, matches
from hayflick.core.object_stores import check_new_object, is_url
from hayflick.core.output import check_not_input, check_writable

SUFFIX = ".summary"
"""What names of summaries end in."""

_Given = TypeVar("_Given")


def check_target(
    path: str | os.PathLike[str],
    *,
    inputs: Iterable[str | os.PathLike[str] | None] = (),
    force: bool,
) -> Path | str:
    """Return the path or URL of a summary to write, and refuse it before any work starts.

    Raises
    ------
    ArgumentError
        If its name does not end in ``.summary``.
    OutputError
        If it is an input, exists and `force` is not set, or cannot be written.
    DataError, StoreError
        If the object store cannot be used.
    """
    if not os.fspath(path).endswith(SUFFIX):
        takes = f"a name that ends in {SUFFIX}, such as 7{SUFFIX}"
        raise ArgumentError("out", got=os.fspath(path), takes=takes)
    if is_url(path):
        if path in inputs:
            raise OutputError(f"{path}: is the input; choose another name")
        check_new_object(path, force=force)
        return path
    check_not_input(Path(path), inputs)
    check_writable(Path(path), force=force)
    return Path(path)


def summary_places(given: Iterable[_Given]) -> Iterator[_Given | str]:
    """Yield what is given, and summaries in place of their folders and of patterns of stores.

    Raises
    ------
    DataError, StoreError
        If there is no summary, or the store cannot be used.
    """
    for one in given:
        if isinstance(one, (str, os.PathLike)) and not is_url(one) and os.path.isdir(one):
            yield from _below(Path(one))
            continue
        if not is_url(one) or (one.endswith(SUFFIX) and not is_pattern(one)):
            yield one
            continue
        found = [match.stored.url for match in matches(one) if match.stored.url.endswith(SUFFIX)]
        if not found:
            raise DataError(f"{one}: holds no summary; takes names that end in {SUFFIX}")
        yield from sorted(found)


def _below(folder: Path) -> list[str]:
    """Return the summaries in a folder, at any depth."""
    found = sorted(str(path) for path in folder.rglob(f"*{SUFFIX}") if path.is_file())
    if not found:
        raise DataError(f"{folder}: holds no summary; takes names that end in {SUFFIX}")
    return found
