"""Decompress gzip and Zstandard files while they are read, told by their first bytes."""

from __future__ import annotations

import gzip
import sys
import zlib
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

COMPRESSED_SUFFIXES = (".gz", ".zst")
"""Suffixes of compressed files, behind that of their content."""

MARK_BYTES = 4
"""Number of first bytes that tell how a file is compressed."""

_GZIP_MARK = b"\x1f\x8b"
# Any of sixteen frames that a reader skips may come first, as tools write that compress in threads.
_ZSTD_MARKS = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + low, 0x2A, 0x4D, 0x18)) for low in range(16)))


def compressed_suffix(head: bytes) -> str:
    r"""Return the suffix of the kind of compression that first bytes tell; ``""`` for none.

    Examples
    --------
    >>> compressed_suffix(b"\x1f\x8b\x08"), compressed_suffix(b"id,answer\n")
    ('.gz', '')
    """
    if head.startswith(_GZIP_MARK):
        return ".gz"
    return ".zst" if head.startswith(_ZSTD_MARKS) else ""


def without_compression(path: Path) -> Path:
    """Return a path without the suffix of a compressed file.

    Examples
    --------
    >>> without_compression(Path("answers.jsonl.zst")).name
    'answers.jsonl'
    """
    return path.with_suffix("") if path.suffix.lower() in COMPRESSED_SUFFIXES else path


def decompressed(file: BinaryIO) -> BinaryIO:
    """Return a stream of what a file holds, which is the file itself if it is not compressed.

    Reading raises one of `decompression_faults` where the compressed data are damaged or cut off.

    Parameters
    ----------
    file
        The file, at its beginning.
    """
    kind = compressed_suffix(file.read(MARK_BYTES))
    file.seek(0)
    if kind == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if kind == ".zst":
        return cast(BinaryIO, zstd_module().ZstdFile(file))
    return file


def decompression_faults() -> tuple[type[Exception], ...]:
    """Return what reading damaged compressed data raises."""
    known: tuple[type[Exception], ...] = (EOFError, gzip.BadGzipFile, zlib.error)
    # Nothing that is not loaded can have raised anything.
    return (*known, zstd_module().ZstdError) if _ZSTD_MODULE in sys.modules else known


_ZSTD_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


def zstd_module() -> ModuleType:
    """Return the module of Zstandard, which is the standard library's from Python 3.14 on."""
    return import_module(_ZSTD_MODULE)
