"""What one step of a size, a share or a stage of a round does to a design."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.progress import silent
from hayflick.planning.designs import DesignPoint
from hayflick.planning.retention import SimulatedRetention, SimulationSettings
from hayflick.planning.strategies import (
    AnchorStrategy,
    FreshStrategy,
    GrowingSizeStrategy,
    PeriodicStrategy,
    SingleStrategy,
    StoredStrategy,
    Strategy,
)
from hayflick.planning.targets import StageChange

STEP = 0.9
"""What a size or a share is multiplied by: one step for the worse."""


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What one step of a knob does.

    Parameters
    ----------
    name
        ``samples``, ``share``, ``stored``, ``period``, ``temperature``, ``accuracy`` (share
        of generated items whose label is right), ``noise`` (in standard deviations) or
        ``bits`` (of the grid that parameters are rounded to).
    value, moved
        The design's own value (None: not rounded, no noise), and the one for comparison.
    left, left_moved
        The lowest share that is left up to the horizon, with each.
    collapse, collapse_moved
        The round in which `left` is reached, with each; None where it is not, so that the
        step is for the better.
    standard_error
        Of `left_moved`; 0 for a law.
    method
        ``law`` or ``simulation``.
    """

    name: str
    value: float | None
    moved: float
    left: float
    left_moved: float
    collapse: float
    collapse_moved: float | None
    standard_error: float
    method: str

    @property
    def elasticity(self) -> float | None:
        """Relative change of the round of collapse per relative change of the knob."""
        if self.value is None or not self.collapse_moved or not self.collapse:
            return None
        return math.log(self.collapse_moved / self.collapse) / math.log(self.moved / self.value)


def collapse_round(left: Floats, limit: float) -> float | None:
    """Return where `left`, from generation 0 on, first falls below a limit; None if nowhere.

    Examples
    --------
    >>> collapse_round(np.array([1.0, 0.9, 0.7]), 0.85)
    1.25
    """
    below = np.flatnonzero(left < limit)
    if not below.size:
        return None
    last = int(below[0])
    if last == 0:
        return 0.0
    before, after = float(left[last - 1]), float(left[last])
    return round(last - 1 + (before - limit) / (before - after), 9)


def law_sensitivities(point: DesignPoint) -> tuple[Sensitivity, ...]:
    """Return the knobs that a law knows where the design has one: sizes, shares and periods.

    Where it has none, they are simulated with the design's own random numbers.
    """
    if isinstance(point.strategy, GrowingSizeStrategy):
        return ()
    own = point.retention.expected
    sensitivities = []
    for name, value, moved, strategy, number in _changes(point.strategy, point.number):
        left = strategy.retention(number)
        method = "law" if left.standard_error is None else "simulation"
        error = left.lowest_error
        sensitivities.append(
            _sensitivity(name, value, moved, own, left.expected, point, method, error)
        )
    return tuple(sensitivities)


def _sensitivity(
    name: str,
    value: float | None,
    moved: float,
    own: Floats,
    other: Floats,
    point: DesignPoint,
    method: str,
    error: float = 0.0,
) -> Sensitivity:
    first = point.retention.counted_from
    place = first + int(np.argmin(own[first:]))
    limit, lowest = float(own[place]), float(other[first:].min())
    # What is still to be recovered from is no collapse.
    start = first if first > 1 else 0
    reached = collapse_round(other[start:], limit)
    reached = None if reached is None or start + reached > place else start + reached
    return Sensitivity(name, value, moved, limit, lowest, float(place), reached, error, method)


def _changes(strategy: Strategy, number: int) -> Iterator[tuple[str, float, float, Strategy, int]]:
    """Yield a knob's name, value and moved value, and the design with it moved."""
    size = strategy.size(number)
    less = max(1, round(STEP * size))
    smaller = _resized(strategy, less)
    kept = isinstance(strategy, (StoredStrategy, SingleStrategy))
    scaled = number if kept else round(number * less / size)
    if not isinstance(strategy, StoredStrategy) or number <= less:
        yield "samples", size, less, smaller, scaled
    fewer = round(STEP * number)
    if isinstance(strategy, (FreshStrategy, PeriodicStrategy)) and fewer < number:
        yield "share", number / size, fewer / size, strategy, fewer
    if isinstance(strategy, StoredStrategy) and fewer < number:
        yield "stored", number, fewer, strategy, fewer
    if isinstance(strategy, PeriodicStrategy) and number:
        yield (
            "period",
            strategy.every,
            strategy.every + 1,
            replace(strategy, every=strategy.every + 1),
            number,
        )


def _resized(strategy: Strategy, samples: int) -> Strategy:
    problem = replace(strategy.problem, samples=samples)
    if isinstance(strategy, FreshStrategy):
        return replace(strategy, problem=problem, samples=samples)
    if isinstance(strategy, AnchorStrategy):
        return replace(strategy, problem=problem, ordered_by=strategy.stored)
    return replace(strategy, problem=problem)


def simulated_sensitivities(
    point: DesignPoint, simulation: SimulationSettings
) -> tuple[Sensitivity, ...]:
    """Return the knobs that no law knows: temperature, noise and rounding, as the goal has them.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    problem = point.strategy.problem
    if problem.elapsed is not None:
        return ()
    sensitivities, moves = [], problem.target.stage_changes(point.samples)
    for done, move in enumerate(moves):
        simulation.progress("moving knobs", done, len(moves))
        found = _with_stage(point, move, replace(simulation, progress=silent))
        first = point.retention.counted_from
        lowest = first + int(np.argmin(found.kept[first:]))
        error = float(found.standard_error[lowest])
        own = point.retention.expected
        changed = (move.name, move.value, move.moved)
        sensitivities.append(_sensitivity(*changed, own, found.kept, point, "simulation", error))
    if moves:
        simulation.progress("moving knobs", len(moves), len(moves))
    return tuple(sensitivities)


def _with_stage(
    point: DesignPoint, move: StageChange, simulation: SimulationSettings
) -> SimulatedRetention:
    problem = point.strategy.problem
    found = problem.target.simulated(
        regime=point.strategy.regime(point.number),
        samples=point.samples,
        generations=problem.generations,
        replicates=problem.target.stage_replicates(problem.generations),
        stages=move.stages,
        simulation=simulation,
    )
    if found is None:  # pragma: no cover - a goal without such runs has no such knobs
        raise AssertionError("runs of a goal with stages to move are measured")
    return found
