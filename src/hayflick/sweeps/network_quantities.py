"""What is kept of a network: the distance of its agents, or a share of what real data hold."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.laws.count_law import SIMULATED
from hayflick.sweeps.store import CellResult

DISTANCE, COMPONENTS, WORDS, TOTAL, WITHIN = "distance", "components", "words", "total", "within"
"""Names of the quantities."""


@dataclass(frozen=True)
class DistanceKept:
    """The share of ‖D‖, the norm of all distances between agents, that is left.

    Parameters
    ----------
    first
        The round whose distance is the start: 0 of mixtures, 1 of agents that answer.
    """

    first: int = 0

    @property
    def name(self) -> str:
        """Of the quantity."""
        return DISTANCE

    def result(self, runs: Floats) -> CellResult:
        """Return what runs keep: the ratio of mean distances, with its standard error.

        Parameters
        ----------
        runs
            A row per run: ‖D‖ in rounds 0 … K, NaN where it is undefined, and the squared noise
            floor of the last round.

        Examples
        --------
        >>> found = DistanceKept().result(np.array([[2.0, 1.0, 0.09], [2.0, 3.0, 0.25]]))
        >>> found.kept.tolist(), found.start, round(found.floor, 3), found.last_error
        ([1.0, 1.0], 2.0, 0.206, 0.5)
        """
        norms, number = runs[:, :-1], len(runs)
        start = float(norms[:, self.first].mean())
        kept = np.full(norms.shape[1], math.nan)
        errors: Floats | None = None
        if start > 0.0:
            kept = norms.mean(axis=0) / start
            if number > 1:
                # Of a ratio of means, to the first order.
                away = norms - kept * norms[:, self.first, None]
                errors = away.std(axis=0, ddof=1) / (math.sqrt(number) * start)
        floor = math.sqrt(runs[:, -1].mean()) / start if start > 0.0 else math.nan
        return CellResult(
            self.name,
            SIMULATED,
            kept,
            errors,
            0.0,
            number,
            start=start if math.isfinite(start) else None,
            floor=floor if math.isfinite(floor) else None,
        )


@dataclass(frozen=True)
class ShareKept:
    """A share that is measured in every run, averaged over the runs.

    Parameters
    ----------
    name
        Of the quantity: ``components``, ``words``, ``total`` or ``within``.
    """

    name: str

    def result(self, runs: Floats) -> CellResult:
        """Return what runs keep.

        Parameters
        ----------
        runs
            A row per run: the share in rounds 0 … K, NaN where it is undefined.

        Examples
        --------
        >>> found = ShareKept("components").result(np.array([[1.0, 0.5], [1.0, 1.0]]))
        >>> found.kept.tolist(), found.last_error
        ([1.0, 0.75], 0.25)
        """
        number = len(runs)
        errors = runs.std(axis=0, ddof=1) / math.sqrt(number) if number > 1 else None
        return CellResult(self.name, SIMULATED, runs.mean(axis=0), errors, 0.0, number)
