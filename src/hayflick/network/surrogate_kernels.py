"""Compiled rounds of interacting Gaussian mixtures: posting and reading.

The likelihoods of a point under all components are computed once, when it is posted. Kernels
release the GIL and consume their generator agent by agent.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers

Booleans: TypeAlias = NDArray[np.bool_]

SMALLEST_WEIGHT = 1e-12
"""ε, what a weight that fell to 0 or below is set to."""

_GATHERED = 64


@njit(nogil=True, cache=True)
def post(
    rng: np.random.Generator,
    weights: Floats,
    means: Floats,
    deviation: float,
    draws: int,
    likelihoods: Floats,
) -> None:
    """Draw points of every agent, and write their likelihoods, ``(agents · draws, components)``.

    A likelihood is N(u; μ_b, σ²) without the factor that all components share.
    """
    agents, components = weights.shape
    for agent in range(agents):
        for draw in range(draws):
            left, chosen = rng.random(), 0
            while chosen < components - 1 and left >= weights[agent, chosen]:
                left -= weights[agent, chosen]
                chosen += 1
            point = means[chosen] + deviation * rng.standard_normal()
            row = likelihoods[agent * draws + draw]
            for component in range(components):
                away = (point - means[component]) / deviation
                row[component] = math.exp(-0.5 * away * away)


@njit(nogil=True, cache=True)
def read(
    rng: np.random.Generator,
    weights: Floats,
    likelihoods: Floats,
    layout: Integers,
    authors: Integers,
    starts: Integers,
    numbers: Integers,
    seen: Floats,
) -> None:
    """Let every agent read points of the pool without replacement, one after the other.

    Parameters
    ----------
    rng
        Of these agents.
    weights
        Shape ``(agents, components)``, changed in place.
    likelihoods
        Of all points in the pool, shape ``(points, components)``.
    layout
        Points that were there at the start, points of a posting agent in a round, points of
        all agents in a round, and injected points in a round.
    authors, starts
        Agent i may read ``authors[starts[i]:starts[i + 1]]``, and what no agent wrote; all of
        ``authors`` where ``starts`` is empty.
    numbers
        How many points each agent reads, ``(agents,)``.
    seen
        The responsibilities of all points read are added up here, ``(components,)``.
    """
    gathered = np.empty((_GATHERED, weights.shape[1]))
    taken = np.zeros(len(likelihoods), np.bool_)
    rows = np.empty(max(1, numbers.max()), np.int64)
    for agent in range(len(weights)):
        number = numbers[agent]
        if starts.size == 0:
            _draw_places(rng, len(likelihoods), number, taken, rows)
        else:
            readable = authors[starts[agent] : starts[agent + 1]]
            points = _readable_points(len(likelihoods), layout, readable.size)
            _draw_places(rng, points, number, taken, rows)
            _to_rows(rows[:number], layout, readable)
        # Rows are gathered first: the processor then waits for several at once.
        for first in range(0, number, _GATHERED):
            last = min(first + _GATHERED, number)
            for turn in range(first, last):
                gathered[turn - first] = likelihoods[rows[turn]]
            for turn in range(last - first):
                _update(weights[agent], gathered[turn], number, seen)


@njit(nogil=True, cache=True)
def _readable_points(points: int, layout: Integers, authors: int) -> int:
    originals, draws, posted, injected = layout
    rounds = (points - originals) // (posted + injected)
    readable: int = originals + rounds * (authors * draws + injected)
    return readable


@njit(nogil=True, cache=True)
def _to_rows(places: Integers, layout: Integers, authors: Integers) -> None:
    """Turn places among the points that an agent may read into rows of the pool."""
    originals, draws, posted, injected = layout
    own = authors.size * draws
    for turn in range(places.size):
        later = places[turn] - originals
        if later < 0:
            continue
        moment = later // (own + injected)
        within = later - moment * (own + injected)
        if within < own:
            within = authors[within // draws] * draws + within % draws
        else:
            within += posted - own
        places[turn] = originals + moment * (posted + injected) + within


@njit(nogil=True, cache=True)
def _draw_places(
    rng: np.random.Generator, points: int, number: int, taken: Booleans, places: Integers
) -> None:
    """Draw different places below `points` in random order; nothing is `taken` afterwards."""
    for turn in range(number):
        place = int(rng.random() * points)
        while taken[place]:
            place = int(rng.random() * points)
        taken[place] = True
        places[turn] = place
    for turn in range(number):
        taken[places[turn]] = False


@njit(nogil=True, cache=True, inline="always")
def _update(weights: Floats, likelihood: Floats, number: int, seen: Floats) -> None:
    """Move weights towards the responsibilities of a point, and drop what falls to 0.

    π_b becomes (1 - α) π_b + α (o_b - c) / (1 - B c), c = 1 / (k B²); a π_b of at most 0 becomes
    ε after the others were divided by 1 + ε - π_b. The gain α is 1/k, and 1/2 for a single
    point, which would wipe out all that was known.
    """
    components, gain = weights.size, 1.0 / max(2, number)
    push = 1.0 / (number * components * components)
    strength = gain / (1.0 - components * push)
    total = 0.0
    for component in range(components):
        total += weights[component] * likelihood[component]
    divisor, scale = 1.0 / total, 1.0
    for component in range(components):
        responsibility = weights[component] * likelihood[component] * divisor
        seen[component] += responsibility
        new = (1.0 - gain) * weights[component] + strength * (responsibility - push)
        # The divisions are gathered in one factor that all weights take at the end.
        if new <= 0.0:
            scale /= 1.0 + SMALLEST_WEIGHT - new * scale
            new = SMALLEST_WEIGHT / scale
        weights[component] = new
    if scale != 1.0:
        for component in range(components):
            weights[component] *= scale
