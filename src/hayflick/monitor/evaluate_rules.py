"""Evaluate a rules file in simulation: what it keeps in how many runs, at what cost.

There are four kinds of runs of the same length:

- *with the rule*: the model collapses, trained on generated data alone from the first round
  after the baseline; the rule injects real items, those that are due in every round included.
- *without*: the same collapse; the rule decides, and nothing is done. So its first decision comes
  as soon as it can.
- *healthy*: every round is trained on real data alone. Each decision is a false alarm.
- *fixed*: the smallest fixed share of fresh data that holds the target in as many runs.

Charts learn in the run itself, from healthy rounds before the collapse. Real items are counted
from the onset of the collapse.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy.special import betaincinv

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.display import Result
from hayflick.core.effort import StageProgress
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.must_keep import MustKeep
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.calibrated_target import symbol_target
from hayflick.planning.confidence import default_least
from hayflick.planning.dose import smallest_fresh
from hayflick.planning.inputs import ResamplerGiven, trained_by
from hayflick.planning.problem import PlanningProblem, check_target, planning_problem
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.regimes.triggered import Triggered
from hayflick.rules.loading import LoadedRules, listed_target, load_rules
from hayflick.rules.rule_set import RuleSet
from hayflick.rules.trial import MeasuredTarget, RunSummary, Trial, measured_names

_Path: TypeAlias = str | os.PathLike[str]

_LEAST = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class RulesEvaluation(Result):
    """The evaluation of a rules file in simulation.

    Parameters
    ----------
    name
        The rules file.
    keep, confidence, at_least
        The target; the share of runs that are to keep it in every round; the most items that a
        class needs to count as kept. `keep` is None where there is no target.
    rounds, runs, onset
        Rounds from the onset of the collapse, number of runs, and healthy rounds before it.
    healthy_rounds, false_alarms
        Number of rounds trained on real data alone, and of those that led to a decision.
    stated_false_alarms
        The rate that the rules state.
    delays
        Rounds from the onset to the first decision, by run without any real data; NaN without a
        decision.
    with_rule, without_rule, fixed_plan
        The other kinds of runs; `fixed_plan` is None without a target, or where fresh data alone
        cannot hold it.
    fixed_share
        Share of fresh data of the fixed plan.
    unmeasured
        Watches whose metrics a simulation does not measure.
    source, seed
        Name of the data, and seed of the simulations.
    sources
        What was read: the rules and the data.
    """

    name: str
    keep: float | None
    confidence: float
    at_least: int
    rounds: int
    runs: int
    onset: int
    healthy_rounds: int
    false_alarms: int
    stated_false_alarms: float
    delays: Floats
    with_rule: RunSummary
    without_rule: RunSummary
    fixed_plan: RunSummary | None = None
    fixed_share: float | None = None
    unmeasured: tuple[str, ...] = ()
    source: str = ""
    seed: int = 1
    sources: tuple[Source, ...] = ()

    @property
    def success_rate(self) -> float | None:
        """Share of runs with the rule that keep the target in every round; None without one."""
        return None if self.keep is None else self.with_rule.success_rate(self.keep)

    @property
    def standard_error(self) -> float | None:
        """Standard error of `success_rate`."""
        return None if self.keep is None else self.with_rule.standard_error(self.keep)

    @property
    def holds(self) -> bool | None:
        """Whether enough runs keep the target, but for two standard errors; None without one."""
        return None if self.keep is None else self.with_rule.holds(self.keep, self.confidence)

    @property
    def never_fires(self) -> bool:
        """Whether nothing was decided in any run without real data."""
        return self.missed_runs == self.runs

    @property
    def false_alarms_per_thousand(self) -> float:
        """Number of false alarms in 1,000 healthy rounds."""
        return 1000.0 * self.false_alarms / self.healthy_rounds

    @property
    def upper_false_alarms_per_thousand(self) -> float:
        """Upper 95 % confidence bound of the same (Clopper and Pearson)."""
        alarms, rounds = self.false_alarms, self.healthy_rounds
        if alarms == rounds:
            return 1000.0
        return 1000.0 * float(betaincinv(alarms + 1, rounds - alarms, 0.95))

    @property
    def median_delay(self) -> float | None:
        """Rounds from the onset to the first decision, in the median run; None without one."""
        middle = float(np.median(np.nan_to_num(self.delays, nan=np.inf)))
        return middle if np.isfinite(middle) else None

    @property
    def missed_runs(self) -> int:
        """Number of runs without any decision."""
        return int(np.isnan(self.delays).sum())

    @property
    def cost_ratio(self) -> float | None:
        """Different real items of all rounds with the rule, relative to the fixed plan."""
        if self.fixed_plan is None or self.fixed_plan.real_in_all == 0.0:
            return None
        return self.with_rule.real_in_all / self.fixed_plan.real_in_all

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the result again."""
        parameters = {
            "rules": self.name,
            "input": self.source,
            "keep": self.keep,
            "confidence": self.confidence,
            "at_least": self.at_least,
            "generations": self.rounds,
            "replicates": self.runs,
        }
        return provenance(parameters, seed=self.seed)


