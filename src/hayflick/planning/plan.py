"""How a plan is made: every kind of design, the cheapest that keeps enough, and checks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.resampler import Resampler
from hayflick.core.checks import positive_number
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source, sources_of
from hayflick.corpus.must_keep import MustKeep
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.calibrated_target import needs_runs
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import (
    Design,
    Frontier,
    Sensitivity,
    size_sensitivities,
    stage_sensitivities,
)
from hayflick.planning.history import History, HistoryComparison, read_history, resumed_problem
from hayflick.planning.inputs import (
    InputOptions,
    ResamplerGiven,
    chosen_family,
    read_model,
    trained_by,
)
from hayflick.planning.plan_result import Plan
from hayflick.planning.problem import (
    ElapsedRounds,
    PlanningProblem,
    check_confidence,
    check_target,
    planning_problem,
    spelled_list,
)
from hayflick.planning.questions import PlanAnswer, answers_to
from hayflick.planning.retention import SimulatedRetention, SimulationSettings
from hayflick.planning.robust import TEMPERATURE, Robustness, robustness_of
from hayflick.planning.search import reaches
from hayflick.planning.sizing import FreshShare, Recovery, fresh_share_of, recovery_in
from hayflick.planning.strategies import AnchorStrategy, FreshStrategy, strategies_for
from hayflick.planning.strategy import Strategy
from hayflick.planning.targets import VARIANCE
from hayflick.planning.variance_target import VarianceTarget
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import check_running

if TYPE_CHECKING:
    import xarray

_Path: TypeAlias = str | os.PathLike[str]

_ROUND_S, _ROUND_BYTES = 4e-3, 8000.0
_DELAYS = (0, 5, 20)
_CLOSEST = 3
_INTERRUPTIONS = (SimulationInterrupted, KeyboardInterrupt)


def plan(
    source: _Path | Discrete | Gaussian,
    *,
    keep: float = 0.9,
    confidence: float | None = DEFAULT_CONFIDENCE,
    at_least: int | None = None,
    generations: int = 50,
    must_keep: MustKeep | None = None,
    of: str | None = None,
    costs: CostModel | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    samples: int | None = None,
    law: str = "auto",
    history: _Path | xarray.Dataset | None = None,
    temperature: float | None = None,
    resampler: ResamplerGiven | None = None,
    replicates: int = 32,
    seed: int = 1,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan how to keep enough of the symbols or the variance of some data for a number of rounds.

    Enough is kept in every round of a share of the runs, the confidence: by the law of the number
    of types that are kept where what is lost stays lost, else by simulation.
    Designs that a law covers come first. Then those that no law covers are simulated: types in
    rounds that accumulate, and most designs for a variance. Ctrl-C returns what is known by then.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a law: `Discrete`
        or `Gaussian`. A table's column of numbers of which one at least is not whole is a
        Gaussian, unless `of` says otherwise.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1; of types, so
        many rounded up.
    confidence
        Share of the runs in which it is to be left, above 0, below 1; None where the average over
        the runs is to be.
    at_least
        Items that a training set must hold of a type to keep it, or as many as the data hold of
        it. None: 5 of a label, in a column of at most 200 different ones, and 1 of a word.
    generations
        The horizon, K rounds.
    must_keep
        Symbols to keep: a file with one per line, a JSON list, or a table with the columns
        ``symbol``, ``weight`` and ``at_least``, which goes before the `at_least` above; a sequence,
        a mapping from symbol to weight, or such a table in memory; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``, (None: must-keep if there is a list, else types);
        ``variance`` for numbers, that of the median run.
    costs
        Prices; None to rank designs by the real items that they take in all. Training sets may
        grow only if a generated item has a price.
    column, tokenizer, encoding, normalize, table
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    samples
        Size of a training set; None for the data's own size.
    law
        ``auto``, ``exact`` or ``branching``.
    history
        A NetCDF file of ``hayflick simulate``, or its Dataset: the plan is for the rounds from
        there to the horizon. Below the target, it is to be reached within ten rounds.
    temperature
        Of the sampler that the recommended design is tried against; None for the guess 0.95.
    resampler
        The trainer as it was calibrated: what `hayflick.calibrate` returned, the path of its file,
        or a `hayflick.Resampler` (of numbers a `hayflick.GaussianResampler`). Of a trainer of
        symbols every design is simulated, all with the same random numbers. None for an ideal one.
    replicates
        Simulated runs that check the law of the recommended design; 0 for the laws alone, without
        the kinds of design that have none, and with a lower bound of the confidence.
    seed, threads, executor
        Of the simulations, as of `hayflick.simulate`.
    progress
        Called with how far reading and simulating have come.

    Raises
    ------
    DataError
        If the input, the list or the history cannot be used.
    ArgumentError
        If an argument is out of its range, or does not fit another.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = plan(words, keep=0.95, generations=10, replicates=0)
    >>> result.feasible, result.fresh.feasible, result.best.regime.reserve.symbols
    (True, False, ('sat', 'here'))
    """
    keep = check_target(keep)
    confidence = None if confidence is None else check_confidence(confidence)
    if temperature is not None:
        positive_number("temperature", temperature)
    check_running(replicates=replicates, seed=seed, threads=threads)
    if replicates == 1:
        raise ArgumentError("replicates", got=1, takes="0, or at least 2 for a standard error")
    options = InputOptions(
        columns=(column,) if column else (),
        tokenizer=tokenizer,
        encoding=encoding,
        normalize=normalize,
        table=table,
    )
    model = _model(source, options, of=of, listed=must_keep is not None, progress=progress)
    model = _trained(model, resampler, replicates=replicates, history=history)
    simulation = SimulationSettings(seed, threads, executor, progress)
    listed = None if must_keep is None else spelled_list(must_keep, model)
    problem = planning_problem(
        model,
        generations=generations,
        samples=samples,
        must_keep=listed,
        of=of,
        law=law,
        simulation=simulation if replicates else None,
        confidence=confidence,
        at_least=at_least,
    )
    # The laws of every design, each of which takes the rounds one by one.
    work = f"comparing designs over {generations:,} rounds"
    expect(progress, Effort(work, generations * _ROUND_S, generations * _ROUND_BYTES))
    comparison = None
    if history is not None:
        problem, comparison = resumed_problem(problem, _history(history, model), keep, costs)
    planned = _planned(problem, keep, costs, replicates, seed, comparison, temperature)
    files = (*(() if listed is None else listed.sources), *Source.files(("history", history)))
    return replace(planned, sources=(*sources_of(planned.target), *files))


