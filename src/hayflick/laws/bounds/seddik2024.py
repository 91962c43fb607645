"""Seddik et al. (2024): how long a Bernoulli probability stays between 0 and 1.

Bounds to draw beside `hayflick.laws.bernoulli`, whose law is exact up to 3000 draws and
bounds its error beyond; plan with that.

References
----------
Seddik, Chen, Hayou, Youssef and Debbah, *How Bad is Training on Synthetic Data? A
Statistical Analysis of Language Model Collapse*, COLM 2024, arXiv:2404.05090.
"""

from __future__ import annotations

import numpy as np

from hayflick.core.checks import MOST_GENERATIONS, share, whole_number
from hayflick.laws.bernoulli import MOST_DRAWS
from hayflick.laws.bounds.record import Bounds


def diversity_bounds(probability: float, *, samples: int, generations: int) -> Bounds:
    """Return 4pq (1 - 1/n)^k ≤ Pr(P_k ∉ {0, 1}) ≤ 2npq (1 - 1/n)^k, with p = p_0, q = 1 - p.

    Both follow from E P_k (1 - P_k) = pq (1 - 1/n)^k: what is undecided is at most 1/4, and
    at least (1/n)(1 - 1/n) once P_k is a multiple of 1/n. So the upper one is for k ≥ 1, or
    for p_0 a multiple of 1/n. Bounds for comparison only: the law is known.

    Parameters
    ----------
    probability
        The real p_0, from 0 to 1.
    samples
        Draws per round, n.
    generations
        How many rounds, K.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> bounds = diversity_bounds(0.2, samples=100, generations=600)
    >>> bounds.lower[[0, 1, 600]].round(4).tolist(), bounds.upper[[1, 600]].round(4).tolist()
    ([1.0, 0.6336, 0.0015], [1.0, 0.077])

    References
    ----------
    Seddik et al., arXiv:2404.05090, on fully synthetic training.
    """
    p = share("probability", probability)
    n = whole_number("samples", samples, at_least=1, at_most=MOST_DRAWS)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    diversity = p * (1.0 - p) * (1.0 - 1.0 / n) ** np.arange(1.0, rounds + 1.0)
    start = [float(0.0 < p < 1.0)]
    return Bounds(
        lower=np.concatenate([start, 4.0 * diversity]),
        upper=np.concatenate([start, np.minimum(2.0 * n * diversity, 1.0)]),
    )
