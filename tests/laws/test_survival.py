import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError


def test_auto_says_which_law_it_took(words):
    small, large = (
        hf.survival(words, generations=5),
        hf.survival(words, generations=5, samples=10_000),
    )
    assert (small.name, large.name) == ("exact", "branching")
    assert small.error < 1e-10
    assert 0 < large.error < 5 * 0.37 / 10_000 * 1.01


def test_a_law_can_be_asked_for_by_name(words):
    assert hf.survival(words, generations=5, law="branching").name == "branching"
    with pytest.raises(ArgumentError, match="takes training sets of at most 3000 items"):
        hf.survival(words, generations=5, samples=3001, law="exact")
    with pytest.raises(ArgumentError, match="takes one of auto, exact, branching"):
        hf.survival(words, generations=5, law="bound")


@pytest.mark.parametrize("law", ["exact", "branching"])
def test_the_fraction_is_the_mean_over_symbols(words, law):
    result = hf.survival(words, generations=8, law=law)
    assert_allclose(result.surviving_fraction, result.of_symbols(words.symbols).mean(axis=0))
    assert result.surviving_fraction[0] == 1.0


def test_the_baseline_is_one_training_on_real_data(words):
    result = hf.survival(words, generations=3)
    expected = np.mean(1 - (1 - words.probabilities) ** 100)
    assert_allclose(result.baseline, [1, expected, expected, expected])
    assert_allclose(result.excess_loss[:2], 0, atol=1e-12)
    real = hf.survival(words, generations=3, regime=hf.Fresh(share=1.0))
    assert_allclose(real.surviving_fraction, real.baseline, atol=1e-12)


@pytest.mark.parametrize("samples", [100, 5000])
def test_what_a_reserve_holds_never_dies(words, samples):
    anchor = hf.Anchor.from_mapping({"here": 1, "sat": 2})
    result = hf.survival(words, generations=40, regime=anchor, samples=samples)
    assert (result.of_symbols(["here", "sat"]) == 1.0).all()
    assert (result.of_symbols(["cat"]) <= 1.0).all()
    assert_allclose(result.surviving_fraction, result.of_symbols(words.symbols).mean(axis=0))


def test_a_reserve_may_hold_everything(words):
    anchor = hf.Anchor.from_mapping(dict.fromkeys(words.symbols, 25))
    result = hf.survival(words, generations=5, regime=anchor)
    assert (result.surviving_fraction == 1.0).all()


def test_a_single_symbol_survives():
    only = hf.Discrete.from_counts({"rain": 10})
    result = hf.survival(only, generations=5)
    assert_allclose(result.surviving_fraction, 1.0)
    assert_allclose(result.baseline, 1.0)


def test_more_samples_and_more_fresh_data_keep_more(words):
    kept = [
        hf.survival(words, generations=20, samples=n).surviving_fraction[-1] for n in (50, 200, 900)
    ]
    assert kept == sorted(kept)
    shares = [0, 0.01, 0.1, 0.5, 1]
    kept = [
        hf.survival(words, generations=20, regime=hf.Fresh(share)).surviving_fraction[-1]
        for share in shares
    ]
    assert kept == sorted(kept)


@pytest.mark.parametrize("generations", [0, -1, 1.5])
def test_generations_must_be_a_whole_number_from_one(words, generations):
    with pytest.raises(ArgumentError, match="generations"):
        hf.survival(words, generations=generations)


def test_an_unknown_symbol_is_refused(words):
    with pytest.raises(DataError, match="'dog' is not in counts"):
        hf.survival(words, generations=2).of_symbols(["dog"])


def test_probabilities_are_answered_in_their_order(words):
    result = hf.survival(words, generations=4)
    forward = result.of_probabilities(np.array([0.3, 0.01, 0.3]))
    assert_allclose(forward[0], forward[2])
    assert_allclose(forward[1], result.of_symbols(["here"])[0])
