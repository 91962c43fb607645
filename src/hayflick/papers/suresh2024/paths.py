"""Single runs: how a chance and a spread wander into collapse."""

from __future__ import annotations

from typing import Any

import numpy as np

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.gaussian import Gaussian
from hayflick.core.arrays import Floats
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.papers.figure import (
    Figure,
    curves,
    mean_agreement,
    share_agreement,
    single_runs,
)
from hayflick.simulation.simulate import simulate

_RUNS = 25


def bernoulli_paths(seed: int) -> Figure:
    """Return 25 runs of a chance: n = 100, p_0 = .2, 600 rounds."""
    settings: dict[str, Any] = {"samples": 100, "generations": 600}
    runs = simulate(Bernoulli(0.2), replicates=_RUNS, seed=seed, **settings)
    values = runs["probability"].to_numpy()
    law = bernoulli_law(0.2, **settings)
    undecided = ((values > 0.0) & (values < 1.0)).mean(axis=0)
    return Figure(
        name="bernoulli-runs",
        quantity="probability",
        curves=single_runs(values),
        runs=runs,
        agreement=share_agreement(undecided, law.undecided, replicates=_RUNS),
    )


def gaussian_paths(seed: int) -> Figure:
    """Return 25 runs of a standard deviation: n = 100, 2500 rounds, with its law."""
    settings: dict[str, Any] = {"samples": 100, "generations": 2500}
    runs = simulate(Gaussian(0.0, 1.0), replicates=_RUNS, seed=seed, **settings)
    values = runs["deviation"].to_numpy()
    law = gaussian_scale(100, generations=2500)
    low, median, high = (np.exp(law.quantile(share) / 2.0) for share in (0.05, 0.5, 0.95))
    logs: Floats = 2.0 * np.log(values)
    drift: Floats = law.drift * np.arange(2501.0)
    return Figure(
        name="gaussian-runs",
        quantity="deviation",
        curves=single_runs(values).vstack(curves(median=median, low=low, high=high)),
        runs=runs,
        agreement=mean_agreement(logs, drift),
        logarithmic=True,
    )
