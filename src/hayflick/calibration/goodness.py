"""Does the fitted chain describe the recorded transitions? Class by class of the count before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.calibration.fit import Fit
from hayflick.calibration.likelihood import CountPairs, pairs_of
from hayflick.calibration.record import Record
from hayflick.core.arrays import Floats

# Lower ends of the classes: 1, 2, 3-4, 5-9, 10-19, 20-49, 50-99, ...
_FIRST = (0, 1, 2, 3)
_STEPS = (5, 10, 20)
_FEWEST = 10.0


@dataclass(frozen=True)
class CountClassFit:
    """What the fit expects of types with similar counts, and what was recorded.

    Parameters
    ----------
    lower, upper
        The counts before a transition, both ends included.
    pairs
        Number of types in all transitions together.
    count
        Their mean count before.
    expected_mean, observed_mean
        Of the counts after.
    expected_variance, observed_variance
        Of the counts after about what is expected of each type.
    mean_deviation, variance_deviation
        Standardised differences, about normal where the chain is right.
    """

    lower: int
    upper: int
    pairs: int
    count: float
    expected_mean: float
    observed_mean: float
    expected_variance: float
    observed_variance: float
    mean_deviation: float
    variance_deviation: float


def goodness(record: Record, fit: Fit) -> tuple[CountClassFit, ...]:
    """Return the goodness of fit by class of the count before, all transitions together."""
    return class_fits(pairs_of(record), fit)


@dataclass(frozen=True, eq=False)
class Expected:
    """Moments of the counts after, shape ``(pairs,)``, without stored items.

    Parameters
    ----------
    mean, variance
        The first two moments.
    fourth
        The fourth cumulant.
    absent
        Chance that none is there.
    """

    mean: Floats
    variance: Floats
    fourth: Floats
    absent: Floats


def expected(pairs: CountPairs, fit: Fit) -> Expected:
    """Return what a fit expects after each pair's count."""
    weights = fit.resampler.weights(pairs.before)
    sums = np.bincount(pairs.transition, pairs.number * weights, pairs.transitions)
    own = (fit.totals / sums)[pairs.transition] * weights
    sizes = fit.resampler.sizes(pairs.before)
    extra = own / sizes
    variance = own * (1.0 + extra) + pairs.fresh
    # Cumulants of the negative binomial law, in terms of its mean and of mean over size.
    fourth = own * (1.0 + extra) * (1.0 + 6.0 * extra * (1.0 + extra)) + pairs.fresh
    noisy = np.isfinite(sizes)
    none = np.where(noisy, -np.where(noisy, sizes, 0.0) * np.log1p(extra), -own)
    return Expected(own + pairs.fresh, variance, fourth, np.exp(none - pairs.fresh))


def class_fits(pairs: CountPairs, fit: Fit) -> tuple[CountClassFit, ...]:
    """Return the goodness of fit of pairs."""
    law = expected(pairs, fit)
    return tuple(
        _class_fit(pairs.where(chosen), Expected(*(part[chosen] for part in _parts(law))))
        for chosen in _classes(pairs)
    )


def _parts(law: Expected) -> tuple[Floats, Floats, Floats, Floats]:
    return law.mean, law.variance, law.fourth, law.absent


def _class_fit(pairs: CountPairs, law: Expected) -> CountClassFit:
    number = pairs.number
    types, off = float(number.sum()), pairs.after - law.mean
    expected_sum, observed_sum = float(number @ law.variance), float(number @ off**2)
    mean_deviation = variance_deviation = 0.0
    if expected_sum > 0.0:
        mean_deviation = float(number @ off) / np.sqrt(expected_sum)
        # Sums of squares are about χ², whose cube root is about normal (Wilson-Hilferty).
        relative = float(number @ (law.fourth + 2.0 * law.variance**2)) / expected_sum**2
        root, ninth = np.cbrt(observed_sum / expected_sum), relative / 9.0
        variance_deviation = float((root - 1.0 + ninth) / np.sqrt(ninth))
    return CountClassFit(
        lower=int(pairs.before.min()),
        upper=int(pairs.before.max()),
        pairs=int(types),
        count=float(number @ pairs.before) / types,
        expected_mean=float(number @ law.mean) / types,
        observed_mean=float(number @ pairs.after) / types,
        expected_variance=expected_sum / types,
        observed_variance=observed_sum / types,
        mean_deviation=float(mean_deviation),
        variance_deviation=variance_deviation,
    )


def _classes(pairs: CountPairs) -> list[np.ndarray]:
    """Return the pairs of each class; classes of fewer than ten types join their neighbour."""
    highest = pairs.before.max()
    edges, scale = [*map(float, _FIRST)], 1.0
    while edges[-1] <= highest:
        edges += [scale * step for step in _STEPS]
        scale *= 10.0
    place = np.searchsorted(np.unique(edges), pairs.before, side="right") - 1
    classes: list[np.ndarray] = []
    for one in np.unique(place):
        chosen = place == one
        few = float(pairs.number[chosen].sum()) < _FEWEST
        if classes and few and one > 1:
            classes[-1] = classes[-1] | chosen
        else:
            classes.append(chosen)
    return classes
