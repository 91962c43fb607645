"""Copies of objects on a disk, in which what reads and writes files works; put back if changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError
from hayflick.core.object_stores import ABSENT, fetched, find_object, write_object


def rename(fault: BaseException | None, shown: Mapping[str, str]) -> None:
    """Name what copies are of, by their paths, in place of the copies in an error."""
    if isinstance(fault, (DataError, OutputError)):
        for copy, name in shown.items():
            fault.args = tuple(str(part).replace(copy, name) for part in fault.args)


@contextmanager
def naming(shown: Mapping[str, str]) -> Iterator[None]:
    """Name what copies are of, by their paths, in errors of the block."""
    try:
        yield
    except (DataError, OutputError) as fault:
        rename(fault, shown)
        raise


@contextmanager
def read_copy(url: str) -> Iterator[Path]:
    """Hold a copy of an object, which is only read; errors name the object.

    Raises
    ------
    DataError, OutputError, StoreError, MissingExtraError
        As `hayflick.core.object_stores.fetched`.
    """
    with fetched(url) as path, naming({str(path): url}):
        yield path


@contextmanager
def held_copy(url: str) -> Iterator[Path]:
    """Hold a copy of an object, or the path of none, and write the object if the copy changes.

    It is written only if nobody else has written it since it was read. After an error in the block
    it stays as it is.

    Raises
    ------
    OutputError
        If another process has written the object meanwhile, or it cannot be written.
    DataError, StoreError, MissingExtraError
        As `hayflick.core.object_stores.listed`.
    """
    known = find_object(url)
    folder = Path(tempfile.mkdtemp(prefix="hayflick-"))
    try:
        path = folder / "copy"
        if known is not None:
            path.write_bytes(known[0])
        with naming({str(path): url}):
            yield path
        left = path.read_bytes() if path.exists() else None
        if left is not None and (known is None or left != known[0]):
            write_object(url, left, version=ABSENT if known is None else known[1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