def _model(
    source: _Path | Discrete | Gaussian,
    options: InputOptions,
    *,
    of: str | None,
    listed: bool,
    progress: Progress,
) -> Discrete | VarianceTarget | Gaussian:
    """Return what a plan is for: a law of symbols, or the variance of numbers."""
    if isinstance(source, (Discrete, Gaussian)):
        return source
    numbers = of == VARIANCE or (of is None and chosen_family(source, options) == "gaussian")
    if not numbers:
        model: Discrete = read_model(source, options, family="discrete", progress=progress)[0]
        return model
    if listed or options.tokenizer is not None:
        option, got = ("must_keep", "a list") if listed else ("tokenizer", options.tokenizer)
        takes = "labels or words; of numbers the variance is kept"
        remedy = "of=types takes every number as a label"
        raise ArgumentError(option, got=got, takes=takes, remedy=remedy)
    return VarianceTarget(*read_model(source, options, family="gaussian"))


def _trained(
    model: Discrete | VarianceTarget | Gaussian,
    resampler: ResamplerGiven | None,
    *,
    replicates: int,
    history: object,
) -> Discrete | VarianceTarget | Gaussian:
    """Return what a plan is for as a calibrated trainer retrains it."""
    if isinstance(model, VarianceTarget):
        return replace(model, model=trained_by(model.model, resampler))
    trained: Discrete | Gaussian = trained_by(model, resampler)
    if isinstance(trained.estimator if isinstance(trained, Discrete) else None, Resampler):
        if not replicates:
            raise needs_runs()
        if history is not None:
            takes = "nothing beside a resampler: how runs go on is known of an ideal trainer"
            raise ArgumentError("history", got="a recorded run", takes=takes)
    return trained


