import json
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError
from hayflick.corpus.must_keep import must_keep_places
from hayflick.corpus.normalization import (
    NORMALIZATIONS,
    joins_previous,
    merging_names,
    normalize_text,
    normalized,
    normalized_pieces,
)
from hayflick.corpus.reading import read_text
from hayflick.corpus.running_text import running_text
from hayflick.corpus.sentences import read_sentences, split_sentences
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.retention import retention

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
INVISIBLE = "\u200b\ufeff\u00ad\u2060\u200e\u200f\u202a\u202e\u2066\u2069\ufe0f\u200d\u200c\u034f"


@pytest.mark.parametrize(
    ("text", "nfc", "nfkc", "casefold"),
    [
        ("cafe\u0301", "café", "café", "café"),
        ("Ångström \u212b", "Ångström Å", "Ångström Å", "ångström å"),
        ("ｇｐｔ－４", "ｇｐｔ－４", "gpt-4", "gpt-4"),
        ("ﾊﾟﾋﾟﾌﾟ", "ﾊﾟﾋﾟﾌﾟ", "パピプ", "パピプ"),
        ("か\u3099", "が", "が", "が"),
        ("\u1112\u1161\u11ab", "한", "한", "한"),
        ("ﬁne Straße", "ﬁne Straße", "fine Straße", "fine strasse"),
        (" gpt\u3000", " gpt\u3000", "gpt", "gpt"),
        ("ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("می\u200cخواهم", "می\u200cخواهم", "میخواهم", "میخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("co\u00adop\u200b", "coop", "coop", "coop"),
        ("\ufeff", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_spellings_by_hand(text, nfc, nfkc, casefold):
    for how, expected in zip(NORMALIZATIONS, (text, nfc, nfkc, casefold), strict=True):
        assert normalize_text(text, how) == expected
        assert normalized(pl.Series("x", [text, None, "a"]), how).to_list() == [expected, None, "a"]


@given(TEXTS, st.sampled_from(NORMALIZATIONS))
def test_a_normalized_text_stays_and_one_text_is_as_many(text, how):
    once = normalize_text(text, how)
    assert normalized(pl.Series([text, "x", text]), how).to_list() == [
        once,
        normalize_text("x", how),
        once,
    ]
    if how in ("none", "nfc"):
        assert normalize_text(unicodedata.normalize("NFD", text), how) == once or how == "none"


@given(TEXTS)
def test_running_text_is_pythons_normalization(text):
    for how, form in (("nfc", "NFC"), ("nfkc", "NFKC")):
        assert "".join(normalized_pieces([text], how)) == unicodedata.normalize(form, text)


@pytest.mark.parametrize(
    "tokenizer", ["auto", "words", "mixed", "whitespace", "characters:2", "lines"]
)
@pytest.mark.parametrize("character", [*INVISIBLE, "\U000e0041"])
def test_invisible_characters_are_no_words_and_change_none(tmp_path, character, tokenizer):
    path = tmp_path / "text.txt"
    plain = "a plain word, and another plain word\n"
    path.write_text(plain, encoding="utf-8")
    expected = read_text(path, tokenizer=tokenizer)
    for text in (
        plain.replace("plain", f"pl{character}ain"),
        plain + f"{character}\n{character}{character}\n",
        plain.replace("word", f"word{character}"),
        plain.replace("another", f"{character}another"),
    ):
        path.write_text(text, encoding="utf-8")
        found = read_text(path, tokenizer=tokenizer)
        assert found.counts.symbols == expected.counts.symbols
        assert found.counts.numbers.tolist() == expected.counts.numbers.tolist()


def test_letters_that_look_like_blanks_are_blanks(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("한글\u3164글\uffa0 \u3164 \u2800\n", encoding="utf-8")
    for tokenizer in ("words", "mixed", "whitespace"):
        assert read_text(path, tokenizer=tokenizer).counts.symbols == ("글", "한글")


def test_composed_and_decomposed_spellings_are_one_symbol(tmp_path):
    path = tmp_path / "text.txt"
    composed = "café Ångström 한국어 がぎぐ ế "
    path.write_text(composed + unicodedata.normalize("NFD", composed), encoding="utf-8")
    read = read_text(path, tokenizer="words")
    assert read.counts.numbers.tolist() == [2] * 5
    assert read.source.normalization == "nfc"
    assert read_text(path, tokenizer="words", normalize="none").counts.types == 10
    assert read_sentences(path, tokenizer="words").types == 5
    assert split_sentences("cafe\u0301 café").types == 1


def test_full_and_half_width_letters_are_one_symbol_if_asked(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("ｇｐｔ gpt ﾃﾞｰﾀ データ Straße STRASSE\n", encoding="utf-8")
    types = [
        read_text(path, tokenizer="words", normalize=how).counts.types for how in NORMALIZATIONS
    ]
    assert types == [6, 6, 4, 3]


@given(
    st.text(st.sampled_from("ae\u0301\u0323か\u3099ﾊﾟ\u1112\u1161\u11ab \n👨\u200d👧"), max_size=40)
)
def test_chunks_do_not_break_normalization(text):
    from hayflick.corpus import encodings

    for how in NORMALIZATIONS:
        whole = "".join(normalized_pieces([text], how))
        for step in (1, 2, 5):
            parts = [text[at : at + step] for at in range(0, len(text), step)]
            cut = encodings.pieces(iter(parts))
            assert "".join(normalized_pieces(cut, how)) == whole


def test_a_letter_and_its_mark_in_two_chunks_are_one(tmp_path, monkeypatch):
    from hayflick.corpus import encodings

    path = tmp_path / "text.txt"
    path.write_text("cafe\u0301 " * 50, encoding="utf-8")
    for size in (1, 2, 3, 5, 6, 7):
        monkeypatch.setattr(encodings, "CHUNK_BYTES", size)
        assert read_text(path).counts.symbols == ("café",)
        assert "".join(running_text(path, separators=" ")) == "café " * 50


@given(TEXTS, TEXTS)
def test_a_cut_where_no_character_joins_changes_nothing(first, second):
    if second and not joins_previous(second[0]):
        for how in ("nfc", "nfkc"):
            apart = "".join(normalized_pieces([first, second], how))
            together = "".join(normalized_pieces([first + second], how))
            assert len(apart) >= len(together)


def test_names_that_would_merge_are_found():
    names = ["gpt", "GPT", "gpt ", "llama", "ｇｐｔ", "cafe\u0301", "café", "a", "gpt"]
    assert merging_names(names) == [("gpt", "GPT", "gpt ", "ｇｐｔ"), ("cafe\u0301", "café")]
    assert merging_names(["a", "b", "á"]) == []
    assert merging_names([]) == []
    assert merging_names(f"name {number}" for number in range(100_000)) == []


def test_an_unknown_normalization_is_refused(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("text", encoding="utf-8")
    for refused in (lambda: read_text(path, normalize="nfd"), lambda: normalize_text("a", "NFC")):
        with pytest.raises(ArgumentError, match=r"normalize: got .*, takes one of none, nfc"):
            refused()


def test_a_must_keep_list_is_spelled_as_the_data_are(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("cafe\u0301 bar\n", encoding="utf-8")
    read = read_text(path)
    assert must_keep_places(["Cafe\u0301"], corpus=read) == must_keep_places(["café"], corpus=read)
    counts = NgramCounts.of(["cafe\u0301 bar"])
    assert retention(counts, must_keep=["café"]) == 1.0
    assert counts.types() == NgramCounts.of(["café bar"]).merge(counts).types() == 2


def forecast(path, capsys, *further):
    call = ["forecast", str(path), "--replicates", "0", "--format", "json", *further]
    assert main(call) == 0
    return json.loads(capsys.readouterr().out)


def test_the_shared_emoji_are_tokens_and_nothing_invisible_is(cases):
    read = read_text(cases / "emoji.txt").counts
    found = dict(zip(read.symbols, read.numbers.tolist(), strict=True))
    once = {"i", "you", "1\u20e3", "👩\u200d👩\u200d👧", "👍🏽", "good", "day"}
    lines = (cases / "emoji.txt").read_text(encoding="utf-8").count("day")
    assert found == dict.fromkeys(once, lines) | {"❤": 2 * lines, "☀": 2 * lines}


def test_the_shared_spellings_are_one(cases, capsys):
    assert forecast(cases / "nfd.txt", capsys)["types"] == 3


def test_an_answer_of_invisible_characters_is_empty(tmp_path):
    path = tmp_path / "answers.csv"
    rows = [
        {
            "round": number,
            "answer": "\ufeff\u200b" if number == 3 else f"cat {k} sat {k * number % 7}",
        }
        for number in range(1, 16)
        for k in range(12)
    ]
    pl.DataFrame(rows).write_csv(path)
    readings = hf.watch(path, text="answer", by="round", baseline=10).readings[""]
    assert [reading.values["empty_answers"] for reading in readings[:4]] == [0, 0, 12, 0]
