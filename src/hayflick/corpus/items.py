"""Read the items of a data set (lines, rows or texts) with their tokens.

An item is what a reserve can store: a line of a text, a row of a table, a text of a folder. Items
stream in blocks; memory is bounded by a block, the number of types and the longest item.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.core.arrays import Integers
from hayflick.core.errors import DataError, OutputError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.frames import Table
from hayflick.corpus.normalization import normalized_pieces
from hayflick.corpus.reading import Corpus, text_files
from hayflick.corpus.running_text import plain_text
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import is_table, table_column
from hayflick.corpus.tokenizers import tokenizer_named

LONGEST_LINE = 1 << 26
"""Largest number of characters of a line, which is held in memory whole."""


def lines(texts: Iterator[str], *, name: str, longest: int = LONGEST_LINE) -> Iterator[list[str]]:
    r"""Yield the lines of running text in batches, without line ends.

    Parameters
    ----------
    texts
        The text, cut anywhere.
    name
        Name of the text in messages.
    longest
        Largest number of characters of a line.

    Raises
    ------
    DataError
        If a line is longer.

    Examples
    --------
    >>> list(lines(iter(["one tw", "o\r\nthr", "ee\n\nfo", "ur"]), name="verse"))
    [['one two'], ['three', ''], ['four']]
    """
    begun: list[str] = []
    length = 0
    for text in texts:
        head, newline, tail = text.rpartition("\n")
        begun.append(head if newline else tail)
        length += len(begun[-1])
        if length > longest and "\n" not in begun[-1]:
            raise DataError(f"{name}: a line is longer than {longest:,} characters; cut it")
        if newline:
            yield [line.removesuffix("\r") for line in "".join(begun).split("\n")]
            begun, length = [tail], len(tail)
    if rest := "".join(begun):
        yield [rest.removesuffix("\r")]


BLOCK_CHARACTERS = 1 << 22
"""Size of the text that is tokenized at once."""

_BLOCK_ROWS = 1 << 17


@dataclass(frozen=True, eq=False)
class ItemBlock:
    """A block of items, with the symbols that occur in each.

    Parameters
    ----------
    numbers
        Position of each item in the data, from 0 and ascending, shape ``(items,)``.
    tokens
        Number of tokens of each, at least 1, shape ``(items,)``.
    starts
        Item i's symbols are ``symbols[starts[i]:starts[i + 1]]``, shape ``(items + 1,)``.
    symbols
        Positions of the symbols in the data's counts, each once per item.
    """

    numbers: Integers
    tokens: Integers
    starts: Integers
    symbols: NDArray[np.int32]


def item_blocks(
    path: Table, *, corpus: Corpus, given: TableFormat | None = None, progress: Progress = silent
) -> Iterator[ItemBlock]:
    r"""Yield the items of data that were counted before, except those without tokens.

    An item with a token that was not counted is left out too: counting may have cut a very long
    line inside a token.

    Parameters
    ----------
    path
        A text, a folder of texts, a table or a frame.
    corpus
        Its counts and source.
    given
        What is known of the format of a table.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If it holds counts only, or cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from hayflick.corpus.reading import read_corpus
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "verse.txt"
    ...     _ = path.write_text("so so\n\nwhy so\n")
    ...     corpus = read_corpus(path)
    ...     block = next(item_blocks(path, corpus=corpus))
    >>> corpus.counts.symbols, block.numbers.tolist(), block.tokens.tolist()
    (('so', 'why'), [0, 2], [2, 2])
    >>> block.starts.tolist(), block.symbols.tolist()
    ([0, 1, 3], [0, 0, 1])
    """
    name = corpus.source.tokenizer
    split = _whole_cells if name is None else tokenizer_named(name).tokens
    # Made once: it is a table of all symbols.
    symbols = pl.Enum(corpus.counts.symbols)
    place = pl.col("symbol").cast(symbols, strict=False).to_physical()
    refuse_counts(path)
    for texts in _item_texts(path, corpus.source, given, progress):
        yield _block(split(texts.lazy()), texts, place, types=corpus.counts.types)


def refuse_counts(path: Table) -> None:
    """Refuse a JSON object of symbol: count.

    Raises
    ------
    DataError
        If the name of `path` says so.
    """
    if isinstance(path, Path) and content_suffix(path) == ".json" and not path.is_dir():
        remedy = "give the text or the table that was counted"
        raise DataError(f"{path}: holds counts, and no items to store; {remedy}")


def _whole_cells(text: pl.LazyFrame) -> pl.LazyFrame:
    return text.rename({"text": "symbol"})


def _block(split: pl.LazyFrame, texts: pl.DataFrame, place: pl.Expr, *, types: int) -> ItemBlock:
    first = int(texts["item"][0])
    # A cell without text holds nothing, as in `hayflick.corpus.reading`.
    tokens = split.filter(pl.col("symbol") != "").select("item", place).collect()
    uncounted = tokens.filter(pl.col("symbol").is_null()).get_column("item").unique()
    if uncounted.len():
        tokens = tokens.filter(~pl.col("item").is_in(uncounted.implode()))
    rows = tokens["item"].to_numpy() - first
    # Sorted by item, then by symbol, each pair once.
    pairs = np.unique(rows * types + tokens["symbol"].to_numpy())
    items, symbols = np.divmod(pairs, types)
    totals = np.bincount(rows, minlength=texts.height)
    held = np.flatnonzero(totals)
    starts = np.searchsorted(items, np.append(held, texts.height))
    return ItemBlock(first + held, totals[held], starts, symbols.astype(np.int32))


def _item_texts(
    path: Table, source: Source, given: TableFormat | None, progress: Progress
) -> Iterator[pl.DataFrame]:
    """Yield items in frames of columns ``item``, from 0, and ``text``."""
    first = 0
    for texts in _texts(path, source, given, progress):
        number = pl.int_range(first, first + len(texts), dtype=pl.Int64, eager=True)
        yield pl.DataFrame({"item": number, "text": texts})
        first += len(texts)


def _texts(
    path: Table, source: Source, given: TableFormat | None, progress: Progress
) -> Iterator[pl.Series]:
    encoding, normalize = source.encoding, source.normalization
    if isinstance(path, pl.DataFrame) or is_table(path):
        opening = table_column(
            path, column=source.column, given=given, encoding=encoding, normalize=normalize
        )
        with opening as found:
            for frame in found.labels.collect_batches(chunk_size=_BLOCK_ROWS):
                yield frame.get_column("text")
        return
    texts: Iterator[list[str]]
    if path.is_dir():
        texts = (["".join(plain_text(file, encoding=encoding))] for file in text_files(path))
    else:
        text = plain_text(path, encoding=encoding, progress=progress)
        texts = lines(text, name=str(path))
    for block in _gathered(texts):
        yield pl.Series(list(normalized_pieces(block.to_list(), normalize)), dtype=pl.String)


def _gathered(batches: Iterator[list[str]]) -> Iterator[pl.Series]:
    """Yield texts in series of about `BLOCK_CHARACTERS`."""
    block: list[str] = []
    size = 0
    for batch in batches:
        block += batch
        size += sum(map(len, batch))
        if size >= BLOCK_CHARACTERS:
            yield pl.Series(block)
            block, size = [], 0
    if block:
        yield pl.Series(block)


_PARTS = 4


class ItemStore:
    """Blocks of items in a temporary file; iterating reads them back one by one.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    items, tokens : int
        Numbers of items and of their tokens.
    shortest : int
        Number of tokens of the shortest item; 0 for no item.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blocks = 0
        self.items = self.tokens = self.shortest = 0

    def fill(self, blocks: Iterable[ItemBlock]) -> None:
        """Store blocks, in about four bytes per symbol of each item.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        with open(self._path, "wb") as file:
            for block in filter(lambda block: block.numbers.size, blocks):
                try:
                    for part in (block.numbers, block.tokens, block.starts, block.symbols):
                        np.save(file, part)
                except OSError as fault:
                    remedy = "free some space, or name another folder with TMPDIR"
                    raise OutputError(f"{self._path}: {fault.strerror}; {remedy}") from None
                self._blocks += 1
                self.items += block.numbers.size
                self.tokens += int(block.tokens.sum())
                shortest = int(block.tokens.min())
                self.shortest = min(shortest, self.shortest or shortest)

    def __iter__(self) -> Iterator[ItemBlock]:
        with open(self._path, "rb") as file:
            for _ in range(self._blocks):
                yield ItemBlock(*(np.load(file) for _ in range(_PARTS)))


@contextmanager
def stored_items(blocks: Iterable[ItemBlock]) -> Iterator[ItemStore]:
    """Yield a store of the blocks, and remove it on exit.

    Examples
    --------
    >>> block = ItemBlock(np.array([0]), np.array([3]), np.array([0, 2]), np.array([5, 7]))
    >>> with stored_items([block]) as store:
    ...     store.items, store.tokens, [block.symbols.tolist() for block in store]
    (1, 3, [[5, 7]])
    """
    with tempfile.TemporaryDirectory(prefix="hayflick-") as folder:
        store = ItemStore(Path(folder) / "items.npy")
        store.fill(blocks)
        yield store
