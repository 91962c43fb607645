"""Which types to store as an anchor: those that are most likely to be lost, one item of each.

A stored type is in every training set, so storing one gains its weight times its chance of
being lost, and takes one item's room from what the model generates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.corpus.counts import Counts
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.planning.problem import PlanningProblem, ResumedRegime
from hayflick.planning.retention import Retention, TypeGroups, retention_by_law
from hayflick.planning.search import smallest
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False)
class StoredTypes:
    """Anchors of one item of each of the types that are most worth storing.

    Parameters
    ----------
    problem
        What is to be kept (all types or a list of them), for how many rounds, at which size.
    ordered_by
        Other anchors that store the same types, in another setting; None for none.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.problem import planning_problem
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> stored = StoredTypes(planning_problem(words, generations=10))
    >>> stored.smallest(0.9), stored.anchor(1).reserve.symbols
    (1, ('here',))
    """

    problem: PlanningProblem
    ordered_by: StoredTypes | None = None

    def __post_init__(self) -> None:
        kind = self.problem.target.kind
        if not isinstance(self.problem.target, SymbolTarget) or kind == DIVERSITY:
            takes, remedy = "types or a must-keep list", "fresh draws keep it"
            raise ArgumentError("goal", got=kind, takes=takes, remedy=remedy)

    @property
    def target(self) -> SymbolTarget:
        """What is to be kept."""
        return cast(SymbolTarget, self.problem.target)

    @property
    def maximum(self) -> int:
        """How many types can be stored: all that count, if a training set holds them."""
        return int(min(self.target.groups.numbers.sum(), self.problem.samples))

    def retention(self, types: int) -> Retention:
        """Return what is left where the first `types` types are stored."""
        free = self._order.without_first(types)
        kept = retention_by_law(self.target.groups, self._rounds(types), free, law=self.problem.law)
        kept = self.problem.from_now(kept)
        if self.problem.elapsed is None:
            return kept
        # Nothing was stored until now.
        return replace(kept, expected=np.concatenate([[self._now], kept.expected[1:]]))

    @cached_property
    def _now(self) -> float:
        """What is left at present."""
        return float(self.problem.retention(Replace(), self.problem.samples).expected[0])

    def smallest(self, keep: float) -> int | None:
        """Return how many types must be stored; None where no number of them is enough."""
        return smallest(lambda n: self.retention(n).lowest, target=keep, low=0, high=self.maximum)

    def anchor(self, types: int) -> Anchor:
        """Return the regime that stores the first `types` types; equal ones in the data's order.

        Raises
        ------
        ArgumentError
            If `types` is not between 1 and `most`.
        """
        whole_number("types", types, at_least=1, at_most=self.maximum)
        where = np.sort(self._places[:types])
        symbols = np.array(self.target.model.symbols, dtype=object)[where]
        return Anchor(Counts(tuple(symbols), np.ones(types, dtype=np.int64)))

    def highest_count(self, types: int) -> float:
        """Return how often the data hold the most frequent of the first `types` types.

        For a law that is known, its expected count in a training set.
        """
        weights = self.target.model.weights
        highest = float(weights[self._places[:types]].max())
        if self.target.model.total is not None:
            return highest
        return highest / float(weights.sum()) * self.problem.samples

    @cached_property
    def _replace(self) -> ChainRounds:
        own, elapsed = self.problem, self.problem.elapsed
        regime: Regime = Replace() if elapsed is None else ResumedRegime(elapsed, Replace())
        rounds = own.generations + (0 if elapsed is None else elapsed.rounds)
        return rounds_of(self.target.model, regime=regime, samples=own.samples, generations=rounds)

    def _rounds(self, types: int) -> ChainRounds:
        """Return the rounds of the types that are not stored."""
        rounds, elapsed = self._replace, self.problem.elapsed
        generated = rounds.generated.copy()
        generated[0 if elapsed is None else elapsed.rounds :] -= types
        return replace(rounds, generated=generated)

    @cached_property
    def _order(self) -> TypeGroups:
        """The types that count, as nodes, the most worth storing first."""
        if self.ordered_by is not None:
            return self.ordered_by._order
        groups = self.target.groups
        gains = self._log_gains(groups.probabilities, groups.weights)
        return groups.taken(np.argsort(-gains, kind="stable"))

    @cached_property
    def _places(self) -> Integers:
        """Where the types that count stand in the model, the most worth storing first."""
        if self.ordered_by is not None:
            return self.ordered_by._places
        target = self.target
        places = np.arange(target.model.types) if target.listed is None else target.listed
        weights = np.ones(places.size) if target.listed_weights is None else target.listed_weights
        gains = self._log_gains(target.model.probabilities[places], weights)
        return places[np.argsort(-gains, kind="stable")]

    def _log_gains(self, probabilities: Floats, weights: Floats) -> Floats:
        """Return the log of each weight times the chance of being lost without an anchor."""
        slope = Branching.of(self._replace).slope[-1]
        gains: Floats = np.log(weights) - probabilities * slope
        return gains
