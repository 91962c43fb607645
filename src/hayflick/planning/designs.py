"""A design: what each round is trained on, what that keeps and costs, and what would change it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hayflick.chains.samplers import Temperature
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import silent
from hayflick.core.protocols import Regime
from hayflick.laws.survival import survival
from hayflick.planning.classes import mass_lost
from hayflick.planning.confidence import BOUND, Assurance
from hayflick.planning.cost import CostModel, Usage
from hayflick.planning.inspection import Inspection, design_inspection
from hayflick.planning.retention import Retention, SimulatedRetention, SimulationSettings
from hayflick.planning.search import cheapest, reaches
from hayflick.planning.strategies import AnchorStrategy
from hayflick.planning.strategy import Strategy
from hayflick.planning.targets import DIVERSITY, SymbolTarget


@dataclass(frozen=True, eq=False)
class Design:
    """What each round is trained on, and what comes of it.

    Parameters
    ----------
    strategy, number
        The kind of design, and the number that is chosen.
    retention
        What is left, round by round, with law and error.
    usage
        What an average round uses, in the units that have a price.
    cost_per_round
        What that costs; None without prices.
    keep
        What is to be left in every round.
    inspection
        How often to check that the rounds get their real data; None without prices of a check and
        of losses.
    """

    strategy: Strategy
    number: int
    retention: Retention
    usage: Usage
    cost_per_round: float | None
    keep: float
    inspection: Inspection | None = None

    @classmethod
    def at(cls, strategy: Strategy, number: int, *, keep: float, costs: CostModel | None) -> Design:
        """Return the design of a strategy at a number."""
        kept = strategy.retention(number)
        usage = strategy.usage(number, kept)
        checked = design_inspection(
            strategy.problem, strategy.size(number), kept.expected, costs=costs
        )
        if costs is not None and checked is not None:
            usage = usage.inspected(checked, loss=costs.loss)
        cost = None if costs is None else costs.per_round(usage)
        return cls(strategy, number, kept, usage, cost, keep, checked)

    @property
    def kind(self) -> str:
        """Name of the kind of design.

        ``replace``, ``fresh``, ``periodic``, ``anchor``, ``accumulate``, ``accumulate-subsample``,
        ``larger``, ``growing`` or ``larger and fresh``; ``replace`` where nothing is added.
        """
        # A larger set without fresh data is larger still.
        if self.number == 0 and self.samples != self.strategy.problem.samples:
            return "larger"
        return "replace" if self.strategy.without_real_data(self.number) else self.strategy.kind

    @cached_property
    def regime(self) -> Regime:
        """What each round is trained on."""
        return self.strategy.regime(self.number)

    @property
    def samples(self) -> int:
        """Size of the first round's training set."""
        return self.strategy.size(self.number)

    @property
    def real_per_round(self) -> float:
        """Real items in a training set, fresh or stored, on average over the rounds."""
        return self.strategy.real_per_round(self.number, self.usage)

    @property
    def real_items(self) -> float:
        """Different real items over the horizon: stored ones count once, not in every round."""
        return self.usage.real * self.strategy.problem.generations

    @property
    def price(self) -> float:
        """What designs are ranked by: cost per round, without prices real items acquired."""
        return self.usage.real if self.cost_per_round is None else self.cost_per_round

    @property
    def lowest(self) -> float:
        """The lowest share that is left in any round."""
        return self.retention.lowest

    @property
    def stored_up_to(self) -> float | None:
        """Count in the data of the most frequent type that an anchor stores; None for no anchor."""
        if not isinstance(self.strategy, AnchorStrategy) or not self.number:
            return None
        return self.strategy.highest_count(self.number)

    @cached_property
    def expected(self) -> Floats | None:
        """The exact mean where the retention is a median, ``(K + 1,)``; None elsewhere."""
        problem = self.strategy.problem
        return problem.target.exact_mean(
            self.regime, samples=self.samples, generations=problem.generations
        )

    @property
    def is_sufficient(self) -> bool:
        """Whether enough is kept in every round: in enough runs, or on average."""
        return reaches(self.strategy.room(self.number, self.keep), 0.0)

    @cached_property
    def mass_lost(self) -> float | None:
        """The share of the real data that lost types cover after the last round, on average.

        None where no law gives it: for numbers, for diversity and in rounds that accumulate.
        """
        problem = self.strategy.problem
        target, elapsed = problem.target, problem.elapsed_rounds
        if not isinstance(target, SymbolTarget) or target.kind == DIVERSITY:
            return None
        if elapsed or not self.strategy.by_law:
            return None
        law = survival(
            target.model,
            regime=self.regime,
            samples=self.samples,
            generations=problem.generations,
            law=problem.law,
        )
        return float(mass_lost(law)[-1])

    @cached_property
    def assurance(self) -> Assurance | None:
        """The share of runs that keep enough in every round; None where only the average is known.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        strategy = self.strategy
        found = strategy.assurance(self.number, self.keep)
        if found is None or found.law != BOUND:
            return found
        return strategy.problem.assurance(
            self.regime,
            self.samples,
            self.keep,
            bounds=strategy.bounds(self.number, self.keep),
            precisely=True,
        )

    @property
    def confidence(self) -> float:
        """The share of runs that keep enough, as far as it is known; else 0."""
        return 0.0 if self.assurance is None else self.assurance.confidence

    def simulated(
        self, simulation: SimulationSettings, *, replicates: int, stages: Stages = Stages()
    ) -> SimulatedRetention:
        """Return what simulated runs of the design keep.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        problem = self.strategy.problem
        return problem.target.simulated(
            regime=self.regime,
            samples=self.samples,
            generations=problem.generations,
            replicates=replicates,
            stages=stages,
            simulation=simulation,
        )


