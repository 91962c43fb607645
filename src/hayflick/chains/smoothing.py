"""Estimators of a discrete law from counts: maximum likelihood and add-δ smoothing."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.checks import number_between

_LARGEST_DELTA = 1e6


@dataclass(frozen=True, slots=True)
class AddDelta:
    """Estimate p_i = (N_i + δ) / (n + δ m): every one of m symbols is seen δ times more.

    Parameters
    ----------
    delta
        Pseudo-count, from 0 to a million. With 0 it is the maximum-likelihood estimator, 1 is
        Laplace's rule, 1/2 Jeffreys' and Krichevsky and Trofimov's.

    Raises
    ------
    ArgumentError
        If `delta` is not between 0 and a million.

    Examples
    --------
    >>> AddDelta(0.5).uniform_share(total=98, types=4)
    0.02
    """

    delta: float

    def __post_init__(self) -> None:
        number_between("delta", self.delta, low=0.0, high=_LARGEST_DELTA)

    def uniform_share(self, *, total: int, types: int) -> float:
        """Return the share of the estimate's mass that is spread evenly over all symbols.

        The estimate is the mixture of the observed frequencies and the uniform law; the
        simulation draws from it so, and the laws treat the second part as immigration.
        """
        added = self.delta * types
        return added / (total + added)

    def describe(self) -> str:
        """Return the estimator in the grammar of the command line."""
        return "ml" if self.delta == 0.0 else f"add:delta={self.delta:g}"


MAXIMUM_LIKELIHOOD = AddDelta(0.0)
"""The observed frequencies: what was not seen has probability 0."""
