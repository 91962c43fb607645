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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from hayflick.chains.discrete_chains import DiscreteChain, StagedDiscreteChain
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD, AddDelta, GoodTuring, smoothings
from hayflick.chains.family import FamilyData, NamedModel
from hayflick.chains.resampled import ResampledChain
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.grammar import Entry
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model
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
