"""The protocols between rooms.

A *population* is the state of the models of one block of replicates; a *pool* is the
statistic of the training sets that those models draw. Both are private to a family:
the loop over generations passes them on without looking inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hayflick.core.records import Action, Mix, Reading, Verdict

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
        """Whether every round has the same mix."""

    def describe(self) -> str:
        """Return the regime in the grammar of the command line: ``fresh:share=0.05``."""


@runtime_checkable
class Rule(Protocol):
    """Decides what to do about a stream; it may remember earlier readings."""

    def decide(self, reading: Reading) -> Sequence[Action]:
        """Return the actions to take from the next round on; usually none."""


class Responder(Protocol):
    """One run of a reactive regime: its rounds depend on its own readings."""

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        """Return the training set of `generation`, the round after the last reading."""

    def read(self, reading: Reading) -> Sequence[Action]:
        """Take the reading of a generation and return the actions decided."""


@runtime_checkable
class ReactiveRegime(Regime, Protocol):
    """A regime whose rounds depend on earlier readings."""

    @property
    def metrics(self) -> Sequence[str]:
        """Names of the metrics that it reads, if they are known."""

    def start(self) -> Responder:
        """Return the state of a new run, independent of all others."""


class Chart(Protocol):
    """A control chart: watches one metric of a stream and keeps a state."""

    @property
    def metric(self) -> str:
        """Name of the metric that it reads."""

    def update(self, reading: Reading) -> Verdict:
        """Take the next reading and return the verdict."""

    def state(self) -> Mapping[str, Any]:
        """Return its state, ready for JSON; `hayflick.detection.parsing.restore` takes it."""


class Chain(Protocol[PopulationT, PoolT]):
    """A family of models retrained generation by generation, at a fixed training-set size.

    The stages are called in the order of their definition, once per generation.
    """

    @property
    def samples(self) -> int:
        """Size of a training set."""

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse mixes that the family cannot be trained on, before any work starts."""

    def start(self, replicates: int) -> PopulationT:
        """Return `replicates` copies of the model fitted to the real data."""

    def generate(self, rng: np.random.Generator, population: PopulationT, draws: int) -> PoolT:
        """Draw `draws` items from every model."""

    def mix(self, rng: np.random.Generator, pool: PoolT, mix: Mix[Any]) -> PoolT:
        """Add the real data of `mix`, fresh and stored, to every pool."""

    def estimate(self, pool: PoolT) -> PopulationT:
        """Fit every model to its pool."""

    def measure(self, population: PopulationT) -> Recorded:
        """Return the measurements of every generation, the replicate as the first axis."""

    def measure_last(self, population: PopulationT) -> Recorded:
        """Return the measurements of the last generation alone."""

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return the extra dimension of each measurement that has one, and its coordinate."""

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters of the chain, ready for JSON."""


class Pools(Protocol):
    """The accumulated pool of a family: real data and all rounds so far."""

    def start(self, rng: np.random.Generator, replicates: int) -> Any:
        """Return pools that hold the real data to which θ_0 was fitted."""

    def add(self, rng: np.random.Generator, kept: Any, pool: Any) -> Any:
        """Return the accumulated pool with the round's own pool added."""

    def training_set(self, rng: np.random.Generator, kept: Any, items: int | None) -> Any:
        """Return `items` of the accumulated pool, drawn without replacement; None for all."""

    def measure(self, pool: Any, kept: Any) -> Recorded:
        """Return the measurements of the newest pool (None at generation 0) and of all pools.

        They stand beside what the chain measures of the model, or replace it.
        """


@runtime_checkable
class Accumulator(Protocol):
    """A chain whose rounds can accumulate."""

    def pools(self, mixes: Sequence[Mix[Any]]) -> Pools:
        """Return how its pools accumulate, or refuse mixes that cannot."""


@runtime_checkable
class CompiledChain(Protocol):
    """A chain that makes many rounds in one compiled call."""

    @property
    def compiled(self) -> bool:
        """Whether compiled rounds exist for the chosen stages."""

    def start(self, replicates: int) -> Any:
        """Return copies of the model fitted to the real data."""

    def run_rounds(
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
        """Return the measurements of populations; leading axes are kept."""


class Model(Protocol):
    """A fitted model of a family: parameters, and the chain that retrains it."""

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, or the size of the real data where it is None."""

    def chain(self, samples: int, *, stages: Any = ...) -> Chain[Any, Any]:
        """Return the chain that retrains the model on `samples` items a round.

        `stages` is a `hayflick.chains.stages.Stages`: what else happens in a round.
        """

    def describe(self) -> Mapping[str, Any]:
        """Return the parameters of the model, ready for JSON."""
