"""Retention: the share of what a plan is to keep that is left, round by round, by law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import xlog1py

from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.branching import Branching
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.rounds import Rounds, rounds_of
from hayflick.laws.survival import LAWS
from hayflick.laws.wright_fisher import WrightFisher, affordable
from hayflick.planning.goal import DIVERSITY, Goal, Nodes
from hayflick.regimes.replace import Replace

# A plan looks at hundreds of designs: the exact law is for those that take milliseconds.
_MOST_PRODUCTS = 2e6


@dataclass(frozen=True, eq=False)
class Retention:
    """What is left over the generations 0 … K.

    Parameters
    ----------
    expected
        Expected share that is left, shape ``(K + 1,)``, 1 at generation 0.
    law
        ``exact`` or ``branching``.
    error
        How far above `expected` the truth can lie at most.
    baseline
        The same share for one training on real data alone, ``(K + 1,)``.
    counted_from
        The first round that a target is held to; 1 unless there is something to recover from.
    """

    expected: Floats
    law: str
    error: float
    baseline: Floats
    counted_from: int = 1

    @property
    def lowest(self) -> float:
        """The lowest share in any round: a regime whose rounds differ has better and worse."""
        return float(self.expected[self.counted_from :].min())

    @property
    def mean(self) -> float:
        """The share that is left in a round, on average."""
        return float(self.expected[1:].mean())

    def after(self, rounds: int, *, counted_from: int) -> Retention:
        """Return the rounds after the first ones, numbered from 0 again."""
        return replace(
            self,
            expected=self.expected[rounds:],
            baseline=self.baseline[rounds:],
            counted_from=counted_from,
        )


def retention(
    goal: Goal,
    *,
    generations: int,
    regime: Regime = Replace(),
    samples: int | None = None,
    law: str = "auto",
) -> Retention:
    """Return what is left of a goal, round by round.

    Parameters
    ----------
    goal
        What is to be kept.
    generations
        How many rounds, K.
    regime
        What each round is trained on.
    samples
        Size of a training set; the data's own size where None.
    law
        ``exact`` (training sets of at most 3000), ``branching``, or ``auto``: exact where
        that takes milliseconds. Diversity is exact whatever is asked for.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If a reserve names types that the data lack.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.regimes.fresh import Fresh
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> kept = retention(Goal.of_types(words), generations=10, regime=Fresh(0.2))
    >>> kept.law, kept.expected[[1, 10]].round(4).tolist()
    ('exact', [0.9085, 0.8611])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Corollary 1 (bounds on the same expectation).
    """
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    settings: dict[str, Any] = {"regime": regime, "samples": samples, "generations": generations}
    size = goal.model.training_size(samples)
    if goal.kind == DIVERSITY:
        expected = expected_diversity(goal.model, **settings).expected
        sizes = [regime.mix(k, samples=size).samples for k in range(1, generations + 1)]
        alone = np.concatenate([[1.0], 1.0 - 1.0 / np.array(sizes)])
        return Retention(expected / expected[0], "exact", 0.0, alone)
    rounds = rounds_of(goal.model, **settings)
    # What most regimes do without is not looked for among a million types.
    stored = regime.mix(1, samples=size).reserved
    free = goal.free_nodes(rounds.reserve) if stored else goal.nodes
    return kept_of(goal, rounds, free, law=law)


def kept_of(goal: Goal, rounds: Rounds, free: Nodes, *, law: str = "auto") -> Retention:
    """Return what is left of types, those in `free` being held by no reserve.

    Raises
    ------
    ArgumentError
        If the exact law is asked for training sets that are too large for it.
    """
    chosen = _chosen(law, rounds, free)
    worth = goal.worth
    held = worth - float(free.worth.sum())
    expected = (chosen.total(free.probabilities, free.worth) + held) / worth
    expected[0] = 1.0
    expected = np.clip(expected, 0.0, 1.0)
    bound = float(free.worth @ chosen.error(free.probabilities)) / worth
    error = min(bound, 1.0 - float(expected.min()))
    return Retention(expected, chosen.name, error, _baseline(goal, rounds))


def _chosen(law: str, rounds: Rounds, free: Nodes) -> WrightFisher | Branching:
    if law == "branching":
        return Branching.of(rounds)
    most = _MOST_PRODUCTS if law == "auto" else np.inf
    if affordable(rounds, free.probabilities, most=most):
        return WrightFisher(rounds)
    if law == "auto":
        return Branching.of(rounds)
    raise ArgumentError("law", got="exact", takes="training sets of at most 3000 items")


def _baseline(goal: Goal, rounds: Rounds) -> Floats:
    nodes = goal.nodes
    sizes, where = np.unique(rounds.samples, return_inverse=True)
    missed = [np.exp(xlog1py(float(size), -nodes.probabilities)) for size in sizes]
    kept = np.array([1.0 - nodes.worth @ miss / goal.worth for miss in missed])
    return np.concatenate([[1.0], kept[where]])
