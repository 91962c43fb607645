"""What is kept, by simulation: the check on a law, and the answer where none is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.stages.record import Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import rounds_of
from hayflick.planning.goal import DIVERSITY, MUST_KEEP, Goal
from hayflick.planning.retention import Retention
from hayflick.simulate.simulation import simulate

_REST = "\N{REPLACEMENT CHARACTER} all others"
_NEVER_LOST = 1e-9


@dataclass(frozen=True, eq=False)
class Simulated:
    """What simulated runs keep, round by round.

    Parameters
    ----------
    mean, standard_error
        Over the runs, shape ``(K + 1,)``.
    replicates
        How many runs.
    """

    mean: Floats
    standard_error: Floats
    replicates: int

    @classmethod
    def of(cls, runs: Floats) -> Simulated:
        """Return the summary of runs, shape ``(replicates, K + 1)``; two at least."""
        error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
        return cls(runs.mean(axis=0), error, len(runs))

    def distance(self, law: Retention) -> float:
        """Return the distance from the law in the last round, in standard errors."""
        gap = abs(float(self.mean[-1] - law.expected[-1]))
        error = float(self.standard_error[-1])
        return gap / error if error else 0.0 if gap < 1e-9 else float("inf")


def simulated_retention(
    goal: Goal,
    *,
    regime: Regime,
    samples: int,
    generations: int,
    replicates: int,
    stages: Stages = Stages(),
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> Simulated | None:
    """Return what simulated runs keep of a goal.

    Types that are not listed are one type in the simulation of a must-keep list, which
    changes nothing for the listed ones: counts are a multinomial, and stay one.

    Returns
    -------
    None for a list with unequal weights, with smoothing or stages, or one that leaves so
    little beside it that the rest may be lost: such runs are not measured by list.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    listed = goal.kind == MUST_KEEP
    settings: dict[str, Any] = {
        "regime": regime,
        "samples": samples,
        "generations": generations,
        "replicates": replicates,
        "seed": seed,
        "threads": threads,
        "progress": progress,
    }
    if not listed:
        runs = simulate(goal.model, stages=stages, **settings)
        name = "diversity" if goal.kind == DIVERSITY else "surviving_fraction"
        values = runs[name].to_numpy()
        return Simulated.of(values / values[:, :1])
    model = None if stages.given() else _lumped(goal)
    if model is None or not _rest_stays(model, regime, samples, generations):
        return None
    rest = int(_REST in model.positions)
    left = simulate(model, **settings)["surviving_types"].to_numpy() - rest
    return Simulated.of(left / (model.types - rest))


def _lumped(goal: Goal) -> Discrete | None:
    """Return the listed types and one for all others; None where that is not the same."""
    if goal.listed is None or goal.listed_weights is None or np.ptp(goal.listed_weights):
        return None
    model = goal.model
    if model.smoothing.delta:
        return None
    symbols = tuple(model.symbols[place] for place in goal.listed)
    weights = model.weights[goal.listed]
    rest = model.weights.sum() - weights.sum()
    if goal.listed.size == model.types:
        return Discrete(symbols, weights, source=model.source)
    return Discrete((*symbols, _REST), np.append(weights, rest), source=model.source)


def _rest_stays(model: Discrete, regime: Regime, samples: int, generations: int) -> bool:
    if _REST not in model.positions:
        return True
    rounds = rounds_of(model, regime=regime, samples=samples, generations=generations)
    chance = model.probabilities[model.places_of([_REST])]
    return bool(Branching.of(rounds).present(chance).min() > 1.0 - _NEVER_LOST)
