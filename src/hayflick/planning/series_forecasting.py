"""How a forecast of numbers or running text is computed: laws where known, else simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.corpus.source import Source
from hayflick.planning.outlook import FRESH_SHARES
from hayflick.planning.quantities import (
    Band,
    Quantity,
    Spot,
    mean,
)
from hayflick.planning.running import check_running, finished
from hayflick.planning.series_forecast import Series, SeriesForecast
from hayflick.planning.subjects import Subject, subject_of
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace
from hayflick.simulation.simulate import simulate

if TYPE_CHECKING:
    import xarray

_BASELINE_RUNS = 64
_MOST_CELLS = 10_000_000
_FEWEST_RUNS = 8


def forecast_series(
    model: Any,
    *,
    source: Source | None = None,
    generations: int = 50,
    regime: Regime = Replace(),
    samples: int | None = None,
    replicates: int = 64,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> SeriesForecast:
    """Forecast recursive training of a numeric family or an n-gram model.

    Parameters
    ----------
    model
        A `Gaussian`, `MultivariateGaussian`, `Poisson` or `NGram`.
    source
        Where its data come from; the family's name where None.
    generations
        How many rounds, K.
    regime
        What each round is trained on.
    samples
        Size of a training set (for an n-gram model in words); the data's own where None.
    replicates
        Simulated runs; 0 for the law alone, where there is one.
    seed, threads
        Of the simulation; one thread per processor where None.
    progress
        Told how far the comparison and the simulation have come.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, the regime has stored items, or nothing is to be
        simulated and no law is known.

    Examples
    --------
    >>> from hayflick.chains.gaussian import Gaussian
    >>> result = forecast_series(Gaussian(5.0, 2.0), samples=10, replicates=0)
    >>> result.law_name, result.first_below
    ('exact', 14)
    """
    rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    check_running(replicates=replicates, seed=seed, threads=threads)
    subject, size = subject_of(model), model.training_size(samples)
    fresh = fresh_items(regime, samples=size, family=subject.family)
    case = _Case(model, subject, size, seed, threads)
    laws = {} if fresh is None else case.laws(fresh, rounds)
    if not replicates and subject.quantities[0].name not in laws:
        takes = "at least 1 here: no law gives the figures of this family and regime"
        raise ArgumentError("replicates", got=0, takes=takes)
    alone = case.alone()
    shares = case.fresh_shares(rounds, alone[subject.quantities[0].name].middle, progress)
    runs, interrupted = None, False
    if replicates:
        runs, interrupted = finished(lambda: case.run(regime, rounds, replicates, progress))
    if runs is None and subject.quantities[0].name not in laws:
        raise KeyboardInterrupt
    return SeriesForecast(
        regime=regime,
        seed=seed,
        fresh_shares=shares,
        interrupted=interrupted,
        subject=subject,
        model=model,
        source=source or Source(subject.family),
        size=size,
        series=_series(subject, laws, alone, runs),
        shares_by_law=case.law_at(Fresh(0.5), rounds) is not None,
        simulated_runs=0 if runs is None else runs.sizes["replicate"],
    )


def fresh_items(regime: Regime, *, samples: int, family: str) -> int | None:
    """Return the fresh items of every round; None where rounds differ.

    Raises
    ------
    ArgumentError
        If the regime has stored items.
    """
    mix = regime.mix(1, samples=samples)
    if mix.reserve is not None:
        raise unfit_regime(regime.describe(), family=family)
    return mix.fresh if regime.constant else None


def unfit_regime(regime: str, *, family: str) -> ArgumentError:
    """Return the error of a regime with stored items."""
    takes = f"replace or fresh:SHARE for the family {family}"
    remedy = "a reserve holds counts of symbols"
    return ArgumentError("regime", got=regime, takes=takes, remedy=remedy)


@dataclass(frozen=True)
class _Case:
    """A model at one size of training set."""

    model: Any
    subject: Subject
    size: int
    seed: int
    threads: int | None

    def laws(self, fresh: int, generations: int) -> Mapping[str, Band]:
        return self.subject.laws(samples=self.size, fresh=fresh, generations=generations)

    def law_at(self, regime: Fresh, generations: int) -> Band | None:
        """Return the first quantity's law; None where there is none."""
        fresh = regime.mix(1, samples=self.size).fresh
        return self.laws(fresh, generations).get(self.subject.quantities[0].name)

    def run(
        self, regime: Regime, generations: int, replicates: int, progress: Progress = silent
    ) -> xarray.Dataset:
        return simulate(
            self.model,
            generations=generations,
            regime=regime,
            samples=self.size,
            replicates=replicates,
            seed=self.seed,
            threads=self.threads,
            progress=progress,
        )

    def alone(self) -> dict[str, Spot]:
        """Return every quantity after one training on real data alone."""
        laws = self.laws(self.size, 1)
        runs = self.run(Fresh(1.0), 1, _BASELINE_RUNS)
        bands = {q.name: laws.get(q.name) or _simulated(q, runs) for q in self.subject.quantities}
        return {name: band.at(1) for name, band in bands.items()}

    def fresh_shares(self, generations: int, alone: float, progress: Progress) -> tuple[float, ...]:
        """Return the first quantity after the last round, for each fresh share."""
        left = []
        for done, share in enumerate(FRESH_SHARES):
            progress("comparing shares", done, len(FRESH_SHARES))
            left.append(alone if share == 1.0 else self._left(Fresh(share), generations))
        progress("comparing shares", len(FRESH_SHARES), len(FRESH_SHARES))
        return tuple(left)

    def _left(self, regime: Fresh, generations: int) -> float:
        first = self.subject.quantities[0]
        law = self.law_at(regime, generations)
        if law is None:
            # All runs are held at once: long ones must be few.
            most = max(_FEWEST_RUNS, _MOST_CELLS // generations)
            runs = min(self.subject.compared_runs, most)
            law = _simulated(first, self.run(regime, generations, runs))
        return law.at(-1).middle


def _simulated(quantity: Quantity, runs: xarray.Dataset) -> Band:
    return quantity.summary(quantity.of_runs(runs))


def _series(
    subject: Subject,
    laws: Mapping[str, Band],
    alone: Mapping[str, Spot],
    runs: xarray.Dataset | None,
) -> tuple[Series, ...]:
    known = [
        quantity
        for quantity in subject.quantities
        if quantity.name in laws or (runs is not None and not quantity.needs_law)
    ]
    return tuple(
        Series(
            quantity,
            law=laws.get(quantity.name),
            simulated=None if runs is None else _simulated(quantity, runs),
            alone=alone[quantity.name],
            ends=_ends(quantity, runs),
        )
        for quantity in known
    )


def _ends(quantity: Quantity, runs: xarray.Dataset | None) -> Floats | None:
    # A run has no probability of its own.
    if runs is None or quantity.summary is mean:
        return None
    return quantity.of_runs(runs)[:, -1]
