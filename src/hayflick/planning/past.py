"""What has gone by already: rounds of one regime, and another from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from hayflick.core.protocols import Regime
from hayflick.core.records import Mix


@dataclass(frozen=True, slots=True)
class Past:
    """Rounds that have gone by.

    Parameters
    ----------
    regime, samples
        What each was trained on, and on how many items.
    rounds
        How many.
    """

    regime: Regime
    samples: int
    rounds: int


@final
@dataclass(frozen=True, slots=True)
class Then:
    """A regime that follows on what has gone by.

    Parameters
    ----------
    past
        The rounds before.
    regime
        The one from then on, whose rounds count from 1.

    Examples
    --------
    >>> from hayflick.regimes.fresh import Fresh
    >>> from hayflick.regimes.replace import Replace
    >>> regime = Then(Past(Replace(), 100, 5), Fresh(0.2))
    >>> [regime.mix(generation, samples=100).fresh for generation in (1, 5, 6)]
    [0, 0, 20]
    """

    past: Past
    regime: Regime

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of a generation."""
        if generation <= self.past.rounds:
            return self.past.regime.mix(generation, samples=self.past.samples)
        return self.regime.mix(generation - self.past.rounds, samples=samples)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return False

    def describe(self) -> str:
        """Return the regimes in the grammar of the command line, one after the other."""
        first = self.past.rounds + 1
        return f"{self.past.regime.describe()}, from round {first} {self.regime.describe()}"
