"""Replace: every generation is trained on the previous model's output alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from typing_extensions import override

from hayflick.core.records import Mix
from hayflick.regimes.regime import NamedRegime


@final
@dataclass(frozen=True, slots=True)
class Replace(NamedRegime):
    """Train on n draws from θ_k and nothing else.

    Examples
    --------
    >>> Replace().mix(1, samples=1000).generated
    1000
    """

    name: ClassVar[str] = "replace"

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        return Mix(generated=samples)
