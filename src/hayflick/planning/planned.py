"""A plan: the recommended design, what it costs, how safe it is and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.display import Displayed
from hayflick.core.provenance import provenance
from hayflick.planning.cost import CostModel
from hayflick.planning.design import Design
from hayflick.planning.fresh_share import FreshShare
from hayflick.planning.frontier import Frontier
from hayflick.planning.history import History
from hayflick.planning.inspection import Inspection
from hayflick.planning.objective import Objective
from hayflick.planning.past import Past
from hayflick.planning.recovery import Recovery
from hayflick.planning.sensitivity import Knob
from hayflick.planning.setting import Setting
from hayflick.planning.simulated import Simulated
from hayflick.planning.smallest import reaches


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
class Comparison:
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
    past: Past


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

    setting: Setting
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
    knobs: tuple[Knob, ...] = ()
    simulated: Simulated | None = None
    comparison: Comparison | None = None
    seed: int = 1
    interrupted: bool = False

    @property
    def goal(self) -> Objective:
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
