"""Load rules with the real data they belong to: limits and doses follow from targets by law."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import sources_of
from hayflick.corpus.must_keep import MustKeep
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.calibrated_target import symbol_target
from hayflick.planning.confidence import default_least
from hayflick.planning.dose import ThresholdPolicy, threshold_policy
from hayflick.planning.problem import spelled_list
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.rules.model import Inject, WatchTable
from hayflick.rules.rule_set import RuleSet

_Path: TypeAlias = str | os.PathLike[str]

RETENTION = "retention"
"""The share of the target that a training set holds: a metric of simulations and of answers."""


@dataclass(frozen=True, eq=False)
class LoadedRules:
    """Rules that are ready to start.

    Parameters
    ----------
    rule_set
        The rules, with derived limits.
    policies
        The policies that the limits were derived from, by name of the watch.
    model
        The law of the real data; None without data.
    """

    rule_set: RuleSet
    policies: Mapping[str, ThresholdPolicy] = field(default_factory=dict)
    model: Discrete | None = None

    @property
    def watch(self) -> WatchTable | None:
        """The watch with the highest target; None without any."""
        aimed = [watch for watch in self.rule_set.rules.watch if watch.target is not None]
        return max(aimed, key=lambda watch: watch.target or 0.0, default=None)

    @property
    def target(self) -> float | None:
        """Highest target of the rules; None without any."""
        return None if self.watch is None else self.watch.target


def load_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    must_keep: MustKeep | None = None,
    samples: int | None = None,
    generations: int = 50,
    progress: Progress = silent,
) -> LoadedRules:
    """Return rules with the limits and doses that follow from their targets, if there are data.

    Parameters
    ----------
    rules
        A rules file, or rules that were read.
    corpus
        The real data (a text or a table), or their law; the rules' own ``corpus`` where None.
    column, tokenizer, encoding, normalize, table
        How a corpus is read.
    must_keep
        The list that ``retention`` is of; None for all symbols.
    samples, generations
        Size of a training set, and the number of rounds that a target is for.
    progress
        Called with how far reading the data has come.

    Raises
    ------
    DataError
        If the file or its data cannot be used, or a target cannot be held.
    """
    model = None
    if isinstance(corpus, Discrete):
        model = corpus
    elif corpus is not None:
        model = Discrete.from_file(
            corpus,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize,
            table=table,
            progress=progress,
        )
    rule_set = _rule_set(rules, model)
    named = rule_set.rules.corpus
    if model is None and named is not None:
        model = Discrete.from_file(Path(rule_set.name).parent / named, progress=progress)
        rule_set = _rule_set(rules, model)
    if model is None:
        return LoadedRules(rule_set)
    policies: dict[str, ThresholdPolicy] = {}
    limits = {}
    for watch in rule_set.rules.watch:
        if watch.target is None or not _derives(watch, rule_set):
            continue
        target = target_of(watch, model, must_keep=must_keep)
        try:
            policy = threshold_policy(
                target,
                keep=watch.target,
                generations=generations,
                samples=samples,
                confidence=watch.confidence or DEFAULT_CONFIDENCE,
                false_alarms=rule_set.rules.false_alarms,
            )
        except DataError as fault:
            raise DataError(f"{rule_set.name}: [[watch]] {watch.name}: {fault}") from None
        policies[watch.name] = policy
        if watch.below is None:
            limits[watch.name] = (policy.below * initial_reading(target), policy.dose)
    corpus_read = (replace(one, role="corpus") for one in sources_of(model))
    rule_set = replace(rule_set, sources=(*rule_set.sources, *corpus_read))
    return LoadedRules(rule_set.with_limits(limits), policies, model)


def _derives(watch: WatchTable, rule_set: RuleSet) -> bool:
    """Return whether a limit or a dose follows from the target of a watch."""
    actions = (rule_set.rules.action_named(name) for name in watch.actions)
    return watch.below is None or any(isinstance(one, Inject) for one in actions)


def target_of(
    watch: WatchTable, model: Discrete, *, must_keep: MustKeep | None = None
) -> SymbolTarget:
    """Return what the numbers of a watch are a share of."""
    metric = watch.metrics[0]
    if metric == DIVERSITY:
        return SymbolTarget.of_diversity(model)
    if metric == RETENTION and must_keep is not None:
        return listed_target(model, must_keep, at_least=watch.at_least)
    # Of surviving types a single item is enough.
    at_least = watch.at_least if metric == RETENTION or watch.target is not None else 1
    return SymbolTarget.of_types(model, least=default_least(model, at_least))


def listed_target(
    model: Discrete, must_keep: MustKeep, *, at_least: int | None = None
) -> SymbolTarget:
    """Return the target of a must-keep list.

    Raises
    ------
    DataError
        If the list cannot be read, or the data lack an entry.
    """
    entries = spelled_list(must_keep, model)
    return symbol_target(model).of_list(model, entries, least=default_least(model, at_least))


def _rule_set(rules: _Path | RuleSet, model: Discrete | None) -> RuleSet:
    if isinstance(rules, RuleSet):
        return rules
    return RuleSet.from_file(rules, like=None if model is None else model.source)


def initial_reading(target: SymbolTarget) -> float:
    """Return the metric of the real data, which a share of the target is relative to."""
    if target.kind != DIVERSITY:
        return 1.0
    return 1.0 - float((target.model.initial_law**2).sum())
