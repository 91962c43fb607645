"""Compiled rounds of agents that ask their nearest neighbours."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from hayflick.core.arrays import Floats, Integers

SMALLEST_WEIGHT = 1e-12
_FARTHEST = 1500.0


@njit(nogil=True, cache=True)
def silo_walk(
    rng: np.random.Generator,
    agents: int,
    store: int,
    deviation: float,
    neighbours: int,
    itself: float,
    rounds: int,
) -> Integers:
    """Return every agent's largest component after rounds 0 … T, shape ``(T + 1, agents)``."""
    weights = np.eye(agents)
    texts = np.empty((agents, store))
    for agent in range(agents):
        for place in range(store):
            texts[agent, place] = agent + 1.0 + deviation * rng.standard_normal()
    leaders = np.empty((rounds + 1, agents), np.int64)
    for moment in range(rounds + 1):
        if moment > 0:
            weights, texts = _round(rng, weights, texts, deviation, neighbours, itself)
        for agent in range(agents):
            leaders[moment, agent] = np.argmax(weights[agent])
    return leaders


@njit(nogil=True, cache=True)
def _round(
    rng: np.random.Generator,
    weights: Floats,
    texts: Floats,
    deviation: float,
    neighbours: int,
    itself: float,
) -> tuple[Floats, Floats]:
    """Return weights and stores after every agent asked once."""
    new_weights, new_texts = np.empty_like(weights), texts.copy()
    for agent in range(len(weights)):
        partner = agent
        if rng.random() >= itself:
            partner = near_agent(rng, weights, agent, neighbours)
        query = _draw(rng, weights[agent], deviation)
        context = texts[partner].copy()
        replace_farthest(context, query)
        answer = _draw(rng, em_step(weights[partner], context, deviation), deviation)
        replace_farthest(new_texts[agent], answer)
        new_weights[agent] = em_step(weights[agent], new_texts[agent], deviation)
    return new_weights, new_texts


@njit(nogil=True, cache=True)
def near_agent(rng: np.random.Generator, weights: Floats, agent: int, neighbours: int) -> int:
    """Return one of the nearest agents; who is as near as another is put in random order."""
    agents = len(weights)
    others = np.empty(agents - 1, np.int64)
    for place in range(agents - 1):
        other = place + (place >= agent)
        chosen = int(rng.random() * (place + 1))
        others[place] = others[chosen]
        others[chosen] = other
    distances = np.zeros(agents - 1)
    for place in range(agents - 1):
        for component in range(weights.shape[1]):
            away = weights[others[place], component] - weights[agent, component]
            distances[place] += away * away
    order = np.argsort(distances, kind="mergesort")
    near: int = others[order[int(rng.random() * neighbours)]]
    return near


@njit(nogil=True, cache=True)
def replace_farthest(texts: Floats, text: float) -> None:
    """Put a text in place of the one that is farthest from it."""
    texts[np.argmax(np.abs(texts - text))] = text


@njit(nogil=True, cache=True)
def em_step(weights: Floats, texts: Floats, deviation: float) -> Floats:
    """Return the mean responsibilities of texts under clipped weights."""
    clipped = np.minimum(np.maximum(weights, SMALLEST_WEIGHT), 1.0)
    clipped /= clipped.sum()
    new = np.zeros(weights.size)
    shares = np.empty(weights.size)
    for text in texts:
        for component in range(weights.size):
            away = (text - component - 1.0) / deviation
            square = away * away
            # Beyond it, the exponential is 0 in floating point.
            likelihood = math.exp(-0.5 * square) if square < _FARTHEST else 0.0
            shares[component] = clipped[component] * likelihood
        new += shares / shares.sum()
    return new / texts.size


@njit(nogil=True, cache=True)
def _draw(rng: np.random.Generator, weights: Floats, deviation: float) -> float:
    """Return a draw from an agent's mixture."""
    left, chosen = rng.random() * weights.sum(), 0
    while chosen < weights.size - 1 and left >= weights[chosen]:
        left -= weights[chosen]
        chosen += 1
    text: float = chosen + 1.0 + deviation * rng.standard_normal()
    return text
