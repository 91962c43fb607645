"""The forecast of a trained model: simulated runs, and beside them what an ideal one would keep."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.effort import StageProgress
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.laws.diversity import Diversity
from hayflick.planning.at_risk import most_at_risk
from hayflick.planning.classes import ClassOutlook, mass_lost, simulated_classes
from hayflick.planning.confidence import MOST_CLASSES, SIMULATED, Assurance, default_least
from hayflick.planning.forecast_result import (
    FRESH_SHARES,
    KEPT_OF_BASELINE,
    Forecast,
    SurvivalByCount,
)
from hayflick.planning.kept_runs import kept_runs
from hayflick.planning.simulated_survival import ideal_of, simulated_survival
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.simulation.simulate import check_running, run_until_interrupted, simulate

RUNS = 256
"""Simulated runs of a trained model, where no number is given."""

_FEWEST = 16
_CELLS = 1e8
_ROUNDING = 1e-9


def forecast_calibrated(
    model: Discrete,
    *,
    law: str,
    regime: Regime,
    confidence: float,
    at_least: int | None,
    generations: int,
    samples: int | None,
    replicates: int | None,
    seed: int,
    threads: int | None,
    executor: Executor | None,
    progress: Progress,
) -> Forecast:
    """Return the forecast of a trained model, from simulated runs.

    Parameters are those of `hayflick.forecast`; `law` is that of the ideal trainer beside it.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or there are too few runs to tell anything.
    DataError
        If the regime's reserve names symbols that the data lack.
    SimulationInterrupted
        On Ctrl-C before any run was finished.
    """
    replicates = RUNS if replicates is None else replicates
    check_running(replicates=replicates, seed=seed, threads=threads)
    if replicates < _FEWEST:
        takes = f"at least {_FEWEST} with a resampler: no law of a trained model is known"
        raise ArgumentError("replicates", got=replicates, takes=takes)
    whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    size = model.training_size(samples)
    least = default_least(model, at_least)
    ideal = SymbolTarget.of_types(ideal_of(model), least=least if least.max() > 1 else None)
    rounds: dict[str, Any] = {"generations": generations, "samples": size}
    running: dict[str, Any] = {"seed": seed, "threads": threads, "executor": executor}
    promised = ideal.retention(regime=regime, law=law, **rounds)
    limit = KEPT_OF_BASELINE * float(promised.baseline[-1])

    def kept_of(trained_on: Regime, number: int, progress: Progress = silent) -> Floats:
        more = {"replicates": number, "progress": progress, **rounds, **running}
        return kept_runs(model, ideal.weights, ideal.needed, regime=trained_on, **more)

    fewer = int(np.clip(_CELLS // (model.types * generations), _FEWEST, replicates))
    stage = StageProgress(progress, "comparing shares", times=len(FRESH_SHARES))
    compared = [kept_of(Fresh(share), fewer, stage) for share in FRESH_SHARES]
    run = partial(simulate, model, regime=regime, progress=progress, replicates=replicates)
    runs, interrupted = run_until_interrupted(lambda: run(**running, **rounds))
    if runs is None:
        raise SimulationInterrupted(None)
    number = runs.sizes["replicate"]
    survived = simulated_survival(model, runs, regime=regime, samples=size)
    of_runs: Floats = runs["surviving_fraction"].to_numpy()
    classes: tuple[ClassOutlook, ...] = ()
    if ideal.least is not None:
        of_runs = kept_of(regime, number)
    if model.types <= MOST_CLASSES:
        classes = simulated_classes(
            model, regime=regime, least=least, replicates=number, **rounds, **running
        )
    return Forecast(
        family="discrete",
        source=model.source,
        regime=regime,
        samples=int(survived.rounds.samples[0]),
        fresh_shares=tuple(float(kept[:, -1].mean()) for kept in compared),
        runs=number,
        seed=seed,
        interrupted=interrupted,
        law=survived,
        diversity=Diversity(runs["diversity"].mean("replicate").to_numpy(), None),
        simulated=runs,
        most_at_risk=most_at_risk(survived, regime, seed=seed),
        by_count=SurvivalByCount.of(survived),
        confidence=confidence,
        least=least,
        kept_fraction=of_runs.mean(axis=0),
        kept_alone=promised.baseline,
        kept_of_runs=of_runs,
        assurance=_assurance(of_runs, limit),
        fresh_assurances=tuple(_assurance(kept, limit) for kept in compared),
        classes=classes,
        mass_lost=mass_lost(survived),
        ideal=promised,
    )


def _assurance(kept: Floats, limit: float) -> Assurance:
    """Return the share of runs that stay within the limit in every round."""
    share = float(np.mean(kept[:, 1:].min(axis=1) >= limit - _ROUNDING))
    return Assurance(share, SIMULATED, math.sqrt(share * (1.0 - share) / len(kept)), len(kept))