def _history(
    history: _Path | xarray.Dataset, model: Discrete | VarianceTarget | Gaussian
) -> History:
    if not isinstance(model, Discrete):
        takes = "nothing for numbers: runs of labels and words are planned on from"
        raise ArgumentError("history", got="a recorded run", takes=takes)
    if isinstance(history, (str, os.PathLike)):
        return read_history(history, model=model)
    return History.of_runs(history, model=model)


def _planned(
    problem: PlanningProblem,
    keep: float,
    costs: CostModel | None,
    replicates: int,
    seed: int,
    comparison: HistoryComparison | None,
    temperature: float | None,
) -> Plan:
    """Return the plan: what the laws say first, then the simulations, until Ctrl-C."""
    simulation = problem.simulation
    strategies = list(strategies_for(problem, costs))
    found, examined, interrupted = _examined(strategies, simulation, keep=keep, costs=costs)
    fresh = next((one for one in examined if isinstance(one, FreshStrategy)), None)
    anchors = next((one for one in examined if type(one) is AnchorStrategy), None)
    answer = None if fresh is None else fresh_share_of(fresh, keep, anchors=anchors)
    kinds = {strategy.kind for strategy in examined}
    left_out = dict.fromkeys(one.kind for one in strategies if one.kind not in kinds)
    step_in = _step_in(problem, keep)
    recoveries: tuple[Recovery, ...] = ()
    try:
        simulates = simulation is not None and not interrupted
        recoveries = _recoveries(problem, step_in, keep, simulates=simulates)
    except _INTERRUPTIONS:
        interrupted = True
    designs = _proposed(found)
    best = designs[0]
    sensitivities: tuple[Sensitivity, ...] = ()
    simulated: SimulatedRetention | None = None
    if found.sufficient:
        settings = None if interrupted else simulation
        simulated, sensitivities, stopped = _checked(best, settings, replicates, temperature)
        interrupted |= stopped
    robust: Robustness | None = None
    answers: tuple[PlanAnswer, ...] = ()
    if found.sufficient and not interrupted:
        try:
            answers = answers_to(best, keep=keep, costs=costs)
            robust = robustness_of(
                best,
                examined,
                keep=keep,
                costs=costs,
                simulation=simulation,
                temperature=TEMPERATURE if temperature is None else temperature,
            )
        except _INTERRUPTIONS:
            interrupted = True
    return Plan(
        problem=problem,
        keep=keep,
        costs=costs,
        reason=_reason(found, best, answer, keep),
        designs=designs,
        frontier=found,
        fresh=answer,
        left_out=tuple(left_out),
        step_in=step_in,
        recoveries=recoveries,
        inspection=best.inspection,
        sensitivities=sensitivities,
        robustness=robust,
        answers=answers,
        simulated=simulated,
        comparison=comparison,
        seed=seed,
        interrupted=interrupted,
    )


def _examined(
    strategies: Sequence[Strategy],
    simulation: SimulationSettings | None,
    *,
    keep: float,
    costs: CostModel | None,
) -> tuple[Frontier, list[Strategy], bool]:
    """Return the frontier of strategies, those that it holds, and whether Ctrl-C came before all.

    Raises
    ------
    SimulationInterrupted
        On Ctrl-C before the first of them.
    """
    found = Frontier()
    examined: list[Strategy] = []
    try:
        for one in chain(_with_law(strategies, simulation), _without_law(strategies, simulation)):
            found = found.with_strategy(one, keep=keep, costs=costs)
            examined.append(one)
        found = found.confirmed(keep=keep, costs=costs)
    except _INTERRUPTIONS:
        if not found.points:
            raise
        return found, examined, True
    return found, examined, False


