"""What all parts of a plan share: the goal, the horizon, the size of a training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.survival import LAWS
from hayflick.planning.goal import Goal
from hayflick.planning.objective import (
    DIVERSITY,
    MUST_KEEP,
    TYPES,
    VARIANCE,
    Objective,
)
from hayflick.planning.past import Past, Then
from hayflick.planning.retention import Retention
from hayflick.planning.runs import Runs
from hayflick.planning.variance_goal import VarianceGoal

OBJECTIVES = (TYPES, MUST_KEEP, DIVERSITY, VARIANCE)
"""What a plan can keep."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all ways have in common.

    Parameters
    ----------
    goal
        What is to be kept.
    generations, samples
        How many rounds, and the size of a training set.
    law
        As of `hayflick.planning.goal.Goal.retention`.
    past
        What has gone by already; None for nothing.
    counted_from
        The first round that a target is held to: later than 1 where it must be reached again.
    runs
        Leave to simulate what no law gives; None for laws alone.
    """

    goal: Objective
    generations: int
    samples: int
    law: str = "auto"
    past: Past | None = None
    counted_from: int = 1
    runs: Runs | None = None

    def retention(self, regime: Regime, samples: int) -> Retention:
        """Return what a regime keeps at a size of training set, from now on."""
        past = self.past
        kept = self.goal.retention(
            regime=regime if past is None else Then(past, regime),
            samples=samples,
            generations=self.generations + (0 if past is None else past.rounds),
            law=self.law,
            runs=self.runs,
        )
        return self.from_now(kept)

    def from_now(self, kept: Retention) -> Retention:
        """Return what is kept in the rounds that are still to come."""
        gone = 0 if self.past is None else self.past.rounds
        return kept.after(gone, counted_from=self.counted_from)


def setting_of(
    model: Discrete | Gaussian | Objective,
    *,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    of: str | None = None,
    law: str = "auto",
    runs: Runs | None = None,
) -> Setting:
    """Return the setting of a plan, every argument checked before any work.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    generations, samples
        How many rounds, and the size of a training set; the data's own where None.
    must_keep
        Types to keep, alike or with a weight each; None for all types.
    of
        ``types``, ``must-keep`` or ``diversity``, by whether there is a list where None;
        ``variance`` for a Gaussian law.
    law
        ``auto``, ``exact`` or ``branching``.
    runs
        Leave to simulate what no law gives; None for laws alone.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If the data lack a listed type.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> setting = setting_of(words, generations=10, must_keep=["here"])
    >>> setting.goal.kind, setting.samples
    ('must-keep', 100)
    """
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    goal = _goal(model, must_keep, of) if isinstance(model, (Discrete, Gaussian)) else model
    return Setting(goal, rounds, goal.model.training_size(samples), law, runs=runs)


def check_target(keep: float) -> float:
    """Return the share to keep.

    Raises
    ------
    ArgumentError
        If it is no number above 0 and up to 1.
    """
    takes = "a share above 0, up to 1"
    try:
        share = float(keep)
    except (TypeError, ValueError):
        raise ArgumentError("keep", got=keep, takes=takes) from None
    if not 0.0 < share <= 1.0:
        raise ArgumentError("keep", got=keep, takes=takes)
    return share


def _goal(
    model: Discrete | Gaussian,
    must_keep: Sequence[str] | Mapping[str, float] | None,
    of: str | None,
) -> Objective:
    kind = of or _usual_kind(model, must_keep)
    if kind not in OBJECTIVES:
        raise ArgumentError("of", got=kind, takes=f"one of {', '.join(OBJECTIVES)}")
    if (kind == MUST_KEEP) != (must_keep is not None):
        raise ArgumentError("of", got=kind, takes="must-keep with a list, and no other with one")
    if isinstance(model, Gaussian) != (kind == VARIANCE):
        takes = "variance for numbers, and for labels or words one of the others"
        raise ArgumentError("of", got=kind, takes=takes)
    if isinstance(model, Gaussian):
        return VarianceGoal(model)
    if must_keep is not None:
        return Goal.of_list(model, must_keep)
    return Goal.of_types(model) if kind == TYPES else Goal.of_diversity(model)


def _usual_kind(
    model: Discrete | Gaussian, must_keep: Sequence[str] | Mapping[str, float] | None
) -> str:
    if must_keep is not None:
        return MUST_KEEP
    return VARIANCE if isinstance(model, Gaussian) else TYPES
