"""What came of a trial: its arms, comparisons and decisions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hayflick.core.arrays import Floats
from hayflick.core.display import Displayed
from hayflick.core.provenance import provenance
from hayflick.monitor.pilot.pilot_design import PilotDesign
from hayflick.monitor.pilot.plan_files import plan_parameters
from hayflick.monitor.pilot.variation import Scale

_ONE_SIDED = 1.645


class Outcome(StrEnum):
    """What a comparison comes to."""

    GO = "go"
    NO_GO = "no-go"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, eq=False)
class Arm:
    """What an arm brought.

    Parameters
    ----------
    name
        Of the arm.
    numbers
        One of each round, as compared: means, or their logarithms; shape ``(rounds,)``.
    values
        How many values there were in all.
    scale
        Of the numbers.
    """

    name: str
    numbers: Floats
    values: int
    scale: str

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.numbers.size

    @property
    def mean(self) -> float:
        """Mean of the rounds, on the relative scale the geometric one."""
        mean = float(self.numbers.mean())
        return math.exp(mean) if self.scale == Scale.RELATIVE else mean

    @property
    def variance(self) -> float:
        """Variance of the numbers of rounds."""
        return float(self.numbers.var(ddof=1))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A treatment beside the control.

    Parameters
    ----------
    arm
        The treatment.
    effect, low, high
        Estimate and interval; shares of the control on the relative scale.
    statistic, degrees
        Of Welch's test.
    p, adjusted
        p-value, and that for several treatments.
    outcome
        Go, no go, or inconclusive.
    """

    arm: str
    effect: float
    low: float
    high: float
    statistic: float
    degrees: float
    p: float
    adjusted: float
    outcome: Outcome


@dataclass(frozen=True, eq=False)
class PilotResult(Displayed):
    """What came of a trial.

    Parameters
    ----------
    trial
        Its plan.
    source
        Name of the results' file.
    arms
        As in the plan, the control first.
    comparisons
        One for each treatment.
    passed_over
        Rows that could not be used.
    """

    trial: PilotDesign
    source: str
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    passed_over: int = 0

    @property
    def confidence(self) -> float:
        """Confidence of each interval."""
        return 1.0 - self.trial.level * (3 - self.trial.aim.sides)

    @property
    def succession(self) -> float | None:
        """Correlation of successive rounds within arms; None where nothing varies."""
        apart = [arm.numbers - arm.numbers.mean() for arm in self.arms]
        spread = sum(float(part @ part) for part in apart)
        if spread <= 0.0:
            return None
        return sum(float(part[1:] @ part[:-1]) for part in apart) / spread

    @property
    def alike(self) -> bool:
        """Whether successive rounds are more alike than chance allows, at 5%."""
        pairs = sum(arm.rounds - 1 for arm in self.arms)
        return self.succession is not None and self.succession > _ONE_SIDED / math.sqrt(pairs)

    @property
    def any_go(self) -> bool:
        """Whether there is a treatment to go on with."""
        return any(compared.outcome is Outcome.GO for compared in self.comparisons)

    def provenance(self) -> dict[str, Any]:
        """Return the record that every report carries."""
        plan = plan_parameters(self.trial)
        return provenance({"command": "pilot analyse", "results": self.source, "plan": plan})
