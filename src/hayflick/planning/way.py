"""One way to keep something: a family of designs in which one whole number is chosen.

More of that number keeps more, so the smallest that is enough is found by search, between two
neighbours of the numbers that the frontier shows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.planning.cost import Usage
from hayflick.planning.retention import Retention
from hayflick.planning.setting import Setting
from hayflick.planning.smallest import reaches, smallest

_TRIED = 12


@dataclass(frozen=True, eq=False)
class Way(ABC):
    """Designs of one kind, which differ in one whole number."""

    setting: Setting

    @cached_property
    def _known(self) -> dict[int, Retention]:
        return {}

    @property
    def by_law(self) -> bool:
        """Whether a law gives what such designs keep."""
        return self.kind not in self.setting.goal.without_law

    @property
    @abstractmethod
    def kind(self) -> str:
        """What designs of this way are called."""

    @property
    @abstractmethod
    def most(self) -> int:
        """The largest number there is."""

    @property
    def least(self) -> int:
        """The smallest number there is."""
        return 0

    def size(self, number: int) -> int:  # noqa: ARG002
        """Return the size of a training set."""
        return self.setting.samples

    @abstractmethod
    def regime(self, number: int) -> Regime:
        """Return the regime."""

    def bare(self, number: int) -> bool:
        """Return whether the design is no more than rounds without real data."""
        return number == self.least

    def retention(self, number: int) -> Retention:
        """Return what is kept, round by round; it is found once."""
        if number not in self._known:
            self._known[number] = self._retention(number)
        return self._known[number]

    def _retention(self, number: int) -> Retention:
        return self.setting.retention(self.regime(number), self.size(number))

    def tried(self, points: int = _TRIED) -> list[int]:
        """Return numbers from the least to the most, in even steps of their logarithm."""
        steps = np.geomspace(1.0, self.most - self.least + 1.0, points)
        numbers = np.unique(np.round(steps).astype(np.int64)) - 1 + self.least
        return [int(number) for number in numbers]

    def smallest(self, keep: float) -> int | None:
        """Return the smallest number that keeps enough; None where none that is tried does."""

        def kept(number: int) -> float:
            return self.retention(number).assured

        low = self.least
        for high in self.tried():
            if reaches(kept(high), keep):
                return smallest(kept, target=keep, low=low, high=high)
            low = high
        return None

    def mixes(self, number: int) -> list[Mix[Any]]:
        """Return what every round is trained on."""
        regime, size = self.regime(number), self.size(number)
        rounds = range(1, self.setting.generations + 1)
        return [regime.mix(generation, samples=size) for generation in rounds]

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        forgotten = kept.missing * self.setting.goal.worth
        return Usage.of(self.mixes(number), forgotten=forgotten)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return usage.real


@dataclass(frozen=True, eq=False)
class SingleWay(Way):
    """One design alone: there is no number to choose."""

    @property
    def most(self) -> int:
        """There is one."""
        return 0
