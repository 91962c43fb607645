import numpy as np
import pytest

from hayflick.chains.ngram import Contexts

TOKENS = np.array([1, 2, 1, 2, 3, 0, 2, 3, 0, 1, 2, 3, 0])


def pasts(tokens, order):
    """Return the last words of the sentence behind every token."""
    found, sentence = [], ()
    for token in tokens.tolist():
        sentence = (*sentence, token) if token else ()
        found.append(sentence[-(order - 1) :] if order > 1 else ())
    return found


def test_bigram_contexts_are_the_words():
    contexts = Contexts.of(TOKENS, order=2)
    assert contexts.visited.tolist() == TOKENS.tolist()
    assert contexts.last.tolist() == [0, 1, 2, 3]
    assert (contexts.number, contexts.memory) == (4, 1)


def test_trigram_contexts_by_hand():
    # Numbered by their first word, then by their last: |, | 1, | 2, 1 2, 2 1, 2 3.
    contexts = Contexts.of(TOKENS, order=3)
    assert contexts.visited.tolist() == [1, 3, 4, 3, 5, 0, 2, 5, 0, 1, 3, 5, 0]
    assert contexts.last.tolist() == [0, 1, 2, 2, 1, 3]


def test_order_one_has_one_context_and_keeps_the_words():
    contexts = Contexts.of(TOKENS, order=1)
    assert contexts.visited.tolist() == TOKENS.tolist()
    assert (contexts.number, contexts.memory) == (1, 0)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 9, 16])
def test_contexts_are_equal_where_the_last_words_are(order):
    rng = np.random.default_rng(3)
    tokens = np.append(rng.choice(4, size=400, p=[0.1, 0.4, 0.3, 0.2]), 0)
    tokens = tokens[(tokens != 0) | (np.append(0, tokens[:-1]) != 0)]
    contexts = Contexts.of(tokens, order=order)
    expected = pasts(tokens, order)
    pairs = set(zip(contexts.visited.tolist(), expected, strict=True))
    assert len(pairs) == len(set(expected)) == contexts.number
    np.testing.assert_array_equal(contexts.last[contexts.visited], tokens)
    assert (contexts.visited[tokens == 0] == 0).all()
