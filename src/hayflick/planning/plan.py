"""How a plan is made: every kind of design, the cheapest that keeps enough, and checks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.output import check_not_input, check_writable, write_text
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source, sources_of
from hayflick.corpus.counts import Counts
from hayflick.corpus.frames import input_path
from hayflick.corpus.must_keep import must_keep_places, read_must_keep
from hayflick.corpus.reading import Corpus
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.cost import CostModel
from hayflick.planning.designs import (
    Design,
    Frontier,
    Sensitivity,
    frontier,
    size_sensitivities,
    stage_sensitivities,
)
from hayflick.planning.history import History, HistoryComparison, read_history, resumed_problem
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.planning.problem import ElapsedRounds, PlanningProblem, check_target, planning_problem
from hayflick.planning.retention import SimulatedRetention, SimulationSettings
from hayflick.planning.search import reaches
from hayflick.planning.sizing import (
    FreshShare,
    Inspection,
    Recovery,
    fresh_share_of,
    inspection,
    recovery_in,
)
from hayflick.planning.strategies import FreshStrategy, Strategy, strategies_for
from hayflick.planning.targets import VARIANCE, Target
from hayflick.planning.variance_target import VarianceTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import check_running

if TYPE_CHECKING:
    import polars as pl
    import xarray

_Path: TypeAlias = str | os.PathLike[str]
_MustKeep: TypeAlias = _Path | Sequence[str] | Mapping[str, float] | None

_ROUND_S, _ROUND_BYTES = 4e-3, 8000.0
_DELAYS = (0, 5, 20)
_CLOSEST = 3
_INTERRUPTIONS = (SimulationInterrupted, KeyboardInterrupt)


@dataclass(frozen=True, slots=True)
class Margin:
    """How far the recommended design is ahead.

    Parameters
    ----------
    price
        What the runner-up costs more per round (in real items without prices).
    share
        The same as a share of the runner-up's price.
    retention
        What the recommended design keeps above the target.
    """

    price: float
    share: float
    retention: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan(Result):
    """What to do, and why.

    Parameters
    ----------
    problem, keep, costs
        The problem (target, horizon, size), the share to keep, and prices or None.
    reason
        Why fresh draws alone, or all designs, are not enough; empty if they are.
    designs
        Those that keep enough, the recommended one first: the cheapest of each kind. If none
        does, those that come closest.
    frontier
        All designs that were looked at, and the efficient ones.
    fresh
        The answer for fresh draws alone, and the anchor that is proposed instead; None if there is
        no law for it and nothing was to be simulated.
    left_out
        Kinds of design that were not looked at: no law is known for them, and they were not
        simulated.
    step_in
        First round below the target if no real data is used; None if there is none.
    recoveries
        The cheapest recovery by fresh draws, for several delays after `step_in`.
    inspection
        How often to check; None without prices of a check and of loss.
    sensitivities
        What one step of each size, share or stage does to the recommended design.
    simulated
        The recommended design by simulation; None if it was not simulated.
    comparison
        The recorded history; None for none.
    seed
        Of the simulations.
    interrupted
        Whether a simulation was cut short.
    sources
        What was read: the data, the must-keep list, the history.
    """

    problem: PlanningProblem
    keep: float
    costs: CostModel | None
    reason: str
    designs: tuple[Design, ...]
    frontier: Frontier
    fresh: FreshShare | None
    step_in: int | None
    recoveries: tuple[Recovery, ...]
    left_out: tuple[str, ...] = ()
    inspection: Inspection | None = None
    sensitivities: tuple[Sensitivity, ...] = ()
    simulated: SimulatedRetention | None = None
    comparison: HistoryComparison | None = None
    seed: int = 1
    interrupted: bool = False
    sources: tuple[Source, ...] = ()

    @property
    def target(self) -> Target:
        """What is to be kept."""
        return self.problem.target

    @property
    def feasible(self) -> bool:
        """Whether any design keeps enough."""
        return bool(self.designs) and self.designs[0].is_sufficient(self.keep)

    @property
    def best(self) -> Design | None:
        """The recommended design; None if none keeps enough."""
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
        price = second.price - best.price
        share = price / second.price if second.price else 0.0
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
        for point in self.frontier.efficient:
            if kinds and kinds[-1][0] == point.kind:
                kinds.pop()
            kinds.append((point.kind, point.retention.lowest))
        return tuple(kinds)

    def forgotten(self, design: Design) -> float:
        """Return the weight that is missing in the last round."""
        return max(0.0, float(1.0 - design.retention.expected[-1])) * self.target.total_weight

    def simulated_distance(self) -> float | None:
        """Return how far law and simulation of the best design are apart, in standard errors."""
        if self.simulated is None or self.best is None:
            return None
        return self.simulated.distance(self.best.retention)

    def to_frame(self) -> pl.DataFrame:
        """Return the designs as a table to paste into a slide, numbers unrounded.

        Examples
        --------
        >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
        >>> table = plan(words, keep=0.8, generations=10, replicates=0).to_frame()
        >>> table["regime"].to_list()[:2]
        ['anchor:1 items of 1 symbols', 'fresh:share=0.05']
        """
        import polars as pl

        rows = [
            {
                "design": design.kind,
                "regime": design.regime.describe(),
                "kept": design.lowest,
                "real_per_round": design.real_per_round,
                "samples": design.samples,
                "forgotten": self.forgotten(design),
                "cost_per_round": design.cost_per_round,
            }
            for design in self.designs
        ]
        table = pl.DataFrame(rows, schema_overrides={"cost_per_round": pl.Float64})
        return table if self.costs is not None else table.drop("cost_per_round")

    @property
    def reserve(self) -> Counts | None:
        """The stored items of the recommended design; None if it stores no symbols."""
        regime = None if self.best is None else self.best.regime
        return regime.reserve if isinstance(regime, Anchor) else None

    def save_reserve(self, path: str | os.PathLike[str], *, force: bool = False) -> Path:
        r"""Write the recommended reserve as a JSON object of symbol: number of stored items.

        The regime ``anchor:FILE.json`` is then the recommended design.

        Parameters
        ----------
        path
            A name that ends in ``.json``.
        force
            Whether a file that exists is replaced.

        Returns
        -------
        The path that was written.

        Raises
        ------
        ArgumentError
            If the plan recommends no reserve of symbols, or the name is not one of a JSON file;
            nothing is written then.
        OutputError
            If the file exists and `force` is not set, or cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
        >>> result = plan(words, keep=0.8, generations=10, replicates=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.save_reserve(f"{folder}/stored.json").read_text()
        '{\n"here": 1\n}\n'
        """
        check_reserve_file(path, force=force)
        if self.reserve is None:
            kind = "no design" if self.best is None else f"the design {self.best.kind}"
            raise ArgumentError(
                "reserve_out",
                got=f"a plan that recommends {kind}",
                takes="one that recommends stored items of labels or words: there are none to "
                "write",
            )
        stored = dict(zip(self.reserve.symbols, self.reserve.numbers.tolist(), strict=True))
        text = json.dumps(stored, ensure_ascii=False, indent=0)
        return write_text(Path(path), f"{text}\n", force=force)

    def provenance(self) -> dict[str, Any]:
        """Return what is needed to make the plan again."""
        costs = self.costs
        parameters = {
            "input": self.target.source.name,
            "model": self.target.model.describe(),
            "of": self.target.kind,
            "keep": self.keep,
            "generations": self.problem.generations,
            "samples": self.problem.samples,
            "law": self.problem.law,
            "costs": None if costs is None else asdict(costs),
            "replicates": 0 if self.simulated is None else self.simulated.replicates,
            "history": None if self.comparison is None else self.comparison.history.name,
        }
        return provenance(parameters, seed=self.seed)


def check_reserve_file(
    path: _Path, *, inputs: Iterable[_Path | None] = (), force: bool = False
) -> None:
    """Refuse a file that the recommended reserve cannot be written to, before any work starts.

    Raises
    ------
    ArgumentError
        If the name is not one of a JSON file.
    OutputError
        If it exists and `force` is not set, is an input, or cannot be written.
    """
    if Path(path).suffix.lower() != ".json":
        raise ArgumentError("reserve_out", got=str(path), takes="a file name that ends in .json")
    check_not_input(Path(path), inputs)
    check_writable(Path(path), force=force)


def plan(
    source: _Path | Discrete | Gaussian,
    *,
    keep: float = 0.9,
    generations: int = 50,
    must_keep: _MustKeep = None,
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
    replicates: int = 32,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> Plan:
    """Plan how to keep enough of the symbols or the variance of some data for a number of rounds.

    Designs that a law covers come first. Then those that no law covers are simulated: types in
    rounds that accumulate, and most designs for a variance. Ctrl-C returns what is known by then.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a law: `Discrete`
        or `Gaussian`. A table's column of numbers of which one at least is not whole is a
        Gaussian, unless `of` says otherwise.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1.
    generations
        The horizon, K rounds.
    must_keep
        Symbols to keep: a file with one per line (or a JSON list), a sequence, or a mapping
        from symbol to weight; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``, (None: must-keep if there is a list, else types);
        ``variance`` for numbers, that of the median run.
    costs
        Prices; None to rank designs by real items per round. Training sets may grow only if a
        generated item has a price.
    column, tokenizer, encoding, normalize, table
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    samples
        Size of a training set; None for the data's own size.
    law
        ``auto``, ``exact`` or ``branching``.
    history
        A NetCDF file of ``hayflick simulate``, or its Dataset: the plan is for the rounds from
        there to the horizon. Below the target, it is to be reached within ten rounds.
    replicates
        Simulated runs of the recommended design, if it has a law; 0 for the laws alone, without
        the kinds of design that have none.
    seed, threads
        Of the simulations.
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
    simulation = SimulationSettings(seed=seed, threads=threads, progress=progress)
    problem = planning_problem(
        model,
        generations=generations,
        samples=samples,
        must_keep=_entries(must_keep, model),
        of=of,
        law=law,
        simulation=simulation if replicates else None,
    )
    # The laws of every design, each of which takes the rounds one by one.
    work = f"comparing designs over {generations:,} rounds"
    expect(progress, Effort(work, generations * _ROUND_S, generations * _ROUND_BYTES))
    comparison = None
    if history is not None:
        problem, comparison = resumed_problem(problem, _history(history, model), keep, costs)
    planned = _planned(problem, keep, costs, replicates, seed, comparison)
    files = Source.files(("must-keep list", must_keep), ("history", history))
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


def _entries(
    must_keep: _MustKeep, model: Discrete | VarianceTarget | Gaussian
) -> Sequence[str] | Mapping[str, float] | None:
    """Return the symbols to keep; those of a file as the data count them, in lower case say."""
    if not isinstance(must_keep, (str, os.PathLike)):
        return must_keep
    entries = read_must_keep(input_path(must_keep))
    if not isinstance(model, Discrete) or model.counts is None:
        return entries
    corpus = Corpus(Counts(model.symbols, model.counts), model.source)
    return tuple(model.symbols[place] for place in must_keep_places(entries, corpus=corpus))


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
) -> Plan:
    """Return the plan: what the laws say first, then the simulations, until Ctrl-C."""
    target, simulation, interrupted = problem.target, problem.simulation, False
    strategies = list(strategies_for(problem, costs))
    examined = [strategy for strategy in strategies if strategy.by_law]
    found = frontier(examined, keep=keep, costs=costs)
    try:
        for strategy in _without_law(strategies, simulation):
            found = found.with_strategy(strategy, keep=keep, costs=costs)
            examined.append(strategy)
    except _INTERRUPTIONS:
        interrupted = True
    fresh = next((one for one in examined if isinstance(one, FreshStrategy)), None)
    answer = None if fresh is None else fresh_share_of(fresh, keep)
    kinds = {strategy.kind for strategy in examined}
    left_out = dict.fromkeys(one.kind for one in strategies if one.kind not in kinds)

    alone = problem.retention(Replace(), problem.samples).expected
    below = (k for k, left in enumerate(alone[1:], 1) if not reaches(float(left), keep))
    step_in = next(below, None)
    recoveries: tuple[Recovery, ...] = ()
    if step_in is not None and problem.elapsed is None:
        try:
            if "fresh" not in target.without_law or not (simulation is None or interrupted):
                recoveries = _recoveries(problem, step_in, keep)
        except _INTERRUPTIONS:
            interrupted = True

    designs = _proposed(found)
    sensitivities: tuple[Sensitivity, ...] = ()
    simulated, best = None, designs[0]
    if found.sufficient:
        by_law = best.strategy.by_law
        sensitivities = size_sensitivities(best) if by_law else ()
        try:
            if simulation is not None and problem.elapsed is None and not interrupted:
                if by_law:
                    simulated = best.simulated(simulation, replicates=replicates)
                else:
                    sensitivities = size_sensitivities(best)
                sensitivities += stage_sensitivities(best, simulation)
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
        inspection=_inspection(target, costs, alone),
        sensitivities=sensitivities,
        simulated=simulated,
        comparison=comparison,
        seed=seed,
        interrupted=interrupted,
    )


