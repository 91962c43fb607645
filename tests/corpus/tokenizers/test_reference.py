"""Every tokenizer against a slow reference that looks at one character after another."""

from functools import cache

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hayflick.corpus.normalization import PICTOGRAPH, visible
from hayflick.corpus.tokenizers import UNSPACED, Mixed, tokenizer_named

ZWJ, ZWNJ, KEYCAP = "\u200d", "\u200c", "\u20e3"
VIRAMAS = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
IGNORED = {
    *"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\ufeff",
    *map(chr, (*range(0x180B, 0x1810), *range(0x202A, 0x202F), *range(0x2060, 0x2070))),
}
JOINING = (
    r"[\p{Arabic}\p{Syriac}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}"
    r"\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}[\p{M}&&\p{Inherited}]]"
)


@cache
def has(character: str, kind: str) -> bool:
    return bool(pl.Series([character]).str.contains(f"^{kind}$").item())


def pictograph(text: str) -> bool:
    return bool(text) and has(text, PICTOGRAPH)


def sign(text: str) -> bool:
    emoji = bool(text) and not text.isascii() and has(text, r"\p{Emoji}")
    return emoji and not pictograph(text)


def tone(text: str) -> bool:
    return "\U0001f3fb" <= text <= "\U0001f3ff"


def tags(text: str, at: int) -> int:
    """Return where tags that end properly end; `at` if there are none."""
    end = at
    while "\U000e0020" <= text[end : end + 1] <= "\U000e007e":
        end += 1
    return end + 1 if end > at and text[end : end + 1] == "\U000e007f" else at


def slowly_visible(text: str) -> str:
    for blank in "\u3164\uffa0\u2800":
        text = text.replace(blank, " ")
    kept, at = "", 0
    while at < len(text):
        end = tags(text, at + 1) if text[at] == "\U0001f3f4" else at + 1
        if end > at + 1 or not (text[at] in IGNORED or 0xE0000 <= ord(text[at]) <= 0xE0FFF):
            kept += text[at:end]
        at = end
    text, kept = kept, ""
    for at, character in enumerate(text):
        before, earlier = text[at - 1 : at], text[max(at - 2, 0) : at - 1] if at else ""
        asked = character == "\ufe0f" and sign(before) and earlier != ZWJ
        if asked or not "\ufe00" <= character <= "\ufe0f":
            kept += character
    text, kept = kept, ""
    for character in text:
        if character not in (ZWJ, ZWNJ) or kept[-1:] not in (ZWJ, ZWNJ) or not kept:
            kept += character
    text, kept = kept, ""
    in_emoji = False
    for at, character in enumerate(text):
        before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
        if character not in (ZWJ, ZWNJ):
            kept += character
            continue
        word = before and after and has(before, JOINING) and has(after, JOINING)
        half = character == ZWJ and before and before in VIRAMAS
        starts = pictograph(before) or (sign(before) and in_emoji and kept[-2:-1] == ZWJ)
        in_emoji = character == ZWJ and starts and (pictograph(after) or sign(after))
        if word or half or in_emoji:
            kept += character
    return kept


def emoji(text: str, at: int) -> int:
    """Return where the emoji at a place ends; the place itself if there is none."""
    one, two = text[at], text[at + 1 : at + 2]
    regional = "\U0001f1e6", "\U0001f1ff"
    if regional[0] <= one <= regional[1] and two and regional[0] <= two <= regional[1]:
        return at + 2
    if one in "#*" and two == KEYCAP:
        return at + 2
    if not pictograph(one) and not (sign(one) and two == "\ufe0f"):
        return at
    end = at + (1 if pictograph(one) else 2)
    end += tone(text[end : end + 1])
    end = tags(text, end)
    while text[end : end + 1] == ZWJ and (
        pictograph(text[end + 1 :][:1]) or sign(text[end + 1 :][:1])
    ):
        end += 2
        end += tone(text[end : end + 1])
    return end


