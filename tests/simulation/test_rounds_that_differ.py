"""Rounds of different sizes and mixes, against items drawn one by one."""

import numpy as np
import pytest

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.poisson import Poisson
from hayflick.chains.stages import Stages
from hayflick.chains.symmetric_mixture import SymmetricMixture, approximate_joint
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.scheduled import Scheduled
from hayflick.simulation.simulate import simulate

RUNS, GENERATIONS = 8000, 5
REGIMES = [Scheduled(samples=(5, 20, 20, 8), fresh=(0, 5, 0, 8)), Periodic(share=0.25, every=2)]


def mixture_items(rng, mean, deviation, shape):
    return mean * rng.choice([-1.0, 1.0], shape) + deviation * rng.standard_normal(shape)


FAMILIES = {
    "bernoulli": (
        Bernoulli(0.3),
        lambda rng, p, shape: (rng.random(shape) < p) * 1.0,
        lambda items: [items.mean(axis=1)],
    ),
    "poisson": (
        Poisson(0.7),
        lambda rng, rate, shape: rng.poisson(np.broadcast_to(rate, shape)) * 1.0,
        lambda items: [items.mean(axis=1)],
    ),
    "gaussian": (
        Gaussian(1.0, 2.0),
        lambda rng, mean, deviation, shape: mean + deviation * rng.standard_normal(shape),
        lambda items: [items.mean(axis=1), items.std(axis=1, ddof=1)],
    ),
    "mixture": (SymmetricMixture(1.0, 1.0), mixture_items, approximate_joint),
}


def raw_runs(regime, real, draw, fit):
    """Yield the parameters of every generation from 1 on."""
    rng = np.random.default_rng(1)
    theta = [np.full(RUNS, value) for value in real]
    for generation in range(1, GENERATIONS + 1):
        mix = regime.mix(generation, samples=16)
        generated = draw(rng, *(part[:, None] for part in theta), (RUNS, mix.generated))
        fresh = draw(rng, *real, (RUNS, mix.fresh))
        theta = fit(np.concatenate([generated, fresh], axis=1))
        yield theta


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.describe())
def test_families_of_a_few_numbers(family, regime):
    model, draw, fit = FAMILIES[family]
    chain = model.chain(16, stages=Stages())
    settings = {"generations": GENERATIONS, "samples": 16, "replicates": RUNS}
    runs = simulate(model, regime=regime, seed=2, **settings)
    for generation, theta in enumerate(raw_runs(regime, chain.real, draw, fit), start=1):
        for name, raw in zip(chain.parameters, theta, strict=True):
            ours = runs[name].sel(generation=generation).to_numpy()
            for one, other in ((ours, raw), (ours**2, raw**2)):
                error = np.sqrt(one.var() / one.size + other.var() / other.size)
                assert abs(one.mean() - other.mean()) <= 4 * error + 1e-12
