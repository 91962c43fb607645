"""Compiled rounds of a resampler for a block of replicates; extinct symbols are left out.

Blocks are stored as in `hayflick.chains.count_kernels`. A symbol's next count is negative
binomial, drawn in one of two exact ways: by inversion in a table, where many symbols have the
same small count, or as a Poisson number with a gamma distributed mean. Absent symbols have one
law together: how many of them return is drawn, then which.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hayflick.chains.count_kernels import Sparse, Symbols
from hayflick.core.arrays import Floats, Integers
from hayflick.core.compiled import njit

_TABLED = 32
"""Counts up to here are drawn by inversion."""

_WIDTH = 96
_LARGEST_TABLED_MEAN = 48.0

# From here on noise of the trainer's own is no longer seen beside the Poisson law's.
_NO_NOISE = 1e15

_LARGEST_MEAN = 1e17


@njit(nogil=True, cache=True)
def resample(
    rng: np.random.Generator,
    symbols: Symbols,
    counts: Floats,
    offsets: Integers,
    parameters: Floats,
    draws: int,
    types: int,
) -> Sparse:
    """Draw every replicate's next counts, about ``draws`` of them.

    `parameters` has shape ``(4, replicates)``; one replicate's counts alone stand for all.
    """
    replicates, own = parameters.shape[1], offsets.size - 1
    new_symbols, new_counts = np.empty(symbols.size, np.int32), np.empty(symbols.size, np.int64)
    new_offsets = np.zeros(replicates + 1, np.int64)
    marks = np.zeros(types if (parameters[3] > 0.0).any() else 0, np.bool_)
    end = 0
    for replicate in range(replicates):
        start, stop = offsets[replicate % own], offsets[replicate % own + 1]
        present, before = symbols[start:stop], counts[start:stop]
        weights, absent = _weights(before, parameters[:, replicate])
        total = weights.sum() + absent * (types - before.size)
        scale = draws / total if total > 0.0 else 0.0
        log_size, power = parameters[1, replicate], parameters[2, replicate]
        returning, chance = 0, 1.0
        if absent > 0.0 and types > before.size:
            chance = _chance_of_none(scale * absent, np.exp(log_size))
            returning = rng.binomial(types - before.size, 1.0 - chance)
        room = end + before.size + returning
        if room > new_symbols.size:
            symbols_before, counts_before = new_symbols, new_counts
            new_symbols, new_counts = np.empty(2 * room, np.int32), np.empty(2 * room, np.int64)
            new_symbols[:end], new_counts[:end] = symbols_before[:end], counts_before[:end]
        if scale > 0.0:
            drawn = _next_counts(rng, before, weights * scale, log_size, power)
            for place in range(before.size):
                new_symbols[end] = present[place]
                new_counts[end] = drawn[place]
                end += drawn[place] > 0
        if returning > 0:
            chosen = new_symbols[end : end + returning]
            _choose_absent(rng, present, marks, chosen)
            for place in range(returning):
                # Of the law of an absent symbol, given that it returns.
                spot = chance + (1.0 - chance) * rng.random()
                new_counts[end + place] = max(
                    1, _inverted(spot, scale * absent, np.exp(log_size), chance)
                )
            end += returning
        new_offsets[replicate + 1] = end
    return new_symbols[:end].copy(), new_counts[:end].copy(), new_offsets


@njit(nogil=True, cache=True)
def _weights(counts: Floats, parameters: Floats) -> tuple[Floats, float]:
    """Return w of counts, and of an absent symbol, relative to the largest count's."""
    sharpening, largest = parameters[0], 1.0
    for count in counts:
        largest = max(largest, count)
    top = np.log(largest)
    table = np.empty(_TABLED + 1)
    for count in range(1, _TABLED + 1):
        table[count] = np.exp(sharpening * (np.log(float(count)) - top))
    weights = np.empty(counts.size)
    for place in range(counts.size):
        count = counts[place]
        if count <= _TABLED and count >= 1.0 and count == np.floor(count):
            weights[place] = table[int(count)]
        else:
            weights[place] = np.exp(sharpening * (np.log(count) - top))
    return weights, parameters[3] * np.exp(-sharpening * top)


@njit(nogil=True, cache=True)
def _next_counts(
    rng: np.random.Generator, counts: Floats, means: Floats, log_size: float, power: float
) -> Integers:
    drawn = np.empty(counts.size, np.int64)
    table, filled = np.empty((_TABLED + 1, _WIDTH)), np.zeros(_TABLED + 1, np.bool_)
    for place in range(counts.size):
        count, mean = counts[place], means[place]
        tabled = count <= _TABLED and count >= 1.0 and count == np.floor(count)
        if tabled and mean <= _LARGEST_TABLED_MEAN:
            row = int(count)
            if not filled[row]:
                _fill(table[row], mean, np.exp(log_size + power * np.log(count)))
                filled[row] = True
            spot, number = rng.random(), 0
            while number < _WIDTH and table[row, number] < spot:
                number += 1
            if number == _WIDTH:
                size = np.exp(log_size + power * np.log(count))
                number = _inverted(spot, mean, size, _chance_of_none(mean, size))
            drawn[place] = number
        else:
            size = np.exp(log_size + power * np.log(max(count, 1.0)))
            if size < _NO_NOISE:
                mean = mean * (rng.standard_gamma(size) / size) if size > 0.0 else 0.0
            drawn[place] = rng.poisson(min(mean, _LARGEST_MEAN))
    return drawn


@njit(nogil=True, cache=True)
def _chance_of_none(mean: float, size: float) -> float:
    none: float = np.exp(-mean if size >= _NO_NOISE else -size * np.log1p(mean / size))
    return none


@njit(nogil=True, cache=True)
def _ratio(number: int, mean: float, size: float) -> float:
    """Return the chance of one more than a number, divided by that of the number."""
    if size >= _NO_NOISE:
        return mean / (number + 1)
    return mean / (size + mean) * ((size + number) / (number + 1))


@njit(nogil=True, cache=True)
def _fill(row: Floats, mean: float, size: float) -> None:
    chance = _chance_of_none(mean, size)
    total = chance
    for number in range(row.size):
        row[number] = total
        chance *= _ratio(number, mean, size)
        total += chance


@njit(nogil=True, cache=True)
def _inverted(spot: float, mean: float, size: float, none: float) -> int:
    """Return the smallest number up to which the law has at least a mass of `spot`."""
    chance, total, number = none, none, 0
    # What rounding leaves of the mass is less than the next number's chance.
    while total < spot and (chance > 1e-18 or number < mean):
        chance *= _ratio(number, mean, size)
        number += 1
        total += chance
    return number


@njit(nogil=True, cache=True)
def _choose_absent(
    rng: np.random.Generator, present: Symbols, marks: NDArray[np.bool_], chosen: Symbols
) -> None:
    """Choose symbols uniformly from those that are not present; marks come and go clear."""
    types, wanted = marks.size, chosen.size
    absent = types - present.size
    for symbol in present:
        marks[symbol] = True
    if (absent - wanted) * 8 > types:
        for place in range(wanted):
            symbol = int(rng.random() * types)
            while marks[symbol]:
                symbol = int(rng.random() * types)
            marks[symbol] = True
            chosen[place] = symbol
        for symbol in chosen:
            marks[symbol] = False
    else:
        place = 0
        for symbol in range(types):
            if not marks[symbol]:
                if rng.random() * absent < wanted - place:
                    chosen[place] = symbol
                    place += 1
                absent -= 1
    for symbol in present:
        marks[symbol] = False
