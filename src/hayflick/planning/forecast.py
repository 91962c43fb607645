"""A forecast: the law, a simulation beside it, what goes first and what fresh data changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.display import Displayed
from hayflick.core.errors import SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.core.provenance import provenance
from hayflick.laws.diversity import Diversity, expected_diversity
from hayflick.laws.loss_time import loss_time
from hayflick.laws.survival import Survival, survival
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulate.simulation import simulate

if TYPE_CHECKING:
    import xarray

FRESH_SHARES = (0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Shares of fresh data that a forecast compares."""

KEPT_OF_BASELINE = 0.9
"""The limit: this share of what one training on real data alone would keep."""

_AT_RISK = 10
_ROUND_COUNTS = np.array([m * 10**d for d in range(9) for m in (1, 2, 3, 5)])


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A symbol and what becomes of it.

    Parameters
    ----------
    symbol, count
        The symbol, and how often the real data hold it (expected, for a law without data).
    survival
        Probability that it is in the last round's training set.
    half_gone
        First round with a survival probability of at most 1/2; None if there is none.
    expected_loss
        Expected round in which it is first missing; see `hayflick.laws.loss_time`.
    """

    symbol: str
    count: float
    survival: float
    half_gone: int | None
    expected_loss: float


@dataclass(frozen=True, eq=False)
class SurvivalByCount:
    """Survival of a symbol by its original count.

    Parameters
    ----------
    counts
        Original counts, ascending, shape ``(rows,)``.
    survival
        Probabilities, shape ``(rows, K + 1)``.
    """

    counts: Integers
    survival: Floats


@dataclass(frozen=True, eq=False)
class Forecast(Displayed):
    """What recursive training does to a discrete law; draws itself in a notebook.

    Parameters
    ----------
    model, regime, samples, generations, seed
        What the forecast is of.
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
    fresh_shares
        Surviving share of symbols after the last round, for each of `FRESH_SHARES`.
    interrupted
        Whether the simulation was cut short.
    """

    model: Discrete
    regime: Regime
    samples: int
    generations: int
    seed: int
    law: Survival
    diversity: Diversity
    simulated: xarray.Dataset | None
    most_at_risk: tuple[AtRisk, ...]
    by_count: SurvivalByCount
    fresh_shares: tuple[float, ...]
    interrupted: bool = False

    @property
    def kept(self) -> float:
        """Expected share of symbols that survive all rounds."""
        return float(self.law.surviving_fraction[-1])

    @property
    def baseline(self) -> float:
        """The same share for one training on real data alone."""
        return float(self.law.baseline[-1])

    @property
    def limit(self) -> float:
        """The share below which a forecast raises its voice."""
        return KEPT_OF_BASELINE * self.baseline

    @property
    def first_below(self) -> int | None:
        """First round in which the surviving share is below the limit; None if none is."""
        below = np.flatnonzero(self.law.surviving_fraction < self.limit)
        return int(below[0]) if below.size else None

    @property
    def smallest_holding_share(self) -> float:
        """Smallest of `FRESH_SHARES` that stays within the limit to the last round."""
        pairs = zip(FRESH_SHARES, self.fresh_shares, strict=True)
        return next(share for share, kept in pairs if kept >= self.limit)

    @property
    def rarest(self) -> int:
        """How many symbols are as rare as the one most at risk."""
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

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the forecast again."""
        replicates = 0 if self.simulated is None else self.simulated.sizes["replicate"]
        parameters = {
            "model": self.model.describe(),
            "regime": self.regime.describe(),
            "samples": self.samples,
            "generations": self.generations,
            "replicates": replicates,
            "law": self.law.name,
        }
        return provenance(parameters, seed=self.seed)


def forecast(
    model: Discrete,
    *,
    generations: int = 50,
    regime: Regime = Replace(),
    samples: int | None = None,
    law: str = "auto",
    replicates: int = 64,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> Forecast:
    """Forecast recursive training on a discrete law.

    Parameters
    ----------
    model
        The real data's law.
    generations
        How many rounds, K.
    regime
        What each round is trained on.
    samples
        Size of a training set; the data's own size where None.
    law
        ``auto``, ``exact`` or ``branching``; see `hayflick.laws.survival`.
    replicates
        Simulated runs; 0 for the law alone.
    seed
        Of the simulation.
    threads
        Of the simulation; one per processor where None.
    progress
        Told how far the simulation has come.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.laws.survival.survival` and `hayflick.simulate.simulation.simulate`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = forecast(words, generations=10)
    >>> result.most_at_risk[0].symbol, result.first_below
    ('here', 5)
    """
    size = model.training_size(samples)
    whole_number("replicates", replicates, at_least=0)
    settings: dict[str, Any] = {"generations": generations, "samples": size}
    survived = survival(model, regime=regime, law=law, **settings)
    runs, interrupted = None, False
    if replicates:
        try:
            runs = simulate(
                model,
                regime=regime,
                replicates=replicates,
                seed=seed,
                threads=threads,
                progress=progress,
                **settings,
            )
        except SimulationInterrupted as stop:
            runs, interrupted = stop.partial, True
    return Forecast(
        model=model,
        regime=regime,
        samples=size,
        generations=generations,
        seed=seed,
        law=survived,
        diversity=expected_diversity(model, regime=regime, **settings),
        simulated=runs,
        most_at_risk=_most_at_risk(model, survived, regime),
        by_count=_by_count(model, survived),
        fresh_shares=_fresh_shares(model, law, settings),
        interrupted=interrupted,
    )


def _most_at_risk(model: Discrete, law: Survival, regime: Regime) -> tuple[AtRisk, ...]:
    free = np.flatnonzero(law.rounds.reserve == 0)
    rarest_first = free[np.argsort(model.weights[free], kind="stable")][:_AT_RISK]
    probabilities = model.probabilities[rarest_first]
    survival = law.of_probabilities(probabilities)
    samples = int(law.rounds.samples[0])
    times = loss_time(model, probabilities, regime=regime, samples=samples)
    weights = model.weights if model.total else model.probabilities * samples
    return tuple(
        AtRisk(
            symbol=model.symbols[place],
            count=weights[place].item(),
            survival=float(chances[-1]),
            half_gone=_first(chances <= 0.5),
            expected_loss=float(time),
        )
        for place, chances, time in zip(rarest_first, survival, times.expected, strict=True)
    )


def _first(reached: Any) -> int | None:
    places = np.flatnonzero(reached)
    return int(places[0]) if places.size else None


def _by_count(model: Discrete, law: Survival) -> SurvivalByCount:
    total = model.total or int(law.rounds.samples[0])
    lowest = max(1, round(float(model.probabilities.min()) * total))
    highest = max(1, round(float(model.probabilities.max()) * total))
    between = _ROUND_COUNTS[(lowest < _ROUND_COUNTS) & (highest >= _ROUND_COUNTS)]
    counts = np.concatenate([[lowest], between])
    return SurvivalByCount(counts, law.of_probabilities(np.minimum(counts / total, 1.0)))


def _fresh_shares(model: Discrete, law: str, settings: dict[str, Any]) -> tuple[float, ...]:
    laws = (survival(model, regime=Fresh(share), law=law, **settings) for share in FRESH_SHARES)
    return tuple(float(result.surviving_fraction[-1]) for result in laws)
