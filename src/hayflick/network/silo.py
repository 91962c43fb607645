"""Nearest-neighbour silos: agents that ask those most similar to them.

Agent i has the weights π_i of a mixture of components at 1, 2, …, B with a common σ, at first
all weight on component i, and a private store of its own draws. In a round every agent i

1. picks a partner j: itself with probability p, else one of the k nearest by |π_i - π_j|;
2. asks x ~ g_i. A copy of j's store, in which x replaces the entry farthest from x, gives g̃_j by
   one step of expectation maximisation of the weights; the copy is then dropped;
3. replaces the entry of its own store that is farthest from the answer y ~ g̃_j by y, and makes
   one such step.

All agents act simultaneously on the state after the previous round. Weights are clipped to
[1e-12, 1] before every step: a weight of exactly 0 would stay 0. A silo is a component that has
the largest weight of at least one agent.

References
----------
Wang et al., arXiv:2506.00077 (interacting mixtures, and the question of polarisation).
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_REPLICATES, positive_number, share, whole_number
from hayflick.core.compiled import njit
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import fresh_seed, logical_blocks, provenance, stream

if TYPE_CHECKING:
    import xarray


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
    """Return one of the nearest agents; agents at the same distance are in random order."""
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
    """Replace the text that is farthest from a new one."""
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
            # Beyond that, the exponential is 0 in floating point.
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


FORMAT_VERSION = 1
"""Of the Dataset's names and dimensions."""

_MOST_AGENTS = 10_000
_MOST_ROUNDS = 1_000_000


def simulate_silos(
    neighbours: int,
    *,
    rounds: int = 80,
    itself: float = 0.0,
    agents: int = 30,
    store: int = 5,
    deviation: float = 0.2,
    replicates: int = 40,
    seed: int | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Simulate agents that ask those most similar to them.

    Parameters
    ----------
    neighbours
        Number of nearest agents that a partner is picked among, k, from 1 to agents - 1.
    rounds
        Number of rounds, T.
    itself
        Probability p that an agent asks itself.
    agents
        Number of agents, and of components.
    store
        Number of texts in a private store.
    deviation
        σ of the components, which are at 1, 2, …, agents.
    replicates
        Number of independent runs.
    seed
        Of the random streams, at least 0; None to draw one, which is recorded.
    progress
        Called with the number of runs done.

    Returns
    -------
    A Dataset with dimensions ``replicate``, ``generation`` (rounds 0 … T) and ``agent``:
    ``silos``, the number of components that are the largest of some agent, and ``leader``, each
    agent's largest component, from 0. Attribute ``provenance`` is JSON.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> few, all_others = (simulate_silos(k, replicates=10, seed=1) for k in (1, 29))
    >>> float(few["silos"][:, -1].mean()) > 3 * float(all_others["silos"][:, -1].mean())
    True
    """
    agents = whole_number("agents", agents, at_least=2, at_most=_MOST_AGENTS)
    neighbours = whole_number("neighbours", neighbours, at_least=1, at_most=agents - 1)
    rounds = whole_number("rounds", rounds, at_least=1, at_most=_MOST_ROUNDS)
    store = whole_number("store", store, at_least=1, at_most=_MOST_AGENTS)
    replicates = whole_number("replicates", replicates, at_least=1, at_most=MOST_REPLICATES)
    seed = fresh_seed() if seed is None else whole_number("seed", seed, at_least=0)
    itself, deviation = share("itself", itself), positive_number("deviation", deviation)
    leaders = []
    for block, number in logical_blocks(replicates):
        rng = stream(seed, block=block)
        for _ in range(number):
            leaders.append(silo_walk(rng, agents, store, deviation, neighbours, itself, rounds))
            progress("simulating", len(leaders), replicates)
    parameters = {
        "family": "silos",
        "neighbours": neighbours,
        "itself": itself,
        "agents": agents,
        "store": store,
        "deviation": deviation,
        "rounds": rounds,
        "replicates": replicates,
    }
    return _dataset(np.stack(leaders), json.dumps(provenance(parameters, seed=seed)))


def _dataset(leaders: Integers, record: str) -> xarray.Dataset:
    import xarray

    replicates, moments, _ = leaders.shape
    silos = np.array([[np.unique(moment).size for moment in run] for run in leaders])
    return xarray.Dataset(
        {
            "silos": (("replicate", "generation"), silos),
            "leader": (("replicate", "generation", "agent"), leaders),
        },
        coords={"replicate": np.arange(replicates), "generation": np.arange(moments)},
        attrs={"format_version": FORMAT_VERSION, "provenance": record},
    )
