import numpy as np
import pytest
import xarray

import hayflick as hf
from hayflick.chains.discrete_chains import StagedDiscreteChain
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix

COUNTS = {f"word{rank}": 1 + 60 // rank for rank in range(1, 30)}


@pytest.mark.parametrize("delta", [0.0, 0.5])
@pytest.mark.parametrize(
    "regime", [hf.Replace(), hf.Fresh(share=0.2), hf.Anchor.from_mapping({"word29": 3})], ids=str
)
def test_without_stages_it_has_the_law_of_the_fast_chain(regime, delta, rng):
    model = hf.Discrete.from_counts(COUNTS, estimator=hf.AddDelta(delta))
    law = hf.survival(model, generations=5, samples=80, regime=regime)
    chain = StagedDiscreteChain(model, 80, hf.Stages())
    population = chain.start(4000)
    for generation in range(1, 6):
        mix = regime.mix(generation, samples=80)
        pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
        assert ((pool.generated + pool.real).sum(axis=1) == 80).all()
        population = chain.estimate(pool)
        share = chain.measure(population)["surviving_fraction"]
        error = share.std() / np.sqrt(4000)
        assert abs(share.mean() - law.surviving_fraction[generation]) < 4 * error


def slow_run(rng, model, stages, samples, generations):
    """Retrain on draws made one by one; only temperature, label noise and a grid."""
    law = model.weights / model.weights.sum()
    for _ in range(generations):
        drawn = []
        for _ in range(samples):
            heated = law ** (1.0 / stages.sampler.value)
            symbol = rng.choice(law.size, p=heated / heated.sum())
            if rng.random() < stages.degradation.rate:
                symbol = rng.choice(np.delete(np.arange(law.size), symbol))
            drawn.append(symbol)
        counts = np.bincount(drawn, minlength=law.size)
        law = np.round(counts / samples / stages.rounding.step) * stages.rounding.step
        law /= law.sum()
    return np.count_nonzero(counts), 1 - np.sum(law**2)


def test_stages_together_against_a_slow_reference(rng):
    model = hf.Discrete.from_counts({"a": 8, "b": 5, "c": 4, "d": 2, "e": 1})
    stages = hf.Stages(
        sampler=hf.Temperature(0.8), degradation=hf.LabelNoise(0.1), rounding=hf.Grid(step=0.07)
    )
    slow = np.array([slow_run(rng, model, stages, 15, 3) for _ in range(1500)])
    settings = {"generations": 3, "samples": 15, "replicates": 4000, "seed": 2}
    runs = hf.simulate(model, stages=stages, **settings)
    for column, name in enumerate(("surviving_types", "diversity")):
        fast = runs[name][:, -1].to_numpy()
        error = np.hypot(fast.std() / np.sqrt(4000), slow[:, column].std() / np.sqrt(1500))
        assert abs(fast.mean() - slow[:, column].mean()) < 4.5 * error


def test_good_turing_brings_symbols_back():
    model = hf.Discrete.from_counts(COUNTS)
    settings = {"generations": 30, "samples": 60, "replicates": 64, "seed": 1}
    plain = hf.simulate(model, **settings)
    smoothed = hf.simulate(model.with_estimator(hf.GoodTuring()), **settings)
    last = [runs["surviving_types"][:, -1].mean() for runs in (plain, smoothed)]
    assert last[1] > 1.5 * last[0]


def test_real_items_can_weigh_more():
    model, settings = hf.Discrete.from_counts(COUNTS), {"generations": 10, "samples": 60, "seed": 1}
    kept = [
        hf.simulate(
            model, regime=hf.Fresh(share=0.1), stages=hf.Stages(real_weight=weight), **settings
        )
        for weight in (1.0, 9.0)
    ]
    assert kept[1]["diversity"][:, -1].mean() > kept[0]["diversity"][:, -1].mean()


def test_a_law_that_rounds_to_nothing_keeps_its_largest():
    model = hf.Discrete.from_counts({"a": 4, "b": 3, "c": 3})
    chain = model.chain(10, stages=hf.Stages(rounding=hf.Grid(step=1.0)))
    pool = chain.generate(np.random.default_rng(1), chain.start(1), 10)
    pool = chain.mix(np.random.default_rng(1), pool, Mix(generated=10))
    law = chain.estimate(pool).law
    assert sorted(law[0].tolist()) == [0.0, 0.0, 1.0]


def test_threads_change_nothing():
    model, stages = hf.Discrete.from_counts(COUNTS), hf.Stages(sampler=hf.TopK(5))
    settings = {"generations": 4, "samples": 50, "replicates": 70, "seed": 3, "stages": stages}
    one, two = (hf.simulate(model, threads=threads, **settings) for threads in (1, 2))
    xarray.testing.assert_identical(one, two)


def test_laws_refuse_an_estimator_that_they_do_not_know():
    model = hf.Discrete.from_counts(COUNTS).with_estimator(hf.GoodTuring())
    with pytest.raises(ArgumentError, match="estimator: got good-turing, takes ml or add-delta"):
        hf.survival(model, generations=3)
