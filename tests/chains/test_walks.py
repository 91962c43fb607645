"""The kernels against slow and obvious references, in distribution."""

import itertools
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from hayflick.chains import ngram_kernels as kernels
from hayflick.chains.ngram import Contexts, Successors
from hayflick.corpus.sentences import split_sentences

TEXT = (
    "The cat sat on the mat. The cat ran. The dog sat on the cat. A dog ran to the mat. "
    "The cat sat. The dog ran. A cat ran to the dog. The dog sat on a mat."
)
TEXTS = 1000
TOKENS = split_sentences(TEXT).tokens.astype(np.int64)


def empty(replicates):
    return np.empty(0, np.int32), np.zeros(replicates + 1, np.int64)


def trained(order, tokens=TOKENS):
    contexts = Contexts.of(tokens, order=order)
    arguments = {"contexts": contexts.number, "memory": contexts.memory}
    return contexts, Successors.of(contexts.visited, **arguments)


def split(block):
    texts, offsets = block
    return [texts[first:last] for first, last in itertools.pairwise(offsets)]


def followers(tokens, order):
    """Return the list of successors of every context: the slow and obvious model."""
    model, past = {}, ()
    for token in tokens.tolist():
        model.setdefault(past, []).append(token)
        past = (*past, token)[-(order - 1) :] if token and order > 1 else ()
    return model


def written(model, order, draws, rng):
    """Write `draws` words from the slow and obvious model."""
    tokens, past, words = [], (), 0
    while words < draws:
        token = model[past][rng.integers(len(model[past]))]
        tokens.append(token)
        words += token != 0
        past = (*past, token)[-(order - 1) :] if token and order > 1 else ()
    return [*tokens, 0]


def assert_same_law(found, expected):
    """Compare two samples of categories by Pearson's test of homogeneity."""
    names = sorted(found.keys() | expected.keys())
    table = np.array([[sample.get(name, 0) for name in names] for sample in (found, expected)])
    common = table.sum(axis=0) >= 20
    table = np.column_stack([table[:, common], table[:, ~common].sum(axis=1)])
    table = table[:, table.sum(axis=0) > 0]
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_training_by_hand():
    starts, successors = np.empty(6, np.int32), np.empty(7, np.int32)
    kernels.train(np.array([1, 2, 0, 1, 1, 3, 0], np.int32), 1, starts, successors)
    assert starts[:5].tolist() == [0, 2, 5, 6, 7]
    assert successors.tolist() == [1, 1, 2, 1, 3, 0, 0]


def test_training_without_memory_keeps_the_text():
    text = np.array([1, 2, 0, 1], np.int32)
    starts, successors = np.empty(3, np.int32), np.empty(4, np.int32)
    kernels.train(text, 0, starts, successors)
    assert starts[:2].tolist() == [0, 4]
    np.testing.assert_array_equal(successors, text)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("draws", [0, 1, 2, 37, 1000])
def test_every_text_has_so_many_words_and_ends(rng, order, draws):
    contexts, model = trained(order)
    block = model.append(rng, empty(5), draws=draws)
    again = kernels.rewrite(rng, *block, contexts.number, contexts.memory, 50) if draws else block
    for texts, words in ((block, draws), (again, 50 if draws else 0)):
        for text in split(texts):
            assert np.count_nonzero(text) == words
            assert words == 0 or (text[-1] == 0 and text[-2] != 0)
            # Only a model that knows no beginning writes a sentence without words.
            assert order == 1 or not ((text[1:] == 0) & (text[:-1] == 0)).any()


@pytest.mark.parametrize("order", [2, 3, 4])
def test_no_ngram_is_written_that_was_not_read(rng, order):
    contexts, model = trained(order)
    block = model.append(rng, empty(20), draws=300)
    known = {(past, token) for past, tokens in followers(TOKENS, order).items() for token in tokens}
    for text in split(block):
        tokens = contexts.last[text]
        # The last sentence is cut: its end is no end that was read.
        pairs = followers(tokens[:-1], order)
        assert {(past, token) for past, found in pairs.items() for token in found} <= known


