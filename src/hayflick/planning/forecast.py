"""One call from a file or a model to its forecast: the laws first, the simulation last."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, Regime
from hayflick.corpus.table_format import TableFormat
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.loss_time import loss_time
from hayflick.laws.survival import Survival, survival
from hayflick.planning.forecast_result import FRESH_SHARES, AtRisk, Forecast, SurvivalByCount
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.regime import parse_regime
from hayflick.simulation.simulate import check_running, run_until_interrupted, simulate

if TYPE_CHECKING:
    from hayflick.planning.series_forecast import SeriesForecast

_AT_RISK = 10
_ROUND_COUNTS = np.array([m * 10**d for d in range(15) for m in (1, 2, 3, 5)])


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
    replicates: int = 64,
    seed: int = 1,
    threads: int | None = None,
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
    replicates
        Simulated runs; 0 for the law alone, where there is one.
    seed, threads
        Of the simulation; one thread per processor where None.
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
    chosen = chosen_family(source, options)
    settings: dict[str, Any] = {
        "generations": generations,
        "samples": samples,
        "replicates": replicates,
        "seed": seed,
        "threads": threads,
        "progress": progress,
    }
    if chosen == "discrete":
        model, origin = read_model(source, options, family=chosen, progress=progress)
        if isinstance(regime, str):
            regime = parse_regime(regime, like=origin)
        return _forecast_discrete(model, law=law, regime=regime, **settings)
    from hayflick.planning.series_forecast import forecast_series, unfit_regime

    if isinstance(regime, str) and regime.partition(":")[0] == "anchor":
        raise unfit_regime(regime, family=chosen)
    model, origin = read_model(source, options, family=chosen, progress=progress)
    if isinstance(regime, str):
        regime = parse_regime(regime, like=origin)
    return forecast_series(model, source=origin, regime=regime, **settings)


def _forecast_discrete(
    model: Discrete,
    *,
    law: str,
    regime: Regime,
    generations: int,
    samples: int | None,
    replicates: int,
    seed: int,
    threads: int | None,
    progress: Progress,
) -> Forecast:
    check_running(replicates=replicates, seed=seed, threads=threads)
    whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    expect(progress, _effort_of_laws(model, generations))
    settings: dict[str, Any] = {"generations": generations, "samples": samples}
    survived = survival(model, regime=regime, law=law, **settings)
    diversity = expected_diversity(model, regime=regime, **settings)
    most_at_risk, by_count = _most_at_risk(survived, regime), _by_count(survived)
    shares = []
    for done, share in enumerate(FRESH_SHARES):
        progress("comparing shares", done, len(FRESH_SHARES))
        compared = survival(model, regime=Fresh(share), law=law, **settings)
        shares.append(float(compared.surviving_fraction[-1]))
    progress("comparing shares", len(FRESH_SHARES), len(FRESH_SHARES))
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
        most_at_risk=most_at_risk,
        by_count=by_count,
    )


_ROUND_S, _ROUND_BYTES = 4e-5, 6000.0
_MOST_BINS = 4096


def _effort_of_laws(model: Discrete, generations: int) -> Effort:
    """Return what the laws of a forecast take, its shares of fresh data and its page included."""
    bins = min(model.types, _MOST_BINS)
    seconds = generations * _ROUND_S * (1.0 + bins / 1000.0)
    work = f"the law of {generations:,} rounds"
    return Effort(work, seconds=seconds, memory=generations * _ROUND_BYTES)


def _most_at_risk(law: Survival, regime: Regime) -> tuple[AtRisk, ...]:
    model, samples = law.model, int(law.rounds.samples[0])
    free = np.flatnonzero(law.rounds.reserve == 0)
    rarest_first = free[np.argsort(model.weights[free], kind="stable")][:_AT_RISK]
    probabilities = model.probabilities[rarest_first]
    survival = law.of_probabilities(probabilities)
    baseline = law.baseline_of(probabilities)
    counts = model.weights if model.total else model.probabilities * samples
    times: Floats | None = None
    if regime.constant:
        passage = loss_time(model, regime=regime, samples=samples)
        times = passage.of_probabilities(probabilities)
    risks = []
    for row, place in enumerate(rarest_first):
        unlikely = np.flatnonzero(survival[row] <= 0.5)
        mean = np.nan if times is None else float(times[row])
        risks.append(
            AtRisk(
                symbol=model.symbols[place],
                count=counts[place].item(),
                survival=float(survival[row, -1]),
                baseline=float(baseline[row]),
                median_loss=int(unlikely[0]) if unlikely.size else None,
                mean_loss=None if np.isnan(mean) else mean,
            )
        )
    return tuple(risks)


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
