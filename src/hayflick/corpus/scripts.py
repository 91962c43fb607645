"""Which scripts a text is written in, as far as the choice of a tokenizer needs it.

Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without spaces between words.
"""

from __future__ import annotations

import polars as pl

# The sound marks are shared between scripts, so Unicode gives them to none.
_KANA = r"\p{Hiragana}\p{Katakana}ーｰ\u3099\u309A"
UNSPACED = (
    rf"\p{{Han}}{_KANA}\p{{Bopomofo}}\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}"
    r"\p{Tibetan}\p{Tai_Tham}\p{New_Tai_Lue}\p{Javanese}\p{Balinese}\p{Yi}"
)
"""The letters of scripts without spaces, to stand inside a regular expression's brackets."""

_KANA_IN_JAPANESE = 0.05


def script_letters(texts: pl.Series) -> pl.DataFrame:
    """Count the letters of every text by script.

    Returns
    -------
    A row per text: ``letters`` of any script, ``unspaced`` ones of scripts without spaces,
    and ``japanese`` ones: Han and kana where kana are among them, else 0.

    Examples
    --------
    >>> script_letters(pl.Series(["good day", "今日は", "你好"])).rows()
    [(7, 0, 0), (3, 3, 3), (2, 2, 0)]
    """
    text = pl.col("text")

    def count(letters: str) -> pl.Expr:
        return text.str.count_matches(f"[{letters}]").cast(pl.Int64)

    counted = texts.alias("text").to_frame()
    counted = counted.select(
        count(rf"\p{{L}}{UNSPACED}").alias("letters"),
        count(UNSPACED).alias("unspaced"),
        count(_KANA).alias("kana"),
        count(r"\p{Han}").alias("han"),
    )
    # A Chinese text quotes a kana now and then; a Japanese one cannot do without.
    japanese = pl.when(pl.col("kana") > _KANA_IN_JAPANESE * pl.col("han"))
    either = japanese.then(pl.col("kana") + pl.col("han")).otherwise(0)
    return counted.select("letters", "unspaced", either.alias("japanese"))
