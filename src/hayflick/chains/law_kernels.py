"""Compiled rounds of laws that are fitted anew from their own draws, and rounded to a grid.

The same draws, in the same order, as `StagedDiscreteChain` makes; from 64 symbols on, the rare
ones are drawn by an alias table in place of a binomial each.
"""

from __future__ import annotations

import numpy as np

from hayflick.chains.count_kernels import alias_table
from hayflick.core.arrays import Floats, Integers
from hayflick.core.compiled import njit

TURING = -1.0
"""In place of δ: simple Good-Turing."""

_FEW_SYMBOLS = 64
_PICKS_PER_BINOMIAL = 12.0
_CONFIDENCE = 1.96
_MOST_UNSEEN = 0.5


@njit(nogil=True, cache=True)
def refitted_rounds(
    rng: np.random.Generator, laws: Floats, draws: int, rounds: int, delta: float, step: float
) -> Integers:
    """Return how many symbols are in each round's training set, shape ``(replicates, rounds)``.

    Parameters
    ----------
    rng
        The block's stream.
    laws
        Every replicate's law, shape ``(replicates, symbols)``; replaced by the last fit.
    draws, rounds
        Size of a training set, and how many rounds.
    delta
        Pseudo-count of add-δ smoothing, or `TURING`.
    step
        Of the grid of probabilities; 0 for none.
    """
    replicates, symbols = laws.shape
    survivors = np.zeros((replicates, rounds), np.int64)
    counts = np.zeros(symbols, np.int64)
    for at in range(rounds):
        for replicate in range(replicates):
            law = laws[replicate]
            _draw(rng, law, draws, counts)
            survivors[replicate, at] = np.count_nonzero(counts)
            if delta == TURING:
                _fit_turing(counts, draws, law)
            else:
                law[:] = (counts + delta) / (draws + delta * symbols)
            if step > 0.0:
                _round(law, step)
    return survivors


@njit(nogil=True, cache=True)
def _draw(rng: np.random.Generator, law: Floats, draws: int, counts: Integers) -> None:
    """Draw a multinomial: conditional binomials, and the rare among many by an alias table."""
    counts[:] = 0
    rare = law.size > _FEW_SYMBOLS
    limit = _PICKS_PER_BINOMIAL / draws if rare else 0.0
    left, remaining = draws, 1.0
    for symbol in range(law.size if rare else law.size - 1):
        if law[symbol] > limit and left > 0:
            chance = min(law[symbol] / remaining, 1.0) if remaining > 0.0 else 1.0
            counts[symbol] = rng.binomial(left, chance)
            left -= counts[symbol]
            remaining -= law[symbol]
    if not rare:
        counts[law.size - 1] = left
    elif left > 0:
        _pick_rare(rng, law, limit, left, counts)


@njit(nogil=True, cache=True)
def _pick_rare(
    rng: np.random.Generator, law: Floats, limit: float, draws: int, counts: Integers
) -> None:
    places = np.flatnonzero((law <= limit) & (law > 0.0))
    if places.size == 0:
        # What is left over by rounding goes to the most frequent.
        counts[np.argmax(law)] += draws
        return
    chances = law[places]
    thresholds, pairs = alias_table(chances / chances.sum())
    for _ in range(draws):
        spot = rng.random() * thresholds.size
        column = int(spot)
        counts[places[pairs[column, int(spot < thresholds[column])]]] += 1


@njit(nogil=True, cache=True)
def _round(law: Floats, step: float) -> None:
    """Round a law to multiples of a step; one that rounds to 0 keeps its largest value."""
    largest = np.argmax(law)
    total = 0.0
    for symbol in range(law.size):
        law[symbol] = np.rint(law[symbol] / step) * step
        total += law[symbol]
    if total == 0.0:
        law[largest] = total = 1.0
    for symbol in range(law.size):
        law[symbol] /= total


@njit(nogil=True, cache=True)
def _fit_turing(counts: Integers, draws: int, law: Floats) -> None:
    """Fit simple Good-Turing: `hayflick.chains.estimators.GoodTuring` says how."""
    ordered = np.sort(counts[counts > 0])
    unseen_symbols = counts.size - ordered.size
    numbers, frequencies = np.empty(ordered.size), np.zeros(ordered.size)
    distinct = 0
    for count in ordered:
        if distinct == 0 or numbers[distinct - 1] != count:
            numbers[distinct] = count
            distinct += 1
        frequencies[distinct - 1] += 1.0
    numbers, frequencies = numbers[:distinct], frequencies[:distinct]
    unseen = 0.0
    if unseen_symbols > 0 and numbers[0] == 1.0:
        unseen = min(frequencies[0] / draws, _MOST_UNSEEN)
    adjusted = numbers
    if unseen_symbols > 0 and distinct > 1:
        adjusted = _adjusted(numbers, frequencies)
    scale = (1.0 - unseen) / np.sum(adjusted * frequencies)
    for symbol in range(counts.size):
        if counts[symbol] > 0:
            law[symbol] = scale * adjusted[np.searchsorted(numbers, float(counts[symbol]))]
        else:
            law[symbol] = unseen / unseen_symbols


@njit(nogil=True, cache=True)
def _adjusted(numbers: Floats, frequencies: Floats) -> Floats:
    """Return Turing's estimate while it differs from the smoothed one, then that one."""
    size = numbers.size
    x, y = np.log(numbers), np.empty(size)
    for place in range(size):
        before = 0.0 if place == 0 else numbers[place - 1]
        ahead = 2.0 * numbers[place] - before if place == size - 1 else numbers[place + 1]
        y[place] = np.log(2.0 * frequencies[place] / (ahead - before))
    centred = x - x.mean()
    slope = min(np.sum(centred * (y - y.mean())) / np.sum(centred * centred), -1.0)
    adjusted: Floats = numbers * (1.0 + 1.0 / numbers) ** (slope + 1.0)
    for place in range(size - 1):
        ratio = frequencies[place + 1] / frequencies[place]
        turing = (numbers[place] + 1.0) * ratio
        error = (numbers[place] + 1.0) * np.sqrt(frequencies[place + 1] * (1.0 + ratio))
        error /= frequencies[place]
        follows = numbers[place + 1] == numbers[place] + 1.0
        if not follows or abs(turing - adjusted[place]) <= _CONFIDENCE * error:
            break
        adjusted[place] = turing
    return adjusted
