"""One contract over every family."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import xarray
from example_chains import COUNTED, FAMILIES, STAGES

import hayflick as hf
import hayflick.chains
from hayflick.chains.family import NamedModel
from hayflick.core.protocols import Model

REGIMES = [
    hf.Replace(),
    hf.Fresh(share=0.1),
    hf.Periodic(share=0.1, every=2),
    hf.Scheduled(samples=(50, 200), fresh=(0, 20)),
]
ACCUMULATING = [hf.Accumulate(), hf.AccumulateSubsample()]
ANCHORED = hf.Anchor.from_mapping({"word79": 2, "word5": 1})


def regimes_of(family):
    symbols = getattr(FAMILIES[family], "symbols", ())
    anchored = [ANCHORED] if "word5" in symbols else []
    return [*REGIMES, *anchored]


def test_every_family_is_here():
    rooms = Path(hayflick.chains.__file__).parent.glob("*.py")
    modules = [import_module(f"hayflick.chains.{room.stem}") for room in rooms]
    classes = [value for module in modules for value in vars(module).values()]
    # A model is what has a chain.
    models = {
        kind
        for kind in classes
        if isinstance(kind, type) and hasattr(kind, "chain") and kind not in (Model, NamedModel)
    }
    assert models == {type(model) for model in FAMILIES.values()}


@pytest.mark.parametrize("family", FAMILIES)
def test_threads_and_block_sizes_never_change_the_result(family):
    # Ten logical blocks: compiled rounds take eight together, and the others one by one.
    accumulating = [] if family == "n-gram" else ACCUMULATING
    for regime in [*regimes_of(family), *accumulating]:
        settings = {"generations": 3, "samples": 200, "regime": regime, "replicates": 300}
        first = hf.simulate(FAMILIES[family], seed=11, threads=1, **settings)
        for threads, block_size in ((2, 32), (1, 96), (3, 320)):
            other = hf.simulate(
                FAMILIES[family], seed=11, threads=threads, block_size=block_size, **settings
            )
            xarray.testing.assert_identical(first, other)


@pytest.mark.parametrize("family", COUNTED)
def test_every_pool_has_the_size_of_a_training_set(family, rng):
    for regime in regimes_of(family):
        chain = FAMILIES[family].chain(200)
        population = chain.start(5)
        for generation in (1, 2, 3):
            mix = regime.mix(generation, samples=200)
            pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
            _, counts, offsets = pool.sparse
            assert np.add.reduceat(counts, offsets[:-1]).tolist() == [mix.samples] * 5
            assert pool.size == mix.samples
            population = chain.estimate(pool)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_longer_run_begins_with_the_shorter_one(family):
    short, long = (
        hf.simulate(FAMILIES[family], generations=generations, samples=30, replicates=40, seed=2)
        for generations in (3, 7)
    )
    for name, values in short.items():
        if "generation" in values.dims:
            first = long[name].isel(generation=slice(0, 4))
            np.testing.assert_array_equal(values.to_numpy(), first.to_numpy())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_description_survives_json(family):
    import json

    described = FAMILIES[family].chain(200).describe()
    assert json.loads(json.dumps(described)) == dict(described)
    assert described["samples"] == 200


@pytest.mark.parametrize("family", STAGES)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_stages_too_leave_threads_and_block_sizes_without_a_say(family, share):
    settings = {
        "generations": 3,
        "samples": 40,
        "regime": hf.Fresh(share=share),
        "replicates": 70,
        "stages": STAGES[family],
        "seed": 5,
    }
    one = hf.simulate(FAMILIES[family], threads=1, **settings)
    two = hf.simulate(FAMILIES[family], threads=2, block_size=64, **settings)
    xarray.testing.assert_identical(one, two)
    for name, values in one.items():
        assert np.isfinite(values.to_numpy()).all(), name
