"""Decode files piece by piece, with the exact position of what cannot be decoded."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.compression import opened
from hayflick.corpus.normalization import joins_previous

CHUNK_BYTES = 1 << 18
LONGEST_PIECE = 1 << 20
"""Characters after which a piece is cut even without whitespace."""

# Codecs that can spell halves of characters outside the Basic Multilingual Plane.
_SPELLS_SURROGATES = ("utf-7", "unicode-escape", "raw-unicode-escape")


def check_encoding(encoding: str) -> str:
    """Return the codec to read with, which drops the byte-order mark of UTF-8.

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
        known = codecs.lookup(encoding).name not in ("idna", "punycode")
    except (LookupError, UnicodeError, ValueError):
        known = False
    if not known:
        takes = "a codec's name, such as utf-8, utf-16, cp932, euc-jp or latin-1"
        raise ArgumentError("encoding", got=encoding, takes=takes)
    name = codecs.lookup(encoding).name
    return "utf-8-sig" if name == "utf-8" else name


def encoding_beside_data(*paths: Path, stated: str) -> str:
    """Return the encoding of files that are given beside data, such as a list or a reserve.

    They need not be in the encoding of the data: UTF-8 if all of them are, else the stated one.

    Raises
    ------
    ArgumentError
        If Python has no text codec of that name.
    DataError
        If a file cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     old, new = Path(folder) / "old.txt", Path(folder) / "new.txt"
    ...     _ = old.write_text("返金", encoding="cp932"), new.write_text("返金", encoding="utf-8")
    ...     [encoding_beside_data(path, stated="cp932") for path in (old, new)]
    ['cp932', 'utf-8']
    """
    if check_encoding(stated) == check_encoding("utf-8"):
        return stated
    found = [_as_utf_8(path) for path in paths]
    if any(characters is None for characters in found):
        return stated
    # What is ASCII alone may have escape sequences of the stated encoding, if that has ASCII in it.
    is_plain = not any(found) and b"ab".decode(stated, errors="replace") == "ab"
    return stated if is_plain else "utf-8"


def _as_utf_8(path: Path) -> bool | None:
    """Return whether a file in UTF-8 has characters beyond ASCII; None if it is not in UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    beyond = False
    with opened(path) as (stream, _):
        while chunk := stream.read(CHUNK_BYTES):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError:
                return None
            if "\0" in text:
                return None
            beyond = beyond or not chunk.isascii()
        return None if decoder.getstate()[0] else beyond


def decoded(
    path: Path, *, encoding: str = "utf-8", start: int = 0, progress: Progress = silent
) -> Iterator[str]:
    """Yield the text of a file as it is decoded, in memory independent of its size.

    Parameters
    ----------
    path
        The file; a gzip file is decompressed.
    encoding
        Any text codec of Python.
    start
        Number of bytes of the file to leave out.
    progress
        Called with the number of bytes of the file read so far.

    Raises
    ------
    DataError
        If the file is missing, unreadable, empty or binary, or a gzip file is damaged.
    UndecodableError
        If bytes are not valid in `encoding`; the message gives their offset and a likely encoding.
    """
    codec = check_encoding(encoding)
    size = _size(path)
    decoder = codecs.getincrementaldecoder(codec)(errors="strict")
    position = start
    before = b""
    with opened(path) as (stream, file):
        if start:
            stream.seek(start)
        while True:
            chunk = stream.read(CHUNK_BYTES)
            if position == start:
                _refuse_binary(path, chunk, codec)
            # The end of the chunk before may be the beginning of an escape sequence.
            _refuse_escapes(path, before + chunk, encoding, position - len(before))
            before = chunk[1 - len(_ESCAPE) :]
            position += len(chunk)
            try:
                text = decoder.decode(chunk, final=not chunk)
                if codec in _SPELLS_SURROGATES:
                    text.encode()
            except UnicodeDecodeError as fault:
                offset = position - len(fault.object) + fault.start
                raise _undecodable(path, encoding, offset) from None
            except UnicodeError:
                raise _undecodable(path, encoding, max(0, position - len(chunk))) from None
            if position == len(chunk):
                # UTF-16 and UTF-32 with a stated byte order keep a mark as a character.
                text = text.removeprefix("\ufeff")
            if text:
                yield text
            progress("reading", file.tell(), size)
            if not chunk:
                return


def pieces(texts: Iterator[str], *, separators: str = " \n\t\u3000") -> Iterator[str]:
    """Cut running text after separators into pieces of bounded length.

    A run of more than a million characters without a separator is cut between two characters.

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
            cut = _between_characters(rest)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


