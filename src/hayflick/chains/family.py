"""Families by name: what their models share, and how a text or a file becomes a model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, Generic, Protocol, Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.stages import Stages
from hayflick.core import checks
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, LazyEntries, parse
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Chain, CompiledChain, Model, Pools, PoolT, PopulationT, Recorded
from hayflick.core.records import Mix
from hayflick.corpus.table_format import TableFormat

_FAMILIES = {
    "discrete": "discrete:Discrete",
    "zipf": "zipf_mandelbrot:ZipfMandelbrot",
    "ngram": "ngram:NGram",
    "bernoulli": "bernoulli:Bernoulli",
    "poisson": "poisson:Poisson",
    "negative-binomial": "negative_binomial:NegativeBinomial",
    "gaussian": "gaussian:Gaussian",
    "multivariate-gaussian": "multivariate_gaussian:MultivariateGaussian",
    "symmetric-mixture": "symmetric_mixture:SymmetricMixture",
}
"""Module and class of every family that the command line knows, by its name there."""


@dataclass(frozen=True, slots=True)
class FamilyData:
    """The file that a family is fitted to, and how it is read.

    Parameters
    ----------
    path
        The file or folder, or data in memory; None where parameters are given instead.
    columns
        Columns of a table.
    tokenizer, encoding, normalize, table
        See `hayflick.corpus.reading.read_corpus`.
    progress
        Called with the bytes read.
    """

    path: Any = None
    columns: tuple[str, ...] = ()
    tokenizer: str | None = None
    encoding: str = "utf-8"
    normalize: str = "nfc"
    table: TableFormat | None = None
    progress: Progress = silent

    @property
    def column(self) -> str | None:
        """The one column; None for none.

        Raises
        ------
        ArgumentError
            If there are several.
        """
        if len(self.columns) > 1:
            takes = "one column; several are for the family multivariate-gaussian"
            raise ArgumentError("columns", got=", ".join(self.columns), takes=takes)
        return self.columns[0] if self.columns else None

    def require(self, family: str) -> Any:
        """Return the path.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        if self.path is None:
            raise ArgumentError("corpus", got=None, takes=f"a file to fit the family {family} to")
        return self.path


class NamedModel(Model):
    """Base of the models that the command line knows.

    A model is a frozen dataclass of the parameters fitted to the real data, with the size of
    these data as ``total`` (None for a law that is known).
    """

    family: ClassVar[str]
    fitted_with: ClassVar[tuple[str, ...] | None] = None
    """Parameters that may be given beside a file to fit to; None where no file is taken."""
    described: ClassVar[tuple[str, ...]] = ()
    """Names of the parameters that make the model again."""
    smallest_round: ClassVar[int] = 1
    largest_round: ClassVar[int] = checks.LARGEST_NUMBER

    @classmethod
    @abstractmethod
    def entry(cls, data: FamilyData) -> Entry[Model]:
        """Return the entry of the grammar; where `data` has a file the model is fitted to it."""

    def estimators(self) -> Mapping[str, Entry[Model]]:
        """Return the same model under each estimator of the family, by name."""
        return {"ml": Entry(lambda: self)}

    @override
    def training_size(self, samples: int | None) -> int:
        total, least, most = getattr(self, "total", None), self.smallest_round, self.largest_round
        return checks.training_size(samples, total=total, at_least=least, at_most=most)

    @override
    def describe(self) -> dict[str, Any]:
        return {"family": self.family, **{n: _plain(getattr(self, n)) for n in self.described}}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.describe() if hasattr(value, "describe") else value


def divisor_estimators(model: Any) -> Mapping[str, Entry[Model]]:
    """Return a Gaussian model with either divisor of its variance."""
    divisors = {"ml": 0, "unbiased": 1}
    return {name: Entry(lambda d=ddof: replace(model, ddof=d)) for name, ddof in divisors.items()}


def families(data: FamilyData) -> Mapping[str, Entry[Model]]:
    """Return all families by name, fitted to `data` where no parameters are given."""
    return LazyEntries(_FAMILIES, lambda name: _load(name).entry(data))


def _load(name: str) -> Any:
    module, _, kind = _FAMILIES[name].partition(":")
    return getattr(import_module(f"hayflick.chains.{module}"), kind)


def parse_family(
    text: str, *, data: FamilyData = FamilyData(), estimator: str | None = None
) -> Model:
    """Return the model that `text` names, fitted to `data` where it is given.

    Raises
    ------
    ArgumentError
        If a name, a key or a value is unknown, or a value out of its range.
    DataError
        If the data cannot be read, or do not fit the family.

    Examples
    --------
    >>> parse_family("gaussian:mean=2,deviation=3", estimator="ml")
    Gaussian(mean=2.0, deviation=3.0, total=None, ddof=0, resampler=None)
    """
    if len(set(data.columns)) < len(data.columns):
        raise ArgumentError("columns", got=", ".join(data.columns), takes="different names")
    name, _, parameters = text.partition(":")
    kind = _load(name) if name in _FAMILIES else None
    if data.path is not None and kind is not None:
        if kind.fitted_with is None:
            raise ArgumentError("corpus", got=data.path, takes=f"nothing with the family {name}")
        if parameters and not kind.fitted_with:
            takes = f"{name} alone where it is fitted to data"
            raise ArgumentError("family", got=text, takes=takes)
    model = parse("family", text, families(data))
    return model if estimator is None else with_estimator(model, estimator)


