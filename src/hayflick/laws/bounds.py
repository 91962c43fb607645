r"""Suresh et al. (2024): how fast Bernoulli, Poisson and Gaussian models collapse.

Every function is a theorem of the paper and returns bounds by generation; g_k is
`hayflick.laws.branching.survival_exponents`. They are drawn beside the laws. A plan uses the
law wherever there is one: for all but Theorem 4.

References
----------
Suresh, Thangaraj and Khandavally, *Rate of Model Collapse in Recursive Training*, AISTATS
2025 (PMLR 258), arXiv:2412.17646.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import polygamma, psi

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, number_between, share, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.laws.bernoulli import MOST_DRAWS
from hayflick.laws.branching import survival_exponents
from hayflick.laws.gaussian_scale import LARGEST_SAMPLE
from hayflick.laws.log_gamma import centred_cumulant, log_mean_excess


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds by generation 0 … K; None on the side where there is none.

    A bound says how far off the truth can be, not where it is: where the law is known, plan
    with the law.

    Parameters
    ----------
    lower, upper
        Shape ``(K + 1,)``. Nothing has happened at generation 0, so both hold the known
        value there; the published statements are about k ≥ 1.

    Examples
    --------
    >>> Bounds(lower=None, upper=None)
    Bounds(lower=None, upper=None)
    """

    lower: Floats | None
    upper: Floats | None


_SMALLEST_RATIO = 1e-300
_LARGEST_POWER = 1e12


def theorem_1(
    probability: float, *, samples: int, generations: int, two_sided: bool = False
) -> Bounds:
    """Return bounds on Pr(P_k ≠ 0) of a Bernoulli probability, or on Pr(P_k ∉ {0, 1}).

    1 - e^{-np g_k} ≤ Pr(P_k ≠ 0) ≤ 1 - (1 - 3np² - 3kp)₊ e^{-np g_k}, p = p_0. Bounds: plan
    with `hayflick.laws.bernoulli`.

    Parameters
    ----------
    probability
        The real p_0, from 0 to 1.
    samples
        Draws per round, n.
    generations
        How many rounds, K.
    two_sided
        Whether to subtract the same terms for 1 - p_0, which bounds Pr(P_k ∉ {0, 1}).

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> bounds = theorem_1(0.01, samples=100, generations=50)
    >>> bounds.lower[[1, 10, 50]].round(5).tolist(), bounds.upper[[1, 10, 50]].round(5).tolist()
    ([0.63212, 0.15824, 0.03765], [0.65419, 0.43602, 1.0])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 1.
    """
    p = share("probability", probability)
    n, rounds = _checked(samples, generations, most=MOST_DRAWS)
    most, least = _absence(np.array([p]), n, rounds)
    if two_sided:
        other_most, other_least = _absence(np.array([1.0 - p]), n, rounds)
        most, least = most + other_most, least + other_least
    start = float(0.0 < p < 1.0 if two_sided else p > 0.0)
    lower, upper = np.maximum(1.0 - most[0], 0.0), np.maximum(1.0 - least[0], 0.0)
    return Bounds(lower=_starting_at(start, lower), upper=_starting_at(start, upper))


