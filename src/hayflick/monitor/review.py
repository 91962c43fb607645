"""`judge_review`: read a review file back, refuse altered rows, and judge by its verdicts."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from typing_extensions import override

from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.frames import input_path
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import open_table
from hayflick.monitor.acceptance import Acceptance, AcceptanceDecision, Stratum, acceptance
from hayflick.monitor.review_sample import (
    COLUMNS,
    FORMAT_VERSION,
    SUFFIXES,
    TEXTS,
    checksum,
    unescaped,
)

_OK = (
    *("ok", "okay", "good", "y", "yes", "1", "1.0", "true", "t", "pass", "o", "✓", "✔"),
    *("○", "〇", "◯", "良", "良い", "よい", "良好", "可", "合格", "はい", "問題なし", "適切", "正"),
)
_BAD = (
    *("bad", "ng", "n", "no", "0", "0.0", "false", "f", "fail", "x", "✗", "✕", "✘"),
    *("×", "悪", "悪い", "わるい", "不良", "不可", "不合格", "いいえ", "問題あり", "不適切", "誤"),
)
_MEANINGS = {**dict.fromkeys(_OK, False), **dict.fromkeys(_BAD, True)}

TAKES = "ok or bad (good/bad, y/n, 1/0, 良/悪, 可/不可, ○/×), or nothing while it is open"


def is_bad(verdict: str) -> bool | None:
    """Return whether a verdict says that the answer is bad; None if there is no verdict yet.

    Width and case do not matter.

    Raises
    ------
    KeyError
        If it is none of the spellings.

    Examples
    --------
    >>> is_bad("ＮＧ"), is_bad("良い"), is_bad("  "), is_bad("Yes")
    (True, False, None, False)
    """
    plain = unicodedata.normalize("NFKC", verdict).strip().casefold()
    return _MEANINGS[plain] if plain else None


_NAMED = 10


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A row of a review file.

    Parameters
    ----------
    line
        Line or row in the file as it was read; the header is 1.
    position, id, stratum, population, weight
        As of `hayflick.monitor.review_sample.SampledAnswer`.
    bad
        Whether the answer is bad; None if there is no verdict yet.
    comment
        The reviewer's comment.
    """

    line: int
    position: int
    id: str
    stratum: str
    population: int
    weight: float
    bad: bool | None
    comment: str


@dataclass(frozen=True, eq=False)
class ReviewFile:
    """The verdicts of a review so far.

    Parameters
    ----------
    name
        Name of the file.
    rows
        The answers, in the order of checking.
    sources
        What was read.
    """

    name: str
    rows: tuple[ReviewRow, ...]
    sources: tuple[Source, ...] = ()

    @property
    def ok(self) -> int:
        """Number of good answers."""
        return sum(row.bad is False for row in self.rows)

    @property
    def bad(self) -> int:
        """Number of bad answers."""
        return sum(row.bad is True for row in self.rows)

    @property
    def pending(self) -> int:
        """Number of answers without a verdict."""
        return sum(row.bad is None for row in self.rows)

    @property
    def counted(self) -> tuple[ReviewRow, ...]:
        """The rows before the first one without a verdict.

        If later ones counted, leaving out hard cases would make a stream look better than it is.
        """
        first = next((k for k, row in enumerate(self.rows) if row.bad is None), len(self.rows))
        return self.rows[:first]

    @property
    def waiting(self) -> int:
        """Number of verdicts after a row without one; they count once that is filled in."""
        return self.ok + self.bad - len(self.counted)

    def strata(self) -> list[Stratum]:
        """Return the verdicts that count, one `Stratum` per group."""
        sizes = {row.stratum: row.population for row in self.rows}
        return [
            Stratum([bool(row.bad) for row in self.counted if row.stratum == name], size, name)
            for name, size in sorted(sizes.items())
        ]

    def acceptance(self, *, limit: float, error: float = 0.05) -> Acceptance:
        """Return what the verdicts prove; see `hayflick.monitor.acceptance.acceptance`."""
        return acceptance(self.strata(), limit=limit, error=error)


def read_review(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", table: TableFormat | None = None
) -> ReviewFile:
    """Read a review file, complete or not.

    Rows may be sorted in another way, and columns may be added.

    Parameters
    ----------
    path
        What `ReviewSample.save` wrote, CSV or xlsx.
    encoding, table
        Encoding and format of a CSV that another program saved.

    Raises
    ------
    ArgumentError
        If the name has another ending.
    DataError
        If the file cannot be read or is no review file, or rows were altered, lost, doubled,
        or have an unknown verdict: all of them are named.
    """
    path = input_path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ArgumentError("path", got=str(path), takes=f"a name ending in {', '.join(SUFFIXES)}")
    rows = _rows(path, encoding, table)
    _check_intact(path, rows)
    _check_verdicts(path, rows)
    judged = sorted((_row(line, row) for line, row in rows), key=lambda row: row.position)
    source = Source.of(path, encoding=encoding, rows=len(judged), column="verdict")
    review = ReviewFile(path.name, tuple(judged))
    open_rows = len(review.rows) - len(review.counted)
    source = source.without("from the first row without a verdict on", open_rows)
    return replace(review, sources=(source,))


