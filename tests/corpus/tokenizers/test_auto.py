from collections import Counter

import polars as pl
import pytest

from hayflick.corpus import tokenizers as auto
from hayflick.corpus.tokenizers import tokenizer_for, words_suffice

SENTENCES = (
    "今日は東京の友達と一緒に新しい映画を見てから、駅の近くの店で夕食を食べました。",
    "昨日は東京の友達と一緒に新しい映画を見てから、駅の近くの店で夕食を食べました。",
)


@pytest.mark.parametrize("installed", [True, False])
def test_near_identical_sentences_share_most_tokens(monkeypatch, installed):
    if installed:
        pytest.importorskip("sudachipy")
    monkeypatch.setattr(auto, "japanese_installed", lambda: installed)
    tokenizer = tokenizer_for(SENTENCES)
    assert tokenizer.name == ("japanese" if installed else "mixed")
    first, second = (Counter(tokenizer.split(sentence)) for sentence in SENTENCES)
    assert (first & second).total() / max(first.total(), second.total()) >= 0.8


@pytest.mark.parametrize("text", ["ประเทศไทย", "中文没有空格", "ខ្មែរ", "日本語"])
def test_words_are_never_chosen_for_scripts_without_spaces(text):
    assert tokenizer_for([text]).name != "words"


def test_one_sample_among_many_is_enough():
    assert (
        tokenizer_for(["plain English text " * 200] * 100 + ["今日は映画を見ました"]).name
        == "mixed"
    )


def test_a_name_in_another_script_is_not():
    assert tokenizer_for(["word " * 10_000 + "雨"]).name == "words"


def test_counted_words_tell_what_the_samples_missed():
    words = pl.Series(["word"] * 1000 + ["今日は映画を見ました"])
    assert not words_suffice(words, pl.Series([1] * 1001))
    assert words_suffice(words, pl.Series([1000] * 1000 + [1]))
