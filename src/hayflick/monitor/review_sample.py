"""`draw_review`: a stratified random sample of answers for a person to check, and its file.

Group g has N_g answers, of which k_g are drawn without replacement; each stands for N_g / k_g
answers, its inclusion weight. The order is random within each group and even across groups, so
that the first answers of the sample, however many, are a random sample too.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.core.output import check_writable, write_file
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance, stream
from hayflick.core.source import Source
from hayflick.core.spreadsheets import is_formula
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.table_format import TableFormat

ALL = ""
"""Name of the only stratum if all answers are one."""


class Allocation(StrEnum):
    """How a sample is divided among groups."""

    PROPORTIONAL = "proportional"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class SampledAnswer:
    """An answer that a person is to check.

    Parameters
    ----------
    position
        Place in the order of checking, from 1.
    id
        Line or row in the input file, from 1.
    round, group, prompt, answer
        The answer and its columns; empty without such a column.
    stratum
        The group that it was drawn from; empty if all answers are one.
    population
        Number of answers in the stratum, N_g.
    weight
        Inclusion weight N_g / k_g: how many answers it stands for.
    """

    position: int
    id: int
    round: str
    group: str
    prompt: str
    answer: str
    stratum: str
    population: int
    weight: float


@dataclass(frozen=True, eq=False)
class ReviewSample(Result):
    """A random sample of answers for a person to check.

    Parameters
    ----------
    source
        Name of the input file.
    seed, allocation
        How the answers were drawn.
    drawn
        The answers, in the order of checking.
    sources
        What was read.
    """

    source: str
    seed: int
    allocation: Allocation
    drawn: tuple[SampledAnswer, ...]
    sources: tuple[Source, ...] = ()

    @property
    def strata(self) -> dict[str, int]:
        """Number of answers in the input, by stratum."""
        return {one.stratum: one.population for one in self.drawn}

    @override
    def save(self, path: str | os.PathLike[str], *, lang: str = "en", force: bool = False) -> Path:
        """Write a file with a row per answer, its columns ``verdict`` and ``comment`` empty.

        CSV is UTF-8 with a byte-order mark, so that spreadsheet programs read any script. Cells
        that they would take for formulas or dates begin with an apostrophe, which
        `hayflick.judge_review` removes.

        Parameters
        ----------
        path
            A name that ends in ``.csv`` or ``.xlsx``.
        lang
            Not used: the columns have the same names in every language.
        force
            Whether a file that exists is replaced.

        Raises
        ------
        ArgumentError
            If the name has another ending.
        OutputError
            If the file cannot be written, or exists and `force` is not set.
        MissingExtraError
            If the extra ``excel`` is needed and not installed.
        DataError
            If an answer is too long for a workbook's cell.
        """
        path = check_review_file(path, force=force)
        review = review_id(self)
        rows = [row_cells(one, sample=self, review=review) for one in self.drawn]
        cells = [{**row, **{name: escaped(row[name]) for name in TEXTS}} for row in rows]
        if path.suffix.lower() == ".csv":
            return write_file(path, lambda to: _write_csv(to, cells), force=force)
        if find_spec("xlsxwriter") is None:
            raise MissingExtraError("writing xlsx", extra="excel")
        _check_lengths(path, cells)
        return write_file(path, lambda to: _write_workbook(to, cells), force=force)

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the sample again."""
        values = {"input": self.source, "number": len(self.drawn), "allocation": self.allocation}
        return provenance(values, seed=self.seed)

    def to_frame(self) -> pl.DataFrame:
        """Return the drawn answers as a table, one row each, in the order of checking."""
        return pl.DataFrame([asdict(one) for one in self.drawn])


