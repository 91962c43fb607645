r"""What came of a trial: effects, intervals, and whether to go on.

The unit is the round: its number is the mean of its values (on the relative scale the logarithm
of that), so rounds with more values count no more, and values of one round may depend on one
another. With means m and variances s² over R rounds, a treatment is compared with the control by

    t = (m_t − m_c) / se,   se² = s_t²/R_t + s_c²/R_c,

with Welch's degrees of freedom; arms may have different numbers of rounds and variances. Exact
for normal rounds of one variance and size, a good approximation elsewhere. p-values of several
treatments are adjusted by Holm or Bonferroni; the intervals hold together (Bonferroni).

Decision: *no go* where the whole interval is below the smallest change that would matter, *go*
where a change in the hoped-for direction is found and such a change is not ruled out, else
*inconclusive*.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import special

from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.errors import DataError, listed
from hayflick.core.provenance import provenance
from hayflick.monitor.pilot_design import Correction, PilotDesign, plan_parameters
from hayflick.monitor.pilot_variation import PilotData, Scale, read_pilot_data

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
    responses
        One of each round, as compared: means, or their logarithms; shape ``(rounds,)``.
    values
        How many values there were in all.
    scale
        Of the numbers.
    """

    name: str
    responses: Floats
    values: int
    scale: str

    @property
    def rounds(self) -> int:
        """Number of rounds."""
        return self.responses.size

    @property
    def mean(self) -> float:
        """Mean of the rounds, on the relative scale the geometric one."""
        mean = float(self.responses.mean())
        return math.exp(mean) if self.scale == Scale.RELATIVE else mean

    @property
    def variance(self) -> float:
        """Variance of the numbers of rounds."""
        return float(self.responses.var(ddof=1))


@dataclass(frozen=True, slots=True)
class TreatmentEffect:
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
class PilotResult(Result):
    """What came of a trial.

    Parameters
    ----------
    design
        Its plan.
    source
        Name of the results' file.
    arms
        As in the plan, the control first.
    comparisons
        One for each treatment.
    skipped
        Rows that could not be used.
    """

    design: PilotDesign
    source: str
    arms: tuple[Arm, ...]
    comparisons: tuple[TreatmentEffect, ...]
    skipped: int = 0

    @property
    def confidence(self) -> float:
        """Confidence of each interval."""
        return 1.0 - self.design.level * (3 - self.design.aim.sides)

    @property
    def autocorrelation(self) -> float | None:
        """Correlation of successive rounds within arms; None where nothing varies."""
        apart = [arm.responses - arm.responses.mean() for arm in self.arms]
        spread = sum(float(part @ part) for part in apart)
        if spread <= 0.0:
            return None
        return sum(float(part[1:] @ part[:-1]) for part in apart) / spread

    @property
    def autocorrelated(self) -> bool:
        """Whether successive rounds are more alike than chance allows, at 5%."""
        pairs = sum(arm.rounds - 1 for arm in self.arms)
        return self.autocorrelation is not None and self.autocorrelation > _ONE_SIDED / math.sqrt(
            pairs
        )

    @property
    def any_go(self) -> bool:
        """Whether there is a treatment to go on with."""
        return any(compared.outcome is Outcome.GO for compared in self.comparisons)

    def provenance(self) -> dict[str, Any]:
        """Return the record that every report carries."""
        plan = plan_parameters(self.design)
        return provenance({"command": "pilot analyse", "results": self.source, "plan": plan})


