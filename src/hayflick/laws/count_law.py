"""How many items of a type a training set holds: Pr(N_k ≥ N), by the best law there is.

The exact chain of one type's count for training sets of up to 3,000 items; above that the
branching law for real probabilities up to .02, and the chain of the count itself, simulated, for
the others that are not certain to be kept.

References
----------
Abate & Whitt, *Numerical inversion of Laplace transforms of probability distributions*, ORSA
Journal on Computing 7 (1995): the Euler method, for limits of more than 64 items. Ewens,
*Mathematical Population Genetics* (2004), sections 1.2 and 1.4.3.
"""

from __future__ import annotations

import math

import numpy as np

from hayflick.core.arrays import Floats, Integers
from hayflick.laws.branching import composed
from hayflick.laws.rounds import ChainRounds
from hayflick.laws.symbol_counts import LARGEST_PROBABILITY, at_least
from hayflick.laws.wright_fisher import LARGEST_SAMPLE, WrightFisher

EXACT, BRANCHING, SIMULATED = "exact", "branching", "simulated"
"""The laws' names."""

MOST_PRODUCTS = 4e10
"""Products that take a few seconds."""

_RUNS = 2000
_CERTAIN, _LIKELY = 1e-7, 1e-4
_DEVIATIONS = 12.0
# Building an entry of a transition matrix takes so many products.
_ENTRY = 40.0
# From such a variance on, a binomial count is drawn as a normal one of the same skewness.
_WIDE = 60.0

_LARGEST_LATTICE = 64
_EULER_TERMS, _EULER_AVERAGES, _EULER_DAMPING = 30, 11, 18.4
_MOST_CELLS = 1 << 20


def at_least_by_law(
    rounds: ChainRounds,
    probabilities: Floats,
    *,
    least: Integers | int,
    stored: Integers | None = None,
    seed: int = 1,
    most: float = MOST_PRODUCTS,
) -> tuple[Floats, str]:
    """Return Pr(N_k ≥ N) of types, shape ``(types, K + 1)`` and 1 in round 0, and the law's name.

    Parameters
    ----------
    rounds
        What each round is trained on.
    probabilities
        Real probabilities p_0, shape ``(types,)``.
    least
        N, one for all or one for each type; 0 is always reached.
    stored
        Items of each type that a reserve puts into every round; none where None.
    seed
        Of a simulation.
    most
        Floating-point products that the exact chain may take.

    Returns
    -------
    The probabilities, and ``exact``, ``branching``, or ``simulated`` where some of them come from
    2,000 runs of the type's own chain, so that their standard error is up to .011.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.laws.rounds import rounds_of
    >>> from hayflick.regimes.fresh import Fresh
    >>> words = Discrete.from_counts({"rare": 1, "other": 499})
    >>> rounds = rounds_of(words, regime=Fresh(0.05), samples=500, generations=10)
    >>> rare = np.full(4, 0.002)
    >>> found, law = at_least_by_law(rounds, rare, least=np.array([1, 3, 5, 10]))
    >>> law, found[:, 10].round(5).tolist()
    ('exact', [0.26302, 0.12881, 0.07498, 0.02134])
    """
    p = np.asarray(probabilities, dtype=np.float64)
    wanted = np.broadcast_to(np.asarray(least, dtype=np.int64), p.shape)
    kept = np.zeros(p.size, np.int64) if stored is None else np.asarray(stored, dtype=np.int64)
    # Types with the same count are one, and a corpus has millions of them.
    kinds, where = _distinct(p, wanted, kept)
    p, wanted, kept = p[kinds], wanted[kinds], kept[kinds]
    found = _branching(rounds, p, wanted, kept)
    # The branching law scatters too widely: what it takes for certain is.
    sure = found.min(axis=1)
    open_, law = sure < 1.0 - _CERTAIN, EXACT
    if not _is_affordable(rounds, p[open_], most):
        open_, law = (sure < 1.0 - _LIKELY) & (p > LARGEST_PROBABILITY), BRANCHING
    places = np.flatnonzero(open_)
    if law == EXACT:
        found[places] = _exact(rounds, p[places], wanted[places], kept[places])
    elif places.size:
        law = SIMULATED
        found[places] = _simulated(rounds, p[places], wanted[places], kept[places], seed)
    return found[where], law


