"""Theorems 1 to 4: simulation, law and bounds of the probability of not having collapsed."""

from __future__ import annotations

from typing import Any

import numpy as np

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.poisson import Poisson
from hayflick.chains.symmetric_mixture import SymmetricMixture
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.bounds import (
    chernoff_scale,
    theorem_1,
    theorem_2,
    theorem_3,
    theorem_3_sharp,
    theorem_4,
)
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.poisson import poisson_law
from hayflick.papers.figure import Figure, curves, share_agreement
from hayflick.simulation.simulate import simulate

_THRESHOLD = 0.1


def bernoulli_theorem(name: str, probability: float, samples: int, seed: int) -> Figure:
    """Return Theorem 1: 50 rounds, 5000 runs."""
    settings: dict[str, Any] = {"samples": samples, "generations": 50}
    runs = simulate(Bernoulli(probability), replicates=5000, seed=seed, **settings)
    found = (runs["probability"] > 0.0).mean("replicate").to_numpy()
    law = bernoulli_law(probability, **settings)
    bounds = theorem_1(probability, **settings)
    return Figure(
        name=name,
        quantity="present",
        curves=curves(
            simulated=found, lower=bounds.lower, upper=bounds.upper, **{law.name: law.present}
        ),
        runs=runs,
        agreement=share_agreement(found, law.present, replicates=5000),
    )


def poisson_theorem(name: str, rate: float, seed: int) -> Figure:
    """Return Theorem 2: n = 10, 500 rounds, 5000 runs."""
    settings: dict[str, Any] = {"samples": 10, "generations": 500}
    runs = simulate(Poisson(rate), replicates=5000, seed=seed, **settings)
    found = (runs["rate"] > 0.0).mean("replicate").to_numpy()
    law, bounds = poisson_law(rate, **settings), theorem_2(rate, **settings)
    return Figure(
        name=name,
        quantity="present",
        curves=curves(simulated=found, exact=law.present, lower=bounds.lower, upper=bounds.upper),
        runs=runs,
        agreement=share_agreement(found, law.present, replicates=5000),
    )


def gaussian_theorem(seed: int) -> Figure:
    """Return Theorem 3: n = 10, ε = .1, 200 rounds, 1000 runs."""
    settings: dict[str, Any] = {"samples": 10, "generations": 200}
    runs = simulate(Gaussian(0.0, 1.0), replicates=1000, seed=seed, **settings)
    found = (runs["deviation"] > _THRESHOLD).mean("replicate").to_numpy()
    law = gaussian_scale(10, generations=200).survival(2.0 * np.log(_THRESHOLD))
    return Figure(
        name="theorem-3",
        quantity="present",
        curves=curves(
            simulated=found,
            exact=law,
            upper=theorem_3(_THRESHOLD, **settings).upper,
            sharp=theorem_3_sharp(_THRESHOLD, **settings).upper,
            chernoff=chernoff_scale(_THRESHOLD, **settings).upper,
        ),
        runs=runs,
        agreement=share_agreement(found, law, replicates=1000),
    )


def mixture_theorem(seed: int) -> Figure:
    """Return Theorem 4: n = 10, μ_0 = σ_0 = 1, ε = .1, 200 rounds, 500 runs.

    No law is known; beside the paper's estimator stands the exact joint maximum.
    """
    settings: dict[str, Any] = {"samples": 10, "generations": 200}
    approximate, exact = (
        simulate(
            SymmetricMixture(1.0, 1.0, estimator=estimator), replicates=500, seed=seed, **settings
        )
        for estimator in ("approximate-joint-ml", "joint-ml")
    )
    found, of_exact = (
        (runs["deviation"] > _THRESHOLD).mean("replicate").to_numpy()
        for runs in (approximate, exact)
    )
    bound = theorem_4(_THRESHOLD, **settings).upper
    return Figure(
        name="theorem-4",
        quantity="present",
        curves=curves(simulated=found, joint=of_exact, upper=bound),
        runs=approximate,
        agreement=None,
    )
