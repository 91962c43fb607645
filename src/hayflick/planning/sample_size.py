"""The smallest training set that keeps enough: the same in every round, or growing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hayflick.chains.discrete import Discrete
from hayflick.planning.goal import Goal
from hayflick.planning.retention import Retention
from hayflick.planning.setting import check_target, setting_of
from hayflick.planning.smallest import smallest
from hayflick.planning.ways import GROWTH_STEPS, GrowingWay
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.scheduled import Scheduled

_LARGEST = 1 << 40


@dataclass(frozen=True, eq=False)
class SampleSize:
    """The answer to "how large must training sets be?".

    Parameters
    ----------
    samples
        Size of the first round's training set; None where no size is enough.
    growth
        Factor from one round to the next, 1 for the same size throughout.
    total
        Items of all rounds together; None where no size is enough.
    regime
        What each round is trained on.
    retention
        What is left, round by round; None where no size is enough.
    """

    samples: int | None
    growth: float
    total: int | None
    regime: Fresh | Scheduled
    retention: Retention | None

    @property
    def feasible(self) -> bool:
        """Whether a size is enough."""
        return self.samples is not None


def sample_size(
    model: Discrete | Goal,
    *,
    keep: float,
    generations: int,
    share: float = 0.0,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
) -> SampleSize:
    """Return the smallest size of training set, the same in every round, that keeps enough.

    Parameters
    ----------
    model
        The real data's law, or a goal.
    keep, generations, must_keep, law
        As of `hayflick.planning.fresh_share.fresh_share`.
    share
        Of fresh real data in every round.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.fresh_share.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> sample_size(words, keep=0.9, generations=10).samples
    533
    """
    keep, regime = check_target(keep), Fresh(share)
    setting = setting_of(model, generations=generations, samples=1, must_keep=must_keep, law=law)
    size = smallest(
        lambda n: setting.retention(regime, n).lowest, target=keep, low=1, high=_LARGEST
    )
    if size is None:
        return SampleSize(None, 1.0, None, regime, None)
    return SampleSize(size, 1.0, size * generations, regime, setting.retention(regime, size))


def growing_size(
    model: Discrete | Goal,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    share: float = 0.0,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
) -> SampleSize:
    """Return the slowest geometric growth n_k = n g^(k - 1) that keeps enough, to 0.01 %.

    Parameters and errors are those of `sample_size`; `samples` is the first round's size, the
    data's own where None. Growth of up to 2 a round is looked at, while sizes stay below 2^40.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> answer = growing_size(words, keep=0.8, generations=10)
    >>> answer.growth, answer.regime.samples[:3]
    (1.1492, (100, 115, 132))
    """
    keep, regime = check_target(keep), Fresh(share)
    setting = setting_of(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    way = GrowingWay(setting, regime)
    step = smallest(lambda g: way.retention(g).lowest, target=keep, low=0, high=way.most)
    schedule = way.regime(way.most if step is None else step)
    growth = 1.0 + (way.most if step is None else step) / GROWTH_STEPS
    if step is None:
        return SampleSize(None, growth, None, schedule, None)
    kept = way.retention(step)
    return SampleSize(setting.samples, growth, sum(schedule.samples), schedule, kept)
