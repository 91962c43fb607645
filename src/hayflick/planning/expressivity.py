"""Collapse time by estimator, smoothing and rounding.

The values that an estimator can take are themselves a cause of collapse: a probability that is
rounded to 0 stays 0, whatever the data. Here they are varied, with everything else held fixed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.chains.family import with_estimator
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.display import Result
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Schedule
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.survival import survival
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.regimes.replace import Replace
from hayflick.simulation.effort import simulation_effort
from hayflick.simulation.simulate import check_running, simulate

if TYPE_CHECKING:
    import polars as pl
    import xarray

COLLAPSED = 0.5
"""Collapse: at most this share is left of what one training on real data alone would keep.

For a discrete law of the symbols, for a Gaussian of the standard deviation.
"""

_FAMILIES = ("discrete", "gaussian")
_COMPARED: dict[type, tuple[tuple[str, tuple[int | None, ...]], ...]] = {
    Discrete: (
        ("ml", (None, 24, 20, 16, 12, 8)),
        ("add:0.01", (None,)),
        ("add:0.1", (None, 24, 20, 16, 12, 8)),
        ("add:1", (None,)),
        ("good-turing", (None,)),
    ),
    Gaussian: (("unbiased", (None, 10, 8, 6, 4, 3, 2, 1)), ("ml", (None, 10, 8, 6, 4, 3, 2, 1))),
}
"""Estimators by family, each with the grids (bits) that its parameters are rounded to."""

_DRAWS, _REPLICATES = 320_000, (16, 1024)

_Interval: TypeAlias = tuple[Floats, Floats, Floats]
"""What is left by generation: two standard errors less, the estimate, two more."""


@dataclass(frozen=True, slots=True)
class EstimatorLifetime:
    """One estimator, and how long a line of its models lasts.

    Parameters
    ----------
    estimator
        In the grammar of the command line.
    bits
        Of the grid of the parameters; None if they are not rounded.
    collapse
        First round in which the share left is at most the threshold; None if there is none.
    earliest, latest
        The same where the share is two standard errors smaller, and larger; as `collapse`
        where a law is known.
    left
        Share left after the last round: expected for symbols, the median for a spread.
    method
        ``exact``, ``branching`` or ``simulation``.
    """

    estimator: str
    bits: int | None
    collapse: int | None
    earliest: int | None
    latest: int | None
    left: float
    method: str


@dataclass(frozen=True, eq=False)
class Expressivity(Result):
    """Estimators of one data set, compared.

    Parameters
    ----------
    model
        The real data's law.
    samples, generations
        Size of a training set, and number of rounds.
    baseline
        Share left by one training on real data alone.
    rows
        One per estimator and grid.
    seed, replicates
        Of the simulations.
    interrupted
        Whether the comparison was cut short.
    sources
        What was read.
    """

    model: Discrete | Gaussian
    samples: int
    generations: int
    baseline: float
    rows: tuple[EstimatorLifetime, ...]
    seed: int
    replicates: int
    interrupted: bool = False
    sources: tuple[Source, ...] = ()

    @property
    def threshold(self) -> float:
        """The share at which a line of models has collapsed."""
        return COLLAPSED * self.baseline

    def to_frame(self) -> pl.DataFrame:
        """Return a row per estimator; bits and collapse are null where there are none."""
        import polars as pl

        schema = {
            "estimator": pl.String,
            "bits": pl.Int64,
            "collapse": pl.Int64,
            "left": pl.Float64,
            "method": pl.String,
        }
        columns = {name: [getattr(row, name) for row in self.rows] for name in schema}
        return pl.DataFrame(columns, schema=schema)

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the comparison."""
        parameters = {
            "model": self.model.describe(),
            "samples": self.samples,
            "generations": self.generations,
            "replicates": self.replicates,
        }
        return provenance(parameters, seed=self.seed)


