"""What an estimator's values cost: collapse time by estimator, smoothing and rounding.

The values that an estimator can take are a cause of collapse of their own: a chance that
rounds to 0 is gone, whatever the data. This holds everything else fixed and varies them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.chains.estimators import AddDelta
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.parsing import with_estimator
from hayflick.chains.rounding import Grid
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats
from hayflick.core.checks import whole_number
from hayflick.core.display import Displayed
from hayflick.core.progress import Progress, silent
from hayflick.core.provenance import provenance
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.laws.survival import survival
from hayflick.simulation.simulate import simulate

COLLAPSED = 0.5
"""Collapse: at most this share is left of what one training on real data alone would keep.

For a discrete law of the symbols, for a Gaussian of the standard deviation.
"""

_SETTINGS: dict[type, tuple[tuple[str, tuple[int | None, ...]], ...]] = {
    Discrete: (
        ("ml", (None, 24, 20, 16, 12, 8)),
        ("add:0.01", (None,)),
        ("add:0.1", (None, 24, 20, 16, 12, 8)),
        ("add:1", (None,)),
        ("good-turing", (None,)),
    ),
    Gaussian: (
        ("unbiased", (None, 10, 8, 6, 4, 3, 2, 1)),
        ("ml", (None, 10, 8, 6, 4, 3, 2, 1)),
    ),
}


_DRAWS, _REPLICATES = 320_000, (16, 1024)


@dataclass(frozen=True, slots=True)
class EstimatorLifetime:
    """One estimator, and how long a line of its models lasts.

    Parameters
    ----------
    estimator
        In the grammar of the command line.
    bits
        Of the parameters' grid; None where they are not rounded.
    collapse
        First round at which the share left is at most the threshold; None if none is.
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
class Expressivity(Displayed):
    """Estimators of one data set, compared; draws itself in a notebook.

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
    """

    model: Discrete | Gaussian
    samples: int
    generations: int
    baseline: float
    rows: tuple[EstimatorLifetime, ...]
    seed: int
    replicates: int
    interrupted: bool = False

    @property
    def threshold(self) -> float:
        """The share at which a line of models has collapsed."""
        return COLLAPSED * self.baseline

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the comparison again."""
        parameters = {
            "model": self.model.describe(),
            "samples": self.samples,
            "generations": self.generations,
            "replicates": self.replicates,
        }
        return provenance(parameters, seed=self.seed)


def compare_estimators(
    model: Discrete | Gaussian,
    *,
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
    model
        The real data's law.
    generations
        How many rounds to look ahead.
    samples
        Size of a training set; the data's own size where None.
    replicates
        Runs of each simulation; as many as a second or so allows where None.
    seed, threads
        Of the simulations.
    progress
        Told the settings done.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> rows = compare_estimators(words, generations=80).rows
    >>> [(row.estimator, row.collapse) for row in rows if row.bits is None][:2]
    [('ml', 74), ('add:0.01', None)]
    """
    size = model.training_size(samples)
    if replicates is None:
        replicates = _replicates(model)
    whole_number("replicates", replicates, at_least=1)
    settings = list(_settings(model))
    baseline = _baseline(model, size)
    run = _Run(size, generations, replicates, seed, threads)
    rows: list[EstimatorLifetime] = []
    interrupted = False
    try:
        for done, (estimator, bits) in enumerate(settings):
            progress("comparing estimators", done, len(settings))
            rows.append(_row(model, estimator, bits, COLLAPSED * baseline, run))
        progress("comparing estimators", len(settings), len(settings))
    except KeyboardInterrupt:
        if not rows:
            raise
        interrupted = True
    return Expressivity(
        model, size, generations, baseline, tuple(rows), seed, replicates, interrupted
    )


@dataclass(frozen=True)
class _Run:
    """What all simulations share."""

    size: int
    generations: int
    replicates: int
    seed: int
    threads: int | None


def _row(
    model: Discrete | Gaussian, estimator: str, bits: int | None, threshold: float, run: _Run
) -> EstimatorLifetime:
    fitted = with_estimator(model, estimator)
    law, method = _law(fitted, run.size, run.generations) if bits is None else (None, "")
    low, left, high = _simulated(fitted, bits, run) if law is None else (law, law, law)
    return EstimatorLifetime(
        estimator=estimator,
        bits=bits,
        collapse=_first(left <= threshold),
        earliest=_first(low <= threshold),
        latest=_first(high <= threshold),
        left=float(left[-1]),
        method=method or "simulation",
    )


def _first(reached: Any) -> int | None:
    rounds = np.flatnonzero(reached)
    return int(rounds[0]) if rounds.size else None


def _replicates(model: Discrete | Gaussian) -> int:
    parameters = model.types if isinstance(model, Discrete) else 2
    return int(np.clip(_DRAWS // parameters, *_REPLICATES))


def _settings(model: Discrete | Gaussian) -> Iterator[tuple[str, int | None]]:
    for estimator, grids in _SETTINGS[type(model)]:
        for bits in grids:
            yield estimator, bits


def _baseline(model: Discrete | Gaussian, size: int) -> float:
    if isinstance(model, Gaussian):
        law = gaussian_scale(size, generations=1, ddof=model.ddof)
        return float(np.exp(law.quantile(0.5)[1] / 2.0))
    return float(survival(model, generations=1, samples=size).baseline[-1])


def _law(model: Any, size: int, generations: int) -> tuple[Floats | None, str]:
    """Return what is left by the law and the law's name; None where no law is known."""
    if isinstance(model, Gaussian):
        law = gaussian_scale(size, generations=generations, ddof=model.ddof)
        return np.exp(law.quantile(0.5) / 2.0), "exact"
    if isinstance(model.estimator, AddDelta):
        result = survival(model, generations=generations, samples=size)
        return result.surviving_fraction, result.name
    return None, ""


def _simulated(model: Any, bits: int | None, run: _Run) -> tuple[Floats, Floats, Floats]:
    """Return what is left by simulation, between two standard errors less and more."""
    stages = Stages() if bits is None else Stages(rounding=Grid(bits=bits))
    runs = simulate(
        model,
        generations=run.generations,
        samples=run.size,
        stages=stages,
        replicates=run.replicates,
        seed=run.seed,
        threads=run.threads,
    )
    if isinstance(model, Gaussian):
        # Two standard errors of a median, by the binomial law of its rank.
        reach = 1.0 / np.sqrt(run.replicates)
        shares = np.clip([0.5 - reach, 0.5, 0.5 + reach], 0.0, 1.0)
        low, middle, high = np.quantile(runs["deviation"].to_numpy(), shares, axis=0)
        return low / model.deviation, middle / model.deviation, high / model.deviation
    values = runs["surviving_fraction"].to_numpy()
    error = 2.0 * values.std(axis=0) / np.sqrt(run.replicates)
    mean: Floats = values.mean(axis=0)
    return mean - error, mean, mean + error
