"""What every forecast answers: what is left, against which limit, and what would help."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.display import Displayed
from hayflick.core.protocols import Regime
from hayflick.core.provenance import provenance

FRESH_SHARES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of fresh data that a forecast compares."""

KEPT_OF_BASELINE = 0.9
"""The limit: this share of what one training on real data alone would keep."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Outlook(Displayed, ABC):
    """What the forecasts of all families have in common; draws itself in a notebook.

    Parameters
    ----------
    regime, seed
        What each round is trained on, and the seed of the simulation.
    fresh_shares
        What is left after the last round, for each of `FRESH_SHARES` in place of the regime.
    interrupted
        Whether the simulation was cut short.
    """

    regime: Regime
    seed: int
    fresh_shares: tuple[float, ...]
    interrupted: bool = False

    @property
    @abstractmethod
    def name(self) -> str:
        """What was forecast: a file, or a law."""

    @property
    @abstractmethod
    def left(self) -> Floats:
        """What is left after generations 0 … K, shape ``(K + 1,)``."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """What one training on real data alone leaves."""

    @property
    @abstractmethod
    def part(self) -> float:
        """The limit as a part of the baseline."""

    @property
    @abstractmethod
    def samples(self) -> int:
        """Size of a training set."""

    @property
    @abstractmethod
    def law_name(self) -> str:
        """Which law the figures come from."""

    @property
    @abstractmethod
    def runs(self) -> int:
        """Number of simulated runs that were finished."""

    @property
    @abstractmethod
    def runs_below(self) -> float | None:
        """Share of the simulated runs that end below the limit; None where there is none."""

    @abstractmethod
    def describe_model(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""

    @property
    def generations(self) -> int:
        """The last generation, K."""
        return self.left.size - 1

    @property
    def kept(self) -> float:
        """What is left after the last round."""
        return float(self.left[-1])

    @property
    def limit(self) -> float:
        """The value below which a forecast raises its voice."""
        return self.part * self.baseline

    @property
    def first_below(self) -> int | None:
        """First round in which less is left than the limit; None if there is none."""
        below = np.flatnonzero(self.left < self.limit)
        return int(below[0]) if below.size else None

    @property
    def smallest_holding_share(self) -> float | None:
        """Smallest of `FRESH_SHARES` below 1 that ends within the limit; None if none does."""
        pairs = zip(FRESH_SHARES, self.fresh_shares, strict=True)
        return next((s for s, kept in pairs if s < 1.0 and kept >= self.limit), None)

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the forecast again."""
        parameters = {
            "model": self.describe_model(),
            "regime": self.regime.describe(),
            "samples": self.samples,
            "generations": self.generations,
            "replicates": self.runs,
            "law": self.law_name,
        }
        return provenance(parameters, seed=self.seed)
