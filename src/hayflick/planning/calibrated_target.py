"""The target of a plan for a trained model: what it keeps is simulated, as no law is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import silent
from hayflick.core.protocols import Regime
from hayflick.laws.survival import LAWS
from hayflick.planning.confidence import LawfulBounds
from hayflick.planning.retention import (
    Retention,
    SimulatedRetention,
    SimulationSettings,
    real_data_alone,
)
from hayflick.planning.targets import ACCUMULATING, DIVERSITY, StageChange, SymbolTarget
from hayflick.regimes.replace import Replace

_KINDS = ("replace", "fresh", "larger and fresh", "periodic", "anchor", "larger", "growing")

# Types, times rounds, times runs, that are drawn in about half a second; and how many runs.
_CELLS, _RUNS, _MEAN_RUNS = 1.6e7, (32, 4096), 256


def symbol_target(model: Discrete) -> type[SymbolTarget]:
    """Return the kind of target for a model: of a trained one, what is kept is simulated."""
    return CalibratedTarget if isinstance(model.estimator, Resampler) else SymbolTarget


@dataclass(frozen=True, eq=False)
class CalibratedTarget(SymbolTarget):
    """What is to be kept by a trained model, whose rounds are simulated.

    Designs share their random numbers: a run has the same trainer in all of them. Parameters are
    those of `hayflick.planning.targets.SymbolTarget`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> target = CalibratedTarget.of_types(words.with_estimator(Resampler(sharpening=1.1)))
    >>> target.retention(generations=3, simulation=SimulationSettings(seed=1)).law
    'simulated'
    """

    @property
    @override
    def without_law(self) -> frozenset[str]:
        return frozenset((*_KINDS, *ACCUMULATING))

    @override
    def retention(
        self,
        *,
        generations: int,
        regime: Regime = Replace(),
        samples: int | None = None,
        law: str = "auto",
        simulation: SimulationSettings | None = None,
    ) -> Retention:
        if law not in LAWS:
            raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
        if simulation is None:
            raise needs_runs()
        size = self.model.training_size(samples)
        settings: dict[str, Any] = {"samples": size, "generations": generations}
        runs = self.runs(
            regime=regime,
            replicates=min(self.affordable_runs(regime, **settings), _MEAN_RUNS),
            simulation=replace(simulation, progress=silent),
            **settings,
        )
        sizes = [regime.mix(k, samples=size).samples for k in range(1, generations + 1)]
        alone = 1.0 - 1.0 / np.array([np.inf, *sizes])
        if self.kind != DIVERSITY:
            alone = real_data_alone(self.groups, sizes)
        return SimulatedRetention.mean_of(runs).retention(alone)

    @override
    def affordable_runs(self, regime: Regime, *, samples: int, generations: int) -> int:
        """Return how many runs take about half a second, from 32 to 4,096."""
        cells = self.model.types * generations
        if regime.mix(1, samples=samples).subsample is not None:
            cells = (samples + self.model.types) * generations
        return int(np.clip(_CELLS // cells, *_RUNS))

    @override
    def bounds(
        self,
        keep: float,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        counted_from: int = 1,
        law: str = "auto",
    ) -> LawfulBounds | None:
        """Return None: no law is known."""
        return None

    @override
    def stage_changes(self, samples: int) -> tuple[StageChange, ...]:
        """Return the changes of a round that a trained model takes: all but rounding."""
        return tuple(one for one in super().stage_changes(samples) if one.stages.rounding is None)


def needs_runs() -> ArgumentError:
    """Return the error of a trained model that is not to be simulated."""
    takes = "at least 2 with a resampler: no law of a trained model is known"
    return ArgumentError("replicates", got=0, takes=takes)
