r"""Chernoff's bounds on the scale of a retrained Gaussian, at the best exponent.

Pr(Σ_k > ε) ≤ (σ_0/ε)^t M(t)^k for every t ≥ 0, with M(t) = E (χ²_{n-1}/(n - ddof))^{t/2}, and
Pr(Σ_k ≤ ε) below the same for t < 0. The logarithm is convex in t, so its least value is
where ψ((n - 1 + t)/2) = ln((n - ddof)/2) + 2 ln(ε/σ_0)/k. Bounds, of use to judge published
ones with; `hayflick.laws.gaussian_scale` has the law itself and is what to plan with.

References
----------
Chernoff, *A measure of asymptotic efficiency for tests of a hypothesis based on the sum of
observations*, Annals of Mathematical Statistics 23 (1952), theorem 1; Suresh et al.,
arXiv:2412.17646, proof of Theorem 3 (fixed t).
"""

from __future__ import annotations

import numpy as np
from scipy.special import polygamma, psi

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, number_between, whole_number
from hayflick.laws.bounds.record import Bounds
from hayflick.laws.gaussian_scale import LARGEST_SAMPLE
from hayflick.laws.log_gamma import centred_cumulant, log_mean_excess

_SMALLEST = 1e-300
_NEWTON_STEPS = 50


def chernoff_scale(ratio: float, *, samples: int, generations: int, ddof: int = 1) -> Bounds:
    """Return Chernoff's bounds on Pr(Σ_k > ε), one of which is trivial at each generation.

    Bounds, never to plan with: the law is known.

    Parameters
    ----------
    ratio
        ε/σ_0, above 0 (standard deviations).
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.
    ddof
        What the divisor of the variance falls short of n by: 0 or 1.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> chernoff_scale(0.1, samples=10, generations=200).upper[[51, 101, 151, 200]].round(4)
    array([0.9379, 0.3653, 0.1064, 0.0295])

    References
    ----------
    Chernoff, Annals of Mathematical Statistics 23 (1952), theorem 1.
    """
    t = best_power(ratio, samples=samples, generations=generations, ddof=ddof)[1:]
    rounds, shape = np.arange(1.0, generations + 1.0), (samples - 1) / 2.0
    mean = _drift(samples, ddof) * t / 2.0
    logs = rounds * (centred_cumulant(shape, t / 2.0) + mean) - t * np.log(ratio)
    tail = np.exp(np.minimum(logs, 0.0))
    start = [float(ratio < 1.0)]
    upper = np.concatenate([start, np.where(t > 0.0, tail, 1.0)])
    lower = np.concatenate([start, np.where(t < 0.0, 1.0 - tail, 0.0)])
    return Bounds(lower=lower, upper=upper)


def best_power(ratio: float, *, samples: int, generations: int, ddof: int = 1) -> Floats:
    """Return the t that makes Chernoff's bound least, by generation 0 … K.

    Parameters
    ----------
    ratio, samples, generations, ddof
        As in `chernoff_scale`.

    Returns
    -------
    Exponents, shape ``(K + 1,)``: above 0 where they bound Pr(Σ_k > ε), below 0 where they
    bound Pr(Σ_k ≤ ε); nan at generation 0, which has none.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> best_power(0.1, samples=10, generations=200)[[51, 101, 200]].round(2).tolist()
    [0.2, 0.58, 0.78]
    """
    limit = number_between("ratio", ratio, low=_SMALLEST)
    n = whole_number("samples", samples, at_least=2, at_most=LARGEST_SAMPLE)
    last = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    whole_number("ddof", ddof, at_least=0, at_most=1)
    slope = 2.0 * np.log(limit) / np.arange(1.0, last + 1.0)
    shape = (n - 1) / 2.0
    t = 2.0 * (_inverse_digamma(slope - _drift(n, ddof) + psi(shape)) - shape)
    return np.concatenate([[np.nan], t])


def _drift(samples: int, ddof: int) -> float:
    """Return E ln(χ²_{n-1}/(n - ddof))."""
    shortfall = np.log1p((ddof - 1.0) / (samples - ddof))
    return float(log_mean_excess((samples - 1) / 2.0) + shortfall)


def _inverse_digamma(value: Floats) -> Floats:
    """Return x > 0 with ψ(x) = `value`, by Newton's steps from below, which never overshoot."""
    x = np.where(value >= -2.0, np.exp(value), -1.0 / (value - psi(1.0)))
    for _ in range(_NEWTON_STEPS):
        step = (value - psi(x)) / polygamma(1, x)
        x = np.maximum(x + step, 0.5 * x)
        if np.all(np.abs(step) <= 1e-14 * x):
            break
    return x
