"""Periodic: fresh real data in every T-th round only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

from typing_extensions import override

from hayflick.core import checks
from hayflick.core.records import Mix
from hayflick.regimes.regime import NamedRegime


@final
@dataclass(frozen=True, slots=True)
class Periodic(NamedRegime):
    """Train with m new draws from the real law in every T-th round, and without them otherwise.

    Parameters
    ----------
    share
        m / n in rounds T, 2T, …, from 0 to 1; m is rounded to the nearest item.
    every
        T, at least 1 (the regime `hayflick.Fresh`).

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> regime = Periodic(share=0.2, every=5)
    >>> [regime.mix(generation, samples=500).fresh for generation in (1, 4, 5, 6, 10)]
    [0, 0, 100, 0, 100]
    """

    name: ClassVar[str] = "periodic"

    share: float
    every: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share))
        checks.whole_number("every", self.every, at_least=1)

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        due = generation % self.every == 0
        fresh = math.floor(self.share * samples + 0.5) if due else 0
        return Mix(generated=samples - fresh, fresh=fresh)

    @property
    @override
    def constant(self) -> bool:
        return self.every == 1
