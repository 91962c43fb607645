"""A resampler from less than recorded counts: the share of the types that each round kept.

A curve of shares tells the sharpening and the trainer's noise apart badly: both lose types. What
is typical of trained models is therefore taken in as a weak prior, and the errors show what the
curve left open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from hayflick.calibration.prediction import TYPICAL_ERROR, interval
from hayflick.calibration.simulated_rounds import RoundItems, parameters_of, simulate_kept
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError
from hayflick.core.reproducibility import stream

POINTS_NEEDED = 3
# Means and deviations of b and s over recorded runs of small language models; u is about .25.
_TYPICAL, _SPREAD = np.array([1.0, 3.0]), np.array([0.1, 1.0])
_TYPICAL_POWER = 0.25
_MODEL_ERROR = 0.005
_STEPS = np.array([0.02, 0.3])
_LOWEST, _HIGHEST = np.array([0.3, -4.0]), np.array([3.0, 12.0])
_CELLS, _FEWEST, _MOST = 400_000, 4, 32


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A resampler that was fitted to a curve of shares.

    Parameters
    ----------
    resampler
        The resampler with the covariance of its errors.
    fixed
        Parameters that a curve says nothing of.
    recorded
        The recorded shares, shape ``(rounds,)``.
    shares
        What the resampler expects in their place.
    deviation
        Root of the mean squared difference from the recorded shares.
    """

    resampler: Resampler
    fixed: tuple[str, ...]
    recorded: Floats
    shares: Floats
    deviation: float


