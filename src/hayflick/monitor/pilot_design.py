"""A trial of a few arms: its sizes, its test, and the power that it has."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import (
    check_language,
    number_between,
    positive_number,
    whole_number,
)
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.output import PAGE_SUFFIXES, write_text
from hayflick.core.provenance import provenance
from hayflick.monitor.pilot_variation import (
    Scale,
    Variation,
    read_variation,
    stated_variation,
)

_Path: TypeAlias = str | os.PathLike[str]

_NODES = 64


def welch_power(effect: float, *, variance: float, rounds: int, level: float, sides: int) -> float:
    """Return the chance that a difference is found.

    Parameters
    ----------
    effect
        The true difference of the arms, in the direction that is looked for.
    variance
        Of a round's number in an arm, above 0.
    rounds
        In each arm, at least 2.
    level
        Chance of finding a difference where there is none.
    sides
        1 or 2.

    Examples
    --------
    >>> round(welch_power(1.0, variance=1.0, rounds=17, level=0.05, sides=2), 4)
    0.8058
    >>> round(welch_power(0.0, variance=1.0, rounds=17, level=0.05, sides=1), 3)
    0.05

    References
    ----------
    Welch, Biometrika 34 (1947), 28-35; the mean over u is elementary.
    """
    from scipy import stats

    half = 0.5 * (rounds - 1)
    u = stats.beta.ppf((np.arange(_NODES) + 0.5) / _NODES, half, half)
    critical = stats.t.isf(level / sides, (rounds - 1) / (u**2 + (1.0 - u) ** 2))
    degrees, shift = 2 * (rounds - 1), effect / math.sqrt(2.0 * variance / rounds)
    found = _above(critical, degrees, shift)
    if sides == 2:
        found = found + _above(critical, degrees, -shift)
    return float(found.mean())


def _above(critical: Floats, degrees: int, shift: float) -> Floats:
    # Far out the library's series no longer converge; there nothing is left to find out.
    if abs(shift) > 37.0:
        return np.full(critical.shape, float(shift > 0.0))
    from scipy import stats

    chances: Floats = stats.nct.sf(critical, degrees, shift)
    return np.nan_to_num(chances, nan=float(shift > 0.0))


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


@dataclass(frozen=True, kw_only=True)
class PilotDesign(Result):
    """A trial. `save` writes its plan where the name ends in ``.json``, else a page.

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
    >>> sizes = {"rounds": 17, "answers": 100}
    >>> design = PilotDesign(arms=("0", "0.2"), aim=aim, variation=variation, **sizes)
    >>> round(design.power, 3), round(design.detectable, 4), design.answers_per_arm
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

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the trial again."""
        return provenance({"command": "pilot", **plan_parameters(self)})

    @override
    def save(self, path: _Path, *, lang: str = "en", force: bool = False) -> Path:
        suffix = Path(path).suffix.lower()
        if suffix in PAGE_SUFFIXES:
            return super().save(path, lang=lang, force=force)
        check_language(lang)
        if suffix != ".json":
            takes = "a name ending in .json for the plan, or in .html for a page"
            raise ArgumentError("out", got=str(path), takes=takes)
        return write_text(Path(path), plan_text(self), force=force)

    @classmethod
    def from_file(cls, path: _Path) -> PilotDesign:
        """Read a trial's plan file.

        Raises
        ------
        DataError
            If the file is missing, no such plan, or was altered so that it is none any more.
        """
        path = Path(path)
        fields = _fields(path)
        version = fields.get("format_version")
        if version != FORMAT_VERSION:
            reads = f"this version reads {FORMAT_VERSION}"
            raise DataError(f"{path}: has format_version {version}, {reads}; {_TAKES}")
        try:
            return _design(fields)
        except ArgumentError as fault:
            raise DataError(f"{path}: {fault}") from None
        except (LookupError, TypeError, ValueError, AttributeError) as fault:
            raise DataError(f"{path}: is no plan of a trial ({fault!r}); {_TAKES}") from None


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


_ANSWERS = 100


def pilot(
    *,
    effect: float,
    arms: Sequence[str] = ("control", "treated"),
    scale: str = Scale.ABSOLUTE,
    smallest: float | None = None,
    sd: float | None = None,
    correlation: float | None = None,
    baseline: _Path | None = None,
    round_column: str = "round",
    value_column: str = "value",
    encoding: str = "utf-8",
    answers: int | None = None,
    rounds: int | None = None,
    power: float = 0.8,
    false_alarms: float = 0.05,
    sides: int = 2,
    correction: str = Correction.HOLM,
    price: float | None = None,
    currency: str = "USD",
) -> PilotDesign:
    """Design a small trial: the smallest one that finds an effect with a given power.

    Parameters
    ----------
    effect, scale, smallest, power, false_alarms, sides, correction
        The effect to find and the error rates; see `Aim`.
    arms
        Names, the control first.
    sd, correlation
        Standard deviation of an answer's number and correlation within a round; see
        `Variation`.
    baseline
        A table of readings to estimate both from, with a row per answer or per round.
    round_column, value_column, encoding
        Columns and encoding of the baseline.
    answers
        Answers in each round. If None: the smallest number that is enough where `rounds` is
        given, else 100.
    rounds
        Rounds of each arm; the smallest number that is enough where None.
    price, currency
        Price of an answer.

    Returns
    -------
    The design. With both sizes given it is returned as it is, whatever its power.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or no size is enough: the message says how many
        rounds it takes.
    DataError
        If the baseline cannot be used; rows are named by their line.

    Examples
    --------
    >>> design = pilot(effect=0.1, arms=["control", "fresh"], sd=0.5, correlation=0.02)
    >>> design.rounds, design.answers, round(design.power, 3)
    (13, 100, 0.807)
    """
    aim = Aim(
        effect=effect,
        smallest=smallest,
        scale=scale,
        power=power,
        false_alarms=false_alarms,
        sides=sides,
        correction=correction,
    )
    if baseline is not None:
        for name, stated in (("sd", sd), ("correlation", correlation)):
            if stated is not None:
                raise ArgumentError(name, got=stated, takes="nothing beside a baseline")
        variation = read_variation(
            baseline,
            scale=scale,
            round_column=round_column,
            value_column=value_column,
            encoding=encoding,
        )
    elif sd is None:
        takes = "a standard deviation, or readings to take it from: --baseline FILE"
        raise ArgumentError("sd", got="none", takes=takes)
    else:
        variation = stated_variation(sd, correlation=correlation, scale=scale)
    return design_pilot(
        aim,
        arms=arms,
        variation=variation,
        answers=answers,
        rounds=rounds,
        price=price,
        currency=currency,
    )


def design_pilot(
    aim: Aim,
    *,
    arms: Sequence[str],
    variation: Variation,
    answers: int | None = None,
    rounds: int | None = None,
    price: float | None = None,
    currency: str = "USD",
) -> PilotDesign:
    """Return the smallest trial that finds the effect with the power aimed at.

    Parameters
    ----------
    aim
        What is to be found.
    arms
        Names, the control first.
    variation
        How much numbers vary.
    answers
        Answers in each round; sought where `rounds` is given and this is not, else 100.
    rounds
        Rounds of each arm; sought where None.
    price, currency
        Of an answer.

    Returns
    -------
    The trial; one with both sizes given is returned as it is, whatever its power.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or no size is enough: the message says how many
        rounds it takes.

    Examples
    --------
    >>> aim, variation = Aim(effect=0.1), Variation(sd=0.5, correlation=0.02)
    >>> design = design_pilot(aim, arms=["control", "fresh"], variation=variation, answers=100)
    >>> design.rounds, round(design.power, 3)
    (13, 0.807)
    >>> design_pilot(aim, arms=["control", "fresh"], variation=variation, rounds=20).answers
    35
    """
    check_arms(arms)
    of_answers = variation.correlation is not None
    if of_answers and answers is None and rounds is None:
        answers = _ANSWERS
    design = PilotDesign(
        arms=tuple(arms),
        rounds=2 if rounds is None else rounds,
        answers=1 if of_answers and answers is None else answers,
        aim=aim,
        variation=variation,
        price=price,
        currency=currency,
    )
    if rounds is None:
        return replace(design, rounds=rounds_needed(design))
    if answers is None and of_answers:
        return replace(design, answers=_answers_needed(design))
    return design


def rounds_needed(design: PilotDesign) -> int:
    """Return how many rounds of its answers a trial takes to have the power aimed at.

    Raises
    ------
    ArgumentError
        If 100,000 rounds are too few.
    """

    def enough(rounds: int) -> bool:
        return replace(design, rounds=rounds).power >= design.aim.power

    found = _smallest(enough, at_least=2, at_most=MOST_ROUNDS)
    if found is None:
        takes = f"an effect that {MOST_ROUNDS:,} rounds can find"
        raise ArgumentError("effect", got=design.aim.effect, takes=takes)
    return found


def _answers_needed(design: PilotDesign) -> int:
    def enough(answers: int) -> bool:
        return replace(design, answers=answers).power >= design.aim.power

    found = _smallest(enough, at_least=1, at_most=MOST_ANSWERS)
    if found is None:
        raise _too_few_rounds(design)
    return found


def _too_few_rounds(design: PilotDesign) -> ArgumentError:
    """Return the error for rounds that differ too much for any number of answers."""
    needed = None
    if design.variation.correlation:
        reached = design.aim.power
        needed = _smallest(lambda rounds: _power_limit(design, rounds) >= reached, 3, MOST_ROUNDS)
    if needed is None:
        takes = f"an effect that {MOST_ANSWERS:,} answers in each round can find"
        return ArgumentError("effect", got=design.aim.effect, takes=takes)
    best = (
        f"endless answers in each would reach a power of {_power_limit(design, design.rounds):.0%}"
    )
    return ArgumentError("rounds", got=design.rounds, takes=f"at least {needed}", remedy=best)


def _power_limit(design: PilotDesign, rounds: int) -> float:
    """Return the power with endless answers in each round."""
    return welch_power(
        abs(design.aim.shift),
        variance=design.variation.of_round(None),
        rounds=rounds,
        level=design.level,
        sides=design.aim.sides,
    )


def _smallest(enough: Callable[[int], bool], at_least: int, at_most: int) -> int | None:
    """Return the smallest number that is enough; None where not one is."""
    low, high = at_least - 1, at_least
    while not enough(high):
        if high >= at_most:
            return None
        low, high = high, min(2 * high, at_most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


FORMAT_VERSION = 1
_TAKES = "takes a plan that hayflick pilot wrote with --out"


def plan_text(design: PilotDesign) -> str:
    """Return the content of a trial's plan file."""
    return json.dumps(plan_fields(design), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def plan_fields(design: PilotDesign) -> dict[str, Any]:
    """Return a trial as plain values, ready for JSON: each arm with the answers of its rounds.

    Examples
    --------
    >>> design = PilotDesign(
    ...     arms=("a", "b"), rounds=2, answers=50, aim=Aim(effect=1.0), variation=Variation(sd=1.0)
    ... )
    >>> plan_fields(design)["arms"][1]
    {'name': 'b', 'role': 'treatment', 'rounds': 2, 'answers_per_round': [50, 50]}
    """
    return {
        "format_version": FORMAT_VERSION,
        "arms": [_arm(name, design) for name in design.arms],
        "aim": asdict(design.aim),
        "variation": asdict(design.variation),
        "price": design.price,
        "currency": design.currency,
        "provenance": design.provenance(),
    }


def plan_parameters(design: PilotDesign) -> dict[str, Any]:
    """Return what makes the trial again, in short."""
    return {
        "arms": list(design.arms),
        "rounds": design.rounds,
        "answers": design.answers,
        "aim": asdict(design.aim),
        "variation": asdict(design.variation),
    }


def _arm(name: str, design: PilotDesign) -> dict[str, Any]:
    return {
        "name": name,
        "role": "control" if name == design.control else "treatment",
        "rounds": design.rounds,
        "answers_per_round": None if design.answers is None else [design.answers] * design.rounds,
    }


def _fields(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; {_TAKES}") from None
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise DataError(f"{path}: cannot be read as JSON ({fault}); {_TAKES}") from None
    if not isinstance(fields, dict):
        raise DataError(f"{path}: is no JSON object; {_TAKES}")
    return fields


def _design(fields: Mapping[str, Any]) -> PilotDesign:
    arms = fields["arms"]
    # The control is compared with, wherever it stands.
    ordered = sorted(arms, key=lambda arm: arm["role"] != "control")
    if [arm["role"] for arm in ordered] != ["control", *["treatment"] * (len(arms) - 1)]:
        roles = ", ".join(str(arm["role"]) for arm in arms) or "nothing"
        raise ArgumentError("role", got=roles, takes="one control, and treatments")
    each = ordered[0]["answers_per_round"]
    return PilotDesign(
        arms=tuple(arm["name"] for arm in ordered),
        rounds=ordered[0]["rounds"],
        answers=None if each is None else each[0],
        aim=Aim(**fields["aim"]),
        variation=Variation(**fields["variation"]),
        price=fields["price"],
        currency=fields["currency"],
    )
