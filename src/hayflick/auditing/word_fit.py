"""Whether the words of a data set are those of a mixture of its two references."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc, gammaincc, ndtri

from hayflick.auditing.synthetic_share import WordGap
from hayflick.auditing.word_counts import WordTable
from hayflick.core.arrays import Floats, Integers

_FALSE_ALARM = 0.01
_FREQUENT = 25
_LISTED = 20
_DRAWS = 100


@dataclass(frozen=True)
class Misfits:
    """What of a data set's words the mixture does not explain.

    Parameters
    ----------
    gaps
        Words, the largest gap first; empty where all fit.
    number
        Words that are off by themselves.
    beyond
        The part of what stands in the texts that is beyond both references.
    fits
        Whether all words together are as near to the mixture as samples of the references are.
    """

    gaps: tuple[WordGap, ...]
    number: int
    beyond: float
    fits: bool


def find_misfits(table: WordTable, *, share: float, error: float) -> Misfits:
    """Compare the frequencies of words with those of a mixture.

    Three tests, each of which errs in about 1 % of data sets: every word against the range of both
    references (exact), every frequent word against the mixture (normal), and the sum of squares
    of the latter, whose law under dependent words is that of resampled references.

    Parameters
    ----------
    table
        Of the words.
    share, error
        The estimated share of generated texts, and its standard error.
    """
    rates = table.counts / table.sizes[:, np.newaxis]
    mixed = _mixed(rates, share)
    over, under = _beyond_range(table, rates)
    sizes = table.sizes.astype(np.float64)
    frequent = np.minimum(table.counts[0], mixed * sizes[0]) >= _FREQUENT
    frequent &= table.counts[1:].sum(axis=0) >= _FREQUENT
    deviation = _deviations(rates, sizes, share, error)
    limit = -ndtri(_FALSE_ALARM / (2.0 * max(int(np.count_nonzero(frequent)), 1)))
    off = over | under | (frequent & (deviation > limit))
    fits = _fits_together(table, deviation, frequent, share, error)
    number = int(np.count_nonzero(off))
    # Where only all words together do not fit, those that are off most are named.
    gap = np.where(off | (not fits and number == 0), np.abs(rates[0] - mixed), 0.0)
    order = np.argsort(-gap, kind="stable")[:_LISTED]
    gaps = tuple(
        WordGap(table.words[int(word)], *(float(rate) for rate in rates[:, word]))
        for word in order
        if gap[word] > 0.0
    )
    beyond = (rates[0] - rates[1:].max(axis=0))[over].sum()
    beyond += (rates[1:].min(axis=0) - rates[0])[under].sum()
    return Misfits(gaps, number, float(beyond / max(rates[0].sum(), 1e-300)), fits)


def _mixed(rates: Floats, share: float) -> Floats:
    return np.asarray((1.0 - share) * rates[1] + share * rates[2])


def _beyond_range(table: WordTable, rates: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which words are in more texts than in those of either reference, and in fewer."""
    found, columns = table.counts[0], np.arange(len(table.words))

    def chance(reference: Integers, tail: Callable[..., Floats], limit: Integers) -> Floats:
        # Given the sum of two counts with the same rate, one of them is binomial.
        together = found + table.counts[reference, columns]
        expected = table.sizes[0] / (table.sizes[0] + table.sizes[reference])
        return np.where(limit < 0, 1.0, tail(np.maximum(limit, 0), together, expected))

    more = chance(1 + np.argmax(rates[1:], axis=0), bdtrc, found - 1)
    fewer = chance(1 + np.argmin(rates[1:], axis=0), bdtr, found)
    level = _FALSE_ALARM / (2.0 * max(columns.size, 1))
    return more < level, fewer < level


def _deviations(rates: Floats, sizes: Floats, share: float, error: float) -> Floats:
    """Return how many standard errors each rate is off the mixture, by arcsines of roots."""
    mixed = np.minimum(_mixed(rates, share), 1.0)
    spread = (1.0 - share) ** 2 * rates[1] * (1.0 - rates[1]) / sizes[1]
    spread += share**2 * rates[2] * (1.0 - rates[2]) / sizes[2]
    spread += ((rates[2] - rates[1]) * error) ** 2
    scale = np.maximum(mixed * (1.0 - mixed), 1e-12)
    moved = 2.0 * (np.arcsin(np.sqrt(rates[0])) - np.arcsin(np.sqrt(mixed)))
    return np.asarray(np.abs(moved) / np.sqrt(1.0 / sizes[0] + spread / scale))


def _fits_together(
    table: WordTable, deviation: Floats, frequent: NDArray[np.bool_], share: float, error: float
) -> bool:
    """Return whether the sum of squared deviations is like that of resampled references."""
    used = frequent[table.known]
    if not used.any():
        return True
    rng = np.random.Generator(np.random.Philox(_DRAWS))
    sizes = table.sizes
    human, model = (sample.T.tocsr() for sample in table.samples[1:])
    likely = np.repeat([(1.0 - share) / sizes[1], share / sizes[2]], sizes[1:])
    sums = []
    for _ in range(_DRAWS):
        drawn = rng.multinomial(sizes[0], likely / likely.sum())
        again = [rng.multinomial(size, np.full(size, 1.0 / size)) for size in sizes[1:]]
        counts = (
            human @ drawn[: sizes[1]] + model @ drawn[sizes[1] :],
            human @ again[0],
            model @ again[1],
        )
        rates = np.stack(counts)[:, used] / sizes[:, np.newaxis]
        sums.append(float((_deviations(rates, sizes.astype(np.float64), share, error) ** 2).sum()))
    mean, variance = float(np.mean(sums)), float(np.var(sums, ddof=1))
    found = float((deviation[table.known][used] ** 2).sum())
    # A multiple of χ² with the same mean and variance (Satterthwaite).
    chance = gammaincc(mean**2 / variance, found * mean / variance) if variance else 1.0
    return bool(chance >= _FALSE_ALARM)
