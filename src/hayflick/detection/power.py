"""What a chart can find: the smallest loss that it finds within some rounds.

Two kinds of loss, as shares of the baseline's mean: a *step* that is there in full from one round
on, and a *steady* fall that is reached in equal parts by the last round of the horizon. A loss is
found if the chart alarms within the horizon with a probability of .8.

Rounds are simulated from the baseline itself, with a fixed seed: for a rank chart, independent
normal numbers with the baseline's mean and deviation; for a chart of the scores of pairs, scores
drawn from the baseline's, times the part of the mean that is left, where the stream's mean differs
from the baseline's by its standard error. The loss is found by bisection
with the same draws throughout, to a hundredth of its size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.reproducibility import stream
from hayflick.detection.baseline import Baseline
from hayflick.detection.evidence import log_means
from hayflick.detection.guaranteed import FRACTIONS, GuaranteedChart, lower_bound
from hayflick.detection.rank import RankChart, log_bets

HORIZONS = (5, 10, 20)
"""Numbers of rounds within which a loss is to be found."""

PROBABILITY = 0.8
"""Probability with which it is found."""

LONGER = 5
"""How many times as many rounds a slower chart is given to find the same fall."""

SMALL_LOSS = 0.05
"""The loss that the number of answers is stated for."""

_KINDS = ("step", "steady")
_RUNS = 400
_SEED = 1
_PRECISION = 0.01
_MOST_FACTOR = 10_000.0
_LEVELS = 64


@dataclass(frozen=True, slots=True)
class DetectableLoss:
    """The smallest loss that a chart finds within some rounds with a probability of .8.

    Parameters
    ----------
    kind
        ``step`` or ``steady``.
    rounds
        The horizon.
    loss
        Share of the baseline's mean; None if no loss is found in so few rounds.
    answers
        How many times as many answers a round would be needed to find a loss of 5 %; None if no
        number is enough.
    """

    kind: str
    rounds: int
    loss: float | None
    answers: float | None


def detectable_losses(
    chart: RankChart | GuaranteedChart, healthy: Baseline
) -> tuple[DetectableLoss, ...]:
    """Return what a chart can find, by kind and horizon.

    Parameters
    ----------
    chart
        The chart.
    healthy
        The baseline that it was made from.

    Examples
    --------
    >>> from hayflick.core.records import Reading
    >>> readings = [Reading(t, {"words": 500.0 + t * t % 11}) for t in range(1, 11)]
    >>> chart = RankChart(readings, metric="words")
    >>> found = detectable_losses(chart, Baseline.of_values(readings, metric="words"))
    >>> [(one.kind, one.rounds, one.loss and round(one.loss, 2)) for one in found][2:5]
    [('step', 20, None), ('steady', 5, 0.05), ('steady', 10, 0.03)]
    """
    if isinstance(chart, RankChart):
        find = partial(_of_ranks, chart, healthy)
    else:
        find = partial(_of_pairs, chart, healthy)
    return tuple(find(kind, rounds) for kind in _KINDS for rounds in HORIZONS)


def _of_ranks(chart: RankChart, healthy: Baseline, kind: str, rounds: int) -> DetectableLoss:
    shift = _smallest_shift(kind, rounds, healthy.readings, 1.0 / chart.limit, chart.form)
    mean, deviation = abs(healthy.mean), healthy.deviation
    if shift is None or mean == 0.0:
        return DetectableLoss(kind, rounds, None, None)
    loss = shift * deviation / mean
    # The deviation falls with the square root of the number of answers.
    answers = (loss / SMALL_LOSS) ** 2
    return DetectableLoss(kind, rounds, loss if loss <= 1.0 else None, max(1.0, answers))


@cache
def _smallest_shift(kind: str, rounds: int, readings: int, alpha: float, form: str) -> float | None:
    """Return the smallest shift that a rank chart finds, in the baseline's deviations."""
    rng = stream(_SEED, block=0)
    noise = rng.standard_normal((_RUNS, readings + rounds))

    def found(shift: float) -> float:
        series = noise.copy()
        series[:, readings:] -= shift * _profile(kind, rounds)
        growth = np.stack(list(_rank_growth(series, readings)), axis=1)
        return _share_found(growth, 1.0 / alpha, form)

    return _smallest(found, most=100.0)


def _rank_growth(series: Floats, readings: int) -> Iterator[Floats]:
    """Yield ln L of every run and bet for each round after the baseline."""
    for now in range(readings, series.shape[1]):
        below = (series[:, :now] < series[:, now, None]).sum(axis=1)
        yield log_bets(below, np.zeros_like(below), earlier=now)


