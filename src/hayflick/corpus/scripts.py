"""Which scripts a text is written in, as far as the choice of a tokenizer needs it.

Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without spaces between words.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

# The sound marks are shared between scripts, so Unicode gives them to none.
KANA = r"\p{Hiragana}\p{Katakana}ーｰ\u3099\u309A"
UNSPACED = (
    rf"\p{{Han}}{KANA}\p{{Bopomofo}}\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}"
    r"\p{Tibetan}\p{Tai_Tham}\p{New_Tai_Lue}\p{Javanese}\p{Balinese}\p{Yi}"
)
"""The letters of scripts without spaces, to stand inside a regular expression's brackets."""


@dataclass(frozen=True, slots=True)
class ScriptShares:
    """Shares of a text's letters, each from 0 to 1.

    Parameters
    ----------
    unspaced
        Letters of scripts that are written without spaces.
    japanese
        Han letters and kana where kana are among them, else 0.
    """

    unspaced: float
    japanese: float


def script_shares(texts: Iterable[str]) -> ScriptShares:
    """Return the shares of scripts in a sample of a text.

    Examples
    --------
    >>> script_shares(["good morning"]).unspaced
    0.0
    >>> script_shares(["おはよう世界"]).japanese
    1.0
    >>> script_shares(["你好世界"])
    ScriptShares(unspaced=1.0, japanese=0.0)
    """
    sample = pl.Series(list(texts), dtype=pl.String)

    def letters(pattern: str) -> int:
        return int(sample.str.count_matches(f"[{pattern}]").sum())

    total = letters(rf"\p{{L}}{UNSPACED}")
    if total == 0:
        return ScriptShares(unspaced=0.0, japanese=0.0)
    kana, han = letters(KANA), letters(r"\p{Han}")
    # A Chinese text quotes a kana now and then; a Japanese one cannot do without.
    japanese = kana + han if kana > 0.05 * han else 0
    return ScriptShares(unspaced=letters(UNSPACED) / total, japanese=japanese / total)
