"""Disjoint pairs and their scores."""

from collections import Counter

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity.pairs import (
    cosine_scores,
    disjoint_pairs,
    median_squared_distance,
    pair_scores,
    spread,
)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100])
def test_no_answer_is_in_two_pairs(rng, count):
    pairs = disjoint_pairs(count, rng=rng)
    used = np.concatenate([pairs.first, pairs.second])
    assert len(set(used.tolist())) == used.size
    assert pairs.first.size == count // 2
    assert pairs.unpaired == count % 2
    assert ((used >= 0) & (used < count)).all()
    assert (pairs.first < pairs.second).all()


def test_pairs_stay_within_a_prompt(rng):
    prompts = rng.choice(list("abcde"), size=203).tolist()
    pairs = disjoint_pairs(203, rng=rng, prompts=prompts)
    assert all(prompts[i] == prompts[j] for i, j in zip(pairs.first, pairs.second, strict=True))
    expected = sum(number // 2 for number in Counter(prompts).values())
    assert pairs.first.size == expected
    assert pairs.unpaired == 203 - 2 * expected
    used = np.concatenate([pairs.first, pairs.second])
    assert len(set(used.tolist())) == used.size


@pytest.mark.parametrize("prompts", [None, ["p"] * 4, np.array([3, 3, 3, 3])])
def test_every_partner_is_as_likely(rng, prompts):
    partners = Counter()
    for _ in range(3000):
        pairs = disjoint_pairs(4, rng=rng, prompts=prompts)
        both = dict(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        partners[both[0]] += 1
    assert set(partners) == {1, 2, 3}
    assert all(abs(number - 1000) < 4.5 * np.sqrt(3000 * 2 / 9) for number in partners.values())


def test_who_is_left_over_is_random_too(rng):
    left = Counter()
    for _ in range(300):
        pairs = disjoint_pairs(3, rng=rng)
        left[3 - int(pairs.first[0] + pairs.second[0])] += 1
    assert set(left) == {0, 1, 2}


def test_a_seed_repeats_the_pairs():
    one, two, other = (
        disjoint_pairs(50, rng=np.random.default_rng(seed)).second.tolist() for seed in (1, 1, 2)
    )
    assert one == two != other


def test_prompts_of_single_answers_pair_nothing(rng):
    pairs = disjoint_pairs(3, rng=rng, prompts=["a", "b", "c"])
    assert (pairs.first.size, pairs.unpaired) == (0, 3)


def test_scores_by_hand():
    first, second = [[0.0, 0.0]] * 3, [[0.0, 0.0], [3.0, 4.0], [1e9, 0.0]]
    scores = pair_scores(first, second, scale=25.0)
    np.testing.assert_allclose(scores, [0.0, 1 - np.exp(-1), 1.0])
    assert pair_scores(first, second, scale=50.0)[1] == pytest.approx(1 - np.exp(-0.5))
    assert median_squared_distance(first, second) == 25.0
    np.testing.assert_allclose(
        cosine_scores([[2.0, 0.0]] * 3, [[1.0, 0.0], [0.0, 5.0], [-1.0, 0.0]]), [0.0, 0.5, 1.0]
    )


def test_scores_lie_between_0_and_1_and_do_not_see_moves_and_turns(rng):
    first, second = rng.normal(size=(2, 500, 6)) * 3
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    scores = pair_scores(first, second, scale=10.0)
    for values in (scores, cosine_scores(first, second)):
        assert (values >= 0).all()
        assert (values <= 1).all()
    moved = pair_scores(first @ turn + 4, second @ turn + 4, scale=10.0)
    np.testing.assert_allclose(moved, scores, rtol=1e-9)
    np.testing.assert_allclose(pair_scores(second, first, scale=10.0), scores)
    np.testing.assert_allclose(cosine_scores(7 * first, second / 9), cosine_scores(first, second))


def test_the_cosine_is_blind_to_a_loss_of_spread_around_zero(rng):
    first, second = rng.normal(size=(2, 4000, 8))
    scale = median_squared_distance(first, second)
    assert spread(cosine_scores(first / 2, second / 2)) == pytest.approx(0.5, abs=0.02)
    assert spread(cosine_scores(first, second)) == pytest.approx(0.5, abs=0.02)
    before = spread(pair_scores(first, second, scale=scale))
    assert spread(pair_scores(first / 2, second / 2, scale=scale)) < 0.5 * before


def test_undefined_is_never_zero():
    none = np.empty((0, 3))
    assert median_squared_distance(none, none) is None
    assert median_squared_distance([[1.0]] * 3, [[1.0], [1.0], [2.0]]) is None
    assert spread(pair_scores(none, none, scale=1.0)) is None


def test_bad_input(rng):
    with pytest.raises(ArgumentError, match="prompts: got 2 of them, takes one for each of the 3"):
        disjoint_pairs(3, rng=rng, prompts=["a", "b"])
    with pytest.raises(ArgumentError, match="count: got -1"):
        disjoint_pairs(-1, rng=rng)
    with pytest.raises(ArgumentError, match="scale: got 0"):
        pair_scores([[1.0]], [[1.0]], scale=0.0)
    with pytest.raises(ArgumentError, match=r"second: got shape \(2, 1\) beside \(1, 1\)"):
        pair_scores([[1.0]], [[1.0], [2.0]], scale=1.0)
    with pytest.raises(DataError, match="second: row 0 holds a number that is not finite"):
        pair_scores([[1.0]], [[np.inf]], scale=1.0)
    with pytest.raises(DataError, match="first: row 0 is a vector of zeros"):
        cosine_scores([[0.0]], [[1.0]])
