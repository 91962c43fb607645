"""Make the training set of a round: what the model wrote, and the real items of the regime.

The items of a text are its tokens, and what is drawn or cut are lines: new real data are lines
drawn at random with replacement until they hold the number of tokens, the last one cut. Lines of
more than 2,000 bytes are drawn in parts. The items of a table are its rows.
"""

from __future__ import annotations

import mmap
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.core.arrays import Integers
from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError, UndecodableError, listed
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import pieces
from hayflick.corpus.items import lines
from hayflick.corpus.labels import labels_of
from hayflick.corpus.normalization import normalized, normalized_pieces
from hayflick.corpus.reading import read_corpus, read_text, text_files
from hayflick.corpus.running_text import plain_text
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import is_table, open_table
from hayflick.corpus.tokenizers import Tokenizer, count_symbols, tokenizer_named


@dataclass(frozen=True, slots=True)
class WrittenItems:
    """What a trainer has written.

    Parameters
    ----------
    items
        How many items were taken.
    cut
        How many more there were, which were left out.
    """

    items: int
    cut: int


class TrainingData(ABC):
    """The real data of a loop as a file of its own, and how training sets like it are made.

    Parameters
    ----------
    path
        The file of the real data.
    source
        What they were read from.
    """

    suffix: str
    unit: str

    def __init__(self, path: Path, source: Source) -> None:
        self.path, self.source = path, source

    def at(self, path: Path) -> TrainingData:
        """Return the same data after their file was moved."""
        return type(self)(path, self.source)

    @abstractmethod
    def count(self, path: Path) -> Counts:
        """Return the counts of a training set."""

    @abstractmethod
    def take_none(self, out: Path) -> None:
        """Write a training set without an item."""

    @abstractmethod
    def take(self, written: Path, out: Path, *, wanted: int) -> WrittenItems:
        """Write the first items of what a trainer has written.

        Raises
        ------
        DataError
            If there are fewer than `wanted`, or the file cannot be used.
        """

    @abstractmethod
    def draw(self, number: int, rng: np.random.Generator) -> Any:
        """Return real items that are drawn with replacement."""

    @abstractmethod
    def stored(self, reserve: Path | None, counts: Counts) -> Any:
        """Return stored real items, from their file or, where it holds counts, from these."""

    @abstractmethod
    def mix(self, path: Path, real: Sequence[Any], rng: np.random.Generator) -> None:
        """Put real items between those of a training set, at random places."""

    @abstractmethod
    def join(self, paths: Sequence[Path], out: Path) -> None:
        """Write training sets one after another."""


def prepare_data(
    path: Path,
    place: Path,
    *,
    column: str | None,
    tokenizer: str | None,
    encoding: str,
    progress: Progress = silent,
) -> TrainingData:
    """Return real data, written into the folder `place` as trainers get them.

    Raises
    ------
    DataError
        If they cannot be read, or hold counts alone.
    ArgumentError
        If an argument does not fit them.
    """
    if is_table(path):
        return _prepare_table(path, place, column=column, tokenizer=tokenizer, encoding=encoding)
    if path.suffix.lower() == ".json" and path.is_file():
        takes = "a trainer learns from a text or a table"
        raise DataError(f"{path}: holds counts alone; {takes}")
    out = place / f"real{TextData.suffix}"
    with open(out, "x", encoding="utf-8", newline="\n") as file:
        for one in text_files(path):
            for batch in lines(plain_text(one, encoding=encoding), name=str(one)):
                file.writelines(f"{line}\n" for line in batch)
    # What does not fit a text is refused there.
    corpus = read_corpus(out, column=column, tokenizer=tokenizer, progress=progress)
    name = os.fsencode(path.name or path.resolve().name).decode("utf-8", errors="replace")
    source = replace(corpus.source, name=name, encoding=encoding)
    return TextData(out, source, corpus.counts)


def open_data(path: Path, source: Source) -> TrainingData:
    """Return data that `prepare_data` has written."""
    return TableData(path, source) if source.column is not None else TextData(path, source)


_LONGEST_UNIT = 2000
_FIRST_DRAWN = 64
_ENDS = 32
_CHUNK = 1 << 24


