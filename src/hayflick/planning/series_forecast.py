"""A forecast of numbers or running text: several quantities, the first of which decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from typing_extensions import override

from hayflick.chains.gaussian import Gaussian
from hayflick.chains.multivariate_gaussian import MultivariateGaussian
from hayflick.chains.negative_binomial import NegativeBinomial
from hayflick.chains.ngram import NGram
from hayflick.chains.poisson import Poisson
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress
from hayflick.core.protocols import Regime
from hayflick.core.source import Source
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.confidence import FEWEST_RUNS, Assurance, simulated_assurance
from hayflick.planning.forecast_result import FRESH_SHARES, KEPT_OF_BASELINE, BaseForecast
from hayflick.planning.quantities import (
    Band,
    BandPoint,
    Quantity,
    has_events,
    is_alive,
    mean,
    rate_laws,
    root_mean_square,
    spread_laws,
    spread_of_counts,
    spread_of_one,
    spread_of_several,
    variable,
)
from hayflick.regimes.fresh import Fresh
from hayflick.simulation.simulate import check_running, run_until_interrupted, simulate

if TYPE_CHECKING:
    import polars as pl
    import xarray


SPREAD_OF_BASELINE = 0.5
"""The limit of a spread: half of what one training on real data alone would leave.

A convention, as `KEPT_OF_BASELINE` is one: a Gaussian of half the width reaches the values
beyond two standard deviations of the real one in 1 of 16,000 draws instead of 1 of 22.
"""

_NUMBER_RUNS, _VECTOR_RUNS, _COUNT_RUNS, _TEXT_RUNS = 4096, 256, 256, 8
_VECTOR_ASSURED, _COUNT_ASSURED = 1024, 1024

Laws: TypeAlias = Callable[..., Mapping[str, Band]]


@dataclass(frozen=True)
class TrackedQuantities:
    """What a forecast measures in one family.

    Parameters
    ----------
    family
        The family's name.
    quantities
        What is measured; the first decides.
    part
        The limit, as a part of what real data alone would leave of the first quantity.
    laws
        Returns the known laws by quantity, from ``samples``, ``fresh`` (real items in every
        round) and ``generations``.
    compared_runs
        Simulated runs per fresh share that is compared, where there is no law.
    dimensions
        Dimensions of an item.
    baseline_runs
        Simulated runs of one training on real data alone.
    assured_runs
        Simulated runs at most that tell how many stay within the limit; 0 for those of the
        forecast alone, where more would take long.
    """

    family: str
    quantities: tuple[Quantity, ...]
    part: float
    laws: Laws
    compared_runs: int = _NUMBER_RUNS
    dimensions: int = 1
    baseline_runs: int = 64
    assured_runs: int = _NUMBER_RUNS


def tracked_quantities(model: Any) -> TrackedQuantities:
    """Return what a forecast measures in a model's family.

    Raises
    ------
    ArgumentError
        If there is no forecast of its family.

    Examples
    --------
    >>> tracked_quantities(Poisson(2.0)).quantities[0].name
    'chance'
    """
    match model:
        case Gaussian():
            return _of_gaussian(model)
        case MultivariateGaussian():
            return _of_vectors(model)
        case Poisson():
            return _of_poisson(model)
        case NegativeBinomial():
            return _of_negative_binomial(model)
        case NGram():
            return _of_text()
        case _:
            takes = "a Gaussian, a Poisson, a negative binomial or an n-gram model"
            raise ArgumentError("model", got=type(model).__name__, takes=takes)


def _of_gaussian(model: Gaussian) -> TrackedQuantities:
    spread = partial(spread_of_one, deviation=model.deviation)
    squares = Quantity("root_mean_square", spread, root_mean_square, needs_law=True)
    laws = partial(spread_laws, ddof=model.ddof, resampler=model.resampler)
    return TrackedQuantities(
        "gaussian", (Quantity("spread", spread), squares), SPREAD_OF_BASELINE, laws
    )


def _of_vectors(model: MultivariateGaussian) -> TrackedQuantities:
    dimensions = model.mean.size
    spread = Quantity("spread", partial(spread_of_several, dimensions=dimensions))
    rank = Quantity("rank", variable("rank"), is_share=False)
    laws = partial(spread_laws, ddof=model.ddof, dimensions=dimensions)
    quantities, part = (spread, rank), SPREAD_OF_BASELINE
    return TrackedQuantities(
        *("multivariate-gaussian", quantities, part, laws, _VECTOR_RUNS, dimensions),
        assured_runs=_VECTOR_ASSURED,
    )


def _of_poisson(model: Poisson) -> TrackedQuantities:
    chance = Quantity("chance", is_alive, mean)
    rate = Quantity("rate", variable("rate"), is_share=False)
    laws = partial(rate_laws, rate=model.rate)
    return TrackedQuantities("poisson", (chance, rate), KEPT_OF_BASELINE, laws)


def _of_negative_binomial(model: NegativeBinomial) -> TrackedQuantities:
    quantities = (
        Quantity("spread", partial(spread_of_counts, deviation=model.deviation)),
        Quantity("dispersion", variable("dispersion"), is_share=False),
        Quantity("mean", variable("mean"), is_share=False),
        Quantity("events", has_events, mean),
    )
    family = "negative-binomial"
    return TrackedQuantities(
        *(family, quantities, SPREAD_OF_BASELINE, _no_laws, _COUNT_RUNS),
        baseline_runs=1024,
        assured_runs=_COUNT_ASSURED,
    )


def _no_laws(**_: Any) -> Mapping[str, Band]:
    return {}


def _of_text() -> TrackedQuantities:
    words = Quantity("words", variable("surviving_fraction"))
    contexts = Quantity("contexts", variable("surviving_contexts"))
    length = Quantity("sentence_length", variable("sentence_length"), is_share=False)
    quantities = (words, contexts, length)
    return TrackedQuantities(
        *("ngram", quantities, KEPT_OF_BASELINE, _no_laws, _TEXT_RUNS), assured_runs=0
    )


@dataclass(frozen=True, eq=False)
class Series:
    """A quantity over the generations: by its law, simulated, and with real data alone.

    Parameters
    ----------
    quantity
        What is measured.
    law
        By the exact law; None if there is none.
    simulated
        Over the simulated runs; None if nothing was simulated.
    alone
        After one training on real data alone.
    final_values
        Of the simulated runs, after the last round; None without simulation, and for a
        probability.
    """

    quantity: Quantity
    law: Band | None
    simulated: Band | None
    alone: BandPoint
    final_values: Floats | None = None

    @property
    def name(self) -> str:
        """The identifier of the quantity."""
        return self.quantity.name

    @property
    def best(self) -> Band:
        """The law where it is known, else the simulation."""
        band = self.law or self.simulated
        if band is None:
            raise ValueError(f"nothing is known of {self.name}")
        return band

    def to_frame(self) -> pl.DataFrame:
        """Return the curves by generation, 0 … K, with columns for what is known only."""
        import polars as pl

        columns: dict[str, Any] = {"generation": np.arange(self.best.middle.size)}
        for name, band in (("law", self.law), ("simulated", self.simulated)):
            if band is not None:
                ends = {f"{name}_low": band.low, f"{name}_high": band.high}
                known = {key: values for key, values in ends.items() if values is not None}
                columns |= {name: band.middle, **known}
        baseline = np.full(self.best.middle.size, self.alone.middle)
        return pl.DataFrame({**columns, "real_data_alone": baseline})


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class SeriesForecast(BaseForecast):
    """What recursive training does to a numeric family or an n-gram model.

    Parameters beside those of `BaseForecast`, whose ``fresh_shares`` are values of the first
    quantity. ``law_name`` is ``exact``, or ``moments`` or ``simulation`` where the deciding
    figures are simulated:

    Parameters
    ----------
    tracked
        What is measured.
    model
        The real data's law.
    series
        The quantities over the generations, at least one; the first decides.
    shares_by_law
        Whether `fresh_shares` come from a law rather than from runs of their own.
    confidence
        Share of runs that are to stay within the limit in every round.
    assurance
        The share that does, from as many runs as show on which side of `confidence` it lies; None
        without simulation, for a probability, and without a limit.
    """

    tracked: TrackedQuantities
    model: Any
    series: tuple[Series, ...]
    shares_by_law: bool
    confidence: float = DEFAULT_CONFIDENCE
    assurance: Assurance | None = None

    @property
    def main(self) -> Series:
        """The series that decides."""
        return self.series[0]

    @property
    @override
    def left(self) -> Floats:
        return self.main.best.middle

    @property
    @override
    def baseline(self) -> float:
        return self.main.alone.middle

    @property
    @override
    def part(self) -> float:
        return self.tracked.part

    @property
    def singular(self) -> bool:
        """Whether a training set is too small to span all dimensions: n ≤ d."""
        return self.tracked.dimensions >= self.samples

    @property
    @override
    def law_name(self) -> str:
        if self.main.law is not None:
            return "exact"
        return "moments" if any(series.law for series in self.series) else "simulation"

    @property
    @override
    def first_below(self) -> int | None:
        return 1 if self.singular else super().first_below

    @property
    @override
    def runs_below(self) -> float | None:
        # A run has no probability of its own, and without a spread there is no limit.
        if self.main.final_values is None or self.singular:
            return None
        return float(np.mean(self.main.final_values < self.limit))

    @property
    def runs_within(self) -> float | None:
        """Share of runs within the limit in every round; None as `assurance` is."""
        return None if self.assurance is None else self.assurance.confidence

    @property
    @override
    def within(self) -> bool:
        found = self.assurance
        return self.first_below is None and (found is None or found.assured >= self.confidence)

    @property
    @override
    def smallest_holding_share(self) -> float | None:
        if self.singular:
            return None
        # To recommend the share that the plan already has would not help.
        own = self.regime.share if isinstance(self.regime, Fresh) else 0.0
        pairs = zip(FRESH_SHARES, self.fresh_shares, strict=True)
        holding = (share for share, kept in pairs if share < 1.0 and kept >= self.limit)
        return next((share for share in holding if self.within or share > own), None)

    @override
    def describe_model(self) -> dict[str, Any]:
        described: dict[str, Any] = self.model.describe()
        return {"input": self.source.name, "column": self.source.column, **described}

    @override
    def to_frame(self) -> pl.DataFrame:
        import polars as pl

        frames = [
            series.to_frame().select(pl.lit(series.name).alias("quantity"), pl.all())
            for series in self.series
        ]
        return pl.concat(frames, how="diagonal")


_MOST_CELLS = 10_000_000


def forecast_series(
    model: Any,
    *,
    source: Source,
    regime: Regime,
    generations: int,
    samples: int | None,
    replicates: int,
    seed: int,
    threads: int | None,
    executor: Executor | None,
    progress: Progress,
    confidence: float = DEFAULT_CONFIDENCE,
) -> SeriesForecast:
    """Forecast recursive training of a numeric family or an n-gram model.

    The parameters are those of `hayflick.forecast`.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, the regime has stored items, or nothing is to be
        simulated and no law is known.
    """
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    check_running(replicates=replicates, seed=seed, threads=threads)
    tracked, size = tracked_quantities(model), model.training_size(samples)
    mix, first = regime.mix(1, samples=size), tracked.quantities[0]
    if mix.reserve is not None:
        raise unfit_regime(regime.describe(), family=tracked.family)
    laws = (
        tracked.laws(samples=size, fresh=mix.fresh, generations=rounds) if regime.constant else {}
    )
    if not replicates and first.name not in laws:
        takes = "at least 1 here: no law gives the figures of this family and regime"
        raise ArgumentError("replicates", got=0, takes=takes)
    run = partial(simulate, model, samples=size, seed=seed, threads=threads, executor=executor)
    baseline = _real_data_alone(tracked, size, run)
    shares = []
    for done, share in enumerate(FRESH_SHARES):
        progress("comparing shares", done, len(FRESH_SHARES))
        left = baseline[first.name].middle
        shares.append(left if share == 1.0 else _left(tracked, Fresh(share), size, rounds, run))
    progress("comparing shares", len(FRESH_SHARES), len(FRESH_SHARES))
    runs, interrupted = None, False
    if replicates:
        runs, interrupted = run_until_interrupted(
            lambda: run(generations=rounds, regime=regime, replicates=replicates, progress=progress)
        )
    if runs is None and first.name not in laws:
        raise KeyboardInterrupt
    assurance = None
    if runs is not None:
        again = partial(run, generations=rounds, regime=regime)
        left = baseline[first.name].middle
        assurance = _assurance(
            tracked, runs, None if interrupted else again, left, confidence, seed=seed
        )
    return SeriesForecast(
        family=tracked.family,
        source=source,
        regime=regime,
        samples=size,
        fresh_shares=tuple(shares),
        runs=0 if runs is None else runs.sizes["replicate"],
        seed=seed,
        interrupted=interrupted,
        tracked=tracked,
        model=model,
        series=_series(tracked, laws, runs, baseline),
        confidence=confidence,
        assurance=assurance,
        shares_by_law=_law(tracked, Fresh(0.5), size, rounds) is not None,
    )


def _series(
    tracked: TrackedQuantities,
    laws: Mapping[str, Band],
    runs: xarray.Dataset | None,
    baseline: Mapping[str, BandPoint],
) -> tuple[Series, ...]:
    """Return the quantities that are known, by law or from runs."""
    return tuple(
        Series(
            quantity,
            law=laws.get(quantity.name),
            simulated=None if runs is None else _simulated(quantity, runs),
            alone=baseline[quantity.name],
            # A run has no probability of its own.
            final_values=None
            if runs is None or quantity.summary is mean
            else quantity.of_runs(runs)[:, -1],
        )
        for quantity in tracked.quantities
        if quantity.name in laws or (runs is not None and not quantity.needs_law)
    )


def _assurance(
    tracked: TrackedQuantities,
    runs: xarray.Dataset,
    run: Callable[..., xarray.Dataset] | None,
    left: float,
    confidence: float,
    *,
    seed: int,
) -> Assurance | None:
    """Return the share of runs within the limit in every round, of which `left` is the baseline.

    Where further runs would take long, or none can be made (`run` is None), `runs` tell it.
    """
    quantity, rounds = tracked.quantities[0], runs.sizes["generation"] - 1
    own = quantity.of_runs(runs)[:, 1:]
    if quantity.summary is mean or left == 0.0:
        # A run has no probability of its own, and without a spread there is no limit.
        return None
    further = min(tracked.assured_runs, max(FEWEST_RUNS, _MOST_CELLS // rounds))
    most = max(len(own), 0 if run is None else further)
    if most < FEWEST_RUNS:
        return None
    taken = iter(own)

    def more(number: int, *, seed: int) -> Floats:
        if run is None or most == len(own):
            return np.array(list(islice(taken, number)))
        return quantity.of_runs(run(replicates=number, seed=seed))[:, 1:]

    return simulated_assurance(
        more, keep=tracked.part * left, confidence=confidence, most=most, seed=seed
    )


def unfit_regime(regime: str, *, family: str) -> ArgumentError:
    """Return the error of a regime with stored items."""
    takes = f"replace or fresh:SHARE for the family {family}"
    remedy = "a reserve holds counts of symbols"
    return ArgumentError("regime", got=regime, takes=takes, remedy=remedy)


def _law(tracked: TrackedQuantities, regime: Fresh, samples: int, generations: int) -> Band | None:
    """Return the law of the first quantity; None if there is none."""
    fresh = regime.mix(1, samples=samples).fresh
    laws = tracked.laws(samples=samples, fresh=fresh, generations=generations)
    return laws.get(tracked.quantities[0].name)


def _left(
    tracked: TrackedQuantities,
    regime: Fresh,
    samples: int,
    generations: int,
    run: Callable[..., xarray.Dataset],
) -> float:
    """Return the first quantity after the last round."""
    band = _law(tracked, regime, samples, generations)
    if band is None:
        # All runs are held at once: long ones must be few.
        most = max(FEWEST_RUNS, _MOST_CELLS // generations)
        replicates = min(tracked.compared_runs, most)
        runs = run(generations=generations, regime=regime, replicates=replicates)
        band = _simulated(tracked.quantities[0], runs)
    return band.at(-1).middle


def _real_data_alone(
    tracked: TrackedQuantities, samples: int, run: Callable[..., xarray.Dataset]
) -> dict[str, BandPoint]:
    """Return every quantity after one training on real data alone."""
    laws = tracked.laws(samples=samples, fresh=samples, generations=1)
    runs = run(generations=1, regime=Fresh(1.0), replicates=tracked.baseline_runs)
    bands = {q.name: laws.get(q.name) or _simulated(q, runs) for q in tracked.quantities}
    return {name: band.at(1) for name, band in bands.items()}


def _simulated(quantity: Quantity, runs: xarray.Dataset) -> Band:
    return quantity.summary(quantity.of_runs(runs))
