import pytest

from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.network.agents.ngram_model import NGramIndex, Vocabulary, writing_tokenizer

TEXTS = {
    "whitespace": 'The cat sat. "Why?" It did! A heading\nThe end.',
    "words": "the cat sat. why. it did",
    "mixed": "今日は雨が降る。windows 11の更新。明日は晴れ",
    "characters:1": "今日は雨が降る。明日は晴れ",
    "characters:3": "今日は雨が降る",
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_was_read_is_written_as_it_was(name):
    vocabulary = Vocabulary(tokenizer_named(name))
    numbers = vocabulary.encode(TEXTS[name])
    written = vocabulary.decode(numbers)
    assert written.rstrip(".。") == TEXTS[name].rstrip(".。")
    assert vocabulary.encode(written).tolist() == numbers.tolist()


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "!?。"])
def test_a_text_without_words_is_empty(text):
    vocabulary = Vocabulary(tokenizer_named("words"))
    assert vocabulary.encode(text).size == 0
    assert vocabulary.decode(vocabulary.encode(text)) == ""


MANY = [
    *TEXTS.values(),
    *("", " \n ", "...", "!?。", "One\n\ntwo.\r\n", "ΚΑΛΗΜΕΡΑ. ’tis 3.14! 1️⃣ 👋🏽", "नमस्ते।"),
    *(
        "\N{MATHEMATICAL BOLD SMALL DIGAMMA} a",
        "a \N{MATHEMATICAL BOLD CAPITAL DIGAMMA} b",
        "a\x00",
    ),
]


@pytest.mark.parametrize("name", [*TEXTS, "characters:2", "japanese"])
def test_texts_that_are_split_together_are_split_alike(name):
    if name == "japanese":
        pytest.importorskip("sudachipy", reason="sudachipy is not installed: extra ja")
    together, alone = Vocabulary(tokenizer_named(name)), Vocabulary(tokenizer_named(name))
    encoded = together.encode_all([*MANY, *MANY[:3]])
    assert len(encoded) == len(MANY) + 3
    for text, numbers in zip([*MANY, *MANY[:3]], encoded, strict=True):
        words = [alone._words[one] for one in alone.encode(text)]
        assert [together._words[one] for one in numbers] == words


def test_numbers_stay_when_more_is_read():
    vocabulary = Vocabulary(tokenizer_named("words"))
    first = vocabulary.encode("a b c").tolist()
    vocabulary.encode("z z z a")
    assert vocabulary.encode("a b c").tolist() == first
    assert vocabulary.decode(first) == "a b c."


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("It rains.", "whitespace"),
        ("今天天气很好", "mixed"),
        ("привет", "whitespace"),
        ("今 and a long English text around it", "whitespace"),
    ],
)
def test_auto_keeps_punctuation_where_scripts_have_spaces(text, name):
    assert writing_tokenizer("auto", [text]).name == name


def test_a_memory_lists_every_place_by_the_word_before():
    vocabulary = Vocabulary(tokenizer_named("words"))
    texts = [vocabulary.encode("a b a"), vocabulary.encode("b"), vocabulary.encode("a b")]
    memory = NGramIndex.of(texts, weights=[1.0, 0.0, 2.0])
    tokens = memory.tokens.tolist()
    assert tokens == [*texts[0].tolist(), *texts[2].tolist()]
    for word in range(3):
        places = memory.places[memory.starts[word] : memory.starts[word + 1]].tolist()
        expected = [p for p in range(7) if (tokens[p - 1] if p else 0) == word]
        assert places == expected
    # In the ratio of 1 to 2, and 1 on average.
    assert memory.weights.tolist() == pytest.approx([0.7] * 4 + [1.4] * 3)
    assert memory.cumulative[-1] == pytest.approx(7.0)
    assert NGramIndex.of([], weights=[]).empty