def slowly_split(text: str, *, pairs: bool) -> list[str]:
    text = str(pl.Series([slowly_visible(text)]).str.to_lowercase().item())

    def unspaced(character: str) -> bool:
        return pairs and has(character, f"[{UNSPACED}]")

    def word(at: int) -> bool:
        keycap = text[at] in "0123456789" and text[at + 1 : at + 2] == KEYCAP
        usual = has(text[at], r"[\w\p{N}]") and not unspaced(text[at]) and not pictograph(text[at])
        return usual and not keycap

    tokens, at = [], 0
    while at < len(text):
        end = at
        if unspaced(text[at]):
            while end < len(text) and unspaced(text[end]):
                end += 1
            tokens += [text[k : k + 2] for k in range(at, end - 1)] or [text[at]]
        elif text[at] in "0123456789" and text[at + 1 : at + 2] == KEYCAP:
            end = at + 2
            tokens.append(text[at:end])
        elif word(at):
            while end < len(text) and word(end):
                end += 1
            tokens.append(text[at:end])
        elif (end := emoji(text, at)) > at:
            tokens.append(text[at:end])
        at = max(end, at + 1)
    return tokens


SPECIAL = st.sampled_from(
    [
        *"ab1#* .é\n",
        *"今日のアｱーก่ไย",
        *"می\u064eक्षിന്",
        *(ZWJ, ZWNJ, KEYCAP, "\u200b", "\ufeff", "\u00ad", "\u2060", "\u202e", "\u3164", "\u0301"),
        *(
            "\ufe0e",
            "\ufe0f",
            "😀",
            "👩",
            "❤",
            "👍",
            "🏽",
            "🇯",
            "🇵",
            "🅰",
            "™",
            "↔",
            "♂",
            "🏴",
            "🈁",
        ),
        *("\U000e0067", "\U000e0062", "\U000e007f", "\x01", "\x02", "\x03"),
    ]
)
TEXTS = st.text(SPECIAL, max_size=12) | st.text(
    st.characters(exclude_categories=["Cs"]) | SPECIAL, max_size=30
)


@settings(max_examples=500)
@given(TEXTS)
@example("a\x01雨\x03雨\x02b")
@example("🏴\U000e0067\U000e0062\U000e007f🏴\U000e0067")
@example("🙂\u200d↔\ufe0f™\ufe0f\u200d™")
def test_visible_text(text):
    found = pl.DataFrame({"text": [text]}).select(visible(pl.col("text"))).item()
    assert found == slowly_visible(text)
    again = pl.DataFrame({"text": [found]}).select(visible(pl.col("text"))).item()
    assert again == slowly_visible(found)


@pytest.mark.parametrize("name", ["words", "mixed"])
@settings(max_examples=500)
@given(TEXTS)
@example("a\x01雨\x03雨\x02b")
@example("12\u20e33\ufe0f\u20e3#\ufe0f\u20e3")
def test_words(name, text):
    assert tokenizer_named(name).split(text) == slowly_split(text, pairs=name == "mixed")


@given(TEXTS)
def test_words_in_scripts_with_spaces_do_not_depend_on_the_tokenizer(text):
    pytest.importorskip("sudachipy")
    alone = [token for token in Mixed().split(text) if not set_of_unspaced(token)]
    assert alone == [
        token for token in tokenizer_named("japanese").split(text) if not set_of_unspaced(token)
    ]


def set_of_unspaced(token: str) -> set[str]:
    return {character for character in token if has(character, f"[{UNSPACED}]")}


@given(TEXTS, st.integers(1, 5))
def test_character_windows(text, length):
    bare = slowly_visible(text).replace(ZWJ, "").replace(ZWNJ, "")
    expected = []
    # The four information separators are whitespace to Python, but not to Unicode.
    for run in bare.translate(dict.fromkeys(range(0x1C, 0x20), "x")).split():
        expected += [run[at : at + length] for at in range(len(run) - length + 1)] or [run]
    found = tokenizer_named(f"characters:{length}").split(bare_of_separators(text))
    assert found == expected


def bare_of_separators(text: str) -> str:
    return text.translate(dict.fromkeys(range(0x1C, 0x20), "x"))


@given(TEXTS)
def test_whitespace_and_lines(text):
    seen = bare_of_separators(slowly_visible(text))
    text = bare_of_separators(text)
    assert tokenizer_named("whitespace").split(text) == seen.split()
    lines = [line.strip() for line in seen.replace("\r", "\n").split("\n")]
    assert tokenizer_named("lines").split(text) == [line for line in lines if line]
