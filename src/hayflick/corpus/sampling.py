"""A bounded sample of files' text, for decisions that a whole pass would not make better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hayflick.corpus.encodings import CHUNK_BYTES, check_encoding, decoded

_WINDOWS = 16
_WINDOW_BYTES = 1 << 15
_HEAD_CHARACTERS = 1 << 14
_FILES = 4096


def sample_files(files: Sequence[Path], *, encoding: str) -> Iterator[str]:
    """Yield the heads of up to 4096 files, and windows all through the long ones.

    Raises
    ------
    DataError
        If a sampled head cannot be read as text in `encoding`.
    """
    step = -(-len(files) // _FILES)
    for file in files[::step]:
        yield next(decoded(file, encoding=encoding), "")[:_HEAD_CHARACTERS]
        yield from _windows(file, check_encoding(encoding))


def _windows(path: Path, codec: str) -> Iterator[str]:
    size = path.stat().st_size
    if size <= CHUNK_BYTES:
        return
    with open(path, "rb") as file:
        for window in range(1, _WINDOWS):
            # Multiples of 4 bytes keep UTF-16 and UTF-32 in step.
            file.seek(size * window // _WINDOWS // 4 * 4)
            yield file.read(_WINDOW_BYTES).decode(codec, errors="ignore")
