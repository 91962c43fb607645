"""How large a trial must be: arms, rounds and answers for an effect, by the power of the test."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from scipy import special
from typing_extensions import override

from hayflick.core.checks import check_language, number_between, positive_number, whole_number
from hayflick.core.display import Result
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.output import PAGE_SUFFIXES, write_text
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat
from hayflick.monitor.pilot_variation import Scale, Variation, read_variation
from hayflick.planning.search import smallest as smallest_number

_Path: TypeAlias = str | os.PathLike[str]

_NODES = 64
_LARGEST_SHIFT = 37.0  # beyond, the series of scipy's noncentral t do not always converge


def welch_power(effect: float, *, variance: float, rounds: int, level: float, sides: int) -> float:
    """Return the power of Welch's test for two arms with the same number of rounds.

    The mean over u, the share of one arm's variance in the sum of both, is by a quantile rule.

    Parameters
    ----------
    effect
        The true difference of the arms, in the direction of a one-sided test.
    variance
        Variance of the rounds of an arm, above 0.
    rounds
        Rounds of each arm, at least 2.
    level
        Probability of a false alarm.
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
    shift = effect / math.sqrt(2.0 * variance / rounds)
    degrees = 2 * (rounds - 1)

    def tail(shift: float) -> float:
        if abs(shift) <= _LARGEST_SHIFT:
            return float(stats.nct.sf(critical, degrees, shift).mean())
        # Given the normal part of the numerator, Pr(T > critical) is a law of the variance.
        normal, weights = special.roots_hermitenorm(_NODES)
        most = np.maximum(normal + shift, 0.0) / critical[:, None]
        chances = special.chdtr(degrees, degrees * most**2) @ weights / weights.sum()
        return float(chances.mean())

    return tail(shift) + (tail(-shift) if sides == 2 else 0.0)


MOST_ROUNDS = 100_000
MOST_ANSWERS = 10_000_000


