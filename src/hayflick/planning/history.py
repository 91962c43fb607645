"""Recorded runs: where they stand, and the problem from there on."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.protocols import Regime
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import frontier
from hayflick.planning.problem import ElapsedRounds, PlanningProblem
from hayflick.planning.search import reaches
from hayflick.planning.strategies import strategies_for
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.regime import parse_regime
from hayflick.regimes.replace import Replace

if TYPE_CHECKING:
    import xarray

_ROUNDS_TO_RECOVER = 10
_LONGEST = 4096
_WITHOUT_FILES = ("replace", "fresh", "periodic")


@dataclass(frozen=True, eq=False)
class History:
    """What a recorded run has kept.

    Parameters
    ----------
    name
        Where it was recorded.
    left
        Share of types that is left, the mean over the runs, shape ``(k + 1,)``.
    standard_error
        Of that mean; None for a single run.
    regime
        What each round was trained on; replace if the record names a file.
    samples
        Size of a training set.
    recorded_regime
        The regime as the record spells it.
    """

    name: str
    left: Floats
    standard_error: Floats | None
    regime: Regime
    samples: int
    recorded_regime: str

    @property
    def rounds(self) -> int:
        """How many rounds were recorded."""
        return self.left.size - 1

    @classmethod
    def of_runs(cls, runs: xarray.Dataset, *, model: Discrete, name: str = "history") -> History:
        """Return what runs of `hayflick.simulation` have kept.

        Raises
        ------
        DataError
            If they are no runs of the discrete family, or of other data than the model.
        """
        fraction = runs.get("surviving_fraction")
        if fraction is None or fraction.dims != ("replicate", "generation"):
            takes = "a NetCDF file of hayflick simulate discrete, with surviving_fraction"
            raise DataError(f"{name}: holds no share of types by round; takes {takes}")
        recorded = _recorded(runs, name)
        types = recorded["model"].get("types")
        if types != model.types:
            raise DataError(
                f"{name}: was recorded with {types} types, {model.source.name} has {model.types}; "
                "give the data that the run was started from"
            )
        values = fraction.to_numpy().astype(np.float64)
        several = len(values) > 1
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if several else None
        regime = recorded["regime"]
        samples = int(recorded["model"]["samples"])
        known = _regime(regime, model)
        return cls(name, values.mean(axis=0), error, known, samples, regime)

    def elapsed(self, model: Discrete, *, law: str = "auto") -> ElapsedRounds:
        """Return the rounds after which the law leaves what the record has left.

        That is the number of recorded rounds, if the record is as the law expects.
        """
        rounds = min(_LONGEST, max(2 * self.rounds, self.rounds + 50))
        kept = SymbolTarget.of_types(model).retention(
            generations=rounds, regime=self.regime, samples=self.samples, law=law
        )
        now = float(self.left[-1])
        expected = float(kept.expected[self.rounds])
        error = 0.0 if self.standard_error is None else float(self.standard_error[-1])
        if abs(expected - now) <= 4.0 * error + kept.error:
            return ElapsedRounds(self.regime, self.samples, self.rounds)
        nearest = int(np.argmin(np.abs(kept.expected - now)))
        return ElapsedRounds(self.regime, self.samples, nearest)


def read_history(path: str | os.PathLike[str], *, model: Discrete) -> History:
    """Return the history in a NetCDF file that ``hayflick simulate --out`` wrote.

    Raises
    ------
    DataError
        If it is missing, no such file, or of other data than the model.
    """
    import xarray

    path = Path(path)
    refuse_pipe(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file; check the path of the history")
    try:
        runs = xarray.open_dataset(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as fault:
        takes = "a NetCDF file of hayflick simulate"
        raise DataError(f"{path}: cannot be read as a history; takes {takes}") from fault
    with runs:
        return History.of_runs(runs, model=model, name=path.name)


def _recorded(runs: xarray.Dataset, name: str) -> dict[str, Any]:
    try:
        parameters = json.loads(runs.attrs["provenance"])["parameters"]
        model = dict(parameters["model"])
        known = {"model": model, "regime": str(parameters["regime"])}
        int(model["samples"])
    except (KeyError, TypeError, ValueError) as fault:
        takes = "a file that hayflick simulate wrote"
        raise DataError(f"{name}: does not say how it was made; takes {takes}") from fault
    return known


def _regime(text: str, model: Discrete) -> Regime:
    """Return a recorded regime; replace if it stores items or cannot be parsed."""
    if text.partition(":")[0] not in _WITHOUT_FILES:
        return Replace()
    try:
        return parse_regime(text, like=model.source)
    except HayflickError:
        return Replace()


@dataclass(frozen=True, eq=False)
class HistoryComparison:
    """A recorded history beside the plan that was made for it.

    Parameters
    ----------
    history
        What was recorded.
    planned
        What the design that was best from the start leaves in the same rounds; None if
        no design was enough.
    elapsed
        The state that the history has come to, as the law sees it.
    """

    history: History
    planned: Floats | None
    elapsed: ElapsedRounds


def resumed_problem(
    start: PlanningProblem, history: History, keep: float, costs: CostModel | None
) -> tuple[PlanningProblem, HistoryComparison]:
    """Return the problem from where a history stands, and how it compares with the plan.

    Below the target, it is to be reached within ten rounds.

    Raises
    ------
    ArgumentError
        If the history is as long as the horizon.
    """
    if history.rounds >= start.generations:
        takes = f"more than the {history.rounds} rounds of the history"
        raise ArgumentError("generations", got=start.generations, takes=takes)
    elapsed = history.elapsed(start.target.model, law=start.law)
    by_law = (strategy for strategy in strategies_for(start, costs) if strategy.by_law)
    sufficient = frontier(by_law, keep=keep, costs=costs).sufficient
    planned = sufficient[0].retention.expected[: history.rounds + 1] if sufficient else None
    onward = replace(start, generations=start.generations - history.rounds, elapsed=elapsed)
    present = float(onward.retention(Replace(), onward.samples).expected[0])
    if not reaches(present, keep):
        onward = replace(onward, counted_from=min(_ROUNDS_TO_RECOVER, onward.generations))
    return onward, HistoryComparison(history, planned, elapsed)
