"""How a plan is made: every way that has a law, the cheapest that keeps enough, and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.planning.cost import CostModel
from hayflick.planning.design import Point
from hayflick.planning.fresh_share import FreshShare, fresh_share_in
from hayflick.planning.frontier import Frontier, frontier
from hayflick.planning.history import History
from hayflick.planning.inspection import Inspection, inspection
from hayflick.planning.planned import Comparison, Plan
from hayflick.planning.recovery import Recovery, price_of_waiting
from hayflick.planning.running import check_running
from hayflick.planning.sensitivity import Knob, law_knobs, simulated_knobs
from hayflick.planning.setting import Setting, check_target, setting_of
from hayflick.planning.simulated import Simulated, simulated_retention
from hayflick.planning.smallest import reaches
from hayflick.planning.ways import ways
from hayflick.regimes.replace import Replace

_DELAYS = (0, 5, 20)
_CLOSEST = 3
_ROUNDS_TO_RECOVER = 10


def plan(
    model: Discrete,
    *,
    keep: float = 0.9,
    generations: int = 50,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    of: str | None = None,
    costs: CostModel | None = None,
    samples: int | None = None,
    law: str = "auto",
    history: History | None = None,
    replicates: int = 32,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan how to keep enough of a discrete law for a number of rounds.

    Parameters
    ----------
    model
        The real data's law.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1.
    generations
        The horizon, K rounds.
    must_keep
        Types to keep, alike or with a weight each; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``; by whether there is a list where None.
    costs
        Prices; designs are ranked by real items per round where None. Training sets may
        grow only where a generated item has a price.
    samples
        Size of a training set; the data's own size where None.
    law
        ``auto``, ``exact`` or ``branching``.
    history
        A recorded run: the plan is for the rounds from there to the horizon. Below the
        target, it is to be reached within ten rounds.
    replicates
        Simulated runs of the recommended design; 0 for the laws alone.
    seed, threads
        Of the simulations.
    progress
        Told how far the plan has come.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.setting.setting_of`, or if another argument is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = plan(words, keep=0.8, generations=10, replicates=0)
    >>> result.best.kind, result.best.real_per_round, result.runner_up.kind
    ('anchor', 1.0, 'fresh')
    """
    keep = check_target(keep)
    check_running(replicates=replicates, seed=seed, threads=threads)
    if replicates == 1:
        raise ArgumentError("replicates", got=1, takes="0, or at least 2 for a standard error")
    start = setting_of(
        model, generations=generations, samples=samples, must_keep=must_keep, of=of, law=law
    )
    setting, comparison = start, None
    if history is not None:
        setting, comparison = _from_history(start, history, keep, costs)
    case = _Case(setting, keep, costs, replicates, seed, threads, progress)
    return case.plan(comparison)


