"""Streams of answers and of scores, made to order, and how long a chart stays quiet on them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numba import njit

from hayflick.core.records import Reading
from hayflick.detection.guaranteed import FRACTIONS

DIMENSION = 32
POOL = 4096


def gaussian(rng: np.random.Generator, answers: int) -> np.ndarray:
    """Return answers of a normal law, shape ``(answers, 32)``."""
    return rng.normal(size=(answers, DIMENSION))


def heavy_tailed(rng: np.random.Generator, answers: int) -> np.ndarray:
    """Return answers whose coordinates have Student's t law of 3 degrees."""
    return rng.standard_t(3, size=(answers, DIMENSION))


def discrete(rng: np.random.Generator, answers: int) -> np.ndarray:
    """Return answers among 30 texts of Zipf's law: many pairs are the same text twice."""
    weights = 1.0 / np.arange(1, 31)
    texts = np.random.default_rng(30).normal(size=(30, DIMENSION))
    return texts[rng.choice(30, size=answers, p=weights / weights.sum())]


LAWS = {"Gaussian": gaussian, "heavy-tailed (t3)": heavy_tailed, "discrete": discrete}


def squared_distances(answers: np.ndarray) -> np.ndarray:
    """Return those of disjoint pairs: the first with the second, the third with the fourth."""
    return ((answers[::2] - answers[1::2]) ** 2).sum(axis=1)


def pool_of_scores(law: str, *, seed: int) -> np.ndarray:
    """Return y = 1 - exp(-squared distance / h) of a pool of pairs, h their median."""
    squares = squared_distances(LAWS[law](np.random.default_rng(seed), 2 * POOL))
    return 1.0 - np.exp(-squares / np.median(squares))


def readings(scores: Iterator[np.ndarray], *, first: int = 1) -> list[Reading]:
    """Return readings of the spread, numbered from `first` on."""
    return [Reading(first + t, scores={"spread": one}) for t, one in enumerate(scores)]


def bets(scores: np.ndarray, *, threshold: float) -> np.ndarray:
    """Return 1 + λ (θ - y) of every score and fraction, shape ``(scores, fractions)``."""
    returns = (1.0 - scores) / (1.0 - threshold) - 1.0
    return 1.0 + FRACTIONS * returns[:, None]


@njit(cache=True, nogil=True)
def quiet_readings(rng, factors, pairs, most, limit, added, streams):
    """Return the reading of each stream's alarm, `most` + 1 for none.

    Scores are resampled from a pool whose bets are `factors`. `added` is 1 in the sum form
    and 0 in the product form, as in M = (M + added) L with M from 1 - added on.
    """
    alarms = np.full(streams, most + 1)
    fractions = factors.shape[1]
    for stream in range(streams):
        wealth = np.full(fractions, 1.0 - added)
        for reading in range(1, most + 1):
            wealth += added
            for _ in range(pairs):
                wealth *= factors[rng.integers(0, factors.shape[0])]
            if wealth.mean() >= limit:
                alarms[stream] = reading
                break
    return alarms


@njit(cache=True, nogil=True)
def quiet_readings_with_round_effects(
    rng, scores, fractions, threshold, effect, correlation, pairs, most, limit, streams
):
    """Return the same in the product form, every round's scores moved by an effect of its own.

    The effects are normal, of standard deviation `effect`, an autoregression of order 1.
    """
    alarms = np.full(streams, most + 1)
    innovation = effect * math.sqrt(1.0 - correlation**2)
    for stream in range(streams):
        wealth = np.ones(fractions.size)
        moved = effect * rng.normal()
        for reading in range(1, most + 1):
            for _ in range(pairs):
                score = scores[rng.integers(0, scores.size)] + moved
                score = min(1.0, max(0.0, score))
                wealth *= 1.0 + fractions * ((1.0 - score) / (1.0 - threshold) - 1.0)
            if wealth.mean() >= limit:
                alarms[stream] = reading
                break
            moved = correlation * moved + innovation * rng.normal()
    return alarms


@njit(cache=True, nogil=True)
def classical_run_length(rng, keep, gain, drift, reflected, limit, shift, scale, runs):
    """Return the mean run length of a two-sided chart on normal readings, by simulation."""
    total = 0
    for _ in range(runs):
        up, down = 0.0, 0.0
        while max(up, down) < limit:
            gap = shift + scale * rng.normal()
            if reflected:
                up = max(0.0, keep * up + gain * gap - drift)
                down = max(0.0, keep * down - gain * gap - drift)
            else:
                up = keep * up + gain * gap - drift
                down = -up
            total += 1
    return total / runs
