import itertools
import math

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError
from hayflick.corpus.items import ItemBlock
from hayflick.planning.coverage import EPSILON, cover

TYPES = 24


def blocks_of(items, *, tokens=None, per_block=5):
    """Items, each a set of symbols, as a stream of blocks."""
    tokens = [len(item) for item in items] if tokens is None else tokens
    blocks = []
    for first in range(0, len(items), per_block):
        part = [sorted(item) for item in items[first : first + per_block]]
        starts = np.cumsum([0, *map(len, part)])
        numbers = np.arange(first, first + len(part))
        costs = np.array(tokens[first : first + per_block])
        blocks.append(
            ItemBlock(
                numbers, costs, starts, np.array(list(itertools.chain(*part)), dtype=np.int32)
            )
        )
    return blocks


def random_case(seed, *, items=12):
    """Overlapping items with costs above their sizes, and uneven weights."""
    random = np.random.default_rng(seed)
    sets = [
        set(random.choice(TYPES, size=random.integers(1, 7), replace=False).tolist())
        for _ in range(items)
    ]
    tokens = [len(item) + int(random.integers(0, 9)) for item in sets]
    return sets, tokens, random.integers(0, 10, size=TYPES).astype(float)


def value(sets, chosen, weights):
    return sum(weights[symbol] for symbol in set().union(*(sets[item] for item in chosen)))


def best_value(sets, costs, weights, budget):
    """Every choice within the budget, tried."""
    choices = (
        choice
        for size in range(1, len(sets) + 1)
        for choice in itertools.combinations(range(len(sets)), size)
        if sum(costs[item] for item in choice) <= budget
    )
    return max((value(sets, choice, weights) for choice in choices), default=0.0)


def plain_greedy(sets, weights, budget):
    chosen, covered = [], set()
    for _ in range(budget):
        gains = [sum(weights[s] for s in item - covered) for item in sets]
        if max(gains) == 0:
            break
        chosen.append(int(np.argmax(gains)))
        covered |= sets[chosen[-1]]
    return chosen


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("budget", [1, 3, 5])
def test_a_number_of_items_reaches_its_guarantee(seed, budget):
    sets, _, weights = random_case(seed)
    chosen = cover(blocks_of(sets), weights=weights, budget=budget)
    best = best_value(sets, [1] * len(sets), weights, budget)
    assert len(chosen.numbers) <= budget
    assert chosen.value == value(sets, chosen.numbers, weights)
    assert chosen.proven == pytest.approx(1 - math.exp(EPSILON - 1))
    assert chosen.proven * best <= chosen.value <= best <= chosen.bound
    assert chosen.of_best * best <= chosen.value * (1 + 1e-12)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("budget", [4, 12, 25])
def test_a_number_of_tokens_reaches_its_guarantee(seed, budget):
    sets, tokens, weights = random_case(seed)
    blocks = blocks_of(sets, tokens=tokens)
    chosen = cover(blocks, weights=weights, budget=budget, by_tokens=True)
    best = best_value(sets, tokens, weights, budget)
    assert sum(tokens[item] for item in chosen.numbers) <= budget
    assert chosen.value == value(sets, chosen.numbers, weights)
    assert chosen.proven == pytest.approx((1 - math.exp(EPSILON - 1)) / 2)
    assert chosen.proven * best <= chosen.value <= best <= chosen.bound


@pytest.mark.parametrize("seed", range(10))
def test_a_fine_threshold_is_as_good_as_plain_greedy(seed):
    sets, _, weights = random_case(seed, items=60)
    greedy = value(sets, plain_greedy(sets, weights, 6), weights)
    fine = cover(blocks_of(sets), weights=weights, budget=6, epsilon=0.001)
    coarse = cover(blocks_of(sets), weights=weights, budget=6)
    assert fine.value >= 0.95 * greedy
    assert coarse.value >= 0.9 * greedy


def test_a_large_item_beats_many_dense_ones():
    # By density alone the first would be taken, and nothing else would fit.
    sets, tokens = [{0}, set(range(1, 20))], [1, 20]
    chosen = cover(
        blocks_of(sets, tokens=tokens), weights=np.ones(TYPES), budget=20, by_tokens=True
    )
    assert chosen.numbers.tolist() == [1]
    assert np.flatnonzero(chosen.covered).tolist() == list(range(1, 20))


def test_nothing_is_taken_that_adds_nothing():
    sets = [{0, 1}, {0}, {1}, {2}]
    weights = np.array([1.0, 1.0, 0.0])
    chosen = cover(blocks_of(sets), weights=weights, budget=4)
    assert chosen.numbers.tolist() == [0]
    assert (chosen.value, chosen.bound) == (2.0, 2.0)


def test_what_has_no_weight_is_covered_all_the_same():
    chosen = cover(blocks_of([{0, 2}]), weights=np.array([1.0, 1.0, 0.0]), budget=1)
    assert chosen.covered.tolist() == [True, False, True]


def test_no_item_that_fits_leaves_nothing_chosen():
    chosen = cover(blocks_of([{0, 1, 2}]), weights=np.ones(3), budget=2, by_tokens=True)
    assert (chosen.numbers.size, chosen.value) == (0, 0.0)


def test_the_blocks_do_not_matter():
    sets, _, weights = random_case(3, items=40)
    chosen = [
        cover(blocks_of(sets, per_block=size), weights=weights, budget=7).numbers.tolist()
        for size in (1, 7, 100)
    ]
    assert chosen[0] == chosen[1] == chosen[2]


@pytest.mark.parametrize("epsilon", [0.0, 1.0, -0.1, math.nan])
def test_epsilon_is_between_0_and_1(epsilon):
    with pytest.raises(ArgumentError, match="epsilon: got"):
        cover(blocks_of([{0}]), weights=np.ones(1), budget=1, epsilon=epsilon)
