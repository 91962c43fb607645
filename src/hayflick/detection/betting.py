"""Bets against a claim about the mean of numbers in [0, 1].

Against the claim E[y_i | past] ≤ m, with any fixed fraction f in (0, 1) of the largest
bet 1/m,

    K_f(m) = Π_i (1 + f (y_i / m - 1))

is a nonnegative supermartingale that starts at 1, and so is its mean K(m) over a grid of
fractions. Hence Pr(K(m) ever reaches 1/δ) ≤ δ (Ville), and the smallest m with
K(m) < 1/δ lies above the true mean with a probability of at most δ, for any law of the
numbers: K falls in m. Capital does not depend on the order of the numbers.

The claim E[y_i | past] ≥ θ is the same claim about 1 - y and 1 - θ.

References
----------
Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting*,
arXiv:2010.09686, section 4.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logsumexp

from hayflick.core.arrays import Floats

FRACTIONS: Floats = expit(np.linspace(-7.0, 3.0, 20))
"""Fractions of the largest bet, 0.0009 to 0.95, evenly spaced in their log-odds."""

_SMALLEST_LOG = -600.0
_PRECISION = 1e-12


def log_capital(scores: Floats, *, claimed: float) -> Floats:
    """Return the logarithm of the capital of every fraction.

    Parameters
    ----------
    scores
        Numbers in [0, 1], shape ``(pairs,)``.
    claimed
        The largest mean m that is claimed, above 0.

    Returns
    -------
    ln K_f(m), shape ``(fractions,)``. Memory grows with the pairs alone.

    Examples
    --------
    >>> gains = log_capital(np.array([0.8, 0.9, 0.7]), claimed=0.5)
    >>> bool((np.diff(gains) > 0).all()), round(float(gains[-1]), 3)
    (True, 1.341)
    """
    returns = scores / claimed - 1.0
    return np.array([np.log1p(fraction * returns).sum() for fraction in FRACTIONS])


def mixed(logs: Floats) -> float:
    """Return the logarithm of the mean of numbers that are given by their logarithms."""
    return float(logsumexp(logs)) - math.log(logs.size)


def lower_bound(scores: Floats, *, error: float) -> float:
    """Return what the mean is above, but for a probability of `error`.

    Parameters
    ----------
    scores
        Numbers in [0, 1], shape ``(pairs,)``, each with the same mean given those before it.
    error
        δ, above 0 and below 1.

    Returns
    -------
    The bound; 0 where the numbers say nothing.

    Examples
    --------
    >>> scores = np.tile([0.5, 0.7], 1000)
    >>> round(lower_bound(scores, error=0.001), 4)
    0.5906
    """
    mean = float(scores.mean()) if scores.size else 0.0
    if mean <= 0.0:
        return 0.0

    def lead(log_share: float) -> float:
        return mixed(log_capital(scores, claimed=mean * math.exp(log_share))) + math.log(error)

    if lead(_SMALLEST_LOG) <= 0.0:
        return 0.0
    # At the mean itself no capital is above 1.
    return mean * math.exp(brentq(lead, _SMALLEST_LOG, 0.0, xtol=_PRECISION))


def copies_needed(scores: Floats, *, share: float, error: float) -> float:
    """Return how many times as many such numbers put the bound at `share` of their mean.

    Parameters
    ----------
    scores
        Numbers in [0, 1] with a mean above 0.
    share
        Above 0 and below 1.
    error
        δ, above 0 and below 1.

    Returns
    -------
    The factor; inf where no number of copies is enough for the fractions that are bet.

    Examples
    --------
    >>> round(copies_needed(np.array([0.5, 0.7]), share=0.5, error=0.001), 2)
    6.7
    """
    logs = log_capital(scores, claimed=share * float(scores.mean()))

    def lead(log_copies: float) -> float:
        return mixed(math.exp(log_copies) * logs) + math.log(error)

    fastest = float(logs.max())
    if fastest <= 0.0:
        return math.inf
    enough = math.log(FRACTIONS.size / error) / fastest
    return math.exp(brentq(lead, math.log(enough) - 50.0, math.log(enough)))
