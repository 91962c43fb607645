"""One contract over every family."""

import numpy as np
import pytest
import xarray

from hayflick.chains.discrete import Discrete
from hayflick.chains.smoothing import AddDelta
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulate.simulation import simulate

COUNTS = {f"word{rank}": 1 + 300 // rank for rank in range(1, 80)}
FAMILIES = {
    "discrete": Discrete.from_counts(COUNTS),
    "discrete, smoothed": Discrete.from_counts(COUNTS, estimator=AddDelta(0.1)),
    "discrete, known law": Discrete.zipf_mandelbrot(60, exponent=1.1),
}
REGIMES = [Replace(), Fresh(share=0.1)]
ANCHORED = Anchor.from_mapping({"word79": 2, "word5": 1})

pytestmark = pytest.mark.parametrize("family", FAMILIES)


def regimes_of(family):
    return [*REGIMES, ANCHORED] if "word5" in FAMILIES[family].symbols else REGIMES


def test_threads_and_block_sizes_never_change_the_result(family):
    for regime in regimes_of(family):
        settings = {"generations": 6, "samples": 200, "regime": regime, "replicates": 150}
        first = simulate(FAMILIES[family], seed=11, threads=1, **settings)
        for threads, block_size in ((2, 32), (1, 64), (2, 96), (3, 320)):
            other = simulate(
                FAMILIES[family], seed=11, threads=threads, block_size=block_size, **settings
            )
            xarray.testing.assert_identical(first, other)


def test_every_pool_has_the_size_of_a_training_set(family, rng):
    for regime in regimes_of(family):
        chain = FAMILIES[family].chain(200)
        population = chain.start(5)
        for generation in (1, 2, 3):
            mix = regime.mix(generation, samples=200)
            pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
            _, counts, offsets = pool.sparse
            assert np.add.reduceat(counts, offsets[:-1]).tolist() == [200] * 5
            assert pool.size == 200
            population = chain.estimate(pool)


def test_a_description_survives_json(family):
    import json

    described = FAMILIES[family].chain(200).describe()
    assert json.loads(json.dumps(described)) == dict(described)
    assert described["samples"] == 200
