"""Find the rounds and the groups of answers whose columns nobody named.

Times of a log are cut into the longest windows that give enough rounds; several files without
times are a round each; all else is cut into blocks of equal size, in the order of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.notes import Note, translatable
from hayflick.corpus.dates import moments
from hayflick.corpus.windows import longest_windows

BLOCK = 20
"""Answers of a block."""

_SAMPLED = 1000
_MOST_GROUPS, _MOST_PROMPTS, _LEAST_ANSWERS = 20, 1000, 20
_COLUMN, _TIMES, _FILES, _BLOCKS = "column", "times", "files", "blocks"


@dataclass(frozen=True, kw_only=True)
class FoundRounds:
    """How the rounds and the groups of a stream were found.

    Parameters
    ----------
    kind
        ``times``, ``files`` or ``blocks``; ``column`` where the user named the rounds.
    every
        Length of the windows of times; None for other kinds.
    kept
        The columns of a log that are used: ``group``, ``prompt``.
    newest_first
        Whether the input begins with the newest answers, so that blocks are cut from its end on.
    """

    kind: str
    every: str | None = None
    kept: tuple[str, ...] = ()
    newest_first: bool = False

    @property
    def is_named(self) -> bool:
        """Whether the user named the column of rounds."""
        return self.kind == _COLUMN

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        found = {"kind": self.kind, "every": self.every, "kept": list(self.kept)}
        return found | ({"newest_first": True} if self.newest_first else {})

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> FoundRounds:
        """Return what `to_dict` returned.

        Examples
        --------
        >>> FoundRounds.of(FoundRounds(kind="times", every="6h").to_dict()).every
        '6h'
        """
        return cls(
            kind=record["kind"],
            every=record["every"],
            kept=tuple(record["kept"]),
            newest_first=record.get("newest_first", False),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class RoundSearch:
    """Answers whose rounds are to be found.

    Parameters
    ----------
    frame
        A row per answer, in the order of the files, with the columns ``file`` (from 1) and, if
        there are times, ``by``.
    files
        Names of the files.
    every, time_zone
        Length of a round, and the zone of days, where the user stated them.
    named
        The columns that the user named, by their role; they are kept.
    before
        Number of answers that earlier calls have read.
    known
        What an earlier call has found; None to find it.
    """

    frame: pl.DataFrame
    files: Sequence[str]
    every: str | None
    time_zone: str | None
    named: frozenset[str] = frozenset()
    before: int = 0
    known: FoundRounds | None = None
    notes: list[Note] = field(default_factory=list)

    def found(self) -> FoundRounds:
        """Return how the rounds are found.

        Raises
        ------
        ArgumentError
            If a length of rounds is stated and there are no times.
        DataError
            If the times cannot be read.
        """
        if self.known is not None:
            return self.known
        kept = tuple(name for name in ("group", "prompt") if self._keeps(name))
        if "by" in self.named:
            return FoundRounds(kind=_COLUMN, every=self.every, kept=kept)
        timed = self._timed()
        if timed and self.every is not None:
            return FoundRounds(kind=_TIMES, every=self.every, kept=kept)
        if self.every is not None:
            takes = "a column of times beside it: name it with --by"
            raise ArgumentError("every", got=self.every, takes=takes)
        every = (
            longest_windows(self.frame["by"].drop_nulls(), time_zone=self.time_zone)
            if timed
            else None
        )
        if every is not None:
            return FoundRounds(kind=_TIMES, every=every, kept=kept)
        kind = _FILES if len(self.files) > 1 and not timed else _BLOCKS
        backwards = timed and kind == _BLOCKS and self._is_newest_first()
        return FoundRounds(kind=kind, kept=kept, newest_first=backwards)

    def _is_newest_first(self) -> bool:
        """Return whether times fall and never rise, as in lists with the newest on top."""
        labels = self.frame["by"]
        places = np.linspace(0, len(labels) - 1, min(len(labels), _SAMPLED)).astype(int)
        try:
            times = moments(labels[places].drop_nulls().to_list(), digits=True)
        except DataError:
            return False
        falls = [
            (one.wall, two.wall)
            for one, two in pairwise(times)
            if one is not None and two is not None
        ]
        return len(falls) > 0 and all(a >= b for a, b in falls) and falls[0][0] > falls[-1][1]

    def _timed(self) -> bool:
        """Return whether most answers have a time."""
        return "by" in self.frame.columns and 2 * self.frame["by"].null_count() < len(self.frame)

    def _keeps(self, name: str) -> bool:
        if name in self.named or name not in self.frame.columns:
            return name in self.named
        cells = self.frame[name].drop_nulls()
        different = cells.n_unique()
        if name == "group":
            return 1 < different <= _MOST_GROUPS
        return 1 < different <= min(_MOST_PROMPTS, len(cells) // _LEAST_ANSWERS)

    def with_rounds(self, found: FoundRounds) -> tuple[pl.DataFrame, Counter[str]]:
        """Return the answers with the label of their round, and those that have none, by reason."""
        frame = self.frame.drop(
            name
            for name in ("group", "prompt")
            if name in self.frame.columns and name not in found.kept
        )
        if found.kind == _COLUMN:
            return frame, Counter()
        if found.kind == _TIMES:
            timed = frame.filter(pl.col("by").is_not_null())
            reason = translatable("answers without a time")
            return timed, Counter({reason: len(frame) - len(timed)})
        if found.kind == _FILES:
            names = pl.Series(self.files)[frame["file"] - 1]
            return frame.with_columns(names.alias("by")), Counter()
        if found.newest_first and not self.before:
            frame = frame.reverse()
        blocks = (self.before + np.arange(len(frame))) // BLOCK + 1
        return frame.with_columns(pl.Series("by", blocks).cast(pl.String)), Counter()


def round_notes(found: FoundRounds, sizes: Sequence[int]) -> list[Note]:
    """Return what people should know of rounds that were found.

    Parameters
    ----------
    found
        How.
    sizes
        Number of answers of each round; empty if not all of them were counted.

    Examples
    --------
    >>> [str(note) for note in round_notes(FoundRounds(kind="times", every="6h"), [40, 0, 55])]
    ['rounds of 6h, 40 to 55 answers each']
    """
    if found.is_named:
        return []
    number = _range([size for size in sizes if size])
    if found.kind == _TIMES and not sizes:
        return [Note("rounds of {every}", every=str(found.every))]
    if found.kind == _TIMES:
        message = translatable("rounds of {every}, {number} answers each")
        return [Note(message, every=str(found.every), number=number)]
    if found.kind == _FILES:
        message = translatable(
            "no times are known, so every file is a round, {number} answers each"
        )
        return [Note(message, number=number)]
    if found.newest_first:
        message = translatable(
            "the times of the input give too few rounds and fall from its beginning to its end, so"
            " rounds are blocks of {size} answers from its end on; --by names a column of rounds"
        )
        return [Note(message, size=BLOCK)]
    message = translatable(
        "no times are known that give enough rounds, so rounds are blocks of {size} answers in the"
        " order of the input; --by names a column of rounds"
    )
    return [Note(message, size=BLOCK)]


def _range(sizes: Sequence[int]) -> str:
    least, most = min(sizes, default=0), max(sizes, default=0)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
