"""The share of runs in which a regime keeps enough of a target in every round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import silent
from hayflick.core.protocols import Regime
from hayflick.planning.confidence import (
    BOUND,
    BY_LAW,
    FEWEST_RUNS,
    FEWEST_SHARE_RUNS,
    LOOKS,
    Assurance,
    LawfulBounds,
    simulated_assurance,
)
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.targets import Target

DEFAULT_CONFIDENCE = 0.95
"""The share of runs that keep enough, where none is named."""

_TIGHT, _WIDE = 1e-3, 0.02


def assurance_of(
    target: Target,
    *,
    regime: Regime,
    samples: int,
    generations: int,
    keep: float,
    confidence: float = DEFAULT_CONFIDENCE,
    counted_from: int = 1,
    law: str = "auto",
    simulation: SimulationSettings | None = None,
    bounds: LawfulBounds | None = None,
    precisely: bool = False,
    searching: bool = False,
) -> Assurance | None:
    """Return the share of runs in which a regime keeps enough in every round.

    Parameters
    ----------
    target, regime, samples, generations
        What is kept, and what the rounds are trained on.
    keep
        The share that is to be left in every round from `counted_from` on.
    confidence
        The share of runs that is wanted: so many runs are simulated as show whether it is met.
    law, simulation
        As of `hayflick.planning.targets.SymbolTarget.retention`.
    bounds
        What is known by law; None to ask the target.
    precisely
        Whether the share itself is wanted, rather than on which side of the confidence it is.
    searching
        Whether the regime is one of many, so that fewer runs will do.

    Returns
    -------
    None where no law says anything, and nothing is to be simulated.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.targets import SymbolTarget
    >>> from hayflick.regimes.replace import Replace
    >>> labels = Discrete.from_counts({"R": 3000, "PG-13": 1500, "PG": 400, "NC-17": 16})
    >>> target = SymbolTarget.of_types(labels)
    >>> found = assurance_of(target, regime=Replace(), samples=4916, generations=50, keep=0.95)
    >>> round(found.confidence, 2), found.law
    (0.46, 'poisson-binomial')
    """
    if bounds is None:
        bounds = target.bounds(
            keep,
            regime=regime,
            samples=samples,
            generations=generations,
            counted_from=counted_from,
            law=law,
        )
    if bounds is not None and bounds.equal:
        return Assurance(bounds.low, BY_LAW)
    decided = bounds is not None and (bounds.low >= confidence or bounds.high < confidence - _WIDE)
    sizes: dict[str, Any] = {"samples": samples, "generations": generations}
    tight = bounds is not None and bounds.high - bounds.low < _TIGHT
    if not tight and (precisely or not decided) and simulation is not None:
        most = target.affordable_runs(regime, **sizes)
        if most >= (FEWEST_RUNS if bounds is None else FEWEST_SHARE_RUNS):
            quiet = replace(simulation, progress=silent)

            def runs_of(number: int, *, seed: int) -> Floats:
                runs = target.runs(
                    regime=regime,
                    replicates=number,
                    stages=Stages(),
                    simulation=replace(quiet, seed=seed),
                    **sizes,
                )
                return runs[:, counted_from:]

            return simulated_assurance(
                runs_of,
                keep=keep,
                confidence=confidence,
                most=most,
                seed=simulation.seed,
                fewest=LOOKS[1] if precisely else LOOKS[0],
                searching=searching,
            )
    return None if bounds is None else Assurance(bounds.low, BOUND)
