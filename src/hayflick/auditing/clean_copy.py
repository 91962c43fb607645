"""Write a data set without near duplicates, its files in their formats, and list what it lacks."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.audit_result import CleanCopy
from hayflick.auditing.duplicates import Duplicates
from hayflick.core.arrays import Integers
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.notes import translatable
from hayflick.core.output import check_folder, check_not_input, check_writable, write_file
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.encodings import decoded
from hayflick.corpus.files import STANDARD_INPUT, InputFiles
from hayflick.corpus.json_lines import json_lines, text_lines
from hayflick.corpus.normalization import normalized
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import DelimitedTable
from hayflick.corpus.tables import open_table

LINES, DELIMITED, PARQUET = (".jsonl", ".ndjson", ".json"), (".csv", ".tsv"), ".parquet"
TEXT = ".txt"
WRITTEN = (*LINES, *DELIMITED, PARQUET, TEXT)

EXACT, NEAR = translatable("exact copy"), translatable("near copy")
UNUSABLE = translatable("cannot be used")

_DROPPED = "dropped.csv"


@dataclass(frozen=True)
class CopiedFiles:
    """The files of a data set, and where each is copied to.

    Parameters
    ----------
    place
        The file to write, or the folder of several.
    sources, targets
        The files, in the order of the data set, and their copies.
    dropped
        Where the rows that the copies lack are listed.
    """

    place: Path
    sources: tuple[Path, ...]
    targets: tuple[Path, ...]
    dropped: Path

    @property
    def is_folder(self) -> bool:
        """Whether the copies stand in a folder."""
        return self.place != self.targets[0]


def check_clean(path: str | os.PathLike[str], source: object, *, force: bool) -> CopiedFiles:
    """Return what is copied where without near duplicates; refuse it before any work starts.

    Raises
    ------
    ArgumentError
        If the data set is not of files of kinds that are written, the path has another ending than
        its only file, or is no folder for several.
    OutputError
        If the path or that of the list of dropped rows is an input, taken, or cannot be written.
    """
    place = Path(path)
    sources = _files(source, place)
    for one in sources:
        if content_suffix(one) not in WRITTEN:
            takes = f"a data set in {', '.join(WRITTEN)}"
            remedy = f"{one.name} is another; export it as .csv first"
            raise ArgumentError("write_clean", got=str(place), takes=takes, remedy=remedy)
    if isinstance(source, InputFiles):
        copied = _into_folder(place, sources)
    else:
        _check_ending(place, sources[0])
        copied = CopiedFiles(place, sources, (place,), dropped_path(place))
    for one in (*copied.targets, copied.dropped):
        check_not_input(one, sources)
        if one.parent != place or place.exists():
            check_writable(one, force=force)
    return copied


def _files(source: object, place: Path) -> tuple[Path, ...]:
    """Return the files of a data set, which lie on a disk."""
    if isinstance(source, InputFiles):
        if all(one.stored is None and one.name != STANDARD_INPUT for one in source.files):
            return tuple(one.path for one in source.files)
    elif isinstance(source, (str, os.PathLike)) and Path(source).is_file():
        return (Path(source),)
    takes = "files on a disk as the data set, whose rows can be copied"
    raise ArgumentError("write_clean", got=str(place), takes=takes)


def _check_ending(place: Path, source: Path) -> None:
    suffix = content_suffix(source)
    plain = place.with_suffix("") if place.suffix.lower() == ".gz" else place
    if plain.suffix.lower() != suffix or (suffix == PARQUET and plain is not place):
        takes = f"a name that ends in {suffix}, as the data set does"
        takes += "" if suffix == PARQUET else f", or in {suffix}.gz"
        raise ArgumentError("write_clean", got=str(place), takes=takes)


def _into_folder(place: Path, sources: tuple[Path, ...]) -> CopiedFiles:
    """Return the copies of several files, under their names in a folder."""
    if place.is_file() or place.suffix.lower() in (*WRITTEN, ".gz"):
        takes = "a folder, new or not, as the data set has several files"
        raise ArgumentError("write_clean", got=str(place), takes=takes)
    if not place.exists():
        check_folder(place.parent)
    names = [one.stem if one.suffix.lower() == ".zst" else one.name for one in sources]
    if twice := next((name for name, times in Counter(names).items() if times > 1), None):
        takes = f"files with different names, as their copies stand in one folder ({twice})"
        raise ArgumentError("write_clean", got=str(place), takes=takes)
    targets = tuple(place / name for name in names)
    return CopiedFiles(place, sources, targets, place / _DROPPED)


def dropped_path(path: Path) -> Path:
    """Return where the dropped rows of a copy are listed.

    Examples
    --------
    >>> dropped_path(Path("clean.jsonl.gz")).name
    'clean.dropped.csv'
    """
    plain = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return plain.with_suffix(".dropped.csv")


@dataclass(frozen=True, eq=False)
class RowChoice:
    """Which rows of a data set stay.

    Parameters
    ----------
    kept
        Whether each row stays.
    exact
        Whether a row that goes is equal to one that stays.
    like
        The position of the row that each is like; its own if it stays.
    """

    kept: NDArray[np.bool_]
    exact: NDArray[np.bool_]
    like: Integers


def chosen_rows(texts: pl.Series, duplicates: Duplicates, *, most: int) -> RowChoice:
    """Return which rows stay: of each cluster, the first rows of at most `most` different texts.

    Parameters
    ----------
    texts
        The items.
    duplicates
        Those that were found in them.
    most
        The largest number of rows of a cluster, at least 1.

    Raises
    ------
    ArgumentError
        If `most` is below 1.

    Examples
    --------
    >>> from hayflick.auditing.duplicates import find_duplicates
    >>> texts = pl.Series(["a b c", "x", "A b c.", "a b c"])
    >>> choice = chosen_rows(texts, find_duplicates(texts), most=1)
    >>> choice.kept.tolist(), choice.exact.tolist(), choice.like.tolist()
    ([True, True, False, False], [False, False, False, True], [0, 1, 0, 0])
    """
    most = whole_number("max_copies", most, at_least=1)
    kept = np.ones(len(texts), np.bool_)
    exact = np.zeros(len(texts), np.bool_)
    like = np.arange(len(texts))
    inside = np.flatnonzero(duplicates.cluster >= 0)
    if not inside.size:
        return RowChoice(kept, exact, like)
    spelled = normalized(texts.gather(inside), "casefold").alias("text")
    members = pl.DataFrame({"row": inside, "cluster": duplicates.cluster[inside], "text": spelled})
    first = members.group_by("cluster", "text").agg(pl.col("row").min().alias("first"))
    first = first.with_columns(
        rank=pl.col("first").rank("ordinal").over("cluster"),
        leader=pl.col("first").min().over("cluster"),
    )
    found = members.join(first, on=["cluster", "text"], maintain_order="left")
    stays, own = (found["rank"] <= most).to_numpy(), found["first"].to_numpy()
    kept[inside] = stays & (own == inside)
    exact[inside] = stays & (own != inside)
    like[inside] = np.where(stays, own, found["leader"].to_numpy())
    return RowChoice(kept, exact, like)


def write_clean(
    files: CopiedFiles,
    frame: pl.DataFrame,
    duplicates: Duplicates,
    *,
    most: int,
    table: TableFormat | None,
    encoding: str,
    force: bool,
) -> CleanCopy:
    """Write the rows of files that are no near duplicates, and the list of the others.

    Lines of JSON stand as they are, cells of CSV and Parquet are the same; rows that could not be
    used are left out and listed.

    Parameters
    ----------
    files
        The data set, and where to write.
    frame
        Its items: their ``text``, their ``row`` in the file and, of several files, the number of
        the ``file``.
    duplicates
        Those that were found.
    most
        The largest number of rows that are kept of each cluster.
    table, encoding
        As the data set was read.
    force
        Whether files that exist are replaced.

    Raises
    ------
    DataError
        If a file has changed since it was read, so that it cannot be read.
    OutputError
        If a file cannot be written.
    """
    choice = chosen_rows(frame["text"], duplicates, most=most)
    rows = frame["row"].to_numpy()
    number = frame["file"].to_numpy() if "file" in frame.columns else np.zeros(rows.size, np.int64)
    if files.is_folder:
        _make_folder(files.place)
    merges = []
    for place, (source, target) in enumerate(zip(files.sources, files.targets, strict=True)):
        inside = number == place
        merges.append(_Merge(rows[inside], choice.kept[inside]))
        _write_one(source, target, merges[-1], table=table, encoding=encoding, force=force)
    names = [one.name for one in files.sources]
    dropped = _dropped_rows(rows, number, choice, duplicates, [one.unusable for one in merges])
    if files.is_folder:
        named = dict(enumerate(names))
        of = pl.col("file", "like_file").replace_strict(named, return_dtype=pl.String)
        dropped = dropped.with_columns(of)
    else:
        dropped = dropped.drop("file", "like_file")

    def write(temporary: Path) -> None:
        with open(temporary, "xb") as file:
            dropped.write_csv(file)

    write_file(files.dropped, write, force=force)
    numbers = dict(dropped.group_by("reason").len().sort("reason").iter_rows())
    return CleanCopy(str(files.place), str(files.dropped), int(choice.kept.sum()), numbers)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise OutputError(f"{folder}: cannot be made ({reason}); choose another folder") from None


def _write_one(
    source: Path,
    target: Path,
    merge: _Merge,
    *,
    table: TableFormat | None,
    encoding: str,
    force: bool,
) -> None:
    suffix = content_suffix(source)
    if suffix == PARQUET:
        write_file(target, lambda path: _parquet(source, path, merge), force=force)
        return

    def write(path: Path) -> None:
        with _text_file(path, target, encoding) as file:
            if suffix == TEXT:
                _text(source, file, merge, encoding)
            elif suffix in LINES:
                _json(source, file, merge, encoding)
            else:
                _delimited(source, file, merge, table, encoding)

    write_file(target, write, force=force)


class _Merge:
    """Says of the rows of a file, one after the other, whether each is kept."""

    def __init__(self, rows: Integers, kept: NDArray[np.bool_]) -> None:
        self.rows, self._kept, self._place = rows, kept, 0
        self.unusable: list[int] = []

    def keeps(self, row: int) -> bool:
        """Return whether the next row is kept; one that was not read as an item is not."""
        if self._place < self.rows.size and self.rows[self._place] == row:
            self._place += 1
            return bool(self._kept[self._place - 1])
        self.unusable.append(row)
        return False


@contextmanager
def _text_file(path: Path, target: Path, encoding: str) -> Iterator[TextIO]:
    """Open a new file to write text, compressed if that is what its final name says."""
    with open(path, "xb") as file:
        if target.suffix.lower() == ".gz":
            with (
                gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed,
                io.TextIOWrapper(packed, encoding, "replace", newline="") as text,
            ):
                yield text
        else:
            with io.TextIOWrapper(file, encoding, "replace", newline="") as text:
                yield text


def _text(source: Path, file: TextIO, merge: _Merge, encoding: str) -> None:
    """Write the lines that are kept, and those that are blank."""
    lines = text_lines(source, decoded(source, encoding=encoding))
    for number, line in enumerate(lines, start=1):
        if not line.strip() or merge.keeps(number):
            file.write(f"{line}\n")


def _json(source: Path, file: TextIO, merge: _Merge, encoding: str) -> None:
    """Write the lines that are kept as they are; records of a list are written anew."""
    if _has_lines(source, merge.rows, encoding):
        lines = text_lines(source, decoded(source, encoding=encoding))
        for number, line in enumerate(lines, start=1):
            if line.strip() and merge.keeps(number):
                file.write(f"{line}\n")
        return
    records = (record for row, record in json_lines(source, encoding=encoding) if merge.keeps(row))
    written = (json.dumps(record, ensure_ascii=False) for record in records)
    if content_suffix(source) == ".json":
        file.write("[\n" + next(written, ""))
        file.writelines(f",\n{record}" for record in written)
        file.write("\n]\n")
    else:
        file.writelines(f"{record}\n" for record in written)


def _has_lines(source: Path, rows: Integers, encoding: str) -> bool:
    """Return whether each record of a file is a line, by its first one."""
    if np.unique(rows).size < rows.size:
        return False
    lines = text_lines(source, decoded(source, encoding=encoding))
    first = next((line for number, line in enumerate(lines, start=1) if number == rows[0]), "")
    try:
        return isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _delimited(
    source: Path, file: TextIO, merge: _Merge, table: TableFormat | None, encoding: str
) -> None:
    with open_table(source, given=table, encoding=encoding) as opened:
        assert isinstance(opened, DelimitedTable)
        dialect = opened.dialect
        how: dict[str, Any] = {"delimiter": dialect.separator, "lineterminator": "\n"}
        if dialect.quote:
            writer = csv.writer(file, quotechar=dialect.quote, **how)
        else:
            writer = csv.writer(file, quoting=csv.QUOTE_NONE, quotechar=None, **how)
        if dialect.skipped:
            file.write(f"sep={dialect.separator}\n")
        if opened.header:
            writer.writerow(opened.columns)
        writer.writerows(cells for line, cells in opened.rows() if merge.keeps(line))


def _parquet(source: Path, path: Path, merge: _Merge) -> None:
    """Write the rows that are kept, with the columns and types of the file."""
    whole = pl.scan_parquet(source.absolute(), glob=False)
    number = int(whole.select(pl.len()).collect().item())
    kept = [row for row in range(number) if merge.keeps(row + 1)]
    place = "row" + "_" * max(map(len, whole.collect_schema().names()))
    some = whole.with_row_index(place).filter(pl.col(place).is_in(kept))
    some.select(pl.exclude(place)).sink_parquet(path)


def _dropped_rows(
    rows: Integers,
    number: Integers,
    choice: RowChoice,
    duplicates: Duplicates,
    unusable: Sequence[Sequence[int]],
) -> pl.DataFrame:
    """Return the rows that were dropped, in the order of the files, and the rows they are like."""
    dropped = np.flatnonzero(~choice.kept)
    like = choice.like[dropped]
    schema: dict[str, Any] = {"file": pl.Int64, "row": pl.Int64, "reason": pl.String}
    schema |= {"like_file": pl.Int64, "like_row": pl.Int64, "cluster": pl.Int64}
    table = pl.DataFrame(
        {
            "file": number[dropped],
            "row": rows[dropped],
            "reason": np.where(choice.exact[dropped], EXACT, NEAR).tolist(),
            "like_file": number[like],
            "like_row": rows[like],
            "cluster": duplicates.cluster[dropped] + 1,
        },
        schema=schema,
    )
    bad = [(place, row) for place, found in enumerate(unusable) for row in found]
    others = pl.DataFrame(bad, schema={"file": pl.Int64, "row": pl.Int64}, orient="row")
    others = others.with_columns(reason=pl.lit(UNUSABLE))
    together = pl.concat([table, others], how="diagonal")
    return together.sort("file", "row", maintain_order=True)
