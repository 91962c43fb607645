import itertools

import numpy as np
import pytest

from hayflick.core.errors import ArgumentError
from hayflick.network.mitigation import expected_components, surrogate_mitigation


def shown_by_counting(weights, each):
    """Return the expected share of components, over every way in which points can fall."""
    agents, components = weights.shape
    expected = 0.0
    for fallen in itertools.product(range(components), repeat=agents * each):
        chance = np.prod([weights[place // each, which] for place, which in enumerate(fallen)])
        expected += chance * len(set(fallen)) / components
    return expected


def test_the_share_of_components_is_that_of_all_ways_in_which_points_fall():
    weights = np.array([[0.6, 0.3, 0.1], [0.2, 0.0, 0.8]])
    for each in (1, 2, 3):
        found = expected_components(weights, points=2 * each)
        assert found == pytest.approx(shown_by_counting(weights, each))
    several = np.stack([weights, weights[:, ::-1] ** 0 / 3.0])
    alone = [expected_components(one, points=4) for one in several]
    assert expected_components(several, points=4) == pytest.approx(np.mean(alone))


@pytest.fixture(scope="module")
def cases():
    return surrogate_mitigation(topologies=("complete", "blocks:count=2"), replicates=10)


def picked(cases, **settings):
    (case,) = [c for c in cases if all(getattr(c, key) == v for key, v in settings.items())]
    return case


def test_real_points_keep_components(cases):
    for models, topology in itertools.product((4, 8), ("complete", "blocks:count=2")):
        row = [c.kept for c in cases if (c.models, c.topology) == (models, topology)]
        assert len(row) == 4
        assert row == sorted(row)
        assert row[0] < 0.7 < 0.95 < row[-1]


def test_agents_that_all_read_the_same_are_at_the_floor_and_parts_are_not(cases):
    for models in (4, 8):
        for injected in (0, 9):
            same = picked(cases, models=models, injected=injected, topology="complete")
            parts = picked(cases, models=models, injected=injected, topology="blocks:count=2")
            assert same.apart == pytest.approx(1.0, abs=0.05)
            assert parts.apart > 1.1
    free = picked(cases, models=4, injected=0, topology="blocks:count=2")
    fed = picked(cases, models=4, injected=9, topology="blocks:count=2")
    assert fed.apart < free.apart


def test_the_seed_and_a_single_agent():
    settings = {"topologies": ("complete",), "injections": (1,), "models": (1,), "replicates": 2}
    (first,) = surrogate_mitigation(**settings)
    assert surrogate_mitigation(**settings) == (first,)
    assert surrogate_mitigation(**settings, seed=2) != (first,)
    assert first.apart is None
    assert first.texts == 60


def test_mistakes_are_refused_and_progress_is_told():
    with pytest.raises(ArgumentError, match="models: got 0"):
        surrogate_mitigation(models=(0,))
    told = []
    surrogate_mitigation(
        topologies=("complete",),
        injections=(0,),
        models=(2,),
        replicates=1,
        progress=lambda *step: told.append(step),
    )
    assert told == [("mixtures", 0, 1), ("mixtures", 1, 1)]
