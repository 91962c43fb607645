"""Texts that a person looks at: a file of JSON lines, with a key ``keep`` to fill in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.output import write_text
from hayflick.corpus.json_lines import json_lines
from hayflick.storage.runs import StoredText

_DONE = ".done"


class ReviewPending(HayflickError):  # noqa: N818
    """A run waits for a person to look at texts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        remedy = "set every keep to true or false, and resume the run"
        super().__init__(f"{path}: waits for a review; {remedy}")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a person decided: numbers of texts that stay, and of those that do not."""

    kept: tuple[int, ...]
    refused: tuple[int, ...]


def write_review(folder: Path, texts: Sequence[StoredText], *, after: int) -> Path:
    """Write the file in which a person says which texts of a round stay."""
    path = folder / f"review-{after}.jsonl"
    rows = [{"number": one.number, "author": one.author, "text": one.text} for one in texts]
    lines = [json.dumps({**row, "keep": None}, ensure_ascii=False) for row in rows]
    return write_text(path, "".join(f"{line}\n" for line in lines), force=True)


def open_reviews(folder: Path, *, after: int) -> list[Path]:
    """Return the files that were not taken in yet, the oldest first.

    Those of rounds later than `after` are left out: such a round was cut off, and is repeated.
    """
    rounds = {int(path.stem[7:]): path for path in folder.glob("review-*.jsonl")}
    return [path for number, path in sorted(rounds.items()) if number <= after]


def read_review(path: Path) -> Reviewed | None:
    """Return what a person decided; None where a line is not filled in yet.

    Raises
    ------
    DataError
        If a line is something else.
    """
    kept: list[int] = []
    refused: list[int] = []
    whole = True
    for place, record in json_lines(path):
        number, keep = _line(path, place, record)
        whole &= keep is not None
        (kept if keep else refused).append(number)
    return Reviewed(tuple(kept), tuple(refused)) if whole else None


def put_away(path: Path) -> None:
    """Set a file aside that was taken in."""
    path.replace(path.with_name(path.name + _DONE))


def _line(path: Path, place: int, record: dict[str, Any] | str) -> tuple[int, bool | None]:
    number = record.get("number") if isinstance(record, dict) else None
    keep = record.get("keep") if isinstance(record, dict) else None
    if not isinstance(number, int) or not (keep is None or isinstance(keep, bool)):
        raise DataError(f"{path}: line {place} takes number, and keep as true, false or null")
    return number, keep