def cheapest_design(strategy: Strategy, *, keep: float, costs: CostModel | None) -> Design | None:
    """Return the cheapest design of a strategy that keeps enough; None if none does.

    A larger number than necessary can be cheaper: where what is forgotten has a price, or a
    stored item, bought once, costs less than generating another one in its place in every round.
    """

    def price(number: int) -> float:
        return Design.at(strategy, number, keep=keep, costs=costs).price

    number = strategy.smallest(keep)
    if number is None:
        return None
    if costs is not None:
        number = cheapest(price, low=number, high=strategy.maximum)
    return Design.at(strategy, number, keep=keep, costs=costs)


@dataclass(frozen=True, eq=False)
class Frontier:
    """All designs that were looked at.

    Parameters
    ----------
    points
        Every one of them.
    efficient
        Those that no other beats: none is cheaper and keeps as much. In ascending order of price
        and of what is kept.
    sufficient
        The cheapest design of each strategy that keeps enough, cheapest first; of those that cost
        the same, the one with the fewest real items a round.
    """

    points: tuple[Design, ...] = ()
    efficient: tuple[Design, ...] = ()
    sufficient: tuple[Design, ...] = ()

    def with_strategy(
        self, strategy: Strategy, *, keep: float, costs: CostModel | None
    ) -> Frontier:
        """Return the frontier with the designs of one more strategy."""

        def at(number: int) -> Design:
            return Design.at(strategy, number, keep=keep, costs=costs)

        points = [*self.points, *(at(number) for number in strategy.grid())]
        sufficient = list(self.sufficient)
        found = cheapest_design(strategy, keep=keep, costs=costs)
        if found is not None:
            points.append(found)
            sufficient.append(found)
        return Frontier(tuple(points), tuple(_efficient(points)), tuple(_ranked(sufficient)))

    def confirmed(self, *, keep: float, costs: CostModel | None) -> Frontier:
        """Return the frontier with its first sufficient design confirmed by all runs.

        If they do not, a larger one of its kind takes its place, and the first may be another.

        Raises
        ------
        SimulationInterrupted
            On Ctrl-C.
        """
        points, sufficient = list(self.points), list(self.sufficient)
        while sufficient:
            first = sufficient.pop(0)
            number = first.strategy.confirmed(first.number, keep)
            if number == first.number:
                return Frontier(tuple(points), tuple(_efficient(points)), (first, *sufficient))
            if number is not None:
                larger = Design.at(first.strategy, number, keep=keep, costs=costs)
                points.append(larger)
                sufficient = _ranked([*sufficient, larger])
        return Frontier(tuple(points), tuple(_efficient(points)))


