"""One contract over every regime."""

import pytest
from example_chains import REGIMES

from hayflick.core.source import Source
from hayflick.regimes.regime import regimes


def test_every_regime_of_the_command_line_has_an_example_here():
    assert set(REGIMES) == set(regimes(Source("corpus.txt")))


@pytest.mark.parametrize("name", REGIMES)
@pytest.mark.parametrize("samples", [4, 5, 100, 1_000_000_007])
def test_every_training_set_has_its_size(name, samples):
    for generation in (1, 2, 10):
        mix = REGIMES[name].mix(generation, samples=samples)
        sizes = {"scheduled": 7 if generation == 1 else 100}
        assert mix.samples == sizes.get(name, samples)
        assert min(mix.generated, mix.fresh, mix.reserved) >= 0


@pytest.mark.parametrize("name", REGIMES)
def test_a_description_begins_with_the_name(name):
    assert REGIMES[name].describe().partition(":")[0] == name
