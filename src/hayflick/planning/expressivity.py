"""Collapse time by estimator, smoothing and rounding.

The values that an estimator can take are themselves a cause of collapse: a probability that is
rounded to 0 stays 0, whatever the data. Here they are varied, with everything else held fixed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.family import with_estimator
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.stages import Grid, Stages
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.display import Result
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import LOGICAL_BLOCK, provenance
from hayflick.core.source import Source
from hayflick.corpus.table_format import TableFormat
from hayflick.laws.count_grid import LARGEST_EXACT, surviving_shares
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.survival import survival
from hayflick.planning.inputs import InputOptions, chosen_family, read_model
from hayflick.simulation.refitted_runs import surviving_shares_of_runs
from hayflick.simulation.simulate import check_running, simulate

if TYPE_CHECKING:
    import polars as pl

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

_LIFETIMES = 2
_SHORTEST, _LONGEST = 10, (50, 100_000)
_DRAWS, _REPLICATES = 320_000, (16, 1024)
# What simulations may take in all where nobody says how many, and what a symbol, a round of
# a run and a number's round take: measured on x86-64, the same for everybody.
_BUDGET_S, _FEWEST = 5.0, 64
_SYMBOL_S, _ROUND_S, _NUMBER_S = 6e-8, 1.5e-7, 1.2e-7

GIVEN, LIFETIME, LONGEST = "given", "lifetime", "longest"
"""How the number of rounds was chosen; see `Expressivity`."""

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
        ``exact``, ``interpolated`` (a law too, within 1e-6) or ``simulation``.
    left_error
        Standard error of `left`; 0 for a law.
    """

    estimator: str
    bits: int | None
    collapse: int | None
    earliest: int | None
    latest: int | None
    left: float
    method: str
    left_error: float = 0.0

    @property
    def collapse_error(self) -> float | None:
        """Standard error of `collapse` in rounds: a quarter of what lies between both ends.

        None where there is no collapse, or one end lies beyond the rounds looked at; 0 for a law.
        """
        if self.collapse is None or self.earliest is None or self.latest is None:
            return None
        return (self.latest - self.earliest) / 4.0