@dataclass(frozen=True)
class _Case:
    """What is planned, and how."""

    setting: Setting
    keep: float
    costs: CostModel | None
    replicates: int
    seed: int
    threads: int | None
    progress: Progress

    def plan(self, comparison: Comparison | None) -> Plan:
        """Return the plan, the simulations last."""
        found = _frontier(self.setting, self.keep, self.costs)
        fresh = fresh_share_in(self.setting, self.keep)
        points = _of_each_kind(found.enough) or _closest(found)
        step_in = self._step_in()
        parts: dict[str, Any] = {"knobs": (), "simulated": None, "interrupted": False}
        if found.enough:
            parts = self._checked(points[0])
        return Plan(
            setting=self.setting,
            keep=self.keep,
            costs=self.costs,
            reason=_reason(found, fresh, self.keep),
            designs=tuple(point.design() for point in points),
            frontier=found,
            fresh=fresh,
            step_in=step_in,
            ways_back=self._ways_back(step_in),
            inspection=self._inspection(),
            comparison=comparison,
            seed=self.seed,
            **parts,
        )

    def _step_in(self) -> int | None:
        kept = self.setting.retention(Replace(), self.setting.samples).expected[1:]
        below = [k for k, left in enumerate(kept, 1) if not reaches(float(left), self.keep)]
        return below[0] if below else None

    def _ways_back(self, step_in: int | None) -> tuple[Recovery, ...]:
        if step_in is None or self.setting.past is not None:
            return ()
        return price_of_waiting(
            self.setting.goal,
            delays=_DELAYS,
            keep=self.keep,
            rounds_so_far=step_in,
            samples=self.setting.samples,
            within=self.setting.generations,
            law=self.setting.law,
        )

    def _inspection(self) -> Inspection | None:
        """Return how often to look for one failure of the design over the horizon.

        Until it is seen, rounds are trained without real data.
        """
        costs, setting = self.costs, self.setting
        if costs is None or not (costs.check and costs.loss):
            return None
        kept = setting.retention(Replace(), setting.samples).expected
        delay = costs.loss * setting.goal.worth * max(0.0, float(kept[0] - kept[1]))
        return inspection(check=costs.check, delay=delay, horizon=setting.generations)

    def _checked(self, best: Point) -> dict[str, Any]:
        """Return knobs and simulation of the recommended design, as far as Ctrl-C lets."""
        knobs: tuple[Knob, ...] = law_knobs(best)
        simulated, interrupted = None, False
        if self.replicates and self.setting.past is None:
            try:
                simulated = self._simulated(best)
                common = {"seed": self.seed, "threads": self.threads}
                knobs += simulated_knobs(best, progress=self.progress, **common)  # type: ignore[arg-type]
            except SimulationInterrupted:
                interrupted = True
        return {"knobs": knobs, "simulated": simulated, "interrupted": interrupted}

    def _simulated(self, best: Point) -> Simulated | None:
        return simulated_retention(
            self.setting.goal,
            regime=best.way.regime(best.number),
            samples=best.samples,
            generations=self.setting.generations,
            replicates=self.replicates,
            seed=self.seed,
            threads=self.threads,
            progress=self.progress,
        )


def _frontier(setting: Setting, keep: float, costs: CostModel | None) -> Frontier:
    larger = costs is not None and costs.generated > 0.0
    return frontier(ways(setting, larger=larger), keep=keep, costs=costs)


def _of_each_kind(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the first point of each kind, in order."""
    kinds: dict[str, Point] = {}
    for point in points:
        kinds.setdefault(point.kind, point)
    return tuple(kinds.values())


def _closest(found: Frontier) -> tuple[Point, ...]:
    """Return the designs that come closest, one of each kind."""
    order = sorted(found.points, key=lambda point: (-point.retention.lowest, point.price))
    return _of_each_kind(order)[:_CLOSEST]


def _reason(found: Frontier, fresh: FreshShare, keep: float) -> str:
    if found.enough:
        return fresh.reason
    most = max(point.retention.lowest for point in found.points)
    return f"no design that was looked at keeps {keep:.1%}; the closest keeps {most:.1%}"


def _from_history(
    start: Setting, history: History, keep: float, costs: CostModel | None
) -> tuple[Setting, Comparison]:
    """Return the setting from where a history stands, and how it compares with the plan."""
    if history.rounds >= start.generations:
        takes = f"more than the {history.rounds} rounds of the history"
        raise ArgumentError("generations", got=start.generations, takes=takes)
    past = history.past(start.goal.model, law=start.law)
    enough = _frontier(start, keep, costs).enough
    planned = enough[0].retention.expected[: history.rounds + 1] if enough else None
    onward = replace(start, generations=start.generations - history.rounds, past=past)
    present = float(onward.retention(Replace(), onward.samples).expected[0])
    if not reaches(present, keep):
        onward = replace(onward, counted_from=min(_ROUNDS_TO_RECOVER, onward.generations))
    return onward, Comparison(history, planned, past)
