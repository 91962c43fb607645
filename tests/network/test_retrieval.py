import numpy as np
import pytest
from scipy import stats

from hayflick.core.errors import ArgumentError, DataError
from hayflick.network.retrieval import (
    RETRIEVALS,
    CombinedRetrieval,
    FixedCount,
    NearestTexts,
    OwnTexts,
    PoolView,
    Reader,
    RecentTexts,
    UniformShare,
    parse_retrieval,
    readable_texts,
)

VECTORS = np.array([[0.0], [3.0], [1.0], [-1.0], [9.0], [1.0]])
POOL = PoolView(
    authors=np.array([-1, -1, 0, 1, 0, 2]),
    rounds=np.array([0, 0, 1, 1, 2, 2]),
    synthetic=np.array([False, False, True, True, True, True]),
    vectors=VECTORS,
)
EXAMPLES = {
    "uniform": "uniform:beta=0.5",
    "fixed": "fixed:k=4",
    "nearest": "nearest:k=2",
    "recent": "recent:beta=0.5,half-life=10",
    "own": "own",
    "mixture": "fixed:k=2+own:k=1+nearest:k=1",
}
RULES = {name: parse_retrieval(text) for name, text in EXAMPLES.items()}


def pool_of(texts):
    return PoolView(np.full(texts, -1), np.zeros(texts, int), np.zeros(texts, bool))


def everything(pool=POOL, agent=0):
    return Reader(agent, np.arange(pool.size), np.array([0.0]))


