r"""How many items, all unlike each other, are as diverse as a data set.

The kernel :math:`k` is the similarity by which near duplicates are found: the share of the
shingles of two items that both have, which is 1 for copies. The Vendi score of order 2 is the
reciprocal of the mean squared similarity of two items, an item with itself included:

.. math:: D = 1 / (1/N + (1 - 1/N) \mu), \qquad \mu = E\, k(X, X')^2.

Near duplicates are rare pairs that a sample would miss. Hence the mean is taken in two parts: over
pairs in a cluster, of which all are known, and over pairs of a sample of items in different ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammainccinv, gammaincinv

from hayflick.auditing.audit_result import EffectiveItems
from hayflick.auditing.duplicates import Duplicates
from hayflick.auditing.shingles import Shingles, shingles_of
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between
from hayflick.core.progress import Progress, silent
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import tokenizer_named

KERNEL = "shared pairs of neighbouring words (Jaccard)"
_SAMPLE = 3000
_PAIRS = 20_000
_BLOCK = 500
_MOST_BYTES, _FEWEST = 1 << 26, 50
"""Of very long items fewer are measured, so that their shingles take little memory."""


def effective_items(
    texts: pl.Series,
    duplicates: Duplicates,
    *,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    confidence: float = 0.95,
    seed: int = 1,
    progress: Progress = silent,
) -> EffectiveItems:
    """Return the effective number of items of a data set, with an interval.

    The interval is about the source of the data: it holds the effective number that as many items
    of the source have, were they drawn independently. Its width carries which items were drawn,
    and that of the pairs in different clusters only those of a sample are known.

    Parameters
    ----------
    texts
        The items; blank ones do not count.
    duplicates
        What `hayflick.auditing.duplicates.find_duplicates` has found in them.
    tokenizer, normalize
        As duplicates were found.
    confidence
        Of the interval.
    seed
        Of the sample.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If `confidence` is out of its range.

    Examples
    --------
    >>> from hayflick.auditing.duplicates import find_duplicates
    >>> texts = pl.Series(["the cat sat", "a dog ran", "some birds fly", "it rains again"] * 25)
    >>> found = effective_items(texts, find_duplicates(texts))
    >>> round(found.value, 6), found.low < 4 < found.high
    (4.0, True)

    References
    ----------
    Friedman and Dieng (2023), The Vendi score; Fay and Feuer (1997), Confidence intervals for
    directly standardized rates, for the interval of a mean with few pairs; Sen (1960), on the
    variance of U-statistics.
    """
    confidence = number_between("confidence", confidence, low=0.5, high=0.9999)
    rng = np.random.Generator(np.random.Philox(seed))
    present = np.flatnonzero((texts.fill_null("").str.strip_chars() != "").to_numpy())
    spelling = _Spelling(texts, tokenizer, normalize, duplicates.shingle)
    inside = _inside_clusters(spelling, duplicates, present, rng)
    sample = spelling.affordable(rng.permutation(present)[:_SAMPLE])
    progress("measuring similarities", 1, 3)
    between = _between_clusters(spelling, duplicates.cluster[sample], sample)
    progress("measuring similarities", 3, 3)
    number = present.size
    mean = inside.mean + between.mean
    deviation = inside.deviation + between.deviation
    # A pair that was not seen may yet be as alike as copies, or as the least alike near copies.
    heaviest = 2.0 / (number * max(number - 1, 1))
    if sample.size < number:
        unseen = duplicates.similarity**2 * 2.0 / (sample.size * (sample.size - 1))
        heaviest = max(heaviest, unseen)
    low, high = _gamma_limits(mean, deviation**2, heaviest, confidence)
    value, least, largest = (
        1.0 / (1.0 / number + (1.0 - 1.0 / number) * min(one, 1.0)) for one in (mean, high, low)
    )
    return EffectiveItems(
        value=value,
        low=min(least, value),
        high=max(largest, value),
        confidence=confidence,
        kernel=KERNEL,
        order=2.0,
        measured=sample.size,
    )


@dataclass(frozen=True)
class _PairMean:
    """A part of the mean squared similarity of two items, and its standard error."""

    mean: float
    deviation: float


@dataclass(frozen=True, eq=False)
class _Spelling:
    """The items as sets of shingles."""

    texts: pl.Series
    tokenizer: str
    normalize: str
    length: int

    def affordable(self, rows: Integers) -> Integers:
        """Return the first of some rows, so many that their texts are not too long together."""
        ends = self.texts.gather(rows).fill_null("").str.len_bytes().cast(pl.Int64).cum_sum()
        return rows[: max(_FEWEST, int((ends <= _MOST_BYTES).sum()))]

    def shingles(self, rows: Integers) -> Shingles:
        some = normalized(self.texts.gather(rows), self.normalize).fill_null("")
        splitter = tokenizer_named(self.tokenizer)
        return shingles_of(
            some, tokenizer=splitter, length=self.length, shortest=1, progress=silent
        )


def _inside_clusters(
    spelling: _Spelling, duplicates: Duplicates, present: Integers, rng: np.random.Generator
) -> _PairMean:
    """Return the part of pairs in one cluster: all items have their share, those alone have 0."""
    cluster = duplicates.cluster
    members = np.flatnonzero(cluster >= 0)
    if not members.size:
        return _PairMean(0.0, 0.0)
    chosen = spelling.affordable(rng.permutation(members)[:_PAIRS])
    order = np.argsort(cluster[members], kind="stable")
    ordered = members[order]
    begins = np.concatenate(([0], np.cumsum(duplicates.sizes)))
    own = np.empty(cluster.size, np.int64)
    own[ordered] = np.arange(ordered.size)
    sizes = duplicates.sizes[cluster[chosen]]
    # A mate is any other member.
    steps = rng.integers(1, sizes)
    start = begins[cluster[chosen]]
    mates = ordered[start + (own[chosen] - start + steps) % sizes]
    alike = _similarities(spelling, chosen, mates)
    number = present.size
    shares = (sizes - 1) / (number - 1) * alike**2
    part = members.size / number
    mean = part * float(shares.mean())
    # Items alone have a share of 0, and count in the variance.
    spread = part * float((shares**2).mean()) - mean**2
    drawn = part**2 * float(shares.var()) / chosen.size * (1.0 - chosen.size / members.size)
    return _PairMean(mean, float(np.sqrt(4.0 * max(spread, 0.0) / number + drawn)))


def _similarities(spelling: _Spelling, ones: Integers, others: Integers) -> Floats:
    """Return the similarity of each pair of rows."""
    rows, place = np.unique(np.concatenate([ones, others]), return_inverse=True)
    sets = spelling.shingles(rows)
    first, second = place.ravel()[: ones.size], place.ravel()[ones.size :]
    table = _incidence(sets)
    common = np.asarray(table[first].multiply(table[second]).sum(axis=1)).ravel()
    numbers = np.diff(sets.offsets)
    union = numbers[first] + numbers[second] - common
    # Texts without any word are in one cluster where they are equal.
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def _between_clusters(spelling: _Spelling, cluster: Integers, sample: Integers) -> _PairMean:
    """Return the part of pairs in different clusters, from all pairs of a sample."""
    number = sample.size
    if number < 2:
        return _PairMean(0.0, 0.0)
    sets = spelling.shingles(sample)
    table, sizes = _incidence(sets), np.diff(sets.offsets)
    means = np.empty(number)
    for begin in range(0, number, _BLOCK):
        some = slice(begin, min(begin + _BLOCK, number))
        common = (table[some] @ table.T).toarray()
        union = sizes[some, np.newaxis] + sizes - common
        squares = (common / np.maximum(union, 1.0)) ** 2
        mine = cluster[some, np.newaxis]
        squares[(mine == cluster) & (mine >= 0)] = 0.0
        squares[np.arange(squares.shape[0]), np.arange(some.start, some.stop)] = 0.0
        means[some] = squares.sum(axis=1) / (number - 1)
    return _PairMean(float(means.mean()), float(np.sqrt(4.0 * means.var(ddof=1) / number)))


def _incidence(sets: Shingles) -> sparse.csr_array:
    """Return which shingles each text has."""
    known, columns = np.unique(sets.hashes, return_inverse=True)
    ones: NDArray[np.float32] = np.ones(columns.size, np.float32)
    shape = (sets.offsets.size - 1, known.size)
    return sparse.csr_array((ones, columns.ravel().astype(np.int32), sets.offsets), shape=shape)


def _gamma_limits(
    mean: float, variance: float, heaviest: float, confidence: float
) -> tuple[float, float]:
    """Return limits of a mean of weights of pairs; they hold where only few pairs weigh."""
    tail = (1.0 - confidence) / 2.0
    low = 0.0
    # A single pair of the largest weight is the least that can vary.
    variance = max(variance, mean * heaviest)
    if mean > 0.0:
        low = float(gammaincinv(mean**2 / variance, tail)) * variance / mean
    upper, spread = mean + heaviest, variance + heaviest**2
    high = float(gammainccinv(upper**2 / spread, tail)) * spread / upper
    return low, high
