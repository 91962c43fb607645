"""The types that a goal counts, those that are alike taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats, Integers


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
