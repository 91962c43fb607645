r"""The likelihood of recorded moments of numbers, and what it says of the trainer.

Given one training set, the mean of the next is normal and its variance gamma distributed, with the
moments of `hayflick.chains.gaussian_resampler` (exact without fresh data; with them the gamma law
has the exact mean, and the variance of its parts). The posterior of ln e and ln g is computed on a
grid, under flat priors up to e = 1; beyond, that of ln e falls as 1/e, because draws seldom scatter
less than independent ones, and fresh numbers would hide it. For large n and e < 1 the answer is the
classical one: n_e times a sum of squares is χ² distributed, with one degree of freedom for each
mean and each variance less one for g.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, fdtr, fdtrc, gammainc, gammaln, ndtri, stdtr

from hayflick.calibration.diagnoses import DRIFT_LEVEL, LEVEL, Diagnosis
from hayflick.calibration.number_record import NumberRecord
from hayflick.chains.gaussian_resampler import FEWEST_EFFECTIVE, effective_draws
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import listed
from hayflick.core.notes import Note, translatable


def diagnose_numbers(
    record: NumberRecord, transitions: NumberTransitions, share: float, factor: float
) -> tuple[Diagnosis, ...]:
    """Return what the tests of a fit say: one diagnosis per test.

    The scores of the means and of the variances under the fitted e and g are normal where the
    resampler is right; they are compared with one another, so that e itself matters little.
    Drift is called at 5 %, everything else at 1 %.

    Parameters
    ----------
    record, transitions
        What was recorded.
    share, factor
        The fitted e and g.
    """
    means, variances = transitions.scores(share, factor)
    return (
        _mean(means, variances),
        _variance(means, variances),
        _drift(transitions.step.astype(np.float64), means, variances),
        _columns(transitions.line, means, variances),
        _regular(transitions, factor),
        _shape(record),
    )


def _centred(values: Floats) -> float:
    """Return the sum of squares about the mean."""
    return float(((values - values.mean()) ** 2).sum())


def _ratio(means: Floats, variances: Floats) -> float:
    """Return the mean square of the means' scores, over that of the variances' about theirs."""
    own = _centred(variances) / (variances.size - 1)
    return float((means**2).mean() / max(own, 1e-300))


def _answer(
    name: str,
    statistic: float,
    p_value: float,
    *,
    found: Note,
    otherwise: Note,
    level: float = LEVEL,
) -> Diagnosis:
    departs = p_value < level
    return Diagnosis(name, departs, float(statistic), p_value, found if departs else otherwise)


def _untested(name: str, note: Note) -> Diagnosis:
    return Diagnosis(name, found=False, statistic=None, p_value=None, note=note)


def _mean(means: Floats, variances: Floats) -> Diagnosis:
    statistic = _ratio(means, variances)
    message = translatable(
        "the mean moves more from round to round than the scatter of the variance explains: the"
        " trainer shifts it, or numbers of a round depend on one another"
    )
    return _answer(
        "mean",
        statistic,
        float(fdtrc(means.size, variances.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("the mean moves as the scatter of the variance lets expect"),
    )


def _variance(means: Floats, variances: Floats) -> Diagnosis:
    statistic = _ratio(means, variances)
    message = translatable(
        "the variance scatters more from round to round than the moves of the mean explain: heavy"
        " tails, or a factor that is not the same in every round"
    )
    return _answer(
        "variance",
        statistic,
        float(fdtr(means.size, variances.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("the variance scatters as the moves of the mean let expect"),
    )


def _drift(steps: Floats, means: Floats, variances: Floats) -> Diagnosis:
    """Test whether the factor changes by the same step from transition to transition."""
    about = steps - steps.mean()
    squares = float((about**2).sum())
    slope = float((about * variances).sum()) / squares
    degrees = 2 * variances.size - 2
    left = float((means**2).sum()) + _centred(variances) - slope**2 * squares
    statistic = slope / np.sqrt(max(left, 1e-300) / degrees / squares)
    rises = Note(
        "the factor of the variance rises from round to round; the forecast keeps its mean"
    )
    falls = Note(
        "the factor of the variance falls from round to round; the forecast keeps its mean"
    )
    return _answer(
        "drift",
        statistic,
        float(2.0 * stdtr(degrees, -abs(statistic))),
        found=rises if slope > 0.0 else falls,
        otherwise=Note("the factor of the variance shows no trend"),
        level=DRIFT_LEVEL,
    )


def _columns(lines: Integers, means: Floats, variances: Floats) -> Diagnosis:
    """Test whether all columns have one factor."""
    number = int(lines.max()) + 1
    if number == 1:
        return _untested("columns", Note("there is one column: nothing to compare"))
    own = [variances[lines == line] for line in range(number)]
    inside = sum(_centred(one) for one in own)
    between = _centred(variances) - inside
    degrees = number - 1, 2 * variances.size - number
    within = (float((means**2).sum()) + inside) / degrees[1]
    statistic = between / degrees[0] / max(within, 1e-300)
    message = translatable(
        "the columns differ in their factor of the variance: calibrate them one by one for a"
        " forecast of each"
    )
    return _answer(
        "columns",
        statistic,
        float(fdtrc(*degrees, statistic)),
        found=Note(message),
        otherwise=Note("the columns agree in their factor of the variance"),
    )


def _regular(transitions: NumberTransitions, factor: float) -> Diagnosis:
    """Test whether rounds scatter less than independent draws of their size would."""
    means, variances = transitions.scores(1.0, factor)
    statistic = float((means**2).sum()) + _centred(variances)
    message = translatable(
        "rounds scatter less than independent draws of their size: were numbers copied from round"
        " to round, or drawn by a scheme that evens them out?"
    )
    return _answer(
        "regular",
        statistic,
        float(chdtr(2 * means.size - 1, statistic)),
        found=Note(message),
        otherwise=Note("rounds scatter at least as independent draws of their size do"),
    )


def _shape(record: NumberRecord) -> Diagnosis:
    """Tell whether the numbers look Gaussian, where they were recorded themselves."""
    if record.kurtosis is None:
        return _untested(
            "shape", Note("means and variances say nothing of the shape of the numbers")
        )
    farthest = int(np.abs(record.kurtosis).argmax())
    statistic = float(record.kurtosis.ravel()[farthest])
    note = Note("the numbers look Gaussian in the first and the last round")
    if record.checks:
        message = translatable(
            "{columns} do not look Gaussian ({what}): a spread is not all that can be lost, and"
            " the effective sample size of the variance is not that of the mean"
        )
        names = dict.fromkeys(one.column for one in record.checks)
        what = dict.fromkeys(one.name for one in record.checks)
        note = Note(message, columns=listed(list(names)), what=", ".join(what))
    found = bool(record.checks)
    return Diagnosis("shape", found=found, statistic=statistic, p_value=None, note=note)


_DROP = 20.0
_SCAN, _FINE, _WIDTH = 241, 121, 61
_ZOOMS, _PROFILE = 6, 17
_DOUBLINGS, _HALVINGS = 24, 6
_LARGEST_SHARE = 1e3
_CELLS = 1_000_000


@dataclass(frozen=True, eq=False)
class NextMoments:
    """The laws of the next mean and variance, by transition: broadcast over parameters.

    Parameters
    ----------
    mean, mean_variance
        Of the normal law of the mean.
    variance, shape
        Mean and shape of the gamma law of the variance.
    """

    mean: Floats
    mean_variance: Floats
    variance: Floats
    shape: Floats


class NumberTransitions:
    """The transitions of a record, in one row, in units of the real data's mean and deviation.

    Parameters
    ----------
    record
        The recorded moments.
    """

    def __init__(self, record: NumberRecord) -> None:
        def before(values: Floats | Integers) -> Floats:
            return values[:, :-1].ravel().astype(np.float64)

        def after(values: Floats | Integers) -> Floats:
            return values[:, 1:].ravel().astype(np.float64)

        lines, steps = record.means.shape[0], record.rounds - 1
        self.line = np.repeat(np.arange(lines), steps)
        self.step = np.tile(np.arange(steps), lines)
        self.trained_on, self.size = before(record.sizes), after(record.sizes)
        # In units of the real data, so that no square is out of range.
        unit = record.variances[:, :1]
        means, variances = (
            (record.means - record.means[:, :1]) / np.sqrt(unit),
            record.variances / unit,
        )
        self.mean, self.next_mean = before(means), after(means)
        self.variance, self.next_variance = before(variances), after(variances)
        self.fresh = record.fresh.ravel().astype(np.float64)
        self.generated = self.size - self.fresh
        self.real_mean, self.real_variance = np.zeros(lines * steps), np.ones(lines * steps)

    def laws(self, share: Floats, factor: Floats) -> NextMoments:
        """Return the laws of the next moments for e and g that fit ``(transitions,)``."""
        n, m, q = self.size, self.fresh, self.generated
        effective = effective_draws(q, self.trained_on, share)
        own = factor * self.variance
        of_mean = own / effective
        real = np.divide(self.real_variance, m, out=np.zeros_like(m), where=m > 0.0)
        gap, spread = self.mean - self.real_mean, of_mean + real
        between = q * m / n
        parts = (q - 1.0) * own + np.maximum(m - 1.0, 0.0) * self.real_variance
        variance = (parts + between * (gap**2 + spread)) / (n - 1.0)
        scatter = (
            2.0 * ((q - 1.0) * own) ** 2 / (effective - 1.0)
            + 2.0 * np.maximum(m - 1.0, 0.0) * self.real_variance**2
            + between**2 * (2.0 * spread**2 + 4.0 * spread * gap**2)
        ) / (n - 1.0) ** 2
        return NextMoments(
            mean=(q * self.mean + m * self.real_mean) / n,
            mean_variance=(q / n) ** 2 * of_mean + (m / n) ** 2 * real,
            variance=variance,
            shape=variance**2 / scatter,
        )

    def log_likelihood(self, share: Floats, factor: Floats) -> Floats:
        """Return it for arrays of e and g of one shape."""
        laws = self.laws(share[..., None], factor[..., None])
        squares = (self.next_mean - laws.mean) ** 2 / laws.mean_variance
        of_mean = -0.5 * (np.log(laws.mean_variance) + squares)
        ratio = self.next_variance / laws.variance
        a = laws.shape
        # The terms of a large shape cancel in ln a - ln Γ(a)/a.
        of_variance = a * (np.log(a) + np.log(ratio) - ratio) - gammaln(a)
        total: Floats = (of_mean + of_variance - np.log(self.next_variance)).sum(axis=-1)
        return total

    def scores(self, share: float, factor: float) -> tuple[Floats, Floats]:
        """Return normal scores of the next means and variances, each ``(transitions,)``."""
        laws = self.laws(np.array(share), np.array(factor))
        of_mean = (self.next_mean - laws.mean) / np.sqrt(laws.mean_variance)
        below = gammainc(laws.shape, laws.shape * self.next_variance / laws.variance)
        tiny = 1e-15
        return of_mean, ndtri(np.clip(below, tiny, 1.0 - tiny))


@dataclass(frozen=True, eq=False)
class Posterior:
    """The posterior of ln e and ln g on a grid.

    Parameters
    ----------
    log_share, log_factor
        Points, shape ``(points,)``.
    weights
        Their probabilities.
    steps
        Width of the cells in both directions, shape ``(2, points)``.
    """

    log_share: Floats
    log_factor: Floats
    weights: Floats
    steps: Floats

    @property
    def middle(self) -> Floats:
        """The mean of both."""
        return np.array([self.weights @ self.log_share, self.weights @ self.log_factor])

    @property
    def covariance(self) -> Floats:
        """Of both, shape ``(2, 2)``."""
        points = np.stack([self.log_share, self.log_factor]) - self.middle[:, None]
        covariance: Floats = (self.weights * points) @ points.T
        return covariance

    def interval(self, parameter: int, level: float) -> tuple[float, float]:
        """Return the equal-tailed interval of e (0) or g (1) itself."""
        values = (self.log_share, self.log_factor)[parameter]
        order = np.argsort(values)
        below = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
        tails = (0.5 - level / 2.0, 0.5 + level / 2.0)
        low, high = np.exp(np.interp(tails, below, values[order]))
        return float(low), float(high)

    def draw(self, rng: np.random.Generator, number: int) -> Floats:
        """Return draws of e and g, shape ``(2, number)``."""
        places = rng.choice(self.weights.size, number, p=self.weights)
        points = np.stack([self.log_share, self.log_factor])[:, places]
        jitter = (rng.random((2, number)) - 0.5) * self.steps[:, places]
        drawn: Floats = np.exp(points + jitter)
        return drawn


def posterior(transitions: NumberTransitions) -> Posterior:
    """Return the posterior of ln e and ln g."""
    lowest = np.log(FEWEST_EFFECTIVE / transitions.trained_on.min())
    scan = np.linspace(lowest, np.log(_LARGEST_SHARE), _SCAN)
    _, best = _profile(transitions, scan)
    inside = np.flatnonzero(best > best.max() - _DROP)
    ends = scan[max(inside[0] - 1, 0)], scan[min(inside[-1] + 1, _SCAN - 1)]
    shares = np.linspace(*ends, _FINE)
    factors = _factors(transitions, shares)
    values = _at(transitions, shares, factors)
    heights = np.repeat(factors[:, 1:2] - factors[:, :1], _WIDTH, axis=1)
    prior = np.minimum(1.0, np.exp(-shares))[:, None]
    weights = np.exp(values - values.max()) * heights * prior
    width = np.full(weights.shape, shares[1] - shares[0])
    return Posterior(
        np.repeat(shares, _WIDTH),
        factors.ravel(),
        (weights / weights.sum()).ravel(),
        np.stack([width.ravel(), heights.ravel()]),
    )


def _at(transitions: NumberTransitions, log_shares: Floats, log_factors: Floats) -> Floats:
    """Return the logarithm of the likelihood, shape ``(shares, factors)`` as `log_factors`."""
    shares = np.repeat(np.exp(log_shares)[:, None], log_factors.shape[1], axis=1)
    rows = max(1, _CELLS // (log_factors.shape[1] * transitions.size.size))
    parts = [
        transitions.log_likelihood(
            shares[first : first + rows], np.exp(log_factors[first : first + rows])
        )
        for first in range(0, len(shares), rows)
    ]
    return np.concatenate(parts)


def _profile(transitions: NumberTransitions, log_shares: Floats) -> tuple[Floats, Floats]:
    """Return ln g where the likelihood is largest for every e, and its logarithm there."""
    ratios = np.log(transitions.next_variance / transitions.variance)
    low = np.full(log_shares.size, ratios.min() - 3.0)
    high = np.full(log_shares.size, ratios.max() + 3.0)
    rows = np.arange(log_shares.size)
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _PROFILE, axis=1)
        values = _at(transitions, log_shares, grid)
        place = values.argmax(axis=1)
        low = grid[rows, np.maximum(place - 1, 0)]
        high = grid[rows, np.minimum(place + 1, _PROFILE - 1)]
    return grid[rows, place], values[rows, place]


def _factors(transitions: NumberTransitions, log_shares: Floats) -> Floats:
    """Return a grid of ln g by e, each of which holds nearly all of its likelihood."""
    middle, top = _profile(transitions, log_shares)

    def inside(reach: Floats, side: float) -> NDArray[np.bool_]:
        values = _at(transitions, log_shares, (middle + side * reach)[:, None])[:, 0]
        return values > top - _DROP

    ends = []
    for side in (-1.0, 1.0):
        near, far = np.zeros(middle.size), np.full(middle.size, 1e-6)
        for _ in range(_DOUBLINGS):
            more = inside(far, side)
            if not more.any():
                break
            near, far = np.where(more, far, near), np.where(more, 2.0 * far, far)
        for _ in range(_HALVINGS):
            half = 0.5 * (near + far)
            more = inside(half, side)
            near, far = np.where(more, half, near), np.where(more, far, half)
        ends.append(middle + side * far)
    grid: Floats = np.linspace(ends[0], ends[1], _WIDTH, axis=1)
    return grid
