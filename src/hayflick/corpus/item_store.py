"""Items on disk for many passes: a text is split once, however often it is looked through."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hayflick.core.errors import OutputError
from hayflick.corpus.items import ItemBlock

_PARTS = 4


class ItemStore:
    """Blocks of items in a temporary file, read back one by one as often as is asked for.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    items, tokens : int
        How many were stored.
    shortest : int
        Tokens of the shortest item; 0 where there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blocks = 0
        self.items = self.tokens = self.shortest = 0

    def fill(self, blocks: Iterable[ItemBlock]) -> None:
        """Store blocks, about four bytes for every symbol of every item.

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
    """Yield a store of the blocks, which is removed in the end.

    Examples
    --------
    >>> block = ItemBlock(np.array([0]), np.array([3]), np.array([0, 2]), np.array([5, 7]))
    >>> with stored_items([block]) as store:
    ...     store.items, store.tokens, [block.symbols.tolist() for block in store]
    (1, 3, [[5, 7]])
    """
    with tempfile.TemporaryDirectory(prefix="hayflick-") as folder:
        store = ItemStore(Path(os.path.join(folder, "items.npy")))
        store.fill(blocks)
        yield store
