"""A trial of a few arms: its sizes, its test, and the power that it has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hayflick.core.checks import number_between, positive_number, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.monitor.pilot.power import welch_power
from hayflick.monitor.pilot.variation import Scale, Variation

MOST_ROUNDS = 100_000
MOST_ANSWERS = 10_000_000


class Correction(StrEnum):
    """How the chance of a false alarm is kept over several treatments."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a trial is to find, and with what certainty.

    Parameters
    ----------
    effect
        Difference of a treatment from the control that is to be found; on the relative scale
        as a share of the control, -0.1 for a tenth less. Its sign says what is hoped for.
    smallest
        Smallest change that would matter, of the same sign; `effect` where None.
    scale
        ``absolute`` or ``relative``.
    power
        Chance of finding each such effect.
    false_alarms
        Chance of finding anything where no treatment does anything.
    sides
        2 to look in both directions, 1 in that of `effect` alone.
    correction
        ``holm`` or ``bonferroni``, for several treatments.

    Raises
    ------
    ArgumentError
        If one is out of its range.

    Examples
    --------
    >>> aim = Aim(effect=-0.1, scale="relative")
    >>> round(aim.shift, 4), aim.level(comparisons=2)
    (-0.1054, 0.025)
    """

    effect: float
    smallest: float | None = None
    scale: str = Scale.ABSOLUTE
    power: float = 0.8
    false_alarms: float = 0.05
    sides: int = 2
    correction: str = Correction.HOLM

    def __post_init__(self) -> None:
        _one_of("scale", self.scale, Scale)
        _one_of("correction", self.correction, Correction)
        low = -1.0 + 1e-9 if self.scale == Scale.RELATIVE else -1e100
        number_between("effect", self.effect, low=low, high=1e100)
        if abs(self.effect) < 1e-100:
            takes = "a change other than 0: the one that is to be found"
            raise ArgumentError("effect", got=self.effect, takes=takes)
        self._check_smallest()
        number_between("false_alarms", self.false_alarms, low=1e-9, high=0.5)
        if not self.false_alarms < number_between("power", self.power, low=0.0, high=1.0) < 1.0:
            takes = f"a number above the share of false alarms, {self.false_alarms:g}, and below 1"
            raise ArgumentError("power", got=self.power, takes=takes)
        whole_number("sides", self.sides, at_least=1, at_most=2)

    def _check_smallest(self) -> None:
        if self.smallest is None:
            return
        same = number_between("smallest", self.smallest, low=-1e100) * self.effect > 0.0
        if not same or abs(self.smallest) > abs(self.effect):
            takes = f"a change of the sign of the effect, and no larger: up to {self.effect:g}"
            raise ArgumentError("smallest", got=self.smallest, takes=takes)

    @property
    def matters(self) -> float:
        """Smallest change that would matter."""
        return self.effect if self.smallest is None else self.smallest

    @property
    def shift(self) -> float:
        """The effect as a difference of what is compared: numbers, or their logarithms."""
        return math.log1p(self.effect) if self.scale == Scale.RELATIVE else self.effect

    def level(self, *, comparisons: int) -> float:
        """Return the chance of a false alarm that the first of several comparisons may take."""
        return self.false_alarms / comparisons


@dataclass(frozen=True, slots=True, kw_only=True)
class PilotDesign:
    """A trial.

    Parameters
    ----------
    arms
        Their names, the control first.
    rounds
        Rounds of each arm.
    answers
        Answers in each round; None where a round has one number, and that is not said.
    aim
        What is to be found.
    variation
        How much numbers vary.
    price
        Of an answer; None for none.
    currency
        What the price is in.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> aim, variation = Aim(effect=0.1), Variation(sd=0.5, correlation=0.02)
    >>> trial = PilotDesign(arms=("0", "0.2"), rounds=17, answers=100, aim=aim, variation=variation)
    >>> round(trial.power, 3), round(trial.detectable, 4), trial.answers_per_arm
    (0.905, 0.0857, 1700)
    """

    arms: tuple[str, ...]
    rounds: int
    answers: int | None
    aim: Aim
    variation: Variation
    price: float | None = None
    currency: str = "USD"

    def __post_init__(self) -> None:
        check_arms(self.arms)
        whole_number("rounds", self.rounds, at_least=2, at_most=MOST_ROUNDS)
        if self.answers is not None:
            whole_number("answers", self.answers, at_least=1, at_most=MOST_ANSWERS)
        elif self.variation.correlation is not None:
            takes = "a number of answers in each round, as the readings are of answers"
            raise ArgumentError("answers", got=None, takes=takes)
        if self.price is not None:
            positive_number("price", self.price)

    @property
    def control(self) -> str:
        """The arm that others are compared with."""
        return self.arms[0]

    @property
    def treatments(self) -> tuple[str, ...]:
        """The other arms."""
        return self.arms[1:]

    @property
    def level(self) -> float:
        """Chance of a false alarm in each comparison, before others are found."""
        return self.aim.level(comparisons=len(self.treatments))

    @property
    def power(self) -> float:
        """Chance of finding each treatment's effect; with Holm's correction at least that."""
        return self.power_of(self.aim.shift)

    def power_of(self, shift: float) -> float:
        """Return the chance of finding a difference of what is compared."""
        return welch_power(
            abs(shift),
            variance=self.variation.of_round(self.answers),
            rounds=self.rounds,
            level=self.level,
            sides=self.aim.sides,
        )

    @property
    def detectable(self) -> float:
        """Smallest effect, of the sign of the aim's, that is found with the power aimed at."""
        low, high = 0.0, abs(self.aim.shift)
        while self.power_of(high) < self.aim.power:
            low, high = high, 2.0 * high
        for _ in range(40):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self.power_of(middle) >= self.aim.power else (middle, high)
        shift = math.copysign(high, self.aim.effect)
        return math.expm1(shift) if self.aim.scale == Scale.RELATIVE else shift

    @property
    def answers_per_arm(self) -> int | None:
        """Answers of an arm; None where their number in a round is not known."""
        return None if self.answers is None else self.rounds * self.answers

    @property
    def cost_per_arm(self) -> float | None:
        """What an arm's answers cost; None without a price."""
        if self.price is None or self.answers_per_arm is None:
            return None
        return self.price * self.answers_per_arm


def check_arms(arms: Sequence[str]) -> None:
    """Refuse names that do not tell a control and treatments apart.

    Raises
    ------
    ArgumentError
        If there are fewer than two, one is empty or two are the same.
    """
    shown = ", ".join(arms) or "none"
    if len(arms) < 2:
        takes = "at least two names, the control first: control,treated"
        raise ArgumentError("arms", got=shown, takes=takes)
    if not all(name.strip() for name in arms) or len(set(arms)) < len(arms):
        raise ArgumentError("arms", got=shown, takes="names that differ, none of them empty")


def _one_of(argument: str, value: str, kind: type[StrEnum]) -> None:
    if value not in tuple(kind):
        raise ArgumentError(argument, got=value, takes=f"one of {', '.join(kind)}")
