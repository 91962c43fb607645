"""What all parts of a plan share: the goal, the horizon, the size of a training set."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.laws.survival import LAWS
from hayflick.planning.retention import Retention, SimulationSettings
from hayflick.planning.targets import (
    DIVERSITY,
    MUST_KEEP,
    TYPES,
    VARIANCE,
    SymbolTarget,
    Target,
)
from hayflick.planning.variance_target import VarianceTarget
from hayflick.regimes.regime import parse_regime
from hayflick.regimes.replace import Replace

if TYPE_CHECKING:
    import xarray


@dataclass(frozen=True, slots=True)
class ElapsedRounds:
    """Rounds that have gone by.

    Parameters
    ----------
    regime, samples
        What each was trained on, and on how many items.
    rounds
        How many.
    """

    regime: Regime
    samples: int
    rounds: int


@final
@dataclass(frozen=True, slots=True)
class ResumedRegime:
    """A regime that follows on what has gone by.

    Parameters
    ----------
    elapsed
        The rounds before.
    regime
        The one from then on, whose rounds count from 1.

    Examples
    --------
    >>> from hayflick.regimes.fresh import Fresh
    >>> from hayflick.regimes.replace import Replace
    >>> regime = ResumedRegime(ElapsedRounds(Replace(), 100, 5), Fresh(0.2))
    >>> [regime.mix(generation, samples=100).fresh for generation in (1, 5, 6)]
    [0, 0, 20]
    """

    elapsed: ElapsedRounds
    regime: Regime

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of a generation."""
        if generation <= self.elapsed.rounds:
            return self.elapsed.regime.mix(generation, samples=self.elapsed.samples)
        return self.regime.mix(generation - self.elapsed.rounds, samples=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return False

    def describe(self) -> str:
        """Return the regimes in the grammar of the command line, one after the other."""
        first = self.elapsed.rounds + 1
        return f"{self.elapsed.regime.describe()}, from round {first} {self.regime.describe()}"


OBJECTIVES = (TYPES, MUST_KEEP, DIVERSITY, VARIANCE)
"""What a plan can keep."""


@dataclass(frozen=True, eq=False)
class PlanningProblem:
    """What all ways have in common.

    Parameters
    ----------
    target
        What is to be kept.
    generations, samples
        How many rounds, and the size of a training set.
    law
        As of `hayflick.planning.targets.SymbolTarget.retention`.
    elapsed
        What has gone by already; None for nothing.
    counted_from
        The first round that a target is held to: later than 1 where it must be reached again.
    simulation
        Leave to simulate what no law gives; None for laws alone.
    """

    target: Target
    generations: int
    samples: int
    law: str = "auto"
    elapsed: ElapsedRounds | None = None
    counted_from: int = 1
    simulation: SimulationSettings | None = None

    def retention(self, regime: Regime, samples: int) -> Retention:
        """Return what a regime keeps at a size of training set, from now on."""
        elapsed = self.elapsed
        kept = self.target.retention(
            regime=regime if elapsed is None else ResumedRegime(elapsed, regime),
            samples=samples,
            generations=self.generations + (0 if elapsed is None else elapsed.rounds),
            law=self.law,
            simulation=self.simulation,
        )
        return self.from_now(kept)

    def from_now(self, kept: Retention) -> Retention:
        """Return what is kept in the rounds that are still to come."""
        gone = 0 if self.elapsed is None else self.elapsed.rounds
        return kept.after(gone, counted_from=self.counted_from)


def planning_problem(
    model: Discrete | Gaussian | Target,
    *,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    of: str | None = None,
    law: str = "auto",
    simulation: SimulationSettings | None = None,
) -> PlanningProblem:
    """Return the setting of a plan, every argument checked before any work.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    generations, samples
        How many rounds, and the size of a training set; the data's own where None.
    must_keep
        Types to keep, alike or with a weight each; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``, by whether there is a list where None;
        ``variance`` for a Gaussian law.
    law
        ``auto``, ``exact`` or ``branching``.
    simulation
        Leave to simulate what no law gives; None for laws alone.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If the data lack a listed type.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> problem = planning_problem(words, generations=10, must_keep=["here"])
    >>> problem.target.kind, problem.samples
    ('must-keep', 100)
    """
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    target = _target(model, must_keep, of) if isinstance(model, (Discrete, Gaussian)) else model
    return PlanningProblem(
        target, rounds, target.model.training_size(samples), law, simulation=simulation
    )


def check_target(keep: float) -> float:
    """Return the share to keep.

    Raises
    ------
    ArgumentError
        If it is no number above 0 and up to 1.
    """
    takes = "a share above 0, up to 1"
    try:
        share = float(keep)
    except (TypeError, ValueError):
        raise ArgumentError("keep", got=keep, takes=takes) from None
    if not 0.0 < share <= 1.0:
        raise ArgumentError("keep", got=keep, takes=takes)
    return share


def _target(
    model: Discrete | Gaussian,
    must_keep: Sequence[str] | Mapping[str, float] | None,
    of: str | None,
) -> Target:
    kind = of or _usual_kind(model, must_keep)
    if kind == TYPES and must_keep is not None:
        kind = MUST_KEEP
    if kind not in OBJECTIVES:
        raise ArgumentError("of", got=kind, takes=f"one of {', '.join(OBJECTIVES)}")
    if (kind == MUST_KEEP) != (must_keep is not None):
        raise ArgumentError("of", got=kind, takes="must-keep with a list, and no other with one")
    if isinstance(model, Gaussian) != (kind == VARIANCE):
        takes = "variance for numbers, and for labels or words one of the others"
        raise ArgumentError("of", got=kind, takes=takes)
    if isinstance(model, Gaussian):
        return VarianceTarget(model)
    if must_keep is not None:
        return SymbolTarget.of_list(model, must_keep)
    return SymbolTarget.of_types(model) if kind == TYPES else SymbolTarget.of_diversity(model)


def _usual_kind(
    model: Discrete | Gaussian, must_keep: Sequence[str] | Mapping[str, float] | None
) -> str:
    if must_keep is not None:
        return MUST_KEEP
    return VARIANCE if isinstance(model, Gaussian) else TYPES


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
        What each round was trained on; replace where the record names a file.
    samples
        Size of a training set.
    recorded_regime
        The regime as it was recorded.
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
            generations=rounds,
            regime=self.regime,
            samples=self.samples,
            law=law,
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
        raise DataError(f"{name}: says not how it was made; takes {takes}") from fault
    return known


def _regime(text: str, model: Discrete) -> Regime:
    """Return a recorded regime; replace for one that stores items or is not in the grammar."""
    if text.partition(":")[0] not in _WITHOUT_FILES:
        return Replace()
    try:
        return parse_regime(text, like=model.source)
    except HayflickError:
        return Replace()