def with_estimator(model: Any, text: str) -> Any:
    """Return a model under the estimator that `text` names.

    Raises
    ------
    ArgumentError
        If its family has no such estimator.
    """
    return parse("estimator", text, model.estimators())


MOST_COUNTED = 10**9
"""Items that can be drawn from without replacement, by their counts."""

MOST_KEPT = 1 << 22
"""Items of one replicate that are kept themselves: a gigabyte for a block."""

Rng: TypeAlias = np.random.Generator


class FamilyChain(Chain[PopulationT, PoolT]):
    """A model retrained on its own draws, generation by generation.

    Parameters
    ----------
    model
        The model fitted to the real data.
    samples
        Size of a training set.
    stages
        Optional stages of a round.

    Raises
    ------
    ArgumentError
        If the family does not take one of the stages.
    """

    takes: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    """Types that the family takes, by stage."""

    def __init__(self, model: Any, samples: int, stages: Stages = Stages()) -> None:
        stages.check(model.family, self.takes)
        self.model = model
        self.stages = stages
        self._samples = samples

    @property
    @override
    def samples(self) -> int:
        return self._samples

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        family, least = self.model.family, self.model.smallest_round
        if any(mix.reserve is not None for mix in mixes):
            takes = f"for the family {family}: replace or fresh"
            raise ArgumentError("regime", got="a reserve", takes=takes)
        smallest = min((mix.samples for mix in mixes), default=least)
        if smallest < least:
            takes = f"training sets of at least {least} items for the family {family}"
            raise ArgumentError("regime", got=f"a round of {smallest}", takes=takes)

    def check_subsamples(
        self,
        mixes: Sequence[Mix[Any]],
        *,
        most: int = MOST_KEPT,
        refused: Collection[str] = ("real_weight",),
    ) -> None:
        """Refuse to draw from a pool whose items are unknown after a stage, or too many.

        Raises
        ------
        ArgumentError
            If there is such a stage, or the pool grows beyond `most`.
        """
        for name, stage in self.stages.given().items():
            if name in refused:
                takes = f"accumulate-subsample in the family {self.model.family} without {name}"
                raise ArgumentError(name, got=str(stage), takes=takes)
        size = (self.model.total or self.samples) + sum(mix.samples for mix in mixes)
        if size > most:
            takes = f"at most {most:,} items to draw from in this family"
            remedy = "lower samples or generations, or take accumulate"
            raise ArgumentError("pool", got=f"{size:,} items", takes=takes, remedy=remedy)

    @override
    def measure_last(self, population: PopulationT) -> Recorded:
        return {}

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {}

    @override
    def describe(self) -> dict[str, Any]:
        return {**self.model.describe(), "samples": self.samples, **self.stages.describe()}


class Mergeable(Protocol):
    """A pool of training sets, one per replicate."""

    def merge(self, other: Self) -> Self:
        """Return the statistic of both, replicate by replicate."""


class WeightedStatistic(Mergeable, Protocol):
    """A pool of numbers, real ones of which can weigh more."""

    @property
    def replicates(self) -> int:
        """Number of replicates."""

    def weighted(self, weight: float) -> Self:
        """Return the same items, each of them weighing `weight` times as much."""


MergeableT = TypeVar("MergeableT", bound=Mergeable)
WeightedStatisticT = TypeVar("WeightedStatisticT", bound=WeightedStatistic)


class NumericChain(FamilyChain[PopulationT, WeightedStatisticT]):
    """A family of numbers: real data are draws of the real law, or their statistic."""

    @abstractmethod
    def draw_real(self, rng: Rng, replicates: int, items: int) -> WeightedStatisticT:
        """Draw the statistic of `items` items from the real law."""

    @abstractmethod
    def real_data(self, replicates: int) -> WeightedStatisticT | None:
        """Return the statistic that θ_0 was fitted to; None for a law that is known."""

    @override
    def mix(self, rng: Rng, pool: WeightedStatisticT, mix: Mix[Any]) -> WeightedStatisticT:
        if not mix.fresh:
            return pool
        fresh = self.draw_real(rng, pool.replicates, mix.fresh)
        return pool.merge(fresh.weighted(self.stages.real_weight))

    def real_pools(self, rng: Rng, replicates: int) -> WeightedStatisticT:
        """Return pools of the real data; where the law is known, of draws from it."""
        real = self.real_data(replicates)
        if real is None:
            real = self.draw_real(rng, replicates, self.samples)
        return real.weighted(self.stages.real_weight)


