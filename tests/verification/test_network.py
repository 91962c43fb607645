"""The exact law of a network of discrete chains against its simulation."""

import numpy as np
import pytest

from hayflick.chains.discrete import Discrete
from hayflick.laws.network import network_law
from hayflick.network.discrete_network import simulate_discrete_network
from hayflick.network.topology import parse_topology

MODEL = Discrete.zipf_mandelbrot(30, exponent=1.0)
SIGMAS = 4.0


@pytest.mark.parametrize("topology", ["complete", "ring:1", "blocks:count=2,bridges=1", "star"])
@pytest.mark.parametrize("real", ["none", "mixed"])
def test_law_and_simulation(topology, real):
    models = 6
    settings = {
        "reading": parse_topology(topology, agents=models).reading(itself=True),
        "samples": [20, 40, 20, 80, 40, 10] if real == "mixed" else 25,
        "real_shares": [0.0, 0.2, 0.05, 0.0, 0.1, 0.5] if real == "mixed" else 0.0,
        "generations": 60,
    }
    law = network_law(MODEL, **settings)
    runs = simulate_discrete_network(MODEL, replicates=480, seed=11, **settings)
    for name, expected in (("squared_distance", law.squared_distance), ("diversity", law.within)):
        values = runs[name].to_numpy()
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        at = [1, 3, 10, 30, 60]
        gap = np.abs(values.mean(axis=0) - expected)
        assert (gap[at] <= SIGMAS * error[at]).all(), (gap / error)[at]