def expressivity(
    source: str | os.PathLike[str] | Discrete | Gaussian,
    *,
    column: str | None = None,
    family: str | None = None,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    generations: int = 50,
    samples: int | None = None,
    replicates: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress = silent,
) -> Expressivity:
    """Compare estimators of one data set by how long a line of models lasts.

    A law is used where one is known, else a simulation.

    Parameters
    ----------
    source
        A text, a folder of texts, a table, a JSON object of symbol: count, or a model.
    column, tokenizer, encoding, normalize, table
        How a file is read; see `hayflick.corpus.reading.read_corpus`.
    family
        ``discrete`` or ``gaussian``; None leaves the choice to
        `hayflick.planning.inputs.chosen_family`.
    generations
        How many rounds to look ahead.
    samples
        Size of a training set; the data's own size where None.
    replicates
        Runs per simulation; where None, as many as take about a second.
    seed, threads
        Of the simulations.
    progress
        Called with the number of estimators that are done.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If the input cannot be used.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> rows = expressivity(words, generations=80).rows
    >>> [(row.estimator, row.collapse) for row in rows if row.bits is None][:2]
    [('ml', 74), ('add:0.01', None)]
    """
    columns = () if column is None else (column,)
    options = InputOptions(
        family, columns, tokenizer=tokenizer, encoding=encoding, normalize=normalize, table=table
    )
    chosen = chosen_family(source, options)
    if chosen not in _FAMILIES:
        raise ArgumentError("family", got=chosen, takes=f"one of {', '.join(_FAMILIES)}")
    model, origin = read_model(source, options, family=chosen, progress=progress)
    size = model.training_size(samples)
    if replicates is None:
        parameters = model.types if isinstance(model, Discrete) else 2
        replicates = int(np.clip(_DRAWS // parameters, *_REPLICATES))
    whole_number("replicates", replicates, at_least=1)
    compared = _COMPARED[type(model)]
    settings = [(estimator, bits) for estimator, grids in compared for bits in grids]
    baseline = _baseline(model, size)
    run = partial(
        simulate,
        generations=generations,
        samples=size,
        replicates=replicates,
        seed=seed,
        threads=threads,
    )
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    check_running(replicates=replicates, seed=seed, threads=threads)
    expect(progress, _effort(model, settings, size, generations, replicates, threads))
    rows: list[EstimatorLifetime] = []
    interrupted = False
    try:
        for done, (estimator, bits) in enumerate(settings):
            progress("comparing estimators", done, len(settings))
            fitted, law = with_estimator(model, estimator), None
            if bits is None:
                law = _law(fitted, size, generations)
            left, method = law or (_simulated(fitted, bits, run), "simulation")
            rows.append(_lifetime(estimator, bits, COLLAPSED * baseline, left, method))
        progress("comparing estimators", len(settings), len(settings))
    except KeyboardInterrupt:
        if not rows:
            raise
        interrupted = True
    return Expressivity(
        *(model, size, generations, baseline, tuple(rows), seed, replicates, interrupted),
        sources=(origin,) if origin.was_read else (),
    )


def _effort(
    model: Discrete | Gaussian,
    settings: Sequence[tuple[str, int | None]],
    size: int,
    generations: int,
    replicates: int,
    threads: int | None,
) -> Effort:
    """Return what comparing the settings takes: each as long as the one with the finest grid."""
    bits = max(bits or 0 for _, bits in settings)
    chain = model.chain(size, stages=Stages(rounding=Grid(bits=bits)) if bits else Stages())
    schedule = Schedule([Replace().mix(1, samples=size)] * generations)
    workers = (os.cpu_count() or 1) if threads is None else threads
    one = simulation_effort(chain, schedule, replicates=replicates, threads=workers)
    work = f"comparing {len(settings)} estimators over {generations:,} rounds"
    return Effort(work, seconds=one.seconds * len(settings), memory=one.memory)


def _lifetime(
    estimator: str, bits: int | None, threshold: float, left: _Interval, method: str
) -> EstimatorLifetime:
    low, middle, high = left
    earliest, collapse, latest = (
        next(iter(np.flatnonzero(share <= threshold).tolist()), None)
        for share in (low, middle, high)
    )
    return EstimatorLifetime(estimator, bits, collapse, earliest, latest, float(middle[-1]), method)


def _baseline(model: Discrete | Gaussian, size: int) -> float:
    if isinstance(model, Gaussian):
        law = gaussian_scale(size, generations=1, ddof=model.ddof)
        return float(np.exp(law.quantile(0.5)[1] / 2.0))
    return float(survival(model, generations=1, samples=size).baseline[-1])


def _law(model: Any, size: int, generations: int) -> tuple[_Interval, str] | None:
    """Return the share left by the law, and the law's name; None if no law is known."""
    if isinstance(model, Gaussian):
        scale = gaussian_scale(size, generations=generations, ddof=model.ddof)
        left = np.exp(scale.quantile(0.5) / 2.0)
        return (left, left, left), "exact"
    if isinstance(model.estimator, AddDelta):
        law = survival(model, generations=generations, samples=size)
        return (law.surviving_fraction,) * 3, law.name
    return None


def _simulated(model: Any, bits: int | None, run: Callable[..., xarray.Dataset]) -> _Interval:
    """Return the simulated share left, with two standard errors on either side."""
    runs = run(model, stages=Stages() if bits is None else Stages(rounding=Grid(bits=bits)))
    replicates = runs.sizes["replicate"]
    if isinstance(model, Gaussian):
        # Two standard errors of a median, by the binomial law of its rank.
        reach = 1.0 / np.sqrt(replicates)
        shares = np.clip([0.5 - reach, 0.5, 0.5 + reach], 0.0, 1.0)
        low, middle, high = np.quantile(runs["deviation"].to_numpy(), shares, axis=0)
        return low / model.deviation, middle / model.deviation, high / model.deviation
    values = runs["surviving_fraction"].to_numpy()
    error = 2.0 * values.std(axis=0) / np.sqrt(replicates)
    mean: Floats = values.mean(axis=0)
    return mean - error, mean, mean + error