@final
class TextData(TrainingData):
    """Training sets of running text, in UTF-8."""

    suffix = ".txt"
    unit = "tokens"

    def __init__(self, path: Path, source: Source, counts: Counts | None = None) -> None:
        super().__init__(path, source)
        self._counts = counts

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return tokenizer_named(self.source.tokenizer or "words")

    @override
    def count(self, path: Path) -> Counts:
        if path == self.path and self._counts is not None:
            return self._counts
        return read_text(path, tokenizer=self._tokenizer.name).counts

    def _tokens(self, texts: Sequence[str]) -> Integers:
        """Return the number of tokens of each text, shape ``(texts,)``."""
        spelled = list(normalized_pieces(texts, self.source.normalization))
        place = pl.int_range(len(spelled), dtype=pl.Int64, eager=True)
        frame = pl.LazyFrame({"item": place, "text": pl.Series(spelled, dtype=pl.String)})
        found = self._tokenizer.tokens(frame).collect().get_column("item").to_numpy()
        return np.bincount(found, minlength=len(spelled))

    def _first_tokens(self, line: str, number: int) -> str:
        """Return the longest beginning of a line that holds so many tokens."""
        slices = (line[at : at + _LONGEST_UNIT] for at in range(0, len(line), _LONGEST_UNIT))
        parts = list(pieces(slices, separators=self._tokenizer.separators))
        sums = np.cumsum(self._tokens(parts))
        place = int(np.searchsorted(sums, number, side="right"))
        if place == len(parts):
            return line
        before = int(sums[place - 1]) if place else 0
        return "".join(parts[:place]) + self._beginning(parts[place], number - before)

    def _beginning(self, line: str, number: int) -> str:
        low, high = 0, len(line)
        while low < high:
            # Many at once: what takes time is to ask.
            ends = np.unique(np.linspace(low, high, _ENDS).astype(int))[1:].tolist()
            fitting = self._tokens([line[:end] for end in ends]) <= number
            fits = [end for end, fit in zip(ends, fitting, strict=True) if fit]
            low = max(fits, default=low)
            high = min((end - 1 for end in ends if end > low), default=low)
        return line[:low]

    def _first_lines(self, batch: list[str], left: int) -> tuple[list[str], int]:
        """Return the lines that hold the first tokens of a batch, and how many it has in all."""
        sums = np.cumsum(self._tokens(batch))
        total = int(sums[-1]) if sums.size else 0
        if total <= left:
            return batch, total
        last = int(np.searchsorted(sums, left))
        before = int(sums[last - 1]) if last else 0
        cut = self._first_tokens(batch[last], left - before) if left > before else ""
        return [*batch[:last], *filter(None, [cut])], total

    @override
    def take(self, written: Path, out: Path, *, wanted: int) -> WrittenItems:
        found = 0
        text = plain_text(written, encoding="utf-8")
        with _in_utf_8(written), open(out, "w", encoding="utf-8", newline="\n") as file:
            for batch in lines(text, name=str(written)):
                chosen, total = self._first_lines(batch, wanted - found)
                if found < wanted:
                    file.writelines(f"{line}\n" for line in chosen)
                found += total
        _refuse_too_few(written, found, wanted, self.unit)
        return WrittenItems(wanted, found - wanted)

    @override
    def take_none(self, out: Path) -> None:
        out.touch()

    @override
    def draw(self, number: int, rng: np.random.Generator) -> list[str]:
        drawn: list[str] = []
        left = number
        share: float | None = None
        with self._opened() as content:
            while left > 0:
                size = _FIRST_DRAWN if share is None else int(left / share * 1.1) + 8
                places = rng.integers(len(self._units) - 1, size=size)
                batch = [self._unit(content, int(place)) for place in places]
                sums = self._tokens(batch)
                share = max(float(sums.mean()), 1e-3)
                kept = [one for one, tokens in zip(batch, sums, strict=True) if tokens]
                chosen, total = self._first_lines(kept, left) if kept else ([], 0)
                drawn += chosen
                left -= total
        return drawn

    @contextmanager
    def _opened(self) -> Iterator[mmap.mmap]:
        with (
            open(self.path, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            yield content

    def _unit(self, content: mmap.mmap, place: int) -> str:
        raw = content[self._units[place] : self._units[place + 1]]
        return raw.decode("utf-8", errors="replace").strip()

    @cached_property
    def _units(self) -> Integers:
        """Where the lines and the parts of long ones begin, and where the content ends."""
        with self._opened() as content:
            ends = [np.zeros(1, np.int64)]
            for first in range(0, len(content), _CHUNK):
                chunk = np.frombuffer(content[first : first + _CHUNK], np.uint8)
                ends.append(np.flatnonzero(chunk == ord("\n")) + first + 1)
            starts = np.unique(np.append(np.concatenate(ends), len(content)))
            inner: list[int] = []
            # A label of its own is drawn whole, however long it is.
            whole = self._tokenizer.name == "lines"
            longest = len(content) if whole else _LONGEST_UNIT
            for place in np.flatnonzero(np.diff(starts) > longest).tolist():
                inner += _parts(content, int(starts[place]), int(starts[place + 1]))
        return np.unique(np.concatenate([starts, np.array(inner, np.int64)]))

    @override
    def stored(self, reserve: Path | None, counts: Counts) -> list[str]:
        if reserve is not None:
            return _stored_lines(reserve, self.source)
        repeated = zip(counts.symbols, counts.numbers.tolist(), strict=True)
        return [symbol for symbol, times in repeated for _ in range(times)]

    @override
    def mix(self, path: Path, real: Sequence[Sequence[str]], rng: np.random.Generator) -> None:
        added = [line for part in real for line in part]
        if not added:
            return
        rng.shuffle(added)
        with open(path, "rb") as file:
            lines_before = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))
        places = np.sort(rng.integers(lines_before + 1, size=len(added))).tolist()
        waiting = list(zip(places, added, strict=True))[::-1]
        mixed = path.with_name(f"mixed{self.suffix}")
        how: dict[str, Any] = {"encoding": "utf-8", "newline": "\n"}
        with open(path, **how) as before, open(mixed, "w", **how) as after:
            for number, line in enumerate(before):
                while waiting and waiting[-1][0] == number:
                    after.write(f"{waiting.pop()[1]}\n")
                after.write(line)
            after.writelines(f"{line}\n" for _, line in reversed(waiting))
        os.replace(mixed, path)

    @override
    def join(self, paths: Sequence[Path], out: Path) -> None:
        with open(out, "wb") as file:
            for path in paths:
                with open(path, "rb") as part:
                    shutil.copyfileobj(part, file)