def rounds_to_find(
    readings: int, *, limits: Sequence[float], within: int, form: str
) -> tuple[int | None, ...]:
    """Return in how many rounds rank charts at other limits find the same steady fall.

    The slope is that at which the chart with the first limit finds the fall in about `within`.

    Parameters
    ----------
    readings
        Number of readings in the baseline.
    limits
        1/α of each chart.
    within
        Number of rounds in which the first chart is to find it.
    form
        ``sum`` or ``product``.

    Returns
    -------
    For each limit the rounds after which the fall is found with a probability of .8; None if it
    is not within five times as many rounds.

    Examples
    --------
    >>> rounds_to_find(10, limits=[2000.0, 4000.0, 48000.0], within=10, form="sum")
    (11, 11, 13)
    """
    shift = _smallest_shift("steady", within, readings, 1.0 / limits[0], form)
    if shift is None:
        return (None,) * len(limits)
    series = stream(_SEED, block=0).standard_normal((_RUNS, readings + LONGER * within))
    series[:, readings:] -= shift / within * np.arange(1, LONGER * within + 1)
    growth = np.stack(list(_rank_growth(series, readings)), axis=1)
    shares = [_shares_found(growth, limit, form) for limit in limits]
    found = [np.flatnonzero(share >= PROBABILITY) for share in shares]
    return tuple(int(rounds[0]) + 1 if rounds.size else None for rounds in found)


def _of_pairs(chart: GuaranteedChart, healthy: Baseline, kind: str, rounds: int) -> DetectableLoss:
    guarantee = chart.guarantee
    scores = np.concatenate(healthy.scores)
    pairs = float(np.median([one.size for one in healthy.scores]))
    oriented, error = guarantee.oriented(scores), guarantee.baseline_error
    kept = guarantee.threshold / lower_bound(oriented, error=error)
    levels = np.quantile(oriented, (np.arange(_LEVELS) + 0.5) / _LEVELS)
    unsure = float(oriented.std() / oriented.mean()) / math.sqrt(oriented.size)

    def found(loss: float, factor: float = 1.0) -> float:
        threshold = kept * lower_bound(oriented, error=error, copies=factor)
        path = loss * _profile(kind, rounds)
        sure = unsure / math.sqrt(factor)
        growth = _pair_growth(levels, factor * pairs, threshold, path, unsure=sure)
        return _share_found(growth, chart.limit, guarantee.form)

    loss = _smallest(found, most=1.0)
    needed = _smallest(partial(found, SMALL_LOSS), least=1.0, most=_MOST_FACTOR)
    return DetectableLoss(kind, rounds, loss, needed)


def _pair_growth(
    levels: Floats, pairs: float, threshold: float, path: Floats, *, unsure: float
) -> Floats:
    """Return ln L of every run, round and fraction; sums over pairs are taken for normal.

    The mean of a stream differs from its baseline's by `unsure`, a relative standard error.
    """
    gaps = unsure * _noise(2, _RUNS)
    noise = _noise(1, _RUNS, path.size, FRACTIONS.size)
    claimed = 1.0 - threshold
    growth = np.empty_like(noise)
    losses, first = np.unique(path, return_inverse=True)
    for number, loss in enumerate(losses):
        returns = (1.0 - levels * (1.0 - loss)) / claimed - 1.0
        logs = np.log1p(FRACTIONS * returns[:, None])
        values, axes = np.linalg.eigh(np.cov(logs, rowvar=False, bias=True))
        root = axes * np.sqrt(np.maximum(values, 0.0) * pairs)
        # A mean that is higher by a small share is a loss that is smaller by it.
        slopes = -FRACTIONS * (levels * (1.0 - loss) / claimed)[:, None] / np.exp(logs)
        means = logs.mean(axis=0) + gaps[:, None] * slopes.mean(axis=0)
        places = first == number
        growth[:, places] = (pairs * means)[:, None] + noise[:, places] @ root.T
    return growth


@cache
def _noise(block: int, *shape: int) -> Floats:
    """Return standard normal numbers, the same for every loss that is tried."""
    return stream(_SEED, block=block).standard_normal(shape)


def _profile(kind: str, rounds: int) -> Floats:
    """Return the share of the loss that is reached in each round."""
    if kind == "step":
        return np.ones(rounds)
    return np.arange(1, rounds + 1) / rounds


def _share_found(growth: Floats, limit: float, form: str) -> float:
    """Return the share of runs that alarm, from ln L of shape ``(runs, rounds, bets)``."""
    return float(_shares_found(growth, limit, form)[-1])


def _shares_found(growth: Floats, limit: float, form: str) -> Floats:
    """Return the share of runs that have alarmed by each round."""
    carried = np.zeros(growth[:, 0].shape)
    alarmed = np.zeros((len(growth), growth.shape[1]), bool)
    for place in range(growth.shape[1]):
        logs = carried + growth[:, place]
        alarmed[:, place] = log_means(logs) >= math.log(limit)
        carried = np.logaddexp(0.0, logs) if form == "sum" else logs
    shares: Floats = np.logical_or.accumulate(alarmed, axis=1).mean(axis=0)
    return shares


def _smallest(found: Callable[[float], float], *, most: float, least: float = 0.0) -> float | None:
    """Return the smallest number that is found often enough; None if `most` is not."""
    if found(most) < PROBABILITY:
        return None
    if least > 0.0 and found(least) >= PROBABILITY:
        return least
    low, high = least, most
    while high - low > _PRECISION * high:
        middle = (low + high) / 2.0 if low * 4.0 > high or low == 0.0 else math.sqrt(low * high)
        low, high = (low, middle) if found(middle) >= PROBABILITY else (middle, high)
    return high
