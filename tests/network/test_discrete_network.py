import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError
from hayflick.network.discrete_network import simulate_discrete_network

MODEL = Discrete.from_counts({"a": 5, "b": 3, "c": 2})
SETTINGS = {"reading": [[0.5, 0.5], [0.0, 1.0]], "generations": 4, "samples": 6, "seed": 3}


def test_it_starts_at_the_real_law_and_has_its_shape():
    runs = simulate_discrete_network(MODEL, replicates=40, **SETTINGS)
    assert dict(runs.sizes) == {"replicate": 40, "generation": 5, "agent": 2}
    assert_allclose(runs["diversity"][:, 0], 0.62)
    assert_allclose(runs["squared_distance"][:, 0], 0.0)
    assert json.loads(runs.attrs["provenance"])["seed"] == 3


def test_a_longer_run_begins_with_the_shorter_and_more_runs_with_fewer():
    few = simulate_discrete_network(MODEL, replicates=32, **SETTINGS)
    many = simulate_discrete_network(MODEL, replicates=70, **SETTINGS)
    long = simulate_discrete_network(MODEL, replicates=32, **{**SETTINGS, "generations": 9})
    assert few.equals(many.isel(replicate=slice(0, 32)))
    assert few.equals(long.isel(generation=slice(0, 5)))
    other = simulate_discrete_network(MODEL, replicates=32, **{**SETTINGS, "seed": 4})
    assert not few["diversity"].equals(other["diversity"])


def test_the_distance_is_that_of_the_matrix_of_all_pairs():
    # One draw each: the models are single symbols, |p_i - p_j|² is 0 or 2.
    runs = simulate_discrete_network(
        MODEL, reading=np.eye(3), samples=1, generations=1, replicates=64, seed=1
    )
    assert set(runs["squared_distance"][:, 1].to_numpy().round(9)) == {0.0, 8.0, 12.0}
    assert_allclose(runs["diversity"][:, 1], 0.0, atol=1e-12)


def test_real_data_alone_come_back_to_the_real_law():
    runs = simulate_discrete_network(
        MODEL,
        reading=np.eye(1),
        samples=10**7,
        real_shares=1.0,
        generations=2,
        replicates=2,
        seed=1,
    )
    assert_allclose(runs["diversity"], 0.62, atol=1e-3)


def test_mistakes_are_refused():
    with pytest.raises(ArgumentError, match="reading: got a row"):
        simulate_discrete_network(MODEL, **{**SETTINGS, "reading": [[2.0]]})
    with pytest.raises(ArgumentError, match="replicates: got 0"):
        simulate_discrete_network(MODEL, replicates=0, **SETTINGS)
