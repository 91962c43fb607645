"""The smallest share of real data that keeps a network diverse, by its exact law.

Diversity within the models and in all rises with the share: every entry of H does, so halving
the interval finds the smallest. Diversity between them need not: without real data, models that
read one another end as one, and with real data alone they differ by the noise of their samples
only. There the smallest share is looked for on a grid, and then between two of its points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hayflick.chains.discrete import Discrete
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError
from hayflick.laws.network import NetworkLaw, network_law

QUANTITIES = ("within", "between", "total")

_GRID = (0.0, *np.geomspace(1e-4, 1.0, 41).tolist())
_PRECISION = 1e-4


@dataclass(frozen=True, eq=False)
class InjectionShare:
    """The smallest real share that keeps what was asked for.

    Parameters
    ----------
    share
        Real share of every model, rounded up to at most 1e-4 too much; None where no share
        keeps enough.
    kept
        What is left at that share, as a share of the real law's diversity; the most that was
        found where `share` is None.
    law
        The law behind `kept`.
    reason
        Why, in words.
    """

    share: float | None
    kept: float
    law: NetworkLaw
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether there is such a share."""
        return self.share is not None


def injection_share(
    model: Discrete,
    *,
    reading: ArrayLike | sparse.sparray,
    keep: float,
    generations: int,
    quantity: str = "within",
    samples: ArrayLike | None = None,
) -> InjectionShare:
    """Return the smallest real share, the same for all models, that keeps enough after K rounds.

    What a model reads is scaled to 1 - f, in the proportions of `reading`.

    Parameters
    ----------
    model, reading, generations, samples
        As of `hayflick.laws.network.network_law`.
    keep
        The target in generation K, as a share of the real law's diversity 1 - Σ p_0².
    quantity
        What is to be kept: ``within`` (mean diversity of a model), ``between``
        (E |D|_F² / (2 N²)) or ``total`` (the sum of both: diversity of all output together).
        ``between`` is looked for at 42 shares and refined: a narrower stretch is missed.

    Raises
    ------
    ArgumentError
        As `hayflick.laws.network.network_law`, and if the quantity is unknown, `keep` is no
        share, or the real law has no diversity.

    Examples
    --------
    >>> fruit = Discrete.from_counts({"apple": 40, "pear": 30, "fig": 20, "quince": 10})
    >>> found = injection_share(
    ...     fruit, reading=[[0.5, 0.5], [0.5, 0.5]], samples=20, keep=0.8, generations=50
    ... )
    >>> round(found.share, 3), round(found.kept, 3)
    (0.061, 0.8)
    """
    keep = number_between("keep", keep, low=0.0, high=1.0)
    if quantity not in QUANTITIES:
        raise ArgumentError("quantity", got=quantity, takes=f"one of {', '.join(QUANTITIES)}")
    if model.types == 1:
        takes = "a law of at least two symbols: one symbol has no diversity"
        raise ArgumentError("model", got="one symbol", takes=takes)
    search = _Search(model, reading, generations, samples, quantity, keep)
    return search.on_grid() if quantity == "between" else search.between(0.0, 1.0)


@dataclass(frozen=True, eq=False)
class _Search:
    model: Discrete
    reading: ArrayLike | sparse.sparray
    generations: int
    samples: ArrayLike | None
    quantity: str
    keep: float

    def at(self, share: float) -> InjectionShare:
        """Return what a share keeps."""
        law = network_law(
            self.model,
            reading=self.reading,
            real_shares=share,
            samples=self.samples,
            generations=self.generations,
        )
        paths = {"within": law.within_mean, "between": law.between, "total": law.total}
        kept = float(paths[self.quantity][-1]) / law.real
        reason = f"a real share of {share:.4g} keeps {kept:.4g} of the real law's diversity"
        return InjectionShare(share, kept, law, reason)

    def on_grid(self) -> InjectionShare:
        """Return the smallest share that is enough, where more may keep less."""
        last, best = 0.0, self.at(0.0)
        for share in _GRID:
            tried = best if share == 0.0 else self.at(share)
            if tried.kept >= self.keep:
                return self.between(last, share)
            last, best = share, max(best, tried, key=lambda one: one.kept)
        return self._infeasible(best)

    def between(self, low: float, high: float) -> InjectionShare:
        """Return the smallest share in an interval whose upper end is the only hope."""
        lower, upper = self.at(low), self.at(high)
        if lower.kept >= self.keep:
            return lower
        if upper.kept < self.keep:
            return self._infeasible(upper)
        while high - low > _PRECISION:
            middle = self.at((low + high) / 2.0)
            if middle.kept >= self.keep:
                high, upper = (low + high) / 2.0, middle
            else:
                low = (low + high) / 2.0
        return upper

    def _infeasible(self, best: InjectionShare) -> InjectionShare:
        reason = (
            f"no real share keeps {self.keep:g} of the real law's diversity {self.quantity} "
            f"after {self.generations} rounds: the most is {best.kept:.4g}, at a share of "
            f"{best.share:.4g}; larger samples keep more within a model, and models that read "
            "fewer others keep more between them"
        )
        return InjectionShare(None, best.kept, best.law, reason)
