"""Hashes and projection against scikit-learn's hasher and a matrix written out in full."""

import unicodedata

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

from hayflick.embed.hashing import (
    BUCKETS,
    QUARTERS,
    HashingEmbedder,
    folded,
    murmur,
    splitmix64,
    unspaced_letters,
)

SPACED = [
    "The cat sat on the mat, and the dog sat by the door.",
    "a",
    "  two   spaces\tand\u2003others\u00a0too \n",
    "Ça coûte 12,50 €, n'est-ce pas ?",
    "Straße STRASSE İstanbul ΟΔΟΣ",
    "مرحبا بالعالم، كيف حالك",
    "नमस्ते दुनिया",
    "한국어 문장입니다",
    "👩‍👩‍👧‍👦 🇯🇵 ok",
    "word " * 300,
]
UNSPACED_TEXTS = ["今日は良い天気ですね。", "你好", "雨", "สวัสดีครับ", "ｶﾞﾗｽがある", "GPT-4のAPI"]
MASK = 2**64 - 1


def mixed(number):
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def projection(buckets, *, seed, dimensions):
    """Return the rows of some buckets, one Python number after another."""
    entries = []
    for bucket in buckets.tolist():
        bits = mixed((mixed(seed) + bucket * 0x9E3779B97F4A7C15) & MASK)
        for quarter in range(QUARTERS):
            field = (bits >> (16 * quarter)) & 0xFFFF
            first, after = (k * dimensions // QUARTERS for k in (quarter, quarter + 1))
            place = first + ((field >> 1) * (after - first) >> 15)
            entries.append((bucket, place, 1.0 if field & 1 else -1.0))
    rows, columns, signs = zip(*entries, strict=True)
    return sparse.coo_array((signs, (rows, columns)), shape=(BUCKETS, dimensions)).tocsr()


def with_scikit_learn(texts, *, seed=0, dimensions=384, **options):
    hasher = HashingVectorizer(norm=None, n_features=BUCKETS, preprocessor=folded, **options)
    counts = hasher.transform(texts)
    matrix = projection(np.unique(counts.indices), seed=seed, dimensions=dimensions)
    vectors = (counts @ matrix).toarray()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def words_of_any_script(text):
    """Return the n-grams of every word as scikit-learn's own analysers cut it."""
    spaced = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()
    unspaced = HashingVectorizer(analyzer="char", ngram_range=(1, 3)).build_analyzer()
    grams = []
    for word in folded(text).split():
        grams += (unspaced if unspaced_letters(word) else spaced)(word)
    return grams


@pytest.mark.parametrize("length", range(20))
def test_the_hash_is_that_of_scikit_learn(rng, length):
    for _ in range(20):
        coded = rng.integers(0, 256, length + 2).astype(np.uint8)
        expected = murmurhash3_32(coded[1:-1].tobytes(), positive=True)
        assert murmur(coded, np.array([1]), np.array([length + 1])).tolist() == [expected]


def test_the_stream_of_numbers_is_the_published_one():
    # The first outputs of splitmix64.c for the seed 1234567.
    state, found = 1234567, []
    for _ in range(3):
        found.append(int(splitmix64(np.array([state], np.uint64)).item()))
        state = (state + 0x9E3779B97F4A7C15) & MASK
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize(("seed", "dimensions"), [(0, 384), (7, 384), (0, 61)])
def test_words_between_spaces_are_those_of_char_wb(seed, dimensions):
    options = {"seed": seed, "dimensions": dimensions}
    expected = with_scikit_learn(SPACED, analyzer="char_wb", ngram_range=(3, 5), **options)
    assert HashingEmbedder(**options).embed(SPACED) == pytest.approx(expected, abs=1e-6)


def test_words_without_spaces_are_those_of_char():
    expected = with_scikit_learn(UNSPACED_TEXTS, analyzer="char", ngram_range=(1, 3))
    assert HashingEmbedder().embed(UNSPACED_TEXTS) == pytest.approx(expected, abs=1e-6)


def test_scripts_may_change_from_word_to_word():
    texts = ["the word 雨 means rain", "hayflick は 寿命 を 測る", "ราคา 120 baht ครับ"]
    expected = with_scikit_learn(texts, analyzer=words_of_any_script)
    assert HashingEmbedder().embed(texts) == pytest.approx(expected, abs=1e-6)


def test_random_words_of_all_kinds_of_letters(rng):
    alphabet = list("abcdefgh éßø ЖЯ 中文かなไทย \u2028\u3000😀")
    texts = ["x" + "".join(rng.choice(alphabet, size)) for size in rng.integers(1, 60, 200)]
    expected = with_scikit_learn(texts, analyzer=words_of_any_script)
    assert HashingEmbedder().embed(texts) == pytest.approx(expected, abs=1e-6)


def test_inner_products_are_kept_on_average():
    texts = ["the cat sat on the mat by the door", "a dog sat down by the door of a house"]
    counts = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5)).transform(texts)
    exact = (counts[0] @ counts[1].T).toarray().item()
    dimensions, seeds = 128, 400
    found = np.array(
        [
            np.prod(HashingEmbedder(dimensions=dimensions, seed=seed).embed(texts), axis=0).sum()
            for seed in range(seeds)
        ]
    )
    error = found.std() / np.sqrt(seeds)
    # Dividing by random lengths moves the mean by less than 1/d.
    assert abs(found.mean() - exact) < 4 * error + 1 / dimensions
    assert found.std() < np.sqrt(2 / dimensions)


def test_letters_without_spaces_are_those_of_their_scripts():
    found = unspaced_letters(map(chr, range(0x110000)))
    unspaced = ("CJK UNIFIED IDEOGRAPH", "HIRAGANA LETTER", "KATAKANA LETTER", "THAI CHARACTER")
    spaced = ("LATIN", "CYRILLIC", "ARABIC LETTER", "HANGUL SYLLABLE", "DEVANAGARI")
    for point in range(0x20000):
        name = unicodedata.name(chr(point), "")
        assert not name.startswith(unspaced) or chr(point) in found, name
        assert not name.startswith(spaced) or chr(point) not in found, name


def test_lone_surrogates_are_letters_of_no_script():
    assert unspaced_letters("\ud800雨") == {"雨"}
    vectors = HashingEmbedder().embed(["\ud800 rain", "rain", "雨\udfff"])
    assert np.isfinite(vectors).all()
    assert 0.5 < vectors[0] @ vectors[1] < 0.99


def test_more_words_than_are_held_give_the_same_vectors(rng):
    # At so many dimensions, 1,024 words are held.
    texts = [" ".join(f"w{word}" for word in rng.integers(0, 5_000, 400)) for _ in range(12)]
    embedder = HashingEmbedder(dimensions=1 << 14)
    together = embedder.embed(texts)
    assert np.array_equal(embedder.embed(texts[::-1])[::-1], together)
    assert np.array_equal(np.concatenate([embedder.embed([text]) for text in texts]), together)
