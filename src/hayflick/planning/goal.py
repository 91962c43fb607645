"""What a plan is to keep: the share of all types, of a must-keep list, or of diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import positive_number
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.laws.spectrum import spectrum_of

TYPES, MUST_KEEP, DIVERSITY = "types", "must-keep", "diversity"


@dataclass(frozen=True, eq=False)
class Nodes:
    """Types as far as a goal is concerned: those that are alike are one node.

    Parameters
    ----------
    probabilities
        Real probability of each of a node's types, shape ``(nodes,)``.
    numbers
        How many types a node holds, shape ``(nodes,)``.
    weights
        What keeping one of them is worth, shape ``(nodes,)``.
    """

    probabilities: Floats
    numbers: Floats
    weights: Floats

    @property
    def worth(self) -> Floats:
        """What keeping all types of a node is worth, shape ``(nodes,)``."""
        return self.numbers * self.weights

    def taken(self, indices: Integers) -> Nodes:
        """Return the nodes in another order."""
        return Nodes(self.probabilities[indices], self.numbers[indices], self.weights[indices])

    def without_first(self, types: int) -> Nodes:
        """Return what is left where the first `types` types, in order, are taken away."""
        before = np.concatenate([[0.0], np.cumsum(self.numbers)[:-1]])
        gone = np.clip(types - before, 0.0, self.numbers)
        left = self.numbers - gone
        some = left > 0.0
        return Nodes(self.probabilities[some], left[some], self.weights[some])


@dataclass(frozen=True, eq=False)
class Goal:
    """What is to be kept of a discrete law.

    Parameters
    ----------
    model
        The real data's law.
    kind
        ``types``, ``must-keep`` or ``diversity`` (Gini-Simpson).
    listed, listed_weights
        For ``must-keep``: places of the listed types in the model, and what each is worth.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> Goal.of_types(words).worth, Goal.of_list(words, {"cat": 2.0, "here": 5.0}).worth
    (4.0, 7.0)
    """

    model: Discrete
    kind: str = TYPES
    listed: Integers | None = None
    listed_weights: Floats | None = None

    @classmethod
    def of_types(cls, model: Discrete) -> Goal:
        """Return the goal that counts every type alike."""
        return cls(model)

    @classmethod
    def of_diversity(cls, model: Discrete) -> Goal:
        """Return the goal of the model's Gini-Simpson diversity.

        Raises
        ------
        DataError
            If there is a single type, which has no diversity to keep.
        """
        if model.types == 1:
            raise DataError(f"{model.source.name}: holds one type, and so no diversity to keep")
        return cls(model, DIVERSITY)

    @classmethod
    def of_list(cls, model: Discrete, must_keep: Sequence[str] | Mapping[str, float]) -> Goal:
        """Return the goal of listed types, alike or with a weight each.

        Raises
        ------
        ArgumentError
            If the list is empty, or a weight is not above 0.
        DataError
            If the data lack a listed type; up to ten are named.
        """
        if isinstance(must_keep, Mapping):
            weights = dict(must_keep)
        else:
            weights = dict.fromkeys(must_keep, 1.0)
        if not weights:
            raise ArgumentError("must_keep", got="no item", takes="at least one item")
        unknown = [symbol for symbol in weights if symbol not in model.positions]
        if unknown:
            raise _unknown(unknown, model)
        numbers = [positive_number(f"weight of {symbol!r}", w) for symbol, w in weights.items()]
        return cls(model, MUST_KEEP, model.places_of(list(weights)), np.array(numbers))

    @property
    def worth(self) -> float:
        """What keeping everything is worth: in types, in the list's weights, or 1."""
        if self.kind == DIVERSITY:
            return 1.0
        return float(self.nodes.worth.sum())

    @cached_property
    def nodes(self) -> Nodes:
        """All types that count."""
        return self.free_nodes(None)

    def free_nodes(self, reserve: Integers | None) -> Nodes:
        """Return the types that count and that no reserve holds.

        Parameters
        ----------
        reserve
            Stored items by type, shape ``(types,)``; None for none.
        """
        if self.listed is None or self.listed_weights is None:
            held = np.zeros(self.model.types, np.int64) if reserve is None else reserve
            spectrum = spectrum_of(self.model, reserve=held)
            ones = np.ones(spectrum.weights.size)
            return Nodes(spectrum.probabilities, spectrum.weights, ones)
        free = slice(None) if reserve is None else reserve[self.listed] == 0
        pairs = np.stack([self.model.probabilities[self.listed], self.listed_weights])[:, free]
        distinct, numbers = np.unique(pairs, axis=1, return_counts=True)
        return Nodes(distinct[0], numbers.astype(np.float64), distinct[1])


def _unknown(symbols: list[str], model: Discrete) -> DataError:
    return DataError(
        f"must_keep: {model.source.name} lacks {listed(symbols)}; remove them, or check the "
        "tokenizer and the column"
    )