@dataclass(frozen=True, eq=False)
class Expressivity(Result):
    """Estimators of one data set, compared.

    Parameters
    ----------
    model
        The real data's law.
    samples, generations
        Size of a training set, and number of rounds.
    horizon
        Why so many rounds: ``given``; ``lifetime``, twice as long as a line of the first
        estimator lasts; ``longest``, as many as take a few seconds, which that line outlives.
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
    horizon: str = GIVEN

    @property
    def threshold(self) -> float:
        """The share at which a line of models has collapsed."""
        return COLLAPSED * self.baseline

    def to_frame(self) -> pl.DataFrame:
        """Return a row per estimator; null is what there is not."""
        import polars as pl

        schema = {
            "estimator": pl.String,
            "bits": pl.Int64,
            "collapse": pl.Int64,
            "collapse_error": pl.Float64,
            "earliest": pl.Int64,
            "latest": pl.Int64,
            "left": pl.Float64,
            "left_error": pl.Float64,
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
    generations: int | None = None,
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
        How many rounds to look ahead; None for twice as many as a line of the first estimator
        (maximum likelihood, for a spread the unbiased one) lasts, in round numbers.
    samples
        Size of a training set; the data's own size where None.
    replicates
        Runs per simulation; where None, as many as take a few seconds in all.
    seed, threads
        Of the simulations.
    progress
        Called with the number of simulated estimators that are done.

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
    baseline = _baseline(model, size)
    settings = [(name, bits) for name, grids in _COMPARED[type(model)] for bits in grids]
    cost = _seconds_a_round(model, settings)
    horizon = GIVEN
    if generations is None:
        longest = int(np.clip(_BUDGET_S / (cost * _fewest(model)), *_LONGEST))
        generations, horizon = _horizon(model, size, COLLAPSED * baseline, longest)
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    if replicates is None:
        replicates = _affordable(model, cost * generations)
    whole_number("replicates", replicates, at_least=1)
    check_running(replicates=replicates, seed=seed, threads=threads)
    workers = (os.cpu_count() or 1) if threads is None else threads
    run = _Simulation(size, generations, replicates, seed, workers)
    memory = 40.0 * replicates * generations
    work = f"comparing {len(settings)} estimators over {generations:,} rounds"
    seconds = cost * generations * replicates / min(workers, os.cpu_count() or 1)
    expect(progress, Effort(work, seconds=seconds, memory=memory))
    rows, interrupted = _compared(model, settings, run, COLLAPSED * baseline, progress)
    return Expressivity(
        *(model, size, generations, baseline, rows, seed, replicates, interrupted),
        sources=(origin,) if origin.was_read else (),
        horizon=horizon,
    )


@dataclass(frozen=True, slots=True)
class _Simulation:
    """How what no law covers is simulated."""

    size: int
    generations: int
    replicates: int
    seed: int
    threads: int

    def left(self, model: Any, bits: int | None, progress: Progress) -> _Interval:
        """Return the simulated share left, with two standard errors on either side."""
        grid = None if bits is None else Grid(bits=bits)
        if isinstance(model, Gaussian):
            return self._of_spread(model, grid, progress)
        values = surviving_shares_of_runs(
            model,
            samples=self.size,
            generations=self.generations,
            replicates=self.replicates,
            rounding=grid,
            seed=self.seed,
            threads=self.threads,
            progress=progress,
        )
        spread = values.std(axis=0, ddof=1) if self.replicates > 1 else np.full(len(values.T), 1.0)
        error = 2.0 * spread / np.sqrt(self.replicates)
        mean: Floats = values.mean(axis=0)
        return mean - error, mean, mean + error

    def _of_spread(self, model: Gaussian, grid: Grid | None, progress: Progress) -> _Interval:
        runs = simulate(
            model,
            generations=self.generations,
            samples=self.size,
            replicates=self.replicates,
            stages=Stages() if grid is None else Stages(rounding=grid),
            seed=self.seed,
            threads=self.threads,
            progress=progress,
        )
        # Two standard errors of a median, by the binomial law of its rank.
        reach = 1.0 / np.sqrt(self.replicates)
        shares = np.clip([0.5 - reach, 0.5, 0.5 + reach], 0.0, 1.0)
        low, middle, high = np.quantile(runs["deviation"].to_numpy(), shares, axis=0)
        return low / model.deviation, middle / model.deviation, high / model.deviation


def _compared(
    model: Discrete | Gaussian,
    settings: Sequence[tuple[str, int | None]],
    run: _Simulation,
    threshold: float,
    progress: Progress,
) -> tuple[tuple[EstimatorLifetime, ...], bool]:
    """Return a row per setting, and whether Ctrl-C came before the last."""
    simulated = [setting for setting in settings if not _has_law(model, *setting)]
    rows: list[EstimatorLifetime] = []
    finished = 0

    def within(stage: str, done: float, total: float) -> None:  # noqa: ARG001
        progress("comparing estimators", finished + done / total, len(simulated))

    try:
        progress("comparing estimators", finished, len(simulated))
        for name, bits in settings:
            fitted: Any = with_estimator(model, name)
            if _has_law(model, name, bits):
                left, method = _law(fitted, run.size, run.generations)
            else:
                left, method = run.left(fitted, bits, within), "simulation"
                finished += 1
                progress("comparing estimators", finished, len(simulated))
            rows.append(_lifetime(name, bits, threshold, left, method))
    except (SimulationInterrupted, KeyboardInterrupt):
        if not rows:
            raise
        return tuple(rows), True
    return tuple(rows), False


def _has_law(model: Discrete | Gaussian, estimator: str, bits: int | None) -> bool:
    return bits is None and (isinstance(model, Gaussian) or estimator != "good-turing")


def _seconds_a_round(
    model: Discrete | Gaussian, settings: Sequence[tuple[str, int | None]]
) -> float:
    """Return what one round of one run takes, of all simulations together."""
    simulated = sum(not _has_law(model, *setting) for setting in settings)
    one = _NUMBER_S if isinstance(model, Gaussian) else _ROUND_S + model.types * _SYMBOL_S
    return simulated * one


def _fewest(model: Discrete | Gaussian) -> int:
    return _FEWEST if isinstance(model, Gaussian) else _most(model, at_most=_FEWEST)


def _most(model: Discrete, *, at_most: int) -> int:
    """Return how many runs are enough: of many symbols a few."""
    return min(at_most, max(_REPLICATES[0], _DRAWS // model.types))


def _affordable(model: Discrete | Gaussian, seconds: float) -> int:
    """Return how many runs of so many seconds there are, in whole blocks but for a few."""
    most = _REPLICATES[1]
    if isinstance(model, Discrete):
        most = _most(model, at_most=most)
    found = int(_BUDGET_S / seconds)
    blocks = found - found % LOGICAL_BLOCK
    return int(np.clip(blocks, _fewest(model), most))


def _horizon(
    model: Discrete | Gaussian, size: int, threshold: float, longest: int
) -> tuple[int, str]:
    """Return twice the rounds that a line of the first estimator lasts, in round numbers."""
    if isinstance(model, Gaussian):
        law = gaussian_scale(size, generations=longest, ddof=1)
        lasts = law.collapse_time(2.0 * np.log(threshold))
    else:
        fitted: Any = with_estimator(model, "ml")
        shares = islice(surviving_shares(fitted, samples=size), longest)
        lasts = next((k for k, left in enumerate(shares, 1) if left <= threshold), None)
    if lasts is None:
        return _in_round_numbers(longest), LONGEST
    return max(_SHORTEST, _in_round_numbers(_LIFETIMES * lasts)), LIFETIME


def _in_round_numbers(rounds: int) -> int:
    """Return the next number of two digits and zeros, the second of them 0 or 5."""
    digits = len(str(rounds))
    step: int = 5 * 10 ** (digits - 2) if digits > 1 else 1
    return -(-rounds // step) * step


def _lifetime(
    estimator: str, bits: int | None, threshold: float, left: _Interval, method: str
) -> EstimatorLifetime:
    low, middle, high = left
    earliest, collapse, latest = (
        next(iter(np.flatnonzero(share <= threshold).tolist()), None)
        for share in (low, middle, high)
    )
    error = float(high[-1] - low[-1]) / 4.0
    last = float(middle[-1])
    return EstimatorLifetime(estimator, bits, collapse, earliest, latest, last, method, error)


def _baseline(model: Discrete | Gaussian, size: int) -> float:
    if isinstance(model, Gaussian):
        law = gaussian_scale(size, generations=1, ddof=model.ddof)
        return float(np.exp(law.quantile(0.5)[1] / 2.0))
    return float(survival(model, generations=1, samples=size).baseline[-1])


def _law(model: Any, size: int, generations: int) -> tuple[_Interval, str]:
    """Return the share left by the law, and the law's name."""
    if isinstance(model, Gaussian):
        scale = gaussian_scale(size, generations=generations, ddof=model.ddof)
        left = np.exp(scale.quantile(0.5) / 2.0)
        return (left, left, left), "exact"
    shares = islice(surviving_shares(model, samples=size), generations)
    # Some symbol is in every training set.
    left = np.maximum(np.fromiter((1.0, *shares), np.float64), 1.0 / model.types)
    return (left, left, left), "exact" if size <= LARGEST_EXACT else "interpolated"
