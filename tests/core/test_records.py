import hayflick as hf
from hayflick.core.records import Mix


def test_a_mix_adds_up():
    mix = Mix(generated=90, fresh=7, reserve=hf.Counts.from_mapping({"a": 2, "b": 1}))
    assert (mix.reserved, mix.samples) == (3, 100)
    assert Mix(generated=5).reserved == 0
