"""Scheduled: sizes and fresh items of training sets, listed round by round."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, final

import polars as pl
from typing_extensions import override

from hayflick.core import checks
from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError
from hayflick.core.grammar import Entry
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.encodings import encoding_beside_data
from hayflick.corpus.frames import input_path
from hayflick.corpus.tables import TABLE_SUFFIXES, is_table, table_column
from hayflick.regimes.regime import NamedRegime

_COLUMNS = ("samples", "fresh")
_NUMBERS = r"\d+(?: x\d+)?(?: \d+(?: x\d+)?)*"
_SPELLED = re.compile(rf"samples (?P<samples>{_NUMBERS}), fresh (?P<fresh>{_NUMBERS})")


@final
@dataclass(frozen=True, slots=True)
class Scheduled(NamedRegime):
    """Train generation k on n_k items, m_k of them new draws from the real law.

    The sizes are those of the schedule; the size of training sets given elsewhere is ignored.

    Parameters
    ----------
    samples
        n_1, n_2, …; the last one is that of all later rounds.
    fresh
        m_1, m_2, …, each from 0 to the round's n_k; the last one is that of all later rounds.
    source
        The file that the schedule was read from; None if it was given directly.
    sources
        The same with how it was read.

    Raises
    ------
    ArgumentError
        If there is no number, or one is out of its range; the round is named.

    Examples
    --------
    >>> regime = Scheduled(samples=(100, 200, 400), fresh=(0, 20))
    >>> [regime.mix(generation, samples=100).generated for generation in (1, 2, 3, 4)]
    [100, 180, 380, 380]
    """

    name: ClassVar[str] = "scheduled"

    samples: tuple[int, ...]
    fresh: tuple[int, ...]
    source: str | None = None
    sources: tuple[Source, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, tuple(getattr(self, name)))
            checks.whole_number(f"rounds in {name}", len(getattr(self, name)), at_least=1)
        for number in range(1, max(len(self.samples), len(self.fresh)) + 1):
            n = _at(self.samples, number)
            n = checks.whole_number(f"samples of round {number}", n, at_least=1)
            m = _at(self.fresh, number)
            checks.whole_number(f"fresh of round {number}", m, at_least=0, at_most=n)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, encoding: str = "utf-8") -> Scheduled:
        """Return the schedule of a table with the columns ``samples`` and ``fresh``.

        Row k is generation k; other columns are ignored.

        Raises
        ------
        DataError
            If the file cannot be read, lacks a column, has no row, or holds something else
            than whole numbers; the row is named.
        ArgumentError
            If a number is out of its range; the round is named.
        """
        path = input_path(path)
        if not is_table(path):
            raise DataError(f"{path}: is no table; takes {', '.join(TABLE_SUFFIXES)}")
        samples, fresh = (_column(path, name, encoding) for name in _COLUMNS)
        source = Source.of(
            path, role="schedule", column=", ".join(_COLUMNS), encoding=encoding, rows=len(samples)
        )
        return cls(samples, fresh, path.name, (source,))

    @classmethod
    @override
    def entry(cls, data: Source) -> Entry[Scheduled]:
        def make(file: str) -> Scheduled:
            spelled = _SPELLED.fullmatch(file.strip())
            if spelled is None or Path(file).exists():
                encoding = encoding_beside_data(input_path(file), stated=data.encoding)
                return cls.from_file(file, encoding=encoding)
            return cls(_spelled_out(spelled["samples"]), _spelled_out(spelled["fresh"]))

        return Entry(make, ("file",))

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        fresh = _at(self.fresh, generation)
        return Mix(generated=_at(self.samples, generation) - fresh, fresh=fresh)

    @property
    @override
    def constant(self) -> bool:
        return False

    @override
    def numbers(self) -> Mapping[str, float]:
        first, last = (self.samples[0], self.fresh[0]), (self.samples[-1], self.fresh[-1])
        return {"first": first[0], "fresh": first[1], "last": last[0], "last_fresh": last[1]}

    @override
    def describe(self) -> str:
        if self.source is not None:
            return f"scheduled:file={self.source}"
        numbers = (f"{name} {_shortened(getattr(self, name))}" for name in _COLUMNS)
        return f"scheduled:{', '.join(numbers)}"


def _at(numbers: Sequence[int], generation: int) -> int:
    return numbers[min(generation, len(numbers)) - 1]


def _shortened(numbers: Sequence[int]) -> str:
    """Return runs of a number as the number and how long it lasts: ``100 x3 200``."""
    runs = [(number, len(list(run))) for number, run in itertools.groupby(numbers)]
    return " ".join(str(number) if times == 1 else f"{number} x{times}" for number, times in runs)


def _spelled_out(text: str) -> tuple[int, ...]:
    """Return the numbers of what `_shortened` wrote."""
    numbers: list[int] = []
    for part in text.split():
        if part.startswith("x"):
            times = checks.whole_number(
                "times", int(part[1:]), at_least=1, at_most=checks.MOST_GENERATIONS
            )
            numbers += numbers[-1:] * (times - 1)
        else:
            numbers.append(int(part))
    return tuple(numbers)


def _column(path: Path, name: str, encoding: str) -> tuple[int, ...]:
    with table_column(path, column=name, encoding=encoding) as found:
        texts = found.labels.collect().get_column("text")
        # Frames that have had an empty cell are saved with 9.0 for 9.
        digits = texts.str.strip_chars().str.replace(r"^(\d+)\.0*$", "${1}")
        numbers = digits.cast(pl.Int64, strict=False)
        bad = numbers.is_null().arg_true()
        if len(bad):
            row = int(bad[0])
            held = repr(display_text(texts[row], longest=40)) if texts[row] else "nothing"
            where = f"{path}: line {found.table.lines_of([row])[0]}, column {name!r}:"
            raise DataError(f"{where} holds {held}, takes a whole number")
    if not len(numbers):
        raise DataError(f"{path}: has no rows; each takes the samples and fresh of one round")
    return tuple(numbers.to_list())
