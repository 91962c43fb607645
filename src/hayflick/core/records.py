"""The small frozen records that cross the seams between rooms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Statistic(Protocol):
    """A sufficient statistic of a data set: how many items, and what they add up to."""

    @property
    def total(self) -> int:
        """Number of items that it summarises."""


StatisticT = TypeVar("StatisticT", bound=Statistic)


@dataclass(frozen=True, slots=True)
class Mix(Generic[StatisticT]):
    """What one generation is trained on.

    Parameters
    ----------
    generated
        Items drawn from the previous generation's model.
    fresh
        Items newly drawn from the real law.
    reserve
        Statistic of the stored real items, the same in every round; None for none.
    accumulate
        Whether what came before stays: the items above join the pool of the real data and
        of all rounds before, and the generation is trained on that.
    subsample
        How many items of the pool, drawn without replacement; all of them where None.

    Examples
    --------
    >>> Mix(generated=950, fresh=50).samples
    1000
    """

    generated: int
    fresh: int = 0
    reserve: StatisticT | None = None
    accumulate: bool = False
    subsample: int | None = None

    @property
    def reserved(self) -> int:
        """Number of stored real items."""
        return 0 if self.reserve is None else self.reserve.total

    @property
    def samples(self) -> int:
        """Size of the training set; where rounds accumulate, of what joins the pool."""
        return self.generated + self.fresh + self.reserved


@dataclass(frozen=True, eq=False)
class Schedule:
    """What generations 1 … K are trained on.

    Parameters
    ----------
    mixes
        One per generation.
    """

    mixes: Sequence[Mix[Any]]

    @cached_property
    def accumulates(self) -> bool:
        """Whether a generation is trained on what came before it too."""
        return any(mix.accumulate for mix in self.mixes)

    @cached_property
    def generated(self) -> NDArray[np.int64]:
        """Items drawn from the model before, shape ``(K,)``."""
        return np.array([mix.generated for mix in self.mixes])

    @cached_property
    def fresh(self) -> NDArray[np.int64]:
        """Items newly drawn from the real law, shape ``(K,)``."""
        return np.array([mix.fresh for mix in self.mixes])
