"""How far apart groups are over some rounds, in units of what chance alone gives.

‖D‖² of groups that are all alike is expected to be the square of its floor (see
`hayflick.diversity.groups`), so the mean of the rounds' ratios of the two is 1 for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_ROUNDS = 3
"""Number of rounds from which on a separation has a standard error."""


@dataclass(frozen=True, slots=True)
class Separation:
    """The distance of groups over the distance of groups that are alike.

    Parameters
    ----------
    ratio
        Root mean square of ‖D‖ over that of its floor; 1 for groups that are alike.
    error
        Standard error of the square of the ratio, from its scatter over the rounds; None for
        fewer than three rounds.

    Examples
    --------
    >>> Separation.of([2.0, 2.2, 1.8, None], [1.0, 1.1, 0.9, 1.0])
    Separation(ratio=2.0, error=0.0)
    >>> Separation.of([1.1, 0.8, 1.1], [1.0, 1.0, 1.0]).is_clear
    False
    """

    ratio: float
    error: float | None

    @classmethod
    def of(cls, norms: Sequence[float | None], floors: Sequence[float | None]) -> Separation | None:
        """Return the separation over rounds, or None if none has both numbers.

        Parameters
        ----------
        norms, floors
            ``group_frobenius_norm`` and ``noise_floor`` of each round; None for no reading.
        """
        pairs = zip(norms, floors, strict=True)
        known = [(norm, floor) for norm, floor in pairs if norm is not None and floor]
        if not known:
            return None
        squares = np.array(known, dtype=np.float64) ** 2
        ratio = math.sqrt(squares[:, 0].mean() / squares[:, 1].mean())
        if len(known) < LEAST_ROUNDS:
            return cls(ratio, None)
        scatter = float(np.std(squares[:, 0] / squares[:, 1], ddof=1))
        return cls(ratio, round(scatter / math.sqrt(len(known)), 12))

    @property
    def is_clear(self) -> bool | None:
        """Whether the groups differ by more than chance, by two standard errors.

        None if there are too few rounds to tell.
        """
        return None if self.error is None else self.ratio**2 - 2.0 * self.error > 1.0
