"""What every goal of a plan knows: what it counts, and how what is kept of it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hayflick.chains.stages.record import Stages
from hayflick.core.arrays import Floats
from hayflick.core.protocols import Regime
from hayflick.corpus.source import Source
from hayflick.planning.retention import Retention
from hayflick.planning.runs import Runs
from hayflick.planning.simulated import Simulated

TYPES, MUST_KEEP, DIVERSITY, VARIANCE = "types", "must-keep", "diversity", "variance"
"""What a plan can keep."""

ACCUMULATING = ("accumulate", "accumulate-subsample")
"""Kinds of design in which rounds accumulate."""


@dataclass(frozen=True, eq=False)
class StageMove:
    """A stage of a round that a design does without, set one step for the worse.

    Parameters
    ----------
    name
        Of the knob.
    value, moved
        What it is without the stage (None where that is no number), and with it.
    stages
        The round with it.
    """

    name: str
    value: float | None
    moved: float
    stages: Stages


class Objective(Protocol):
    """What a plan is to keep."""

    @property
    def model(self) -> Any:
        """The real data's law."""

    @property
    def kind(self) -> str:
        """One of `TYPES`, `MUST_KEEP`, `DIVERSITY` and `VARIANCE`."""

    @property
    def source(self) -> Source:
        """Where the data come from."""

    @property
    def worth(self) -> float:
        """What keeping everything is worth."""

    @property
    def summary(self) -> str:
        """What is kept over the runs: their ``mean`` or their ``median``."""

    @property
    def without_law(self) -> frozenset[str]:
        """Kinds of design whose retention no law gives."""

    @property
    def largest(self) -> int:
        """The largest training set that a plan looks at."""

    def retention(
        self,
        *,
        generations: int,
        regime: Regime,
        samples: int | None,
        law: str,
        runs: Runs | None,
    ) -> Retention:
        """Return what is left, round by round: by law, else by simulation if there is leave.

        Raises
        ------
        ArgumentError
            If an argument is out of its range, or no law is known and there are no `runs`.
        """

    def simulated(
        self,
        *,
        regime: Regime,
        samples: int,
        generations: int,
        replicates: int,
        stages: Stages,
        runs: Runs,
    ) -> Simulated | None:
        """Return what at least `replicates` simulated runs keep; None where none can tell."""

    def can_simulate(self, kind: str, *, samples: int, generations: int) -> bool:
        """Return whether a kind of design without a law is within what can be simulated."""

    def stage_moves(self, samples: int) -> tuple[StageMove, ...]:
        """Return the knobs that no law knows, at a size of training set."""

    def moved_replicates(self, generations: int) -> int:
        """Return how many runs show what moving a stage does."""

    def expected(self, regime: Regime, *, samples: int, generations: int) -> Floats | None:
        """Return an exact mean that says something else than a median; None for none."""

    def describe(self) -> Mapping[str, Any]:
        """Return what the data hold, for a record."""
