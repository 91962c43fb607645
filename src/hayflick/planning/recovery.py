"""The way back: rounds and real items until enough is kept again, and the price of waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hayflick.chains.discrete import Discrete
from hayflick.core.checks import whole_number
from hayflick.core.protocols import Regime
from hayflick.planning.goal import Goal
from hayflick.planning.past import Past
from hayflick.planning.retention import Retention
from hayflick.planning.setting import Setting, check_target, setting_of
from hayflick.planning.smallest import reaches
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace

_SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Recovery:
    """The cheapest way back to a target.

    Parameters
    ----------
    waited
        Rounds that go by before it begins.
    share, rounds, items
        Share of fresh real data, for how many rounds, and real items in all; None where the
        target is not reached within the rounds that were looked at.
    retention
        What is left, round by round, from the real data on.
    """

    waited: int
    share: float | None
    rounds: int | None
    items: int | None
    retention: Retention

    @property
    def feasible(self) -> bool:
        """Whether there is a way back by fresh draws."""
        return self.rounds is not None


def recovery(
    model: Discrete | Goal,
    *,
    keep: float,
    rounds_so_far: int,
    regime: Regime = Replace(),
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    within: int = 50,
    waited: int = 0,
    law: str = "auto",
) -> Recovery:
    """Return the way back to a target that takes the fewest real items.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    keep
        The target: what is to be left again.
    rounds_so_far, regime
        The present state: how many rounds have gone by, and what each was trained on.
    samples, must_keep, law
        As of `hayflick.planning.fresh_share.fresh_share`.
    within
        Rounds in which the target is to be reached.
    waited
        Rounds that go on as before, before anything is done.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.fresh_share.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> now = recovery(words, keep=0.85, rounds_so_far=20)
    >>> now.share, now.rounds, now.items
    (0.45, 1, 45)
    """
    keep = check_target(keep)
    whole_number("rounds_so_far", rounds_so_far, at_least=0)
    whole_number("within", within, at_least=1)
    whole_number("waited", waited, at_least=0)
    setting = setting_of(model, generations=within, samples=samples, must_keep=must_keep, law=law)
    past = Past(regime, setting.samples, rounds_so_far + waited)
    return recovery_in(replace(setting, past=past), keep, waited)


def recovery_in(setting: Setting, keep: float, waited: int) -> Recovery:
    """Return the same for a setting whose past is the present state, all checked before."""
    tried = [_by_share(setting, keep, share, waited) for share in _SHARES]
    enough = [way for way in tried if way.items is not None]
    return min(enough, key=lambda way: (way.items, way.rounds), default=tried[-1])


def _by_share(setting: Setting, keep: float, share: float, waited: int) -> Recovery:
    fresh = Fresh(share)
    kept = setting.retention(fresh, setting.samples)
    reached = [k for k, left in enumerate(kept.cautious) if reaches(float(left), keep)]
    if not reached:
        return Recovery(waited, None, None, None, kept)
    items = reached[0] * fresh.mix(1, samples=setting.samples).fresh
    return Recovery(waited, share if reached[0] else 0.0, reached[0], items, kept)


def price_of_waiting(
    model: Discrete | Goal, *, delays: Sequence[int] = (0, 1, 2, 5, 10, 20), **settings: Any
) -> tuple[Recovery, ...]:
    """Return the way back for each of several delays; `settings` are those of `recovery`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> ways = price_of_waiting(words, delays=(0, 20), keep=0.85, rounds_so_far=5)
    >>> [way.items for way in ways]
    [30, 50]
    """
    return tuple(recovery(model, waited=delay, **settings) for delay in delays)
