"""How often real data must come: every T-th round, at the least real data on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.chains.discrete import Discrete
from hayflick.planning.goal import Goal
from hayflick.planning.retention import Retention
from hayflick.planning.setting import Setting, check_target, setting_of
from hayflick.planning.smallest import smallest
from hayflick.planning.ways import FreshWay, PeriodicWay


@dataclass(frozen=True, eq=False)
class PeriodChoice:
    """The smallest share for one period.

    Parameters
    ----------
    every
        T: real data comes in rounds T, 2T, ….
    share
        Of such a round's training set; None where none is enough.
    real_per_round
        Real items, on average over all rounds; None where no share is enough.
    retention
        What is left, round by round: with that share, else with a share of 1.
    """

    every: int
    share: float | None
    real_per_round: float | None
    retention: Retention


@dataclass(frozen=True, eq=False)
class Period:
    """The answer to "how often?".

    Parameters
    ----------
    choices
        One per period that was looked at, in order.
    """

    choices: tuple[PeriodChoice, ...]

    @property
    def best(self) -> PeriodChoice | None:
        """The choice of the least real data, the longest period of those alike."""
        enough = [choice for choice in self.choices if choice.real_per_round is not None]
        return min(enough, key=lambda c: (c.real_per_round, -c.every), default=None)

    @property
    def longest(self) -> int | None:
        """The longest period for which any share is enough."""
        return max((c.every for c in self.choices if c.share is not None), default=None)


def period(
    model: Discrete | Goal,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    periods: Sequence[int] | None = None,
    law: str = "auto",
) -> Period:
    """Return the smallest share for every period, and so the cheapest period.

    What is kept falls between rounds with real data: a period is enough where even the round
    just before keeps enough.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    keep, generations, samples, must_keep, law
        As of `hayflick.planning.fresh_share.fresh_share`.
    periods
        Periods to look at; where None 1, 2, …, up to the first for which no share is enough.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.fresh_share.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> answer = period(words, keep=0.8, generations=40)
    >>> [(choice.every, choice.share) for choice in answer.choices[:3]], answer.longest
    ([(1, 0.07), (2, 0.16), (3, 0.28)], 5)
    """
    keep = check_target(keep)
    setting = setting_of(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    choices = []
    for every in range(1, generations + 1) if periods is None else periods:
        choices.append(_choice(setting, keep, every))
        if periods is None and choices[-1].share is None:
            break
    return Period(tuple(choices))


def _choice(setting: Setting, keep: float, every: int) -> PeriodChoice:
    size = setting.samples
    way = FreshWay(setting, size) if every == 1 else PeriodicWay(setting, every)
    items = smallest(lambda m: way.retention(m).lowest, target=keep, low=0, high=size)
    if items is None:
        return PeriodChoice(every, None, None, way.retention(size))
    real = items * (setting.generations // every) / setting.generations
    return PeriodChoice(every, items / size, real, way.retention(items))
