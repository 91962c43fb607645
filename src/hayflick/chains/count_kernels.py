"""Compiled draws of counts for a block of replicates; extinct symbols are left out.

A block's counts are stored sparsely: replicate r owns ``symbols[offsets[r]:offsets[r + 1]]``
and the counts beside them. A multinomial draw is made in the cheapest exact way:

- *parents*: pick uniformly among the previous tokens (few draws per live symbol);
- *conditional binomials* over the symbols (many draws per symbol);
- *alias table*: few draws from a law of many symbols (Vose 1991).

Every kernel releases the GIL and consumes its generator replicate by replicate.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.compiled import njit

Symbols: TypeAlias = NDArray[np.int32]
Sparse: TypeAlias = tuple[Symbols, Integers, Integers]
"""Symbols, counts and offsets of a block."""

# Measured on x86-64: one binomial takes as long as a dozen picks.
_PICKS_PER_BINOMIAL = 12

# Picking lays all tokens out in memory: not for a few picks among very many.
_TOKENS_PER_PICK = 8

# The 53 bits of one uniform number make two picks among so few tokens, each token's
# probability right to 2^-29 of itself.
_TWO_PICKS_BELOW = 1 << 12


@njit(nogil=True, cache=True)
def alias_table(law: Floats) -> tuple[Floats, Symbols]:
    """Return the alias table of a law.

    Column i covers [i, i + 1). Left of ``thresholds[i]`` it stands for ``pairs[i, 1]``,
    the symbol i itself, right of it for ``pairs[i, 0]``: two look-ups and no branch.
    """
    types = law.size
    acceptance = law * types
    pairs = np.empty((types, 2), np.int32)
    pairs[:, 0] = pairs[:, 1] = np.arange(types)
    # One array holds both stacks: the poor grow from the left, the rich from the right.
    stack = np.empty(types, np.int32)
    poor, rich = 0, types
    for symbol in range(types):
        if acceptance[symbol] < 1.0:
            stack[poor] = symbol
            poor += 1
        else:
            rich -= 1
            stack[rich] = symbol
    while poor > 0 and rich < types:
        poor -= 1
        taker, giver = stack[poor], stack[rich]
        pairs[taker, 0] = giver
        acceptance[giver] -= 1.0 - acceptance[taker]
        if acceptance[giver] < 1.0:
            rich += 1
            stack[poor] = giver
            poor += 1
    # What is left over owes its distance from 1 to rounding.
    acceptance[stack[:poor]] = 1.0
    acceptance[stack[rich:]] = 1.0
    return acceptance + np.arange(types), pairs


@njit(nogil=True, cache=True)
def redraw(
    rng: np.random.Generator, symbols: Symbols, counts: Integers, offsets: Integers, draws: Integers
) -> Sparse:
    """Draw ``draws[r]`` symbols from the observed frequencies of every replicate."""
    new_symbols, new_counts = np.empty_like(symbols), np.empty_like(counts)
    new_offsets = np.zeros_like(offsets)
    end = 0
    for replicate in range(draws.size):
        start, stop = offsets[replicate], offsets[replicate + 1]
        few = draws[replicate] <= _PICKS_PER_BINOMIAL * (stop - start)
        if few and counts[start:stop].sum() <= _TOKENS_PER_PICK * draws[replicate]:
            drawn = _pick_parents(rng, counts[start:stop], draws[replicate])
        else:
            drawn = _conditional_binomials(rng, counts[start:stop], draws[replicate])
        for place in range(stop - start):
            new_symbols[end] = symbols[start + place]
            new_counts[end] = drawn[place]
            end += drawn[place] > 0
        new_offsets[replicate + 1] = end
    return new_symbols[:end].copy(), new_counts[:end].copy(), new_offsets


@njit(nogil=True, cache=True)
def _pick_parents(rng: np.random.Generator, counts: Integers, draws: int) -> Integers:
    tokens = counts.sum()
    picked = np.zeros(tokens, np.int32)
    pairs = draws // 2 if tokens <= _TWO_PICKS_BELOW else 0
    for _ in range(pairs):
        spot = rng.random() * tokens
        first = np.uint32(spot)
        picked[first] += 1
        picked[np.uint32((spot - first) * tokens)] += 1
    for _ in range(draws - 2 * pairs):
        picked[np.int64(rng.random() * tokens)] += 1
    # A symbol's tokens are neighbours. Differences of the running sum add up what was
    # picked of them without a branch to mispredict.
    total = 0
    for token in range(tokens):
        total += picked[token]
        picked[token] = total
    drawn = np.empty(counts.size, np.int64)
    end, before = 0, 0
    for place in range(counts.size):
        end += counts[place]
        drawn[place] = picked[end - 1] - before
        before = picked[end - 1]
    return drawn


@njit(nogil=True, cache=True)
def _conditional_binomials(rng: np.random.Generator, counts: Integers, draws: int) -> Integers:
    drawn = np.zeros(counts.size, np.int64)
    left = counts.sum()
    for place in range(counts.size):
        if draws == 0:
            break
        last = counts[place] == left
        drawn[place] = draws if last else rng.binomial(draws, counts[place] / left)
        draws -= drawn[place]
        left -= counts[place]
    return drawn


@njit(nogil=True, cache=True)
def add_draws(
    rng: np.random.Generator,
    symbols: Symbols,
    counts: Integers,
    offsets: Integers,
    draws: Integers,
    conditional: Floats,
    thresholds: Floats,
    pairs: Symbols,
) -> Sparse:
    """Add ``draws[r]`` symbols from a law to the counts of every replicate.

    The law is given by its alias table and by ``conditional[i]``, the probability of
    symbol i among the symbols from i on.
    """
    types = conditional.size
    room = np.minimum(types, offsets[1:] - offsets[:-1] + draws).sum()
    # One place more than needed: an aliased draw is written before it is known to be new.
    new_symbols, new_counts = np.empty(room + 1, np.int32), np.empty(room, np.int64)
    new_offsets = np.zeros_like(offsets)
    totals = np.zeros(types, np.int64)
    end = 0
    for replicate in range(draws.size):
        first, old = end, slice(offsets[replicate], offsets[replicate + 1])
        end = _load(symbols[old], counts[old], totals, new_symbols, end)
        if draws[replicate] > _PICKS_PER_BINOMIAL * types:
            end = _add_binomials(rng, draws[replicate], conditional, totals, new_symbols, end)
        else:
            end = _add_aliased(rng, draws[replicate], thresholds, pairs, totals, new_symbols, end)
        _unload(totals, new_symbols[first:end], new_counts[first:end])
        new_offsets[replicate + 1] = end
    return new_symbols[:end].copy(), new_counts[:end].copy(), new_offsets


@njit(nogil=True, cache=True)
def _add_binomials(
    rng: np.random.Generator,
    draws: int,
    conditional: Floats,
    totals: Integers,
    new_symbols: Symbols,
    end: int,
) -> int:
    for symbol in range(conditional.size):
        if draws == 0:
            break
        drawn = rng.binomial(draws, conditional[symbol])
        if drawn > 0 and totals[symbol] == 0:
            new_symbols[end] = symbol
            end += 1
        totals[symbol] += drawn
        draws -= drawn
    return end


@njit(nogil=True, cache=True)
def _add_aliased(
    rng: np.random.Generator,
    draws: int,
    thresholds: Floats,
    pairs: Symbols,
    totals: Integers,
    new_symbols: Symbols,
    end: int,
) -> int:
    for _ in range(draws):
        spot = rng.random() * thresholds.size
        column = int(spot)
        symbol = pairs[column, int(spot < thresholds[column])]
        # Written always and kept when new: a branch here would be mispredicted.
        new_symbols[end] = symbol
        end += totals[symbol] == 0
        totals[symbol] += 1
    return end


@njit(nogil=True, cache=True)
def merge_counts(
    symbols: Symbols,
    counts: Integers,
    offsets: Integers,
    more_symbols: Symbols,
    more_counts: Integers,
    more_offsets: Integers,
    types: int,
) -> Sparse:
    """Add another block's counts, replicate by replicate; those of one replicate to every one."""
    others = more_offsets.size - 1
    room = symbols.size + more_symbols.size * ((offsets.size - 1) // others)
    new_symbols, new_counts = np.empty(room, np.int32), np.empty(room, np.int64)
    new_offsets = np.zeros_like(offsets)
    totals = np.zeros(types, np.int64)
    end = 0
    for replicate in range(offsets.size - 1):
        first, old = end, slice(offsets[replicate], offsets[replicate + 1])
        other = replicate % others
        new = slice(more_offsets[other], more_offsets[other + 1])
        end = _load(symbols[old], counts[old], totals, new_symbols, end)
        end = _load(more_symbols[new], more_counts[new], totals, new_symbols, end)
        _unload(totals, new_symbols[first:end], new_counts[first:end])
        new_offsets[replicate + 1] = end
    return new_symbols[:end].copy(), new_counts[:end].copy(), new_offsets


@njit(nogil=True, cache=True)
def _load(
    symbols: Symbols, counts: Integers, totals: Integers, new_symbols: Symbols, end: int
) -> int:
    """Add counts to the totals, and symbols that had none to the new ones."""
    for place in range(symbols.size):
        if totals[symbols[place]] == 0:
            new_symbols[end] = symbols[place]
            end += 1
        totals[symbols[place]] += counts[place]
    return end


@njit(nogil=True, cache=True)
def _unload(totals: Integers, symbols: Symbols, counts: Integers) -> None:
    """Move the totals of symbols into counts, and clear them."""
    for place in range(symbols.size):
        counts[place] = totals[symbols[place]]
        totals[symbols[place]] = 0


@njit(nogil=True, cache=True)
def summarise(
    symbols: Symbols, counts: Integers, offsets: Integers, classes: Symbols, class_number: int
) -> tuple[Integers, Floats]:
    """Return survivors ``(replicates, classes)`` and sums of squared counts ``(replicates,)``."""
    replicates = offsets.size - 1
    survivors = np.zeros((replicates, class_number), np.int64)
    squares = np.zeros(replicates)
    for replicate in range(replicates):
        for place in range(offsets[replicate], offsets[replicate + 1]):
            survivors[replicate, classes[symbols[place]]] += 1
            # In floating point: the square of a large count exceeds an integer.
            squares[replicate] += float(counts[place]) * counts[place]
    return survivors, squares


@njit(nogil=True, cache=True)
def counts_at_ranks(counts: Integers, offsets: Integers, ranks: Integers) -> Integers:
    """Return every replicate's counts at ranks from 1, most frequent first, 0 beyond the last."""
    found = np.zeros((offsets.size - 1, ranks.size), np.int64)
    for replicate in range(offsets.size - 1):
        ascending = np.sort(counts[offsets[replicate] : offsets[replicate + 1]])
        for place in range(ranks.size):
            if ranks[place] <= ascending.size:
                found[replicate, place] = ascending[ascending.size - ranks[place]]
    return found
