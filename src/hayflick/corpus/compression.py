"""Open files, compressed by gzip or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import DataError

GZIP_MARK = b"\x1f\x8b"
"""The first bytes of a gzip file, whatever its name."""


def content_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case; that of its content if it ends in ``.gz``.

    Examples
    --------
    >>> content_suffix(Path("answers.jsonl.gz")), content_suffix(Path("notes.TXT"))
    ('.jsonl', '.txt')
    """
    bare = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return bare.suffix.lower()


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file to read its bytes; a gzip file is decompressed while it is read.

    Yields
    ------
    The stream of bytes, and the file itself: its position tells how far reading has come.

    Raises
    ------
    DataError
        If the file cannot be opened, or the compressed data are damaged.
    """
    try:
        refuse_pipe(path)
        with open(path, "rb") as file:
            compressed = file.read(len(GZIP_MARK)) == GZIP_MARK
            file.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if compressed else file
            yield stream, file
    except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
        reason = f"the compressed data are damaged or cut off ({fault})"
        raise DataError(f"{path}: {reason}; compress the file again") from None
    except OSError as fault:
        reason = (fault.strerror or "unreadable").lower()
        raise DataError(f"{path}: {reason}; check the path and its permissions") from None