class Correction(StrEnum):
    """Corrections for several treatments."""

    HOLM = "holm"
    BONFERRONI = "bonferroni"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """The effect that a trial should find, and the error rates of its test.

    Parameters
    ----------
    effect
        Difference of a treatment from the control; on the relative scale a share of the
        control, -0.1 for a tenth less. Its sign is that of an improvement.
    smallest
        Smallest difference of interest, of the same sign; `effect` where None.
    scale
        ``absolute`` or ``relative``.
    power
        Probability of finding each such effect.
    false_alarms
        Family-wise error rate: the probability of finding any effect where there is none.
    sides
        2 for a two-sided test, 1 for one in the direction of `effect`.
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
        if self.smallest is not None:
            same_sign = number_between("smallest", self.smallest, low=-1e100) * self.effect > 0.0
            if not same_sign or abs(self.smallest) > abs(self.effect):
                takes = f"a change of the sign of the effect, and no larger: up to {self.effect:g}"
                raise ArgumentError("smallest", got=self.smallest, takes=takes)
        number_between("false_alarms", self.false_alarms, low=1e-9, high=0.5)
        if not self.false_alarms < number_between("power", self.power, low=0.0, high=1.0) < 1.0:
            takes = f"a number above the share of false alarms, {self.false_alarms:g}, and below 1"
            raise ArgumentError("power", got=self.power, takes=takes)
        whole_number("sides", self.sides, at_least=1, at_most=2)

    @property
    def matters(self) -> float:
        """Smallest difference of interest."""
        return self.effect if self.smallest is None else self.smallest

    @property
    def shift(self) -> float:
        """The effect as a difference of means, on the relative scale of logarithms of means."""
        return math.log1p(self.effect) if self.scale == Scale.RELATIVE else self.effect

    def level(self, *, comparisons: int) -> float:
        """Return the significance level of the first of several comparisons."""
        return self.false_alarms / comparisons


@dataclass(frozen=True, kw_only=True)
class PilotDesign(Result):
    """A trial's design. `save` writes its plan file (``.json``) or a page (``.html``).

    Parameters
    ----------
    arms
        Names of the arms, the control first.
    rounds
        Rounds of each arm.
    answers
        Answers in each round; None where a round has one number, of unknown size.
    aim
        The effect to find, and the error rates.
    variation
        How much the numbers vary.
    price
        Price of an answer; None for none.
    currency
        Currency of the price.
    sources
        The readings that the variation was estimated from.

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
    sources: tuple[Source, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _check_arms(self.arms)
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
        """Name of the control."""
        return self.arms[0]

    @property
    def treatments(self) -> tuple[str, ...]:
        """Names of the other arms."""
        return self.arms[1:]

    @property
    def level(self) -> float:
        """Significance level of each comparison, before Holm's correction gains any."""
        return self.aim.level(comparisons=len(self.treatments))

    @property
    def power(self) -> float:
        """Power for the effect of each treatment; with Holm's correction a lower bound."""
        return self.power_of(self.aim.shift)

    def power_of(self, shift: float) -> float:
        """Return the power for a difference of means, on the relative scale of logarithms."""
        return welch_power(
            abs(shift),
            variance=self.variation.of_round(self.answers),
            rounds=self.rounds,
            level=self.level,
            sides=self.aim.sides,
        )

    @property
    def detectable(self) -> float:
        """Minimum detectable effect: the smallest one that has the power aimed at."""
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
        """Answers of an arm; None where the number in a round is unknown."""
        return None if self.answers is None else self.rounds * self.answers

    @property
    def cost_per_arm(self) -> float | None:
        """Cost of an arm's answers; None without a price."""
        if self.price is None or self.answers_per_arm is None:
            return None
        return self.price * self.answers_per_arm

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the design again."""
        return provenance({"command": "pilot", **self.parameters()})

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the design as plain values."""
        return {
            "arms": list(self.arms),
            "rounds": self.rounds,
            "answers": self.answers,
            "aim": asdict(self.aim),
            "variation": asdict(self.variation),
        }

    @override
    def save(self, path: _Path, *, lang: str = "en", force: bool = False) -> Path:
        suffix = Path(path).suffix.lower()
        if suffix in PAGE_SUFFIXES:
            return super().save(path, lang=lang, force=force)
        check_language(lang)
        if suffix != ".json":
            takes = "a name ending in .json for the plan, or in .html for a page"
            raise ArgumentError("out", got=str(path), takes=takes)
        plan = json.dumps(plan_fields(self), ensure_ascii=False, indent=2, allow_nan=False)
        return write_text(Path(path), f"{plan}\n", force=force)

    @classmethod
    def from_file(cls, path: _Path) -> PilotDesign:
        """Read a design from its plan file.

        Raises
        ------
        DataError
            If the file is missing or is not a plan.
        """
        fields = read_json(path, what=_PLAN_FILE)
        if not isinstance(fields, dict):
            raise DataError(f"{path}: is no JSON object; {_TAKES}")
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


def _check_arms(arms: Sequence[str]) -> None:
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
    normalize: str = "nfc",
    table: TableFormat | None = None,
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
    round_column, value_column, encoding, normalize, table
        Columns of the baseline, and how it is read; see `hayflick.corpus.answers.read_answers`.
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
    sources: tuple[Source, ...] = ()
    if baseline is not None:
        for name, stated in (("sd", sd), ("correlation", correlation)):
            if stated is not None:
                raise ArgumentError(name, got=stated, takes="nothing beside a baseline")
        variation, sources = read_variation(
            baseline,
            scale=scale,
            round_column=round_column,
            value_column=value_column,
            encoding=encoding,
            normalize=normalize,
            table=table,
        )
    elif sd is None:
        takes = "a standard deviation, or readings to take it from: --baseline FILE"
        raise ArgumentError("sd", got="none", takes=takes)
    elif scale == Scale.RELATIVE and correlation is not None:
        takes = "none on the relative scale, where a round has one number"
        raise ArgumentError("correlation", got=correlation, takes=takes)
    else:
        variation = Variation(sd=sd, correlation=correlation)
    design = design_pilot(
        aim,
        arms=arms,
        variation=variation,
        answers=answers,
        rounds=rounds,
        price=price,
        currency=currency,
    )
    return replace(design, sources=sources)


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
    """Return the smallest trial with the power aimed at; the sizes are those of `pilot`.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or no size is enough.

    Examples
    --------
    >>> aim, variation = Aim(effect=0.1), Variation(sd=0.5, correlation=0.02)
    >>> design_pilot(aim, arms=["control", "fresh"], variation=variation, rounds=20).answers
    35
    """
    _check_arms(arms)
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
    """Return the smallest number of rounds with the power aimed at.

    Raises
    ------
    ArgumentError
        If 100,000 rounds are too few.
    """
    rounds = _rounds_needed(design, at_least=2)
    if rounds is None:
        takes = f"an effect that {MOST_ROUNDS:,} rounds can find"
        raise ArgumentError("effect", got=design.aim.effect, takes=takes)
    return rounds


def _rounds_needed(design: PilotDesign, *, at_least: int) -> int | None:
    return smallest_number(
        lambda rounds: replace(design, rounds=rounds).power,
        target=design.aim.power,
        low=at_least,
        high=MOST_ROUNDS,
    )


def _answers_needed(design: PilotDesign) -> int:
    answers = smallest_number(
        lambda answers: replace(design, answers=answers).power,
        target=design.aim.power,
        low=1,
        high=MOST_ANSWERS,
    )
    if answers is not None:
        return answers

    rounds = None
    if correlation := design.variation.correlation:
        # With any number of answers, the variance between rounds remains.
        between = Variation(sd=design.variation.sd * math.sqrt(correlation))
        limit = replace(design, answers=None, variation=between)
        rounds = _rounds_needed(limit, at_least=3)
    if rounds is None:
        takes = f"an effect that {MOST_ANSWERS:,} answers in each round can find"
        raise ArgumentError("effect", got=design.aim.effect, takes=takes)
    best = f"endless answers in each would reach a power of {limit.power:.0%}"
    raise ArgumentError("rounds", got=design.rounds, takes=f"at least {rounds}", remedy=best)


FORMAT_VERSION = 1
_PLAN_FILE = "a plan that hayflick pilot wrote with --out"
_TAKES = f"takes {_PLAN_FILE}"


def plan_fields(design: PilotDesign) -> dict[str, Any]:
    """Return the content of a plan file: each arm with the number of answers of its rounds.

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
        "arms": [
            {
                "name": name,
                "role": "control" if name == design.control else "treatment",
                "rounds": design.rounds,
                "answers_per_round": None
                if design.answers is None
                else [design.answers] * design.rounds,
            }
            for name in design.arms
        ],
        "aim": asdict(design.aim),
        "variation": asdict(design.variation),
        "price": design.price,
        "currency": design.currency,
        "provenance": design.provenance(),
    }


def _design(fields: Mapping[str, Any]) -> PilotDesign:
    arms = fields["arms"]
    # The control may stand anywhere in the file.
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