def _parts(content: mmap.mmap, start: int, end: int) -> list[int]:
    """Return where a long line is cut: behind blanks, or else between two characters."""
    cuts = []
    while end - start > _LONGEST_UNIT:
        cut = content.rfind(b" ", start + 1, start + _LONGEST_UNIT) + 1
        if not cut:
            cut = start + _LONGEST_UNIT
            while content[cut] & 0xC0 == 0x80:
                cut -= 1
        cuts.append(cut)
        start = cut
    return cuts


def _stored_lines(reserve: Path, like: Source) -> list[str]:
    from hayflick.corpus.reserves import TEXT_COLUMN, reserve_header

    if reserve_header(reserve) is not None:
        with open_table(reserve) as table:
            texts = table.labels(TEXT_COLUMN).drop_nulls().collect().get_column("text").to_list()
        return [line for text in texts for line in text.splitlines()]
    files = text_files(reserve)
    return [
        line
        for file in files
        for batch in lines(plain_text(file, encoding=like.encoding), name=str(file))
        for line in batch
    ]


@contextmanager
def _in_utf_8(written: Path) -> Iterator[None]:
    """Say of a trainer's file, whose encoding nobody can state, that it takes UTF-8."""
    try:
        yield
    except UndecodableError as fault:
        remedy = "let the trainer write UTF-8"
        raise DataError(f"{written}: is not UTF-8 (offset {fault.offset}): {remedy}") from None


def _refuse_too_few(written: Path, found: int, wanted: int, unit: str) -> None:
    if found < wanted:
        got = f"holds {found:,} {unit}, {wanted:,} were wanted"
        remedy = "let generate write more: what is more is cut"
        raise DataError(f"{written}: {got}; {remedy}")


_CSV = TableFormat(separator=",", quote='"')


