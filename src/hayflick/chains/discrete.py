"""The discrete (categorical) family: words, labels, anything that can be counted.

A generation draws n symbols and estimates the law from their counts. A symbol that is not
drawn has probability 0 from then on, unless real data or smoothing restore it.

References
----------
Suresh, Thangaraj, Khandavally, *Rate of Model Collapse in Recursive Training*,
arXiv:2412.17646, section 2.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.block_counts import (
    AliasTable,
    BlockCounts,
    CountClasses,
    LawBlock,
    WeightedCounts,
    count_classes,
    recorded_ranks,
)
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD, AddDelta, GoodTuring, smoothings
from hayflick.chains.family import (
    MOST_COUNTED,
    FamilyChain,
    FamilyData,
    MergedPools,
    NamedModel,
    Rng,
    subsampled,
)
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import DISCRETE_STAGES, GeneratedLaw, Stages, law_on_grid
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.grammar import Entry
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, PoolT, PopulationT, Recorded
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.reading import Corpus, read_corpus, read_table, read_text
from hayflick.corpus.table_format import TableFormat

MOST_TYPES = 100_000_000


@dataclass(frozen=True, eq=False)
class Discrete(NamedModel):
    """A law over symbols and the estimator that refits it in every generation.

    Parameters
    ----------
    symbols
        The symbols, without repetition.
    weights
        Shape ``(types,)``: whole numbers are the counts of real data, other numbers the
        probabilities of a law that is known. Above 0 throughout.
    estimator
        Estimator of the probabilities from counts; in its place the resampler of a trained model.
    source
        Where the data come from.

    Raises
    ------
    DataError
        If there is no symbol.

    Examples
    --------
    >>> fruit = Discrete.from_counts({"apple": 6, "pear": 3, "quince": 1})
    >>> fruit.types, fruit.total, fruit.probabilities.tolist()
    (3, 10, [0.6, 0.3, 0.1])
    """

    family: ClassVar[str] = "discrete"
    fitted_with: ClassVar[tuple[str, ...] | None] = ()

    symbols: tuple[str, ...]
    weights: Integers | Floats
    estimator: AddDelta | GoodTuring | Resampler = MAXIMUM_LIKELIHOOD
    source: Source = Source("counts")

    def __post_init__(self) -> None:
        if len(self.symbols) != len(self.weights) or not self.symbols:
            raise DataError(f"got {len(self.symbols)} symbols and {len(self.weights)} weights")
        if not (np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise DataError("weights: take finite numbers above 0; leave out what has none")
        frozen = np.array(self.weights)
        frozen.setflags(write=False)
        object.__setattr__(self, "weights", frozen)

    def __repr__(self) -> str:
        size = f"types={self.types}, total={self.total}"
        return f"Discrete({self.source.name!r}, {size}, estimator={self.estimator})"

    @classmethod
    def from_file(
        cls,
        path: Any,
        *,
        column: str | None = None,
        tokenizer: str | None = None,
        encoding: str = "utf-8",
        normalize: str = "nfc",
        table: TableFormat | None = None,
        estimator: AddDelta = MAXIMUM_LIKELIHOOD,
        progress: Progress = silent,
    ) -> Discrete:
        """Return the law of a text, a folder of texts, a table's column or a count mapping.

        Parameters and errors are those of `hayflick.corpus.reading.read_corpus`.
        """
        corpus = read_corpus(
            path,
            column=column,
            tokenizer=tokenizer,
            encoding=encoding,
            normalize=normalize,
            table=table,
            progress=progress,
        )
        return cls.from_corpus(corpus, estimator=estimator)

    @classmethod
    def from_text(
        cls, path: str | os.PathLike[str], *, tokenizer: str = "auto", encoding: str = "utf-8"
    ) -> Discrete:
        """Return the law of the tokens of a text file or a folder of texts."""
        return cls.from_corpus(read_text(path, tokenizer=tokenizer, encoding=encoding))

    @classmethod
    def from_table(
        cls,
        path: str | os.PathLike[str],
        *,
        column: str,
        encoding: str = "utf-8",
        table: TableFormat | None = None,
    ) -> Discrete:
        """Return the law of the labels in a column of a CSV, TSV, JSONL, Parquet or xlsx file."""
        return cls.from_corpus(read_table(path, column=column, encoding=encoding, table=table))

    @classmethod
    def from_corpus(cls, corpus: Corpus, *, estimator: AddDelta = MAXIMUM_LIKELIHOOD) -> Discrete:
        """Return the law fitted to a corpus that was read and counted."""
        return cls(corpus.counts.symbols, corpus.counts.numbers, estimator, corpus.source)

    @classmethod
    def from_counts(
        cls,
        counts: Counts | Mapping[str, int],
        *,
        estimator: AddDelta = MAXIMUM_LIKELIHOOD,
        source: Source = Source("counts"),
    ) -> Discrete:
        """Return the law fitted to counts.

        Raises
        ------
        ArgumentError
            If a count is no whole number from 1.
        """
        if not isinstance(counts, Counts):
            counts = Counts.from_mapping(counts)
        return cls(counts.symbols, counts.numbers, estimator, source)

    @classmethod
    def zipf_mandelbrot(cls, types: int, *, exponent: float, offset: float = 0.0) -> Discrete:
        """Return the law p_i ∝ (i + offset)^(-exponent) over ranks i = 1 … types.

        Raises
        ------
        ArgumentError
            If `types` is below 1, or another argument negative.

        Examples
        --------
        >>> Discrete.zipf_mandelbrot(2, exponent=1.0).probabilities.round(3).tolist()
        [0.667, 0.333]
        """
        types = whole_number("types", types, at_least=1, at_most=MOST_TYPES)
        exponent = number_between("exponent", exponent, low=0.0)
        offset = number_between("offset", offset, low=0.0)
        ranks = np.arange(1, types + 1)
        weights = (ranks + offset) ** -exponent
        source = Source(f"zipf-mandelbrot:types={types},exponent={exponent},offset={offset}")
        return cls(tuple(map(str, ranks)), weights / weights.sum(), source=source)

    @property
    def types(self) -> int:
        """Number of symbols."""
        return len(self.symbols)

    @property
    def counts(self) -> Integers | None:
        """Counts of the real data, shape ``(types,)``; None for a law that is known."""
        if not np.issubdtype(self.weights.dtype, np.integer):
            return None
        return self.weights.astype(np.int64, copy=False)

    @cached_property
    def total(self) -> int | None:
        """Number of real items; None for a law that is known."""
        return None if self.counts is None else int(self.counts.sum())

    @cached_property
    def probabilities(self) -> Floats:
        """The real law p_0, shape ``(types,)``."""
        law: Floats = self.weights / self.weights.sum()
        return law

    @cached_property
    def positions(self) -> dict[str, int]:
        """Index of every symbol in `symbols`."""
        return {symbol: position for position, symbol in enumerate(self.symbols)}

    def places_of(self, symbols: Sequence[str]) -> Integers:
        """Return the indices of symbols, shape ``(len(symbols),)``.

        Raises
        ------
        DataError
            If one is not in the data.
        """
        unknown = [symbol for symbol in symbols if symbol not in self.positions]
        if unknown:
            raise DataError(f"symbols: {unknown[0]!r} is not in {self.source.name}")
        return np.array([self.positions[symbol] for symbol in symbols], dtype=np.int64)

    @property
    def smoothing(self) -> AddDelta:
        """The estimator as add-δ smoothing, the only one whose laws are known.

        Raises
        ------
        ArgumentError
            If the estimator is another one.
        """
        if isinstance(self.estimator, AddDelta):
            return self.estimator
        remedy = "simulate it; a law of it is not known"
        got = self.estimator.describe()
        raise ArgumentError("estimator", got=got, takes="ml or add-delta", remedy=remedy)

    @property
    def initial_uniform_share(self) -> float:
        """Share of θ_0, the fit to the real data, that smoothing spreads evenly."""
        if self.total is None:
            return 0.0
        return self.smoothing.uniform_share(total=self.total, types=self.types)

    @property
    def initial_law(self) -> Floats:
        """θ_0, the estimate from the real data, shape ``(types,)``."""
        share = self.initial_uniform_share
        return (1.0 - share) * self.probabilities + share / self.types

    def align(self, reserve: Counts | None) -> Integers:
        """Return the counts of a reserve in the order of `symbols`, 0 where it has none.

        Raises
        ------
        DataError
            If the reserve names symbols that the real data lack; up to ten are listed.
        """
        aligned = np.zeros(self.types, dtype=np.int64)
        if reserve is None:
            return aligned
        unknown = [symbol for symbol in reserve.symbols if symbol not in self.positions]
        if unknown:
            raise DataError(
                f"reserve: names symbols that {self.source.name} lacks: {listed(unknown)}; "
                "remove them, or check the tokenizer and the column"
            )
        where = [self.positions[symbol] for symbol in reserve.symbols]
        aligned[where] = reserve.numbers
        return aligned

    @override
    def chain(
        self, samples: int, *, stages: Stages = Stages()
    ) -> DiscreteChain | StagedDiscreteChain:
        samples = self.training_size(samples)
        if isinstance(self.estimator, Resampler):
            from hayflick.chains.resampled import ResampledChain

            return ResampledChain(self, samples, stages)
        # Counts that are drawn and fitted as they are have a chain of their own, a fast one.
        if stages.given() or not isinstance(self.estimator, AddDelta):
            return StagedDiscreteChain(self, samples, stages)
        return DiscreteChain(self, samples)

    def with_estimator(self, estimator: AddDelta | GoodTuring | Resampler) -> Discrete:
        """Return the same law under another estimator; an ideal resampler is maximum likelihood."""
        ideal = isinstance(estimator, Resampler) and estimator.ideal
        return replace(self, estimator=MAXIMUM_LIKELIHOOD if ideal else estimator)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make() -> Discrete:
            return cls.from_file(
                data.require("discrete"),
                column=data.column,
                tokenizer=data.tokenizer,
                encoding=data.encoding,
                normalize=data.normalize,
                table=data.table,
                progress=data.progress,
            )

        return Entry(make)

    @override
    def estimators(self) -> Mapping[str, Entry[Model]]:
        good_turing = Entry(lambda: self.with_estimator(GoodTuring()))
        return {**smoothings(self), "good-turing": good_turing}

    @override
    def describe(self) -> dict[str, Any]:
        trainer = self.estimator if isinstance(self.estimator, Resampler) else None
        return {
            "family": self.family,
            "input": self.source.name,
            "tokenizer": self.source.tokenizer,
            "column": self.source.column,
            "encoding": self.source.encoding,
            "types": self.types,
            "tokens": self.total,
            "estimator": self.estimator.describe(),
            **({"resampler": trainer.to_dict()} if trainer else {}),
        }


class _SymbolChain(FamilyChain[PopulationT, PoolT]):
    """What both chains of a discrete law share."""

    takes = DISCRETE_STAGES
    model: Discrete

    @abstractmethod
    def empty_pools(self, replicates: int) -> PoolT:
        """Return pools without a single item."""

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        # A reserve that names other symbols is refused.
        for mix in mixes[:1]:
            self.model.align(mix.reserve)

    @override
    def check_subsamples(
        self, mixes: Sequence[Mix[Any]], *, most: int = MOST_COUNTED, refused: Collection[str] = ()
    ) -> None:
        if subsampled(mixes):
            super().check_subsamples(mixes, most=most, refused=refused)

    def real_pools(self, rng: Rng, replicates: int) -> PoolT:
        """Return pools of the real data: the counts, or draws of a known law."""
        model = self.model
        data: Mix[Counts] = Mix(generated=0, fresh=self.samples)
        if model.counts is not None:
            data = Mix(generated=0, reserve=Counts(model.symbols, model.counts))
        return self.mix(rng, self.empty_pools(replicates), data)


class DiscreteChain(_SymbolChain[BlockCounts, BlockCounts]):
    """A discrete law retrained on its own draws: counts alone, extinct symbols left out.

    The counts are the model's parameters; smoothing comes in where they are drawn from.
    """

    @cached_property
    def _real(self) -> AliasTable:
        return AliasTable.of(self.model.probabilities)

    @cached_property
    def _uniform(self) -> AliasTable:
        return AliasTable.of(np.full(self.model.types, 1.0 / self.model.types))

    @cached_property
    def classes(self) -> CountClasses:
        """Symbols grouped by their count in the real data (expected, for a known law)."""
        counts = self.model.counts
        expected = self.model.probabilities * self.samples
        return count_classes(expected if counts is None else counts)

    @override
    def empty_pools(self, replicates: int) -> BlockCounts:
        return BlockCounts.empty(replicates)

    @override
    def start(self, replicates: int) -> BlockCounts:
        return BlockCounts.empty(replicates)

    @override
    def generate(self, rng: Rng, population: BlockCounts, draws: int) -> BlockCounts:
        # Smoothing makes a model a mixture of what it observed and the uniform law.
        share = self._uniform_share(population)
        uniform = np.zeros(population.replicates, np.int64)
        if share > 0:
            uniform = rng.binomial(draws, share, population.replicates)
        if population.size == 0:
            pool = self._real.add(rng, population, draws - uniform)
        else:
            pool = population.redraw(rng, draws - uniform)
        if share > 0:
            pool = self._uniform.add(rng, pool, uniform)
        return replace(pool, size=draws)

    def _uniform_share(self, population: BlockCounts) -> float:
        if population.size == 0:
            return self.model.initial_uniform_share
        return self.model.smoothing.uniform_share(total=population.size, types=self.model.types)

    @override
    def mix(self, rng: Rng, pool: BlockCounts, mix: Mix[Counts]) -> BlockCounts:
        if mix.fresh:
            drawn = self._real.add(rng, pool, np.full(pool.replicates, mix.fresh))
            pool = replace(drawn, size=pool.size + mix.fresh)
        return pool if mix.reserve is None else pool.merge(self._stored(mix.reserve))

    @cached_property
    def _aligned(self) -> dict[Counts, BlockCounts]:
        return {}

    def _stored(self, reserve: Counts) -> BlockCounts:
        # The same reserve comes back in every round: align it once.
        if reserve not in self._aligned:
            aligned = self.model.align(reserve)
            places = np.flatnonzero(aligned).astype(np.int32)
            sparse = places, aligned[places], np.array([0, places.size])
            self._aligned[reserve] = BlockCounts(sparse, reserve.total)
        return self._aligned[reserve]

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[BlockCounts]:
        """Return how the counts of all rounds are kept.

        Raises
        ------
        ArgumentError
            If the pool is too large to draw from without replacement.
        """
        self.check_subsamples(mixes)

        def measured(sample: BlockCounts | None, kept: BlockCounts) -> Recorded:
            recorded = {"surviving_in_pool": np.diff(kept.sparse[2])}
            if sample is not None:
                own = self.measure(sample)
                recorded |= {name: own[name] for name in own if name != "diversity"}
            return recorded

        return MergedPools(self.real_pools, lambda *drawn: drawn[0].subsample(*drawn[1:]), measured)

    @override
    def estimate(self, pool: BlockCounts) -> BlockCounts:
        return pool

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        model, classes = self.model, self.classes
        if population.size == 0:
            survivors = np.tile(classes.sizes, (population.replicates, 1))
            diversity = np.full(population.replicates, 1.0 - np.sum(model.initial_law**2))
        else:
            from hayflick.chains.count_kernels import summarise

            tables = classes.of_symbol, classes.lower.size
            survivors, squares = summarise(*population.sparse, *tables)
            # With N for a count: Σ (N + δ)² = Σ N² + 2 δ n + δ² m.
            delta, size = model.smoothing.delta, float(population.size)
            squares = squares + delta * (2.0 * size + delta * model.types)
            diversity = 1.0 - squares / (size + delta * model.types) ** 2
        return self.recorded(survivors, diversity)

    def recorded(self, survivors: Integers, diversity: Floats) -> Recorded:
        """Return the measurements of survivors by class, and of diversity."""
        surviving = survivors.sum(axis=1)
        return {
            "surviving_types": surviving,
            "surviving_fraction": surviving / self.model.types,
            "diversity": diversity,
            "class_survivors": survivors,
        }

    @override
    def measure_last(self, population: BlockCounts) -> Recorded:
        from hayflick.chains.count_kernels import counts_at_ranks

        _, counts, offsets = population.sparse
        return {"count_by_rank": counts_at_ranks(counts, offsets, self.ranks)}

    @cached_property
    def ranks(self) -> Integers:
        """Ranks at which the counts of the last generation are recorded, evenly in logs."""
        return recorded_ranks(self.model.types)

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {
            "class_survivors": ("count_class", self.classes.lower),
            "count_by_rank": ("rank", self.ranks),
        }


class StagedDiscreteChain(_SymbolChain[LawBlock, WeightedCounts]):
    """A discrete law retrained with further stages, or another estimator than add-δ."""

    def __init__(self, model: Discrete, samples: int, stages: Stages) -> None:
        super().__init__(model, samples, stages)
        if isinstance(model.estimator, GoodTuring) and stages.real_weight != 1.0:
            takes = "1 with the estimator good-turing, which needs whole counts"
            raise ArgumentError("real_weight", got=stages.real_weight, takes=takes)
        self._generated = GeneratedLaw.of(stages, model.symbols)

    @override
    def empty_pools(self, replicates: int) -> WeightedCounts:
        nothing = np.zeros((replicates, self.model.types), np.int64)
        return WeightedCounts(nothing, nothing)

    @override
    def start(self, replicates: int) -> LawBlock:
        model = self.model
        real = model.probabilities[None]
        if model.counts is not None:
            real = self._fit(model.counts[None].astype(np.float64))
        return LawBlock(np.repeat(self._rounded(real), replicates, axis=0), None)

    @override
    def generate(self, rng: Rng, population: LawBlock, draws: int) -> WeightedCounts:
        counts = rng.multinomial(draws, self._generated.of_law(population.law))
        return WeightedCounts(counts, np.zeros_like(counts))

    @override
    def mix(self, rng: Rng, pool: WeightedCounts, mix: Mix[Any]) -> WeightedCounts:
        real = self.model.align(mix.reserve)[None].repeat(len(pool.real), axis=0)
        if mix.fresh:
            real += rng.multinomial(mix.fresh, self.model.probabilities, len(real))
        return WeightedCounts(pool.generated, pool.real + real)

    def pools(self, mixes: Sequence[Mix[Any]]) -> MergedPools[WeightedCounts]:
        """Return how the counts of all rounds are kept.

        Raises
        ------
        ArgumentError
            If the pool is too large to draw from without replacement.
        """
        self.check_subsamples(mixes)

        def measured(sample: WeightedCounts | None, kept: WeightedCounts) -> Recorded:
            in_pool = {"surviving_in_pool": kept.surviving}
            return in_pool if sample is None else {**in_pool, **self._survivors(sample.surviving)}

        return MergedPools(self.real_pools, WeightedCounts.subsample, measured)

    @override
    def estimate(self, pool: WeightedCounts) -> LawBlock:
        law = self._fit(pool.generated + self.stages.real_weight * pool.real)
        return LawBlock(self._rounded(law), pool.generated + pool.real)

    def _rounded(self, law: Floats) -> Floats:
        grid = self.stages.rounding
        return law if grid is None else law_on_grid(law, grid)

    def _fit(self, counts: Floats) -> Floats:
        estimator = self.model.estimator
        if isinstance(estimator, GoodTuring):
            return np.stack([estimator.fit(row) for row in counts])
        smoothed = counts + self.model.smoothing.delta
        law: Floats = smoothed / smoothed.sum(axis=1, keepdims=True)
        return law

    @override
    def measure(self, population: LawBlock) -> Recorded:
        surviving = np.full(len(population.law), self.model.types)
        if population.counts is not None:
            surviving = np.count_nonzero(population.counts, axis=1)
        diversity = 1.0 - np.sum(population.law**2, axis=1)
        return {**self._survivors(surviving), "diversity": diversity}

    def _survivors(self, surviving: Integers) -> dict[str, NDArray[Any]]:
        return {"surviving_types": surviving, "surviving_fraction": surviving / self.model.types}
