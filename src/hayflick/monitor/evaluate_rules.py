"""Evaluate a rules file in simulation: what it costs, what it keeps, and how often it errs.

There are four kinds of runs of the same length:

- *healthy*: every round is trained on real data alone. Each decision is a false alarm.
- *with the rule*: the model collapses, trained on generated data alone from the first round
  after the baseline; the rule injects real items.
- *without*: the same collapse, without any action.
- *fixed*: the smallest fixed share of fresh data with the same assurance of the target.

Charts learn in the run itself, from healthy rounds before the collapse. Real items are counted
from the onset of the collapse.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.special import betaincinv

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.display import Result
from hayflick.core.effort import StageProgress
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Chain, Regime
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.dose import threshold_policy
from hayflick.planning.problem import ElapsedRounds, ResumedRegime, check_target
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.regimes.triggered import Triggered
from hayflick.rules.loading import load_rules
from hayflick.rules.rule_set import RuleSet
from hayflick.simulation.simulate import simulate

_Path: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class RunSummary:
    """One kind of runs, from the onset of the collapse.

    Parameters
    ----------
    retained
        Share that is retained, shape ``(runs, rounds)``.
    real_items
        Real items in each training set, shape ``(runs, rounds)``.
    """

    retained: Floats
    real_items: Floats

    def success_rate(self, keep: float) -> float:
        """Return the share of runs that retain the target in every round."""
        return float((self.retained.min(axis=1) >= keep).mean())

    @property
    def mean_minimum(self) -> float:
        """Lowest share in any round, averaged over the runs."""
        return float(self.retained.min(axis=1).mean())

    @property
    def real_per_round(self) -> float:
        """Average number of real items in a round."""
        return float(self.real_items.mean())


@dataclass(frozen=True, eq=False, kw_only=True)
class RulesEvaluation(Result):
    """The evaluation of a rules file in simulation.

    Parameters
    ----------
    name
        The rules file.
    keep
        The target; None where there is none, and then no fixed plan either.
    rounds, runs, onset
        Rounds from the onset of the collapse, number of runs, and healthy rounds before it.
    healthy_rounds, false_alarms
        Number of rounds trained on real data alone, and of those that led to a decision.
    stated_false_alarms
        The rate that the rules state.
    delays
        Rounds from the onset to the first decision, by run; NaN without a decision.
    with_rule, without_rule, fixed_plan
        The other kinds of runs; `fixed_plan` is None without a target.
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
        """Real items with the rule, relative to the fixed plan."""
        if self.fixed_plan is None or self.fixed_plan.real_per_round == 0.0:
            return None
        return self.with_rule.real_per_round / self.fixed_plan.real_per_round

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the result again."""
        parameters = {
            "rules": self.name,
            "input": self.source,
            "keep": self.keep,
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
    samples: int | None = None,
    generations: int = 50,
    replicates: int = 200,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> RulesEvaluation:
    """Evaluate rules in simulation: false alarms, delay, what is retained and at what cost.

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
    samples, generations, replicates, seed, threads, progress
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
        samples=samples,
        generations=generations,
        progress=progress,
    )
    if loaded.model is None:
        takes = "the real data that the rules are tried on"
        raise ArgumentError("corpus", got="nothing", takes=takes)
    loaded.rule_set.check_baseline()
    keep = loaded.target if keep is None else keep
    metric, unmeasured = retention_metric(loaded.rule_set, loaded.model, samples)
    trial = _Trial(
        rule_set=loaded.rule_set,
        model=loaded.model,
        metric=metric,
        rounds=whole_number("generations", generations, at_least=1),
        samples=loaded.model.training_size(samples),
        replicates=replicates,
        seed=seed,
        threads=threads,
        progress=progress,
        keep=None if keep is None else check_target(keep),
    )
    return trial.evaluation(unmeasured)


