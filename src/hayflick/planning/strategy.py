"""A strategy of a plan: a family of designs in which one whole number is chosen.

A larger number keeps more, so the smallest that keeps enough is found by search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from hayflick.core.protocols import Regime
from hayflick.core.records import Mix
from hayflick.planning.confidence import CAUTION, SIMULATED, Assurance, LawfulBounds
from hayflick.planning.cost import Usage
from hayflick.planning.problem import PlanningProblem
from hayflick.planning.retention import Retention
from hayflick.planning.search import reaches, smallest

STEP = 0.9
"""What a size or a share is multiplied by to see how much it matters."""

_GRID_POINTS, _STEPS = 12, 50
_SIMULATED_POINTS = 6


class Change(NamedTuple):
    """A size, share or period of a design that is one step worse.

    Parameters
    ----------
    name, value, moved
        What is changed, the design's own value, and the changed one.
    strategy, number
        The changed design.
    """

    name: str
    value: float
    moved: float
    strategy: Strategy
    number: int


@dataclass(frozen=True, eq=False)
class Strategy(ABC):
    """Designs of one kind, which differ in one whole number.

    Parameters
    ----------
    problem
        What is to be kept, for how many rounds, at which size of training set.
    """

    problem: PlanningProblem

    @cached_property
    def _known(self) -> dict[int, Retention]:
        return {}

    @property
    def by_law(self) -> bool:
        """Whether a law gives what such designs keep."""
        return self.kind not in self.problem.target.without_law

    @property
    def can_be_simulated(self) -> bool:
        """Whether a simulation is wanted, and feasible for the largest of these designs."""
        problem = self.problem
        return problem.simulation is not None and problem.target.can_simulate(
            self.kind, samples=self.size(self.maximum), generations=problem.generations
        )

    @property
    @abstractmethod
    def kind(self) -> str:
        """Name of this kind of design."""

    @property
    @abstractmethod
    def maximum(self) -> int:
        """The largest number to look at."""

    @property
    def minimum(self) -> int:
        """The smallest number to look at."""
        return 0

    def size(self, number: int) -> int:  # noqa: ARG002
        """Return the size of a training set (of the first, if they grow)."""
        return self.problem.samples

    @abstractmethod
    def regime(self, number: int) -> Regime:
        """Return the regime of a design."""

    def without_real_data(self, number: int) -> bool:
        """Return whether a design uses no real data and no larger training sets."""
        return number == self.minimum

    def retention(self, number: int) -> Retention:
        """Return what a design keeps, round by round; computed once."""
        if number not in self._known:
            self._known[number] = self._retention(number)
        return self._known[number]

    def _retention(self, number: int) -> Retention:
        return self.problem.retention(self.regime(number), self.size(number))

    def bounds(self, number: int, keep: float) -> LawfulBounds | None:  # noqa: ARG002
        """Return what the law says of the share of runs that keep enough; None: ask the target."""
        return None

    def assurance(self, number: int, keep: float) -> Assurance | None:
        """Return on which side of the confidence the share of runs lies that keep enough.

        Of a quarter of the runs at most, until `confirmed` takes all.

        Returns
        -------
        None where averages are compared, or nothing is known of single runs.
        """
        if self.problem.confidence is None:
            return None
        if (number, keep) not in self._assured:
            self._assured[number, keep] = self._assurance(number, keep, searching=True)
        return self._assured[number, keep]

    def _assurance(self, number: int, keep: float, *, searching: bool) -> Assurance | None:
        return self.problem.assurance(
            self.regime(number),
            self.size(number),
            keep,
            bounds=self.bounds(number, keep),
            searching=searching,
        )

    @cached_property
    def _assured(self) -> dict[tuple[int, float], Assurance | None]:
        return {}

    def room(self, number: int, keep: float) -> float:
        """Return how far a design is above its target, below 0 if it is not sufficient.

        As a share of runs; where nothing is known of them, as a share of what is kept.
        """
        assured = self.assurance(number, keep)
        if assured is None or self.problem.confidence is None:
            return self.retention(number).assured - keep
        return assured.assured - self.problem.confidence

    def grid(self) -> list[int]:
        """Return up to twelve numbers from the minimum to the maximum, evenly spaced in log."""
        points = _SIMULATED_POINTS if self.problem.calibrated else _GRID_POINTS
        steps = np.geomspace(1.0, self.maximum - self.minimum + 1.0, points)
        numbers = np.unique(np.round(steps).astype(np.int64)) - 1 + self.minimum
        return [int(number) for number in numbers]

    def smallest(self, keep: float) -> int | None:
        """Return the smallest number that keeps enough; None if none on the grid does."""
        if keep not in self._found:
            self._found[keep] = self._smallest(keep)
        return self._found[keep]

    @cached_property
    def _found(self) -> dict[float, int | None]:
        return {}

    def confirmed(self, number: int, keep: float) -> int | None:
        """Return the number if all runs confirm that it keeps enough, else the next one that does.

        In steps that grow from 2 %; None if none does.
        """
        asked, step = number, 0
        while number <= self.maximum:
            known = self.assurance(number, keep)
            if known is not None and known.law == SIMULATED and known.caution < CAUTION:
                self._assured[number, keep] = self._assurance(number, keep, searching=False)
            if reaches(self.room(number, keep), 0.0):
                break
            step = max(2 * step, (number - self.minimum) // _STEPS, 1)
            number += step
        found = number if number <= self.maximum else None
        if self._found.get(keep) == asked:
            self._found[keep] = found
        return found

    def _smallest(self, keep: float) -> int | None:
        def room(number: int) -> float:
            return self.room(number, keep)

        low = self.minimum
        for high in self.grid():
            if reaches(room(high), 0.0):
                return smallest(room, target=0.0, low=low, high=high)
            low = high
        return None

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses if `kept` is kept."""
        regime, size = self.regime(number), self.size(number)
        rounds = range(1, self.problem.generations + 1)
        mixes: list[Mix[Any]] = [regime.mix(generation, samples=size) for generation in rounds]
        return Usage.of(mixes, forgotten=self._forgotten(kept))

    def _forgotten(self, kept: Retention) -> float:
        return kept.missing * self.problem.target.total_weight

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return usage.real

    def resized(self, samples: int) -> Self:
        """Return the same strategy for another size of training set."""
        return replace(self, problem=replace(self.problem, samples=samples))

    def changes(self, number: int) -> Iterator[Change]:
        """Yield what is one step worse than a design: each of its sizes, shares and periods."""
        size = self.size(number)
        less = max(1, round(STEP * size))
        yield Change("samples", size, less, self.resized(less), round(number * less / size))

    def _fewer_fresh(self, number: int) -> Iterator[Change]:
        fewer, size = round(STEP * number), self.size(number)
        if fewer < number:
            yield Change("share", number / size, fewer / size, self, fewer)


@dataclass(frozen=True, eq=False)
class SingleStrategy(Strategy):
    """A single design: there is no number to choose."""

    maximum: ClassVar[int] = 0
