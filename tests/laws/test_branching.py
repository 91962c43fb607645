import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.laws.branching import Branching, survival_exponents
from hayflick.laws.rounds import ChainRounds, rounds_of


def test_exponents_follow_their_recursion_and_bounds():
    g = survival_exponents(1000)
    assert g[0] == 1.0
    assert_allclose(g[1:], 1 - np.exp(-g[:-1]), rtol=1e-12)
    k = np.arange(1, 1001)
    assert ((1 / k <= g) & (g <= 3 / k)).all()


def test_exponents_are_one_minus_the_iterated_generating_function():
    s, values = 0.0, []
    for _ in range(50):
        values.append(1 - s)
        s = np.exp(s - 1)
    assert_allclose(survival_exponents(50), values, rtol=1e-13)


def test_replace_is_the_law_of_the_paper(words):
    rounds = rounds_of(words, regime=hf.Replace(), samples=None, generations=20)
    law = Branching.of(rounds)
    counts = np.array([1.0, 9.0, 60.0])
    expected = 1 - np.exp(-np.outer(counts, survival_exponents(20)))
    present = law.present(counts / 100)
    assert_allclose(present[:, 1:], expected, rtol=1e-12)
    assert (present[:, 0] == 1).all()


def slow_absence(rounds: ChainRounds, p: float, target: int) -> float:
    """Compose the generating functions of one symbol, one round after the other."""
    z, log_absence = 0.0, 0.0
    for place in reversed(range(target)):
        q, m = rounds.generated[place], rounds.fresh[place]
        share, types = rounds.uniform[place], rounds.reserve.size
        immigrants = m * p + q * share / types
        if place == 0:
            immigrants += q * (1 - share) * p
            return float(np.exp(log_absence + immigrants * (z - 1)))
        log_absence += immigrants * (z - 1)
        z = np.exp(q * (1 - share) / rounds.samples[place - 1] * (z - 1))
    raise AssertionError("unreachable")


def test_rounds_that_differ_against_a_slow_reference(rng):
    size = np.array([80, 100, 120, 60, 90])
    fresh = np.array([0, 10, 0, 30, 90])
    uniform = np.array([0.0, 0.1, 0.05, 0.0, 0.2])
    rounds = ChainRounds(size - fresh, fresh, size, np.zeros(7, np.int64), uniform, constant=False)
    p = np.array([0.001, 0.02, 0.3])
    present = Branching.of(rounds).present(p)
    for row, chance in enumerate(p):
        for target in range(1, 6):
            expected = 1 - slow_absence(rounds, chance, target)
            assert present[row, target] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [100, 3000])
@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.02), hf.Fresh(share=0.5)])
@pytest.mark.parametrize("delta", [0.0, 0.3])
def test_the_exact_law_lies_within_the_proven_error(size, regime, delta):
    from hayflick.laws.wright_fisher import WrightFisher

    model = hf.Discrete.zipf_mandelbrot(40, exponent=1.0).with_estimator(hf.AddDelta(delta))
    rounds = rounds_of(model, regime=regime, samples=size, generations=30)
    law = Branching.of(rounds)
    p = model.probabilities[::8]
    excess = WrightFisher(rounds).present(p) - law.present(p)
    assert excess.min() > -1e-10
    assert (excess <= law.error(p)[:, None] + 1e-10).all()
    assert excess.max() > 0


def test_the_error_shrinks_as_the_training_set_grows(words):
    errors = []
    for size in (100, 10_000, 1_000_000):
        rounds = rounds_of(words, regime=hf.Fresh(share=0.1), samples=size, generations=10)
        errors.append(Branching.of(rounds).error(np.array([1 / size]))[0])
    assert errors[0] > 50 * errors[1] > 2500 * errors[2]


def test_some_symbol_survives_every_round():
    model = hf.Discrete.from_counts({f"word{place}": 1 for place in range(2000)})
    law = hf.survival(model, generations=100_000, law="branching")
    assert law.surviving_fraction[-1] == 1 / 2000