@dataclass(frozen=True, eq=False, kw_only=True)
class _Trial:
    """Rules on a law, and the runs that they are tried in."""

    rule_set: RuleSet
    model: Discrete
    metric: str
    rounds: int
    samples: int
    replicates: int
    seed: int
    threads: int | None
    progress: Progress
    keep: float | None

    @property
    def kinds(self) -> int:
        """Number of kinds of runs."""
        return 3 if self.keep is None else 4

    @property
    def onset(self) -> int:
        """Number of healthy rounds before the collapse, which charts learn from."""
        has_charts = any(watch.chart is not None for watch in self.rule_set.rules.watch)
        return self.rule_set.rules.baseline if has_charts else 0

    def evaluation(self, unmeasured: tuple[str, ...]) -> RulesEvaluation:
        onset, size, rounds, keep = self.onset, self.samples, self.rounds, self.keep
        collapse: Regime = Replace()
        if onset:
            collapse = ResumedRegime(ElapsedRounds(Fresh(1.0), size, onset), Replace())
        _, alarms = self.run(self._decided(Fresh(1.0)), "healthy rounds")
        with_rule, decided = self.run(self._decided(collapse), "with the rule")
        without_rule, _ = self.run(collapse, "without")
        share = fixed_plan = None
        if keep is not None:
            policy = threshold_policy(self.model, keep=keep, generations=rounds, samples=size)
            share = policy.fixed_share
            fixed_plan, _ = self.run(Fresh(share), "fixed share")
        first = np.argmax(decided > 0, axis=1) + 1.0
        return RulesEvaluation(
            name=self.rule_set.name,
            keep=keep,
            rounds=rounds,
            runs=self.replicates,
            onset=onset,
            healthy_rounds=self.replicates * rounds,
            false_alarms=int((alarms > 0).sum()),
            stated_false_alarms=self.rule_set.rules.false_alarms,
            delays=np.where((decided > 0).any(axis=1), first, np.nan),
            with_rule=with_rule,
            without_rule=without_rule,
            fixed_plan=fixed_plan,
            fixed_share=share,
            unmeasured=unmeasured,
            source=self.model.source.name,
            seed=self.seed,
            sources=self.rule_set.sources,
        )

    def _decided(self, base: Regime) -> Triggered:
        return Triggered(self.rule_set.start(strict=True), base=base)

    def run(self, regime: Regime, stage: str) -> tuple[RunSummary, Floats]:
        """Return a kind of runs, and the number of decisions by run and round."""
        onset, after = self.onset, slice(self.onset + 1, None)
        runs = simulate(
            self.model,
            generations=onset + self.rounds,
            regime=regime,
            samples=self.samples,
            replicates=self.replicates,
            seed=self.seed,
            threads=self.threads,
            progress=StageProgress(self.progress, stage, times=self.kinds),
        )
        values = runs[self.metric].values
        retained = values[:, after] / values[:, :1]
        if "real_items" in runs:
            real = runs["real_items"].values[:, after].astype(np.float64)
            # The last reading's decision is for a round beyond the runs.
            return RunSummary(retained=retained, real_items=real), runs["actions"].values[:, after]
        mixes = [regime.mix(onset + k, samples=self.samples) for k in range(1, self.rounds + 1)]
        real = np.tile([float(mix.fresh) for mix in mixes], (self.replicates, 1))
        return RunSummary(retained=retained, real_items=real), np.zeros_like(retained)


def retention_metric(
    rule_set: RuleSet, model: Discrete, samples: int | None
) -> tuple[str, tuple[str, ...]]:
    """Return the metric of what is retained, and the watches that a simulation cannot read.

    Raises
    ------
    DataError
        If a simulation measures no metric of any watch; the nearest name is offered.
    """
    chain: Chain[Any, Any] = model.chain(model.training_size(samples))
    measured = chain.measure(chain.start(1))
    names = [name for name, values in measured.items() if values.ndim == 1]
    watches = rule_set.rules.watch
    read = {watch.name: [name for name in watch.metrics if name in names] for watch in watches}
    unmeasured = tuple(name for name, found in read.items() if not found)
    if len(unmeasured) == len(watches):
        first = watches[0].metrics[0]
        near = difflib.get_close_matches(first, names, n=1)
        remedy = f"; did you mean {near[0]}?" if near else ""
        raise DataError(
            f"{rule_set.name}: [[watch]] {watches[0].name}: a simulation does not measure {first};"
            f" takes one of {', '.join(names)}{remedy}"
        )
    with_target = [watch for watch in watches if watch.target is not None and read[watch.name]]
    return (read[with_target[0].name][0] if with_target else "surviving_fraction"), unmeasured


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
        retention_metric(loaded.rule_set, model, samples)
        loaded.rule_set.check_baseline()
        return Triggered(loaded.rule_set.start(strict=True), base=base)
