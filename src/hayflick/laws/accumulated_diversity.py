r"""Gini-Simpson diversity where rounds accumulate, exact for every discrete law and size.

With counts C of a pool of N items, n new draws X from p and D = N + δ·types, the model of all
that is kept is p' = (C + X + δ) / (D + n), and C + δ = D p, so

    E Σ p'² = [((D + n)² - n) E Σ p² + n] / (D + n)²,   1 - E Σ p'² = (1 - E Σ p²)(1 - n/(D + n)²)

The product of these factors stays above 0: what accumulates does not collapse. Trained on Y,
n items of the pool without replacement, p = (Y + δ) / (n + δ·types) and

    E Σ Y² = n + n (n - 1) / (N (N - 1)) · (E Σ C² - N)
    E Σ C'² = E Σ C² + 2 n (n/N · E Σ C² + δ N) / (n + δ·types) + n + n (n - 1) E Σ p²

References
----------
Gerstgrasser et al., arXiv:2404.01413, and Kazdan et al., arXiv:2410.16713, for the regimes.
The recursions follow from the moments of the multinomial and the hypergeometric law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats


def accumulated_diversity(
    model: Discrete, *, samples: int, generations: int, subsample: bool
) -> Floats:
    """Return E[1 - Σ p_i²] of θ_0 … θ_K where n new items join the pool every round.

    The pool begins with the real data, or with n draws where the real law is known.

    Parameters
    ----------
    model
        The real data's law.
    samples
        New items of a round, n; also how many are trained on, of a subsample.
    generations
        How many rounds, K.
    subsample
        Whether n items of the pool are trained on, or all.

    Returns
    -------
    Shape ``(K + 1,)``.

    Examples
    --------
    >>> coin = Discrete.from_counts({"heads": 50, "tails": 50})
    >>> law = accumulated_diversity(coin, samples=100, generations=2, subsample=False)
    >>> law.round(6).tolist()
    [0.5, 0.49875, 0.498196]
    """
    moments = _Moments.of(model, samples)
    start = float(np.sum(model.initial_law**2))
    follow = moments.of_subsamples if subsample else moments.of_pools
    return 1.0 - np.array([start, *follow(generations)])


@dataclass(frozen=True)
class _Moments:
    """What the recursions need of the real data.

    Parameters
    ----------
    samples
        n.
    real
        Items of the pool at the start, N_0.
    first
        E Σ C_1², of the pool after one round.
    delta, types
        Of the smoothing: δ, and the number of symbols.
    """

    samples: float
    real: float
    first: float
    delta: float
    types: float

    @classmethod
    def of(cls, model: Discrete, samples: int) -> _Moments:
        n, delta = float(samples), model.smoothing.delta
        if model.counts is None:
            # The pool and the first round are 2 n draws from one law.
            first = 2.0 * n + 2.0 * n * (2.0 * n - 1.0) * float(np.sum(model.probabilities**2))
            return cls(n, n, first, delta, model.types)
        counts, law = model.counts.astype(np.float64), model.initial_law
        drawn = n + n * (n - 1.0) * float(law @ law)
        first = float(counts @ counts) + 2.0 * n * float(counts @ law) + drawn
        return cls(n, counts.sum(), first, delta, model.types)

    def _smoothed(self, squares: float, items: float) -> float:
        """Return Σ p² of counts with Σ N² = `squares`."""
        delta, types = self.delta, self.types
        return (squares + delta * (2.0 * items + delta * types)) / (items + delta * types) ** 2

    def of_pools(self, generations: int) -> list[float]:
        """Return E Σ p_k² for k = 1 … K where all is trained on."""
        n = self.samples
        path = [self._smoothed(self.first, self.real + n)]
        for generation in range(2, generations + 1):
            lost = n / (self.real + generation * n + self.delta * self.types) ** 2
            path.append((1.0 - lost) * path[-1] + lost)
        return path

    def of_subsamples(self, generations: int) -> list[float]:
        """Return E Σ p_k² for k = 1 … K where n items of the pool are trained on."""
        n, pool, squares, path = self.samples, self.real + self.samples, self.first, []
        size = n + self.delta * self.types
        for _ in range(generations):
            chosen = n + n * (n - 1.0) / (pool * (pool - 1.0)) * (squares - pool)
            path.append(self._smoothed(chosen, n))
            joint = n * (n / pool * squares + self.delta * pool) / size
            squares += 2.0 * joint + n + n * (n - 1.0) * path[-1]
            pool += n
        return path