class ParametricChain(NumericChain[Floats, WeightedStatisticT]):
    """A family whose model is a few numbers: a population has shape ``(parameters, replicates)``.

    Parameters and errors are those of `FamilyChain`.
    """

    parameters: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def real(self) -> tuple[float, ...]:
        """θ_0, the parameters fitted to the real data."""

    @property
    def unit(self) -> float:
        """What a grid's bits divide: the last parameter of the real data."""
        return self.real[-1]

    @override
    def start(self, replicates: int) -> Floats:
        fitted = self.rounded(np.array(self.real, dtype=np.float64))
        return np.repeat(fitted[:, None], replicates, axis=1)

    def rounded(self, values: Floats) -> Floats:
        """Return parameters on their grid."""
        grid = self.stages.rounding
        return values if grid is None else grid.rounded(values, unit=self.unit)

    @override
    def measure(self, population: Floats) -> Recorded:
        return {name: population[..., row, :] for row, name in enumerate(self.parameters)}


class CompiledParametricChain(ParametricChain[WeightedStatisticT], CompiledChain):
    """A parametric family with compiled rounds, where no stage but rounding is chosen.

    Parameters and errors are those of `FamilyChain`.
    """

    @cached_property
    def compiled(self) -> bool:
        """Whether compiled rounds exist for the chosen stages."""
        return set(self.stages.given()) <= {"rounding"}

    @abstractmethod
    def kernel(self) -> tuple[Callable[..., Floats], tuple[Any, ...]]:
        """Return the compiled rounds, and the constants that they take."""

    @override
    def run_rounds(
        self, rngs: tuple[Rng, ...], population: Floats, generated: Integers, fresh: Integers
    ) -> Floats:
        kernel, constants = self.kernel()
        grid = self.stages.rounding
        step = 0.0 if grid is None else grid.step_for(self.unit)
        return kernel(rngs, population, generated, fresh, *constants, step)


def _no_measurements(_sample: Any, _kept: Any) -> Recorded:
    return {}


@dataclass(frozen=True, eq=False)
class MergedPools(Pools, Generic[MergeableT]):
    """Pools kept as one statistic.

    Parameters
    ----------
    real
        Gives the real data.
    subsample
        Draws so many items without replacement from every pool; None where all are taken.
    measured
        Measures the newest pool and all that is kept.
    """

    real: Callable[[Rng, int], MergeableT]
    subsample: Callable[[MergeableT, Rng, int], MergeableT] | None = None
    measured: Callable[[MergeableT | None, MergeableT], Recorded] = _no_measurements

    @override
    def start(self, rng: Rng, replicates: int) -> MergeableT:
        return self.real(rng, replicates)

    @override
    def add(self, rng: Rng, kept: MergeableT, pool: MergeableT) -> MergeableT:
        return kept.merge(pool)

    @override
    def training_set(self, rng: Rng, kept: MergeableT, items: int | None) -> MergeableT:
        if items is None or self.subsample is None:
            return kept
        return self.subsample(kept, rng, items)

    @override
    def measure(self, pool: MergeableT | None, kept: MergeableT) -> Recorded:
        return self.measured(pool, kept)


@dataclass(frozen=True, eq=False)
class ItemPools(Pools, Generic[MergeableT]):
    """Pools kept item by item.

    Parameters
    ----------
    real
        Gives the real data, as a statistic.
    items
        Draws the items of a statistic, shape ``(replicates, items, …)``.
    of_items
        The statistic of items.
    """

    real: Callable[[Rng, int], MergeableT]
    items: Callable[[MergeableT, Rng], Floats]
    of_items: Callable[[Floats], MergeableT]

    @override
    def start(self, rng: Rng, replicates: int) -> Floats:
        return self.items(self.real(rng, replicates), rng)

    @override
    def add(self, rng: Rng, kept: Floats, pool: MergeableT) -> Floats:
        return np.concatenate([kept, self.items(pool, rng)], axis=1)

    @override
    def training_set(self, rng: Rng, kept: Floats, items: int | None) -> MergeableT:
        if items is None:
            return self.of_items(kept)
        number = kept.shape[1]
        rows = [own[rng.choice(number, items, replace=False, shuffle=False)] for own in kept]
        return self.of_items(np.stack(rows))

    @override
    def measure(self, pool: MergeableT | None, kept: Floats) -> Recorded:
        return {}


def subsampled(mixes: Sequence[Mix[Any]]) -> bool:
    """Return whether a generation is trained on some of what is kept."""
    return any(mix.subsample is not None for mix in mixes)


def marginal_draws(rng: Rng, counts: NDArray[Any], items: int) -> NDArray[np.int64]:
    """Draw items without replacement from counts, shape ``(replicates, kinds)``."""
    rows = [rng.multivariate_hypergeometric(row, items, method="marginals") for row in counts]
    return np.stack(rows)
