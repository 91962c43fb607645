"""What is kept, by simulation: the check on a law, and the answer where none is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.stages.record import Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Regime
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import rounds_of
from hayflick.planning.retention import SIMULATED, Retention
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import simulate

_REST = "\N{REPLACEMENT CHARACTER} all others"
_NEVER_LOST = 1e-9
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Simulated:
    """What simulated runs keep, round by round.

    Parameters
    ----------
    kept
        The mean or the median over the runs, shape ``(K + 1,)``.
    standard_error
        Of it, of the same shape.
    replicates
        How many runs.
    """

    kept: Floats
    standard_error: Floats
    replicates: int

    @classmethod
    def mean_of(cls, runs: Floats) -> Simulated:
        """Return the mean of runs, shape ``(replicates, K + 1)``; two at least."""
        error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
        return cls(runs.mean(axis=0), error, len(runs))

    @classmethod
    def median_of(cls, runs: Floats) -> Simulated:
        """Return the median of runs, its standard error from the ranks beside it.

        Half the distance between the values √R/2 ranks below and above the median.

        Examples
        --------
        >>> median = Simulated.median_of(np.arange(101.0)[:, None])
        >>> float(median.kept[0]), round(float(median.standard_error[0]), 2)
        (50.0, 4.98)
        """
        aside = 0.5 / np.sqrt(len(runs))
        low, middle, high = np.quantile(runs, (0.5 - aside, 0.5, 0.5 + aside), axis=0)
        return cls(middle, (high - low) / 2.0, len(runs))

    def distance(self, law: Retention) -> float | None:
        """Return the distance from the law in the last round, in standard errors.

        A law that is a lower bound is off by what it says it is off at most. None where all runs
        end alike, but not where the law says: they are too few to show a standard error.
        """
        kept, low = float(self.kept[-1]), float(law.expected[-1])
        gap = max(low - kept, kept - low - law.error, 0.0)
        error = float(self.standard_error[-1])
        if error:
            return gap / error
        return 0.0 if gap < _ROUNDING else None

    def retention(self, baseline: Floats) -> Retention:
        """Return the same as the answer where no law is known."""
        return Retention(
            self.kept,
            SIMULATED,
            0.0,
            baseline,
            standard_error=self.standard_error,
            runs=self.replicates,
        )


def simulated_variable(
    model: Discrete, name: str, *, stages: Stages = Stages(), **settings: Any
) -> Simulated:
    """Return what runs keep of a variable of `hayflick.simulation`, as a share of the start."""
    values = simulate(model, stages=stages, **settings)[name].to_numpy()
    return Simulated.mean_of(values / values[:, :1])


def simulated_list(
    model: Discrete, listed: Integers, weights: Floats, *, regime: Regime, **settings: Any
) -> Simulated | None:
    """Return what runs keep of listed types.

    Types that are not listed are one type in the simulation, which changes nothing for the
    listed ones: counts are a multinomial, and stay one.

    Returns
    -------
    None for unequal weights, with smoothing, or for a list that leaves so little beside it
    that the rest may be lost: such runs are not measured by list.
    """
    sizes = {"samples": settings["samples"], "generations": settings["generations"]}
    if not measured_by_list(model, listed, weights, regime=regime, **sizes):
        return None
    lumped = _lumped(model, listed)
    rest = int(_REST in lumped.positions)
    left = simulate(lumped, regime=regime, **settings)["surviving_types"].to_numpy() - rest
    return Simulated.mean_of(left / (lumped.types - rest))


def _lumped(model: Discrete, listed: Integers) -> Discrete:
    """Return the listed types, and one for all others if there are any."""
    symbols = tuple(model.symbols[place] for place in listed)
    weights = model.weights[listed]
    if listed.size == model.types:
        return Discrete(symbols, weights, source=model.source)
    rest = model.weights.sum() - weights.sum()
    return Discrete((*symbols, _REST), np.append(weights, rest), source=model.source)


def measured_by_list(
    model: Discrete,
    listed: Integers,
    weights: Floats,
    *,
    regime: Regime,
    samples: int,
    generations: int,
) -> bool:
    """Return whether `simulated_list` can tell what is kept of a list."""
    if np.ptp(weights) or model.smoothing.delta:
        return False
    lumped = _lumped(model, listed)
    if _REST not in lumped.positions:
        return True
    # What accumulates wanders less than what is replaced, so that nothing is lost sooner.
    own = Replace() if regime.mix(1, samples=samples).accumulate else regime
    rounds = rounds_of(lumped, regime=own, samples=samples, generations=generations)
    chance = lumped.probabilities[lumped.places_of([_REST])]
    return bool(Branching.of(rounds).present(chance).min() > 1.0 - _NEVER_LOST)
