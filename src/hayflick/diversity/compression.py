"""How far answers compress: repetition of any kind and length, in any language.

The ratio is bytes before over bytes after DEFLATE, which finds repetitions up to 32 KB back.
It is not a mergeable summary: repetition between two sets of answers shows only if they are
compressed together, and the ratio depends on their order.

References
----------
Shaib et al., *Standardizing the Measurement of Text Diversity*, arXiv:2403.00553, section 2.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import islice

from hayflick.core.checks import whole_number
from hayflick.diversity.ngrams import refuse_single_text

_LEVEL = 6
_TOGETHER = 1000


def compression_ratio(texts: Iterable[str], *, level: int = _LEVEL) -> float | None:
    """Return the size of the texts, one per line, over their compressed size.

    Parameters
    ----------
    texts
        The answers. More text compresses better, so compare equal amounts.
    level
        Compression level of zlib, 1 to 9.

    Returns
    -------
    A ratio that rises with repetition; None if all texts are empty.

    Raises
    ------
    ArgumentError
        If `level` is out of range, or `texts` is a single string.

    Examples
    --------
    >>> compression_ratio(["the same answer"] * 100) > 30.0
    True
    >>> compression_ratio(["yes"]) < 1.0
    True
    """
    refuse_single_text(texts)
    compressor = zlib.compressobj(whole_number("level", level, at_least=1, at_most=9))
    before = after = 0
    spoken = False
    lines = iter(texts)
    while part := list(islice(lines, _TOGETHER)):
        block = "\n".join([*part, ""]).encode("utf-8", errors="replace")
        spoken = spoken or len(block) > len(part)
        before += len(block)
        after += len(compressor.compress(block))
    after += len(compressor.flush())
    return before / after if spoken else None
