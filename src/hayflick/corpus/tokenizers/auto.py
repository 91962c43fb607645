r"""The choice of a tokenizer by the scripts of a text.

A text is ``words`` unless letters of scripts without spaces occur in it: more than one in
a hundred in any sample, or one in ten thousand in all. It is ``japanese`` if most of the
sampled letters are Japanese and the extra is installed, else ``mixed``, which treats all
other scripts as ``words`` does. What the samples missed is found when the words have been
counted, and the text is then counted again: ``\w+`` does not decide on such scripts.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from hayflick.corpus.scripts import UNSPACED, script_letters
from hayflick.corpus.tokenizers.base import Tokenizer
from hayflick.corpus.tokenizers.characters import Mixed
from hayflick.corpus.tokenizers.japanese import Japanese, japanese_installed
from hayflick.corpus.tokenizers.words import Words

_SHARE_OF_SAMPLE, _SHARE_OF_ALL, _JAPANESE_SHARE = 0.01, 0.0001, 0.5


def tokenizer_for(samples: Iterable[str]) -> Tokenizer:
    """Return the tokenizer for a text of which `samples` are parts.

    Examples
    --------
    >>> tokenizer_for(["a plain text"]).name, tokenizer_for(["今天天气很好"]).name
    ('words', 'mixed')
    """
    by_sample = script_letters(pl.Series(list(samples), dtype=pl.String))
    letters, unspaced, japanese = by_sample.sum().row(0)
    crowded = pl.col("unspaced") > _SHARE_OF_SAMPLE * pl.col("letters")
    if by_sample.filter(crowded).is_empty() and unspaced <= _SHARE_OF_ALL * letters:
        return Words()
    if japanese >= _JAPANESE_SHARE * letters and japanese_installed():
        return Japanese()
    return Mixed()


def words_suffice(symbols: pl.Series, numbers: pl.Series) -> bool:
    """Return whether counted words hold hardly a letter of scripts without spaces.

    Examples
    --------
    >>> words_suffice(pl.Series(["rain"]), pl.Series([5]))
    True
    >>> words_suffice(pl.Series(["rain", "雨"]), pl.Series([5, 1]))
    False
    """
    if not symbols.str.contains(f"[{UNSPACED}]").any():
        return True
    letters = script_letters(symbols)
    unspaced = int((letters["unspaced"] * numbers).sum())
    return unspaced <= _SHARE_OF_ALL * int((letters["letters"] * numbers).sum())