def _step_in(problem: PlanningProblem, keep: float) -> int | None:
    """Return the first round in which less than the target is left on average; None if in none."""
    alone = problem.retention(Replace(), problem.samples).expected
    below = (k for k, left in enumerate(alone[1:], 1) if not reaches(float(left), keep))
    return next(below, None)


def _checked(
    best: Design, simulation: SimulationSettings | None, replicates: int, temperature: float | None
) -> tuple[SimulatedRetention | None, tuple[Sensitivity, ...], bool]:
    """Return runs that check the law, what changes do, and whether Ctrl-C came before all."""
    by_law = best.strategy.by_law
    simulated = None
    sensitivities = size_sensitivities(best) if by_law else ()
    if simulation is None or best.strategy.problem.elapsed is not None:
        return None, sensitivities, False
    try:
        if by_law:
            simulated = best.simulated(simulation, replicates=replicates)
        else:
            sensitivities = size_sensitivities(best)
        sensitivities += stage_sensitivities(best, simulation, temperature=temperature)
    except _INTERRUPTIONS:
        return simulated, sensitivities, True
    return simulated, sensitivities, False


def _proposed(found: Frontier) -> tuple[Design, ...]:
    """Return the cheapest sufficient design of each kind; without any, the closest ones."""
    if found.sufficient:
        return _first_of_each_kind(found.sufficient)
    most = sorted(found.points, key=lambda design: (-design.lowest, design.price))
    closest = _first_of_each_kind(most)[:_CLOSEST]
    return tuple(sorted(closest, key=lambda design: -design.confidence))


def _reason(found: Frontier, best: Design, fresh: FreshShare | None, keep: float) -> str:
    """Return why the target is out of reach; empty if it is not."""
    if found.sufficient:
        return "" if fresh is None else fresh.reason
    assured = best.assurance
    if assured is None:
        return f"no design that was looked at keeps {keep:.1%}; the closest keeps {best.lowest:.1%}"
    return (
        f"no design that was looked at keeps {keep:.1%} in enough runs; the closest does so in "
        f"{assured.confidence:.1%} of them"
    )


def _with_law(
    strategies: Iterable[Strategy], simulation: SimulationSettings | None
) -> Iterator[Strategy]:
    """Yield the strategies whose average a law gives, with progress."""
    known = [one for one in strategies if one.by_law]
    progress = silent if simulation is None else simulation.progress
    for done, strategy in enumerate(known):
        progress("comparing designs", done, len(known))
        yield strategy
    progress("comparing designs", len(known), len(known))


def _without_law(
    strategies: Iterable[Strategy], simulation: SimulationSettings | None
) -> Iterator[Strategy]:
    """Yield the strategies that only a simulation can answer, with progress."""
    others = [one for one in strategies if not one.by_law and one.can_be_simulated]
    if simulation is None or not others:
        return
    for done, strategy in enumerate(others):
        simulation.progress("designs without a law", done, len(others))
        yield strategy
    simulation.progress("designs without a law", len(others), len(others))


def _first_of_each_kind(designs: Iterable[Design]) -> tuple[Design, ...]:
    kinds: dict[str, Design] = {}
    for design in designs:
        kinds.setdefault(design.kind, design)
    return tuple(kinds.values())


def _recoveries(
    problem: PlanningProblem, step_in: int | None, keep: float, *, simulates: bool
) -> tuple[Recovery, ...]:
    """Return the cheapest recovery by fresh draws, for several delays after `step_in`.

    None where there is nothing to recover from, or only simulations that are not to be run tell.
    """
    without_law = "fresh" in problem.target.without_law
    if step_in is None or problem.elapsed is not None or (without_law and not simulates):
        return ()
    # Of a trained model each of dozens of recoveries would take rounds of its own.
    if problem.calibrated:
        return ()
    found = []
    for delay in _DELAYS:
        elapsed = ElapsedRounds(Replace(), problem.samples, step_in + delay)
        found.append(recovery_in(replace(problem, elapsed=elapsed), keep, delay))
    return tuple(found)
