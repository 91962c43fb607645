"""The result of an audit: what repeats itself in a data set, and what it is made of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, final

import numpy as np

from hayflick.core.arrays import Integers
from hayflick.core.display import Result
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.diversity.hill import hill_number

if TYPE_CHECKING:
    from hayflick.auditing.duplicates import Duplicates
    from hayflick.auditing.leakage import Leakage
    from hayflick.auditing.synthetic_share import SyntheticShare


@final
@dataclass(frozen=True, kw_only=True)
class EffectiveItems:
    """The effective number of items: how many that are all unlike each other are as diverse.

    Parameters
    ----------
    value
        The estimate.
    low, high
        The interval. It is about the source of the data: what as many items of it are worth.
    confidence
        The probability with which such intervals hold the number.
    kernel
        The similarity of two items, in words.
    order
        Order q of the Vendi score; of order 2, it is the reciprocal of the mean squared
        similarity of two items.
    measured
        Number of items whose similarities to one another were measured, near duplicates aside.
    """

    value: float
    low: float
    high: float
    confidence: float
    kernel: str
    order: float
    measured: int


@final
@dataclass(frozen=True)
class CommonPhrase:
    """A phrase that stands in many items.

    Parameters
    ----------
    phrase
        Its words; in a template, gaps are written as … (an ellipsis).
    items
        Items of those that were searched in which it stands.
    share
        The share of them.
    example
        One of them; empty where none has it as it is spelled here.
    """

    phrase: str
    items: int
    share: float
    example: str


@final
@dataclass(frozen=True)
class MixPart:
    """A part of a data set: the items of one script, language or class.

    Parameters
    ----------
    name
        The script, the language or the class; None for items without one.
    items
        Number of items.
    share
        The share of all items.
    redundant
        The share of its items that go where one of each cluster of near duplicates is kept.
    """

    name: str | None
    items: int
    share: float
    redundant: float


@final
@dataclass(frozen=True)
class LengthBin:
    """Items of `low` to `high` words, both included."""

    low: int
    high: int
    items: int


@final
@dataclass(frozen=True, kw_only=True)
class LengthMix:
    """How long the items are, in words (pairs of characters in scripts without spaces).

    Parameters
    ----------
    mean
        Words of an item.
    quantiles
        Words by the share of items that are at most so long, from 0 to 1.
    bins
        Numbers of items by their length.
    """

    mean: float
    quantiles: Mapping[float, float]
    bins: tuple[LengthBin, ...]


@final
@dataclass(frozen=True)
class ClassMix:
    """The classes of a data set.

    Parameters
    ----------
    column
        The column of the classes.
    classes
        All of them, the most frequent first.
    effective
        The effective number of classes (Hill number of order 1).
    rare_share
        A class is rare if its share of the items is below this.
    """

    column: str
    classes: tuple[MixPart, ...]
    effective: float
    rare_share: float

    @property
    def rare(self) -> tuple[MixPart, ...]:
        """The rare classes, the rarest first."""
        named = (one for one in self.classes if one.name is not None)
        return tuple(reversed([one for one in named if one.share < self.rare_share]))


class ThresholdVerdict(StrEnum):
    """What a threshold says of a data set."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "not measured"


@final
@dataclass(frozen=True)
class ThresholdCheck:
    """A threshold, and the number that it is about.

    Parameters
    ----------
    name
        Of the option: ``max-duplicates``, ``min-effective`` and so on.
    limit
        The least or the largest value that passes, by the beginning of the name.
    value
        The number; None if it was not measured.
    """

    name: str
    limit: float
    value: float | None

    @property
    def is_least(self) -> bool:
        """Whether the number must be at least `limit`; else it must be at most so large."""
        return self.name.startswith("min")

    @property
    def verdict(self) -> ThresholdVerdict:
        """Whether the number passes."""
        if self.value is None or math.isnan(self.value):
            return ThresholdVerdict.UNKNOWN
        passes = self.value >= self.limit if self.is_least else self.value <= self.limit
        return ThresholdVerdict.PASSED if passes else ThresholdVerdict.FAILED


@final
@dataclass(frozen=True)
class CleanCopy:
    """The data set without near duplicates, as it was written.

    Parameters
    ----------
    file, dropped_file
        The file, and the list of the rows that it lacks, with reasons.
    kept
        Number of rows that it has.
    dropped
        Number of rows that it lacks, by reason.
    """

    file: str
    dropped_file: str
    kept: int
    dropped: Mapping[str, int]


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class AuditResult(Result):
    """What one data set is made of.

    Parameters
    ----------
    name
        Of the data set.
    duplicates
        Exact and near duplicates; `Duplicates.items` is the number of rows.
    effective_items
        The effective number of items.
    words_share, detector_share
        The share of generated texts by their words, and by a detector's scores; None without
        references or without a column of scores.
    phrases
        Phrases in too many items, the most frequent first.
    templates
        Texts with gaps of which too many items are made, the most frequent first.
    searched
        Items in which phrases and templates were searched: all, or a random sample.
    scripts
        Items by the script of most of their letters.
    languages
        Items by the column of their language; None without one.
    lengths
        How long the items are.
    classes
        Items by the column of their class; None without one.
    leakage
        Evaluation items that stand in the data; None without an evaluation set.
    thresholds
        Those that were given.
    clean
        What was written without near duplicates; None if nothing was.
    rows
        The line or row of each item in its file, from 1.
    sources
        What was read.
    settings, seed
        What reproduces the result.
    """

    name: str
    duplicates: Duplicates
    effective_items: EffectiveItems
    words_share: SyntheticShare | None = None
    detector_share: SyntheticShare | None = None
    phrases: tuple[CommonPhrase, ...] = ()
    templates: tuple[CommonPhrase, ...] = ()
    searched: int = 0
    scripts: tuple[MixPart, ...] = ()
    languages: tuple[MixPart, ...] | None = None
    lengths: LengthMix
    classes: ClassMix | None = None
    leakage: Leakage | None = None
    thresholds: tuple[ThresholdCheck, ...] = ()
    clean: CleanCopy | None = None
    rows: Integers
    sources: tuple[Source, ...] = ()
    settings: Mapping[str, Any]
    seed: int

    @property
    def items(self) -> int:
        """Number of rows."""
        return self.duplicates.items

    @property
    def redundant_share(self) -> float:
        """The share of items that go where one of each cluster of duplicates is kept."""
        present = self.items - self.duplicates.blank
        return self.duplicates.redundant / present if present else math.nan

    @property
    def effective_clusters(self) -> float:
        """The Hill number of order 1 of the clusters, each item without a copy being one."""
        alone = self.items - self.duplicates.blank - int(self.duplicates.sizes.sum())
        sizes = np.concatenate([self.duplicates.sizes, np.ones(alone, np.int64)])
        return hill_number(sizes, order=1) or math.nan

    @property
    def synthetic_share(self) -> SyntheticShare | None:
        """The share of generated texts, by words where there are references, else by scores."""
        return self.words_share or self.detector_share

    @property
    def failed(self) -> tuple[ThresholdCheck, ...]:
        """Thresholds that the data set fails."""
        return tuple(one for one in self.thresholds if one.verdict is ThresholdVerdict.FAILED)

    @property
    def unknown(self) -> tuple[ThresholdCheck, ...]:
        """Thresholds on numbers that were not measured."""
        return tuple(one for one in self.thresholds if one.verdict is ThresholdVerdict.UNKNOWN)

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the result."""
        return provenance(self.settings, seed=self.seed)
