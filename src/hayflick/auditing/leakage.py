"""Which items of an evaluation set stand in a data set: common runs of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.dataset import blocks, text_series
from hayflick.auditing.shingle_kernels import runs_of_tokens
from hayflick.auditing.shingles import Shingles, shingles_of, token_hashes
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import share as share_of
from hayflick.core.checks import whole_number
from hayflick.core.progress import Progress, silent
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_named

LONGEST_RUN = 100
_LISTED = 100


@final
@dataclass(frozen=True)
class LeakedItem:
    """An evaluation item that stands in the data set, as a whole or for the most part.

    Parameters
    ----------
    item
        Its row in the evaluation set.
    share
        The share of its runs of words that the data set has.
    row
        The row of the data set in which most of these runs are found first.
    text
        The item.
    """

    item: int
    share: float
    row: int
    text: str


@final
@dataclass(frozen=True, eq=False)
class Leakage:
    """How much of an evaluation set stands in a data set.

    Parameters
    ----------
    items
        Number of evaluation items.
    too_short
        Items with fewer words than a run, blank ones included. They are only compared with
        whole rows: they are leaked where one is equal, else they were not measured.
    shares
        The share of each item's runs that the data set has; NaN where it was not measured.
    leaked
        Whether each item is leaked: the data set has at least the share `threshold` of its runs,
        and at least one.
    examples
        Leaked items, those with the largest share first.
    length, threshold
        Words of a run, and the least share of a leaked item.
    """

    items: int
    too_short: int
    shares: Floats
    leaked: NDArray[np.bool_]
    examples: tuple[LeakedItem, ...]
    length: int
    threshold: float

    @property
    def share(self) -> float | None:
        """The share of leaked items among the measured ones; None where none was measured."""
        measured = int(np.count_nonzero(~np.isnan(self.shares)))
        return int(self.leaked.sum()) / measured if measured else None


def find_leakage(
    texts: Sequence[str | None] | pl.Series,
    evaluation: Sequence[str | None] | pl.Series,
    *,
    length: int = 8,
    threshold: float = 0.5,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    listed: int = _LISTED,
    progress: Progress = silent,
) -> Leakage:
    """Find items of an evaluation set in a data set, by the runs of words that both have.

    Runs are compared by hashes of 64 bits. They are exact runs: an item with a changed word in
    every eight has none in common with its original; `find_duplicates` finds such ones.

    Parameters
    ----------
    texts
        The data set, such as training texts.
    evaluation
        The evaluation items, such as questions with their answers.
    length
        Words of a run; in scripts without spaces, pairs of characters. 8 and 13 are usual.
    threshold
        The least share of an item's runs in the data set with which it counts as leaked; with 0,
        one run suffices.
    tokenizer
        Splits texts into words.
    normalize
        Spellings that count as equal, see `hayflick.corpus.normalization`.
    listed
        Number of leaked items that are listed.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If there is no text.

    Examples
    --------
    >>> question = "How many rivers of this land end in a lake and not in the sea?"
    >>> found = find_leakage(["Quiz. " + question + " Seven.", "A dog."], [question, "Who?"])
    >>> found.shares.tolist(), found.too_short, found.share
    ([1.0, nan], 1, 1.0)
    >>> found.examples[0].row
    0

    References
    ----------
    Brown et al. (2020), Language models are few-shot learners, appendix C: runs of 13 words.
    Chowdhery et al. (2022), PaLM, section 8: the share of runs of 8 words.
    """
    length = whole_number("length", length, at_least=1, at_most=LONGEST_RUN)
    threshold = share_of("threshold", threshold)
    listed = whole_number("listed", listed, at_least=0, at_most=1_000_000)
    splitter = tokenizer_named(tokenizer)
    rows, asked = text_series(texts), text_series(evaluation, name="evaluation")
    spelled = normalized(asked, normalize).fill_null("")
    sets = shingles_of(spelled, tokenizer=splitter, length=length, shortest=1, progress=progress)
    wanted, place = np.unique(sets.hashes, return_inverse=True)
    first = _first_rows(rows, wanted, splitter, normalize, length, progress)[place.ravel()]
    shares = _found_shares(sets, first >= 0)
    short = sets.tokens < length
    shares[short & (shares == 0.0)] = np.nan
    leaked = (shares >= threshold) & (shares > 0.0)
    order = np.argsort(-np.where(leaked, shares, -1.0), kind="stable")
    examples = tuple(
        LeakedItem(int(item), float(shares[item]), _usual_row(sets, first, item), asked[int(item)])
        for item in order[: min(listed, int(leaked.sum()))]
    )
    return Leakage(
        len(asked), int(short.sum()), shares, leaked, examples, length=length, threshold=threshold
    )


def _first_rows(
    rows: pl.Series,
    wanted: NDArray[np.uint64],
    tokenizer: Tokenizer,
    normalize: str,
    length: int,
    progress: Progress,
) -> Integers:
    """Return the first row that has each of the wanted runs, which ascend; -1 for none."""
    first = np.full(wanted.size, -1)
    if not wanted.size:
        return first
    start = 0
    for block in blocks(rows.fill_null("")):
        tokens, offsets = token_hashes(normalized(block, normalize), tokenizer)
        runs, numbers = runs_of_tokens(tokens, offsets, length, 1)
        place = np.minimum(np.searchsorted(wanted, runs), wanted.size - 1)
        hits = np.flatnonzero(wanted[place] == runs)
        row = np.searchsorted(numbers.cumsum(), hits, side="right") + start
        new = first[place[hits]] < 0
        # In descending order of rows, so that the first one is written last.
        first[place[hits][new][::-1]] = row[new][::-1]
        start += len(block)
        progress("searching the data set", start, len(rows))
    return first


def _found_shares(sets: Shingles, found: NDArray[np.bool_]) -> Floats:
    """Return the share of each item's runs that were found; NaN for an item without any."""
    sums = np.concatenate(([0], np.cumsum(found)))
    numbers = np.diff(sets.offsets)
    hits = sums[sets.offsets[1:]] - sums[sets.offsets[:-1]]
    shares = np.full(numbers.size, np.nan)
    np.divide(hits, numbers, out=shares, where=numbers > 0)
    return shares


def _usual_row(sets: Shingles, first: Integers, item: int) -> int:
    """Return the row that comes first for most of an item's runs."""
    rows = first[sets.offsets[item] : sets.offsets[item + 1]]
    found, numbers = np.unique(rows[rows >= 0], return_counts=True)
    return int(found[np.argmax(numbers)])
