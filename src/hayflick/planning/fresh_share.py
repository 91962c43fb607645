"""The smallest share of fresh real data that keeps enough; where none does, an anchor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.chains.discrete import Discrete
from hayflick.planning.goal import Goal
from hayflick.planning.objective import DIVERSITY, VARIANCE, Objective
from hayflick.planning.retention import Retention
from hayflick.planning.setting import Setting, check_target, setting_of
from hayflick.planning.stored_types import StoredTypes
from hayflick.planning.ways import FreshWay
from hayflick.regimes.anchor import Anchor


@dataclass(frozen=True, eq=False)
class AnchorProposal:
    """The smallest reserve, one item of each stored type, that keeps enough without fresh data.

    Parameters
    ----------
    regime
        The reserve as a regime.
    types
        How many types it stores.
    highest_count
        How often the most frequent stored type is in the real data (expected, for a law).
    retention
        What is left with it, round by round.
    """

    regime: Anchor
    types: int
    highest_count: float
    retention: Retention


@dataclass(frozen=True, eq=False)
class FreshShare:
    """The answer to "how much fresh real data?".

    Parameters
    ----------
    keep
        The target: what is to be left in every round up to the horizon.
    share, items
        The smallest share and number of fresh items per round; None where none is enough.
    retention
        What is left, round by round: with that share, else with a share of 1.
    anchor
        What to store instead; None where a share is enough, or no reserve is either.
    reason
        Why there is no share; empty where there is one.
    """

    keep: float
    share: float | None
    items: int | None
    retention: Retention
    anchor: AnchorProposal | None
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether fresh draws alone keep enough."""
        return self.share is not None


def fresh_share(
    model: Discrete | Goal,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
) -> FreshShare:
    """Return the smallest share of fresh real data in every round that keeps enough.

    Exact where the law is (`FreshShare.retention` says which); the branching law is a lower
    bound, so that its share is never too small.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1.
    generations, samples, must_keep, law
        As of `hayflick.planning.setting.setting_of`.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.setting.setting_of`, or if `keep` is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> fresh_share(words, keep=0.9, generations=10).share
    0.58
    >>> answer = fresh_share(words, keep=0.95, generations=10)
    >>> answer.feasible, answer.anchor.regime.reserve.symbols
    (False, ('sat', 'here'))
    """
    keep = check_target(keep)
    setting = setting_of(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    return fresh_share_of(FreshWay(setting, setting.samples), keep)


def fresh_share_of(way: FreshWay, keep: float) -> FreshShare:
    """Return the same along a way, for a target that was checked before."""
    setting, items = way.setting, way.smallest(keep)
    if items is not None:
        kept = way.retention(items)
        return FreshShare(keep, items / setting.samples, items, kept, None, "")
    kept = max((way.retention(number) for number in way.tried()), key=lambda kept: kept.lowest)
    reason = _reason(setting.goal, kept, keep)
    return FreshShare(keep, None, None, kept, anchor_for(setting, keep), reason)


def anchor_for(setting: Setting, keep: float) -> AnchorProposal | None:
    """Return the smallest anchor that keeps enough; None where none does."""
    if setting.goal.kind in (DIVERSITY, VARIANCE):
        return None
    stored = StoredTypes(setting)
    types = stored.smallest(keep)
    if not types:
        return None
    highest, kept = stored.highest_count(types), stored.retention(types)
    return AnchorProposal(stored.anchor(types), types, highest, kept)


def _reason(goal: Objective, most: Retention, keep: float) -> str:
    if goal.kind == VARIANCE:
        return (
            f"fresh draws alone cannot keep {keep:.1%} of the variance in the median run: at "
            f"most {most.lowest:.1%}, because the variance of a sample is mostly below the real one"
        )
    return (
        f"fresh draws alone cannot keep {keep:.1%}: even a training set of real data alone "
        f"keeps {most.lowest:.1%}, because a sample of this size misses what is rare"
    )
