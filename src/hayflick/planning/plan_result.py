"""A plan: the recommended design, what it costs, how safe it is and what would change it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.display import Displayed
from hayflick.core.progress import silent
from hayflick.core.provenance import provenance
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import Design, DesignPoint, Frontier
from hayflick.planning.problem import ElapsedRounds, History, PlanningProblem
from hayflick.planning.retention import SimulatedRetention, SimulationSettings
from hayflick.planning.search import reaches
from hayflick.planning.sizing import FreshShare, Inspection, Recovery
from hayflick.planning.strategies import (
    AnchorStrategy,
    FreshStrategy,
    GrowingSizeStrategy,
    PeriodicStrategy,
    SingleStrategy,
    StoredStrategy,
    Strategy,
)
from hayflick.planning.targets import StageChange, Target

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
    if isinstance(point.way, GrowingSizeStrategy):
        return ()
    own = point.retention.expected
    knobs = []
    for name, value, moved, way, number in _moves(point.way, point.number):
        left = way.retention(number)
        method = "law" if left.standard_error is None else "simulation"
        error = left.lowest_error
        knobs.append(_knob(name, value, moved, own, left.expected, point, method, error))
    return tuple(knobs)


def _knob(
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


def _moves(way: Strategy, number: int) -> Iterator[tuple[str, float, float, Strategy, int]]:
    """Yield a knob's name, value and moved value, and the design with it moved."""
    size = way.size(number)
    less = max(1, round(STEP * size))
    smaller = _resized(way, less)
    kept = isinstance(way, (StoredStrategy, SingleStrategy))
    scaled = number if kept else round(number * less / size)
    if not isinstance(way, StoredStrategy) or number <= less:
        yield "samples", size, less, smaller, scaled
    fewer = round(STEP * number)
    if isinstance(way, (FreshStrategy, PeriodicStrategy)) and fewer < number:
        yield "share", number / size, fewer / size, way, fewer
    if isinstance(way, StoredStrategy) and fewer < number:
        yield "stored", number, fewer, way, fewer
    if isinstance(way, PeriodicStrategy) and number:
        yield "period", way.every, way.every + 1, replace(way, every=way.every + 1), number


def _resized(way: Strategy, samples: int) -> Strategy:
    setting = replace(way.setting, samples=samples)
    if isinstance(way, FreshStrategy):
        return replace(way, setting=setting, samples=samples)
    if isinstance(way, AnchorStrategy):
        return replace(way, setting=setting, ordered_by=way.stored)
    return replace(way, setting=setting)


def simulated_sensitivities(
    point: DesignPoint, runs: SimulationSettings
) -> tuple[Sensitivity, ...]:
    """Return the knobs that no law knows: temperature, noise and rounding, as the goal has them.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    setting = point.way.setting
    if setting.past is not None:
        return ()
    knobs, moves = [], setting.goal.stage_moves(point.samples)
    for done, move in enumerate(moves):
        runs.progress("moving knobs", done, len(moves))
        found = _moved_runs(point, move, replace(runs, progress=silent))
        first = point.retention.counted_from
        lowest = first + int(np.argmin(found.kept[first:]))
        error = float(found.standard_error[lowest])
        own = point.retention.expected
        changed = (move.name, move.value, move.moved)
        knobs.append(_knob(*changed, own, found.kept, point, "simulation", error))
    if moves:
        runs.progress("moving knobs", len(moves), len(moves))
    return tuple(knobs)


def _moved_runs(
    point: DesignPoint, move: StageChange, runs: SimulationSettings
) -> SimulatedRetention:
    setting = point.way.setting
    found = setting.goal.simulated(
        regime=point.way.regime(point.number),
        samples=point.samples,
        generations=setting.generations,
        replicates=setting.goal.moved_replicates(setting.generations),
        stages=move.stages,
        runs=runs,
    )
    if found is None:  # pragma: no cover - a goal without such runs has no such knobs
        raise AssertionError("runs of a goal with stages to move are measured")
    return found


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the recommended design is ahead.

    Parameters
    ----------
    price
        What the runner-up costs more per round (real items where nothing has a price).
    share
        The same as a share of the runner-up's price.
    retention
        What the recommended design keeps above the target.
    """

    price: float
    share: float
    retention: float


