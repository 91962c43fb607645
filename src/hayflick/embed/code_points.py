"""Texts as code points for compiled code, and what kind of character each of them is.

Texts are compared without regard to case and to how accents are spelled: they are case-folded,
then composed (NFC). So ``É``, ``é`` and ``e`` with a combining accent are one, ``ß`` is ``ss``,
and ``e`` and ``é`` stay two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.corpus.scripts import UNSPACED

OTHER, SPACE, WITHOUT_SPACES = 0, 1, 2
"""Kinds of characters; the last one is a letter of a script without spaces between words."""

_ASCII, _ALL = 0x80, 0x110000
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000


def folded(text: str) -> str:
    """Return a text as it is compared.

    Examples
    --------
    >>> folded("STRASSE") == folded("Straße"), folded("E\N{COMBINING ACUTE ACCENT}") == "é"
    (True, True)
    """
    return unicodedata.normalize("NFC", text.casefold())


def code_points(texts: Sequence[str]) -> tuple[NDArray[np.uint32], Integers]:
    """Return the code points of all texts in a row, and where each text ends.

    Examples
    --------
    >>> points, ends = code_points(["ab", "", "c"])
    >>> points.tolist(), ends.tolist()
    ([97, 98, 99], [2, 2, 3])
    """
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    return np.frombuffer(joined, "<u4").astype(np.uint32, copy=False), ends


def kinds_of(points: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return a table of kinds by code point that covers `points`.

    Examples
    --------
    >>> points, _ = code_points(["a 雨"])
    >>> kinds_of(points)[points].tolist()
    [0, 1, 2]
    """
    ascii_only = not points.size or points.max() < _ASCII
    return _kinds(_ASCII if ascii_only else _ALL)


@cache
def _kinds(end: int) -> NDArray[np.uint8]:
    kinds = np.full(end, OTHER, np.uint8)
    kinds[[point for point in range(end) if chr(point).isspace()]] = SPACE
    if end > _ASCII:
        # Halves of surrogate pairs are no characters, and polars takes none.
        numbers = np.r_[_ASCII:_FIRST_SURROGATE, _AFTER_SURROGATES:end].astype("<u4")
        letters = pl.Series(list(numbers.tobytes().decode("utf-32-le")))
        kinds[numbers[letters.str.contains(f"[{UNSPACED}]").to_numpy()]] = WITHOUT_SPACES
    return kinds
