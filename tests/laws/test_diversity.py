import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.laws.rounds import rounds_of
from hayflick.laws.wright_fisher import WrightFisher


def test_replace_is_geometric_with_a_known_half_life(words):
    law = hf.expected_diversity(words, generations=30)
    start = 1 - np.sum(words.probabilities**2)
    assert_allclose(law.expected, start * (1 - 1 / 100) ** np.arange(31), rtol=1e-13)
    assert law.half_life == pytest.approx(np.log(2) / -np.log1p(-1 / 100))


def test_the_half_life_does_not_depend_on_the_horizon(words):
    half_lives = [hf.expected_diversity(words, generations=k).half_life for k in (1, 10, 500)]
    assert_allclose(half_lives, half_lives[0])


def test_a_half_life_of_less_than_a_round():
    pair = hf.Discrete.from_counts({"a": 1, "b": 1})
    law = hf.expected_diversity(pair, generations=3, samples=1)
    assert law.expected.tolist() == [0.5, 0, 0, 0]
    assert law.half_life == 1.0


def test_the_checked_number_of_fresh_data():
    coin = hf.Discrete.from_counts({"a": 30, "b": 70})
    law = hf.expected_diversity(coin, generations=200, regime=hf.Fresh(share=0.1))
    # 1 - Σ p² = 2 (E p - E p²) for two symbols, and E p stays at .3.
    assert 0.3 - law.expected[-1] / 2 == pytest.approx(0.10055, abs=5e-6)


def test_diversity_that_never_halves_has_no_half_life(words):
    assert hf.expected_diversity(words, generations=5, regime=hf.Fresh(share=0.5)).half_life is None
    only = hf.Discrete.from_counts({"a": 3})
    assert hf.expected_diversity(only, generations=5).half_life is None


@pytest.mark.parametrize("delta", [0.0, 0.4])
@pytest.mark.parametrize(
    "regime", [hf.Replace(), hf.Fresh(share=0.15)], ids=lambda regime: regime.describe()
)
def test_the_recursion_against_the_whole_law_of_every_symbol(words, regime, delta):
    model = words.with_estimator(hf.AddDelta(delta))
    rounds = rounds_of(model, regime=regime, samples=40, generations=6)
    squares = [0.0] * 6
    for p in model.probabilities:
        for place, law in enumerate(WrightFisher(rounds).laws(np.array([p]))):
            estimate = (np.arange(law.shape[1]) + delta) / (40 + delta * model.types)
            squares[place] += law[0] @ estimate**2
    result = hf.expected_diversity(model, generations=6, regime=regime, samples=40)
    assert_allclose(result.expected[1:], 1 - np.array(squares), rtol=1e-11)


def test_stored_items_against_simulation(words, rng):
    model = words.with_estimator(hf.AddDelta(0.7))
    anchor = hf.Anchor.from_mapping({"here": 5, "the": 2})
    reserve, size, delta = model.align(anchor.reserve), 60, 0.7
    law = np.tile((model.weights + delta) / (100 + 4 * delta), (100_000, 1))
    expected = hf.expected_diversity(model, generations=4, regime=anchor, samples=size).expected
    for generation in range(1, 5):
        counts = rng.multinomial(size - reserve.sum(), law) + reserve
        law = (counts + delta) / (size + 4 * delta)
        found = 1 - (law**2).sum(axis=1)
        error = found.std() / np.sqrt(len(found))
        assert abs(found.mean() - expected[generation]) < 4 * error


@pytest.mark.parametrize("seed", range(5))
def test_a_diversity_that_stays_at_half_has_halved(seed):
    # With one fresh item of two, it is half from the first round on, up to the last digit.
    counts = np.random.default_rng(seed).integers(1, 1000, 7)
    model = hf.Discrete.from_counts({f"{place}": int(count) for place, count in enumerate(counts)})
    for generations in (1, 30):
        law = hf.expected_diversity(
            model, generations=generations, samples=2, regime=hf.Fresh(share=0.5)
        )
        assert law.half_life == pytest.approx(1.0)
