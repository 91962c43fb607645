"""What is kept in a cell: by a law where one is known, else in simulated runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.chains.symmetric_mixture import SymmetricMixture
from hayflick.core.arrays import Floats
from hayflick.core.protocols import ReactiveRegime, Recorded, Regime
from hayflick.core.records import Mix
from hayflick.laws.bernoulli import bernoulli_law
from hayflick.laws.count_law import SIMULATED
from hayflick.laws.survival import survival
from hayflick.planning.quantities import mean, quantiles
from hayflick.planning.retention import SimulatedRetention
from hayflick.planning.series_forecast import TrackedQuantities, tracked_quantities
from hayflick.planning.targets import SymbolTarget
from hayflick.sweeps.store import CellResult
from hayflick.sweeps.study import AUTO, QUICK


@dataclass(frozen=True, eq=False)
class LawfulRetention:
    """What is kept by law.

    Parameters
    ----------
    kept
        Shape ``(K + 1,)``.
    name
        The law: ``exact`` or ``branching``.
    error
        How far from the truth it can be.
    """

    kept: Floats
    name: str
    error: float


@dataclass(frozen=True, eq=False)
class KeptQuantity:
    """What a cell's ``kept`` is, in one family.

    Parameters
    ----------
    name
        Such as ``types`` (the share of types that are left) or ``spread`` (of the real spread).
    of_runs
        Its values, shape ``(replicates, K + 1)``, from what a simulation measured, by name.
    is_median
        Whether the median over the runs counts, else their mean.
    has_law
        Whether a law is known for a ``regime`` and ``samples``.
    by_law
        Returns it, from ``regime``, ``samples``, ``generations`` and ``law``.
    """

    name: str
    of_runs: Callable[[Recorded], Floats]
    is_median: bool
    has_law: Callable[[Regime, int], bool]
    by_law: Callable[..., LawfulRetention]

    def result(self, runs: Floats) -> CellResult:
        """Return what is kept over runs, with standard errors unless it is a single one."""
        if len(runs) == 1:
            return CellResult(self.name, SIMULATED, runs[0], None, 0.0, 1)
        of = SimulatedRetention.median_of if self.is_median else SimulatedRetention.mean_of
        found = of(runs)
        return CellResult(self.name, SIMULATED, found.kept, found.standard_error, 0.0, len(runs))


def kept_quantity(model: Any) -> KeptQuantity:
    """Return what is kept in a model's family: what a forecast judges by.

    Of a Bernoulli probability it is the share of runs in which both symbols are left, of a
    symmetric mixture its spread.

    Examples
    --------
    >>> quantity = kept_quantity(Discrete.zipf_mandelbrot(100, exponent=1.0))
    >>> quantity.name
    'types'
    """
    if isinstance(model, Discrete):
        smooths = isinstance(model.estimator, AddDelta)
        return KeptQuantity(
            "types",
            _variable("surviving_fraction"),
            is_median=False,
            has_law=lambda regime, samples: smooths and _one_reserve(regime, samples),
            by_law=partial(_law_of_types, model),
        )
    if isinstance(model, Bernoulli):
        ideal = isinstance(model.estimator, AddDelta) and not model.estimator.delta
        return KeptQuantity(
            "both_symbols",
            _both,
            is_median=False,
            has_law=lambda regime, samples: ideal and _fresh_items(regime, samples) == 0,
            by_law=partial(_law_of_both, model),
        )
    if isinstance(model, SymmetricMixture):
        real = float(np.hypot(model.mean, model.deviation))
        spread = partial(_spread_of_mixture, real=real)
        return KeptQuantity("spread", spread, is_median=True, has_law=_never, by_law=_no_law)
    tracked = tracked_quantities(model)
    first = tracked.quantities[0]
    if first.summary not in (mean, quantiles):
        raise TypeError(f"no standard error is known of {first.name}")
    return KeptQuantity(
        first.name,
        lambda recorded: first.of_runs(_as_runs(recorded)),
        is_median=first.summary is quantiles,
        has_law=partial(_has_tracked_law, tracked),
        by_law=partial(_law_of_tracked, tracked),
    )


def _first_mix(regime: Regime, samples: int) -> Mix[Any] | None:
    """Return the first round's training set; None where rounds react, or keep earlier ones."""
    if isinstance(regime, ReactiveRegime):
        return None
    mix = regime.mix(1, samples=samples)
    return None if mix.accumulate else mix


def _fresh_items(regime: Regime, samples: int) -> int | None:
    """Return the fresh items of every round; None where rounds differ, or hold other real data."""
    mix = _first_mix(regime, samples)
    return None if mix is None or not regime.constant or mix.reserve is not None else mix.fresh


def _one_reserve(regime: Regime, samples: int) -> bool:
    """Return whether rounds keep nothing of earlier ones, and hold the same stored items."""
    first = _first_mix(regime, samples)
    return first is not None and regime.mix(2, samples=samples).reserve is first.reserve


def _law_of_types(
    model: Discrete, *, regime: Regime, samples: int, generations: int, law: str
) -> LawfulRetention:
    rounds: dict[str, Any] = {"regime": regime, "samples": samples, "generations": generations}
    if law == AUTO:
        survived = survival(model, **rounds)
        return LawfulRetention(survived.surviving_fraction, survived.name, survived.error)
    law = AUTO if law == QUICK else law
    found = SymbolTarget.of_types(model).retention(law=law, **rounds)
    return LawfulRetention(found.expected, found.law, found.error)


def _law_of_both(
    model: Bernoulli,
    *,
    regime: Regime,  # noqa: ARG001
    samples: int,
    generations: int,
    law: str,
) -> LawfulRetention:
    law = AUTO if law == QUICK else law
    found = bernoulli_law(model.probability, samples=samples, generations=generations, law=law)
    return LawfulRetention(found.polymorphic, found.name, found.error)


def _has_tracked_law(tracked: TrackedQuantities, regime: Regime, samples: int) -> bool:
    fresh = _fresh_items(regime, samples)
    if fresh is None:
        return False
    return tracked.quantities[0].name in tracked.laws(samples=samples, fresh=fresh, generations=1)


def _law_of_tracked(
    tracked: TrackedQuantities,
    *,
    regime: Regime,
    samples: int,
    generations: int,
    law: str,  # noqa: ARG001 (there is one)
) -> LawfulRetention:
    fresh = _fresh_items(regime, samples)
    laws = tracked.laws(samples=samples, fresh=fresh, generations=generations)
    return LawfulRetention(laws[tracked.quantities[0].name].middle, "exact", 0.0)


def _never(regime: Regime, samples: int) -> bool:  # noqa: ARG001
    return False


def _no_law(**_: Any) -> LawfulRetention:
    raise LookupError("no law is known")


def _variable(name: str) -> Callable[[Recorded], Floats]:
    def read(recorded: Recorded) -> Floats:
        return np.asarray(recorded[name], dtype=np.float64)

    return read


def _both(recorded: Recorded) -> Floats:
    chance = recorded["probability"]
    return ((chance > 0.0) & (chance < 1.0)).astype(np.float64)


def _spread_of_mixture(recorded: Recorded, *, real: float) -> Floats:
    return np.asarray(np.hypot(recorded["mean"], recorded["deviation"]) / real)


def _as_runs(recorded: Mapping[str, Any]) -> Any:
    """Return what was measured in every generation as the Dataset that a simulation returns."""
    import xarray

    dimensions = ("replicate", "generation")
    variables = {
        name: (dimensions, values) for name, values in recorded.items() if values.ndim == 2
    }
    return xarray.Dataset(variables)
