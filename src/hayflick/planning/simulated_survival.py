"""Survival from simulated runs, for a trained model: it stands where a law stands otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray

from hayflick.chains.block_counts import count_classes
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD
from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Floats
from hayflick.core.protocols import Regime
from hayflick.laws.count_law import SIMULATED
from hayflick.laws.rounds import rounds_of
from hayflick.laws.survival import Survival, survival


def ideal_of(model: Discrete) -> Discrete:
    """Return the same data under an ideal trainer; a model without a resampler as it is."""
    trained = isinstance(model.estimator, Resampler)
    return model.with_estimator(MAXIMUM_LIKELIHOOD) if trained else model


@dataclass(frozen=True, eq=False)
class SimulatedChances:
    """The chance of symbols to be there, by their real probability, from simulated runs.

    Between the classes of counts that were simulated it is interpolated.

    Parameters
    ----------
    probabilities
        Of the classes, ascending, shape ``(classes,)``.
    chances
        Shape ``(classes, K + 1)``.
    """

    probabilities: Floats
    chances: Floats

    name: ClassVar[str] = SIMULATED

    def present(self, probabilities: Floats) -> Floats:
        """Return the chances of symbols of these probabilities, ``(symbols, K + 1)``."""
        nodes = np.log(self.probabilities)
        logs = np.log(probabilities)
        if nodes.size == 1:
            return np.repeat(self.chances, logs.size, axis=0)
        place = np.clip(np.searchsorted(nodes, logs) - 1, 0, nodes.size - 2)
        part = np.clip((logs - nodes[place]) / (nodes[place + 1] - nodes[place]), 0.0, 1.0)
        low, high = self.chances[place], self.chances[place + 1]
        found: Floats = low + part[:, None] * (high - low)
        return found

    def total(self, probabilities: Floats, weights: Floats) -> Floats:
        """Return the sum of the chances by weights, shape ``(K + 1,)``."""
        found: Floats = weights @ self.present(probabilities)
        return found

    def error(self, probabilities: Floats) -> Floats:
        """Return zeros: what runs lack in precision is their standard error."""
        return np.zeros(probabilities.size)


def simulated_survival(
    model: Discrete, runs: xarray.Dataset, *, regime: Regime, samples: int
) -> Survival:
    """Return survival as simulated runs show it, in place of a law.

    Parameters
    ----------
    model
        The real data's law, under a trained model.
    runs
        What `hayflick.simulate` returned.
    regime, samples
        What the rounds were trained on.
    """
    generations = runs.sizes["generation"] - 1
    ideal = ideal_of(model)
    settings: dict[str, Any] = {"regime": regime, "samples": samples, "generations": generations}
    rounds = rounds_of(ideal, **settings)
    counts = model.counts
    classes = count_classes(model.probabilities * samples if counts is None else counts)
    stored = np.bincount(classes.of_symbol[rounds.reserve > 0], minlength=classes.lower.size)
    free = classes.sizes - stored
    survivors = runs["class_survivors"].mean("replicate").to_numpy().T - stored[:, None]
    logs = np.bincount(classes.of_symbol, np.log(model.probabilities)) / classes.sizes
    some = free > 0
    chances = SimulatedChances(np.exp(logs[some]), survivors[some] / free[some, None])
    if not some.any():
        chances = SimulatedChances(np.ones(1), np.ones((1, generations + 1)))
    return Survival(
        model=model,
        rounds=rounds,
        law=chances,
        surviving_fraction=runs["surviving_fraction"].mean("replicate").to_numpy(),
        error=0.0,
        baseline=survival(ideal, law="branching", **settings).baseline,
    )
