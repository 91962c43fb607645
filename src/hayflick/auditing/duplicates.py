"""Which texts of a data set are copies of one another, exactly or nearly.

Equal texts are found first. The others are sets of shingles (pairs of neighbouring words);
MinHash proposes pairs of them, and every proposed pair is compared exactly. Clusters are what is
connected by such pairs, so that the order of the rows changes nothing.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl

from hayflick.auditing.dataset import byte_size, text_series
from hayflick.auditing.shingle_kernels import band_keys, join_similar
from hayflick.auditing.shingles import Hashes, Shingles, shingles_of
from hayflick.core.arrays import Integers
from hayflick.core.checks import MOST_THREADS, number_between, whole_number
from hayflick.core.effort import Effort, expect
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import tokenizer_named

LARGEST_SHINGLE = 20
_MOST_FUNCTIONS = 512
_LISTED = 100
_EXAMPLES = 3
_BUCKET_COMPARISONS = 1_000_000
_HASHES_SEED = 18_041
_BYTES_A_LETTER = 6.0
_BYTES_A_SECOND = 6e6


@final
@dataclass(frozen=True)
class DuplicateCluster:
    """Texts that are copies of one another.

    Parameters
    ----------
    size
        Number of rows.
    texts
        Number of different texts; 1 where all are equal.
    examples
        Some of its texts, the most frequent ones first.
    """

    size: int
    texts: int
    examples: tuple[str, ...]


@final
@dataclass(frozen=True)
class Bands:
    """How MinHash proposes pairs: texts that agree in all `rows` values of any of `number` bands.

    Parameters
    ----------
    number, rows
        Of bands, and of hash functions in each.
    """

    number: int
    rows: int

    def recall(self, similarity: float) -> float:
        """Return the probability that a pair of this Jaccard similarity is proposed; exact.

        Examples
        --------
        >>> round(Bands(95, 5).recall(0.7), 4)
        1.0
        """
        return 1.0 - (1.0 - similarity**self.rows) ** self.number


def bands_for(similarity: float, *, recall: float, functions: int = _MOST_FUNCTIONS) -> Bands:
    """Return the most selective bands that propose similar pairs with a stated probability.

    Parameters
    ----------
    similarity
        Jaccard similarity of the pairs.
    recall
        The least probability that such a pair is proposed.
    functions
        The largest number of hash functions.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> bands_for(0.5, recall=0.95), bands_for(0.5, recall=0.95, functions=128)
    (Bands(number=95, rows=5), Bands(number=23, rows=3))
    """
    similarity = number_between("similarity", similarity, low=0.2, high=1.0)
    recall = number_between("recall", recall, low=0.5, high=0.9999)
    if similarity == 1.0:
        return Bands(1, 1)
    return max(_possible_bands(similarity, recall, functions), key=lambda bands: bands.rows)


def _possible_bands(similarity: float, recall: float, functions: int) -> Iterator[Bands]:
    for rows in range(1, functions + 1):
        # Where the power is 0 in floating point, no number of bands is large enough.
        agreed = max(similarity**rows, 1e-9)
        number = math.ceil(math.log1p(-recall) / math.log1p(-agreed))
        if number * rows <= functions:
            yield Bands(number, rows)


@final
@dataclass(frozen=True, eq=False)
class Duplicates:
    """The duplicates in a data set.

    Parameters
    ----------
    items
        Number of rows.
    blank
        Rows without text, which are in no cluster.
    different
        Number of different texts after normalization, blank ones aside.
    clusters
        The largest clusters, the largest first.
    sizes
        Rows of every cluster of at least two, descending.
    cluster
        Position of each row's cluster in `sizes`; -1 for a row that has no copy.
    similarity, recall
        Pairs with at least this similarity are near duplicates; each is found with at least this
        probability.
    shingle
        Tokens of a shingle.
    bands
        Of MinHash.
    notes
        What a reader has to know, as sentences.
    """

    items: int
    blank: int
    different: int
    clusters: tuple[DuplicateCluster, ...]
    sizes: Integers
    cluster: Integers
    similarity: float
    recall: float
    shingle: int
    bands: Bands
    notes: tuple[Note, ...] = ()

    @property
    def exact(self) -> int:
        """Rows that go where one of each text is kept."""
        return self.items - self.blank - self.different

    @property
    def redundant(self) -> int:
        """Rows that go where one of each cluster is kept, exact copies included."""
        return int(self.sizes.sum()) - self.sizes.size


def find_duplicates(
    texts: Sequence[str | None] | pl.Series,
    *,
    similarity: float = 0.5,
    recall: float = 0.95,
    shingle: int = 2,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    listed: int = _LISTED,
    threads: int | None = None,
    progress: Progress = silent,
) -> Duplicates:
    """Find exact and near duplicates among texts.

    Texts are near duplicates if the Jaccard similarity of their sets of shingles (common ones
    over all) is at least `similarity`. A word that is changed in a text of 60 changes two of its
    59 pairs, so that five edits leave a similarity of about 0.7. MinHash proposes a pair of that
    similarity with probability `Bands.recall`, and every proposed pair is compared exactly: there
    are no false pairs. A cluster is what pairs connect; the texts at its ends can be less alike.

    Parameters
    ----------
    texts
        Rows; None and texts of blanks are counted as blank.
    similarity
        Of two texts that are near duplicates.
    recall
        The least probability that such a pair is found. Those that are more alike are found
        more surely.
    shingle
        Tokens of a shingle. A text with fewer tokens has one shingle, all of its tokens.
    tokenizer
        Splits texts; ``mixed`` gives words, and pairs of characters in scripts without spaces.
    normalize
        Spellings that count as equal, see `hayflick.corpus.normalization`.
    listed
        Number of clusters that are listed with examples; `Duplicates.sizes` has all.
    threads
        Of the search; all processors where None. They change nothing in the result.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If there is no text.
    EffortError
        If the shingles take more memory than the machine has.

    Examples
    --------
    >>> found = find_duplicates(["The cat sat.", "the cat sat", "A dog ran.", "The cat sat."])
    >>> found.items, found.different, found.exact, found.redundant
    (4, 3, 1, 2)
    >>> found.clusters[0].size, found.clusters[0].examples
    (3, ('The cat sat.', 'the cat sat'))
    >>> found.cluster.tolist()
    [0, 0, -1, 0]

    References
    ----------
    Broder (1997), On the resemblance and containment of documents. Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, section 3.4: bands and rows.
    """
    bands = bands_for(similarity, recall=recall)
    shingle = whole_number("shingle", shingle, at_least=1, at_most=LARGEST_SHINGLE)
    listed = whole_number("listed", listed, at_least=0, at_most=1_000_000)
    workers = (os.cpu_count() or 1) if threads is None else threads
    workers = whole_number("threads", workers, at_least=1, at_most=MOST_THREADS)
    splitter = tokenizer_named(tokenizer)
    rows = text_series(texts)
    _expect(rows, bands, workers, progress)
    spelled = normalized(rows, normalize).fill_null("")
    place = spelled.rank("dense").cast(pl.Int64).to_numpy() - 1
    different = spelled.unique().sort()
    del spelled
    sets = shingles_of(different, tokenizer=splitter, length=shingle, shortest=1, progress=progress)
    parents, skipped = _connected(sets, bands, similarity, workers, progress)
    blank_text = int(len(different) > 0 and not different[0].strip())
    blank = int(np.count_nonzero(place < blank_text))
    cluster, sizes = _clusters(parents[place], blank_text)
    return Duplicates(
        items=len(rows),
        blank=blank,
        different=len(different) - blank_text,
        clusters=_described(rows, place, cluster, min(listed, sizes.size)),
        sizes=sizes,
        cluster=cluster,
        similarity=similarity,
        recall=recall,
        shingle=shingle,
        bands=bands,
        notes=_skipped_note(skipped),
    )


def _expect(rows: pl.Series, bands: Bands, workers: int, progress: Progress) -> None:
    letters = float(byte_size(rows))
    seconds = letters * bands.number * bands.rows / 475 / _BYTES_A_SECOND / min(workers, 2)
    work = f"finding near duplicates among {len(rows):,} texts"
    expect(progress, Effort(work, seconds=seconds, memory=_BYTES_A_LETTER * letters))


def _connected(
    sets: Shingles, bands: Bands, similarity: float, workers: int, progress: Progress
) -> tuple[Integers, int]:
    """Return the representative of each text's cluster, and how many pairs were skipped."""
    parents = np.arange(sets.offsets.size - 1)
    skipped = 0
    for done, (keys, order) in enumerate(_sorted_keys(sets, bands, workers), start=1):
        skipped += join_similar(
            sets.hashes, sets.offsets, keys, order, parents, similarity, _BUCKET_COMPARISONS
        )
        progress("comparing texts", done, bands.number)
    while not np.array_equal(parents, parents[parents]):
        parents = parents[parents]
    return parents, skipped


