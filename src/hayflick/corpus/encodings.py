"""Bytes to text, piece by piece, with an exact word on what cannot be decoded."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.core.progress import Progress, silent

CHUNK_BYTES = 1 << 18
LONGEST_PIECE = 1 << 20
"""Characters after which a piece is cut even where there is no whitespace."""

_CANDIDATES = ("cp932", "euc-jp", "gb18030", "cp1252")
_HALF_WIDTH_KATAKANA = range(0xFF61, 0xFFA0)


def check_encoding(encoding: str) -> str:
    """Return the codec to read with; UTF-8 loses its byte-order mark on the way.

    Raises
    ------
    ArgumentError
        If Python has no text codec of that name.

    Examples
    --------
    >>> check_encoding("Shift_JIS"), check_encoding("UTF8")
    ('shift_jis', 'utf-8-sig')
    """
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError, ValueError):
        takes = "a codec's name, such as utf-8, utf-16, cp932, euc-jp or latin-1"
        raise ArgumentError("encoding", got=encoding, takes=takes) from None
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def decoded(path: Path, *, encoding: str = "utf-8", progress: Progress = silent) -> Iterator[str]:
    """Yield the text of a file as it is decoded, memory independent of its size.

    Parameters
    ----------
    path
        The file.
    encoding
        Any text codec of Python's.
    progress
        Told the bytes read.

    Raises
    ------
    DataError
        If the file is missing, unreadable, empty or binary.
    UndecodableError
        At the first byte that is not `encoding`, with its offset and a likely encoding.
    """
    codec = check_encoding(encoding)
    size = _size(path)
    decoder = codecs.getincrementaldecoder(codec)(errors="strict")
    position = 0
    with open(path, "rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            if position == 0:
                _refuse_binary(path, chunk, codec)
            position += len(chunk)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as fault:
                offset = position - len(fault.object) + fault.start
                raise _undecodable(path, encoding, offset) from None
            if text:
                yield text
            progress("reading", position, size)
            if not chunk:
                return


def pieces(texts: Iterator[str], *, separators: str = " \n\t\u3000") -> Iterator[str]:
    """Cut running text behind a separator into pieces of bounded length.

    A run of more than a million characters without a separator is cut where it stands.

    Examples
    --------
    >>> list(pieces(iter(["one tw", "o three"])))
    ['one ', 'two ', 'three']
    """
    rest = ""
    for text in texts:
        rest += text
        cut = 1 + max(rest.rfind(separator) for separator in separators)
        if cut == 0 and len(rest) >= LONGEST_PIECE:
            cut = len(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
        with open(path, "rb"):
            pass
    except OSError as fault:
        reason = (fault.strerror or "unreadable").lower()
        raise DataError(f"{path}: {reason}; check the path and its permissions") from None
    if size == 0:
        raise DataError(f"{path}: the file is empty; give one with text in it")
    return size


def _refuse_binary(path: Path, head: bytes, codec: str) -> None:
    wide = codec.startswith(("utf-16", "utf-32"))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not wide:
        raise UndecodableError(
            f"{path}: starts with a UTF-16 byte-order mark; add --encoding utf-16", offset=0
        )
    offset = head.find(b"\0")
    if offset >= 0 and not wide:
        raise DataError(
            f"{path}: looks binary (byte 0x00 at offset {offset}), takes text; "
            "convert it to text first, or name its encoding with --encoding"
        )


def _undecodable(path: Path, encoding: str, offset: int) -> UndecodableError:
    with open(path, "rb") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(0)
        head = file.read(CHUNK_BYTES + offset)
        if file.read(1):
            # No codec has a line feed inside a character: cut there.
            head = head[: head.rfind(b"\n") + 1] or head
    found = f"byte 0x{byte.hex()} at offset {offset}"
    remedy = f"name its encoding, probably --encoding {likely_encoding(head)}"
    return UndecodableError(f"{path}: is not {encoding} ({found}); {remedy}", offset=offset)


def likely_encoding(data: bytes) -> str:
    """Return a codec that decodes `data` without half-width katakana.

    Examples
    --------
    >>> likely_encoding("りんご,みかん".encode("cp932")), likely_encoding("café".encode("cp1252"))
    ('cp932', 'cp1252')
    """
    for codec in _CANDIDATES:
        try:
            text = data.decode(codec)
        except UnicodeDecodeError:
            continue
        if not any(ord(letter) in _HALF_WIDTH_KATAKANA for letter in text):
            return codec
    return "latin-1"
