"""Which words stand in which texts of a data set and of its two references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from hayflick.auditing.dataset import blocks, byte_size
from hayflick.core.arrays import Integers
from hayflick.core.progress import Progress
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer

FEWEST_TEXTS = 5
"""A word counts if it stands in so many texts of the references, or of the data set."""

_SPLIT_SEED = 2403


@dataclass(frozen=True, eq=False)
class WordTable:
    """In how many texts each word stands.

    Parameters
    ----------
    words
        The words that stand in enough texts of any of the three samples.
    counts
        Texts of the data set, of the human and of the model's reference with each word, of shape
        ``(3, words)``.
    sizes
        Texts of the three samples.
    known
        Positions of the words that stand in enough texts of the references.
    samples
        Which of the known words stand in each text: a row per text, a column per known word.
    parts
        A number from 0 to 4 for each text of the two references; equal texts have the same.
    """

    words: pl.Series
    counts: Integers
    sizes: Integers
    known: Integers
    samples: tuple[csr_array, csr_array, csr_array]
    parts: tuple[Integers, Integers]


def word_table(
    samples: tuple[pl.Series, pl.Series, pl.Series],
    *,
    tokenizer: Tokenizer,
    parts: int,
    progress: Progress,
) -> WordTable:
    """Count in how many texts of three samples each word stands.

    Parameters
    ----------
    samples
        The data set, human texts and a model's texts, without nulls.
    tokenizer
        Splits them.
    parts
        Into how many the references are divided.
    progress
        Is told of the bytes that are read, twice.
    """
    counter = _ByteProgress(progress, sum(byte_size(sample) for sample in samples))
    tables = [_counts(sample, tokenizer, counter) for sample in samples]
    names = ("target", "human", "model")
    joined = tables[0].rename({"number": names[0]})
    for name, table in zip(names[1:], tables[1:], strict=True):
        joined = joined.join(table.rename({"number": name}), on="symbol", how="full", coalesce=True)
    joined = joined.with_columns(pl.col(names).fill_null(0)).filter(
        (pl.col("target") >= FEWEST_TEXTS) | (pl.col("human") + pl.col("model") >= FEWEST_TEXTS)
    )
    joined = joined.sort("symbol")
    counts = joined.select(names).to_numpy().T.astype(np.int64)
    known = np.flatnonzero(counts[1] + counts[2] >= FEWEST_TEXTS)
    vocabulary = pl.DataFrame(
        {"symbol": joined["symbol"].gather(known), "column": np.arange(known.size)}
    )
    target, human, model = (
        _incidence(sample, tokenizer, vocabulary, counter) for sample in samples
    )
    return WordTable(
        words=joined["symbol"],
        counts=counts,
        sizes=np.array([len(sample) for sample in samples]),
        known=known,
        samples=(target, human, model),
        parts=(_parts(samples[1], parts), _parts(samples[2], parts)),
    )


class _ByteProgress:
    """Progress in bytes over several samples, each read twice."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, 2 * total, 0

    def add(self, number: int) -> None:
        self._done += number
        self._progress("counting words", self._done, self._total)


def _words(
    texts: pl.Series, tokenizer: Tokenizer, counter: _ByteProgress
) -> Iterator[tuple[int, pl.LazyFrame]]:
    """Yield the size of each block of texts, and its pairs of a row and a word, each once."""
    for block in blocks(texts):
        rows = normalized(block, "nfc").alias("text").to_frame().with_row_index("row")
        yield len(block), tokenizer.tokens(rows.lazy()).unique(["row", "symbol"])
        counter.add(byte_size(block))


def _counts(texts: pl.Series, tokenizer: Tokenizer, counter: _ByteProgress) -> pl.DataFrame:
    """Return in how many texts each word stands."""
    number = pl.col("number").sum()
    total = pl.DataFrame(schema={"symbol": pl.String, "number": pl.Int64})
    for _, words in _words(texts, tokenizer, counter):
        counted = words.group_by("symbol").agg(pl.len().cast(pl.Int64).alias("number"))
        total = pl.concat([total, counted.collect()]).group_by("symbol").agg(number)
    return total


def _incidence(
    texts: pl.Series, tokenizer: Tokenizer, vocabulary: pl.DataFrame, counter: _ByteProgress
) -> csr_array:
    """Return which words of a vocabulary stand in each text."""
    columns, numbers = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
    for size, words in _words(texts, tokenizer, counter):
        known = words.join(vocabulary.lazy(), on="symbol").sort("row", "column").collect()
        columns.append(known["column"].to_numpy().astype(np.int32))
        numbers.append(np.bincount(known["row"].to_numpy(), minlength=size))
    column, begins = np.concatenate(columns), np.concatenate(numbers).cumsum()
    ones = np.ones(column.size, np.float32)
    return csr_array((ones, column, begins), shape=(len(texts), len(vocabulary)))


def _parts(texts: pl.Series, number: int) -> Integers:
    return (texts.hash(_SPLIT_SEED) % number).cast(pl.Int64).to_numpy()