def fit_curve(
    real: Integers, sizes: Sequence[int], shares: Sequence[float], *, seed: int = 0
) -> CurveFit:
    """Return the resampler whose rounds keep the recorded shares of the types.

    The sharpening and one dispersion are fitted; nothing lost comes back, and no real data is
    added.

    Parameters
    ----------
    real
        Counts of the real data, shape ``(types,)``.
    sizes
        Items of each round after the real data.
    shares
        Share of the real types that each of them holds.
    seed
        Seed of the simulation that the shares are held against.

    Raises
    ------
    DataError
        If there are fewer than three rounds, or the shares are none.

    Examples
    --------
    >>> real = np.repeat([1, 2, 5, 20, 100], [200, 100, 50, 20, 5])
    >>> found = fit_curve(real, [1550] * 4, [0.70, 0.55, 0.46, 0.39])
    >>> found.fixed, bool(0.9 < found.resampler.sharpening < 1.1)
    (('size_power', 'return_weight'), True)
    """
    from scipy.optimize import least_squares

    recorded = np.asarray(shares, dtype=np.float64)
    _check(real, sizes, recorded)
    counts = np.asarray(real)[np.asarray(real) > 0].astype(np.int64)
    generated = np.asarray(sizes, dtype=np.int64)
    mixing = RoundItems(generated, np.zeros_like(generated), np.zeros_like(counts))
    replicates = int(np.clip(_CELLS // counts.size, _FEWEST, _MOST))
    law = counts / counts.sum()
    error = np.sqrt(recorded * (1.0 - recorded) / counts.size + _MODEL_ERROR**2)

    def expected(values: Floats) -> Floats:
        parameters = parameters_of(_resampler(values), replicates)
        rng = stream(seed, block=0)
        kept: Floats = simulate_kept(parameters, counts, mixing, law=law, rng=rng).mean(axis=1)
        return kept

    def residuals(values: Floats) -> Floats:
        off = (expected(values) - recorded) / error
        return np.concatenate([off, (values - _TYPICAL) / _SPREAD])

    def slopes(values: Floats) -> Floats:
        # Steps beyond the scatter of the simulation.
        moves = np.diag(_STEPS)
        columns = [(residuals(values + one) - residuals(values - one)) for one in moves]
        return np.stack(columns, axis=1) / (2.0 * _STEPS)

    margin = 1.5 * _STEPS
    bounds = _LOWEST + margin, _HIGHEST - margin
    found = least_squares(residuals, _TYPICAL, jac=slopes, bounds=bounds, xtol=1e-3, max_nfev=25)
    kept = expected(found.x)
    # Residuals beyond the stated error widen the errors.
    scale = max(1.0, float(np.mean(((kept - recorded) / error) ** 2)))
    covariance = np.zeros((len(PARAMETERS),) * 2)
    covariance[:2, :2] = scale * np.linalg.inv(found.jac.T @ found.jac)
    return CurveFit(
        resampler=_resampler(found.x, tuple(map(tuple, covariance.tolist()))),
        fixed=("size_power", "return_weight"),
        recorded=recorded,
        shares=kept,
        deviation=math.sqrt(float(np.mean((kept - recorded) ** 2))),
    )


@dataclass(frozen=True, eq=False)
class CurvePrediction:
    """Shares of the real types in the rounds after a curve.

    Parameters
    ----------
    rounds
        Their numbers, counted from the real data (0), shape ``(rounds,)``.
    share
        Expected share in each.
    low, high
        Ends of the 90 % interval.
    """

    rounds: Integers
    share: Floats
    low: Floats
    high: Floats


def predict_curve(
    real: Integers,
    sizes: Sequence[int],
    fit: CurveFit,
    *,
    ahead: int = 5,
    replicates: int = 200,
    seed: int = 0,
) -> CurvePrediction:
    """Return the forecast of the rounds after a curve, each as large as the last one.

    Parameters
    ----------
    real, sizes
        Those of the fit.
    fit
        What `fit_curve` returned.
    ahead
        Number of rounds.
    replicates
        Simulated runs.
    seed
        Seed of the simulation.
    """
    counts = np.asarray(real)[np.asarray(real) > 0].astype(np.int64)
    generated = np.array([*sizes, *[sizes[-1]] * ahead], dtype=np.int64)
    mixing = RoundItems(generated, np.zeros_like(generated), np.zeros_like(counts))
    drawn = fit.resampler.draw_parameters(stream(seed, block=1), replicates)
    law = counts / counts.sum()
    kept = simulate_kept(drawn, counts, mixing, law=law, rng=stream(seed, block=0))
    known = len(sizes)
    # Only runs near the recorded curve tell of its next rounds: they start where it ended.
    moved = kept[known:] * (fit.recorded[-1] / np.maximum(kept[known - 1], 1e-12))
    model = TYPICAL_ERROR * np.sqrt(moved.mean(axis=1) * np.arange(1.0, ahead + 1.0))
    share = moved.mean(axis=1)
    reach = float(ndtri(0.95)) * np.sqrt(moved.var(axis=1, ddof=1) + model**2)
    low, high = interval(share, reach, highest=float(fit.recorded[-1]))
    return CurvePrediction(np.arange(known + 1, known + 1 + ahead), share, low, high)


def _resampler(
    values: Floats, covariance: tuple[tuple[float, ...], ...] | None = None
) -> Resampler:
    return Resampler(
        sharpening=float(values[0]),
        log_size=float(values[1]),
        size_power=_TYPICAL_POWER,
        covariance=covariance,
    )


def _check(real: Integers, sizes: Sequence[int], shares: Floats) -> None:
    if len(sizes) != shares.size:
        raise DataError(f"curve: {len(sizes)} sizes of rounds, but {shares.size} shares")
    if shares.size < POINTS_NEEDED:
        raise DataError(
            f"curve: the shares of {shares.size} rounds give no reading: at least "
            f"{POINTS_NEEDED} rounds are needed, or the counts of two transitions"
        )
    if not (np.isfinite(shares).all() and (shares >= 0.0).all() and (shares <= 1.0).all()):
        raise DataError("curve: a share of the types is a number from 0 to 1")
    if min(sizes) < 1:
        raise DataError("curve: a round holds at least one item")
    if np.count_nonzero(real) < 2:
        raise DataError("curve: the counts of at least two types of the real data are needed")
