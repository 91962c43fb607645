"""Which resampler fits a record best? Maximum likelihood over all transitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from hayflick.calibration.likelihood import (
    CountPairs,
    Likelihood,
    LogLinearDesign,
    Maximum,
    pairs_of,
)
from hayflick.calibration.record import Record
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats
from hayflick.core.errors import DataError

TRANSITIONS_NEEDED = 2
# Each parameter of the trainer's own noise has to gain so much of the log-likelihood (AIC).
_GAIN = 1.0
_LARGEST_POWER = 4.0
_VAGUE_POWER = 1.0
_POWERS = (0.0, 0.5, 1.0)
_SHARPENING_RANGE = (0.05, 20.0)


@dataclass(frozen=True, eq=False)
class Fit:
    """A resampler that was fitted to a record.

    Parameters
    ----------
    resampler
        The resampler, without a covariance.
    covariance
        Of its parameters in the order of `hayflick.chains.resampler.PARAMETERS`, shape ``(4, 4)``;
        zero rows for those that are fixed.
    fixed
        Parameters that the record says nothing of, or whose best value is the end of their range.
    log_likelihood
        At the maximum.
    totals
        Mean number of items that the trainer drew in every transition, shape ``(transitions,)``.
    """

    resampler: Resampler
    covariance: Floats
    fixed: tuple[str, ...]
    log_likelihood: float
    totals: Floats

    def standard_error(self, parameter: str) -> float | None:
        """Return a parameter's standard error; None where it is fixed."""
        if parameter in self.fixed:
            return None
        place = PARAMETERS.index(parameter)
        return math.sqrt(self.covariance[place, place])


def fit_resampler(record: Record) -> Fit:
    """Return the resampler that fits a record best.

    The number of items that the trainer drew is free in every transition. Where the trainer's own
    noise vanishes, the size is fixed at infinity; the return weight is fitted only where something
    was absent and could come back.

    Parameters
    ----------
    record
        Of at least two transitions.

    Raises
    ------
    DataError
        If the record is too short or too poor, or no resampler fits it.

    Examples
    --------
    >>> counts = np.array([[60, 30, 9, 1, 1], [58, 33, 9, 1, 0], [60, 32, 8, 1, 0]])
    >>> none = np.zeros(2, np.int64), np.zeros(5, np.int64)
    >>> fit = fit_resampler(Record(tuple("abcde"), counts, *none))
    >>> round(fit.resampler.sharpening, 2), fit.resampler.log_size
    (1.05, inf)
    """
    check_length(record)
    return fit_pairs(pairs_of(record))


def check_length(record: Record) -> None:
    """Raise where a record cannot be fitted, whatever its counts."""
    if record.transitions < TRANSITIONS_NEEDED:
        raise DataError(
            f"record: {record.transitions} transition from one round to the next, and a fit takes "
            f"at least {TRANSITIONS_NEEDED}: record another round"
        )
    if len(record.symbols) < 2:
        raise DataError("record: a single type cannot tell how a trainer resamples")


def fit_pairs(pairs: CountPairs) -> Fit:
    """Return the resampler that fits pairs best, of any number of transitions."""
    returning = returns(pairs)
    if not spreads(pairs):
        raise DataError(
            "record: no round before the last holds types of different counts, which shows nothing "
            "of how a trainer sharpens"
        )
    model = TransitionModel(pairs, returning=returning)
    best, noise, power = _chosen(model)
    if not best.converged or not _SHARPENING_RANGE[0] < best.parameters[0] < _SHARPENING_RANGE[1]:
        raise DataError(
            "record: no resampler fits these rounds (the fit did not converge): are they rounds of "
            "one trainer, in their order, and is the real data in them stated?"
        )
    return model.fit(best, noise=noise, power=power)


def _chosen(model: TransitionModel) -> tuple[Maximum, bool, float | None]:
    """Return the best fit, whether it has noise of the trainer's own, and its power where set."""
    plain, noisy = model.maximize(noise=False), model.maximize(noise=True)
    if noisy.converged and noisy.value - plain.value > 2.0 * _GAIN and not _vague(noisy):
        return noisy, True, None
    simple = [(model.maximize(noise=True, power=power), power) for power in _POWERS]
    best, power = max(simple, key=lambda one: one[0].value)
    if best.converged and best.value - plain.value > _GAIN:
        return best, True, power
    return plain, False, None


def returns(pairs: CountPairs) -> bool:
    """Return whether more of what was absent came back than fresh items explain.

    It is the sign of the likelihood's slope where the return weight is 0.
    """
    absent = pairs.where(pairs.before == 0.0)
    mixed = absent.fresh > 0.0
    if (absent.after[~mixed] > 0.0).any():
        return True
    slope = absent.after[mixed] / absent.fresh[mixed] - 1.0
    return float(absent.number[mixed] @ slope) > float(absent.number[~mixed].sum())


def spreads(pairs: CountPairs) -> bool:
    """Return whether types that are present differ in their counts within a transition."""
    present = pairs.before > 0.0
    sets = (pairs.before[present & (pairs.transition == k)] for k in range(pairs.transitions))
    return any(np.unique(counts).size > 1 for counts in sets)