def evaluate_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    model: Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    keep: float | None = None,
    confidence: float | None = None,
    at_least: int | None = None,
    must_keep: MustKeep | None = None,
    resampler: ResamplerGiven | None = None,
    samples: int | None = None,
    generations: int = 50,
    replicates: int = 200,
    seed: int = 1,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> RulesEvaluation:
    """Evaluate rules in simulation: in how many runs they hold the target, and at what cost.

    Parameters
    ----------
    rules
        A rules file, or rules that were read.
    corpus
        The real data (a text or a table), or their law; the rules' own ``corpus`` where None.
    model
        The same, under its earlier name.
    column, tokenizer, encoding, normalize, table
        How a corpus is read.
    keep
        The target; the highest one of the rules where None. Without any, there is no fixed
        plan.
    confidence
        Share of runs that are to keep the target in every round; the rules' own, or 0.95, where
        None.
    at_least
        Items of a class that count as kept, or all that the data hold of it; the rules' own where
        None, else 5 of labels and 1 of words.
    must_keep
        Symbols to keep in place of all: a file, a sequence, or weights by symbol.
    resampler
        The trainer as it was calibrated: what `hayflick.calibrate` returned, the path of its file,
        or a `hayflick.Resampler`; None for an ideal one. Limits in the rules stay as they are.
    samples, generations, replicates, seed, threads, executor, progress
        As of `hayflick.simulation.simulate.simulate`.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or there are no real data.
    DataError
        If a file cannot be used, no watch reads what a simulation measures, or a target
        cannot be held.

    Examples
    --------
    >>> from hayflick.rules.parsing import parse_rules
    >>> rules = RuleSet.of(parse_rules('''
    ... format_version = 1
    ... mode = "act"
    ... [[watch]]
    ... name = "words"
    ... metric = "surviving_fraction"
    ... below = 0.8
    ... actions = ["real data"]
    ... [[action]]
    ... name = "real data"
    ... kind = "inject"
    ... items = 50
    ... '''))
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> tried = evaluate_rules(rules, corpus=words, generations=10, replicates=32)
    >>> tried.with_rule.mean_minimum > tried.without_rule.mean_minimum
    True
    """
    loaded = load_rules(
        rules,
        corpus=model if corpus is None else corpus,
        column=column,
        tokenizer=tokenizer,
        encoding=encoding,
        normalize=normalize,
        table=table,
        must_keep=must_keep,
        samples=samples,
        generations=generations,
        progress=progress,
    )
    if loaded.model is None:
        takes = "the real data that the rules are tried on"
        raise ArgumentError("corpus", got="nothing", takes=takes)
    loaded.rule_set.check_baseline()
    loaded = replace(loaded, model=trained_by(loaded.model, resampler))
    watch = loaded.watch
    target = target_of_rules(loaded, must_keep=must_keep, at_least=at_least)
    if confidence is None:
        confidence = (watch.confidence if watch is not None else None) or DEFAULT_CONFIDENCE
    problem = replace(
        planning_problem(target, generations=generations, samples=samples),
        simulation=None if resampler is None else SimulationSettings(seed, threads, executor),
        confidence=number_between("confidence", confidence, low=_LEAST, high=1.0 - _LEAST),
    )
    keep = loaded.target if keep is None else keep
    keep = None if keep is None else check_target(keep)
    measured = measured_names(MeasuredTarget.of(target), samples)
    trial = Trial(
        target=target,
        samples=problem.samples,
        rounds=problem.generations,
        replicates=replicates,
        onset=onset_of(loaded.rule_set),
        seed=seed,
        threads=threads,
        executor=executor,
    )
    return _evaluation(loaded, trial, problem, keep, progress, _unmeasured(loaded, measured))


