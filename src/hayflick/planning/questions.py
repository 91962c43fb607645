"""The questions that people ask about a plan: nothing, more items, real data later or rarely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, final

from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.progress import silent
from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.planning.confidence import FEWEST_SHARE_RUNS, Assurance, simulated_assurance
from hayflick.planning.cost import CostModel, Usage
from hayflick.planning.designs import Design
from hayflick.planning.inspection import design_inspection
from hayflick.planning.problem import ElapsedRounds, PlanningProblem, ResumedRegime
from hayflick.planning.strategies import AccumulateStrategy
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace

NOTHING, RECOMMENDED, TWICE, FIFTH, WAITING = (
    "nothing",
    "recommended",
    "twice",
    "fifth",
    "waiting",
)
"""The questions, in the order in which they are answered."""

EVERY, WAITED = 5, 10
"""Rounds from one delivery of real data to the next, and rounds before the first one."""

_RUNS = 1024


@final
@dataclass(frozen=True, slots=True)
class EveryRounds:
    """A regime in every T-th round, and no real data in the others.

    Parameters
    ----------
    regime
        What every T-th round is trained on.
    every
        T.

    Examples
    --------
    >>> regime = EveryRounds(Anchor.from_mapping({"quince": 2}), 5)
    >>> [regime.mix(generation, samples=100).reserved for generation in (1, 4, 5, 10)]
    [0, 0, 2, 2]
    """

    regime: Regime
    every: int

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of a generation."""
        given = self.regime if generation % self.every == 0 else Replace()
        return given.mix(generation, samples=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return False

    def describe(self) -> str:
        """Return the regime in the grammar of the command line, and in which rounds it is used."""
        return f"{self.regime.describe()} in every round of {self.every}"


@dataclass(frozen=True, eq=False)
class PlanAnswer:
    """What comes of something that people ask about.

    Parameters
    ----------
    question
        ``nothing``, ``recommended``, ``twice`` (as many items, no real data), ``fifth`` (the same
        real data in every fifth round only) or ``waiting`` (ten rounds without real data first).
    regime, samples
        What each round is trained on.
    lowest
        What is left on average in the worst round; None if it is not known.
    assurance
        The share of runs that keep enough in every round; None if it is not known.
    real_items
        Different real items over the horizon.
    cost_per_round
        What an average round costs, losses included; None without prices.
    saved
        Losses that are avoided per unit of money that is spent more than on doing nothing; None
        without prices of losses, and where no more is spent.
    """

    question: str
    regime: Regime
    samples: int
    lowest: float | None
    assurance: Assurance | None
    real_items: float
    cost_per_round: float | None
    saved: float | None


def answers_to(best: Design, *, keep: float, costs: CostModel | None) -> tuple[PlanAnswer, ...]:
    """Answer the questions that people ask about a plan, as far as laws and simulations go.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C.
    """
    problem = best.strategy.problem
    found: list[PlanAnswer] = []
    nothing: Usage | None = None
    for question, regime, samples in _questions(best, problem):
        asked = _outcome(problem, regime, samples, keep, best if regime is best.regime else None)
        used = _usage(problem, regime, samples, asked, best, costs)
        nothing = used if question == NOTHING else nothing
        known = costs is not None and used is not None
        found.append(
            PlanAnswer(
                question=question,
                regime=regime,
                samples=samples,
                lowest=asked.lowest,
                assurance=asked.assurance,
                real_items=_real_items(problem, regime, samples, best),
                cost_per_round=costs.per_round(used) if known else None,  # type: ignore[union-attr,arg-type]
                saved=_saved(used, nothing, costs),
            )
        )
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What is kept on average, round by round, and in how many runs enough is."""

    expected: Floats | None
    lowest: float | None
    assurance: Assurance | None


def _questions(best: Design, problem: PlanningProblem) -> Iterator[tuple[str, Regime, int]]:
    yield NOTHING, Replace(), problem.samples
    if best.kind != "replace":
        yield RECOMMENDED, best.regime, best.samples
    yield TWICE, Replace(), 2 * problem.samples
    if best.real_items == 0.0 or isinstance(best.strategy, AccumulateStrategy):
        return
    if problem.generations >= EVERY:
        yield FIFTH, _every_fifth(best), best.samples
    if problem.generations > WAITED and problem.elapsed is None:
        first = ElapsedRounds(Replace(), best.samples, WAITED)
        yield WAITING, ResumedRegime(first, best.regime), best.samples


def _every_fifth(best: Design) -> Regime:
    """Return the same number of real items, in every fifth round only."""
    regime = best.regime
    first = regime.mix(1, samples=best.samples)
    if isinstance(regime, Anchor) or first.reserved:
        return EveryRounds(regime, EVERY)
    return Periodic(share=min(1.0, EVERY * best.usage.real / best.samples), every=EVERY)


def _outcome(
    problem: PlanningProblem, regime: Regime, samples: int, keep: float, best: Design | None
) -> _Outcome:
    """Return what comes of a regime, by law or simulated."""
    if best is not None:
        return _Outcome(best.retention.expected, best.lowest, best.assurance)
    changing = isinstance(regime, (EveryRounds, ResumedRegime)) and _stores(regime, samples)
    if changing:
        return _simulated(problem, regime, samples, keep)
    kept = problem.retention(regime, samples)
    assured = None
    if problem.confidence is not None:
        assured = problem.assurance(regime, samples, keep, precisely=True)
    return _Outcome(kept.expected, kept.lowest, assured)


def _stores(regime: EveryRounds | ResumedRegime, samples: int) -> bool:
    return bool(regime.regime.mix(1, samples=samples).reserved)


def _simulated(problem: PlanningProblem, regime: Regime, samples: int, keep: float) -> _Outcome:
    """Return what simulated runs keep; nothing where those would take too long."""
    target, simulation = problem.target, problem.simulation
    sizes: dict[str, Any] = {"samples": samples, "generations": problem.generations}
    sizes["generations"] += problem.elapsed_rounds
    resumed, first = problem.resumed(regime), problem.elapsed_rounds
    most = min(_RUNS, target.affordable_runs(resumed, **sizes))
    if simulation is None or most < FEWEST_SHARE_RUNS or not isinstance(target, SymbolTarget):
        return _Outcome(None, None, None)
    quiet = replace(simulation, progress=silent)

    def runs_of(number: int, *, seed: int) -> Floats:
        runs = target.runs(
            regime=resumed,
            replicates=number,
            stages=Stages(),
            simulation=replace(quiet, seed=seed),
            **sizes,
        )
        return runs[:, first:]

    expected: Floats = runs_of(FEWEST_SHARE_RUNS, seed=quiet.seed).mean(axis=0)
    counted = problem.counted_from
    assured = None
    if problem.confidence is not None:
        assured = simulated_assurance(
            lambda number, *, seed: runs_of(number, seed=seed)[:, counted:],
            keep=keep,
            confidence=problem.confidence,
            most=most,
            seed=quiet.seed,
        )
    return _Outcome(expected, float(expected[counted:].min()), assured)


def _usage(
    problem: PlanningProblem,
    regime: Regime,
    samples: int,
    asked: _Outcome,
    best: Design,
    costs: CostModel | None,
) -> Usage | None:
    """Return what an average round uses; None where it is not known what is left."""
    if regime is best.regime:
        return best.usage
    if costs is None or asked.expected is None:
        return None
    rounds = range(1, problem.generations + 1)
    mixes: list[Mix[Any]] = [regime.mix(generation, samples=samples) for generation in rounds]
    missing = max(0.0, 1.0 - float(asked.expected[1:].mean())) * problem.target.total_weight
    used = Usage.of(mixes, forgotten=missing)
    used = replace(used, real=_real_items(problem, regime, samples, best) / problem.generations)
    found = design_inspection(problem, samples, asked.expected, costs=costs)
    return used if found is None else used.inspected(found, loss=costs.loss)


def _real_items(problem: PlanningProblem, regime: Regime, samples: int, best: Design) -> float:
    """Return the different real items over the horizon: stored ones count once."""
    if regime is best.regime:
        return best.real_items
    rounds = range(1, problem.generations + 1)
    mixes = [regime.mix(generation, samples=samples) for generation in rounds]
    return float(sum(mix.fresh for mix in mixes) + max(mix.reserved for mix in mixes))


def _saved(used: Usage | None, nothing: Usage | None, costs: CostModel | None) -> float | None:
    """Return the losses that are avoided per unit of money spent on top of doing nothing."""
    if used is None or nothing is None or costs is None or not costs.loss:
        return None
    spent = _spent(used, costs) - _spent(nothing, costs)
    if spent <= 0.0:
        return None
    return (nothing.loss - used.loss) * costs.loss / spent


def _spent(used: Usage, costs: CostModel) -> float:
    return costs.per_round(replace(used, loss=0.0))
