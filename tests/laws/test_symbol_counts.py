import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.core.records import Mix
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import rounds_of
from hayflick.laws.symbol_counts import at_least
from hayflick.laws.wright_fisher import WrightFisher

PAIR = hf.Discrete.from_counts({"rare": 1, "other": 499})


def rounds(regime, *, generations, samples=500, model=PAIR):
    return rounds_of(model, regime=regime, samples=samples, generations=generations)


@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.1)], ids=str)
def test_at_least_one_is_the_survival(regime):
    chances = np.array([1e-4, 0.002, 0.01])
    chain = rounds(regime, generations=30)
    found = at_least(chain, chances, least=1)
    assert_allclose(found, Branching.of(chain).present(chances), atol=1e-9)


@pytest.mark.parametrize("least", [1, 3, 10])
@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.05)], ids=str)
def test_rare_symbols_are_near_the_exact_law(regime, least):
    chances = np.arange(1, 11) / 500
    chain = rounds(regime, generations=50)
    found = at_least(chain, chances, least=least)
    exact = [1.0 - law[:, :least].sum(axis=1) for law in WrightFisher(chain).laws(chances)]
    assert_allclose(found[:, 1:], np.transpose(exact), atol=0.007)


def test_rounds_that_differ_are_composed():
    class Fading:
        constant = False

        def mix(self, generation, *, samples):
            fresh = 50 if generation < 3 else 10
            return Mix(generated=samples - fresh, fresh=fresh)

        def describe(self):
            return "fading"

    chances = np.array([0.002, 0.01])
    chain = rounds(Fading(), generations=6)
    exact = [1.0 - law[:, :4].sum(axis=1) for law in WrightFisher(chain).laws(chances)]
    assert_allclose(at_least(chain, chances, least=4)[:, 1:], np.transpose(exact), atol=0.004)


def test_stored_items_are_in_every_round(rng):
    model = hf.Discrete.from_counts({"rare": 5, "other": 1995})
    chain = rounds(hf.Anchor.from_mapping({"rare": 3}), generations=20, samples=2000, model=model)
    stored = np.array([3])
    found = at_least(chain, np.array([5 / 2000]), least=8, stored=stored)[0]
    assert at_least(chain, np.array([5 / 2000]), least=3, stored=stored).min() == pytest.approx(1.0)
    counts = np.full(20_000, 5.0)
    for generation in range(1, 21):
        share = counts / 2000
        counts = 3 + rng.binomial(1997, share)
        simulated = (counts >= 8).mean()
        assert found[generation] == pytest.approx(simulated, abs=0.015)
