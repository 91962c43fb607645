"""A design put to the test: a sharper sampler, wrong labels, half of the promised real data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hayflick.chains.degradation import LabelNoise
from hayflick.chains.samplers import Temperature
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import silent
from hayflick.core.protocols import Regime
from hayflick.corpus.counts import Counts
from hayflick.planning.confidence import BOUND, FEWEST_SHARE_RUNS, Assurance, simulated_assurance
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import Design
from hayflick.planning.problem import PlanningProblem
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.search import smallest
from hayflick.planning.strategies import (
    AccumulateStrategy,
    AnchorStrategy,
    FreshStrategy,
    PeriodicStrategy,
)
from hayflick.planning.strategy import Strategy
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.replace import Replace

TEMPERATURE, WRONG_LABELS = 0.95, 0.01
"""A sampler that is a little sharper than the model, and the share of labels that are wrong."""

SHARPER, NOISE, LESS_REAL = "temperature", "noise", "real"
"""The trials: of the sampler, of the labels, and of the real data that were promised."""

_MOST_TYPES = 200
_ENOUGH_RUNS, _MOST_RUNS = 1024, 4096
_SEARCH_RUNS = 1024
_COPIES = 2


@dataclass(frozen=True, slots=True)
class StressTest:
    """What is left of a promise where one thing is worse than planned.

    Parameters
    ----------
    name
        ``temperature``, ``noise`` (of labels) or ``real`` (half of the real data).
    value
        The temperature, the share of wrong labels, or the share of the real data that comes.
    assurance
        The share of runs that still keep enough in every round.
    holds
        Whether those are as many as are to.
    """

    name: str
    value: float
    assurance: Assurance
    holds: bool


@dataclass(frozen=True, eq=False)
class Robustness:
    """What breaks the recommended design, and what does not break.

    Parameters
    ----------
    trials
        Of the recommended design.
    not_tried
        Names of the trials that would have taken too long.
    design
        The cheapest design that survives all trials; None if there is none, or none was looked
        for.
    design_trials
        Of that design.
    searched
        Whether such a design was looked for.
    temperature
        Of the sampler that was tried.
    """

    trials: tuple[StressTest, ...]
    not_tried: tuple[str, ...]
    design: Design | None
    design_trials: tuple[StressTest, ...]
    searched: bool
    temperature: float

    @property
    def broken(self) -> tuple[StressTest, ...]:
        """The trials in which the recommended design keeps enough in too few runs."""
        return tuple(trial for trial in self.trials if not trial.holds)


def robustness_of(
    best: Design,
    strategies: Sequence[Strategy],
    *,
    keep: float,
    costs: CostModel | None,
    simulation: SimulationSettings | None,
    temperature: float = TEMPERATURE,
) -> Robustness | None:
    """Try the recommended design, and look for the cheapest one that survives all trials.

    Parameters
    ----------
    best
        The recommended design.
    strategies
        The kinds of design to look at, without those that accumulate.
    keep, costs
        What is to be left in every round, and prices.
    simulation
        How to simulate; None for laws alone, which know of half the real data only.
    temperature
        Of the sampler that is tried.

    Returns
    -------
    None where averages are compared, for numbers, and after elapsed rounds.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    problem = best.strategy.problem
    if (
        problem.confidence is None
        or problem.elapsed is not None
        or not isinstance(problem.target, SymbolTarget)
    ):
        return None
    tried = _Trials(keep, temperature, simulation)
    # Where none are promised, half of the real data is no trial.
    asked = _NAMES if best.real_items else (SHARPER, NOISE)
    trials = tuple(filter(None, (tried.of(best, name) for name in asked)))
    names = {trial.name for trial in trials}
    not_tried = tuple(name for name in asked if name not in names)
    if not_tried:
        return Robustness(trials, not_tried, None, (), searched=False, temperature=temperature)
    if all(trial.holds for trial in trials):
        return Robustness(trials, (), best, trials, searched=True, temperature=temperature)
    found = _cheapest(strategies, tried, costs)
    own = () if found is None else tuple(filter(None, (tried.of(found, name) for name in _NAMES)))
    return Robustness(trials, (), found, own, searched=True, temperature=temperature)


_NAMES = (SHARPER, NOISE, LESS_REAL)


