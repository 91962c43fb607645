"""Bertrand et al. (2024): the expected scale of a retrained Gaussian decays geometrically.

A bound on the chance that the scale is above a limit; the exact law is in
`hayflick.laws.gaussian_scale`, so nothing is planned with this.

References
----------
Bertrand, Bose, Duplessis, Jiralerspong and Gidel, *On the Stability of Iterative Retraining
of Generative Models on their own Data*, ICLR 2024, arXiv:2310.00429.
"""

from __future__ import annotations

from hayflick.laws.bounds.record import Bounds
from hayflick.laws.bounds.suresh2024 import theorem_3_sharp


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
