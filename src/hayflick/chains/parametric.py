"""What families of a few numbers share: a population is an array of their parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.stages.record import Stages
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix


def refuse_reserves(mixes: Sequence[Mix[Any]], family: str) -> None:
    """Refuse stored items, for a family that has no use for them.

    Raises
    ------
    ArgumentError
        If a mix has some.
    """
    if any(mix.reserve is not None for mix in mixes):
        takes = f"for the family {family}: replace or fresh"
        raise ArgumentError("regime", got="a reserve", takes=takes)


def refuse_small_rounds(mixes: Sequence[Mix[Any]], family: str, *, at_least: int) -> None:
    """Refuse training sets too small for the family's estimator.

    Raises
    ------
    ArgumentError
        If a mix is smaller.
    """
    smallest = min((mix.samples for mix in mixes), default=at_least)
    if smallest < at_least:
        takes = f"training sets of at least {at_least} items for the family {family}"
        raise ArgumentError("regime", got=f"a round of {smallest}", takes=takes)


class ParametricChain(ABC):
    """A family whose model is a few numbers; see `hayflick.core.protocols.Chain`.

    A population has shape ``(parameters, replicates)``.
    """

    family: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    smallest_round: ClassVar[int] = 1

    def __init__(self, model: Any, samples: int, stages: Stages) -> None:
        self.model = model
        self.samples = samples
        self.stages = stages

    @property
    @abstractmethod
    def real(self) -> tuple[float, ...]:
        """θ_0, the parameters fitted to the real data."""

    @property
    def unit(self) -> float:
        """What a grid's bits divide."""
        return 1.0

    def start(self, replicates: int) -> Floats:
        """Return copies of the model fitted to the real data."""
        fitted = self.rounded(np.array(self.real, dtype=np.float64))
        return np.repeat(fitted[:, None], replicates, axis=1)

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse stored items, which numeric families do not take, and rounds too small.

        Raises
        ------
        ArgumentError
            If a mix has some, or is.
        """
        refuse_reserves(mixes, self.family)
        refuse_small_rounds(mixes, self.family, at_least=self.smallest_round)

    def rounded(self, values: Floats) -> Floats:
        """Return parameters on their grid."""
        grid = self.stages.rounding
        return values if grid is None else grid.rounded(values, unit=self.unit)

    def measure(self, population: Floats) -> Recorded:
        """Return the parameters by name, from shape ``(…, parameters, replicates)``."""
        return {name: population[..., row, :] for row, name in enumerate(self.parameters)}

    def measure_last(self, population: Floats) -> Recorded:  # noqa: ARG002
        """Return nothing beyond what every generation leaves behind."""
        return {}

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return no further dimension."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        return {**self.model.describe(), "samples": self.samples, **self.stages.describe()}


class WalkingChain(ParametricChain):
    """A parametric family with compiled rounds; see `hayflick.core.protocols.Walker`.

    Where no stage but rounding is asked for, `walk` makes many rounds in one call: the same
    draws in the same order as the stages one by one.
    """

    @cached_property
    def compiled(self) -> bool:
        """Whether `walk` knows all stages that are asked for."""
        return set(self.stages.given()) <= {"rounding"}

    @cached_property
    def step(self) -> float:
        """Distance between the values of parameters; 0 where they are not rounded."""
        grid = self.stages.rounding
        return 0.0 if grid is None else grid.step_for(self.unit)

    @abstractmethod
    def walk(
        self,
        rngs: tuple[np.random.Generator, ...],
        population: Floats,
        generated: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> Floats:
        """Return the populations of the next generations, in one compiled call.

        Parameters
        ----------
        rngs
            One stream per logical block.
        population
            The logical blocks side by side, shape ``(parameters, replicates)``.
        generated, fresh
            Items of each round, shape ``(rounds,)``.

        Returns
        -------
        Shape ``(rounds, parameters, replicates)``.
        """
