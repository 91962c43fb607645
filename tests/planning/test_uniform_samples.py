import numpy as np
import pytest

from hayflick.corpus.items import ItemBlock
from hayflick.planning.coverage import uniform_samples


def singles(number, *, per_block, tokens=None):
    """Items of one symbol each, of their own."""
    every = np.arange(number)
    costs = np.ones(number, dtype=np.int64) if tokens is None else np.array(tokens)
    return [
        ItemBlock(
            every[first : first + per_block],
            costs[first : first + per_block],
            np.arange(len(every[first : first + per_block]) + 1),
            every[first : first + per_block].astype(np.int32),
        )
        for first in range(0, number, per_block)
    ]


def test_every_item_is_as_likely():
    weights = 2.0 ** np.arange(10)
    drawn = uniform_samples(
        singles(10, per_block=3), budget=4, weights=weights, seed=7, samples=4000
    )
    assert set(drawn.items.tolist()) == {4}
    assert np.all(drawn.types == 4)
    held = (drawn.values.astype(np.int64)[:, None] >> np.arange(10)) & 1
    standard_error = np.sqrt(0.4 * 0.6 / 4000)
    assert np.all(np.abs(held.mean(axis=0) - 0.4) < 4 * standard_error)


def test_a_sample_of_tokens_ends_where_it_reaches_the_budget():
    tokens = np.arange(1, 31)
    blocks = singles(30, per_block=7, tokens=tokens)
    drawn = uniform_samples(
        blocks, budget=100, by_tokens=True, weights=np.ones(30), seed=2, samples=200
    )
    assert drawn.tokens.min() >= 100
    assert drawn.tokens.max() < 130


@pytest.mark.parametrize("by_tokens", [False, True])
def test_the_seed_decides_and_the_blocks_do_not(by_tokens):
    tokens = np.arange(1, 31)
    weights = np.sqrt(np.arange(30))

    def values(seed, per_block):
        blocks = singles(30, per_block=per_block, tokens=tokens)
        drawn = uniform_samples(blocks, budget=12, by_tokens=by_tokens, weights=weights, seed=seed)
        return drawn.values.tolist()

    assert values(1, 4) == values(1, 30) != values(2, 4)


def test_a_budget_of_everything_takes_everything():
    drawn = uniform_samples(singles(6, per_block=4), budget=6, weights=np.ones(6), seed=1)
    assert np.all(drawn.types == 6)