@dataclass(frozen=True, eq=False)
class _Trials:
    """How designs are tried."""

    keep: float
    temperature: float
    simulation: SimulationSettings | None

    def of(self, design: Design, name: str) -> StressTest | None:
        """Return what a design keeps in a trial; None where that is not known in a short time."""
        problem = design.strategy.problem
        regime: Regime | None = design.regime
        stages, value = Stages(), 0.5
        if name == SHARPER:
            stages, value = Stages(sampler=Temperature(self.temperature)), self.temperature
        elif name == NOISE:
            stages, value = Stages(degradation=LabelNoise(WRONG_LABELS)), WRONG_LABELS
        else:
            regime = with_half_the_real_data(design.strategy, design.number)
        if regime is None:
            return None
        found = self._assurance(problem, regime, design.samples, stages, most=_MOST_RUNS)
        if found is None:
            return None
        if found.law == BOUND and found.confidence < (problem.confidence or 0.0):
            # A lower bound shows what holds, not what breaks.
            return None
        # What runs show by chance does not break a design that was found by them.
        clear = found.confidence + found.standard_error
        return StressTest(name, value, found, clear >= (problem.confidence or 0.0))

    def room(self, strategy: Strategy, number: int) -> float:
        """Return how far a design is above its target in the worst trial, below 0 if it fails."""
        confidence, worst = strategy.problem.confidence or 0.0, math.inf
        regime, size = strategy.regime(number), strategy.size(number)
        half = with_half_the_real_data(strategy, number)
        sharper = Stages(sampler=Temperature(self.temperature))
        noise = Stages(degradation=LabelNoise(WRONG_LABELS))
        for stages, trained in ((sharper, regime), (Stages(), half), (noise, regime)):
            if trained is None:
                return -1.0
            found = self._assurance(strategy.problem, trained, size, stages, most=_SEARCH_RUNS)
            if found is None:
                return -1.0
            worst = min(worst, found.assured - confidence)
            if worst < 0.0:
                return worst
        return worst

    def _assurance(
        self, problem: PlanningProblem, regime: Regime, samples: int, stages: Stages, *, most: int
    ) -> Assurance | None:
        target, simulation = problem.target, self.simulation
        sizes: dict[str, Any] = {"samples": samples, "generations": problem.generations}
        affordable = target.affordable_runs(regime, **sizes)
        small = target.model.types <= _MOST_TYPES or affordable >= _ENOUGH_RUNS
        if simulation is None or not small or affordable < FEWEST_SHARE_RUNS:
            if stages.given():
                return None
            return problem.assurance(regime, samples, self.keep, precisely=True)
        quiet = replace(simulation, progress=silent)

        def runs_of(number: int, *, seed: int) -> Floats:
            runs = target.runs(
                regime=regime,
                replicates=number,
                stages=stages,
                simulation=replace(quiet, seed=seed),
                **sizes,
            )
            return runs[:, problem.counted_from :]

        return simulated_assurance(
            runs_of,
            keep=self.keep,
            confidence=problem.confidence or 0.0,
            most=min(most, affordable),
            seed=quiet.seed,
        )


def with_half_the_real_data(strategy: Strategy, number: int) -> Regime | None:
    """Return a design's regime with half of its fresh or stored items; None if it has no half.

    Every second of the stored items is missing, in the order of the data.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.problem import planning_problem
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> problem = planning_problem(words, generations=10)
    >>> with_half_the_real_data(FreshStrategy(problem, 100), 20).describe()
    'fresh:share=0.1'
    """
    if isinstance(strategy, AccumulateStrategy):
        return None
    regime = strategy.regime(number)
    if isinstance(strategy, (FreshStrategy, PeriodicStrategy)):
        return strategy.regime(number // 2) if number > 1 else Replace()
    if not isinstance(regime, Anchor):
        return regime
    reserve = regime.reserve
    ends = np.cumsum(reserve.numbers)
    left = ends // 2 - (ends - reserve.numbers) // 2
    kept = np.flatnonzero(left)
    if not kept.size:
        return Replace()
    symbols = np.array(reserve.symbols, dtype=object)[kept]
    return Anchor(Counts(tuple(symbols), left[kept]))


def _cheapest(
    strategies: Sequence[Strategy], tried: _Trials, costs: CostModel | None
) -> Design | None:
    """Return the cheapest design that survives all trials; None if none does."""
    best: Design | None = None
    # Stored items are cheap: the price of the first find spares most of the others.
    for strategy in sorted(_kinds(strategies), key=lambda one: one.kind != "anchor"):
        number = _smallest(strategy, tried, costs, below=math.inf if best is None else best.price)
        if number is None:
            continue
        design = Design.at(strategy, number, keep=tried.keep, costs=costs)
        if best is None or design.price < best.price:
            best = design
    return best


def _kinds(strategies: Sequence[Strategy]) -> list[Strategy]:
    """Return the kinds to look at: reserves also of twice the items that keep a type."""
    kinds = [one for one in strategies if not isinstance(one, AccumulateStrategy)]
    twice = [
        replace(one, copies=_COPIES * one.copies)
        for one in kinds
        if isinstance(one, AnchorStrategy)
    ]
    return [*twice, *kinds]


def _smallest(
    strategy: Strategy, tried: _Trials, costs: CostModel | None, *, below: float
) -> int | None:
    """Return the smallest number that survives all trials, at a price below the best so far."""

    def survives(number: int) -> bool:
        return tried.room(strategy, number) >= 0.0

    def price(number: int) -> float:
        return Design.at(strategy, number, keep=tried.keep, costs=costs).price

    low, high = strategy.minimum, strategy.maximum
    # With prices of what is lost, more can be cheaper: then no price ends the search.
    if costs is None and below < math.inf:
        dearer = smallest(price, target=below, low=low, high=high)
        high = high if dearer is None else dearer - 1
    # What fails with the most real data fails with less.
    if high < low or not survives(high):
        return None
    if survives(low):
        return low
    # Halves, since most of what fails shows it in a few runs, and what holds takes all of them.
    while high - low > 1:
        middle = (low + high) // 2
        if survives(middle):
            high = middle
        else:
            low = middle
    return high
