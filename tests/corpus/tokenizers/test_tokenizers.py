import re

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.corpus import tokenizers as japanese
from hayflick.corpus.tokenizers import tokenizer_named


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("words", "Don't PANIC, it's 3½ km²!", ["don", "t", "panic", "it", "s", "3½", "km²"]),
        ("words", "हिन्दी में", ["हिन्दी", "में"]),
        ("words", "snake_case ΟΔΟΣ", ["snake_case", "οδος"]),
        ("whitespace", " Ab,c\td\u3000e ", ["Ab,c", "d", "e"]),
        ("lines", "two words\r\n\r\n  x \n", ["two words", "x"]),
        ("characters:1", "ab c", ["a", "b", "c"]),
        ("characters:2", "abc d", ["ab", "bc", "d"]),
        ("characters:3", "abcd ab", ["abc", "bcd", "ab"]),
        ("mixed", "Python 3で書く", ["python", "3", "で書", "書く"]),
        ("mixed", "か\u3099き", ["か\u3099", "\u3099き"]),
    ],
)
def test_tokens_by_hand(name, text, tokens):
    assert tokenizer_named(name).split(text) == tokens


# Latin, Greek, Cyrillic and Hebrew letters: no library's Unicode tables differ there. Marks
# are words to us, and the lower case of one letter has one.
EUROPEAN = st.characters(
    max_codepoint=0x5FF, exclude_categories=["Mn", "Mc", "Me", "Cn"], exclude_characters="İ\xad"
)


@given(st.text(EUROPEAN))
def test_words_are_those_of_python(text):
    assert tokenizer_named("words").split(text) == re.findall(r"\w+", text.lower())


def test_japanese_morphemes_leave_out_punctuation():
    pytest.importorskip("sudachipy")
    tokens = tokenizer_named("japanese").split("今日は東京で、PCを買った。２つ！")
    assert tokens[:4] == ["今日", "は", "東京", "で"]
    assert "pc" in tokens
    assert not set(tokens) & set("、。！")


def test_japanese_text_of_any_length_is_analysed():
    pytest.importorskip("sudachipy")
    tokens = tokenizer_named("japanese").split("あ" * 60_000)
    assert sum(map(len, tokens)) == 60_000


def test_japanese_rows_are_analysed_by_several_threads_at_once():
    pytest.importorskip("sudachipy")
    rows = ["今日は東京で映画を見ました。"] * 20_000
    text = pl.LazyFrame({"text": rows})
    counted = tokenizer_named("japanese").tokens(text).group_by("symbol").len()
    found = dict(counted.collect(engine="streaming").iter_rows())
    assert found["東京"] == 20_000


def test_a_missing_extra_says_what_to_install(monkeypatch):
    monkeypatch.setattr(japanese, "japanese_installed", lambda: False)
    with pytest.raises(MissingExtraError, match=r'pip install "hayflick\[ja\]"'):
        tokenizer_named("japanese")


@pytest.mark.parametrize(
    ("name", "offered"),
    [("word", "did you mean words"), ("characters:0", "from 1"), ("characters", "characters:N")],
)
def test_an_unknown_name_offers_the_nearest(name, offered):
    with pytest.raises(ArgumentError, match=offered):
        tokenizer_named(name)
