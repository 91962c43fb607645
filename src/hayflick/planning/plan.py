"""How a plan is made: every way that has a law, the cheapest that keeps enough, and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.stages import Stages
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import DesignPoint, Frontier, frontier
from hayflick.planning.plan_result import (
    HistoryComparison,
    Plan,
    Sensitivity,
    law_sensitivities,
    simulated_sensitivities,
)
from hayflick.planning.problem import (
    ElapsedRounds,
    History,
    PlanningProblem,
    check_target,
    planning_problem,
)
from hayflick.planning.retention import (
    SimulatedRetention,
    SimulationSettings,
    check_running,
)
from hayflick.planning.search import reaches
from hayflick.planning.sizing import (
    FreshShare,
    Inspection,
    Recovery,
    fresh_share_of,
    inspection,
    recovery_in,
)
from hayflick.planning.strategies import (
    FreshStrategy,
    Strategy,
    strategies_for,
    to_simulate,
)
from hayflick.planning.targets import SymbolTarget, Target
from hayflick.regimes.replace import Replace

_DELAYS = (0, 5, 20)
_CLOSEST = 3
_ROUNDS_TO_RECOVER = 10


def plan(
    model: Discrete | Gaussian | Target,
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
    """Plan how to keep enough of a law for a number of rounds.

    What the laws know comes first. Then what no law gives is simulated: rounds of types that
    accumulate, and most of what is done about a variance.

    Parameters
    ----------
    model
        The real data's law: `Discrete`, `Gaussian`, or a goal.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1.
    generations
        The horizon, K rounds.
    must_keep
        Types to keep, alike or with a weight each; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``, by whether there is a list where None;
        ``variance`` for a Gaussian law, that of its median run.
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
        Simulated runs of the recommended design, where it has a law; 0 for the laws alone:
        then kinds of design without one are left out.
    seed, threads
        Of the simulations.
    progress
        Told how far the plan has come.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.problem.planning_problem`, or if another argument is out of its range.

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
    start = planning_problem(
        model, generations=generations, samples=samples, must_keep=must_keep, of=of, law=law
    )
    if replicates:
        start = replace(
            start, runs=SimulationSettings(seed=seed, threads=threads, progress=progress)
        )
    setting, comparison = start, None
    if history is not None:
        if not isinstance(start.goal, SymbolTarget):
            takes = "nothing for numbers: runs of labels and words are planned on from"
            raise ArgumentError("history", got=history.name, takes=takes)
        setting, comparison = _from_history(start, history, keep, costs)
    case = _Case(setting, keep, costs, replicates, seed, threads, progress)
    return case.plan(comparison)


@dataclass(frozen=True)
class _Case:
    """What is planned, and how."""

    setting: PlanningProblem
    keep: float
    costs: CostModel | None
    replicates: int
    seed: int
    threads: int | None
    progress: Progress

    def plan(self, comparison: HistoryComparison | None) -> Plan:
        """Return the plan: what the laws say first, then the simulations."""
        strategies = _strategies(self.setting, self.costs)
        lawful = [way for way in strategies if way.by_law]
        others = [way for way in strategies if not way.by_law and to_simulate(way)]
        found = frontier(lawful, keep=self.keep, costs=self.costs)
        found, looked_at, interrupted = self._simulated_ways(found, others)
        looked_at = [*lawful, *looked_at]
        fresh = _fresh_share(looked_at, self.keep)
        points = _of_each_kind(found.enough) or _closest(found)
        step_in = self._step_in()
        ways_back, interrupted = self._ways_back(step_in, interrupted=interrupted)
        parts: dict[str, Any] = {"interrupted": interrupted}
        if found.enough:
            parts = self._checked(points[0], interrupted=interrupted)
        return Plan(
            setting=self.setting,
            keep=self.keep,
            costs=self.costs,
            reason=_reason(found, fresh, self.keep),
            designs=tuple(point.design() for point in points),
            frontier=found,
            fresh=fresh,
            left_out=_left_out(strategies, looked_at),
            step_in=step_in,
            ways_back=ways_back,
            inspection=self._inspection(),
            comparison=comparison,
            seed=self.seed,
            **parts,
        )

    def _simulated_ways(
        self, found: Frontier, others: Sequence[Strategy]
    ) -> tuple[Frontier, list[Strategy], bool]:
        """Return the frontier with ways that no law knows, those that Ctrl-C left time for."""
        looked_at: list[Strategy] = []
        for done, way in enumerate(others):
            self.progress("designs without a law", done, len(others))
            try:
                found = found.with_way(way, keep=self.keep, costs=self.costs)
            except (SimulationInterrupted, KeyboardInterrupt):
                return found, looked_at, True
            looked_at.append(way)
        if others:
            self.progress("designs without a law", len(others), len(others))
        return found, looked_at, False

    def _step_in(self) -> int | None:
        kept = self.setting.retention(Replace(), self.setting.samples).expected[1:]
        below = [k for k, left in enumerate(kept, 1) if not reaches(float(left), self.keep)]
        return below[0] if below else None

    def _ways_back(
        self, step_in: int | None, *, interrupted: bool
    ) -> tuple[tuple[Recovery, ...], bool]:
        """Return the ways back, and whether Ctrl-C has come by now."""
        setting = self.setting
        simulated = "fresh" in setting.goal.without_law
        if step_in is None or setting.past is not None:
            return (), interrupted
        if simulated and (setting.runs is None or interrupted):
            return (), interrupted
        states = [
            (ElapsedRounds(Replace(), setting.samples, step_in + wait), wait) for wait in _DELAYS
        ]
        try:
            found = [recovery_in(replace(setting, past=past), self.keep, w) for past, w in states]
        except (SimulationInterrupted, KeyboardInterrupt):
            return (), True
        return tuple(found), interrupted

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

    def _checked(self, best: DesignPoint, *, interrupted: bool) -> dict[str, Any]:
        """Return knobs and simulation of the recommended design, as far as Ctrl-C lets."""
        knobs: tuple[Sensitivity, ...] = law_sensitivities(best) if best.way.by_law else ()
        simulated, runs = None, self.setting.runs
        if runs is not None and self.setting.past is None and not interrupted:
            try:
                if best.way.by_law:
                    simulated = self._simulated(best, runs)
                else:
                    knobs = law_sensitivities(best)
                knobs += simulated_sensitivities(best, runs)
            except (SimulationInterrupted, KeyboardInterrupt):
                interrupted = True
        return {"knobs": knobs, "simulated": simulated, "interrupted": interrupted}

    def _simulated(self, best: DesignPoint, runs: SimulationSettings) -> SimulatedRetention | None:
        return self.setting.goal.simulated(
            regime=best.way.regime(best.number),
            samples=best.samples,
            generations=self.setting.generations,
            replicates=self.replicates,
            stages=Stages(),
            runs=runs,
        )


def _strategies(setting: PlanningProblem, costs: CostModel | None) -> list[Strategy]:
    return list(strategies_for(setting, larger=costs is not None and costs.generated > 0.0))


def _fresh_share(looked_at: Iterable[Strategy], keep: float) -> FreshShare | None:
    """Return the answer for fresh draws alone, if they were looked at."""
    for way in looked_at:
        if isinstance(way, FreshStrategy):
            return fresh_share_of(way, keep)
    return None


def _left_out(strategies: Iterable[Strategy], looked_at: Iterable[Strategy]) -> tuple[str, ...]:
    """Return the kinds of design of which none was looked at."""
    seen = {way.kind for way in looked_at}
    return tuple(dict.fromkeys(way.kind for way in strategies if way.kind not in seen))


def _of_each_kind(points: Iterable[DesignPoint]) -> tuple[DesignPoint, ...]:
    """Return the first point of each kind, in order."""
    kinds: dict[str, DesignPoint] = {}
    for point in points:
        kinds.setdefault(point.kind, point)
    return tuple(kinds.values())


def _closest(found: Frontier) -> tuple[DesignPoint, ...]:
    """Return the designs that come closest, one of each kind."""
    order = sorted(found.points, key=lambda point: (-point.retention.lowest, point.price))
    return _of_each_kind(order)[:_CLOSEST]


def _reason(found: Frontier, fresh: FreshShare | None, keep: float) -> str:
    if found.enough:
        return "" if fresh is None else fresh.reason
    most = max(point.retention.lowest for point in found.points)
    return f"no design that was looked at keeps {keep:.1%}; the closest keeps {most:.1%}"


def _from_history(
    start: PlanningProblem, history: History, keep: float, costs: CostModel | None
) -> tuple[PlanningProblem, HistoryComparison]:
    """Return the setting from where a history stands, and how it compares with the plan."""
    if history.rounds >= start.generations:
        takes = f"more than the {history.rounds} rounds of the history"
        raise ArgumentError("generations", got=start.generations, takes=takes)
    past = history.past(start.goal.model, law=start.law)
    lawful = [way for way in _strategies(start, costs) if way.by_law]
    enough = frontier(lawful, keep=keep, costs=costs).enough
    planned = enough[0].retention.expected[: history.rounds + 1] if enough else None
    onward = replace(start, generations=start.generations - history.rounds, past=past)
    present = float(onward.retention(Replace(), onward.samples).expected[0])
    if not reaches(present, keep):
        onward = replace(onward, counted_from=min(_ROUNDS_TO_RECOVER, onward.generations))
    return onward, HistoryComparison(history, planned, past)
