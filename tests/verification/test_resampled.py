"""The ideal limit of a trained model's resampler against the laws, at 4.5 standard errors."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.chains.resampled import ResampledChain
from hayflick.chains.resampler import Resampler

RUNS = 3000
COUNTS = {f"word{rank}": 1 + 400 // rank for rank in range(1, 300)}


def kept_by(model, regime, generations, rng):
    """Return the share of the symbols in every generation, through the kernel."""
    ideal = hf.Discrete(model.symbols, model.weights, Resampler())
    chain = ResampledChain(ideal, ideal.total)
    population, kept = chain.start(RUNS), []
    for generation in range(1, generations + 1):
        mix = regime.mix(generation, samples=ideal.total)
        pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
        population = chain.estimate(pool)
        kept.append(chain.measure(population)["surviving_fraction"])
    return np.array(kept)


@pytest.mark.parametrize(
    "regime",
    [hf.Replace(), hf.Fresh(share=0.1), hf.Anchor.from_mapping({"word299": 2, "word7": 1})],
    ids=str,
)
def test_the_ideal_resampler_keeps_what_the_laws_say(regime, rng):
    model = hf.Discrete.from_counts(COUNTS)
    law = hf.survival(model, generations=8, regime=regime)
    kept = kept_by(model, regime, 8, rng)
    error = kept.std(axis=1) / np.sqrt(RUNS)
    # A multinomial set has a fixed size and the branching law none: of the order of 1/n.
    difference = np.abs(kept.mean(axis=1) - law.surviving_fraction[1:])
    assert (difference <= 4.5 * error + 1.0 / model.total).all()


def test_the_expected_share_of_a_symbol_is_kept(rng):
    model = hf.Discrete(("a", "b", "c"), np.array([5, 30, 65]), Resampler(1.0, 2.0, 0.5))
    chain = ResampledChain(model, 100)
    population = chain.start(40_000)
    for _ in range(3):
        population = chain.estimate(chain.generate(rng, population, 100))
    symbols, counts, offsets = population.sparse
    replicate = np.repeat(np.arange(40_000), np.diff(offsets))
    totals = np.bincount(replicate, counts, minlength=40_000)
    share = np.zeros((40_000, 3))
    share[replicate, symbols] = counts / totals[replicate]
    # Noise that grows less than the count leaves the frequent symbols ahead by a little only.
    assert share.mean(axis=0) == pytest.approx([0.05, 0.3, 0.65], abs=0.02)
