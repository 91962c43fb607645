"""Networks of discrete chains: the exact law over its simulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.laws.network import network_law
from hayflick.network.discrete_network import simulate_discrete_network
from hayflick.network.topology import parse_topology
from hayflick.papers.figure import Figure, curves, mean_agreement

_AGENTS = 10


def network(name: str, topology: str, seed: int) -> Figure:
    """Return |D|_F of 10 models: a Zipf law of 50 symbols, n = 100, 2 % real, 200 rounds.

    Both curves are roots of means of |D|_F², over 200 runs and by the law.
    """
    settings: dict[str, Any] = {
        "reading": parse_topology(topology, agents=_AGENTS).reading(itself=True),
        "samples": 100,
        "real_shares": 0.02,
        "generations": 200,
    }
    model = Discrete.zipf_mandelbrot(50, exponent=1.0)
    runs = simulate_discrete_network(model, replicates=200, seed=seed, **settings)
    squares = runs["squared_distance"].to_numpy()
    law = network_law(model, **settings)
    return Figure(
        name=name,
        quantity="distance",
        curves=curves(simulated=np.sqrt(squares.mean(axis=0)), exact=np.sqrt(law.squared_distance)),
        runs=runs,
        agreement=mean_agreement(squares, law.squared_distance),
        paper="wang2025",
    )
