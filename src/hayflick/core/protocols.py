"""What the rooms expect of one another.

A *population* is the state of the models of one block of replicates; a *pool* is the
statistic of the training sets that those models draw. Both belong to a family alone:
the loop over generations hands them on without looking inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hayflick.core.records import (
    Action,
    Mix,
    Reading,
    Verdict,
)

PopulationT = TypeVar("PopulationT")
PoolT = TypeVar("PoolT")
Recorded: TypeAlias = Mapping[str, NDArray[Any]]
"""Measurements by name, the replicate as the first axis."""


class Regime(Protocol):
    """Decides what each generation is trained on."""

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of `generation` (from 1), of `samples` items."""

    @property
    def constant(self) -> bool:
        """Whether every round, without end, has the same mix as the first."""

    def describe(self) -> str:
        """Return the regime in the grammar of the command line: ``fresh:share=0.05``."""


@runtime_checkable
class Rule(Protocol):
    """Decides what to do about a stream; it may remember the readings before."""

    def decide(self, reading: Reading) -> Sequence[Action]:
        """Return what is to be done from the next round on; nothing, mostly."""


class Responder(Protocol):
    """One run's own course: what a reactive regime does in answer to its readings."""

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of `generation`, which follows on the last reading."""

    def read(self, reading: Reading) -> Sequence[Action]:
        """Take the reading of a generation, and return what was decided."""


@runtime_checkable
class ReactiveRegime(Regime, Protocol):
    """A regime whose rounds depend on what was read before."""

    @property
    def metrics(self) -> Sequence[str]:
        """Names of what it reads, as far as it can say."""

    def start(self) -> Responder:
        """Return the course of a new run, which shares nothing with another's."""


class Chart(Protocol):
    """Watches one metric of a stream; the one kind of thing in a monitor that has a state."""

    @property
    def metric(self) -> str:
        """Name of what it reads."""

    def update(self, reading: Reading) -> Verdict:
        """Take the next reading and say how the stream stands."""

    def state(self) -> Mapping[str, Any]:
        """Return all that it remembers, ready for JSON; the charts' `restore` takes it."""


class Chain(Protocol[PopulationT, PoolT]):
    """A family of models in motion, block by block, at a fixed size of training set.

    The stages are called in the order of their definition, once per generation.
    """

    @property
    def samples(self) -> int:
        """Size of a training set."""

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse what the family cannot be trained on, before any work starts."""

    def start(self, replicates: int) -> PopulationT:
        """Return `replicates` copies of the model fitted to the real data."""

    def generate(self, rng: np.random.Generator, population: PopulationT, draws: int) -> PoolT:
        """Draw `draws` items from every model."""

    def mix(self, rng: np.random.Generator, pool: PoolT, mix: Mix[Any]) -> PoolT:
        """Add the real data of `mix`, fresh and stored, to every pool."""

    def estimate(self, pool: PoolT) -> PopulationT:
        """Fit every model to its pool."""

    def measure(self, population: PopulationT) -> Recorded:
        """Return what every generation leaves behind, the replicate as the first axis."""

    def measure_last(self, population: PopulationT) -> Recorded:
        """Return what only the last generation leaves behind."""

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return the further dimension and its coordinate of every name that has one."""

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""


class Pools(Protocol):
    """What rounds that accumulate keep of a family's pools."""

    def start(self, rng: np.random.Generator, replicates: int) -> Any:
        """Return the real data that θ_0 was fitted to, kept."""

    def add(self, rng: np.random.Generator, kept: Any, pool: Any) -> Any:
        """Return what is kept, with a new pool."""

    def training_set(self, rng: np.random.Generator, kept: Any, items: int | None) -> Any:
        """Return a pool of `items` of what is kept, drawn without replacement; None for all."""

    def measure(self, pool: Any, kept: Any) -> Recorded:
        """Return what the newest pool (None for generation 0) and all that is kept leave behind.

        It comes beside what the chain measures of the model, or in its place.
        """


@runtime_checkable
class Accumulator(Protocol):
    """A chain whose rounds can accumulate."""

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how its pools are kept, or refuse what cannot be."""


@runtime_checkable
class CompiledChain(Protocol):
    """A chain that makes many rounds in one compiled call."""

    @property
    def compiled(self) -> bool:
        """Whether it can, with the stages that are asked for."""

    def start(self, replicates: int) -> Any:
        """Return copies of the model fitted to the real data."""

    def walk(
        self,
        rngs: tuple[np.random.Generator, ...],
        population: Any,
        generated: NDArray[np.int64],
        fresh: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the populations after each round, the round as the first axis.

        A population holds one logical block per stream, side by side.
        """

    def measure(self, population: Any) -> Recorded:
        """Return what populations leave behind, the axes before theirs kept."""


class Model(Protocol):
    """A fitted model of a family: parameters, and the chain that retrains it."""

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""

    def chain(self, samples: int, *, stages: Any = ...) -> Chain[Any, Any]:
        """Return the family in motion at training sets of `samples` items.

        `stages` is a `hayflick.chains.stages.Stages`: what else happens in a round.
        """

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
