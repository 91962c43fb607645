r"""The exact law of a Poisson rate that is re-estimated from its own draws.

The sum of n draws is Poisson(n Λ_k), and Λ_{k+1} is its mean, so the counts are a branching
process with Poisson(1) descendants that starts from Poisson(n λ_0). The rate is a
martingale: its mean stays while it dies out, which its variance shows.

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


def poisson_law(rate: float, *, samples: int, generations: int) -> PoissonLaw:
    """Return the exact law of a Poisson rate under replace.

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
    later = -np.expm1(-n * real * survival_exponents(rounds))
    return PoissonLaw(
        present=np.concatenate([[float(real > 0.0)], later]),
        mean=np.full(rounds + 1, real),
        variance=real * np.arange(rounds + 1.0) / n,
    )
