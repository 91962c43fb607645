"""The verdicts on a group's answers, in the order in which they were drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number


@dataclass(frozen=True, eq=False)
class Queue:
    """The verdicts on a group's answers, in the order in which they were drawn.

    Parameters
    ----------
    bad
        Whether each was bad, shape ``(checked,)``.
    population
        How many answers the group has, they among them; None where that is not known.
    group
        Its name; empty for all answers.

    Raises
    ------
    ArgumentError
        If more were checked than there are.
    """

    bad: Sequence[bool]
    population: int | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if self.population is not None:
            at_least = max(1, len(self.bad))
            whole_number("population", self.population, at_least=at_least)

    @property
    def checked(self) -> int:
        """Number of verdicts."""
        return len(self.bad)

    @property
    def found(self) -> int:
        """Number of bad answers among them."""
        return int(sum(self.bad))

    @property
    def share(self) -> float | None:
        """Share of bad answers among them; None before the first."""
        return self.found / self.checked if self.checked else None

    @property
    def values(self) -> Floats:
        """The verdicts as numbers, 1 for bad."""
        return np.asarray(self.bad, dtype=np.float64)

    def continued(self, more: int, *, share: float) -> Queue:
        """Return the queue after `more` checks, `share` of them bad and evenly spread."""
        # Half a step, so that the first bad one comes neither at once nor at the very end.
        numbers = np.floor(np.arange(more + 1) * share + 0.5)
        return replace(self, bad=[*self.bad, *(np.diff(numbers) > 0.0)])
