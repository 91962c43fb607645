r"""The law of a Bernoulli probability that is re-estimated from its own draws.

N' | N ~ Bin(n, N/n) and P_k = N/n: the neutral Wright-Fisher chain, which ends at 0 or 1. Up
to n = 3000 the law is exact, from the transition matrix. Beyond it is the branching law,
Pr(P_k = 0) ≤ exp(-n p_0 g_k), and the same for 1 - p_0, each short by at most k/(e n): every
round replaces (1 - u)^n by e^{-nu} in a generating function, at most 1/(e n) above it.

References
----------
Suresh et al., arXiv:2412.17646, Theorem 1; Ewens, *Mathematical Population Genetics*
(2004), section 1.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, share, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.laws.branching import survival_exponents
from hayflick.laws.wright_fisher import LARGEST_SAMPLE, binomial_rows

LAWS = ("auto", "exact", "branching")
MOST_DRAWS = 10**12
_AFFORDABLE_PRODUCTS = 1e10

_MOST_EXACT = 1_000_000
_DEVIATIONS = 8.0


@dataclass(frozen=True, eq=False)
class BernoulliLaw:
    """Survival of a Bernoulli probability P_k for k = 0 … K.

    Parameters
    ----------
    present
        Pr(P_k ≠ 0), shape ``(K + 1,)``.
    polymorphic
        Pr(P_k ∉ {0, 1}), shape ``(K + 1,)``.
    name
        Which law: ``exact`` or ``branching``.
    error
        How far from the truth either can be, in any generation: rounding for the exact
        law; a proven bound for the branching law, which is never above the truth.
    """

    present: Floats
    polymorphic: Floats
    name: str
    error: float


def bernoulli_law(
    probability: float, *, samples: int, generations: int, law: str = "auto"
) -> BernoulliLaw:
    """Return the law of a Bernoulli probability under replace.

    Parameters
    ----------
    probability
        The real p_0, from 0 to 1; any number, not only multiples of 1/n.
    samples
        Draws per round, n.
    generations
        How many rounds, K.
    law
        ``exact`` (at most 3000 draws, or few ones among a million), ``branching``, or
        ``auto``: exact where that takes no more than some ten seconds.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or `samples` too many for the exact law.

    Examples
    --------
    >>> result = bernoulli_law(0.01, samples=100, generations=50)
    >>> result.name, result.present[[1, 10, 50]].round(5).tolist()
    ('exact', [0.63397, 0.16139, 0.04112])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 1 (its lower bound is the branching law).
    """
    p = share("probability", probability)
    n = whole_number("samples", samples, at_least=1, at_most=MOST_DRAWS)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    most = n if n <= LARGEST_SAMPLE else _highest_count(p, n, rounds)
    known = most <= LARGEST_SAMPLE and n <= _MOST_EXACT
    if law == "exact" and not known:
        takes = f"training sets of at most {LARGEST_SAMPLE} items, or of few ones"
        remedy = "use branching, which bounds its error"
        raise ArgumentError("law", got="exact", takes=takes, remedy=remedy)
    affordable = known and float(most) ** 2 * rounds <= _AFFORDABLE_PRODUCTS
    if law == "branching" or (law == "auto" and not affordable):
        return _branching(p, n, rounds)
    return _exact(p, n, rounds, most=most)


def _highest_count(p: float, n: int, rounds: int) -> int:
    """Return a count that is passed with a negligible probability."""
    spread = _DEVIATIONS * np.sqrt(n * p * rounds)
    return min(n, int(n * p + spread + _DEVIATIONS**2 * np.sqrt(rounds)))


def _exact(p: float, n: int, rounds: int, *, most: int) -> BernoulliLaw:
    """Return the law by products of a vector and the transition matrix of 0 … `most`."""
    hits = np.arange(most + 1)
    matrix = binomial_rows(n, hits / n, hits=hits)
    counts = binomial_rows(n, np.array([p]), hits=hits)[0]
    present, polymorphic = np.full((2, rounds + 1), float(p > 0.0))
    polymorphic[0] = float(0.0 < p < 1.0)
    lost = 0.0
    for generation in range(1, rounds + 1):
        present[generation] = 1.0 - counts[0]
        polymorphic[generation] = present[generation] - (counts[n] if most == n else 0.0)
        lost = max(lost, 1.0 - counts.sum()) if most < n else 0.0
        counts = counts @ matrix
    # Binomial coefficients come from differences of log-gamma functions of size n ln n.
    error = float(np.finfo(np.float64).eps * (1.0 + n * np.log(n + 1.0)) * rounds) + lost
    shares = np.clip(present, 0.0, 1.0), np.clip(polymorphic, 0.0, 1.0)
    return BernoulliLaw(*shares, "exact", error)


def _branching(p: float, n: int, rounds: int) -> BernoulliLaw:
    """Return the branching law of the two counts, successes and failures."""
    exponents = survival_exponents(rounds)
    zero, one = np.exp(-n * p * exponents), np.exp(-n * (1.0 - p) * exponents)
    present = np.concatenate([[float(p > 0.0)], 1.0 - zero])
    polymorphic = np.concatenate([[float(0.0 < p < 1.0)], np.maximum(1.0 - zero - one, 0.0)])
    error = min(2.0 * rounds / (math.e * n), 1.0)
    return BernoulliLaw(present, polymorphic, "branching", float(error))