@pytest.mark.parametrize("order", [1, 2, 3])
def test_first_and_second_generation_are_those_of_the_slow_model(order):
    rng = np.random.default_rng(8)
    contexts, model = trained(order)
    first = model.append(rng, empty(TEXTS), draws=60)
    second = kernels.rewrite(rng, *first, contexts.number, contexts.memory, 60)
    real = followers(TOKENS, order)
    slow_first = [written(real, order, 60, rng) for _ in range(TEXTS)]
    slow_second = [
        written(followers(np.array(tokens), order), order, 60, rng) for tokens in slow_first
    ]
    for fast, slow in ((first, slow_first), (second, slow_second)):
        texts = [contexts.last[text].tolist() for text in split(fast)]
        # One n-gram of each text: those of the same text hang together.
        for size in (2, 3):
            assert_same_law(
                Counter(tuple(tokens[30 : 30 + size]) for tokens in texts),
                Counter(tuple(tokens[30 : 30 + size]) for tokens in slow),
            )
        for name in (length, kinds):
            pooled = np.concatenate([[name(t) for t in texts], [name(t) for t in slow]])
            gap = np.mean([name(t) for t in texts]) - np.mean([name(t) for t in slow])
            assert abs(gap) < 4.5 * pooled.std() * np.sqrt(2 / TEXTS)


def length(tokens):
    return len(tokens)


def kinds(tokens):
    return len(set(tokens))


def test_bigrams_within_one_long_text_follow_the_successor_law(rng):
    contexts, model = trained(2)
    tokens = contexts.last[split(model.append(rng, empty(1), draws=200_000))[0]][:-1]
    found = followers(tokens, 2)
    for past, successors in followers(TOKENS, 2).items():
        law = np.bincount(successors, minlength=12) / len(successors)
        counts = np.bincount(found[past], minlength=12)
        assert (counts[law == 0] == 0).all()
        if (law > 0).sum() > 1:
            live = law > 0
            assert stats.chisquare(counts[live], law[live] * counts.sum()).pvalue > 1e-4


def test_order_one_is_a_multinomial(rng):
    _, model = trained(1)
    block = model.append(rng, empty(4000), draws=40)
    table = np.array([np.bincount(text, minlength=12)[1:] for text in split(block)])
    law = np.bincount(TOKENS, minlength=12)[1:] / np.count_nonzero(TOKENS)
    variance = 40 * law * (1 - law)
    live = law > 0
    assert (np.abs(table.mean(0) - 40 * law)[live] < 4.5 * np.sqrt(variance[live] / 4000)).all()
    np.testing.assert_allclose(table.var(0)[live], variance[live], rtol=6 * np.sqrt(3 / 4000))


def test_a_text_of_many_empty_sentences_finds_room(rng):
    tokens = np.array([1] + [0] * 999)
    _, model = trained(1, tokens)
    text = split(model.append(rng, empty(1), draws=100))[0]
    assert np.count_nonzero(text) == 100
    assert 50_000 < text.size < 200_000


def test_new_text_goes_behind_the_old(rng):
    _, model = trained(2)
    before = model.append(rng, empty(6), draws=20)
    after = model.append(rng, before, draws=11)
    for old, new in zip(split(before), split(after), strict=True):
        np.testing.assert_array_equal(new[: old.size], old)
        assert np.count_nonzero(new[old.size :]) == 11


def test_summaries_by_hand():
    contexts = Contexts.of(np.array([1, 2, 1, 2, 3, 0]), order=3)
    texts, offsets = np.array([1, 2, 0, 1, 2, 3, 2, 0], np.int32), np.array([0, 3, 8])
    found = kernels.summarise(texts, offsets, contexts.last, 3)
    assert [values.tolist() for values in found] == [[2, 2], [3, 4], [1, 1], [2.0, 8.0]]
