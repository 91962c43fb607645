"""The round in which a symbol is first missing from the training set, on average.

The mean T(N) of rounds from a count N solves T(N) = 1 + E[T(N'); N' ≠ 0], N' the next count.
For n ≤ 500 every count is an unknown, and the answer is exact. Beyond, the unknowns are the
64 lowest and highest counts and forty per factor e in between; T between them is a cubic in
the logit of N, and wide binomials are taken for normal. Under replace a symbol can also take
over: the mean is over the runs in which it is lost, a share 1 - p_0 of them.

References
----------
Ewens, *Mathematical Population Genetics* (2004), sections 1.2 and 2.12 (conditional
processes); the diffusion's mean under replace, -2n x ln(x) / (1 - x), is equation 5.52.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.count_grid import LARGEST_EXACT, CountGrid
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.regimes.replace import Replace

# The equations are ill-conditioned beyond: such a symbol is practically never lost.
_LONGEST = 1e12
_ROUNDING = 5e-14
_INTERPOLATION = 0.002


@dataclass(frozen=True, eq=False)
class LossTime:
    """Expected rounds until symbols are first missing.

    Parameters
    ----------
    model, rounds
        The model and its rounds.
    law
        ``exact`` or, above training sets of 500 items, ``interpolated``; how far off a time can
        be is said by `error_of`.
    """

    model: Discrete
    rounds: ChainRounds
    law: str

    def of_symbols(self, symbols: Sequence[str]) -> Floats:
        """Return the expected rounds of named symbols; inf for those that a reserve holds.

        Raises
        ------
        DataError
            If a symbol is not in the data.
        """
        where = self.model.places_of(symbols)
        times = self.of_probabilities(self.model.probabilities[where])
        times[self.rounds.reserve[where] > 0] = np.inf
        return times

    def error_of(self, times: Floats) -> Floats:
        """Return how far off expected rounds can be, as shares of them.

        Interpolation is within 0.2 %. To it comes the rounding of the equations, which grows with
        the number of rounds.

        Parameters
        ----------
        times
            Expected rounds, shape ``(symbols,)``.
        """
        rounding = _ROUNDING * np.where(np.isfinite(times), times, 0.0)
        return rounding + (0.0 if self.law == "exact" else _INTERPOLATION)

    def of_probabilities(self, probabilities: Floats) -> Floats:
        """Return the expected rounds of symbols that no reserve holds.

        Parameters
        ----------
        probabilities
            Their real probabilities, shape ``(symbols,)``.

        Returns
        -------
        Rounds, shape ``(symbols,)``; inf where a symbol is practically never lost. Under
        replace, the mean over the runs in which it is lost.
        """
        distinct, where = np.unique(probabilities, return_inverse=True)
        passage = _FirstPassage(self.rounds)
        times = np.array([passage.mean(float(chance)) for chance in distinct])
        return times[where] if times.size else np.empty(0)


def loss_time(
    model: Discrete, *, regime: Regime = Replace(), samples: int | None = None
) -> LossTime:
    """Return the law of a symbol's first loss.

    Parameters
    ----------
    model
        The real data's law.
    regime
        What each round is trained on, the same in every round.
    samples
        Size of a training set; the data's own size where None.

    Raises
    ------
    ArgumentError
        If the regime's rounds differ, or an argument is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 99, "here": 1})
    >>> times = loss_time(words)
    >>> times.law, times.of_symbols(["here"]).round(2).tolist()
    ('exact', [8.66])
    """
    if not regime.constant:
        takes = "a regime whose rounds are all alike"
        raise ArgumentError("regime", got=regime.describe(), takes=takes)
    # The first round draws from the fit to the real data, all later ones are like the second.
    rounds = rounds_of(model, regime=regime, samples=samples, generations=2)
    exact = rounds.samples[0] <= LARGEST_EXACT
    return LossTime(model, rounds, "exact" if exact else "interpolated")


class _FirstPassage(CountGrid):
    """First passage to 0 on a grid of counts."""

    def __init__(self, rounds: ChainRounds) -> None:
        super().__init__(rounds)
        # Chance of ever being lost from each count.
        self.lost = 1.0 - self.grid / self.size if self.can_fix else np.ones(self.grid.size)
        self._solved: tuple[float, Floats] | None = None

    def mean(self, chance: float) -> float:
        """Return the expected round of first loss of a symbol of real probability `chance`."""
        start = self.first_row(chance)
        at_once, onward = start[0], start[1:]
        ever = at_once + onward @ self.lost
        if ever <= 0.0:
            return float("inf")
        time = (at_once + onward @ (self.lost + self._onward(chance))) / ever
        return float(time) if 0.0 < time < _LONGEST else float("inf")

    def _onward(self, chance: float) -> Floats:
        """Return E[rounds; lost] from every count of the grid."""
        # Without fresh data the equations are the same for every symbol.
        key = chance if self.fresh else 0.0
        if self._solved is None or self._solved[0] != key:
            matrix = self.matrix(chance)[:, 1:]
            times = np.linalg.solve(np.eye(self.grid.size) - matrix, self.lost)
            self._solved = key, np.asarray(times, dtype=np.float64)
        return self._solved[1]