@dataclass(frozen=True, eq=False)
class HistoryComparison:
    """A recorded history beside the plan that was made for it.

    Parameters
    ----------
    history
        What was recorded.
    planned
        What the design that was best from the start leaves in the same rounds; None where
        no design was enough.
    past
        The state that the history has come to, as the law sees it.
    """

    history: History
    planned: Floats | None
    past: ElapsedRounds


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan(Displayed):
    """What to do, and why; draws itself in a notebook.

    Parameters
    ----------
    setting, keep, costs
        What was asked: goal, horizon and size; the target; prices, or None.
    reason
        Why fresh draws alone, or all designs, are not enough; empty where they are.
    designs
        Those that keep enough, the recommended one first: the cheapest of each kind. Where
        none does, those that come closest.
    frontier
        All that was looked at, and what nothing beats.
    fresh
        The answer for fresh draws alone, and the anchor that is proposed instead; None where
        no law gives it and nothing was to be simulated.
    left_out
        Kinds of design that were not looked at: no law is known for them, and they were not
        to be simulated, or cannot be.
    step_in
        First round below the target if no real data is used; None if there is none.
    ways_back
        The cheapest way back by fresh draws, for several delays after `step_in`.
    inspection
        How often to look; None without prices of a check and of loss.
    knobs
        What one step of each knob does to the recommended design.
    simulated
        The recommended design by simulation; None if that was not asked for or not possible.
    comparison
        The recorded history; None for none.
    seed
        Of the simulations.
    interrupted
        Whether a simulation was cut short.
    """

    setting: PlanningProblem
    keep: float
    costs: CostModel | None
    reason: str
    designs: tuple[Design, ...]
    frontier: Frontier
    fresh: FreshShare | None
    step_in: int | None
    ways_back: tuple[Recovery, ...]
    left_out: tuple[str, ...] = ()
    inspection: Inspection | None = None
    knobs: tuple[Sensitivity, ...] = ()
    simulated: SimulatedRetention | None = None
    comparison: HistoryComparison | None = None
    seed: int = 1
    interrupted: bool = False

    @property
    def goal(self) -> Target:
        """What is to be kept."""
        return self.setting.goal

    @property
    def feasible(self) -> bool:
        """Whether any design keeps enough."""
        return bool(self.designs) and reaches(self.designs[0].retention.assured, self.keep)

    @property
    def best(self) -> Design | None:
        """The recommended design; None where none keeps enough."""
        return self.designs[0] if self.feasible else None

    @property
    def runner_up(self) -> Design | None:
        """The next design that keeps enough; None if there is none."""
        return self.designs[1] if self.feasible and len(self.designs) > 1 else None

    @property
    def margin(self) -> Margin | None:
        """How far the recommended design is ahead; None without a runner-up."""
        best, second = self.best, self.runner_up
        if best is None or second is None:
            return None
        price = self.price(second) - self.price(best)
        share = price / self.price(second) if self.price(second) else 0.0
        return Margin(price, share, best.lowest - self.keep)

    @property
    def break_even(self) -> dict[str, float]:
        """The value of each price at which best and runner-up would cost the same."""
        best, second = self.best, self.runner_up
        if best is None or second is None or self.costs is None:
            return {}
        return self.costs.break_even(best.usage, second.usage)

    @property
    def other_targets(self) -> tuple[tuple[str, float], ...]:
        """The kinds of design that are cheapest for other targets, each up to which one.

        In ascending order of the target, as far as the designs that were looked at show.
        """
        kinds: list[tuple[str, float]] = []
        for point in self.frontier.best:
            if kinds and kinds[-1][0] == point.kind:
                kinds.pop()
            kinds.append((point.kind, point.retention.lowest))
        return tuple(kinds)

    def price(self, design: Design) -> float:
        """Return what designs are ranked by: cost, without prices real items, per round."""
        return design.real_per_round if design.cost_per_round is None else design.cost_per_round

    def forgotten(self, design: Design) -> float:
        """Return the weight that is missing in the last round."""
        return max(0.0, float(1.0 - design.retention.expected[-1])) * self.goal.worth

    def simulated_distance(self) -> float | None:
        """Return how far law and simulation of the best design are apart, in standard errors."""
        if self.simulated is None or self.best is None:
            return None
        return self.simulated.distance(self.best.retention)

    def retention_table(self, *, designs: int = 3) -> dict[str, Floats]:
        """Return what the first designs leave, round by round, by regime."""
        generations = np.arange(self.setting.generations + 1, dtype=np.float64)
        table = {"generation": generations}
        for design in self.designs[:designs]:
            table[design.regime.describe()] = design.retention.expected
        return table

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the plan again."""
        costs = self.costs
        parameters = {
            "input": self.goal.source.name,
            "model": self.goal.model.describe(),
            "of": self.goal.kind,
            "keep": self.keep,
            "generations": self.setting.generations,
            "samples": self.setting.samples,
            "law": self.setting.law,
            "costs": None if costs is None else _plain(costs),
            "replicates": 0 if self.simulated is None else self.simulated.replicates,
            "history": None if self.comparison is None else self.comparison.history.name,
        }
        return provenance(parameters, seed=self.seed)


def _plain(costs: CostModel) -> dict[str, Any]:
    return {name: getattr(costs, name) for name in costs.__dataclass_fields__}
