"""Which objects of a store a URL names: one, those below a folder, or those that fit a pattern."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from hayflick.core.errors import DataError
from hayflick.core.object_stores import StoredObject, listed, object_place

_MAGIC = re.compile(r"[*?\[]")


class Match(NamedTuple):
    """An object that a URL names.

    Parameters
    ----------
    stored
        The object.
    inside
        Its name below the folder that the URL names, or in which all that fits the pattern lies.
    free
        The part of it that the URL does not spell out.
    """

    stored: StoredObject
    inside: PurePosixPath
    free: PurePosixPath


def is_pattern(url: str) -> bool:
    """Return whether a URL holds ``*``, ``?`` or ``[``."""
    return _MAGIC.search(url) is not None


def matches(url: str) -> list[Match]:
    """Return the objects that a URL names, whatever they hold.

    Raises
    ------
    DataError
        If there is none, or no such bucket, or it may not be listed.
    StoreError
        If the store does not answer.
    MissingExtraError
        If the extra is not installed.
    """
    if is_pattern(url):
        return list(_fitting(url))
    found = listed(url)
    if len(found) == 1 and found[0].url == url:
        name = PurePosixPath(url.rpartition("/")[2])
        return [Match(found[0], name, PurePosixPath())]
    inside = (_below(one, url) for one in found)
    return [Match(one, name, name) for one, name in zip(found, inside, strict=True)]


def _below(one: StoredObject, root: str) -> PurePosixPath:
    return PurePosixPath(one.url.removeprefix(root.rstrip("/") + "/"))


def _fitting(pattern: str) -> Iterator[Match]:
    """Yield the objects that fit a pattern, and those in the folders that do."""
    root, wanted = _parts(pattern)
    for one in listed(f"{root}/"):
        inside = _below(one, root)
        parts = inside.parts
        # Of a pattern that ends in ** the objects in folders fit by themselves.
        ends = [len(parts)] if wanted[-1] == "**" else range(1, len(parts) + 1)
        end = next((end for end in ends if _fits(parts[:end], wanted)), None)
        if end is not None:
            # What a shell would find has passed the pattern; below it nothing has.
            yield Match(one, inside, PurePosixPath(*parts[end - 1 :]))


def _parts(pattern: str) -> tuple[str, list[str]]:
    """Return the folder in which all that fits a pattern lies, and the parts of the rest."""
    root, key = object_place(pattern)
    if is_pattern(root) or not key:
        raise DataError(f"{pattern!r}: is no pattern for objects; takes the name of the bucket")
    parts = key.split("/")
    fixed = next(at for at, part in enumerate(parts) if is_pattern(part))
    return "/".join([root, *parts[:fixed]]), parts[fixed:]


def _fits(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether names fit a pattern as in a shell: ``**`` is any number of folders."""
    if not wanted:
        return not parts
    first, rest = wanted[0], wanted[1:]
    if first == "**":
        deeper = bool(parts) and not parts[0].startswith(".") and _fits(parts[1:], wanted)
        return deeper or _fits(parts, rest)
    if not parts or not fnmatch.fnmatchcase(parts[0], first):
        return False
    is_shown = first.startswith(".") or not parts[0].startswith(".")
    return is_shown and _fits(parts[1:], rest)
