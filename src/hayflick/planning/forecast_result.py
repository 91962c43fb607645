"""A forecast: the law, a simulation beside it, what goes first and what fresh data changes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.display import Displayed
from hayflick.core.protocols import Regime
from hayflick.core.provenance import provenance
from hayflick.laws.diversity import Diversity
from hayflick.laws.survival import Survival

if TYPE_CHECKING:
    import xarray


FRESH_SHARES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of fresh data that a forecast compares."""

KEPT_OF_BASELINE = 0.9
"""The limit: this share of what one training on real data alone would keep."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseForecast(Displayed, ABC):
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


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A symbol and what becomes of it.

    Parameters
    ----------
    symbol, count
        The symbol, and how often the real data hold it (expected, for a law without data).
    survival
        Probability that it is in the last round's training set.
    baseline
        The same probability if that set were real data alone.
    median_loss
        First round with a survival probability of at most 1/2; None if there is none.
    mean_loss
        Expected round in which it is first missing, see `hayflick.laws.loss_time`; None
        where the regime's rounds differ.
    """

    symbol: str
    count: float
    survival: float
    baseline: float
    median_loss: int | None
    mean_loss: float | None


@dataclass(frozen=True, eq=False)
class SurvivalByCount:
    """Survival of a symbol outside of any reserve, by its original count.

    Parameters
    ----------
    counts
        Original counts, ascending, shape ``(rows,)``.
    survival
        Probabilities, shape ``(rows, K + 1)``.
    baseline
        Probabilities with real data alone, shape ``(rows,)``.
    """

    counts: Integers
    survival: Floats
    baseline: Floats


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecast(BaseForecast):
    """What recursive training does to a discrete law; draws itself in a notebook.

    Parameters beside those of `BaseForecast`, whose ``fresh_shares``
    are surviving shares of symbols:

    Parameters
    ----------
    law
        Survival by the exact or the branching law.
    diversity
        Gini-Simpson diversity by its exact law.
    simulated
        The simulation beside it; None where none was asked for, or none was finished.
    most_at_risk
        The symbols least likely to survive, the rarest first.
    by_count
        Survival by original count.
    """

    law: Survival
    diversity: Diversity
    simulated: xarray.Dataset | None
    most_at_risk: tuple[AtRisk, ...]
    by_count: SurvivalByCount

    def __repr__(self) -> str:
        what = f"{self.model.source.name!r}, {self.regime.describe()!r}"
        return f"Forecast({what}, generations={self.generations}, kept={self.kept:.4g})"

    @property
    def model(self) -> Discrete:
        """The real data's law."""
        return self.law.model

    @property
    def name(self) -> str:
        """What was forecast: a file, or a law."""
        return self.model.source.name

    @property
    def left(self) -> Floats:
        """Expected share of symbols that survive, shape ``(K + 1,)``."""
        return self.law.surviving_fraction

    @property
    def baseline(self) -> float:
        """The same share for one training on real data alone."""
        return float(self.law.baseline[-1])

    @property
    def part(self) -> float:
        """The limit as a part of the baseline."""
        return KEPT_OF_BASELINE

    @property
    def samples(self) -> int:
        """Size of a training set."""
        return int(self.law.rounds.samples[0])

    @property
    def law_name(self) -> str:
        """``exact`` or ``branching``."""
        return self.law.name

    @property
    def runs(self) -> int:
        """Number of simulated runs that were finished."""
        return 0 if self.simulated is None else self.simulated.sizes["replicate"]

    @property
    def runs_below(self) -> float | None:
        """Share of the simulated runs that end below the limit; None without simulation."""
        if self.simulated is None:
            return None
        ends = self.simulated["surviving_fraction"].to_numpy()[:, -1]
        return float(np.mean(ends < self.limit))

    def describe_model(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        return self.model.describe()

    @property
    def rarest(self) -> int:
        """How many symbols outside of any reserve are as rare as the one most at risk."""
        free = self.model.weights[self.law.rounds.reserve == 0]
        return int(np.count_nonzero(free == free.min())) if free.size else 0

    def simulated_band(self) -> dict[str, Floats] | None:
        """Return mean, 5 % and 95 % quantile and standard error of the surviving share.

        Each has shape ``(K + 1,)``; None where nothing was simulated.
        """
        if self.simulated is None:
            return None
        runs = self.simulated["surviving_fraction"].to_numpy()
        low, high = np.quantile(runs, (0.05, 0.95), axis=0)
        spread = runs.std(axis=0, ddof=1) if len(runs) > 1 else np.full(runs.shape[1], np.nan)
        error = spread / np.sqrt(len(runs))
        return {"mean": runs.mean(axis=0), "low": low, "high": high, "standard_error": error}