def _vague(noisy: Maximum) -> bool:
    """Return whether the power of the size is not told by the pairs."""
    power = abs(noisy.parameters[2])
    try:
        variance = np.linalg.inv(noisy.information)[2, 2]
    except np.linalg.LinAlgError:
        return True
    return not (power < _LARGEST_POWER and 0.0 < variance < _VAGUE_POWER**2)


class TransitionModel:
    """The calibrated chain's parameters for pairs: b, s, u, ln ν, and ln A/W of each transition.

    Parameters
    ----------
    pairs
        The pairs.
    returning
        Whether the return weight is fitted; it is 0 otherwise.
    further
        Columns that are added to the logarithm of the mean, shape ``(pairs, columns)``.
    further_size
        Columns of the same parameters for the logarithm of the size, the same shape.
    """

    def __init__(
        self,
        pairs: CountPairs,
        *,
        returning: bool,
        further: Floats | None = None,
        further_size: Floats | None = None,
    ) -> None:
        self.pairs, self._returning = pairs, returning
        # Without a return weight, what was absent is fresh or stays absent, whatever the rest.
        used = np.ones(pairs.before.size, bool) if returning else pairs.before > 0.0
        self._used, self._idle = pairs.where(used), _idle_value(pairs.where(~used))
        shape = pairs.before.size, 0
        mean = np.zeros(shape) if further is None else further
        size = np.zeros(mean.shape) if further_size is None else further_size
        self._mean, self._size = mean[used], size[used]

    def maximize(
        self, *, noise: bool, power: float | None = None, start: Floats | None = None
    ) -> Maximum:
        """Return the maximum; the parameters that are not fitted are left out."""
        pairs = self._used
        logs = np.log(np.maximum(pairs.before, 1.0))
        levels = (pairs.transition[:, None] == np.arange(pairs.transitions)).astype(np.float64)
        absent = (pairs.before == 0.0).astype(np.float64)[:, None]
        back = absent if self._returning else absent[:, :0]
        sizes = [np.ones_like(logs), logs][: _size_parameters(noise, power)]
        dispersion = np.stack(sizes, axis=1) if sizes else np.empty((logs.size, 0))
        none = np.zeros_like
        mean = np.hstack([logs[:, None], none(dispersion), back, levels, self._mean])
        size = np.hstack([none(logs[:, None]), dispersion, none(back), none(levels), self._size])
        design = LogLinearDesign(mean, size if noise else None, (power or 0.0) * logs)
        begin = self._start(len(sizes)) if start is None else start
        found = Likelihood(pairs, design).maximize(begin)
        return Maximum(
            found.parameters, found.value + self._idle, found.information, found.converged
        )

    def _start(self, sizes: int) -> Floats:
        pairs = self._used
        drawn = np.maximum(pairs.after - pairs.fresh, 0.0)
        after = np.bincount(pairs.transition, pairs.number * drawn, pairs.transitions)
        before = np.bincount(pairs.transition, pairs.number * pairs.before, pairs.transitions)
        back = [math.log(0.02)] if self._returning else []
        levels = np.log(np.maximum(after, 0.5) / np.maximum(before, 1.0))
        return np.concatenate([[1.0], [2.0, 0.5][:sizes], back, levels, self._mean[0] * 0.0])

    def fit(self, found: Maximum, *, noise: bool, power: float | None) -> Fit:
        """Return what was found as a resampler."""
        sizes = _size_parameters(noise, power)
        values = list(found.parameters)
        places = [0, *range(1, 1 + sizes), *([3] if self._returning else [])]
        chosen = dict(zip(places, values[: len(places)], strict=True))
        weight = math.exp(chosen[3]) if self._returning else 0.0
        resampler = Resampler(
            sharpening=float(chosen[0]),
            log_size=float(chosen[1]) if noise else math.inf,
            size_power=float(chosen.get(2, power or 0.0)),
            return_weight=weight,
        )
        scale = np.array([weight if place == 3 else 1.0 for place in places])
        covariance = np.zeros((len(PARAMETERS),) * 2)
        errors = np.linalg.pinv(found.information, hermitian=True)[: len(places), : len(places)]
        covariance[np.ix_(places, places)] = errors * np.outer(scale, scale)
        fixed = tuple(name for place, name in enumerate(PARAMETERS) if place not in places)
        levels = np.array(values[len(places) : len(places) + self.pairs.transitions])
        weights = self.pairs.number * resampler.weights(self.pairs.before)
        sums = np.bincount(self.pairs.transition, weights, self.pairs.transitions)
        return Fit(resampler, covariance, fixed, found.value, np.exp(levels) * sums)


def _size_parameters(noise: bool, power: float | None) -> int:  # noqa: FBT001
    return 0 if not noise else 1 if power is not None else 2


def _idle_value(pairs: CountPairs) -> float:
    """Return the log-likelihood of pairs whose items are all fresh."""
    value = xlogy(pairs.after, pairs.fresh) - pairs.fresh - gammaln(pairs.after + 1.0)
    return float(pairs.number @ value)