def analyse_pilot(
    results: str | os.PathLike[str] | PilotData,
    *,
    plan: str | os.PathLike[str] | PilotDesign,
    arm_column: str = "arm",
    round_column: str = "round",
    value_column: str = "value",
    skip_bad: bool = False,
    encoding: str = "utf-8",
) -> PilotResult:
    """Analyse the results of a trial: effect, interval, p-value, and a decision.

    Parameters
    ----------
    results
        A table with a row per answer or per round (CSV, TSV, JSON lines, Parquet or xlsx), or
        readings that were read.
    plan
        The design, or its plan file.
    arm_column, round_column, value_column
        Columns of the table.
    skip_bad
        Whether rows that cannot be used are counted and passed over instead of refused.
    encoding
        Of CSV, TSV and JSON lines.

    Raises
    ------
    DataError
        If the plan or the results cannot be used, or an arm is missing, not in the plan, has
        one round only, or its rounds do not vary.

    Examples
    --------
    >>> from hayflick.monitor.pilot_design import pilot
    >>> plan = pilot(effect=1.0, arms=("old", "new"), sd=1.0, rounds=3)
    >>> values, rounds = np.array([1.0, 2.0, 1.5, 4.0, 4.5, 5.0]), np.array([1, 2, 3, 1, 2, 3])
    >>> readings = PilotData("trial", values, rounds, ("old",) * 3 + ("new",) * 3, np.arange(6))
    >>> (found,) = analyse_pilot(readings, plan=plan).comparisons
    >>> found.effect, found.outcome.value
    (3.0, 'go')

    References
    ----------
    Welch, Biometrika 34 (1947), 28-35; Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    design = plan if isinstance(plan, PilotDesign) else PilotDesign.from_file(plan)
    readings = results
    if not isinstance(readings, PilotData):
        readings = read_pilot_data(
            readings,
            arm_column=arm_column,
            round_column=round_column,
            value_column=value_column,
            positive=design.aim.scale == Scale.RELATIVE,
            skip_bad=skip_bad,
            encoding=encoding,
        )
    _check_arms(readings, design)
    arms = [_arm(readings, name, design.aim.scale) for name in design.arms]
    _check_rounds(readings.name, arms, design)
    tested = [_welch_test(arm, arms[0], design) for arm in arms[1:]]
    p = np.array([p for _, _, p in tested])
    adjusted = adjusted_p(p, correction=design.aim.correction)
    pairs = zip(arms[1:], tested, adjusted, strict=True)
    compared = tuple(_effect(arm, arms[0], test, float(p), design) for arm, test, p in pairs)
    return PilotResult(design, readings.name, tuple(arms), compared, readings.bad.total)


def adjusted_p(p: Floats, *, correction: str) -> Floats:
    """Return p-values that hold for all together.

    Parameters
    ----------
    p
        Shape ``(comparisons,)``.
    correction
        ``holm`` or ``bonferroni``.

    Examples
    --------
    >>> adjusted_p(np.array([0.03, 0.01, 0.02]), correction="holm").round(6).tolist()
    [0.04, 0.03, 0.04]
    >>> adjusted_p(np.array([0.03, 0.01]), correction="bonferroni").tolist()
    [0.06, 0.02]
    """
    if correction == Correction.BONFERRONI:
        return np.minimum(p * p.size, 1.0)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _check_arms(readings: PilotData, design: PilotDesign) -> None:
    found = dict.fromkeys(readings.arms)
    unknown = [name for name in found if name not in design.arms]
    if unknown:
        line = readings.lines[readings.arms.index(unknown[0])]
        has = f"which has {listed(design.arms)}"
        named = f"line {line} is of the arm {unknown[0]!r}, not in the plan"
        raise DataError(f"{readings.name}: {named}, {has}; mend the name or leave such rows out")
    missing = [name for name in design.arms if name not in found]
    if missing:
        has = f"it has {listed(list(found))}"
        raise DataError(f"{readings.name}: no row is of the arm {listed(missing)}; {has}")


def _arm(readings: PilotData, name: str, scale: str) -> Arm:
    own = np.array([arm == name for arm in readings.arms])
    values = readings.values[own]
    _, where, sizes = np.unique(readings.rounds[own], return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=values) / sizes
    responses = np.log(means) if scale == Scale.RELATIVE else means
    return Arm(name, responses, values.size, scale)


def _check_rounds(name: str, arms: Sequence[Arm], design: PilotDesign) -> None:
    """Refuse arms without a spread between rounds: nothing could be told from chance."""
    for arm in arms:
        if arm.rounds < 2:
            needs = f"takes at least 2 to see how rounds differ, and the plan has {design.rounds}"
            raise DataError(f"{name}: the arm {arm.name!r} has one round, {needs}")
    still = [arm.name for arm in arms[1:] if arm.variance + arms[0].variance <= 0.0]
    if still:
        same = f"rounds of {listed([arms[0].name, *still])} are all the same"
        raise DataError(f"{name}: the {same}; there is no chance variation to compare with")


def _welch_test(arm: Arm, control: Arm, design: PilotDesign) -> tuple[float, float, float]:
    """Return the statistic, degrees of freedom and p-value of Welch's test."""
    shares = [one.variance / one.rounds for one in (arm, control)]
    statistic = float(arm.responses.mean() - control.responses.mean()) / math.sqrt(sum(shares))
    sizes = (arm.rounds, control.rounds)
    spread = sum(share**2 / (size - 1) for share, size in zip(shares, sizes, strict=True))
    degrees = sum(shares) ** 2 / spread
    toward = math.copysign(statistic, statistic * design.aim.effect)
    tail = abs(statistic) if design.aim.sides == 2 else toward
    return statistic, degrees, float(design.aim.sides * special.stdtr(degrees, -tail))


def _effect(
    arm: Arm,
    control: Arm,
    test: tuple[float, float, float],
    adjusted: float,
    design: PilotDesign,
) -> TreatmentEffect:
    statistic, degrees, p = test
    difference = float(arm.responses.mean() - control.responses.mean())
    error = math.sqrt(arm.variance / arm.rounds + control.variance / control.rounds)
    reach = -float(special.stdtrit(degrees, design.level / design.aim.sides)) * error
    ends = [difference, difference - reach, difference + reach]
    if design.aim.scale == Scale.RELATIVE:
        ends = [math.expm1(end) for end in ends]
    effect, low, high = ends
    outcome = _outcome(effect, (low, high), adjusted, design)
    return TreatmentEffect(arm.name, effect, low, high, statistic, degrees, p, adjusted, outcome)


def _outcome(
    effect: float, interval: tuple[float, float], adjusted: float, design: PilotDesign
) -> Outcome:
    # Turned so that what is hoped for is above 0.
    sign = math.copysign(1.0, design.aim.effect)
    most = max(sign * end for end in interval)
    if most < sign * design.aim.matters:
        return Outcome.NO_GO
    found = adjusted <= design.aim.false_alarms and sign * effect > 0.0
    return Outcome.GO if found else Outcome.INCONCLUSIVE
