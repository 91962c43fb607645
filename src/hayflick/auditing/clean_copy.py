"""Write a data set without near duplicates, in its own format, and list what it lacks."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
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
from hayflick.core.errors import ArgumentError
from hayflick.core.notes import translatable
from hayflick.core.output import check_not_input, check_writable, write_file
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.encodings import decoded
from hayflick.corpus.json_lines import json_lines, text_lines
from hayflick.corpus.normalization import normalized
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import DelimitedTable
from hayflick.corpus.tables import open_table

LINES, DELIMITED, PARQUET = (".jsonl", ".ndjson", ".json"), (".csv", ".tsv"), ".parquet"
WRITTEN = (*LINES, *DELIMITED, PARQUET)

EXACT, NEAR = translatable("exact copy"), translatable("near copy")
UNUSABLE = translatable("cannot be used")


def check_clean(path: str | os.PathLike[str], source: object, *, force: bool) -> Path:
    """Return the path of a copy without near duplicates; refuse it before any work starts.

    Raises
    ------
    ArgumentError
        If the data set is not one file of a kind that is written, or the path has another ending.
    OutputError
        If the path or that of the list of dropped rows is an input, taken, or cannot be written.
    """
    target = Path(path)
    kinds = ", ".join(WRITTEN)
    if not isinstance(source, (str, os.PathLike)) or not Path(source).is_file():
        takes = "one file as the data set, whose rows can be copied"
        raise ArgumentError("write_clean", got=str(target), takes=takes)
    given = Path(source)
    suffix = content_suffix(given)
    if suffix not in WRITTEN:
        takes = f"a data set in {kinds}"
        remedy = f"{given.name} is another; export it as .csv first"
        raise ArgumentError("write_clean", got=str(target), takes=takes, remedy=remedy)
    plain = target.with_suffix("") if target.suffix.lower() == ".gz" else target
    if plain.suffix.lower() != suffix or (suffix == PARQUET and plain is not target):
        takes = f"a name that ends in {suffix}, as the data set does"
        takes += "" if suffix == PARQUET else f", or in {suffix}.gz"
        raise ArgumentError("write_clean", got=str(target), takes=takes)
    for one in (target, dropped_path(target)):
        check_not_input(one, [given])
        check_writable(one, force=force)
    return target


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
    source: Path,
    target: Path,
    texts: pl.Series,
    duplicates: Duplicates,
    rows: Integers,
    *,
    most: int,
    table: TableFormat | None,
    encoding: str,
    force: bool,
) -> CleanCopy:
    """Write the rows of a file that are no near duplicates, and the list of the others.

    Lines of JSON stand as they are, cells of CSV and Parquet are the same; rows that could not be
    used are left out and listed.

    Parameters
    ----------
    source, target
        The data set, and where to write.
    texts, duplicates, rows
        Its items, their duplicates, and the line or row of each in the file.
    most
        The largest number of rows that are kept of each cluster.
    table, encoding
        As the data set was read.
    force
        Whether files that exist are replaced.

    Raises
    ------
    DataError
        If the file has changed since it was read, so that it cannot be read.
    OutputError
        If a file cannot be written.
    """
    choice = chosen_rows(texts, duplicates, most=most)
    merge = _Merge(rows, choice.kept)
    suffix = content_suffix(source)
    if suffix == PARQUET:
        write_file(target, lambda path: _parquet(source, path, merge), force=force)
    else:

        def write(path: Path) -> None:
            with _text_file(path, target, encoding) as file:
                if suffix in LINES:
                    _json(source, file, merge, encoding)
                else:
                    _delimited(source, file, merge, table, encoding)

        write_file(target, write, force=force)
    listed = dropped_path(target)
    dropped = _listed(listed, rows, choice, duplicates, merge.unusable, force=force)
    return CleanCopy(str(target), str(listed), int(choice.kept.sum()), dropped)


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


def _listed(
    path: Path,
    rows: Integers,
    choice: RowChoice,
    duplicates: Duplicates,
    unusable: Sequence[int],
    *,
    force: bool,
) -> dict[str, int]:
    """Write the rows that were dropped, and return how many by reason."""
    dropped = np.flatnonzero(~choice.kept)
    table = pl.DataFrame(
        {
            "row": rows[dropped],
            "reason": np.where(choice.exact[dropped], EXACT, NEAR).tolist(),
            "like_row": rows[choice.like[dropped]],
            "cluster": duplicates.cluster[dropped] + 1,
        },
        schema={"row": pl.Int64, "reason": pl.String, "like_row": pl.Int64, "cluster": pl.Int64},
    )
    bad = pl.DataFrame({"row": unusable, "reason": UNUSABLE}, schema_overrides={"row": pl.Int64})
    table = pl.concat([table, bad], how="diagonal").sort("row", maintain_order=True)

    def write(temporary: Path) -> None:
        with open(temporary, "xb") as file:
            table.write_csv(file)

    write_file(path, write, force=force)
    numbers = table.group_by("reason").len().sort("reason")
    return dict(numbers.iter_rows())