def expected_counts(
    rounds: ChainRounds, probabilities: Floats, *, stored: Integers | None = None
) -> Floats:
    """Return E N_k of types, exactly, shape ``(types, K + 1)``.

    Round 0 is what a training set of the first round's size holds on average if it is real.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.laws.rounds import rounds_of
    >>> from hayflick.regimes.replace import Replace
    >>> words = Discrete.from_counts({"rare": 1, "other": 499})
    >>> rounds = rounds_of(words, regime=Replace(), samples=1000, generations=3)
    >>> expected_counts(rounds, np.array([0.002])).round(6).tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    kept = 0 if stored is None else stored
    types = rounds.reserve.size
    found = np.empty((p.size, rounds.number + 1))
    found[:, 0] = p * rounds.samples[0]
    share = p
    for place in range(rounds.number):
        uniform = rounds.uniform[place]
        drawn = rounds.generated[place] * ((1.0 - uniform) * share + uniform / types)
        found[:, place + 1] = drawn + rounds.fresh[place] * p + kept
        share = found[:, place + 1] / rounds.samples[place]
    return found


def _distinct(p: Floats, least: Integers, stored: Integers) -> tuple[Integers, Integers]:
    """Return the places of one type of each kind, and the kind of each type."""
    if np.ptp(least) == 0 and np.ptp(stored) == 0:
        _, kinds, where = np.unique(p, return_index=True, return_inverse=True)
        return kinds, where
    order = np.lexsort((least, stored, p))
    ordered = np.stack([p[order], least[order], stored[order]])
    new = np.ones(p.size, np.bool_)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    where = np.empty(p.size, np.int64)
    where[order] = np.cumsum(new) - 1
    return order[new], where


def _is_affordable(rounds: ChainRounds, p: Floats, most: float) -> bool:
    """Return whether the exact chain takes so many products at most."""
    size = float(rounds.samples.max())
    if size > LARGEST_SAMPLE:
        return False
    if not p.size:
        return True
    count = size * p
    width = np.minimum(size, count + _DEVIATIONS * np.sqrt(count * rounds.number) + 144.0)
    mixes = rounds.generated, rounds.samples, rounds.uniform[1:]
    alike = all(np.unique(kind).size <= 1 for kind in mixes)
    built = _ENTRY * float(width.max()) * size * (1 if alike else rounds.number)
    return float((width * width.max()).sum()) * rounds.number + built <= most


def _exact(rounds: ChainRounds, p: Floats, least: Integers, stored: Integers) -> Floats:
    found = np.ones((p.size, rounds.number + 1))
    chain = WrightFisher(rounds)
    for kept in np.unique(stored):
        places = np.flatnonzero(stored == kept)
        places = places[np.argsort(p[places], kind="stable")]
        while places.size:
            # Rare types have short laws.
            near = places[p[places] <= 4.0 * p[places[0]]]
            values, rows = np.unique(p[near], return_inverse=True)
            limits = least[near] - kept
            for generation, law in enumerate(chain.laws(values, stored=int(kept)), start=1):
                below = np.cumsum(law, axis=1)[rows, np.clip(limits, 1, law.shape[1]) - 1]
                found[near, generation] = np.where(limits > 0, 1.0 - below, 1.0)
            places = places[near.size :]
    return np.clip(found, 0.0, 1.0)


def _branching(rounds: ChainRounds, p: Floats, least: Integers, stored: Integers) -> Floats:
    found = np.ones((p.size, rounds.number + 1))
    small = least <= _LARGEST_LATTICE
    for limit in np.unique(least[small]):
        places = np.flatnonzero(least == limit)
        found[places] = at_least(rounds, p[places], least=max(1, int(limit)), stored=stored[places])
    found[least <= stored] = 1.0
    large = np.flatnonzero(~small & (least > stored))
    step = max(1, _MOST_CELLS // ((_EULER_TERMS + _EULER_AVERAGES + 1) * (rounds.number + 1)))
    for first in range(0, large.size, step):
        places = large[first : first + step]
        found[places] = _many(rounds, p[places], least[places], stored[places])
    return found


def _many(rounds: ChainRounds, p: Floats, least: Integers, stored: Integers) -> Floats:
    """Return Pr(N_k ≥ N) by the branching law for large N, which is a smooth law's."""
    terms = _EULER_TERMS + _EULER_AVERAGES
    order = np.arange(terms + 1)
    # Half an item below N lies between the two counts.
    at = (least - 0.5)[:, None]
    s = (_EULER_DAMPING + 2j * np.pi * order) / (2.0 * at)
    parts = composed(rounds, -np.expm1(-s))
    exponents = -p[:, None] * parts.slope - parts.offset + stored[:, None] * parts.stored
    values = (np.exp(exponents) / s).real * np.where(order % 2, -1.0, 1.0)
    values[..., 0] *= 0.5
    sums = np.cumsum(values, axis=-1)[..., _EULER_TERMS:]
    choose = [math.comb(_EULER_AVERAGES, number) for number in range(_EULER_AVERAGES + 1)]
    below = sums @ np.array(choose) / 2.0**_EULER_AVERAGES
    below *= math.exp(0.5 * _EULER_DAMPING) / at[:, 0]
    found: Floats = np.clip(1.0 - below, 0.0, 1.0).T
    found[:, 0] = 1.0
    return found


def _simulated(
    rounds: ChainRounds, p: Floats, least: Integers, stored: Integers, seed: int
) -> Floats:
    """Return the shares of runs of the types' own chains, each type by itself."""
    rng = np.random.default_rng(seed)
    values, rows = np.unique(np.stack([p, stored]), axis=1, return_inverse=True)
    real, kept = values[0][:, None], values[1][:, None].astype(np.int64)
    share = np.broadcast_to(real, (real.size, _RUNS))
    found = np.ones((p.size, rounds.number + 1))
    for place in range(rounds.number):
        uniform = rounds.uniform[place]
        drawn = (1.0 - uniform) * share + uniform / rounds.reserve.size
        counts = _binomial(rng, int(rounds.generated[place]), np.minimum(drawn, 1.0)) + kept
        if rounds.fresh[place]:
            counts += rng.binomial(int(rounds.fresh[place]), real, size=share.shape)
        found[:, place + 1] = [
            np.mean(counts[row] >= n) for row, n in zip(rows, least, strict=True)
        ]
        share = counts / rounds.samples[place]
    return found


def _binomial(rng: np.random.Generator, number: int, chances: Floats) -> Integers:
    """Return binomial counts; where they scatter widely, normal ones of the same skewness.

    These have the same first three moments, and take a quarter of the time.
    """
    mean = number * chances
    variance = mean * (1.0 - chances)
    normal = rng.standard_normal(chances.shape)
    skew = (1.0 - 2.0 * chances) / 6.0
    # What rounding and the square add to the variance.
    deviation = np.sqrt(np.maximum(variance - 1.0 / 12.0 - 2.0 * skew * skew, 0.0))
    counts = np.floor(mean + deviation * normal + skew * (normal * normal - 1.0) + 0.5)
    counts = np.clip(counts, 0.0, number).astype(np.int64)
    few = variance < _WIDE
    counts[few] = rng.binomial(number, chances[few])
    return counts