@dataclass(frozen=True, eq=False)
class ReviewResult(Result):
    """What the verdicts of a review prove about all answers that were drawn from.

    Parameters
    ----------
    review
        The verdicts, as far as there are any.
    acceptance
        The bounds of the share of bad answers, and how many more checks it takes.
    """

    review: ReviewFile
    acceptance: Acceptance

    @property
    @override
    def sources(self) -> tuple[Source, ...]:
        return self.review.sources

    @property
    def decision(self) -> AcceptanceDecision:
        """Accept, reject, or go on checking."""
        return self.acceptance.decision

    def provenance(self) -> dict[str, Any]:
        """Return the record that makes the result again."""
        state = self.acceptance
        values = {"review": self.review.name, "limit": state.limit, "error": state.error}
        return provenance(values)


def judge_review(
    path: str | os.PathLike[str],
    *,
    limit: float = 0.05,
    error: float = 0.05,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
) -> ReviewResult:
    """Read a review file, complete or not, and return what its verdicts prove.

    Rows may be sorted in another way, and columns may be added. Look as often as you like: the
    bounds hold at every look.

    Parameters
    ----------
    path
        What `hayflick.draw_review` saved, CSV or xlsx.
    limit
        Share of bad answers that is acceptable, above 0 and below 1.
    error
        Probability with which each bound may ever miss the true share.
    encoding, table
        Encoding and format of a CSV that another program saved.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the name has another ending.
    DataError
        If the file cannot be read or is no review file, or rows were altered, lost, doubled,
        or have an unknown verdict: all of them are named.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> import hayflick as hf
    >>> from hayflick.corpus.answers import Answers
    >>> frame = pl.DataFrame({"row": range(1, 9), "round": [1] * 8, "text": list("abcdefgh")})
    >>> sample = hf.draw_review(Answers("talk.jsonl", ("1",), frame), number=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     judged = judge_review(sample.save(f"{folder}/review.csv"))
    >>> judged.decision.value, judged.review.pending, judged.acceptance.high
    ('go on', 4, 1.0)

    References
    ----------
    Waudby-Smith & Ramdas, arXiv:2010.09686.
    """
    review = read_review(path, encoding=encoding, table=table)
    return ReviewResult(review, review.acceptance(limit=limit, error=error))


_Rows = list[tuple[int, dict[str, str]]]


def _rows(path: Path, encoding: str, given: TableFormat | None) -> _Rows:
    with open_table(path, given=given, encoding=encoding) as table:
        missing = [name for name in COLUMNS if name not in table.columns]
        if missing:
            lacks = f"has no column {', '.join(map(repr, missing))}"
            raise DataError(f"{path}: {lacks}; is no review file, or columns were removed")
        cells = table.frame([table.choose(name) for name in COLUMNS]).collect()
    rows = [
        (line, {name: _cell(name, cell) for name, cell in row.items()})
        for line, row in enumerate(cells.iter_rows(named=True), start=2)
    ]
    rows = [(line, row) for line, row in rows if any(cell.strip() for cell in row.values())]
    if not rows:
        raise DataError(f"{path}: holds no row; restore the file that was drawn")
    versions = {row["format_version"] for _, row in rows} - {str(FORMAT_VERSION), ""}
    if versions and all(version.isdecimal() for version in versions):
        reads = f"this version reads {FORMAT_VERSION}; update hayflick"
        raise DataError(f"{path}: has format_version {min(versions)}, {reads}")
    return rows


def _cell(name: str, cell: str | None) -> str:
    return unescaped(cell or "") if name in TEXTS else cell or ""


def _check_intact(path: Path, rows: _Rows) -> None:
    """Refuse rows that were altered, come from elsewhere, are doubled or missing."""
    faults = []
    altered = [_row_name(line, row) for line, row in rows if checksum(row) != row["checksum"]]
    if altered:
        restore = "restore all but verdict and comment from the file that was drawn"
        faults.append(f"altered: {_named_rows(altered)}; {restore}")
    whole = [(line, row) for line, row in rows if checksum(row) == row["checksum"]]
    reviews = sorted({row["review"] for _, row in whole})
    if len(reviews) > 1:
        faults.append(f"rows of {len(reviews)} reviews ({', '.join(reviews)}) in one file")
    places: dict[str, list[str]] = {}
    for line, row in whole:
        places.setdefault(row["position"], []).append(_row_name(line, row))
    doubled = [" = ".join(names) for names in places.values() if len(names) > 1]
    if doubled and len(reviews) == 1:
        faults.append(f"doubled: {_named_rows(doubled)}; keep one of each")
    if whole and len(reviews) == 1 and not altered:
        drawn = int(whole[0][1]["drawn"])
        lost = [f"position {k}" for k in range(1, drawn + 1) if str(k) not in places]
        if lost:
            faults.append(f"missing: {_named_rows(lost)} of {drawn}; restore them")
    if faults:
        raise DataError(f"{path}: {'; '.join(faults)}")


def _check_verdicts(path: Path, rows: _Rows) -> None:
    unknown = []
    for line, row in rows:
        try:
            is_bad(row["verdict"])
        except KeyError:
            unknown.append(f"{_row_name(line, row)} has {row['verdict']!r}")
    if unknown:
        raise DataError(f"{path}: unknown verdicts: {_named_rows(unknown)}; takes {TAKES}")


def _row(line: int, row: dict[str, str]) -> ReviewRow:
    return ReviewRow(
        line=line,
        position=int(row["position"]),
        id=row["id"],
        stratum=row["stratum"],
        population=int(row["population"]),
        weight=float(row["weight"]),
        bad=is_bad(row["verdict"]),
        comment=row["comment"],
    )


def _row_name(line: int, row: dict[str, str]) -> str:
    return f"row {line} (id {row['id']})"


def _named_rows(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
