r"""The analysis of a trial: effects, intervals and decisions.

The unit is the round: its response is the mean of its values, or on the relative scale the
logarithm of the mean. So rounds with more values have no more weight, and values of one round
may depend on one another. With means m and variances s² over R rounds, a treatment is compared
with the control by

    t = (m_t − m_c) / se,   se² = s_t²/R_t + s_c²/R_c,

with Welch's degrees of freedom; arms may have different numbers of rounds and variances. Exact
for normal rounds of one variance and size, a good approximation elsewhere. p-values of several
treatments are adjusted by Holm or Bonferroni; the intervals are simultaneous (Bonferroni).

The decision is *no go* if the whole interval is below the smallest difference of interest, *go*
if there is a significant effect in the direction of the aim and such a difference is not
excluded, else *inconclusive*.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import special

from hayflick.core.arrays import Floats
from hayflick.core.display import Result
from hayflick.core.errors import DataError, listed
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.labels import matching_label
from hayflick.corpus.table_format import TableFormat
from hayflick.monitor.pilot_design import Correction, PilotDesign
from hayflick.monitor.pilot_variation import PilotData, Scale, read_pilot_data, round_means

_ONE_SIDED = 1.645


class Outcome(StrEnum):
    """Decisions about a treatment."""

    GO = "go"
    NO_GO = "no-go"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, eq=False)
class Arm:
    """The results of an arm.

    Parameters
    ----------
    name
        Name of the arm.
    responses
        Means of the rounds, or their logarithms; shape ``(rounds,)``.
    values
        Number of values in all rounds.
    scale
        Scale of the responses.
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
        """Mean of the rounds; the geometric mean on the relative scale."""
        mean = float(self.responses.mean())
        return math.exp(mean) if self.scale == Scale.RELATIVE else mean

    @property
    def variance(self) -> float:
        """Variance of the responses."""
        return float(self.responses.var(ddof=1))


@dataclass(frozen=True, slots=True)
class TreatmentEffect:
    """The effect of a treatment, compared with the control.

    Parameters
    ----------
    arm
        Name of the treatment.
    effect, low, high
        Estimate and confidence interval; shares of the control on the relative scale.
    statistic, degrees
        Statistic and degrees of freedom of Welch's test.
    p, adjusted
        p-value, and p-value adjusted for several treatments.
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
    """The results of a trial.

    Parameters
    ----------
    design
        The trial's design.
    source
        Name of the file of results.
    arms
        Results of the arms, the control first.
    comparisons
        Effect of each treatment.
    skipped
        Number of rows that could not be used.
    sources
        What was read: the results, and the plan.
    """

    design: PilotDesign
    source: str
    arms: tuple[Arm, ...]
    comparisons: tuple[TreatmentEffect, ...]
    skipped: int = 0
    sources: tuple[Source, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of each interval."""
        return 1.0 - self.design.level * (3 - self.design.aim.sides)

    @property
    def autocorrelation(self) -> float | None:
        """Lag-1 autocorrelation of the rounds within arms; None if no arm varies."""
        residuals = [arm.responses - arm.responses.mean() for arm in self.arms]
        total = sum(float(one @ one) for one in residuals)
        if total <= 0.0:
            return None
        return sum(float(one[1:] @ one[:-1]) for one in residuals) / total

    @property
    def autocorrelated(self) -> bool:
        """Whether the autocorrelation is significantly above 0, at 5%."""
        pairs = sum(arm.rounds - 1 for arm in self.arms)
        return self.autocorrelation is not None and self.autocorrelation > _ONE_SIDED / math.sqrt(
            pairs
        )

    @property
    def any_go(self) -> bool:
        """Whether the decision is *go* for any treatment."""
        return any(compared.outcome is Outcome.GO for compared in self.comparisons)

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the result again."""
        plan = self.design.parameters()
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
    normalize: str = "nfc",
    table: TableFormat | None = None,
) -> PilotResult:
    """Analyse the results of a trial: effect, interval, p-value, and a decision.

    Parameters
    ----------
    results
        A table with a row per answer or per round (CSV, TSV, JSON lines, Parquet or xlsx), or
        its values.
    plan
        The design, or its plan file.
    arm_column, round_column, value_column
        Columns of the table.
    skip_bad
        Whether rows that cannot be used are counted and skipped instead of refused.
    encoding, normalize, table
        How the table is read; see `hayflick.corpus.answers.read_answers`.

    Raises
    ------
    DataError
        If the plan or the results cannot be used, or an arm is missing, is not in the plan,
        has only one round, or its rounds do not vary.

    Examples
    --------
    >>> from hayflick.monitor.pilot_design import pilot
    >>> plan = pilot(effect=1.0, arms=("old", "new"), sd=1.0, rounds=3)
    >>> values, rounds = np.array([1.0, 2.0, 1.5, 4.0, 4.5, 5.0]), np.array([1, 2, 3, 1, 2, 3])
    >>> data = PilotData("trial", values, rounds, ("old",) * 3 + ("new",) * 3, np.arange(6))
    >>> (found,) = analyse_pilot(data, plan=plan).comparisons
    >>> found.effect, found.outcome.value
    (3.0, 'go')

    References
    ----------
    Welch, Biometrika 34 (1947), 28-35; Holm, Scandinavian Journal of Statistics 6 (1979), 65-70.
    """
    design = plan if isinstance(plan, PilotDesign) else PilotDesign.from_file(plan)
    data = results
    if not isinstance(data, PilotData):
        data = read_pilot_data(
            data,
            arm_column=arm_column,
            round_column=round_column,
            value_column=value_column,
            positive=design.aim.scale == Scale.RELATIVE,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize,
            table=table,
        )
    data = _with_planned_arms(data, design)
    arms = [_arm(data, name, design.aim.scale) for name in design.arms]
    _check_rounds(data.name, arms, design)
    tests = [_welch_test(arm, arms[0], design) for arm in arms[1:]]
    adjusted = adjusted_p(np.array([test.p for test in tests]), correction=design.aim.correction)
    comparisons = tuple(
        replace(test, adjusted=float(p), outcome=_outcome(test, float(p), design))
        for test, p in zip(tests, adjusted, strict=True)
    )
    sources = (*data.sources, *Source.files(("plan", plan)))
    return PilotResult(design, data.name, tuple(arms), comparisons, data.bad.total, sources)


def adjusted_p(p: Floats, *, correction: str) -> Floats:
    """Return p-values adjusted for several comparisons.

    Parameters
    ----------
    p
        p-values, shape ``(comparisons,)``.
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