def draw_review(
    source: str | os.PathLike[str] | Answers,
    *,
    by: str | None = None,
    text: str | None = None,
    number: int = 50,
    group: str | None = None,
    prompt: str | None = None,
    allocation: str = Allocation.PROPORTIONAL,
    start: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> ReviewSample:
    """Draw random answers for a person to check, at least one of each group if possible.

    If there are more groups than answers to draw, the sample is drawn from all answers together.

    Parameters
    ----------
    source
        A table of answers, or answers that were read; answers without a text are left out.
    by, text, group, prompt
        Columns of the table; see `hayflick.corpus.answer_columns.AnswerColumns`. Every `group` is a
        stratum; the `prompt` is shown beside the answer.
    number
        How many answers to draw, at most as many as there are.
    allocation
        ``proportional`` to the sizes of the groups, or ``equal`` as far as they are large enough.
    start, skip_bad, encoding, normalize, table
        How the table is read; see `hayflick.corpus.answers.read_answers`.
    seed
        Seed of the draw.
    progress
        Called with how far reading has come.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the answers cannot be used or have no text.

    Examples
    --------
    >>> talk = {"round": [1] * 8, "text": list("abcdefgh"), "group": list("xxxxxxyy")}
    >>> frame = pl.DataFrame({"row": range(1, 9), **talk})
    >>> sample = draw_review(Answers("talk.jsonl", ("1",), frame), number=4, seed=7)
    >>> [(one.group, one.weight) for one in sample.drawn]
    [('x', 2.0), ('y', 2.0), ('x', 2.0), ('x', 2.0)]
    """
    if allocation not in tuple(Allocation):
        takes = f"one of {', '.join(Allocation)}"
        raise ArgumentError("allocation", got=allocation, takes=takes)
    answers = source
    if not isinstance(answers, Answers):
        answers = read_answers(
            answers,
            columns=AnswerColumns(by=by or "", text=text, group=group, prompt=prompt),
            start=start,
            skip_bad=skip_bad,
            encoding=encoding,
            normalize=normalize,
            table=table,
            progress=progress,
        )
    frame = _with_text(answers)
    silent_rows = len(answers.frame) - len(frame)
    number = whole_number("number", number, at_least=1, at_most=frame.height)
    groups = _strata(frame, number)
    sizes = np.array([len(rows) for rows in groups.values()])
    shares = sizes / sizes.sum() if allocation == Allocation.PROPORTIONAL else np.ones(sizes.size)
    parts = allocate(number, sizes=sizes, shares=shares)
    drawn = []
    for place, (row, stratum, weight) in enumerate(_draw(groups, parts, seed), start=1):
        cells = frame.row(row, named=True)
        one = SampledAnswer(
            position=place,
            id=cells["row"],
            round=answers.rounds[cells["round"] - 1],
            group=cells.get("group") or "",
            prompt=cells.get("prompt") or "",
            answer=cells["text"],
            stratum=stratum,
            population=len(groups[stratum]),
            weight=weight,
        )
        drawn.append(one)
    sources = tuple(one.without("answers without a text", silent_rows) for one in answers.sources)
    return ReviewSample(answers.name, seed, Allocation(allocation), tuple(drawn), sources)


def allocate(number: int, *, sizes: Integers, shares: Floats) -> Integers:
    """Return how many to draw of each group: one each, then by the Sainte-Laguë method.

    Parameters
    ----------
    number
        Size of the sample; at least one per group, and at most all answers.
    sizes, shares
        Sizes of the groups, and their intended shares of the sample, shape ``(groups,)``.

    Examples
    --------
    >>> allocate(10, sizes=np.array([90, 9, 1]), shares=np.array([0.9, 0.09, 0.01])).tolist()
    [8, 1, 1]
    """
    parts = np.ones(sizes.size, dtype=np.int64)
    for _ in range(number - sizes.size):
        claims = np.where(parts < sizes, shares / (2 * parts + 1), -1.0)
        parts[int(np.argmax(claims))] += 1
    return parts


def _with_text(answers: Answers) -> pl.DataFrame:
    if "text" not in answers.frame.columns:
        raise DataError(f"{answers.name}: was read without a text; name its column")
    frame = answers.frame.filter(pl.col("text").is_not_null())
    if frame.is_empty():
        raise DataError(f"{answers.name}: holds no answer with a text")
    return frame


def _strata(frame: pl.DataFrame, number: int) -> dict[str, list[int]]:
    """Return the rows of each group, by name in alphabetical order."""
    if "group" not in frame.columns:
        return {ALL: list(range(frame.height))}
    names = frame["group"].fill_null(ALL)
    groups: dict[str, list[int]] = {name: [] for name in sorted(names.unique())}
    if len(groups) > number:
        return {ALL: list(range(frame.height))}
    for row, name in enumerate(names):
        groups[name].append(row)
    return groups


def _draw(
    groups: Mapping[str, Sequence[int]], parts: Integers, seed: int
) -> list[tuple[int, str, float]]:
    """Return row, stratum and weight of the drawn answers, in the order of checking."""
    rng = stream(seed, block=0)
    found: list[tuple[float, int, str, float]] = []
    for (name, rows), part in zip(groups.items(), parts, strict=True):
        chosen = rng.permutation(len(rows))[:part]
        start = rng.random()
        for place, row in enumerate(chosen):
            found.append(((place + start) / part, rows[row], name, len(rows) / int(part)))
    return [(row, name, weight) for _, row, name, weight in sorted(found)]


FORMAT_VERSION = 1

ABOUT = ("id", "round", "group", "prompt", "answer")
FILLED_IN = ("verdict", "comment")
TEXTS = ("round", "group", "prompt", "answer", "comment", "stratum")
KEPT = ("position", "drawn", "stratum", "population", "weight", "review", "format_version")
COLUMNS = (*ABOUT, *FILLED_IN, *KEPT, "checksum")

# Numbers, dates, amounts and truth values, which a program would write in its own way.
_VALUE = re.compile(
    r"\s*([\d.(]|[$€£¥]\s*\d|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s\-./,]*\d"
    r"|(令和|平成|昭和|大正|明治|[rhstm])\s*\d|(true|false)\s*$)",
    re.IGNORECASE,
)
_PLAIN_NUMBER = re.compile(r"0|[1-9]\d{0,14}")
_LONGEST_VALUE = 32
# What neither a workbook nor UTF-8 can hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def escaped(cell: str) -> str:
    """Return a cell that no spreadsheet program takes for a formula, a date or an amount.

    Examples
    --------
    >>> escaped("=1+1"), escaped("'=1+1"), escaped("1/2"), escaped("12"), escaped("so")
    ("'=1+1", "''=1+1", "'1/2", '12', 'so')
    """
    return f"'{cell}" if _is_rewritten(cell) else cell


def unescaped(cell: str) -> str:
    """Return what `escaped` was given.

    Examples
    --------
    >>> unescaped("'=1+1"), unescaped("''=1+1"), unescaped("'1/2"), unescaped("'tis")
    ('=1+1', "'=1+1", '1/2', "'tis")
    """
    return cell[1:] if cell[:1] == "'" and _is_rewritten(cell[1:]) else cell


def _is_rewritten(cell: str) -> bool:
    """Return whether a program would change or run the cell, its apostrophes aside."""
    # Programs that are set to Japanese read wide signs and digits as others.
    bare = unicodedata.normalize("NFKC", cell.lstrip("'"))
    if is_formula(bare) or bare.startswith(("+", "-")):
        return True
    short = len(bare) <= _LONGEST_VALUE and not _PLAIN_NUMBER.fullmatch(bare)
    return short and _VALUE.match(bare) is not None


def row_cells(drawn: SampledAnswer, *, sample: ReviewSample, review: str) -> dict[str, str]:
    """Return a drawn answer as text cells by column, unescaped and with its checksum."""
    cells = {name: str(value) for name, value in asdict(drawn).items()}
    cells |= {
        "verdict": "",
        "comment": "",
        "drawn": str(len(sample.drawn)),
        "weight": f"{drawn.weight:.6g}",
        "review": review,
        "format_version": str(FORMAT_VERSION),
    }
    cells = {name: _UNWRITABLE.sub("�", cell) for name, cell in cells.items()}
    return {**cells, "checksum": checksum(cells)}


def review_id(sample: ReviewSample) -> str:
    """Return a short identifier that tells the rows of different reviews apart."""
    rows = [(one.id, one.round, one.group, one.answer) for one in sample.drawn]
    return _sha256([sample.source, sample.seed, sample.allocation, rows])[:8]


def checksum(cells: Mapping[str, str]) -> str:
    """Return the checksum of all columns that people do not fill in.

    Line ends, and blanks at the end of a cell, do not change it: programs rewrite both.
    """
    return _sha256([_plain(cells[name]) for name in (*ABOUT, *KEPT)])[:16]


def _plain(cell: str) -> str:
    lines = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _sha256(content: object) -> str:
    text = json.dumps(content, ensure_ascii=True)
    # Not a number, whatever its digits: programs would shorten that.
    return "r" + hashlib.sha256(text.encode()).hexdigest()


SUFFIXES = (".csv", ".xlsx")
_LONGEST_CELL = 32_767


def check_review_file(path: str | os.PathLike[str], *, force: bool) -> Path:
    """Return the path of a review file, or refuse one that cannot be written.

    Raises
    ------
    ArgumentError
        If it ends in neither ``.csv`` nor ``.xlsx``.
    OutputError
        If the file cannot be written, or exists and `force` is not set.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ArgumentError("path", got=str(path), takes=f"a name ending in {', '.join(SUFFIXES)}")
    check_writable(path, force=force)
    return path


def _write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-8-sig", errors="replace"))


def _write_workbook(path: Path, rows: list[dict[str, str]]) -> None:
    content = io.BytesIO()
    pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String)).write_excel(
        content,
        worksheet="review",
        autofilter=False,
        freeze_panes="A2",
        column_widths={"prompt": 320, "answer": 480, "comment": 240},
    )
    path.write_bytes(content.getvalue())


def _check_lengths(path: Path, rows: list[dict[str, str]]) -> None:
    long = [row["id"] for row in rows if max(map(len, row.values())) > _LONGEST_CELL]
    if long:
        holds = f"a workbook's cell holds {_LONGEST_CELL:,} characters"
        raise DataError(f"{path}: the answer with id {long[0]} is too long: {holds}; write .csv")
