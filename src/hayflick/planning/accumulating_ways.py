"""Ways in which everything so far is kept, the real data at its head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from hayflick.core.protocols import Regime
from hayflick.planning.cost import Usage
from hayflick.planning.retention import Retention
from hayflick.planning.way import SingleWay
from hayflick.regimes.accumulate import Accumulate
from hayflick.regimes.accumulate_subsample import AccumulateSubsample


@dataclass(frozen=True, eq=False)
class AccumulateWay(SingleWay):
    """Everything so far is kept, and trained on.

    The N_0 real items are in every training set. They are acquired once, as stored ones are.
    """

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "accumulate"

    @property
    def real(self) -> int:
        """N_0, the real items that the pool begins with."""
        total: int | None = self.setting.goal.model.total
        return self.setting.samples if total is None else total

    def bare(self, number: int) -> bool:  # noqa: ARG002
        """Return whether the design is no more than rounds without real data: it is more."""
        return False

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return Accumulate()

    def usage(self, number: int, kept: Retention) -> Usage:
        """Return what an average round uses where `kept` is kept."""
        used = super().usage(number, kept)
        return replace(used, real=self.real / self.setting.generations)

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the real items in a training set, on average over the rounds."""
        return float(self.real)


@final
@dataclass(frozen=True, eq=False)
class SubsampleWay(AccumulateWay):
    """Everything so far is kept; n items of it, drawn by chance, are trained on."""

    @property
    def kind(self) -> str:
        """What designs of this way are called."""
        return "accumulate-subsample"

    def regime(self, number: int) -> Regime:  # noqa: ARG002
        """Return the regime."""
        return AccumulateSubsample()

    def real_per_round(self, number: int, usage: Usage) -> float:  # noqa: ARG002
        """Return the expected real items in a training set, on average over the rounds.

        Of n items out of N_0 + k n, that is n N_0 / (N_0 + k n) in round k.
        """
        added = self.setting.samples * np.arange(1.0, self.setting.generations + 1.0)
        return float(np.mean(self.setting.samples * self.real / (self.real + added)))
