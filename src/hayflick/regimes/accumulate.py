"""Accumulate: every generation is trained on everything so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from hayflick.core.records import Mix


@final
@dataclass(frozen=True, slots=True)
class Accumulate:
    """Train on the real data and all n draws of every model so far, θ_k's n new ones included.

    Generation k is trained on N_0 + k n items, N_0 those of the real data; where a law is
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

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return what a generation adds to the pool."""
        return Mix(generated=samples, accumulate=True)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix: no, the pool grows."""
        return False

    def describe(self) -> str:
        """Return the regime in the grammar of the command line."""
        return "accumulate"


@final
@dataclass(frozen=True, slots=True)
class AccumulateSubsample:
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

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return what a generation adds to the pool, and how many of its items are trained on."""
        return Mix(generated=samples, accumulate=True, subsample=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix: no, the pool grows."""
        return False

    def describe(self) -> str:
        """Return the regime in the grammar of the command line."""
        return "accumulate-subsample"