@final
class TableData(TrainingData):
    """Training sets of the rows of a table, as CSV, with labels in a column."""

    suffix = ".csv"
    unit = "rows"

    @property
    def _column(self) -> str:
        assert self.source.column is not None
        return self.source.column

    @cached_property
    def _real(self) -> pl.DataFrame:
        return self._rows(self.path)

    def _rows(self, path: Path) -> pl.DataFrame:
        """Return the rows of a training set, as text."""
        with open_table(path, given=_CSV) as table:
            return table.frame(table.columns).select(pl.col(list(table.columns))).collect()

    @override
    def count(self, path: Path) -> Counts:
        labels = self._rows(path).get_column(self._column)
        spelled = normalized(labels.alias("symbol"), self.source.normalization)
        counted = count_symbols(spelled.to_frame().lazy())
        return Counts.from_mapping(dict(counted.select("symbol", "number").iter_rows()))

    @override
    def take(self, written: Path, out: Path, *, wanted: int) -> WrittenItems:
        with _in_utf_8(written):
            rows = self._rows(written)
        missing = [name for name in self._real.columns if name not in rows.columns]
        if missing:
            remedy = f"write the columns of {self.path.name}"
            raise DataError(f"{written}: lacks the column {listed(missing)}; {remedy}")
        rows = rows.select(self._real.columns).filter(_is_label(self._column))
        _refuse_too_few(written, rows.height, wanted, f"rows with {self._column!r}")
        rows.head(wanted).write_csv(out)
        return WrittenItems(wanted, rows.height - wanted)

    @override
    def take_none(self, out: Path) -> None:
        self._real.clear().write_csv(out)

    @override
    def draw(self, number: int, rng: np.random.Generator) -> pl.DataFrame:
        return self._real[rng.integers(self._real.height, size=number)]

    @override
    def stored(self, reserve: Path | None, counts: Counts) -> pl.DataFrame:
        if reserve is not None and is_table(reserve):
            with open_table(reserve) as table:
                names = [name for name in table.columns if name in self._real.columns]
                rows = table.frame(names).select(pl.col(names).cast(pl.String)).collect()
            self._refuse_lacking(str(reserve), names)
            return rows.select(self._real.columns).filter(_is_label(self._column))
        self._refuse_lacking("the stored labels", [self._column])
        return pl.DataFrame({self._column: np.repeat(counts.symbols, counts.numbers)})

    def _refuse_lacking(self, name: str, columns: Sequence[str]) -> None:
        missing = [one for one in self._real.columns if one not in columns]
        if missing:
            remedy = "store whole rows, as hayflick reserve does"
            raise DataError(f"{name}: lacks the column {listed(missing)} of the data; {remedy}")

    @override
    def mix(self, path: Path, real: Sequence[pl.DataFrame], rng: np.random.Generator) -> None:
        rows = pl.concat([self._rows(path), *(part.cast(pl.String) for part in real)])
        rows[rng.permutation(rows.height)].write_csv(path)

    @override
    def join(self, paths: Sequence[Path], out: Path) -> None:
        pl.concat([self._rows(path) for path in paths]).write_csv(out)


def _is_label(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars() != ""


def _prepare_table(
    path: Path, place: Path, *, column: str | None, tokenizer: str | None, encoding: str
) -> TableData:
    if tokenizer is not None:
        remedy = "its items are rows; write running text to a text file"
        raise ArgumentError("tokenizer", got=tokenizer, takes="a text", remedy=remedy)
    with open_table(path, encoding=encoding) as table:
        chosen = table.choose(column)
        # A path into a column is a column of its own in the files of a trainer.
        names = [*table.columns, *({chosen} - set(table.columns))]
        frame = table.frame(names)
        kinds = frame.collect_schema()
        nested = [name for name in names if _nested(kinds[name])]
        if nested:
            shown = listed([display_text(name, longest=80) for name in nested])
            raise DataError(f"{path}: the column {shown} holds lists or objects; leave it out")
        rows = frame.select(labels_of(name, kinds[name]).alias(name) for name in names).collect()
        notes = table.notes
        sheet = table.sheet
    null = next((name for name in names if rows[name].str.contains("\0", literal=True).any()), None)
    if null is not None:
        raise DataError(f"{path}: the column {null!r} holds the character NUL, which no CSV can")
    labelled = rows.filter(_is_label(chosen))
    if labelled.is_empty():
        raise DataError(f"{path}: the column {chosen!r} holds no label")
    out = place / f"real{TableData.suffix}"
    labelled.write_csv(out)
    left_out = rows.height - labelled.height
    source = Source.of(
        path,
        column=chosen,
        encoding=encoding,
        rows=rows.height,
        missing=left_out,
        sheet=sheet,
        notes=notes,
    )
    return TableData(out, source)


def _nested(kind: Any) -> bool:
    return bool(kind.is_nested()) or kind == pl.Binary or kind == pl.Object
