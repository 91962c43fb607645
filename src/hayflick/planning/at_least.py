"""How many examples a class needs in a training set to count as kept."""

from __future__ import annotations

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Integers
from hayflick.core.checks import whole_number

MOST_CLASSES = 200
"""Up to so many classes, a column holds labels: each has a name that people know."""

EXAMPLES = 5
"""Examples that a label needs: of fewer no model learns what it means."""


def holds_labels(model: Discrete) -> bool:
    """Return whether the types of data are labels of a column, rather than words.

    Examples
    --------
    >>> holds_labels(Discrete.from_counts({"spam": 20, "ham": 80}))
    False
    """
    source = model.source
    return source.column is not None and source.tokenizer is None and model.types <= MOST_CLASSES


def default_least(model: Discrete, at_least: int | None = None) -> Integers:
    """Return how many items a training set must hold of every type to keep it.

    Parameters
    ----------
    model
        The real data's law.
    at_least
        So many of each, or the type's own count where that is smaller; None for
        `EXAMPLES` of labels, and 1 of words.

    Raises
    ------
    ArgumentError
        If `at_least` is no whole number from 1 on.

    Examples
    --------
    >>> fruit = Discrete.from_counts({"apple": 6, "pear": 3, "quince": 1})
    >>> default_least(fruit, 5).tolist(), default_least(fruit).tolist()
    ([5, 3, 1], [1, 1, 1])
    """
    if at_least is None:
        at_least = EXAMPLES if holds_labels(model) else 1
    number = whole_number("at_least", at_least, at_least=1)
    if model.counts is None:
        return np.full(model.types, number)
    return np.minimum(number, model.counts)