def target_of_rules(
    loaded: LoadedRules, *, must_keep: MustKeep | None = None, at_least: int | None = None
) -> SymbolTarget:
    """Return what rules are to keep: that of their watch with the highest target.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the data lack a listed symbol.
    """
    model, watch = loaded.model, loaded.watch
    assert model is not None
    if at_least is None and watch is not None:
        at_least = watch.at_least
    if must_keep is not None:
        return listed_target(model, must_keep, at_least=at_least)
    if watch is not None and watch.metrics[0] == DIVERSITY:
        return symbol_target(model).of_diversity(model)
    return symbol_target(model).of_types(model, least=default_least(model, at_least))


def onset_of(rule_set: RuleSet) -> int:
    """Return the number of healthy rounds before a collapse, which charts learn from."""
    has_charts = any(watch.chart is not None for watch in rule_set.rules.watch)
    return rule_set.rules.baseline if has_charts else 0


def _evaluation(
    loaded: LoadedRules,
    trial: Trial,
    problem: PlanningProblem,
    keep: float | None,
    progress: Progress,
    unmeasured: tuple[str, ...],
) -> RulesEvaluation:
    rule_set, target = loaded.rule_set, trial.target
    kinds = 3 if keep is None else 4

    def runs(stage: str) -> Trial:
        return replace(trial, progress=StageProgress(progress, stage, times=kinds))

    healthy = runs("healthy rounds").with_rules(rule_set, base=Fresh(1.0), listening=True)
    with_rule = runs("with the rule").with_rules(rule_set)
    without = runs("without").with_rules(rule_set, listening=True)
    share = fixed = None
    items = None if keep is None else smallest_fresh(problem, keep)
    if items is not None:
        share = items / problem.samples
        fixed = runs("fixed share").of(Fresh(share))
    return RulesEvaluation(
        name=rule_set.name,
        keep=keep,
        confidence=problem.confidence or DEFAULT_CONFIDENCE,
        at_least=int(target.needed.max()),
        rounds=trial.rounds,
        runs=trial.replicates,
        onset=trial.onset,
        healthy_rounds=trial.replicates * trial.rounds,
        false_alarms=int((healthy.decisions > 0).sum()),
        stated_false_alarms=rule_set.rules.false_alarms,
        delays=without.delays,
        with_rule=with_rule,
        without_rule=without,
        fixed_plan=fixed,
        fixed_share=share,
        unmeasured=unmeasured,
        source=target.source.name,
        seed=trial.seed,
        sources=rule_set.sources,
    )


def _unmeasured(loaded: LoadedRules, measured: Sequence[str]) -> tuple[str, ...]:
    """Return the watches that a simulation cannot read.

    Raises
    ------
    DataError
        If it can read none of them; the nearest name is offered.
    """
    rule_set = loaded.rule_set
    watches = rule_set.rules.watch
    found = tuple(one.name for one in watches if not any(name in measured for name in one.metrics))
    if len(found) < len(watches):
        return found
    first = watches[0].metrics[0]
    near = difflib.get_close_matches(first, measured, n=1)
    remedy = f"; did you mean {near[0]}?" if near else ""
    raise DataError(
        f"{rule_set.name}: [[watch]] {watches[0].name}: a simulation does not measure {first};"
        f" takes one of {', '.join(measured)}{remedy}"
    )


@dataclass(frozen=True)
class SimulatedRules:
    """A rules file that decides in a simulation, on top of its regime.

    Its charts learn from the first rounds of each run. `hayflick.simulate` takes it as ``rules``.

    Parameters
    ----------
    path
        The rules file.
    """

    path: str | os.PathLike[str]

    def regime(
        self,
        base: Regime = Replace(),
        *,
        model: Discrete,
        samples: int | None = None,
        generations: int = 50,
    ) -> Triggered:
        """Return the regime in which the rules decide.

        Parameters
        ----------
        base
            What a round is trained on otherwise.
        model
            The real data's law, which targets are derived from.
        samples, generations
            Size of a training set, and the horizon.

        Raises
        ------
        ArgumentError
            If the family is not the discrete one.
        DataError
            If the file cannot be used, or reads nothing that a simulation measures.
        """
        if not isinstance(model, Discrete):
            takes = (
                "the family discrete; for others give --regime triggered:BELOW,items=N,metric=NAME"
            )
            raise ArgumentError("rules", got=str(self.path), takes=takes)
        loaded = load_rules(self.path, corpus=model, samples=samples, generations=generations)
        _unmeasured(loaded, measured_names(model, samples))
        loaded.rule_set.check_baseline()
        return Triggered(loaded.rule_set.start(strict=True), base=base)