def hash_functions(bands: Bands) -> Hashes:
    """Return the hash functions of each band, a factor and a shift for each."""
    rng = np.random.Generator(np.random.Philox(_HASHES_SEED))
    multipliers = rng.integers(0, 2**64, (bands.number, 2 * bands.rows), np.uint64)
    multipliers[:, ::2] |= np.uint64(1)
    return multipliers


def _sorted_keys(sets: Shingles, bands: Bands, workers: int) -> Iterator[tuple[Hashes, Integers]]:
    """Yield the texts' keys in each band, and their order; a few bands are made ahead."""
    multipliers = hash_functions(bands)

    def sorted_keys(band: int) -> tuple[Hashes, Integers]:
        keys = band_keys(sets.hashes, sets.offsets, multipliers[band])
        return keys, np.argsort(keys)

    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[tuple[Hashes, Integers]]] = deque()
        for band in range(bands.number):
            ahead.append(pool.submit(sorted_keys, band))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _clusters(roots: Integers, blank_text: int) -> tuple[Integers, Integers]:
    """Return each row's cluster, the largest first and then by its first text; and the sizes."""
    found, inverse, numbers = np.unique(roots, return_inverse=True, return_counts=True)
    counts = np.where((numbers > 1) & (found >= blank_text), numbers, 0)
    order = np.argsort(-counts, kind="stable")
    kept = order[: int(np.count_nonzero(counts))]
    position = np.full(found.size, -1)
    position[kept] = np.arange(kept.size)
    return position[inverse.ravel()], counts[kept]


def _described(
    rows: pl.Series, place: Integers, cluster: Integers, listed: int
) -> tuple[DuplicateCluster, ...]:
    """Return the first clusters with examples: the spelling that is first in order of each."""
    among = np.flatnonzero((cluster >= 0) & (cluster < listed))
    frame = pl.DataFrame({"cluster": cluster[among], "place": place[among]})
    frame = frame.with_columns(rows.gather(among))
    texts = (
        frame.group_by("cluster", "place")
        .agg(pl.len().cast(pl.Int64).alias("number"), pl.col("text").min())
        .sort("cluster", "number", "text", descending=[False, True, False])
        .group_by("cluster", maintain_order=True)
        .agg(pl.col("number").sum(), pl.len().alias("texts"), pl.col("text").head(_EXAMPLES))
    )
    return tuple(
        DuplicateCluster(size, number, tuple(examples))
        for _, size, number, examples in texts.iter_rows()
    )


def _skipped_note(skipped: int) -> tuple[Note, ...]:
    if not skipped:
        return ()
    note = Note(
        "{skipped:,} comparisons among very many texts with the same phrases were left out: near "
        "duplicates among them can be missing",
        skipped=skipped,
    )
    return (note,)
