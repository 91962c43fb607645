"""Where a recorded trainer departs from a resampler that stays the same in every round."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, ndtr

from hayflick.calibration.fit import TRANSITIONS_NEEDED, Fit, TransitionModel, fit_pairs
from hayflick.calibration.goodness import CountClassFit, class_fits, expected
from hayflick.calibration.likelihood import CountPairs, Maximum, pairs_of
from hayflick.calibration.record import Record
from hayflick.core.arrays import Floats
from hayflick.core.errors import DataError
from hayflick.core.notes import Note

DRIFT_LEVEL = 0.05
LEVEL = 0.01
LATER_NEEDED = TRANSITIONS_NEEDED + 1
# A loss beyond the expected one that is smaller than this share of the types is not worth a word.
_SMALL_LOSS = 0.005
# A first transition that differs explains clearly more where its log-likelihood is so much higher.
_CLEARLY_BETTER = 2.0


@dataclass(frozen=True)
class Diagnosis:
    """The answer of one test.

    Parameters
    ----------
    name
        ``fit``, ``drift``, ``first transition``, ``memory`` or ``unexplained loss``.
    found
        Whether the trainer departs from the chain in this way.
    statistic
        The test's statistic; None where the record does not allow the test.
    p_value
        The chance of such a statistic or a larger one where the chain is right; None like that.
    note
        What it means, in a sentence.
    """

    name: str
    found: bool
    statistic: float | None
    p_value: float | None
    note: Note


@dataclass(frozen=True)
class SharpeningDrift:
    """A sharpening that changes by the same step from transition to transition.

    Parameters
    ----------
    slope
        Change of the sharpening per transition.
    standard_error
        Its standard error.
    statistic
        Twice the gain of the log-likelihood.
    p_value
        Its chance where nothing drifts.
    found
        Whether it is significant, and a first transition that differs explains no clearly more.
    """

    slope: float
    standard_error: float
    statistic: float
    p_value: float
    found: bool


def diagnose(record: Record, fit: Fit) -> tuple[Diagnosis, ...]:
    """Return what the tests of a fit say: one diagnosis per test.

    Drift is called at 5 %, everything else at 1 %.
    """
    pairs = pairs_of(record)
    return (
        _fit(class_fits(pairs, fit), fit),
        _drift(find_drift(pairs, fit)),
        _first_transition(pairs, fit),
        _memory(record, fit),
        _unexplained_loss(pairs, fit),
    )


class _Nested:
    """Fits of the chain with further terms, from the same starting point."""

    def __init__(self, pairs: CountPairs, fit: Fit) -> None:
        self._pairs, self._fit = pairs, fit
        self.noise = math.isfinite(fit.resampler.log_size)
        self._power = fit.resampler.size_power if "size_power" in fit.fixed else None
        self.logs = np.log(np.maximum(pairs.before, 1.0))
        self.first = (pairs.transition == 0).astype(np.float64)

    def best(self, mean: list[Floats], size: list[Floats]) -> Maximum:
        """Return the maximum with further columns for the mean, then others for the size."""
        columns = [*mean, *size] if self.noise else mean
        shape = self.logs.size, 0
        none = [np.zeros_like(self.logs)] * max(len(mean), len(size))
        further = np.stack([*mean, *none[: len(columns) - len(mean)]], axis=1) if columns else None
        sizes = [*none[: len(mean)], *size][: len(columns)]
        further_size = np.stack(sizes, axis=1) if columns else np.empty(shape)
        model = TransitionModel(
            self._pairs,
            returning="return_weight" not in self._fit.fixed,
            further=further,
            further_size=further_size,
        )
        return model.maximize(noise=self.noise, power=self._power if self.noise else None)


def find_drift(pairs: CountPairs, fit: Fit) -> SharpeningDrift | None:
    """Return a linear drift of the sharpening; None where it cannot be told.

    The first transition has a size of its own, whatever the rest: it often differs.
    """
    if pairs.transitions < 2:
        return None
    nested = _Nested(pairs, fit)
    middle = (pairs.transitions - 1) / 2.0
    line = (pairs.transition.astype(np.float64) - middle) * nested.logs
    own = [nested.first]
    without, drifting = nested.best([], own), nested.best([line], own)
    stepping = nested.best([nested.first * nested.logs], own)
    if not (without.converged and drifting.converged):
        return None
    statistic = max(0.0, 2.0 * (drifting.value - without.value))
    place = -2 if nested.noise else -1
    variance = float(np.linalg.pinv(drifting.information)[place, place])
    p_value = float(chdtrc(1.0, statistic))
    better = pairs.transitions == 2 or drifting.value >= stepping.value - _CLEARLY_BETTER
    return SharpeningDrift(
        slope=float(drifting.parameters[place]),
        standard_error=math.sqrt(max(variance, 0.0)),
        statistic=statistic,
        p_value=p_value,
        found=p_value < DRIFT_LEVEL and better,
    )


def _fit(classes: tuple[CountClassFit, ...], fit: Fit) -> Diagnosis:
    """Test the means and variances of all classes at once."""
    statistic = sum(one.mean_deviation**2 + one.variance_deviation**2 for one in classes)
    # A level, b and ν fit means, s and u fit variances.
    fitted = 1 + sum(name not in fit.fixed for name in ("sharpening", "return_weight"))
    fitted += sum(name not in fit.fixed for name in ("log_size", "size_power"))
    freedom = 2 * len(classes) - fitted
    if freedom < 1:
        note = Note("too few classes of counts to test the fit")
        return Diagnosis("fit", found=False, statistic=None, p_value=None, note=note)
    p_value = float(chdtrc(freedom, statistic))
    found = p_value < LEVEL
    worst = max(classes, key=lambda one: abs(one.mean_deviation) + abs(one.variance_deviation))
    note = (
        Note(
            "the chain does not describe these rounds well, worst for types with {lower} to "
            "{upper} occurrences: {observed} follow on average where {expected} are expected",
            lower=f"{worst.lower:,}",
            upper=f"{worst.upper:,}",
            observed=f"{worst.observed_mean:,.3g}",
            expected=f"{worst.expected_mean:,.3g}",
        )
        if found
        else Note("the chain describes types of every count")
    )
    return Diagnosis("fit", found, float(statistic), p_value, note)


def _drift(drift: SharpeningDrift | None) -> Diagnosis:
    if drift is None:
        note = Note("drift cannot be told from this record")
        return Diagnosis("drift", found=False, statistic=None, p_value=None, note=note)
    if drift.found:
        note = Note(
            "the sharpening changes by {slope} from one transition to the next: it is not "
            "extrapolated, but widens the interval",
            slope=f"{drift.slope:+.4f}",
        )
    else:
        note = Note("the sharpening is the same in every transition, as far as the record tells")
    return Diagnosis("drift", drift.found, drift.statistic, drift.p_value, note)


@dataclass(frozen=True)
class FirstTransition:
    """How the step from real data to the first round compares with those that follow.

    Parameters
    ----------
    statistic
        Twice the gain of the log-likelihood by a sharpening and a size of its own.
    p_value
        Its chance where it is like the others.
    """

    statistic: float
    p_value: float

    @property
    def found(self) -> bool:
        """Whether it differs."""
        return self.p_value < LEVEL


def compare_first(pairs: CountPairs, fit: Fit) -> FirstTransition | None:
    """Return the comparison of the first transition; None where it cannot be told."""
    nested = _Nested(pairs, fit)
    without = nested.best([], [])
    apart = nested.best([nested.first * nested.logs], [nested.first])
    if not (without.converged and apart.converged):
        return None
    statistic = max(0.0, 2.0 * (apart.value - without.value))
    return FirstTransition(statistic, float(chdtrc(2.0 if nested.noise else 1.0, statistic)))


def later_fit(pairs: CountPairs, fit: Fit) -> Fit | None:
    """Return a fit of the later transitions alone, where the first one differs and two are left.

    The rounds ahead are made by transitions of the later kind.
    """
    if pairs.transitions < LATER_NEEDED:
        return None
    first = compare_first(pairs, fit)
    if first is None or not first.found:
        return None
    try:
        return fit_pairs(pairs.where(pairs.transition > 0).shifted(-1))
    except DataError:
        return None


def _first_transition(pairs: CountPairs, fit: Fit) -> Diagnosis:
    name = "first transition"
    first = compare_first(pairs, fit)
    if first is None:
        note = Note("the first transition cannot be told apart in this record")
        return Diagnosis(name, found=False, statistic=None, p_value=None, note=note)
    if not first.found:
        note = Note("the step from the real data to the first round is like the later ones")
    elif pairs.transitions < LATER_NEEDED:
        note = Note("the step from the real data to the first round differs from the later one")
    else:
        note = Note(
            "the step from the real data to the first round differs from the later ones: rounds "
            "ahead are forecast from the later ones alone"
        )
    return Diagnosis(name, first.found, first.statistic, first.p_value, note)


def _memory(record: Record, fit: Fit) -> Diagnosis:
    """Test whether the round before the last one tells more about the next one."""

    def earlier(step: int) -> Floats:
        if step == 0:
            return np.zeros(len(record.symbols))
        change: Floats = np.log((record.counts[step - 1] + 1.0) / (record.counts[step] + 1.0))
        return change

    pairs = pairs_of(record, earlier)
    pairs = pairs.where(pairs.transition > 0).shifted(-1)
    nested = _Nested(pairs, fit)
    without, with_it = nested.best([], []), nested.best([pairs.covariate], [])
    if not (without.converged and with_it.converged):
        note = Note("memory cannot be told from this record")
        return Diagnosis("memory", found=False, statistic=None, p_value=None, note=note)
    statistic = max(0.0, 2.0 * (with_it.value - without.value))
    p_value = float(chdtrc(1.0, statistic))
    found = p_value < LEVEL
    rises = with_it.parameters[-1] > 0.0
    if not found:
        note = Note("the round before the last one tells nothing more")
    elif rises:
        note = Note(
            "types return towards their earlier counts: the trainer remembers more than the last "
            "round, or the order of the rounds is not the recorded one"
        )
    else:
        note = Note(
            "types that lost go on losing: the trainer reproduces some of them systematically worse"
        )
    return Diagnosis("memory", found, statistic, p_value, note)


def _unexplained_loss(pairs: CountPairs, fit: Fit) -> Diagnosis:
    """Test whether more types are absent than the stated mixing and the chain leave out."""
    absent = expected(pairs, fit).absent
    lost = float(pairs.number @ (pairs.after == 0.0))
    mean = float(pairs.number @ absent)
    deviation = math.sqrt(float(pairs.number @ (absent * (1.0 - absent))))
    name = "unexplained loss"
    if deviation == 0.0:
        note = Note("nothing can be lost in this record")
        return Diagnosis(name, found=False, statistic=None, p_value=None, note=note)
    statistic = (lost - mean) / deviation
    p_value = float(ndtr(-statistic))
    share = (lost - mean) / float(pairs.number.sum())
    found = p_value < LEVEL and share > _SMALL_LOSS
    note = (
        Note(
            "{share} of the types are absent in a round beyond what the chain and the stated real "
            "data in it explain: was that much real data in the rounds?",
            share=f"{share:.1%}",
        )
        if found
        else Note("the chain and the stated mixing explain how many types are absent")
    )
    return Diagnosis(name, found, statistic, p_value, note)
