import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.network.silo import em_step, near_agent, replace_farthest, simulate_silos


def reference_step(weights, texts, deviation):
    clipped = np.clip(weights, 1e-12, 1.0)
    clipped = clipped / clipped.sum()
    means = np.arange(1, len(weights) + 1)
    likelihood = np.exp(-0.5 * ((texts[:, None] - means) / deviation) ** 2)
    shares = clipped * likelihood
    return (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)


def test_a_step_by_hand(rng):
    # One text in the middle of two components with weights 1/4 and 3/4.
    assert_allclose(em_step(np.array([0.25, 0.75]), np.array([1.5]), 1.0), [0.25, 0.75])
    weights, texts = rng.dirichlet(np.ones(6)), 6 * rng.random(5)
    assert_allclose(em_step(weights, texts, 0.3), reference_step(weights, texts, 0.3))


def test_a_weight_of_nothing_can_come_back():
    new = em_step(np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 3.0]), 0.2)
    assert new[2] == pytest.approx(1 / 3, abs=1e-3)


def test_the_farthest_text_goes():
    texts = np.array([1.0, 4.0, 2.5])
    replace_farthest(texts, 3.9)
    assert texts.tolist() == [3.9, 4.0, 2.5]


def test_partners_are_the_nearest_and_ties_are_broken_at_random(rng):
    weights = np.array([[1.0, 0.0], [0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    assert {near_agent(rng, weights, 0, 1) for _ in range(50)} == {1}
    assert {near_agent(rng, weights, 0, 2) for _ in range(200)} == {1, 2}
    picks = np.bincount([near_agent(rng, np.eye(5), 2, 2) for _ in range(4000)], minlength=5)
    assert picks[2] == 0
    assert_allclose(picks[[0, 1, 3, 4]], 1000, atol=130)


def test_it_starts_with_a_silo_each():
    runs = simulate_silos(3, rounds=2, replicates=2, seed=1)
    assert (runs["silos"][:, 0] == 30).all()
    assert (runs["leader"][0, 0] == np.arange(30)).all()
    assert dict(runs.sizes) == {"replicate": 2, "generation": 3, "agent": 30}
    assert json.loads(runs.attrs["provenance"])["parameters"]["neighbours"] == 3


def test_asking_itself_alone_keeps_everyone_apart():
    runs = simulate_silos(29, itself=1.0, replicates=4, seed=1)
    assert (runs["silos"][:, -1] == 30).all()


def test_many_neighbours_end_as_one_silo_and_few_in_several():
    last = {k: simulate_silos(k, seed=1)["silos"][:, -1].to_numpy() for k in (1, 2, 5, 20)}
    assert np.mean(last[20] == 1) >= 0.9
    for k in (1, 2, 5):
        assert last[k].min() > 1
    assert last[1].mean() > last[2].mean() > last[5].mean()


@pytest.mark.parametrize(
    "change",
    [
        {"neighbours": 2},
        {"itself": 0.5},
        {"agents": 20},
        {"store": 3},
        {"deviation": 0.5},
        {"seed": 2},
    ],
)
def test_every_parameter_matters(change):
    settings = {"neighbours": 4, "rounds": 20, "replicates": 3, "seed": 1}
    before = simulate_silos(**settings)["silos"].to_numpy()
    assert (simulate_silos(**{**settings, **change})["silos"].to_numpy() != before).any()


def test_a_longer_run_begins_with_the_shorter():
    short = simulate_silos(4, rounds=5, replicates=1, seed=1)["leader"]
    long = simulate_silos(4, rounds=9, replicates=1, seed=1)["leader"]
    assert (long[:, :6] == short).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"neighbours": 30}, "neighbours: got 30, takes a whole number from 1 to 29"),
        ({"neighbours": 0}, "neighbours: got 0"),
        ({"agents": 1}, "agents: got 1"),
        ({"itself": 2.0}, "itself: got 2.0"),
        ({"store": 0}, "store: got 0"),
        ({"deviation": 0}, "deviation: got 0"),
        ({"rounds": 0}, "rounds: got 0"),
        ({"replicates": 0}, "replicates: got 0"),
    ],
)
def test_mistakes_are_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        simulate_silos(**{"neighbours": 3, **settings})
