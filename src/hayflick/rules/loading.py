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
from hayflick.corpus.table_format import TableFormat
from hayflick.planning.dose import ThresholdPolicy, threshold_policy
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.rules.rule_set import RuleSet

_Path: TypeAlias = str | os.PathLike[str]


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
    def target(self) -> float | None:
        """Highest target of the rules; None without any."""
        targets = [watch.target for watch in self.rule_set.rules.watch if watch.target is not None]
        return max(targets, default=None)


def load_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
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
        if watch.target is None:
            continue
        diverse = watch.metrics[0] == DIVERSITY
        target = SymbolTarget.of_diversity(model) if diverse else SymbolTarget.of_types(model)
        try:
            policy = threshold_policy(
                target,
                keep=watch.target,
                generations=generations,
                samples=samples,
                false_alarms=rule_set.rules.false_alarms,
            )
        except DataError as fault:
            raise DataError(f"{rule_set.name}: [[watch]] {watch.name}: {fault}") from None
        policies[watch.name] = policy
        if watch.below is None:
            limits[watch.name] = (policy.limit * initial_reading(target), policy.dose)
    corpus_read = (replace(one, role="corpus") for one in sources_of(model))
    rule_set = replace(rule_set, sources=(*rule_set.sources, *corpus_read))
    return LoadedRules(rule_set.with_limits(limits), policies, model)


def _rule_set(rules: _Path | RuleSet, model: Discrete | None) -> RuleSet:
    if isinstance(rules, RuleSet):
        return rules
    return RuleSet.from_file(rules, like=None if model is None else model.source)


def initial_reading(target: SymbolTarget) -> float:
    """Return the metric of the real data, which a share of the target is relative to."""
    if target.kind != DIVERSITY:
        return 1.0
    return 1.0 - float((target.model.initial_law**2).sum())
