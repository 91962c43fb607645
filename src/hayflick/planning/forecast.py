"""How a forecast is computed: the laws first, the simulation last."""

from __future__ import annotations

from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.loss_time import loss_time
from hayflick.laws.survival import Survival, survival
from hayflick.planning.forecast_result import (
    FRESH_SHARES,
    AtRisk,
    Forecast,
    SurvivalByCount,
)
from hayflick.planning.retention import check_running, run_until_interrupted
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import simulate

_AT_RISK = 10
_ROUND_COUNTS = np.array([m * 10**d for d in range(15) for m in (1, 2, 3, 5)])


def forecast_law(
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
        Told how far the laws and the simulation have come.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.laws.survival.survival` and `hayflick.simulation.simulate.simulate`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = forecast_law(words, generations=10)
    >>> result.most_at_risk[0].symbol, result.first_below
    ('here', 5)
    """
    settings: dict[str, Any] = {"generations": generations, "samples": samples}
    check_running(replicates=replicates, seed=seed, threads=threads)
    survived = survival(model, regime=regime, law=law, **settings)
    parts: dict[str, Any] = {
        "diversity": expected_diversity(model, regime=regime, **settings),
        "most_at_risk": _most_at_risk(survived, regime),
        "by_count": _by_count(survived),
        "fresh_shares": _fresh_shares(model, law, settings, progress),
    }
    runs, interrupted = None, False
    if replicates:
        runs, interrupted = run_until_interrupted(
            lambda: simulate(
                model,
                regime=regime,
                replicates=replicates,
                seed=seed,
                threads=threads,
                progress=progress,
                **settings,
            )
        )
    return Forecast(
        regime=regime, seed=seed, law=survived, simulated=runs, interrupted=interrupted, **parts
    )


def _most_at_risk(law: Survival, regime: Regime) -> tuple[AtRisk, ...]:
    model, samples = law.model, int(law.rounds.samples[0])
    free = np.flatnonzero(law.rounds.reserve == 0)
    rarest_first = free[np.argsort(model.weights[free], kind="stable")][:_AT_RISK]
    probabilities = model.probabilities[rarest_first]
    survival = law.of_probabilities(probabilities)
    baseline = law.baseline_of(probabilities)
    counts = model.weights if model.total else model.probabilities * samples
    times = np.full(rarest_first.size, np.nan)
    if regime.constant:
        passage = loss_time(model, regime=regime, samples=samples)
        times = passage.of_probabilities(probabilities)
    return tuple(
        AtRisk(
            symbol=model.symbols[place],
            count=counts[place].item(),
            survival=float(survival[row, -1]),
            baseline=float(baseline[row]),
            median_loss=_first(survival[row] <= 0.5),
            mean_loss=None if np.isnan(times[row]) else float(times[row]),
        )
        for row, place in enumerate(rarest_first)
    )


def _first(reached: Any) -> int | None:
    generations = np.flatnonzero(reached)
    return int(generations[0]) if generations.size else None


def _by_count(law: Survival) -> SurvivalByCount:
    model = law.model
    total = model.total or int(law.rounds.samples[0])
    lowest = max(1, round(float(model.probabilities.min()) * total))
    highest = max(1, round(float(model.probabilities.max()) * total))
    between = _ROUND_COUNTS[(lowest < _ROUND_COUNTS) & (highest >= _ROUND_COUNTS)]
    counts = np.concatenate([[lowest], between])
    probabilities = np.minimum(counts / total, 1.0)
    baseline = law.baseline_of(probabilities)
    return SurvivalByCount(counts, law.of_probabilities(probabilities), baseline)


def _fresh_shares(
    model: Discrete, law: str, settings: dict[str, Any], progress: Progress
) -> tuple[float, ...]:
    kept = []
    for done, share in enumerate(FRESH_SHARES):
        progress("comparing shares", done, len(FRESH_SHARES))
        result = survival(model, regime=Fresh(share), law=law, **settings)
        kept.append(float(result.surviving_fraction[-1]))
    progress("comparing shares", len(FRESH_SHARES), len(FRESH_SHARES))
    return tuple(kept)
