"""One call from a file or a model to its forecast: the laws first, the simulation last."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hayflick.chains.discrete import Discrete
from hayflick.chains.resampler import Resampler
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, Regime
from hayflick.corpus.table_format import TableFormat
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.survival import survival
from hayflick.planning.assurance import DEFAULT_CONFIDENCE, assurance_of
from hayflick.planning.at_risk import most_at_risk
from hayflick.planning.classes import class_outlooks, mass_lost
from hayflick.planning.confidence import MOST_CLASSES, Assurance, default_least
from hayflick.planning.forecast_result import (
    FRESH_SHARES,
    KEPT_OF_BASELINE,
    UPPER_BOUND,
    Forecast,
    SurvivalByCount,
)
from hayflick.planning.inputs import (
    InputOptions,
    ResamplerGiven,
    chosen_family,
    read_model,
    trained_by,
)
from hayflick.planning.kept_runs import kept_runs
from hayflick.planning.problem import check_confidence
from hayflick.planning.retention import SimulationSettings
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.regime import parse_regime
from hayflick.simulation.simulate import check_running, run_until_interrupted, simulate

if TYPE_CHECKING:
    import xarray

    from hayflick.planning.series_forecast import SeriesForecast

RUNS = 64
"""Simulated runs beside a law, where no number is given."""


def forecast(
    source: str | os.PathLike[str] | Model,
    *,
    family: str | None = None,
    column: str | None = None,
    columns: Sequence[str] | None = None,
    order: int | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    delta: float = 0.0,
    regime: str | Regime = "replace",
    generations: int = 50,
    samples: int | None = None,
    law: str = "auto",
    confidence: float = DEFAULT_CONFIDENCE,
    at_least: int | None = None,
    resampler: ResamplerGiven | None = None,
    replicates: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Forecast | SeriesForecast:
    """Forecast recursive training on a file or a model.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a model such as
        `hayflick.Gaussian`.
    family
        ``discrete``, ``gaussian``, ``multivariate-gaussian``, ``poisson``,
        ``negative-binomial`` or ``ngram``; None leaves the choice to
        `hayflick.planning.inputs.chosen_family`.
    column, columns
        A table's column, or the names of several for a multivariate Gaussian.
    order
        Of an n-gram model; 2 where None.
    tokenizer, encoding, normalize, table
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    delta
        Pseudo-count of the discrete estimator; 0 is maximum likelihood.
    regime
        What each round is trained on: a regime, or its name in the grammar of the command
        line, such as ``"fresh:0.05"``.
    generations
        Number of rounds, K.
    samples
        Size of a training set (for an n-gram model in words); the data's own size where None.
    law
        ``auto``, ``exact`` or ``branching``, for the discrete family; see `hayflick.survival`.
    confidence
        Share of runs that are to stay within the limit in every round.
    at_least
        Examples that a training set must hold of a symbol to keep it, or all that the data hold,
        for the discrete family; 5 of a label and 1 of a word where None.
    resampler
        The trainer as it was calibrated: what `hayflick.calibrate` returned, the path of its file,
        or a `hayflick.Resampler` (of numbers a `hayflick.GaussianResampler`). Of a trainer of
        symbols no law is known: what it keeps is simulated. None for an ideal one.
    replicates
        Simulated runs; 0 for the law alone, where there is one. None for 64, and 256 of a trainer
        of symbols, whose figures they are.
    seed, threads, executor
        Of the simulation, as of `hayflick.simulate`: threads of this process, one for each
        processor, where None.
    progress
        Called with the progress of reading, of the laws and of the simulation.

    Returns
    -------
    A `Forecast` for the discrete family, else a `SeriesForecast`.

    Raises
    ------
    DataError
        If the input cannot be used.
    ArgumentError
        If an argument is out of its range, or does not fit another.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> forecast(words, regime="fresh:0.2", generations=10, replicates=0).kept > 0.8
    True
    >>> result = forecast(words, generations=10)
    >>> result.most_at_risk[0].symbol, result.first_below
    ('here', 5)
    """
    if column is not None and columns is not None:
        raise ArgumentError("columns", got=",".join(columns), takes="nothing beside a column")
    named = tuple(columns or ()) if column is None else (column,)
    options = InputOptions(
        family, named, order, tokenizer, encoding, delta, law, normalize=normalize, table=table
    )
    confidence = check_confidence(confidence)
    chosen = chosen_family(source, options)
    settings: dict[str, Any] = {
        "generations": generations,
        "samples": samples,
        "replicates": replicates,
        "seed": seed,
        "threads": threads,
        "executor": executor,
        "progress": progress,
    }
    if chosen == "discrete":
        model, origin = read_model(source, options, family=chosen, progress=progress)
        model = trained_by(model, resampler)
        if isinstance(regime, str):
            regime = parse_regime(regime, like=origin)
        settings |= {"law": law, "regime": regime, "confidence": confidence, "at_least": at_least}
        if isinstance(model.estimator, Resampler):
            from hayflick.planning.calibrated_forecast import forecast_calibrated

            return forecast_calibrated(model, **settings)
        return _forecast_discrete(model, **settings)
    if at_least is not None:
        raise ArgumentError("at_least", got=at_least, takes=f"nothing for the family {chosen}")
    from hayflick.planning.series_forecast import forecast_series, unfit_regime

    if isinstance(regime, str) and regime.partition(":")[0] == "anchor":
        raise unfit_regime(regime, family=chosen)
    model, origin = read_model(source, options, family=chosen, progress=progress)
    model = trained_by(model, resampler)
    settings["replicates"] = RUNS if replicates is None else replicates
    if isinstance(regime, str):
        regime = parse_regime(regime, like=origin)
    return forecast_series(model, source=origin, regime=regime, confidence=confidence, **settings)


def _forecast_discrete(
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
    replicates = RUNS if replicates is None else replicates
    check_running(replicates=replicates, seed=seed, threads=threads)
    whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    least = default_least(model, at_least)
    expect(progress, _effort_of_laws(model, generations))
    settings: dict[str, Any] = {"generations": generations, "samples": samples}
    running: dict[str, Any] = {"seed": seed, "threads": threads, "executor": executor}
    survived = survival(model, regime=regime, law=law, **settings)
    diversity = expected_diversity(model, regime=regime, **settings)
    target = SymbolTarget.of_types(model, least=least if least.max() > 1 else None)
    kept, alone = survived.surviving_fraction, survived.baseline
    if target.least is not None:
        kept, alone = _kept(target, regime, law, settings)
    judged = _Judged(
        target,
        KEPT_OF_BASELINE * float(alone[-1]),
        confidence,
        law,
        SimulationSettings(**running) if replicates else None,
        model.training_size(samples),
        generations,
    )
    classes = class_outlooks(model, regime=regime, least=least, seed=seed, **settings)
    shares, assurances = [], []
    for done, share in enumerate(FRESH_SHARES):
        progress("comparing shares", done, len(FRESH_SHARES))
        shares.append(float(_kept(target, Fresh(share), law, settings)[0][-1]))
        assurances.append(judged.assurance(Fresh(share)))
    progress("comparing shares", len(FRESH_SHARES), len(FRESH_SHARES))
    assurance = judged.assurance(regime, precisely=model.types <= MOST_CLASSES)
    runs, interrupted = None, False
    if replicates:
        run = partial(simulate, model, regime=regime, replicates=replicates, progress=progress)
        runs, interrupted = run_until_interrupted(lambda: run(**running, **settings))
    return Forecast(
        family="discrete",
        source=model.source,
        regime=regime,
        samples=int(survived.rounds.samples[0]),
        fresh_shares=tuple(shares),
        runs=0 if runs is None else runs.sizes["replicate"],
        seed=seed,
        interrupted=interrupted,
        law=survived,
        diversity=diversity,
        simulated=runs,
        most_at_risk=most_at_risk(survived, regime, seed=seed),
        by_count=SurvivalByCount.of(survived),
        confidence=confidence,
        least=least,
        kept_fraction=kept,
        kept_alone=alone,
        kept_of_runs=_kept_of_runs(target, runs, regime, settings, running),
        assurance=assurance,
        fresh_assurances=tuple(assurances),
        classes=classes,
        mass_lost=mass_lost(survived),
    )


def _kept(
    target: SymbolTarget, regime: Regime, law: str, settings: Mapping[str, Any]
) -> tuple[Floats, Floats]:
    """Return the expected share of symbols that are kept, and that of real data alone."""
    if target.least is None:
        survived = survival(target.model, regime=regime, law=law, **settings)
        return survived.surviving_fraction, survived.baseline
    retention = target.retention(regime=regime, law=law, **settings)
    return retention.expected, retention.baseline


@dataclass(frozen=True)
class _Judged:
    """What is to be kept in how many runs, and what is known of regimes."""

    target: SymbolTarget
    limit: float
    confidence: float
    law: str
    simulation: SimulationSettings | None
    samples: int
    generations: int

    def assurance(self, regime: Regime, *, precisely: bool = False) -> Assurance | None:
        """Return the share of runs that stay within the limit in every round."""
        rounds: dict[str, Any] = {
            "regime": regime,
            "samples": self.samples,
            "generations": self.generations,
            "law": self.law,
        }
        bounds = self.target.bounds(self.limit, **rounds)
        if precisely or bounds is None or bounds.equal:
            too_few = False
        else:
            too_few = bounds.high < self.confidence
        if bounds is not None and too_few:
            return Assurance(bounds.high, UPPER_BOUND)
        return assurance_of(
            self.target,
            keep=self.limit,
            confidence=self.confidence,
            simulation=self.simulation,
            bounds=bounds,
            precisely=precisely,
            **rounds,
        )


def _kept_of_runs(
    target: SymbolTarget,
    runs: xarray.Dataset | None,
    regime: Regime,
    settings: Mapping[str, Any],
    running: Mapping[str, Any],
) -> Floats | None:
    """Return the share that each simulated run keeps, ``(replicates, K + 1)``."""
    if runs is None:
        return None
    if target.least is None:
        shares: Floats = runs["surviving_fraction"].to_numpy()
        return shares
    model, replicates = target.model, runs.sizes["replicate"]
    sizes = {**settings, "samples": model.training_size(settings["samples"])}
    try:
        return kept_runs(
            model,
            target.weights,
            target.needed,
            regime=regime,
            **sizes,
            replicates=replicates,
            **running,
        )
    except SimulationInterrupted:
        return None


_ROUND_S, _ROUND_BYTES = 4e-5, 6000.0
_MOST_BINS = 4096


def _effort_of_laws(model: Discrete, generations: int) -> Effort:
    """Return what the laws of a forecast take, its shares of fresh data and its page included."""
    bins = min(model.types, _MOST_BINS)
    seconds = generations * _ROUND_S * (1.0 + bins / 1000.0)
    work = f"the law of {generations:,} rounds"
    return Effort(work, seconds=seconds, memory=generations * _ROUND_BYTES)
