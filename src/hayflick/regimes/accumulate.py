"""Accumulate: every generation is trained on everything so far, or on a sample of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from typing_extensions import override

from hayflick.core.records import Mix
from hayflick.regimes.regime import NamedRegime


@final
@dataclass(frozen=True, slots=True)
class Accumulate(NamedRegime):
    """Train on the real data and n draws of each model so far.

    Generation k is trained on N_0 + k n items, of which N_0 are the real data; where a law is
    given in place of data, n items are drawn from it.

    Examples
    --------
    >>> mix = Accumulate().mix(7, samples=1000)
    >>> mix.generated, mix.accumulate, mix.subsample
    (1000, True, None)

    References
    ----------
    Gerstgrasser et al., arXiv:2404.01413.
    """

    name: ClassVar[str] = "accumulate"

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        return Mix(generated=samples, accumulate=True)

    @property
    @override
    def constant(self) -> bool:
        return False


@final
@dataclass(frozen=True, slots=True)
class AccumulateSubsample(NamedRegime):
    """Train on n items drawn without replacement from everything so far.

    The pool is that of `hayflick.Accumulate`: the real data and n draws of every model.

    Examples
    --------
    >>> mix = AccumulateSubsample().mix(7, samples=1000)
    >>> mix.generated, mix.accumulate, mix.subsample
    (1000, True, 1000)

    References
    ----------
    Kazdan et al., arXiv:2410.16713.
    """

    name: ClassVar[str] = "accumulate-subsample"

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        return Mix(generated=samples, accumulate=True, subsample=samples)

    @property
    @override
    def constant(self) -> bool:
        return False
