"""How people write that an answer is good or bad, in English and Japanese."""

from __future__ import annotations

import unicodedata

_OK = (
    *("ok", "okay", "good", "y", "yes", "1", "1.0", "true", "t", "pass", "o", "✓", "✔"),
    *("○", "〇", "◯", "良", "良い", "よい", "良好", "可", "合格", "はい", "問題なし", "適切", "正"),
)
_BAD = (
    *("bad", "ng", "n", "no", "0", "0.0", "false", "f", "fail", "x", "✗", "✕", "✘"),
    *("×", "悪", "悪い", "わるい", "不良", "不可", "不合格", "いいえ", "問題あり", "不適切", "誤"),
)
_MEANINGS = {**dict.fromkeys(_OK, False), **dict.fromkeys(_BAD, True)}

TAKES = "ok or bad (good/bad, y/n, 1/0, 良/悪, 可/不可, ○/×), or nothing while it is open"


def is_bad(verdict: str) -> bool | None:
    """Return whether a verdict says that the answer is bad; None for an open one.

    Width and case do not matter.

    Raises
    ------
    KeyError
        If it is none of the spellings.

    Examples
    --------
    >>> is_bad("ＮＧ"), is_bad("良い"), is_bad("  "), is_bad("Yes")
    (True, False, None, False)
    """
    plain = unicodedata.normalize("NFKC", verdict).strip().casefold()
    return _MEANINGS[plain] if plain else None
