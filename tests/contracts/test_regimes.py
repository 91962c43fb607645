"""One contract over every regime."""

import pytest

import hayflick as hf
from hayflick.core.source import Source
from hayflick.regimes.regime import regimes

EXAMPLES = {
    "replace": hf.Replace(),
    "fresh": hf.Fresh(share=0.3),
    "periodic": hf.Periodic(share=0.3, every=2),
    "scheduled": hf.Scheduled(samples=(7, 100), fresh=(0, 10, 7)),
    "anchor": hf.Anchor.from_mapping({"here": 4}),
    "accumulate": hf.Accumulate(),
    "accumulate-subsample": hf.AccumulateSubsample(),
    "triggered": hf.Triggered(hf.Threshold(below=0.9, items=20)),
}


def test_every_regime_of_the_command_line_has_an_example_here():
    assert set(EXAMPLES) == set(regimes(Source("corpus.txt")))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("samples", [4, 5, 100, 1_000_000_007])
def test_every_training_set_has_its_size(name, samples):
    for generation in (1, 2, 10):
        mix = EXAMPLES[name].mix(generation, samples=samples)
        sizes = {"scheduled": 7 if generation == 1 else 100}
        assert mix.samples == sizes.get(name, samples)
        assert min(mix.generated, mix.fresh, mix.reserved) >= 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_description_begins_with_the_name(name):
    assert EXAMPLES[name].describe().partition(":")[0] == name
