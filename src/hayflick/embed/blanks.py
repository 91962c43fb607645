"""Texts that a model cannot take: of nothing but whitespace, or with halves of characters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hayflick.embed.protocol import Vectors


def sendable(text: str) -> str:
    r"""Return a text that UTF-8 has bytes for: a lone half of a surrogate pair is replaced.

    Examples
    --------
    >>> sendable("so \ud800 it is") == "so \N{REPLACEMENT CHARACTER} it is"
    True
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def around_blanks(
    texts: Sequence[str],
    *,
    dimensions: Callable[[], int],
    embed: Callable[[list[str]], NDArray[np.float32]],
) -> Vectors:
    """Return the vectors of texts, NaN for those of nothing but whitespace.

    Parameters
    ----------
    texts
        The texts.
    dimensions
        Called where not one text can be embedded, for the length of a row.
    embed
        Called with the others, ready to be sent.

    Examples
    --------
    >>> ones = lambda texts: np.ones((len(texts), 2), np.float32)
    >>> around_blanks(["plum", " "], dimensions=lambda: 2, embed=ones).tolist()
    [[1.0, 1.0], [nan, nan]]
    """
    filled = [place for place, text in enumerate(texts) if text and not text.isspace()]
    if not filled:
        return np.full((len(texts), dimensions()), np.nan, np.float32)
    found = embed([sendable(texts[place]) for place in filled])
    vectors = np.full((len(texts), found.shape[1]), np.nan, np.float32)
    vectors[filled] = found
    return vectors
