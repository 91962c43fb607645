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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.reproducibility import stream
from hayflick.detection.baseline import Baseline
from hayflick.detection.guaranteed import FRACTIONS, Guarantee, GuaranteedChart, lower_bound
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
        return tuple(find(kind, rounds) for kind in _KINDS for rounds in HORIZONS)
    sizes = tuple(one.size for one in healthy.scores)
    data = np.concatenate(healthy.scores).astype(float, copy=False).tobytes()
    return _losses_of_pairs(data, sizes, chart.guarantee, chart.limit)


@lru_cache(maxsize=32)
def _losses_of_pairs(
    data: bytes, sizes: tuple[int, ...], guarantee: Guarantee, limit: float
) -> tuple[DetectableLoss, ...]:
    """Return what a chart of pairs finds; a stream that goes on has the same baseline each time."""
    scores = _PairScores.of(np.frombuffer(data), sizes, guarantee)
    find = partial(_of_pairs, scores, limit=limit, form=guarantee.form)
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
    noise = _noise(0, _RUNS, readings + rounds)

    def found(shift: float) -> bool:
        series = noise.copy()
        series[:, readings:] -= shift * _profile(kind, rounds)
        return _is_found(_rank_growth(series, readings), 1.0 / alpha, form)

    return _smallest(found, most=100.0)


def _rank_growth(series: Floats, readings: int) -> Iterator[Floats]:
    """Yield ln L of every run and bet for each round after the baseline."""
    for now in range(readings, series.shape[1]):
        below = (series[:, :now] < series[:, now, None]).sum(axis=1)
        yield _bets_by_rank(now)[below]


@lru_cache(maxsize=128)
def _bets_by_rank(earlier: int) -> Floats:
    below = np.arange(earlier + 1)
    return log_bets(below, np.zeros_like(below), earlier=earlier)


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
    growth = list(_rank_growth(series, readings))
    return tuple(_rounds_to_find(growth, limit, form) for limit in limits)


@dataclass(frozen=True, eq=False)
class _PairScores:
    """The scores of a baseline, and what follows from them for every loss and horizon."""

    levels: Floats
    pairs: float
    unsure: float
    threshold: Callable[[float], float]

    @classmethod
    def of(cls, scores: Floats, sizes: tuple[int, ...], guarantee: Guarantee) -> _PairScores:
        """Return those of a baseline; `threshold` is the chart's with more times as many pairs."""
        oriented = guarantee.oriented(scores)

        @cache
        def bound(copies: float) -> float:
            return lower_bound(oriented, error=guarantee.baseline_error, copies=copies)

        kept = guarantee.threshold / bound(1.0)
        return cls(
            levels=np.quantile(oriented, (np.arange(_LEVELS) + 0.5) / _LEVELS),
            pairs=float(np.median(sizes)),
            unsure=float(oriented.std() / oriented.mean()) / math.sqrt(oriented.size),
            threshold=lambda factor: kept * bound(factor),
        )


def _of_pairs(
    scores: _PairScores, kind: str, rounds: int, *, limit: float, form: str
) -> DetectableLoss:
    def found(loss: float, factor: float = 1.0) -> bool:
        growth = _pair_growth(scores, loss * _profile(kind, rounds), factor=factor)
        return _is_found(growth, limit, form)

    loss = _smallest(found, most=1.0)
    needed = _smallest(partial(found, SMALL_LOSS), least=1.0, most=_MOST_FACTOR)
    return DetectableLoss(kind, rounds, loss, needed)


def _pair_growth(scores: _PairScores, path: Floats, *, factor: float) -> Iterator[Floats]:
    """Yield ln L of every run and fraction for each round; sums over pairs are taken for normal.

    The mean of a stream differs from its baseline's by a relative standard error.
    """
    gaps = scores.unsure / math.sqrt(factor) * _noise(2, _RUNS)
    noise = _noise(1, _RUNS, path.size, FRACTIONS.size)
    claimed, pairs = 1.0 - scores.threshold(factor), factor * scores.pairs
    known: float | None = None
    for number, loss in enumerate(path.tolist()):
        if loss != known:
            known, left = loss, scores.levels * (1.0 - loss)
            logs = np.log1p(FRACTIONS * ((1.0 - left) / claimed - 1.0)[:, None])
            values, axes = np.linalg.eigh(np.cov(logs, rowvar=False, bias=True))
            root = axes * np.sqrt(np.maximum(values, 0.0) * pairs)
            # A mean that is higher by a small share is a loss that is smaller by it.
            slopes = -FRACTIONS * (left / claimed)[:, None] / np.exp(logs)
            means = pairs * (logs.mean(axis=0) + gaps[:, None] * slopes.mean(axis=0))
        yield means + noise[:, number] @ root.T


@cache
def _noise(block: int, *shape: int) -> Floats:
    """Return standard normal numbers, the same for every loss that is tried."""
    return stream(_SEED, block=block).standard_normal(shape)


def _profile(kind: str, rounds: int) -> Floats:
    """Return the share of the loss that is reached in each round."""
    if kind == "step":
        return np.ones(rounds)
    return np.arange(1, rounds + 1) / rounds


def _is_found(growth: Iterable[Floats], limit: float, form: str) -> bool:
    """Return whether a loss is found, from ln L of shape ``(runs, bets)`` of every round."""
    return _rounds_to_find(growth, limit, form) is not None


def _rounds_to_find(growth: Iterable[Floats], limit: float, form: str) -> int | None:
    """Return the number of rounds after which enough runs have alarmed; None if they do not."""
    capital, alarmed = np.array(1.0), np.zeros(_RUNS, bool)
    for rounds, logs in enumerate(growth, 1):
        # A run whose capital is too large for a float has alarmed.
        with np.errstate(over="ignore", invalid="ignore"):
            capital = capital * np.exp(logs)
            alarmed |= capital.mean(axis=-1) >= limit
        if alarmed.mean() >= PROBABILITY:
            return rounds
        if form == "sum":
            capital += 1.0
    return None


def _smallest(found: Callable[[float], bool], *, most: float, least: float = 0.0) -> float | None:
    """Return the smallest number that is found often enough; None if `most` is not."""
    if not found(most):
        return None
    if least > 0.0 and found(least):
        return least
    low, high = least, most
    while high - low > _PRECISION * high:
        middle = (low + high) / 2.0 if low * 4.0 > high or low == 0.0 else math.sqrt(low * high)
        low, high = (low, middle) if found(middle) else (middle, high)
    return high