def _proposed(found: Frontier) -> tuple[Design, ...]:
    """Return the cheapest sufficient design of each kind; without any, the closest ones."""
    closest = sorted(found.points, key=lambda design: (-design.lowest, design.price))
    return _first_of_each_kind(found.sufficient) or _first_of_each_kind(closest)[:_CLOSEST]


def _reason(found: Frontier, best: Design, fresh: FreshShare | None, keep: float) -> str:
    """Return why the target is out of reach; empty if it is not."""
    if found.sufficient:
        return "" if fresh is None else fresh.reason
    return f"no design that was looked at keeps {keep:.1%}; the closest keeps {best.lowest:.1%}"


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


def _recoveries(problem: PlanningProblem, step_in: int, keep: float) -> tuple[Recovery, ...]:
    """Return the cheapest recovery by fresh draws, for several delays after `step_in`."""
    found = []
    for delay in _DELAYS:
        elapsed = ElapsedRounds(Replace(), problem.samples, step_in + delay)
        found.append(recovery_in(replace(problem, elapsed=elapsed), keep, delay))
    return tuple(found)


def _inspection(target: Target, costs: CostModel | None, alone: Floats) -> Inspection | None:
    """Return how often to check for one failure of the design over the horizon.

    Until the failure is seen, rounds are trained without real data: `alone` is left then.
    """
    if costs is None or not (costs.check and costs.loss):
        return None
    delay = costs.loss * target.total_weight * max(0.0, float(alone[0] - alone[1]))
    return inspection(check=costs.check, delay=delay, horizon=alone.size - 1)
