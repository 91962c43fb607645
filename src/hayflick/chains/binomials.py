"""Binomial draws, compiled: by inversion where few hits are expected.

Inversion adds up the law from 0 hits on. A table of reciprocals spares it a division per
step, which is what numpy's own takes its time with. Many expected hits are numpy's business.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from hayflick.core.arrays import Floats, Integers

_FEW = 50.0
_MOST = 160
_RECIPROCALS = np.concatenate([[0.0], 1.0 / np.arange(1.0, _MOST + 1.0)])


@njit(nogil=True, cache=True)
def binomial(rng: np.random.Generator, draws: int, chance: float) -> int:
    """Return the number of hits in `draws` draws."""
    if chance <= 0.0 or draws == 0:
        return 0
    if chance >= 1.0:
        return draws
    if draws * chance > _FEW:
        # Its own first line looks for few misses.
        return int(rng.binomial(draws, chance))
    odds = chance / (1.0 - chance)
    none = np.exp(draws * np.log1p(-chance))
    while True:
        left, mass, hits = rng.random(), none, 0
        while left > mass and hits < _MOST:
            left -= mass
            hits += 1
            mass *= odds * (draws - hits + 1) * _RECIPROCALS[hits]
        # Rounding leaves a tail of about 1e-16 that belongs to no number of hits.
        if hits < _MOST and hits <= draws:
            return hits


@njit(nogil=True, cache=True)
def binomials(rng: np.random.Generator, draws: int, chances: Floats) -> Integers:
    """Return the number of hits for every chance."""
    hits = np.empty(chances.size, np.int64)
    for place in range(chances.size):
        hits[place] = binomial(rng, draws, chances[place])
    return hits
