import re
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hayflick.corpus import tokenizers as counting
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.tokenizers import count_pieces, japanese_installed, tokenizer_named

NAMES = ("words", "mixed", "whitespace", "lines", "characters:2")
ASCII = [*"aAzZ09_'\"-.,;:!?#*@", *map(chr, range(33)), "\x7f", "Don't", "x" * 15, "Y" * 16]
LETTERS = ["é", "É", "e\u0301", "Σ", "ΟΔΟΣ", "İ", "ß", "東京", "は", "ｶﾞ", "ไทย", "सि", "क्\u200dष"]
OTHERS = [
    "한",
    "\U00010400",
    "²",
    "½",
    "٣",
    "\u00a0",
    "\u3000",
    "\u2028",
    "\x85",
    "\u0301",
    "\u20e3",
]
SIGNS = ["❤\ufe0f", "👩\u200d👧", "🇯🇵", "7\u20e3", "#\u20e3", "™", "\u200b", "\u00ad", "\ufeff"]
PARTS = st.sampled_from([*ASCII, *LETTERS, *OTHERS, *SIGNS])
TEXTS = st.lists(PARTS | st.text(max_size=3)).map("".join)


def both_ways(pieces, name):
    """Return counts with the compiled code, and without it."""
    found = []
    for longest in (0, 1 << 40):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counting, "LONG_TEXT", longest)
            table = count_pieces(iter(pieces), tokenizer_named(name))
        assert table["symbol"].is_unique().all()
        found.append(dict(table.rows()))
    return found


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=80)
@given(pieces=st.lists(TEXTS, max_size=4))
@example(pieces=["a\0b a\0 a", "A, a. (a)"])
@example(pieces=["3 \u20e3", "x\u200d y", "a 👩 \u200d👧"])
def test_long_texts_are_counted_as_short_ones(pieces, name):
    compiled, plain = both_ways(pieces, name)
    assert compiled == plain


@pytest.mark.skipif(not japanese_installed(), reason="the extra ja is not installed")
def test_long_texts_are_counted_as_short_ones_with_a_dictionary():
    compiled, plain = both_ways(["Windows 11の更新 and more, don't\n", "東京へ go"], "japanese")
    assert compiled == plain
    assert (plain["更新"], plain["go"]) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_many_types_are_counted_as_python_counts_them(name):
    text = " ".join(f"Word{number % 49_991}'s {number % 7}" for number in range(100_000))
    compiled, plain = both_ways([text[:200_000], text[200_000:]], name)
    assert compiled == plain
    if name == "words":
        expected = Counter(re.findall(r"\w+", f"{text[:200_000]} {text[200_000:]}".lower()))
        assert compiled == expected


def test_a_text_beyond_the_limit_is_read_in_order(tmp_path):
    lines = [f"Ünit {number % 1000}: don't; do {number % 77}x!\n" for number in range(900_000)]
    path = tmp_path / "long.txt"
    path.write_text("".join(lines), encoding="utf-8")
    assert path.stat().st_size > counting.LONG_TEXT
    found = Counter(re.findall(r"\w+", "".join(lines).lower()))
    counts = read_corpus(path).counts
    expected = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    assert list(zip(counts.symbols, counts.numbers.tolist(), strict=True)) == expected


def test_counts_are_in_order_whatever_symbols_begin_with(tmp_path):
    names = ["", "a", "é", "雨", "😀", "b" * 8]
    symbols = [
        f"{'same-start-' * long}{name}{end}"
        for name in names
        for long in (0, 1, 2)
        for end in ("", "1", "é", "\x01")
    ]
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(symbols + symbols[::3]), encoding="utf-8")
    counts = read_corpus(path, tokenizer="lines", normalize="none").counts
    found = Counter(line.strip() for line in symbols + symbols[::3] if line.strip())
    expected = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    assert list(zip(counts.symbols, counts.numbers.tolist(), strict=True)) == expected