def test_every_rule_has_an_example_here():
    assert set(EXAMPLES) == {*RETRIEVALS, "mixture"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_reads_each_text_once_and_only_what_is_readable(name):
    for seed in range(200):
        readable = np.array([0, 2, 3, 4])
        reader = Reader(0, readable, np.array([0.5]))
        read = RULES[name].read(np.random.default_rng(seed), POOL, reader)
        again = RULES[name].read(np.random.default_rng(seed), POOL, reader)
        assert read.tolist() == again.tolist()
        assert np.unique(read).size == read.size
        assert set(read.tolist()) <= set(readable.tolist())


@pytest.mark.parametrize("name", RULES)
def test_a_description_makes_the_rule_again(name):
    assert RULES[name].describe() == EXAMPLES[name]
    assert parse_retrieval(RULES[name].describe()).describe() == EXAMPLES[name]


@pytest.mark.parametrize("name", RULES)
def test_nothing_to_read_is_no_error(name, rng):
    nothing = Reader(0, np.empty(0, np.int64), np.array([0.0]))
    assert RULES[name].read(rng, POOL, nothing).size == 0


@pytest.mark.parametrize(
    ("beta", "texts", "k"),
    [(0.5, 20, 10), (0.5, 23, 11), (0.29, 100, 29), (1.0, 7, 7), (0.5, 200, 100)],
)
def test_the_size_is_that_of_the_paper(beta, texts, k, rng):
    for rule in (UniformShare(beta), RecentTexts(beta, half_life=3.0)):
        assert rule.read(rng, pool_of(texts), everything(pool_of(texts))).size == k


def test_uniform_reading_takes_every_pair_alike(rng):
    pairs = np.zeros((6, 6))
    for _ in range(6000):
        first, second = UniformShare(0.34).read(rng, POOL, everything())
        pairs[first, second] += 1
    off_diagonal = pairs[~np.eye(6, dtype=bool)]
    assert stats.chisquare(off_diagonal).pvalue > 1e-3


def test_recent_reading_halves_the_chance_with_every_half_life(rng):
    # Weights 1/4, 1/4, 1/2, 1/2, 1, 1: the first text that is drawn has that law.
    firsts = [
        RecentTexts(0.34, half_life=1.0).read(rng, POOL, everything())[0] for _ in range(7000)
    ]
    expected = np.array([1, 1, 2, 2, 4, 4]) / 14 * 7000
    assert stats.chisquare(np.bincount(firsts, minlength=6), expected).pvalue > 1e-3


def test_recent_reading_draws_the_second_from_what_is_left(rng):
    pool = PoolView(np.full(3, -1), np.array([0, 1, 2]), np.zeros(3, bool))
    counts = np.zeros((3, 3))
    for _ in range(7000):
        first, second = RecentTexts(0.67, half_life=1.0).read(rng, pool, everything(pool))
        counts[first, second] += 1
    weights = np.array([1, 2, 4])
    law = [
        weights[i] / 7 * weights[j] / (7 - weights[i]) for i in range(3) for j in range(3) if i != j
    ]
    observed = counts[~np.eye(3, dtype=bool)]
    assert stats.chisquare(observed, np.array(law) * 7000).pvalue > 1e-3


def test_a_short_half_life_over_many_rounds_still_orders_the_texts(rng):
    pool = PoolView(np.full(3, -1), np.array([0, 5000, 10_000]), np.zeros(3, bool))
    assert RecentTexts(1.0, half_life=1.0).read(rng, pool, everything(pool)).tolist() == [2, 1, 0]


def test_nearest_reading_orders_by_distance_and_breaks_ties_at_random():
    seen = set()
    for seed in range(40):
        read = NearestTexts(4).read(np.random.default_rng(seed), POOL, everything())
        assert read[0] == 0
        assert set(read[1:].tolist()) == {2, 3, 5}
        seen.add(tuple(read.tolist()))
    assert len(seen) == 6


def test_no_tie_is_lost_for_its_place(rng):
    # Three texts at distance 1, one of which is left out.
    left_out = [
        ({2, 3, 5} - set(NearestTexts(3).read(rng, POOL, everything()).tolist()))
        for _ in range(600)
    ]
    counts = [sum(place in out for out in left_out) for place in (2, 3, 5)]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_own_reading_stays_in_the_silo(rng):
    for agent, own in ((0, {2, 4}), (1, {3}), (2, {5}), (3, set())):
        assert set(OwnTexts().read(rng, POOL, everything(agent=agent)).tolist()) == own
    assert OwnTexts(1).read(rng, POOL, everything(agent=0)).size == 1


def test_a_mixture_reads_what_its_parts_left(rng):
    rule = CombinedRetrieval((OwnTexts(), NearestTexts(2), FixedCount(10)))
    read = rule.read(rng, POOL, everything())
    assert set(read[:2].tolist()) == {2, 4}
    assert read[2] == 0
    assert sorted(read.tolist()) == list(range(6))


def test_readable_texts_are_the_real_ones_and_those_of_whom_one_reads():
    for row, expected in (
        ([True, False, False], [0, 1, 2, 4]),
        ([False, True, True], [0, 1, 3, 5]),
        ([False, False, False], [0, 1]),
    ):
        assert readable_texts(POOL, may_read=np.array(row)).tolist() == expected


@pytest.mark.parametrize("rule", [UniformShare(0.01), RecentTexts(0.01, half_life=1.0)])
def test_a_share_that_takes_nothing_is_refused(rule, rng):
    with pytest.raises(ArgumentError, match=r"beta: got 0\.\d+, takes a share that leaves"):
        rule.read(rng, POOL, everything())


def test_nearest_reading_needs_embeddings(rng):
    with pytest.raises(ArgumentError, match="embeddings of the texts and of the query"):
        NearestTexts(2).read(rng, pool_of(4), everything(pool_of(4)))


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="same length"):
        PoolView(np.zeros(3, int), np.zeros(2, int), np.zeros(3, bool))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unifrom:0.5", "did you mean uniform"),
        ("uniform", "takes uniform:beta=BETA"),
        ("uniform:1.5", "beta: got 1.5"),
        ("uniform:beta=x", "beta: got x, takes a number"),
        ("fixed:0", "k: got 0"),
        ("fixed:2.5", "k: got 2.5, takes a whole number"),
        ("nearest:k=5,j=2", "takes"),
        ("recent:beta=0.5", "takes recent:beta=BETA,half-life=HALF-LIFE"),
        ("recent:beta=0.5,half-life=0", "half-life: got 0"),
        ("own:0", "k: got 0"),
        ("own+", "both sides"),
        ("+", "both sides"),
    ],
)
def test_what_is_not_understood_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_retrieval(text)
