"""Rules files with the data that they belong to: targets become limits and doses by law."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from hayflick.chains.discrete import Discrete
from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.planning.dose import ThresholdPolicy, threshold_policy
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.rules.rule_set import RuleSet

_Path: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class LoadedRules:
    """A rules file, ready to start.

    Parameters
    ----------
    rule_set
        The rules, with limits in place of targets.
    policies
        How each of these limits was derived, by name of the watch.
    model
        The real data's law; None where no data were named.
    """

    rule_set: RuleSet
    policies: Mapping[str, ThresholdPolicy] = field(default_factory=dict)
    model: Discrete | None = None

    @property
    def target(self) -> float | None:
        """The highest target that the file names; None where it names none."""
        targets = [watch.target for watch in self.rule_set.rules.watch if watch.target is not None]
        return max(targets, default=None)


def load_rules(
    rules: _Path | RuleSet,
    *,
    corpus: _Path | Discrete | None = None,
    column: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    samples: int | None = None,
    generations: int = 50,
    progress: Progress = silent,
) -> LoadedRules:
    """Return rules whose targets have become limits, as far as there are data.

    Parameters
    ----------
    rules
        A rules file, or rules that were read.
    corpus
        The real data (a text or a table), or their law; the rules' own ``corpus`` where None.
    column, tokenizer, encoding
        How a corpus is read.
    samples, generations
        Size of a training set, and the horizon that a target is held over.
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
            corpus, column=column, tokenizer=tokenizer, encoding=encoding, progress=progress
        )
    rule_set = _rule_set(rules, model)
    named = rule_set.rules.corpus
    if model is None and named is not None:
        model = Discrete.from_file(Path(rule_set.name).parent / named, progress=progress)
        rule_set = _rule_set(rules, model)
    if model is None:
        return LoadedRules(rule_set)
    return derive_limits(rule_set, model=model, samples=samples, generations=generations)


def _rule_set(rules: _Path | RuleSet, model: Discrete | None) -> RuleSet:
    if isinstance(rules, RuleSet):
        return rules
    return RuleSet.from_file(rules, like=None if model is None else model.source)


def derive_limits(
    rule_set: RuleSet, *, model: Discrete, samples: int | None = None, generations: int = 50
) -> LoadedRules:
    """Return rules with limits and doses that follow from their targets.

    Raises
    ------
    DataError
        If a target cannot be held.
    """
    policies: dict[str, ThresholdPolicy] = {}
    limits = {}
    for watch in rule_set.rules.watch:
        if watch.target is None:
            continue
        diverse = watch.metrics[0] == DIVERSITY
        target = SymbolTarget.of_diversity(model) if diverse else SymbolTarget.of_types(model)
        try:
            found = threshold_policy(
                target,
                keep=watch.target,
                generations=generations,
                samples=samples,
                false_alarms=rule_set.rules.false_alarms,
            )
        except DataError as fault:
            raise DataError(f"{rule_set.name}: [[watch]] {watch.name}: {fault}") from None
        policies[watch.name] = found
        if watch.below is None:
            limits[watch.name] = (found.limit * initial_reading(target), found.dose)
    return LoadedRules(rule_set.with_limits(limits), policies, model)


def initial_reading(target: SymbolTarget) -> float:
    """Return what a reading of the target is before the first round: readings are not shares."""
    if target.kind != DIVERSITY:
        return 1.0
    return 1.0 - float((target.model.initial_law**2).sum())
