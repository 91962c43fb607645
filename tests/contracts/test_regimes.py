"""One contract over every regime."""

import pytest

from hayflick.corpus.source import Source
from hayflick.regimes.accumulate import Accumulate, AccumulateSubsample
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.regime import regimes
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled
from hayflick.regimes.triggered import Threshold, Triggered

EXAMPLES = {
    "replace": Replace(),
    "fresh": Fresh(share=0.3),
    "periodic": Periodic(share=0.3, every=2),
    "scheduled": Scheduled(samples=(7, 100), fresh=(0, 10, 7)),
    "anchor": Anchor.from_mapping({"here": 4}),
    "accumulate": Accumulate(),
    "accumulate-subsample": AccumulateSubsample(),
    "triggered": Triggered(Threshold(below=0.9, items=20)),
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
