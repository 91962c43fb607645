import numpy as np
import pytest

from hayflick.rules.e_bh import e_bh


def by_definition(evidence, level):
    """The definition, word by word."""
    streams, best = len(evidence), 0
    for k in range(1, streams + 1):
        if sorted(evidence.values(), reverse=True)[k - 1] >= streams / (level * k):
            best = k
    return frozenset(sorted(evidence, key=lambda name: -evidence[name])[:best])


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_it_is_the_definition(level):
    rng = np.random.default_rng(3)
    for _ in range(50):
        evidence = dict(enumerate(np.exp(rng.normal(2.0, 3.0, 9))))
        assert e_bh(evidence, false_discoveries=level) == by_definition(evidence, level)


def test_a_stream_alone_needs_one_over_the_level():
    assert e_bh({"a": 10.0}, false_discoveries=0.1) == {"a"}
    assert e_bh({"a": 9.9}, false_discoveries=0.1) == frozenset()
    assert e_bh({}, false_discoveries=0.1) == frozenset()


def test_false_discoveries_are_rare_among_dependent_streams():
    # One exponential bet on one common coin: the extreme of dependence.
    rng, level, false = np.random.default_rng(1), 0.1, []
    for _ in range(4000):
        common = rng.random() < 0.02
        evidence = {f"h{i}": 50.0 if common else 0.0 for i in range(8)}
        evidence |= {f"s{i}": 1e6 for i in range(2)}
        found = e_bh(evidence, false_discoveries=level)
        false.append(sum(name.startswith("h") for name in found) / max(1, len(found)))
    assert np.mean(false) <= level
