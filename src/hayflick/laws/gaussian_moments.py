r"""Mean scale and mean displacement of a retrained Gaussian; exact for every size.

With fresh data (m real and q = n - m generated items a round, unbiased variance), in units
of the real variance σ_0², s = E Σ² and V = E (μ - μ_0)²:

    V' = (q/n)² V + (m + q s)/n²
    s' = (m + q s)/n + m q/(n (n - 1)) V

A trainer of effective share e and variance factor g has g s (1 + q (1/e - 1)/n) in place of s in
V', and g s (1 + m (1/e - 1)/(n (n - 1))) in s'.

When rounds accumulate, the sum of squares SS of a pool of N items grows by
v (n - 1 + N/(N + n)) in the mean, v = SS/(N - ddof), and V by n v/(N + n)².

A mean hides collapse: with m = 0 it is s = 1 for ever while the median falls to 0, so show
the quantiles of `hayflick.laws.gaussian_scale` beside it.

References
----------
Chan, Golub and LeVeque, *Algorithms for computing the sample variance*, The American
Statistician 37 (1983), equation 2.1 (how sums of squares merge); Gerstgrasser et al.,
arXiv:2404.01413, for accumulation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.gaussian_resampler import GaussianResampler
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.laws.gaussian_scale import lawful_resampler

LARGEST_SAMPLE = 10**12


@dataclass(frozen=True, eq=False)
class GaussianMoments:
    """Expected variance and displacement of the model, in units of the real variance.

    Parameters
    ----------
    variance
        E Σ_k² / σ_0² for k = 0 … K, shape ``(K + 1,)``.
    displacement
        E (μ_k - μ_0)² / σ_0² for k = 0 … K, shape ``(K + 1,)``.
    stationary_variance, stationary_displacement
        What they tend to; None where that is infinite, or known only as a limit.
    """

    variance: Floats
    displacement: Floats
    stationary_variance: float | None
    stationary_displacement: float | None
    name: str = "exact"


def fresh_moments(
    samples: int, *, fresh: int, generations: int, resampler: GaussianResampler | None = None
) -> GaussianMoments:
    """Return the moments where every round has `fresh` new real items (ddof = 1).

    Generation 0 is the real law itself: variance 1, displacement 0.

    Parameters
    ----------
    samples
        Items of a round's training set, n, at least 2.
    fresh
        How many of them are new draws from the real law, m, from 0 (replace) to n.
    generations
        How many rounds, K.
    resampler
        A calibrated trainer; the moments are then those of the training sets. An ideal one
        changes nothing.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the parameters of the resampler vary between runs.

    Examples
    --------
    >>> moments = fresh_moments(20, fresh=2, generations=60)
    >>> moments.variance[[1, 5, 21, 60]].round(4).tolist()
    [1.0, 1.0352, 1.213, 1.3137]
    >>> round(moments.stationary_variance, 4)
    1.3214
    >>> smoother = GaussianResampler(variance_factor=1.04)
    >>> moments = fresh_moments(1000, fresh=100, generations=9, resampler=smoother)
    >>> round(float(moments.variance[9]), 3)
    1.254
    """
    n = whole_number("samples", samples, at_least=2, at_most=LARGEST_SAMPLE)
    m = whole_number("fresh", fresh, at_least=0, at_most=n)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    trainer = lawful_resampler(resampler, n) or GaussianResampler()
    constant, matrix = _fresh_round(float(n), float(m), trainer)
    path = np.empty((2, rounds + 1))
    path[:, 0] = 1.0, 0.0
    for place in range(rounds):
        path[:, place + 1] = constant + matrix @ path[:, place]
    return GaussianMoments(path[0], path[1], *_fresh_limit(constant, matrix, alone=m == 0))


def _fresh_round(n: float, m: float, trainer: GaussianResampler) -> tuple[Floats, Floats]:
    """Return c and A with (s', V') = c + A (s, V)."""
    q = n - m
    # What training scatters beyond drawing, in units of the variance.
    excess = (1.0 / trainer.effective_share - 1.0) / n
    g = trainer.variance_factor
    own = g * (q / n + m * q / (n * (n - 1.0)) * excess)
    matrix = [[own, m * q / (n * (n - 1.0))], [g * q / n**2 * (1.0 + q * excess), (q / n) ** 2]]
    return np.array([m / n, m / n**2]), np.array(matrix)


def _fresh_limit(
    constant: Floats, matrix: Floats, *, alone: bool
) -> tuple[float | None, float | None]:
    """Return the fixed point of a round; None for what grows without end."""
    g = float(matrix[0, 0])
    if alone:
        # Nothing pulls the mean back, so it comes to rest only where the variance vanishes.
        if g < 1.0:
            return 0.0, float(matrix[1, 0] / (1.0 - g))
        return (1.0, None) if g == 1.0 else (None, None)
    if np.abs(np.linalg.eigvals(matrix)).max() >= 1.0:
        return None, None
    variance, displacement = np.linalg.solve(np.eye(2) - matrix, constant)
    return float(variance), float(displacement)


def accumulate_moments(samples: int, *, generations: int, ddof: int = 1) -> GaussianMoments:
    """Return the moments where n new draws join all that came before.

    The real law has variance 1 and mean μ_0. Generation 0 is its fit to n real items, so the
    variance starts at (n - 1)/(n - ddof) and the displacement at 1/n; generation k is the
    fit to a pool of (k + 1) n items. Relative to a given fit θ_0 instead, divide the
    variance by its start, and the displacement's growth by the same.

    Parameters
    ----------
    samples
        Real items, and draws that each round adds, n, at least 2.
    generations
        How many rounds, K.
    ddof
        What the divisor of the variance falls short of the pool by: 1 (unbiased) or 0
        (maximum likelihood).

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> moments = accumulate_moments(10, generations=100, ddof=0)
    >>> [round(float(moments.variance[100]), 4), round(float(moments.displacement[100]), 3)]
    [0.8443, 0.156]

    References
    ----------
    Gerstgrasser et al., arXiv:2404.01413: n times the displacement tends to π²/6 as first n
    and then k grows.
    """
    n = whole_number("samples", samples, at_least=2, at_most=LARGEST_SAMPLE)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    lost = whole_number("ddof", ddof, at_least=0, at_most=1)
    pools = float(n) * np.arange(1.0, rounds + 2.0)
    old, new = pools[:-1], pools[1:]
    growth = 1.0 + (n - 1.0 + old / new) / (old - lost)
    squares = (n - 1.0) * np.concatenate([[1.0], np.cumprod(growth)])
    variance = squares / (pools - lost)
    steps = n * variance[:-1] / new**2
    displacement = np.concatenate([[0.0], np.cumsum(steps)]) + 1.0 / n
    return GaussianMoments(variance, displacement, None, None)