def corollary_1(probabilities: ArrayLike, *, samples: int, generations: int) -> Bounds:
    """Return bounds on the expected number of symbols that survive, of a discrete law.

    The sum of Theorem 1 over symbols. Bounds: plan with `hayflick.laws.survival`.

    Parameters
    ----------
    probabilities
        Real probabilities of the symbols, shape ``(symbols,)``; those of a part of the
        symbols bound the survivors among these.
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
    >>> bounds = corollary_1([0.6, 0.39, 0.01], samples=100, generations=10)
    >>> bounds.lower[[0, 10]].round(4).tolist(), bounds.upper[[0, 10]].round(4).tolist()
    ([3.0, 2.157], [3.0, 2.436])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Corollary 1.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    # Rounding aside, probabilities of some of the symbols add up to no more than 1.
    if p.ndim != 1 or not (p >= 0.0).all() or p.sum() > 1.0 + 1e-9:
        takes = "a list of numbers of at least 0 with a sum of at most 1"
        raise ArgumentError("probabilities", got=probabilities, takes=takes)
    n, rounds = _checked(samples, generations, most=MOST_DRAWS)
    p, symbols = np.unique(p, return_counts=True)
    most, least = _absence(p, n, rounds)
    start = float(symbols[p > 0.0].sum())
    lower, upper = symbols @ (1.0 - most), symbols @ (1.0 - least)
    return Bounds(lower=_starting_at(start, lower), upper=_starting_at(start, upper))


def theorem_2(rate: float, *, samples: int, generations: int) -> Bounds:
    """Return 1 - e^{-nλ/k} ≤ Pr(Λ_k ≠ 0) ≤ 1 - e^{-3nλ/k} of a Poisson rate, λ = λ_0.

    Bounds: plan with `hayflick.laws.poisson`.

    Parameters
    ----------
    rate
        The real rate λ_0, in events per draw; at least 0.
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
    >>> bounds = theorem_2(1.0, samples=10, generations=500)
    >>> bounds.lower[[50, 500]].round(4).tolist(), bounds.upper[[50, 500]].round(4).tolist()
    ([0.1813, 0.0198], [0.4512, 0.0582])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 2.
    """
    real = number_between("rate", rate, low=0.0)
    n, last = _checked(samples, generations, most=MOST_DRAWS)
    exponent = n * real / np.arange(1.0, last + 1.0)
    start = float(real > 0.0)
    return Bounds(
        lower=_starting_at(start, -np.expm1(-exponent)),
        upper=_starting_at(start, -np.expm1(-3.0 * exponent)),
    )


def theorem_3(ratio: float, *, samples: int, generations: int) -> Bounds:
    """Return Pr(Σ_k > ε) ≤ (σ_0/ε) e^{-k/(4n-1)} of a Gaussian scale (ddof = 1).

    A bound: plan with `hayflick.laws.gaussian_scale`.

    Parameters
    ----------
    ratio
        ε/σ_0, above 0 (standard deviations).
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> theorem_3(0.1, samples=10, generations=200).upper[[51, 200]].round(4).tolist()
    [1.0, 0.0593]

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 3.
    """
    limit = number_between("ratio", ratio, low=_SMALLEST_RATIO)
    n, last = _checked(samples, generations, most=LARGEST_SAMPLE, least=2)
    return _from_logs(-np.arange(1.0, last + 1.0) / (4.0 * n - 1.0) - np.log(limit), limit)


def theorem_3_sharp(ratio: float, *, samples: int, generations: int, power: float = 0.7) -> Bounds:
    """Return Pr(Σ_k > ε) ≤ (σ_0/ε)^t (E (χ²_{n-1}/(n-1))^{t/2})^k, which the paper's figure shows.

    Markov's inequality for Σ_k^t (ddof = 1). A bound: plan with
    `hayflick.laws.gaussian_scale`.

    Parameters
    ----------
    ratio
        ε/σ_0, above 0 (standard deviations).
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.
    power
        t, from 0 to 1e12; `hayflick.laws.bounds.best_power` has the best.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> theorem_3_sharp(0.1, samples=10, generations=200).upper[[101, 200]].round(4).tolist()
    [0.3811, 0.0305]

    References
    ----------
    Suresh et al., arXiv:2412.17646, proof of Theorem 3.
    """
    limit = number_between("ratio", ratio, low=_SMALLEST_RATIO)
    n, last = _checked(samples, generations, most=LARGEST_SAMPLE, least=2)
    t = number_between("power", power, low=0.0, high=_LARGEST_POWER)
    shape = (n - 1) / 2.0
    moment = float(centred_cumulant(shape, np.array([t / 2.0]))[0])
    moment += log_mean_excess(shape) * t / 2.0
    return _from_logs(np.arange(1.0, last + 1.0) * moment - t * np.log(limit), limit)


def theorem_4(ratio: float, *, samples: int, generations: int) -> Bounds:
    """Return Pr(Σ_k > ε) ≤ (σ_0/ε) e^{-k/(4n)} of a symmetric mixture of two Gaussians.

    For ½ N(μ, σ²) + ½ N(-μ, σ²), refitted with the paper's approximation of joint maximum
    likelihood. A bound; no law of this chain is known.

    Parameters
    ----------
    ratio
        ε/σ_0, above 0 (standard deviations of a component).
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> theorem_4(0.1, samples=10, generations=200).upper[[50, 200]].round(4).tolist()
    [1.0, 0.0674]

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 4.
    """
    limit = number_between("ratio", ratio, low=_SMALLEST_RATIO)
    n, last = _checked(samples, generations, most=LARGEST_SAMPLE, least=2)
    return _from_logs(-np.arange(1.0, last + 1.0) / (4.0 * n) - np.log(limit), limit)


def _checked(samples: int, generations: int, *, most: int, least: int = 1) -> tuple[int, int]:
    return (
        whole_number("samples", samples, at_least=least, at_most=most),
        whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS),
    )


def _absence(p: Floats, n: int, last: int) -> tuple[Floats, Floats]:
    """Return the most and the least that Pr(N_k = 0) can be, shape ``(len(p), K)``."""
    rounds = np.arange(1.0, last + 1.0)
    most = np.exp(-np.outer(n * p, survival_exponents(last)))
    kept = 1.0 - (3.0 * n * p**2)[:, None] - np.outer(3.0 * p, rounds)
    return most, np.maximum(kept, 0.0) * most


def _from_logs(logs: Floats, ratio: float) -> Bounds:
    upper = np.exp(np.minimum(logs, 0.0))
    return Bounds(lower=None, upper=_starting_at(float(ratio < 1.0), upper))


def _starting_at(start: float, later: Floats) -> Floats:
    return np.concatenate([[start], later])


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


def scale_bound(ratio: float, *, samples: int, generations: int) -> Bounds:
    """Return the bound Pr(Σ_k > ε) ≤ (σ_0/ε) (E √(χ²_{n-1}/(n-1)))^k.

    Markov's inequality for the expected standard deviation (ddof = 1). Beside a law that is
    known a bound is for comparison, not for plans.

    Parameters
    ----------
    ratio
        ε/σ_0, above 0 (standard deviations).
    samples
        Draws per round, n, at least 2.
    generations
        How many rounds, K.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> scale_bound(0.1, samples=10, generations=200).upper[[100, 200]].round(4).tolist()
    [0.6253, 0.0391]

    References
    ----------
    Bertrand et al., arXiv:2310.00429, the Gaussian example of pure self-consuming training.
    """
    return theorem_3_sharp(ratio, samples=samples, generations=generations, power=1.0)


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
