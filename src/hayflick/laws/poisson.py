r"""The exact law of a Poisson rate that is re-estimated from its own draws.

The sum of n draws is Poisson(n Λ_k), and Λ_{k+1} is its mean, so the counts are a branching
process with Poisson(1) descendants that starts from Poisson(n λ_0). The rate is a
martingale: its mean stays while it dies out, which its variance shows.

With m fresh draws a round and q = n - m generated ones, Poisson(m λ_0) immigrants join:

    Pr(Λ_k = 0) = exp(-λ_0 (q v_k + m Σ_{j≤k} v_j)),  v_1 = 1, v_{j+1} = 1 - exp(-(q/n) v_j)

References
----------
Suresh et al., arXiv:2412.17646, Theorem 2 and its proof.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, number_between, whole_number
from hayflick.laws.branching import survival_exponents

LARGEST_SAMPLE = 10**12


@dataclass(frozen=True, eq=False)
class PoissonLaw:
    """Survival and moments of the rate Λ_k for k = 0 … K.

    Parameters
    ----------
    present
        Pr(Λ_k ≠ 0), shape ``(K + 1,)``.
    mean, variance
        E Λ_k and Var Λ_k, shape ``(K + 1,)``, in events and squared events per draw.
    """

    present: Floats
    mean: Floats
    variance: Floats
    name: str = "exact"


def poisson_law(rate: float, *, samples: int, generations: int, fresh: int = 0) -> PoissonLaw:
    """Return the exact law of a Poisson rate under replace, or with fresh data.

    Parameters
    ----------
    rate
        The real rate λ_0, in events per draw; at least 0.
    samples
        Draws per round, n.
    generations
        How many rounds, K.
    fresh
        How many of a round's draws are new ones from the real law, m, from 0 to n.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> law = poisson_law(1.0, samples=10, generations=500)
    >>> law.present[[0, 1, 10, 500]].round(4).tolist()
    [1.0, 1.0, 0.8214, 0.039]
    >>> law.mean[[0, 500]].tolist(), law.variance[[0, 500]].tolist()
    ([1.0, 1.0], [0.0, 50.0])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Theorem 2 (which bounds g_k by 1/k and 3/k).
    """
    real = number_between("rate", rate, low=0.0)
    n = whole_number("samples", samples, at_least=1, at_most=LARGEST_SAMPLE)
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    m = whole_number("fresh", fresh, at_least=0, at_most=n)
    later = -np.expm1(-real * _exponents(rounds, n=n, m=m))
    # Var' = (q/n)² Var + λ_0/n: a geometric sum.
    kept = (1.0 - m / n) ** (2.0 * np.arange(rounds))
    return PoissonLaw(
        present=np.concatenate([[float(real > 0.0)], later]),
        mean=np.full(rounds + 1, real),
        variance=real / n * np.concatenate([[0.0], np.cumsum(kept)]),
    )


def _exponents(rounds: int, *, n: int, m: int) -> Floats:
    """Return q v_k + m Σ_{j≤k} v_j for k = 1 … K."""
    v = survival_exponents(rounds, rate=1.0 - m / n)
    exponents: Floats = (n - m) * v + m * np.cumsum(v)
    return exponents
