import time

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import binom

import hayflick as hf
from hayflick.laws import count_law
from hayflick.laws.count_law import at_least_by_law, expected_counts
from hayflick.laws.rounds import rounds_of
from hayflick.laws.wright_fisher import binomial_rows

PAIR = hf.Discrete.from_counts({"rare": 1, "other": 499})


def rounds(regime, *, generations, samples=500, model=PAIR):
    return rounds_of(model, regime=regime, samples=samples, generations=generations)


def full_matrix(chain, probability, stored=0):
    """Yield the law of one count after each round, by whole matrices."""
    sizes = chain.samples
    shares = np.array([probability])
    law = np.ones(1)
    for place in range(chain.number):
        generated, fresh = int(chain.generated[place]), int(chain.fresh[place])
        next_law = law @ binomial_rows(generated, shares)
        next_law = np.convolve(next_law, binomial_rows(fresh, np.array([probability]))[0])
        law = np.concatenate([np.zeros(stored), next_law])
        shares = np.minimum(np.arange(law.size) / sizes[place], 1.0)
        yield law


@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.1)], ids=str)
def test_every_count_is_near_the_exact_matrix(regime):
    chain = rounds(regime, generations=15)
    counts = np.array([1, 2, 5, 25, 100, 250, 499])
    for least in (1, 5, 125):
        found, law = at_least_by_law(chain, counts / 500, least=least)
        assert law == "exact"
        for row, count in zip(found, counts, strict=True):
            exact = [1.0] + [now[least:].sum() for now in full_matrix(chain, count / 500)]
            assert_allclose(row, exact, atol=1e-9)


def test_limits_may_differ_by_type():
    chain = rounds(hf.Replace(), generations=5)
    p, least = np.array([0.01, 0.01, 0.3, 0.01]), np.array([0, 3, 100, 1])
    found, _ = at_least_by_law(chain, p, least=least)
    assert (found[0] == 1.0).all()
    for row in (1, 2, 3):
        alone, _ = at_least_by_law(chain, p[row : row + 1], least=int(least[row]))
        assert_allclose(found[row], alone[0], atol=1e-12)


def test_stored_items_are_part_of_the_exact_chain():
    model = hf.Discrete.from_counts({"rare": 5, "other": 195})
    chain = rounds(hf.Anchor.from_mapping({"rare": 3}), generations=12, samples=200, model=model)
    found, law = at_least_by_law(
        chain, np.full(2, 5 / 200), least=np.array([3, 8]), stored=np.array([3, 3])
    )
    assert law == "exact"
    assert (found[0] == 1.0).all()
    exact = [1.0] + [now[8:].sum() for now in full_matrix(chain, 5 / 200, stored=3)]
    assert_allclose(found[1], exact, atol=1e-9)


@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.05)], ids=str)
@pytest.mark.parametrize(
    ("count", "least"), [(10, 3), (40, 10), (60, 30), (60, 60), (1500, 750), (2800, 2700)]
)
def test_approximations_are_near_the_exact_chain(monkeypatch, regime, count, least):
    chain = rounds(regime, generations=50, samples=3000)
    p = np.array([count / 3000])
    exact, _ = at_least_by_law(chain, p, least=least)
    monkeypatch.setattr(count_law, "LARGEST_SAMPLE", 100)
    found, law = at_least_by_law(chain, p, least=least)
    assert law != "exact"
    assert count > 60 or law == "branching"
    # Five standard errors of 2,000 runs.
    assert_allclose(found, exact, atol=0.005 if count <= 60 else 0.04)


@pytest.mark.parametrize("least", [60, 64])
@pytest.mark.parametrize("stored", [0, 20])
def test_both_inversions_of_the_branching_law_agree(least, stored):
    chain = rounds(hf.Fresh(share=0.02), generations=30, samples=10_000)
    p, kept, limit = np.array([0.004, 0.02]), np.full(2, stored), np.full(2, least)
    lattice = count_law.at_least(chain, p, least=least, stored=kept)
    smooth = count_law._many(chain, p, limit, kept)
    assert_allclose(smooth, lattice, atol=5e-4)


def test_what_is_certain_is_not_simulated():
    chain = rounds(hf.Replace(), generations=50, samples=100_000)
    found, law = at_least_by_law(chain, np.array([0.3]), least=5)
    assert law == "branching"
    assert found.min() > 1 - 1e-4


def test_expected_counts_are_those_of_the_exact_chain():
    model = hf.Discrete.from_counts({"rare": 5, "other": 195})
    for regime, stored in ((hf.Fresh(share=0.1), 0), (hf.Anchor.from_mapping({"rare": 3}), 3)):
        chain = rounds(regime, generations=6, samples=200, model=model)
        found = expected_counts(chain, np.array([5 / 200]), stored=np.array([stored]))[0]
        exact = [5.0] + [law @ np.arange(law.size) for law in full_matrix(chain, 5 / 200, stored)]
        assert_allclose(found, exact, rtol=1e-9)


def test_a_corpus_of_a_million_types_takes_less_than_a_second():
    counts = np.maximum(1, (3e6 / np.arange(1, 1_000_001)).astype(np.int64))
    total = int(counts.sum())
    model = hf.Discrete.from_counts({"a": 1, "b": 2})
    chain = rounds(hf.Fresh(share=0.1), generations=50, samples=total, model=model)
    start = time.process_time()
    found, law = at_least_by_law(chain, counts / total, least=np.minimum(10, counts))
    taken = time.process_time() - start
    assert law == "branching"
    assert found.shape == (1_000_000, 51)
    assert taken < 2.0
    assert (np.diff(found[::1000, 10]) <= 1e-6).all()


@pytest.mark.parametrize(("number", "chance"), [(3000, 0.021), (100_000, 0.0007), (500, 0.6)])
def test_wide_binomial_counts_have_the_law_of_binomial_ones(number, chance):
    rng = np.random.default_rng(3)
    drawn = count_law._binomial(rng, number, np.full(200_000, chance))
    values = np.arange(drawn.min(), drawn.max() + 1)
    empirical = np.searchsorted(np.sort(drawn), values, side="right") / drawn.size
    assert np.abs(empirical - binom.cdf(values, number, chance)).max() < 0.006
    assert abs(drawn.mean() / (number * chance) - 1.0) < 0.002
    assert abs(drawn.var() / (number * chance * (1 - chance)) - 1.0) < 0.02