_JOINER = "\u200d"


def _between_characters(text: str) -> int:
    """Return the last place in a text that no mark, joiner or half of an emoji follows."""
    cut = len(text) - 1
    while cut and (joins_previous(text[cut]) or text[cut - 1] == _JOINER):
        cut -= 1
    return cut or len(text)


def _size(path: Path) -> int:
    with opened(path) as (stream, file):
        size = os.fstat(file.fileno()).st_size
        empty = not stream.read(1)
    if empty:
        raise DataError(f"{path}: the file is empty; give one with text in it")
    return size


def _refuse_binary(path: Path, head: bytes, codec: str) -> None:
    if codec in ("utf-16", "utf-32"):
        _refuse_unmarked(path, head, codec)
    if codec.startswith(("utf-16", "utf-32")):
        return
    marked = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    # The mark of UTF-32 begins with that of UTF-16.
    found = next((mark for mark in marked if head.startswith(mark)), None)
    if found is not None:
        width = 8 * len(found)
        mark = f"starts with a UTF-{width} byte-order mark; add --encoding utf-{width}"
        raise UndecodableError(f"{path}: {mark}", offset=0)
    offset = head.find(b"\0")
    if offset >= 0:
        from hayflick.corpus.encoding_hints import first_fault, looks_like_utf_16

        order = looks_like_utf_16(head)
        if order is not None and first_fault(path, order) is None:
            mark = f"looks like UTF-16 without a byte-order mark; add --encoding {order}"
            raise UndecodableError(f"{path}: {mark}", offset=offset)
        remedy = "convert it to text first, or name its encoding with --encoding"
        binary = f"looks binary (byte 0x00 at offset {offset}), takes text"
        raise DataError(f"{path}: {binary}; {remedy}")


def _refuse_unmarked(path: Path, head: bytes, codec: str) -> None:
    """Refuse UTF-16 and UTF-32 without a mark: Python would take the order of this machine."""
    marks = {
        "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
        "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    }
    if head.startswith(marks[codec]):
        return
    from hayflick.corpus.encoding_hints import unmarked_encoding

    likely = unmarked_encoding(path, codec)
    remedy = f"add --encoding {likely}" if likely else f"name the order: {codec}-le or {codec}-be"
    raise UndecodableError(
        f"{path}: has no byte-order mark, which --encoding {codec} takes; {remedy}", offset=0
    )


_ESCAPE = b"\x1b$"


def _refuse_escapes(path: Path, chunk: bytes, encoding: str, position: int) -> None:
    """Refuse ISO-2022 where another encoding would take its characters for ASCII."""
    # One byte is found faster than two.
    if (
        _ESCAPE[:1] not in chunk
        or _ESCAPE not in chunk
        or codecs.lookup(encoding).name.startswith(("iso2022", "utf-16", "utf-32"))
    ):
        return
    from hayflick.corpus.encoding_hints import escaping_encoding

    likely = escaping_encoding(path)
    if likely is not None:
        offset = position + chunk.index(_ESCAPE)
        found = f"is not {encoding} (escape sequence 0x1b24 at offset {offset})"
        remedy = f"name its encoding with --encoding, perhaps {likely.encoding}"
        if likely.offset is not None:
            remedy = f"fix the file, and {remedy}, but for the byte at offset {likely.offset}"
        raise UndecodableError(f"{path}: {found}; {remedy}", offset=offset)


def _undecodable(path: Path, encoding: str, offset: int) -> UndecodableError:
    from hayflick.corpus.encoding_hints import likely_encoding

    with opened(path) as (stream, _):
        stream.seek(offset)
        byte = stream.read(1)
    likely = likely_encoding(path)
    found = f"{path}: is not {encoding} (byte 0x{byte.hex()} at offset {offset})"
    if likely is None:
        remedy = "fix the file there, or name its encoding with --encoding: none fits for certain"
    elif likely.offset is None:
        remedy = f"name its encoding with --encoding, perhaps {likely.encoding}"
    elif check_encoding(likely.encoding) == check_encoding(encoding):
        remedy = "the rest looks like it; fix the file there, or name its encoding with --encoding"
    else:
        damage = f"perhaps {likely.encoding}, but for the byte at offset {likely.offset}"
        remedy = f"fix the file there, and name its encoding with --encoding: {damage}"
    return UndecodableError(f"{found}; {remedy}", offset=offset)