def frontier(
    strategies: Iterable[Strategy], *, keep: float, costs: CostModel | None = None
) -> Frontier:
    """Return the frontier of all designs of several strategies.

    Parameters
    ----------
    strategies
        The kinds of design to look at.
    keep
        What is to be left in every round.
    costs
        Prices; None to take real items per round as the price.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.problem import planning_problem
    >>> from hayflick.planning.strategies import strategies_for
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> problem = planning_problem(words, generations=10)
    >>> kinds = [kind for kind in strategies_for(problem) if kind.by_law]
    >>> found = frontier(kinds, keep=0.8)
    >>> [(design.kind, design.number) for design in found.sufficient][:2]
    [('anchor', 1), ('fresh', 5)]
    """
    found = Frontier()
    for strategy in strategies:
        found = found.with_strategy(strategy, keep=keep, costs=costs)
    return found


def _ranked(designs: Iterable[Design]) -> list[Design]:
    # Real items decide between designs of the same price, then the smaller training set.
    return sorted(designs, key=lambda d: (d.price, d.real_per_round, d.samples, -d.lowest))


def _efficient(designs: Sequence[Design]) -> list[Design]:
    best: list[Design] = []
    for design in sorted(designs, key=lambda design: (design.price, -design.lowest)):
        if not best or design.lowest > best[-1].lowest:
            best.append(design)
    return best


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What changing one thing about a design by one step does.

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
        The round in which `left` is reached, with each; None if it is not reached, so that the
        step is an improvement.
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

    @classmethod
    def of(
        cls,
        design: Design,
        name: str,
        value: float | None,
        moved: float,
        kept: Floats,
        *,
        standard_error: float,
        method: str,
    ) -> Sensitivity:
        """Return what it does that `kept` is left instead of the design's own retention."""
        first, own = design.retention.counted_from, design.retention.expected
        place = first + int(np.argmin(own[first:]))
        limit, lowest = float(own[place]), float(kept[first:].min())
        # What is still to be recovered from is no collapse.
        start = first if first > 1 else 0
        reached = collapse_round(kept[start:], limit)
        reached = None if reached is None or start + reached > place else start + reached
        return cls(name, value, moved, limit, lowest, float(place), reached, standard_error, method)

    @property
    def elasticity(self) -> float | None:
        """Relative change of the round of collapse per relative change of the value."""
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


def size_sensitivities(design: Design) -> tuple[Sensitivity, ...]:
    """Return what sizes, shares and periods do: by law, or simulated if the design is."""
    found = []
    for name, value, moved, strategy, number in design.strategy.changes(design.number):
        kept = strategy.retention(number)
        method = "law" if kept.standard_error is None else "simulation"
        error = kept.lowest_error
        found.append(
            Sensitivity.of(
                design, name, value, moved, kept.expected, standard_error=error, method=method
            )
        )
    return tuple(found)


def stage_sensitivities(
    design: Design, simulation: SimulationSettings, *, temperature: float | None = None
) -> tuple[Sensitivity, ...]:
    """Return what temperature, noise and rounding do, which no law covers.

    Parameters
    ----------
    design, simulation
        What is changed, and how it is simulated.
    temperature
        Of the sampler that is tried; None for a guess.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    target, generations = design.strategy.problem.target, design.strategy.problem.generations
    changes = target.stage_changes(design.samples)
    quiet, found = replace(simulation, progress=silent), []
    for done, usual in enumerate(changes):
        change = usual
        if usual.name == "temperature" and temperature is not None:
            stages = Stages(sampler=Temperature(temperature))
            change = replace(usual, moved=temperature, stages=stages)
        simulation.progress("moving knobs", done, len(changes))
        replicates = target.stage_replicates(generations)
        runs = design.simulated(quiet, replicates=replicates, stages=change.stages)
        first = design.retention.counted_from
        error = float(runs.standard_error[first + int(np.argmin(runs.kept[first:]))])
        found.append(
            Sensitivity.of(
                design,
                change.name,
                change.value,
                change.moved,
                runs.kept,
                standard_error=error,
                method="simulation",
            )
        )
    if changes:
        simulation.progress("moving knobs", len(changes), len(changes))
    return tuple(found)
