"""The result of a forecast: law, simulation, symbols at risk, and the effect of fresh data."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from typing_extensions import override

from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import check_language
from hayflick.core.display import Result, report_of
from hayflick.core.output import check_page, write_text
from hayflick.core.protocols import Regime
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source, sources_of
from hayflick.laws.diversity import Diversity
from hayflick.laws.survival import Survival
from hayflick.planning.classes import ClassOutlook
from hayflick.planning.confidence import Assurance, required
from hayflick.planning.retention import Retention

if TYPE_CHECKING:
    import polars as pl
    import xarray


FRESH_SHARES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of fresh data that a forecast compares."""

KEPT_OF_BASELINE = 0.9
"""The limit: this share of what one training on real data alone would keep."""

UPPER_BOUND = "upper bound"
"""How a share of runs was found that is too small: the law says that it is at most that."""

_ROUND_COUNTS = np.array([m * 10**d for d in range(15) for m in (1, 2, 3, 5)])


class _BriefReport(Protocol):
    def brief(self, result: Any, /, *, lang: str) -> str: ...


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseForecast(Result, ABC):
    """What the forecasts of all families have in common.

    `save` takes ``brief=True`` for a one-page summary in place of the report.

    Parameters
    ----------
    family, source
        The family's name, and where the data come from.
    regime
        What each round is trained on.
    samples
        Size of a training set.
    fresh_shares
        What is left after the last round, for each of `FRESH_SHARES` in place of the regime.
    runs
        Number of simulated runs that were finished.
    seed
        Of the simulation.
    interrupted
        Whether the simulation was cut short.
    """

    family: str
    source: Source
    regime: Regime
    samples: int
    fresh_shares: tuple[float, ...]
    runs: int
    seed: int
    interrupted: bool = False

    def __repr__(self) -> str:
        series = "" if self.family == "discrete" else f"{self.family}, "
        what = f"{series}{self.name!r}, {self.regime.describe()!r}"
        numbers = f"generations={self.generations}, kept={self.kept:.4g}"
        return f"{type(self).__name__}({what}, {numbers})"

    @override
    def save(
        self,
        path: str | os.PathLike[str],
        *,
        lang: str = "en",
        force: bool = False,
        brief: bool = False,
    ) -> Path:
        if not brief:
            return super().save(path, lang=lang, force=force)
        check_language(lang)
        check_page(path, force=force)
        report = cast(_BriefReport, report_of(self))
        return write_text(Path(path), report.brief(self, lang=lang), force=force)

    @property
    @abstractmethod
    def left(self) -> Floats:
        """What is left after generations 0 … K, shape ``(K + 1,)``."""

    @property
    @abstractmethod
    def baseline(self) -> float:
        """What is left after one training on real data alone."""

    @property
    @abstractmethod
    def part(self) -> float:
        """The limit as a part of the baseline."""

    @property
    @abstractmethod
    def law_name(self) -> str:
        """Name of the law that gives the figures."""

    @property
    @abstractmethod
    def runs_below(self) -> float | None:
        """Share of the simulated runs that end below the limit; None if there are no runs."""

    @abstractmethod
    def describe_model(self) -> dict[str, Any]:
        """Return the parameters that reproduce the model, ready for JSON."""

    @abstractmethod
    def to_frame(self) -> pl.DataFrame:
        """Return the curves by generation, 0 … K."""

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        data = (self.source,) if self.source.was_read else ()
        return (*data, *sources_of(self.regime))

    @property
    def name(self) -> str:
        """What was forecast: a file, or a law."""
        return self.source.name

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
        """The value below which a plan is not acceptable."""
        return self.part * self.baseline

    @property
    def first_below(self) -> int | None:
        """First round in which less is left than the limit; None if there is none."""
        below = np.flatnonzero(self.left < self.limit)
        return int(below[0]) if below.size else None

    @property
    def within(self) -> bool:
        """Whether the plan stays within the limit."""
        return self.first_below is None

    @property
    def smallest_holding_share(self) -> float | None:
        """Smallest of `FRESH_SHARES` below 1 that ends within the limit; None if none does."""
        pairs = zip(FRESH_SHARES, self.fresh_shares, strict=True)
        return next((s for s, kept in pairs if s < 1.0 and kept >= self.limit), None)

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the forecast."""
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
    """A rare symbol and its chance of survival.

    Parameters
    ----------
    symbol, count
        The symbol, and its count in the real data (expected, for a law without data).
    survival
        Probability that the last round's training set contains it.
    baseline
        The same probability for a training set of real data alone.
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

    @classmethod
    def of(cls, law: Survival) -> SurvivalByCount:
        """Return the survival of symbols by round numbers for counts."""
        model = law.model
        total = model.total or int(law.rounds.samples[0])
        lowest = max(1, round(float(model.probabilities.min()) * total))
        highest = max(1, round(float(model.probabilities.max()) * total))
        between = _ROUND_COUNTS[(lowest < _ROUND_COUNTS) & (highest >= _ROUND_COUNTS)]
        counts = np.concatenate([[lowest], between])
        probabilities = np.minimum(counts / total, 1.0)
        baseline = law.baseline_of(probabilities)
        return cls(counts, law.of_probabilities(probabilities), baseline)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Forecast(BaseForecast):
    """What recursive training does to a discrete law.

    A symbol is kept in a round if its training set holds enough examples of it. Parameters beside
    those of `BaseForecast`, whose ``fresh_shares`` are shares of symbols kept on average:

    Parameters
    ----------
    law
        Survival by the exact or the branching law.
    diversity
        Gini-Simpson diversity by its exact law.
    simulated
        The simulated runs; None if none were requested, or none finished.
    most_at_risk
        The symbols least likely to survive, the rarest first; of a text, words of different
        counts that stand for all that are lost.
    by_count
        Survival by original count.
    confidence
        Share of runs that are to stay within the limit in every round.
    least
        Examples that keep a symbol, shape ``(types,)``.
    kept_fraction, kept_alone
        Expected share of symbols that are kept, and the same for training on real data alone,
        shape ``(K + 1,)``. Where one example is enough, they are those of `law`.
    kept_of_runs
        The share that each simulated run keeps, ``(runs, K + 1)``; None if there are none.
    assurance
        The share of runs that stay within the limit in every round, and how it was found; None
        where no law says anything and nothing was simulated.
    fresh_assurances
        The same for each of `FRESH_SHARES` in place of the regime.
    classes
        What becomes of every class, the most frequent first; nothing for more than 200.
    mass_lost
        Share of the real data that lost symbols cover, on average, shape ``(K + 1,)``.
    ideal
        What an ideal trainer would keep, where a calibrated one was simulated in place of a law;
        None where the figures are those of a law.
    """

    law: Survival
    diversity: Diversity
    simulated: xarray.Dataset | None
    most_at_risk: tuple[AtRisk, ...]
    by_count: SurvivalByCount
    confidence: float
    least: Integers
    kept_fraction: Floats
    kept_alone: Floats
    kept_of_runs: Floats | None
    assurance: Assurance | None
    fresh_assurances: tuple[Assurance | None, ...]
    classes: tuple[ClassOutlook, ...]
    mass_lost: Floats
    ideal: Retention | None = None

    @property
    def model(self) -> Discrete:
        """The real data's law."""
        return self.law.model

    @property
    def resampler(self) -> Resampler | None:
        """The calibrated trainer; None for an ideal one."""
        estimator = self.model.estimator
        return estimator if isinstance(estimator, Resampler) else None

    @property
    def delta(self) -> float:
        """Pseudo-count of the estimator; 0 where a calibrated trainer stands in its place."""
        return 0.0 if self.resampler is not None else self.model.smoothing.delta

    @property
    @override
    def left(self) -> Floats:
        return self.kept_fraction

    @property
    @override
    def baseline(self) -> float:
        return float(self.kept_alone[-1])

    @property
    @override
    def part(self) -> float:
        return KEPT_OF_BASELINE

    @property
    @override
    def law_name(self) -> str:
        return self.law.name

    @property
    @override
    def runs_below(self) -> float | None:
        if self.kept_of_runs is None:
            return None
        return float(np.mean(self.kept_of_runs[:, -1] < self.limit))

    @property
    @override
    def within(self) -> bool:
        return self._holds(self.assurance)

    @property
    @override
    def smallest_holding_share(self) -> float | None:
        pairs = zip(FRESH_SHARES, self.fresh_assurances, strict=True)
        return next((s for s, found in pairs if s < 1.0 and self._holds(found)), None)

    def _holds(self, found: Assurance | None) -> bool:
        return found is not None and found.assured >= self.confidence

    @property
    def required(self) -> int:
        """How many symbols must be kept in every round: the limit, rounded up."""
        return required(self.limit, self.model.types)

    @property
    def at_least(self) -> int:
        """Examples that keep a symbol of which the data hold so many."""
        return int(self.least.max())

    @override
    def describe_model(self) -> dict[str, Any]:
        return self.model.describe()

    @override
    def to_frame(self) -> pl.DataFrame:
        import polars as pl

        band = self.simulated_band() or {}
        return pl.DataFrame(
            {
                "generation": np.arange(self.generations + 1),
                **self._curves(),
                "real_data_alone": self.kept_alone,
                "mass_lost": self.mass_lost,
                **{f"simulated_{name}": values for name, values in band.items()},
            }
        )

    def _curves(self) -> dict[str, Floats]:
        if self.ideal is None:
            return {"law": self.kept_fraction}
        return {"calibrated": self.kept_fraction, "ideal_law": self.ideal.expected}

    @property
    def rarest(self) -> int:
        """Number of symbols outside of any reserve that are as rare as the one most at risk."""
        free = self.model.weights[self.law.rounds.reserve == 0]
        return int(np.count_nonzero(free == free.min())) if free.size else 0

    def simulated_band(self) -> dict[str, Floats] | None:
        """Return mean, 5 % and 95 % quantile and standard error of the share that is kept.

        Each has shape ``(K + 1,)``; None if nothing was simulated.
        """
        runs = self.kept_of_runs
        if runs is None:
            return None
        low, high = np.quantile(runs, (0.05, 0.95), axis=0)
        spread = runs.std(axis=0, ddof=1) if len(runs) > 1 else np.full(runs.shape[1], np.nan)
        error = spread / np.sqrt(len(runs))
        return {"mean": runs.mean(axis=0), "low": low, "high": high, "standard_error": error}
