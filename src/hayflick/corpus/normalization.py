r"""Unicode spellings of one text: composed or not, full-width or half-width, upper or lower case.

Invisible characters (zero-width spaces, byte order marks inside a text, soft hyphens, marks of
direction, variation selectors) are left out: they change neither a word nor a label. Zero-width
joiners are kept where they spell something: inside words of Arabic, Indic and other scripts that
join letters, after a virama, and inside emoji such as a family.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias, get_args

import polars as pl

from hayflick.core.errors import ArgumentError

Normalization: TypeAlias = Literal["none", "nfc", "nfkc", "casefold"]
NORMALIZATIONS: tuple[str, ...] = get_args(Normalization)

PICTOGRAPH = (
    r"[[\p{Emoji}&&[\u{2600}-\u{FFFF}]][\p{Extended_Pictographic}&&[\u{1F000}-\u{1FFFF}]]"
    r"\p{Emoji_Presentation}\u{1F1E6}-\u{1F1FF}]"
)
r"""Emoji, for a regular expression. Signs such as ™ and ↔ are emoji before U+FE0F alone."""
_SIGN = r"[\p{Emoji}--[\u{2600}-\u{10FFFF}\p{Emoji_Presentation}\x00-\x7F]]"
_FLAG = r"[\u{1F1E6}-\u{1F1FF}]{2}"
_TAGS = r"[\u{E0020}-\u{E007E}]+\u{E007F}"
_TONE = r"[\u{1F3FB}-\u{1F3FF}]"
_JOINED = rf"\u{{200D}}[{PICTOGRAPH}{_SIGN}]{_TONE}?"
_KEYCAP = r"[#*]\u{20E3}"
EMOJI = rf"{_FLAG}|(?:{PICTOGRAPH}|{_SIGN}\u{{FE0F}}){_TONE}?(?:{_TAGS})?(?:{_JOINED})*|{_KEYCAP}"
"""A whole emoji in text that `visible` has returned: a flag, a family, a keycap of a sign."""

# Letters and marks of scripts in which a joiner changes how a word is spelled.
_JOINING = (
    r"[\p{Arabic}\p{Syriac}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}"
    r"\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}[\p{M}&&\p{Inherited}]]+"
)
_VIRAMA = r"[\u{94D}\u{9CD}\u{A4D}\u{ACD}\u{B4D}\u{BCD}\u{C4D}\u{CCD}\u{D4D}\u{DCA}]"
JOINER = r"[\u{200C}\u{200D}]"
"""Zero-width joiner or non-joiner, for a regular expression."""
_IGNORED = (
    r"\u{AD}\u{34F}\u{61C}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{180B}-\u{180F}\u{200B}\u{200E}\u{200F}"
    r"\u{202A}-\u{202E}\u{2060}-\u{206F}\u{FEFF}\u{E0000}-\u{E0FFF}"
)
_BLANK = r"[\u{3164}\u{FFA0}\u{2800}]"
INVISIBLE = rf"{_IGNORED}\u{{200C}}\u{{200D}}\u{{3164}}\u{{FFA0}}\u{{2800}}\u{{FE00}}-\u{{FE0F}}"
"""Characters that `visible` may leave out, for a character class of a regular expression."""

_EMOJI_SEQUENCE = rf"{PICTOGRAPH}{_TONE}?(?:{_JOINED})+"
_HALF_LETTER = rf"(?:{_JOINING}{JOINER})*(?:{_JOINING})?{_VIRAMA}\u{{200D}}"
_SPELLING = rf"{_EMOJI_SEQUENCE}|{_HALF_LETTER}|{_JOINING}(?:{JOINER}{_JOINING})+"
# Each pattern with what it is replaced by, in order.
_STEPS = (
    (_BLANK, " "),
    (rf"(\u{{1F3F4}}{_TAGS})|[{_IGNORED}]", "${1}"),
    (rf"(\u{{200D}}{_SIGN})\u{{FE0F}}|({_SIGN}\u{{FE0F}})|[\u{{FE00}}-\u{{FE0F}}]", "${1}${2}"),
    (rf"({JOINER}){JOINER}+", "${1}"),
    (rf"({_SPELLING})|{JOINER}", "${1}"),
)
WITHOUT_JOINERS = (rf"({_EMOJI_SEQUENCE})|{JOINER}", "${1}")


def visible(text: pl.Expr) -> pl.Expr:
    r"""Return texts without invisible characters.

    Examples
    --------
    >>> texts = pl.DataFrame({"text": ["co\u00adop", "\ufeff", "❤\ufe0f", "می\u200cخواهم"]})
    >>> texts.select(visible(pl.col("text"))).to_series().str.len_chars().to_list()
    [4, 0, 1, 8]
    """
    found = pl.when(beyond_ascii(text)).then(text).str.contains(f"[{INVISIBLE}]")
    # Rows without any are null here, which costs nothing.
    cleaned = replaced(pl.when(found).then(text), _STEPS)
    return pl.when(found).then(cleaned).otherwise(text)


def replaced(text: pl.Expr, steps: Iterable[tuple[str, str]]) -> pl.Expr:
    """Return texts after replacements: each a regular expression and what it is replaced by."""
    for pattern, by in steps:
        text = text.str.replace_all(pattern, by)
    return text


def beyond_ascii(text: pl.Expr) -> pl.Expr:
    """Return whether texts have characters that are not ASCII."""
    return text.str.len_bytes() != text.str.len_chars()


def check_normalization(how: str) -> str:
    """Return the name of a normalization.

    Raises
    ------
    ArgumentError
        If there is none of that name.
    """
    if how not in NORMALIZATIONS:
        raise ArgumentError("normalize", got=how, takes=f"one of {', '.join(NORMALIZATIONS)}")
    return how


def normalized_expression(text: pl.Expr, how: str) -> pl.Expr:
    """Return whole texts, such as labels or answers, in one spelling; null stays null.

    Parameters
    ----------
    text
        The texts.
    how
        ``none``: as they are. ``nfc``: letters with their marks composed, invisible characters
        left out. ``nfkc``: compatible characters too (full-width letters, half-width kana,
        ligatures), all joiners inside words and blanks around the text left out. ``casefold``:
        that, without upper and lower case.

    Raises
    ------
    ArgumentError
        If there is no such normalization.
    """
    if check_normalization(how) == "none":
        return text
    beyond = beyond_ascii(text)
    foreign = pl.when(beyond).then(text)
    if how == "nfc":
        return visible(pl.when(beyond).then(foreign.str.normalize("NFC")).otherwise(text))
    composed = foreign.str.normalize("NFKC")
    if how == "casefold":
        folded = composed.map_elements(str.casefold, return_dtype=pl.String)
        composed, text = folded.str.normalize("NFKC"), text.str.to_lowercase()
    spelled = replaced(visible(composed), [WITHOUT_JOINERS])
    return pl.when(beyond).then(spelled).otherwise(text).str.strip_chars()


def normalized(texts: pl.Series, how: str) -> pl.Series:
    """Return whole texts in one spelling; parameters and errors as `normalized_expression`.

    Examples
    --------
    >>> normalized(pl.Series(["ｇｐｔ", " GPT"]), "casefold").to_list()
    ['gpt', 'gpt']
    """
    column = pl.col(texts.name)
    return texts.to_frame().select(normalized_expression(column, how)).to_series()


def normalize_text(text: str, how: str) -> str:
    r"""Return one text in one spelling; parameters and errors as `normalized_expression`.

    Examples
    --------
    >>> normalize_text("cafe\u0301", "nfc") == "café"
    True
    """
    if check_normalization(how) == "none" or (how == "nfc" and text.isascii()):
        return text
    if text.isascii():
        # Python calls four control characters blanks that Unicode does not.
        return (text.lower() if how == "casefold" else text).strip(" \t\n\r\v\f")
    return str(normalized(pl.Series("text", [text], dtype=pl.String), how).item())


def normalized_pieces(pieces: Iterable[str], how: str) -> Iterator[str]:
    r"""Yield running text in one spelling; blanks stay, as they separate words.

    Parameters
    ----------
    pieces
        The text, cut where no character belongs to the one before, as
        `hayflick.corpus.encodings.pieces` cuts it.
    how
        See `normalized_expression`.

    Raises
    ------
    ArgumentError
        If there is no such normalization.

    Examples
    --------
    >>> list(normalized_pieces(["cafe\u0301 ", "ｇｐｔ"], "nfkc"))
    ['café ', 'gpt']
    """
    form: Literal["NFC", "NFKC"] = "NFC" if check_normalization(how) == "nfc" else "NFKC"
    for piece in pieces:
        if how == "none" or (piece.isascii() and how != "casefold"):
            yield piece
            continue
        spelled = unicodedata.normalize(form, piece)
        if how == "casefold":
            spelled = unicodedata.normalize(form, spelled.casefold())
        yield spelled


def joins_previous(character: str) -> bool:
    r"""Return whether a character may belong to the one before it.

    A text must not be cut before a combining mark, a joiner, a variation selector, a skin tone, a
    vowel of Korean syllables or half a flag.

    Examples
    --------
    >>> joins_previous("\u0301"), joins_previous("e")
    (True, False)
    """
    if character.isascii():
        return False
    if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf"):
        return True
    # Vowels and final consonants of Korean syllables compose with the letter before.
    code = ord(character)
    return (
        0x1160 <= code <= 0x11FF
        or 0xFF9E <= code <= 0xFF9F
        or 0x1F1E6 <= code <= 0x1F1FF
        or 0x1F3FB <= code <= 0x1F3FF
    )


def merging_names(names: Iterable[str]) -> list[tuple[str, ...]]:
    r"""Return the names that are the same but for case, width, blanks and invisible characters.

    Parameters
    ----------
    names
        Names of groups, or labels.

    Returns
    -------
    Two names or more that would be one under ``casefold``, together, in the order given.

    Examples
    --------
    >>> merging_names(["gpt", "llama", "GPT", "gpt "])
    [('gpt', 'GPT', 'gpt ')]
    """
    given = pl.Series("name", list(dict.fromkeys(names)), dtype=pl.String)
    spelled = given.to_frame().with_columns(normalized(given, "casefold").alias("spelled"))
    merged = spelled.group_by("spelled", maintain_order=True).agg("name")
    several = merged.filter(pl.col("name").list.len() > 1).get_column("name")
    return [tuple(together) for together in several.to_list()]
