"""Forecasts of the rounds after a record, and how sure they are.

Three things are not known: the parameters (their errors), the course that the chain will take,
and how far the trainer is from any resampler that stays the same. The last is measured by
forecasts within the record: fits on its first rounds, held against the rounds that followed. Few
rounds say little of it, so what is typical of trained models counts as some origins more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from hayflick.calibration.diagnoses import find_drift, later_fit
from hayflick.calibration.fit import Fit, fit_pairs
from hayflick.calibration.likelihood import pairs_of
from hayflick.calibration.record import Record
from hayflick.calibration.simulated_rounds import RoundItems, parameters_of, simulate_kept
from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core import checks
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.core.reproducibility import stream
from hayflick.laws.survival import survival
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False)
class NaiveCurve:
    """A curve through recorded shares, and how it did on the last recorded round.

    Parameters
    ----------
    name
        ``ideal law``, ``power law``, ``exponential`` or ``last value``.
    share
        In the rounds ahead, shape ``(rounds,)``; None where the curve has no reading.
    left_out_error
        Predicted less recorded share of the last recorded round, from the rounds before it; None
        where there is no reading.
    """

    name: str
    share: Floats | None
    left_out_error: float | None


def naive_curves(
    record: Record, *, ahead: int, regime: Regime | None, samples: int | None
) -> tuple[NaiveCurve, ...]:
    """Return the naive curves of a record."""
    last = record.transitions
    future = np.arange(last + 1.0, last + 1.0 + ahead)
    shorter = record.kept[:-1]
    law = _ideal(record, regime=regime, samples=samples, last=last + ahead)
    curves = [
        NaiveCurve(
            "ideal law",
            None if law is None else law[last + 1 :],
            None if law is None else float(law[last] - record.kept[-1]),
        )
    ]
    for name, curve in _CURVES.items():
        ahead_of, behind = curve(record.kept, future), curve(shorter, np.array([float(last)]))
        error = None if behind is None else float(behind[0] - record.kept[-1])
        curves.append(NaiveCurve(name, ahead_of, error))
    return tuple(curves)


def _ideal(
    record: Record, *, regime: Regime | None, samples: int | None, last: int
) -> Floats | None:
    """Return the ideal law from round 0 on; None for regimes without one."""
    model = Discrete(record.symbols, record.counts[0])
    size = int(record.sizes[-1]) if samples is None else samples
    mixed = _mixed(record) if regime is None else regime
    if mixed is None:
        return None
    return survival(model, generations=last, regime=mixed, samples=size).surviving_fraction


def _mixed(record: Record) -> Regime | None:
    """Return the regime of the last recorded round; None where no regime of one name is."""
    stored, fresh = bool(record.stored.any()), int(record.fresh[-1])
    if stored and fresh:
        return None
    if stored:
        held = np.flatnonzero(record.stored)
        return Anchor.from_mapping(
            {record.symbols[place]: int(record.stored[place]) for place in held}
        )
    return Fresh(share=fresh / int(record.sizes[-1])) if fresh else Replace()


def _power(kept: Floats, rounds: Floats) -> Floats | None:
    """Return (k + 1)^-a, a by least squares of the logarithms."""
    if (kept <= 0.0).any():
        return None
    logs = np.log(np.arange(1.0, kept.size + 1.0))
    exponent = float(logs @ np.log(kept)) / float(logs @ logs)
    share: Floats = (rounds + 1.0) ** exponent
    return share


def _exponential(kept: Floats, rounds: Floats) -> Floats | None:
    """Return the exponential through the last two rounds."""
    if kept[-2] <= 0.0:
        return None
    share: Floats = kept[-1] * (kept[-1] / kept[-2]) ** (rounds - kept.size + 1.0)
    return np.minimum(share, 1.0)


def _last(kept: Floats, rounds: Floats) -> Floats | None:
    return np.full(rounds.size, kept[-1])


_CURVES: dict[str, Callable[[Floats, Floats], Floats | None]] = {
    "power law": _power,
    "exponential": _exponential,
    "last value": _last,
}


LEVEL = 0.9
_TAIL = (1.0 + LEVEL) / 2.0
_WITHIN_REPLICATES = 32
_SMALLEST_SHARE = 0.01
_STEP = 0.01
# The error of a share s after h rounds has a deviation of about this times the root of s·h; it
# counts as that of so many origins. From recorded runs of small neural language models.
TYPICAL_ERROR, _TYPICAL_ORIGINS = 0.015, 3


@dataclass(frozen=True)
class WithinForecast:
    """A forecast of a recorded round from a fit on the rounds up to an earlier one.

    Parameters
    ----------
    origin
        The last round that the fit saw.
    horizon
        Rounds from there.
    predicted, recorded
        Share of the real types.
    variance
        Of that difference, by chance alone.
    """

    origin: int
    horizon: int
    predicted: float
    recorded: float
    variance: float

    @property
    def error(self) -> float:
        """Predicted less recorded share."""
        return self.predicted - self.recorded


@dataclass(frozen=True, eq=False)
class Prediction:
    """The shares of the real types in the rounds ahead, with 90 % intervals.

    Parameters
    ----------
    rounds
        Their numbers, counted from the real data (0), shape ``(rounds,)``.
    share
        Expected share of the real types in each.
    low, high
        Ends of the interval that a single run falls in with a chance of 90 %.
    parts
        Standard deviations of the share by round: ``parameter``, ``noise`` (the chain's own) and
        ``model``, which holds the reach of a drift that was found.
    within
        Forecasts within the record.
    model_deviation
        Deviation of the sharpening between runs that stands for the model's error.
    resampler
        The fitted one with a covariance that holds the errors of the fit and of the model.
    naive
        Other curves, for comparison.
    first_left_out
        Whether the first transition differs, so that the forecast is made from the later ones.
    """

    rounds: Integers
    share: Floats
    low: Floats
    high: Floats
    parts: Mapping[str, Floats]
    within: tuple[WithinForecast, ...]
    model_deviation: float
    resampler: Resampler
    naive: tuple[NaiveCurve, ...]
    first_left_out: bool

    @property
    def left_out_error(self) -> float | None:
        """Error of the forecast of the last recorded round from the rounds before it."""
        ones = [one.error for one in self.within if one.horizon == 1]
        return ones[-1] if ones else None


def predict(
    record: Record,
    fit: Fit,
    *,
    ahead: int = 5,
    regime: Regime | None = None,
    samples: int | None = None,
    replicates: int = 200,
    seed: int = 0,
    progress: Progress = silent,
) -> Prediction:
    """Return the forecast of the rounds after a record.

    Parameters
    ----------
    record, fit
        The rounds, and the resampler that was fitted to them.
    ahead
        Number of rounds.
    regime
        What they are trained on; mixed as the last recorded round where None.
    samples
        Their size; that of the last recorded round where None.
    replicates
        Simulated runs.
    seed
        Seed of the simulation.
    progress
        Told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the regime has no rounds that are known beforehand.
    """
    ahead = checks.whole_number("ahead", ahead, at_least=1, at_most=1000)
    replicates = checks.whole_number("replicates", replicates, at_least=20, at_most=100_000)
    mixing = RoundItems.ahead(record, ahead, regime=regime, samples=samples)
    start, law = record.counts[-1], record.real_law
    later = later_fit(pairs_of(record), fit)
    used = fit if later is None else later
    values = parameters_of(used.resampler, replicates)
    progress("forecast", 0, 4)
    alone = simulate_kept(values, start, mixing, law=law, rng=stream(seed, block=0))
    progress("forecast", 1, 4)
    drawn = uncertain(used, used.covariance).draw_parameters(stream(seed, block=1), replicates)
    together = simulate_kept(drawn, start, mixing, law=law, rng=stream(seed, block=0))
    progress("forecast", 2, 4)
    share, noise = alone.mean(axis=1), alone.std(axis=1, ddof=1)
    parameter = np.sqrt(np.maximum(together.var(axis=1, ddof=1) - noise**2, 0.0))
    within = tuple(_forecasts_within(record, seed))
    progress("forecast", 3, 4)
    spread, freedom = _model_error(within)
    steady = spread * np.sqrt(share * np.arange(1.0, ahead + 1.0))
    drifting = _reach_of_drift(record, fit, used, mixing, seed)
    # Few origins tell the spread of the model's error badly: Student's quantile in place of
    # the normal one.
    wider = float(stdtrit(freedom, _TAIL)) / float(ndtri(_TAIL))
    model = np.sqrt((wider * steady) ** 2 + drifting**2)
    reach = float(ndtri(_TAIL)) * np.sqrt(parameter**2 + noise**2 + model**2)
    can_return = bool(used.resampler.return_weight or mixing.fresh.any() or mixing.stored.any())
    low, high = interval(share, reach, highest=1.0 if can_return else float(record.kept[-1]))
    slope = _slope(used, start, mixing, law, seed)
    progress("forecast", 4, 4)
    deviation = abs(float(slope @ model / (slope @ slope))) if slope @ slope > 0.0 else 0.0
    widened = fit.covariance.copy()
    widened[0, 0] += deviation**2
    return Prediction(
        rounds=np.arange(record.transitions + 1, record.transitions + 1 + ahead),
        share=share,
        low=low,
        high=high,
        parts={"parameter": parameter, "noise": noise, "model": model},
        within=within,
        model_deviation=deviation,
        resampler=uncertain(fit, widened),
        naive=naive_curves(record, ahead=ahead, regime=regime, samples=samples),
        first_left_out=later is not None,
    )


def uncertain(fit: Fit, covariance: Floats) -> Resampler:
    """Return the fitted resampler with a covariance between runs."""
    symmetric = (covariance + covariance.T) / 2.0
    return replace(fit.resampler, covariance=tuple(map(tuple, symmetric.tolist())))


def _forecasts_within(record: Record, seed: int) -> Iterator[WithinForecast]:
    """Forecast recorded rounds from every origin that a fit can be made at."""
    pairs = pairs_of(record)
    for origin in range(1, record.transitions):
        try:
            seen = pairs.where(pairs.transition < origin)
            fit = fit_pairs(seen)
        except DataError:
            continue
        fit = later_fit(seen, fit) or fit
        mixing = RoundItems.recorded(record, origin=origin)
        rng = stream(seed, block=1 + origin)
        drawn = uncertain(fit, fit.covariance).draw_parameters(rng, _WITHIN_REPLICATES)
        kept = simulate_kept(drawn, record.counts[origin], mixing, law=record.real_law, rng=rng)
        for step in range(len(kept)):
            yield WithinForecast(
                origin=origin,
                horizon=step + 1,
                predicted=float(kept[step].mean()),
                recorded=float(record.kept[origin + step + 1]),
                variance=float(kept[step].var(ddof=1)),
            )


def _model_error(within: tuple[WithinForecast, ...]) -> tuple[float, float]:
    """Return the deviation of the model's error for a share of 1 after one round, and its freedom.

    What the errors of forecasts within the record owe to chance is taken off.
    """
    origins = len({one.origin for one in within})
    terms = [
        (one.error**2 - one.variance) / (one.horizon * max(one.recorded, _SMALLEST_SHARE))
        for one in within
    ]
    measured = max(sum(terms) / len(terms), 0.0) if terms else 0.0
    freedom = _TYPICAL_ORIGINS + origins
    square = (_TYPICAL_ORIGINS * TYPICAL_ERROR**2 + origins * measured) / freedom
    return math.sqrt(square), float(freedom)


def _reach_of_drift(record: Record, fit: Fit, used: Fit, mixing: RoundItems, seed: int) -> Floats:
    """Return by how much the shares would change if a drift that was found went on."""
    drift = find_drift(pairs_of(record), fit)
    rounds = mixing.generated.size
    if drift is None or not drift.found:
        return np.zeros(rounds)
    # The sharpening of a fit is that of the middle of its transitions.
    since_middle = (used.totals.size - 1) / 2.0
    steps = drift.slope * (since_middle + np.arange(1.0, rounds + 1.0))
    values = parameters_of(used.resampler, _WITHIN_REPLICATES)
    start, law = record.counts[-1], record.real_law
    steady, drifting = (
        simulate_kept(values, start, mixing, law=law, rng=stream(seed, block=0), drift=drift)
        for drift in (None, steps)
    )
    change: Floats = drifting.mean(axis=1) - steady.mean(axis=1)
    return change


def interval(share: Floats, reach: Floats, *, highest: float) -> tuple[Floats, Floats]:
    """Return an interval about shares that stays between 0 and 1."""
    inside = np.clip(share, 1e-12, 1.0 - 1e-12)
    width = reach / (inside * (1.0 - inside))
    low, high = expit(logit(inside) - width), expit(logit(inside) + width)
    sure = (reach == 0.0) | (share <= 0.0) | (share >= 1.0)
    low, high = np.where(sure, share, low), np.where(sure, share, high)
    return low, np.maximum(np.minimum(high, highest), share)


def _slope(fit: Fit, start: Integers, mixing: RoundItems, law: Floats, seed: int) -> Floats:
    """Return by how much the shares fall with the sharpening."""
    kept = []
    for step in (-_STEP, _STEP):
        moved = replace(fit.resampler, sharpening=fit.resampler.sharpening + step)
        values = parameters_of(moved, _WITHIN_REPLICATES)
        rng = stream(seed, block=0)
        kept.append(simulate_kept(values, start, mixing, law=law, rng=rng).mean(axis=1))
    falls: Floats = (kept[0] - kept[1]) / (2.0 * _STEP)
    return falls
