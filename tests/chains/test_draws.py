"""Every kernel against a slow and obvious reference, in distribution."""

import numpy as np
import pytest
from scipy import stats

from hayflick.chains import count_kernels as kernels
from hayflick.chains.block_counts import AliasTable, BlockCounts

REPLICATES = 4000
SYMBOLS = np.array([7, 2, 9, 4], dtype=np.int32)
COUNTS = np.array([50, 30, 15, 5])


def block(replicates=REPLICATES):
    offsets = np.arange(replicates + 1) * SYMBOLS.size
    return np.tile(SYMBOLS, replicates), np.tile(COUNTS, replicates), offsets


def dense(sparse, types=12):
    symbols, counts, offsets = sparse
    table = np.zeros((offsets.size - 1, types), np.int64)
    rows = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    np.add.at(table, (rows, symbols), counts)
    assert (counts > 0).all()
    assert len({*zip(rows.tolist(), symbols.tolist(), strict=True)}) == symbols.size
    return table


def assert_multinomial(table, law, draws):
    """Compare counts of every symbol, and pairs of symbols, with the multinomial's moments."""
    assert (table.sum(axis=1) == draws).all()
    mean, variance = draws * law, draws * law * (1 - law)
    error = np.sqrt(variance / len(table))
    live = law > 0
    assert (table[:, ~live] == 0).all()
    assert (np.abs(table.mean(axis=0) - mean)[live] < 4.5 * error[live]).all()
    if draws > 1:
        largest, second = np.argsort(law)[-2:]
        product = (table[:, largest] - mean[largest]) * (table[:, second] - mean[second])
        together = -draws * law[largest] * law[second]
        assert abs(product.mean() - together) < 4.5 * product.std() / np.sqrt(len(table))
    # The variance of a rare count is a matter of a few replicates: look at the others.
    common = mean >= 1
    ratio = table.var(axis=0)[common] / variance[common]
    assert np.abs(ratio - 1).max(initial=0) < 6 * np.sqrt(3 / len(table))
    rarest = np.flatnonzero(live)[np.argmin(law[live])]
    expected = stats.binom.pmf(0, draws, law[rarest])
    found = np.mean(table[:, rarest] == 0)
    assert abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / len(table)) + 1e-9


@pytest.mark.parametrize("draws", [1, 2, 33, 48, 49, 100, 5000])
def test_redrawing_is_a_multinomial_whichever_way_it_is_made(rng, draws):
    table = dense(kernels.redraw(rng, *block(), np.full(REPLICATES, draws)))
    law = np.zeros(12)
    law[SYMBOLS] = COUNTS / 100
    assert_multinomial(table, law, draws)


@pytest.mark.parametrize("scale", [1, 100])
def test_picks_of_one_and_of_two_per_random_number(rng, scale):
    counts = np.tile(COUNTS * scale, (REPLICATES, 1))
    drawn = np.array([kernels._pick_parents(rng, row, 31) for row in counts])
    assert_multinomial(drawn, COUNTS / 100, 31)


@pytest.mark.parametrize("draws", [0, 5, 144, 145, 2000])
def test_draws_from_a_law_are_a_multinomial_whichever_way_they_are_made(rng, draws):
    law = np.geomspace(1, 1000, 12)
    law /= law.sum()
    empty = BlockCounts.empty(REPLICATES)
    pool = AliasTable.of(law).add(rng, empty, np.full(REPLICATES, draws)).sparse
    if draws == 0:
        assert pool[0].size == 0
    else:
        assert_multinomial(dense(pool), law, draws)


def test_no_draws_leave_nothing_and_few_of_many_tokens_need_no_room_for_them(rng):
    assert dense(kernels.redraw(rng, *block(4), np.zeros(4, np.int64))).sum() == 0
    symbols, offsets = np.arange(2, dtype=np.int32), np.array([0, 2])
    vast = np.array([3 * 10**15, 10**15])
    drawn = kernels.redraw(rng, symbols, vast, offsets, np.array([20]))
    assert drawn[1].sum() == 20


@pytest.mark.parametrize("types", [1, 2, 7, 1000])
def test_an_alias_table_holds_its_law_exactly(types):
    law = np.random.default_rng(1).dirichlet(np.full(types, 0.3))
    thresholds, pairs = kernels.alias_table(law)
    own = thresholds - np.arange(types)
    mass = np.zeros(types)
    np.add.at(mass, pairs[:, 1], own)
    np.add.at(mass, pairs[:, 0], 1 - own)
    assert ((own >= 0) & (own <= 1)).all()
    np.testing.assert_allclose(mass / types, law, atol=1e-15)


def test_new_draws_join_the_old_counts(rng):
    law = np.full(12, 1 / 12)
    pool = AliasTable.of(law).add(rng, BlockCounts(block(50), 100), np.arange(50))
    difference = dense(pool.sparse) - dense(block(50))
    assert (difference >= 0).all()
    assert difference.sum(axis=1).tolist() == list(range(50))


def test_the_same_counts_join_every_replicate():
    more_symbols, more = np.array([0, 9], dtype=np.int32), np.array([3, 1])
    table = dense(kernels.merge_counts(*block(5), more_symbols, more, np.array([0, 2]), 12))
    expected = dense(block(5))
    expected[:, [0, 9]] += [3, 1]
    np.testing.assert_array_equal(table, expected)


def test_summaries_against_a_dense_reference(rng):
    sparse = kernels.redraw(rng, *block(40), np.full(40, 20))
    classes = np.arange(12, dtype=np.int32) % 3
    survivors, squares = kernels.summarise(*sparse, classes, 3)
    table = dense(sparse)
    np.testing.assert_array_equal(squares, (table**2).sum(axis=1))
    for kind in range(3):
        np.testing.assert_array_equal(survivors[:, kind], (table[:, classes == kind] > 0).sum(1))


def test_squares_of_vast_counts_do_not_overflow():
    symbols, offsets = np.array([0], dtype=np.int32), np.array([0, 1])
    _, squares = kernels.summarise(symbols, np.array([10**12]), offsets, symbols, 1)
    assert squares[0] == pytest.approx(1e24)


def test_counts_at_ranks_by_hand():
    counts, offsets = np.array([1, 5, 3, 9]), np.array([0, 3, 4])
    found = kernels.counts_at_ranks(counts, offsets, np.array([1, 3, 4]))
    assert found.tolist() == [[5, 1, 0], [9, 0, 0]]
