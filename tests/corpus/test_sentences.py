import time

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.corpus.reading import read_text
from hayflick.corpus.sentences import MARK, Sentences, read_sentences, split_sentences
from hayflick.corpus.tokenizers import japanese_installed


def spelled(sentences):
    """Return the sentences as lists of words."""
    found = [[]]
    for token in sentences.tokens.tolist():
        if token:
            found[-1].append(sentences.symbols[token - 1])
        else:
            found.append([])
    assert found.pop() == []
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat sat. It slept!", [["the", "cat", "sat"], ["it", "slept"]]),
        ("Why? So… be it", [["why"], ["so"], ["be", "it"]]),
        ("one line\nanother\r\nthird\n\n\n", [["one", "line"], ["another"], ["third"]]),
        ("pi is 3.14 in the U.S army", [["pi", "is", "3", "14", "in", "the", "u", "s", "army"]]),
        ("wait...what is it...", [["wait", "what", "is", "it"]]),
        ("wait ... what", [["wait"], ["what"]]),
        ('"Go." He went (at last!) home', [["go"], ["he", "went", "at", "last"], ["home"]]),
        ("... ! ? . \n.\nyes", [["yes"]]),
        ("क्या? हाँ। ठीक", [["क्या"], ["हाँ"], ["ठीक"]]),
    ],
)
def test_sentences_by_hand(text, expected):
    assert spelled(split_sentences(text, tokenizer="words")) == expected


def test_japanese_marks_need_no_whitespace():
    text = "東京へ行く。本当？「行こう！」と言った｡3.5度だ"
    assert spelled(split_sentences(text, tokenizer="characters:1")) == [
        list("東京へ行く。"),
        list("本当？"),
        list("「行こう！」"),
        list("と言った｡"),
        list("3.5度だ"),
    ]
    assert spelled(split_sentences("雨。雪か！風", tokenizer="mixed")) == [["雨"], ["雪か"], ["風"]]


@pytest.mark.skipif(not japanese_installed(), reason="the extra ja is not installed")
def test_morphemes_and_the_automatic_choice():
    sentences = split_sentences("猫が好き。犬も好き。猫も犬も好きです。")
    assert sentences.source.tokenizer == "japanese"
    assert spelled(sentences)[:2] == [["猫", "が", "好き"], ["犬", "も", "好き"]]
    assert sentences.number == 3


def test_words_are_numbered_by_frequency_then_by_name():
    sentences = split_sentences("b a c. c b! b")
    assert sentences.symbols == ("b", "c", "a")
    assert sentences.tokens.tolist() == [1, 3, 2, 0, 2, 1, 0, 1, 0]
    assert sentences.tokens.dtype == np.int32
    assert (sentences.types, sentences.total, sentences.number) == (3, 6, 3)


def test_whitespace_keeps_the_punctuation_and_the_ends():
    sentences = split_sentences("Cats sit. Dogs run!", tokenizer="whitespace")
    assert spelled(sentences) == [["Cats", "sit."], ["Dogs", "run!"]]


def test_the_mark_in_a_text_is_a_letter_of_it():
    sentences = split_sentences(f"a {MARK} b{MARK}c d", tokenizer="words")
    assert spelled(sentences) == [["a", "ϝ", "bϝc", "d"]]


def test_a_file_and_a_folder_are_read_as_elsewhere(tmp_path):
    (tmp_path / "b.txt").write_text("It rains. No")
    (tmp_path / "a.md").write_text("Snow fell")
    folder, file = read_sentences(tmp_path), read_sentences(tmp_path / "b.txt")
    assert spelled(folder) == [["snow", "fell"], ["it", "rains"], ["no"]]
    assert spelled(file) == [["it", "rains"], ["no"]]
    assert file.source == read_text(tmp_path / "b.txt").source


def test_encodings_are_those_of_every_reader(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("雨が降る。雪も降る。".encode("cp932"))
    with pytest.raises(UndecodableError, match="perhaps cp932"):
        read_sentences(path)
    assert read_sentences(path, tokenizer="mixed", encoding="cp932").number == 2


def test_what_the_samples_missed_changes_the_automatic_choice(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("plain words\n" * 60_000 + "雨が降る。" * 400 + "\nplain words" * 60_000)
    assert read_sentences(path).source.tokenizer == read_text(path).source.tokenizer == "mixed"


def test_a_long_text_is_numbered_alike_in_every_batch(tmp_path, monkeypatch):
    text = "".join(f"word{number % 7} and word{number % 11}. " for number in range(3000))
    (tmp_path / "a.txt").write_text(text)
    whole = read_sentences(tmp_path / "a.txt")
    monkeypatch.setattr("hayflick.corpus.encodings.CHUNK_BYTES", 101)
    monkeypatch.setattr("hayflick.corpus.tokenizers.BATCH_CHARACTERS", 1000)
    parts = read_sentences(tmp_path / "a.txt")
    assert parts.symbols == whole.symbols
    np.testing.assert_array_equal(parts.tokens, whole.tokens)


def test_a_text_without_words_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("... !\n")
    with pytest.raises(DataError, match=r"a\.txt: holds no word under the tokenizer words"):
        read_sentences(tmp_path / "a.txt")
    for empty in ("", " ", "?!"):
        with pytest.raises(DataError, match="holds no word"):
            split_sentences(empty)
    with pytest.raises(DataError, match="check the path"):
        read_sentences(tmp_path / "absent.txt")


def test_bad_tokenizers_are_refused():
    with pytest.raises(ArgumentError, match="did you mean words"):
        split_sentences("a b", tokenizer="word")
    with pytest.raises(ArgumentError, match="tokenizer: got lines, takes one that splits lines"):
        split_sentences("a b", tokenizer="lines")


@pytest.mark.parametrize("tokens", [[1], [0], [1, 0, 0], [0, 1, 0], [1, 3, 0], [-1, 0], []])
def test_only_sentences_are_sentences(tokens):
    with pytest.raises(DataError):
        Sentences(("a", "b"), np.array(tokens, dtype=np.int32))


def test_half_a_million_words_in_order_and_in_time(wikitext):
    begun = time.perf_counter()
    sentences = read_sentences(wikitext)
    assert time.perf_counter() - begun < 2
    counted = read_text(wikitext).counts
    assert sentences.symbols == counted.symbols
    np.testing.assert_array_equal(np.bincount(sentences.tokens)[1:], counted.numbers)
    senjo = ["senjō", "no", "valkyria", "3", "unk", "chronicles", "japanese"]
    assert spelled(sentences)[:2] == [
        ["valkyria", "chronicles", "iii"],
        [*senjo, "戦場のヴァルキュリア3", "lit"],
    ]
