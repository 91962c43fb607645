"""Rules tried in simulated runs: what each run keeps of a target, and the real items it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from typing_extensions import override

from hayflick.chains.block_counts import BlockCounts, LawBlock
from hayflick.chains.discrete import Discrete
from hayflick.chains.discrete_chains import DiscreteChain, StagedDiscreteChain
from hayflick.chains.resampled import ResampledChain
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Chain, Recorded, Regime, Rule
from hayflick.core.records import Action, ActionKind, Reading
from hayflick.planning.kept_runs import Wanted
from hayflick.planning.problem import ElapsedRounds, ResumedRegime
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.regimes.triggered import Triggered
from hayflick.rules.loading import RETENTION
from hayflick.rules.rule_set import RuleSet, RunningRules
from hayflick.simulation.simulate import simulate

MOST_RUNS, FEWEST_RUNS = 500, 64
"""Runs that rules are tried in before they are written: fewer of large training sets."""

_SECONDS, _SECONDS_PER_ROUND, _SECONDS_PER_ITEM = 20.0, 2e-5, 1e-8
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class RunSummary:
    """One kind of runs, from the onset of the collapse.

    Parameters
    ----------
    retained
        Share that is retained, shape ``(runs, rounds)``.
    real_items
        Real items in each training set, shape ``(runs, rounds)``.
    distinct
        Different real items of all rounds together, shape ``(runs,)``: a stored one that is in
        every round counts once.
    decisions
        Number of decisions after each round, shape ``(runs, rounds)``.
    """

    retained: Floats
    real_items: Floats
    distinct: Floats
    decisions: Floats

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self.retained)

    def success_rate(self, keep: float) -> float:
        """Return the share of runs that retain the target in every round."""
        return float((self.retained.min(axis=1) >= keep - _ROUNDING).mean())

    def standard_error(self, keep: float) -> float:
        """Return the standard error of `success_rate`."""
        rate = self.success_rate(keep)
        return math.sqrt(rate * (1.0 - rate) / self.runs)

    def holds(self, keep: float, confidence: float) -> bool:
        """Return whether enough runs retain the target, but for two standard errors.

        Examples
        --------
        >>> kept = np.where(np.arange(100) < 93, 1.0, 0.0)[:, None]
        >>> runs = RunSummary(
        ...     retained=kept, real_items=kept, distinct=kept[:, 0], decisions=kept
        ... )
        >>> runs.success_rate(0.9), runs.holds(0.9, 0.95), runs.holds(0.9, 0.99)
        (0.93, True, False)
        """
        error = math.sqrt(confidence * (1.0 - confidence) / self.runs)
        return self.success_rate(keep) >= confidence - 2.0 * error

    @property
    def mean_minimum(self) -> float:
        """Lowest share in any round, averaged over the runs."""
        return float(self.retained.min(axis=1).mean())

    @property
    def real_per_round(self) -> float:
        """Average number of real items in a round."""
        return float(self.real_items.mean())

    @property
    def real_in_all(self) -> float:
        """Different real items of all rounds together, averaged over the runs."""
        return float(self.distinct.mean())

    @property
    def deciding_runs(self) -> int:
        """Number of runs in which something was decided."""
        return int((self.decisions > 0).any(axis=1).sum())

    @property
    def delays(self) -> Floats:
        """Rounds from the onset to the first decision, by run; NaN without a decision."""
        decided = self.decisions > 0
        return np.where(decided.any(axis=1), np.argmax(decided, axis=1) + 1.0, np.nan)


@dataclass(frozen=True, eq=False)
class MeasuredTarget(Discrete):
    """A law whose runs also record `RETENTION`: the share of a target that is kept.

    Parameters
    ----------
    wanted
        What counts as kept.
    """

    wanted: Wanted = field(kw_only=True)

    @classmethod
    def of(cls, target: SymbolTarget) -> Discrete:
        """Return the law of a target; of a diversity, which is recorded anyway, the law itself."""
        model = target.model
        if target.kind == DIVERSITY:
            return model
        wanted = Wanted(target.weights, target.needed)
        return cls(model.symbols, model.weights, model.estimator, model.source, wanted=wanted)

    @override
    def chain(
        self, samples: int, *, stages: Stages = Stages()
    ) -> DiscreteChain | StagedDiscreteChain:
        own = super().chain(samples, stages=stages)
        if isinstance(own, ResampledChain):
            return _MeasuredResampledChain(self, own.samples, stages)
        kind = _MeasuredChain if isinstance(own, DiscreteChain) else _MeasuredStagedChain
        return kind(self, own.samples, stages)


class _MeasuredChain(DiscreteChain):
    model: MeasuredTarget

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        wanted = self.model.wanted
        share = wanted.of_block(population) / wanted.weights.sum()
        return {**super().measure(population), RETENTION: share}


class _MeasuredResampledChain(ResampledChain):
    model: MeasuredTarget

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        wanted = self.model.wanted
        share = wanted.of_block(population) / wanted.weights.sum()
        return {**super().measure(population), RETENTION: share}


class _MeasuredStagedChain(StagedDiscreteChain):
    model: MeasuredTarget

    @override
    def measure(self, population: LawBlock) -> Recorded:
        wanted = self.model.wanted
        share = np.ones(len(population.law))
        if population.counts is not None:
            share = wanted.of_counts(population.counts) / wanted.weights.sum()
        return {**super().measure(population), RETENTION: share}


class _Tried:
    """Rules in a run: they put nothing in before the onset, and where they only listen, ever."""

    def __init__(self, running: RunningRules, *, onset: int, listening: bool) -> None:
        self.running, self.onset, self.listening = running, onset, listening

    @property
    def name(self) -> str:
        return self.running.name

    def decide(self, reading: Reading) -> Sequence[Action]:
        actions = self.running.decide(reading)
        if not self.listening:
            return actions
        heard = self.running.proposed
        return tuple(Action(kind=ActionKind.NOTIFY, reason=one.reason) for one in heard)

    def due(self, generation: int) -> Sequence[Action]:
        if self.listening or generation <= self.onset:
            return ()
        return self.running.due(generation)


@dataclass(frozen=True, eq=False, kw_only=True)
class Trial:
    """What runs are made of: the target, the rounds, and healthy rounds before the collapse.

    Parameters
    ----------
    target
        What is to be kept.
    samples, rounds
        Size of a training set, and rounds from the onset of the collapse.
    onset
        Healthy rounds before it, which charts learn from.
    replicates, seed, threads, executor, progress
        As of `hayflick.simulation.simulate.simulate`.
    """

    target: SymbolTarget
    samples: int
    rounds: int
    replicates: int
    onset: int = 0
    seed: int = 1
    threads: int | None = None
    executor: Executor | None = None
    progress: Progress = silent

    @property
    def collapse(self) -> Regime:
        """Training on generated data alone, after the onset."""
        if not self.onset:
            return Replace()
        healthy = ElapsedRounds(Fresh(1.0), self.samples, self.onset)
        return ResumedRegime(healthy, Replace())

    def with_rules(
        self, rule_set: RuleSet, *, base: Regime | None = None, listening: bool = False
    ) -> RunSummary:
        """Return runs in which rules decide, on top of a collapse unless another base is given.

        Where they are only listening, nothing that they decide is done.
        """
        running = rule_set.start(strict=True)
        rule: Rule = _Tried(running, onset=self.onset, listening=listening)
        return self.of(Triggered(rule, base=self.collapse if base is None else base))

    def of(self, regime: Regime) -> RunSummary:
        """Return runs of a regime."""
        after = slice(self.onset + 1, None)
        runs = simulate(
            MeasuredTarget.of(self.target),
            generations=self.onset + self.rounds,
            regime=regime,
            samples=self.samples,
            replicates=self.replicates,
            seed=self.seed,
            threads=self.threads,
            executor=self.executor,
            progress=self.progress,
        )
        diverse = self.target.kind == DIVERSITY
        values = runs["diversity" if diverse else RETENTION].to_numpy()
        retained = values[:, after] / values[:, :1]
        if "real_items" in runs:
            # The last reading's decision is for a round beyond the runs.
            real, stored, decided = (
                runs[name].to_numpy()[:, after].astype(np.float64)
                for name in ("real_items", "stored_items", "actions")
            )
            held = _held_at_most(regime)
        else:
            mixes = [regime.mix(self.onset + k, samples=self.samples) for k in self._numbers]
            stored = np.array([[float(mix.reserved) for mix in mixes]] * self.replicates)
            real = stored + np.array([float(mix.fresh) for mix in mixes])
            decided, held = np.zeros_like(retained), float(stored.max(initial=0.0))
        fresh = (real - stored).sum(axis=1)
        distinct = fresh + np.minimum(stored.sum(axis=1), held)
        return RunSummary(retained=retained, real_items=real, distinct=distinct, decisions=decided)

    @property
    def _numbers(self) -> range:
        return range(1, self.rounds + 1)


def _held_at_most(regime: Regime) -> float:
    """Return how many different stored items rules can put in."""
    rule: Any = getattr(regime, "rule", None)
    running = getattr(rule, "running", rule)
    if not isinstance(running, RunningRules):
        return math.inf
    reserves = running.rule_set.resources.reserves.values()
    return float(sum(len(one.texts) for one in reserves))


def affordable_runs(samples: int, rounds: int) -> int:
    """Return how many runs take about twenty seconds, from 64 to 500.

    Examples
    --------
    >>> affordable_runs(5_000, 50), affordable_runs(1_000_000, 50)
    (500, 64)
    """
    seconds = rounds * (_SECONDS_PER_ROUND + _SECONDS_PER_ITEM * samples)
    return int(np.clip(_SECONDS / seconds, FEWEST_RUNS, MOST_RUNS))


def measured_names(model: Discrete, samples: int | None) -> list[str]:
    """Return the names of the numbers that a simulated run measures in every round."""
    chain: Chain[Any, Any] = model.chain(model.training_size(samples))
    measured = chain.measure(chain.start(1))
    return [name for name, values in measured.items() if values.ndim == 1]


def kept_counts(summary: RunSummary, keep: float) -> Integers:
    """Return in how many runs the target is held up to each round, shape ``(rounds,)``."""
    held = np.minimum.accumulate(summary.retained, axis=1) >= keep - _ROUNDING
    found: Integers = held.sum(axis=0)
    return found
