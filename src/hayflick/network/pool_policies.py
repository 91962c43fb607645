"""What joins the shared pool after a round, and what of it is read.

The store keeps every text; a policy says which of them are in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.core.checks import whole_number
from hayflick.core.grammar import Entry, parse, whole


@final
@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """How the pool changes from round to round.

    Parameters
    ----------
    name
        In the grammar of the command line.
    adds
        Whether the ``first`` answer to each query joins, as in the paper, or ``all`` of them.
    window
        How many of the last rounds' texts are in force, the first pool being round 0; None
        for all rounds.
    waits
        Whether a text of a model waits until a person admits it.

    Examples
    --------
    >>> parse_policy("window:2").in_force(np.array([0, 1, 2, 3]), after=3).tolist()
    [False, False, True, True]
    """

    name: str
    adds: Literal["first", "all"] = "first"
    window: int | None = None
    waits: bool = False

    def in_force(self, rounds: Integers, *, after: int) -> NDArray[np.bool_]:
        """Return which texts the window leaves after a round, by the rounds they came after."""
        if self.window is None:
            return np.ones(rounds.size, dtype=np.bool_)
        kept: NDArray[np.bool_] = rounds > after - self.window
        return kept


def _window(w: str) -> PoolPolicy:
    rounds = whole_number("w", whole("w", w), at_least=1)
    return PoolPolicy(f"window:w={rounds}", window=rounds)


POLICIES: Mapping[str, Entry[PoolPolicy]] = {
    "add-first": Entry(lambda: PoolPolicy("add-first")),
    "add-all": Entry(lambda: PoolPolicy("add-all", adds="all")),
    "replace": Entry(lambda: PoolPolicy("replace", adds="all", window=1)),
    "window": Entry(_window, ("w",)),
    "admit": Entry(lambda: PoolPolicy("admit", waits=True)),
}
"""All policies by name."""


def parse_policy(text: str) -> PoolPolicy:
    """Return the policy that `text` names.

    Raises
    ------
    ArgumentError
        If it is not understood; the nearest name is offered.

    Examples
    --------
    >>> parse_policy("add-all").adds, parse_policy("replace").window
    ('all', 1)
    """
    return parse("policy", text, POLICIES)