def _with_planned_arms(data: PilotData, design: PilotDesign) -> PilotData:
    """Return the data with their arms spelled as in the plan: 0.0 is the arm 0."""
    found = {name: matching_label(name, design.arms) for name in dict.fromkeys(data.arms)}
    unknown = [name for name, arm in found.items() if arm is None]
    if unknown:
        line = data.lines[data.arms.index(unknown[0])]
        has = f"which has {listed(design.arms)}"
        named = f"line {line} is of the arm {unknown[0]!r}, not in the plan"
        raise DataError(f"{data.name}: {named}, {has}; correct the name or leave such rows out")
    missing = [name for name in design.arms if name not in found.values()]
    if missing:
        has = f"it has {listed(list(found))}"
        raise DataError(f"{data.name}: no row is of the arm {listed(missing)}; {has}")
    return replace(data, arms=tuple(found[name] or name for name in data.arms))


def _arm(data: PilotData, name: str, scale: str) -> Arm:
    own = np.array([arm == name for arm in data.arms])
    means, _, _ = round_means(data.values[own], data.rounds[own])
    responses = np.log(means) if scale == Scale.RELATIVE else means
    return Arm(name, responses, int(own.sum()), scale)


def _check_rounds(name: str, arms: Sequence[Arm], design: PilotDesign) -> None:
    """Refuse arms whose rounds do not vary: there is nothing to compare a difference with."""
    for arm in arms:
        if arm.rounds < 2:
            needs = f"takes at least 2 to see how rounds differ, and the plan has {design.rounds}"
            raise DataError(f"{name}: the arm {arm.name!r} has one round, {needs}")
    still = [arm.name for arm in arms[1:] if arm.variance + arms[0].variance <= 0.0]
    if still:
        same = f"rounds of {listed([arms[0].name, *still])} are all the same"
        raise DataError(f"{name}: the {same}; there is no chance variation to compare with")


def _welch_test(arm: Arm, control: Arm, design: PilotDesign) -> TreatmentEffect:
    """Return the effect of an arm; its p-value is not adjusted, and nothing is decided yet."""
    aim = design.aim
    shares = [one.variance / one.rounds for one in (arm, control)]
    sizes = (arm.rounds, control.rounds)
    error = math.sqrt(sum(shares))
    difference = float(arm.responses.mean() - control.responses.mean())
    statistic = difference / error
    degrees = sum(shares) ** 2 / sum(
        share**2 / (size - 1) for share, size in zip(shares, sizes, strict=True)
    )
    toward = math.copysign(statistic, statistic * aim.effect)
    tail = abs(statistic) if aim.sides == 2 else toward
    p = float(aim.sides * special.stdtr(degrees, -tail))
    half_width = -float(special.stdtrit(degrees, design.level / aim.sides)) * error
    ends = [difference, difference - half_width, difference + half_width]
    if aim.scale == Scale.RELATIVE:
        ends = [math.expm1(end) for end in ends]
    effect, low, high = ends
    undecided = Outcome.INCONCLUSIVE
    return TreatmentEffect(arm.name, effect, low, high, statistic, degrees, p, p, undecided)


def _outcome(test: TreatmentEffect, adjusted: float, design: PilotDesign) -> Outcome:
    # With this sign an improvement is above 0.
    sign = math.copysign(1.0, design.aim.effect)
    if max(sign * test.low, sign * test.high) < sign * design.aim.matters:
        return Outcome.NO_GO
    significant = adjusted <= design.aim.false_alarms and sign * test.effect > 0.0
    return Outcome.GO if significant else Outcome.INCONCLUSIVE
