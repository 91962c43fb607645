from collections import Counter

import polars as pl
import pytest

import hayflick as hf
from hayflick.corpus import tokenizers as auto
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.tokenizers import (
    UNSPACED,
    Mixed,
    tokenizer_for,
    tokenizer_named,
    words_suffice,
)

SENTENCES = (
    "今日は東京の友達と一緒に新しい映画を見てから、駅の近くの店で夕食を食べました。",
    "昨日は東京の友達と一緒に新しい映画を見てから、駅の近くの店で夕食を食べました。",
)
ENGLISH = "It's a plain text, isn't it? Windows 11 costs 3.50 EUR, naïve café-goers said. " * 40
FOREIGN = {
    "Thai": "ประเทศไทย",
    "Japanese": SENTENCES[0],
    "Chinese": "今天天气很好",
    "Khmer": "ភាសាខ្មែរ",
    "Lao": "ພາສາລາວ",
    "Burmese": "မြန်မာဘာသာ",
    "Korean": "한국어는 띄어 쓴다",
    "Hindi": "हिन्दी में",
    "Arabic": "اللغة العربية",
    "emoji": "👨\u200d👩\u200d👧🇯🇵👍🏽",
}


@pytest.mark.parametrize("installed", [True, False])
def test_near_identical_sentences_share_most_tokens(monkeypatch, installed):
    if installed:
        pytest.importorskip("sudachipy")
    monkeypatch.setattr(auto, "japanese_installed", lambda: installed)
    tokenizer = tokenizer_for(SENTENCES)
    assert tokenizer.name == ("japanese" if installed else "mixed")
    first, second = (Counter(tokenizer.split(sentence)) for sentence in SENTENCES)
    assert (first & second).total() / max(first.total(), second.total()) >= 0.8


@pytest.mark.parametrize("script", FOREIGN)
@pytest.mark.parametrize("times", [1, 10, 1000])
@pytest.mark.parametrize("joined", ["\n", "", " "])
def test_english_words_are_the_same_whatever_else_is_in_a_text(script, times, joined):
    alone = Counter(tokenizer_named("words").split(ENGLISH))
    text = ENGLISH + joined + (FOREIGN[script] + joined) * times + "\n" + ENGLISH
    if joined == "" and script in ("Korean", "Hindi", "Arabic"):
        text = ENGLISH + FOREIGN[script] * times + "\n" + ENGLISH
    found = Counter(tokenizer_for([text]).split(text))
    foreign = Counter(tokenizer_for([FOREIGN[script]]).split(FOREIGN[script]))
    assert {word: found[word] for word in alone if word not in foreign} == {
        word: 2 * number for word, number in alone.items() if word not in foreign
    }


def test_a_few_thai_letters_do_not_change_a_long_english_text(tmp_path):
    path = tmp_path / "text.txt"
    text = "the quick brown fox said so\n" * 90_000
    path.write_text(text, encoding="utf-8")
    before = read_corpus(path)
    path.write_text(text + "ประเทศไทย " * 30, encoding="utf-8")
    after = read_corpus(path)
    assert (before.source.tokenizer, after.source.tokenizer) == ("words", "mixed")
    counted = dict(zip(after.counts.symbols, after.counts.numbers.tolist(), strict=True))
    for symbol, number in zip(before.counts.symbols, before.counts.numbers.tolist(), strict=True):
        assert counted.pop(symbol) == number
    assert set(counted) == set(Mixed().split("ประเทศไทย"))


def test_the_name_says_what_was_done(tmp_path):
    path = tmp_path / "text.txt"
    for text, name in (
        ("plain text", "words"),
        ("naïve ☂ text", "words"),
        ("한국어는 띄어 쓴다", "words"),
        ("a name, 雨, in it", "mixed"),
        ("ประเทศไทย", "mixed"),
    ):
        path.write_text(text, encoding="utf-8")
        assert hf.Discrete.from_text(path).source.tokenizer == name


def test_a_foreign_name_in_a_long_text_is_one_symbol():
    words = pl.Series(["word"] * 1000 + ["今日は映画を見ました"])
    assert not words_suffice(words, pl.Series([1] * 1001))
    assert words_suffice(words, pl.Series([1000] * 1000 + [1]))


def test_japanese_in_an_english_text_is_split_into_pairs_and_its_english_into_words():
    assert tokenizer_for([ENGLISH + SENTENCES[0]]).name == "mixed"
    pytest.importorskip("sudachipy")
    text = SENTENCES[0] + "don't WORRY, 3.14 ประเทศ "
    tokenizer = tokenizer_for([text])
    assert tokenizer.name == "japanese"
    tokens = tokenizer.split(text)
    assert [token for token in tokens if token.isascii()] == ["don", "t", "worry", "3", "14"]
    assert tokens[-5:] == Mixed().split("ประเทศ")
    assert "映画" in tokens


def test_tokens_of_japanese_come_in_the_order_of_the_text():
    pytest.importorskip("sudachipy")
    tokens = tokenizer_named("japanese").split("Windows 11の更新 is 今日 ok")
    assert tokens == ["windows", "11", "の", "更新", "is", "今日", "ok"]


def rounds(texts: dict[int, str], tmp_path):
    path = tmp_path / "answers.csv"
    rows = [
        {"round": number, "answer": f"{texts.get(number, 'the cat sat')} {k} on mat {k * number}"}
        for number in range(1, 16)
        for k in range(12)
    ]
    pl.DataFrame(rows).write_csv(path)
    return hf.watch(path, text="answer", by="round", baseline=10)


def test_a_script_in_a_later_round_changes_nothing_before_it(tmp_path):
    plain = rounds({}, tmp_path)
    for number in (9, 12):
        other = rounds({number: "今日は東京で映画を見ました" * 40}, tmp_path)
        for metric in ("distinct_2", "hill_1"):
            before, after = (
                {reading.round: reading.values[metric] for reading in result.readings[""]}
                for result in (plain, other)
            )
            assert before.pop(number) != after.pop(number)
            assert before == after


def test_every_unspaced_letter_stays_in_a_symbol():
    letters = [chr(code) for code in range(0x250, 0x30000) if not 0xD800 <= code < 0xE000]
    unspaced = pl.Series("text", letters).str.contains(f"^[{UNSPACED}]$")
    words = pl.Series("text", letters).filter(unspaced)
    found = Mixed().tokens(words.to_frame().lazy()).collect().get_column("symbol")
    assert set(words) - set(found) <= set("\u17b4\u17b5")
