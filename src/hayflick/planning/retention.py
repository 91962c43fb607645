"""Retention: the share of what a plan is to keep that is left, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import xlog1py

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import Rounds
from hayflick.laws.wright_fisher import WrightFisher, affordable
from hayflick.planning.nodes import Nodes

SIMULATED = "simulated"
"""The `Retention.law` of what no law gives."""

# A plan looks at hundreds of designs: the exact law is for those that take milliseconds.
_MOST_PRODUCTS = 2e6
_CAUTION = 2.0


@dataclass(frozen=True, eq=False)
class Retention:
    """What is left over the generations 0 … K.

    Parameters
    ----------
    expected
        Share that is left, shape ``(K + 1,)``, 1 at generation 0: its mean over the runs, for
        a variance its median.
    law
        ``exact``, ``branching`` or ``simulated``.
    error
        How far above `expected` the truth can lie at most, where there is a law.
    baseline
        The same share for one training on real data alone, ``(K + 1,)``.
    counted_from
        The first round that a target is held to; 1 unless there is something to recover from.
    standard_error
        Of `expected` where it is simulated, of the same shape; None for a law.
    runs
        How many runs were simulated; 0 for a law.
    """

    expected: Floats
    law: str
    error: float
    baseline: Floats
    counted_from: int = 1
    standard_error: Floats | None = None
    runs: int = 0

    @property
    def lowest(self) -> float:
        """The lowest share in any round: a regime whose rounds differ has better and worse."""
        return float(self.expected[self.counted_from :].min())

    @property
    def assured(self) -> float:
        """What a target is held against: the lowest share, two standard errors below it.

        A law has no such error. So no share or size is too small by the luck of a simulation.
        """
        return float(self.cautious[self.counted_from :].min())

    @property
    def cautious(self) -> Floats:
        """The share that is left, two standard errors below it, shape ``(K + 1,)``."""
        if self.standard_error is None:
            return self.expected
        cautious: Floats = self.expected - _CAUTION * self.standard_error
        return cautious

    @property
    def lowest_error(self) -> float:
        """The standard error in the round in which the least is left; 0 for a law."""
        if self.standard_error is None:
            return 0.0
        place = self.counted_from + int(np.argmin(self.expected[self.counted_from :]))
        return float(self.standard_error[place])

    @property
    def missing(self) -> float:
        """The share that is missing in a round, on average; a variance may be above the real."""
        return float(np.maximum(1.0 - self.expected[1:], 0.0).mean())

    def after(self, rounds: int, *, counted_from: int) -> Retention:
        """Return the rounds after the first ones, numbered from 0 again."""
        error = self.standard_error
        return replace(
            self,
            expected=self.expected[rounds:],
            baseline=self.baseline[rounds:],
            counted_from=counted_from,
            standard_error=None if error is None else error[rounds:],
        )


def kept_of(nodes: Nodes, rounds: Rounds, free: Nodes, *, law: str = "auto") -> Retention:
    """Return what is left of types, by law.

    Parameters
    ----------
    nodes
        All types that count.
    rounds
        What they are trained on.
    free
        Those of the types that no reserve holds.
    law
        ``exact``, ``branching`` or ``auto``.

    Raises
    ------
    ArgumentError
        If the exact law is asked for training sets that are too large for it.
    """
    chosen = _chosen(law, rounds, free)
    worth = float(nodes.worth.sum())
    held = worth - float(free.worth.sum())
    expected = (chosen.total(free.probabilities, free.worth) + held) / worth
    expected[0] = 1.0
    expected = np.clip(expected, 0.0, 1.0)
    bound = float(free.worth @ chosen.error(free.probabilities)) / worth
    error = min(bound, 1.0 - float(expected.min()))
    return Retention(expected, chosen.name, error, real_data_alone(nodes, rounds.samples.tolist()))


def _chosen(law: str, rounds: Rounds, free: Nodes) -> WrightFisher | Branching:
    if law == "branching":
        return Branching.of(rounds)
    most = _MOST_PRODUCTS if law == "auto" else np.inf
    if affordable(rounds, free.probabilities, most=most):
        return WrightFisher(rounds)
    if law == "auto":
        return Branching.of(rounds)
    raise ArgumentError("law", got="exact", takes="training sets of at most 3000 items")


def real_data_alone(nodes: Nodes, sizes: Sequence[int]) -> Floats:
    """Return the share that training sets of real data alone hold, shape ``(K + 1,)``."""
    distinct, where = np.unique(sizes, return_inverse=True)
    missed = [np.exp(xlog1py(float(size), -nodes.probabilities)) for size in distinct]
    worth = nodes.worth.sum()
    kept = np.array([1.0 - nodes.worth @ miss / worth for miss in missed])
    return np.concatenate([[1.0], kept[where]])
