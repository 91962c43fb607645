"""Fresh: a share of every training set is newly drawn from the real law."""

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
class Fresh(NamedRegime):
    """Train on n - m draws from θ_k and m new draws from the real law, in every round.

    Parameters
    ----------
    share
        m / n, from 0 (replace) to 1 (real data alone); m is rounded to the nearest item.

    Raises
    ------
    ArgumentError
        If `share` is outside [0, 1].

    Examples
    --------
    >>> mix = Fresh(share=0.05).mix(1, samples=1000)
    >>> mix.generated, mix.fresh
    (950, 50)
    """

    name: ClassVar[str] = "fresh"

    share: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "share", checks.share("share", self.share))

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        fresh = math.floor(self.share * samples + 0.5)
        return Mix(generated=samples - fresh, fresh=fresh)
