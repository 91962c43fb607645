"""Open files, compressed by gzip or Zstandard or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from hayflick.core.decompression import decompressed, decompression_faults, without_compression
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import DataError


def content_suffix(path: Path) -> str:
    """Return the suffix of a file in lower case; that of its content before ``.gz`` and ``.zst``.

    Examples
    --------
    >>> content_suffix(Path("answers.jsonl.zst")), content_suffix(Path("notes.TXT"))
    ('.jsonl', '.txt')
    """
    return without_compression(path).suffix.lower()


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file to read its bytes; a gzip or Zstandard file is decompressed while it is read.

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
            yield decompressed(file), file
    except OSError as fault:
        if isinstance(fault, decompression_faults()):
            raise _damaged(path, fault) from None
        reason = (fault.strerror or "unreadable").lower()
        raise DataError(f"{path}: {reason}; check the path and its permissions") from None
    except decompression_faults() as fault:
        raise _damaged(path, fault) from None


_LARGE_WINDOW = "too much memory"


def _damaged(path: Path, fault: Exception) -> DataError:
    if _LARGE_WINDOW in str(fault):
        remedy = "decompress it with zstd -d --long=31, or compress the file again without --long"
        return DataError(f"{path}: takes more than 128 MiB of memory to decompress; {remedy}")
    reason = f"the compressed data are damaged or cut off ({fault})"
    return DataError(f"{path}: {reason}; compress the file again")
