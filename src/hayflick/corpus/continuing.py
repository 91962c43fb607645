"""Go on reading a stream of answers where an earlier call stopped."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError, listed
from hayflick.core.notes import Note
from hayflick.corpus.normalization import merging_names

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ReadPart:
    """What was read of a stream of answers, and what reading further takes.

    Parameters
    ----------
    names
        Names of all rounds, those before the first one that is used included.
    labels
        Labels that give the rounds their order, in the order of appearance.
    rows, answers, before
        Number of rows, of those that were used, and of the latter those before the first round.
    dimensions
        Components of a vector; 0 without vectors.
    bad, first_bad
        Number of rows that were skipped, and the first ones with the reason.
    left_out
        Number of records of a log that hold no answer, by reason.
    groups
        Names of the groups.
    empty
        Number of empty cells of each column of numbers.
    notes
        How the table was read.
    beginning
        The bytes of the file, if reading can go on behind them.
    found_rounds
        How rounds were found that no column names, as plain values; see
        `hayflick.corpus.found_rounds.FoundRounds`.

    Examples
    --------
    >>> ReadPart(names=("1", "2")).names
    ('1', '2')
    """

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    rows: int = 0
    answers: int = 0
    before: int = 0
    dimensions: int = 0
    bad: int = 0
    first_bad: tuple[tuple[int, str], ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    empty: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    beginning: Beginning | None = None
    found_rounds: Mapping[str, Any] | None = None

    def hash_of(self, given: object) -> str | None:
        """Return the hash of a file if all of it was read and hashed; None to hash it."""
        known = self.beginning
        if known is None or not isinstance(given, Path):
            return None
        return known.sha256 if given.stat().st_size == known.size else None

    def of_empty_file(self) -> ReadPart:
        """Return the same rounds, with an empty file in the place of the one that was read."""
        return replace(
            self,
            rows=0,
            answers=0,
            before=0,
            bad=0,
            first_bad=(),
            left_out={},
            empty=dict.fromkeys(self.empty, 0),
            beginning=Beginning(size=0, sha256=_NO_BYTES, lines=0, ends_line=True),
        )

    def followed_by(self, later: ReadPart) -> ReadPart:
        """Return what was read in two steps; most was counted from the first row on."""
        return replace(
            later,
            answers=self.answers + later.answers,
            before=self.before + later.before,
            groups=tuple(dict.fromkeys((*self.groups, *later.groups))),
            empty={name: number + self.empty.get(name, 0) for name, number in later.empty.items()},
        )


_NO_BYTES = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class Beginning:
    """The bytes at the beginning of a file that were read.

    Parameters
    ----------
    size
        How many.
    sha256
        Their hash.
    lines
        Number of newlines among them.
    ends_line
        Whether the last one is a newline.
    """

    size: int
    sha256: str
    lines: int
    ends_line: bool

    @classmethod
    def of(cls, path: Path, size: int) -> Beginning:
        r"""Return the first `size` bytes of a file, fewer if it has fewer.

        Examples
        --------
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
        >>> _ = path.write_text("{}\n{}")
        >>> Beginning.of(path, 5).lines
        1
        """
        return Hasher().beginning(path, size)

    def hasher_of(self, path: Path) -> Hasher | None:
        """Return the hasher behind these bytes of a file; None if it does not go on behind them.

        A file goes on if it begins with these bytes, and with another line behind them.
        """
        hasher = Hasher()
        try:
            if path.stat().st_size < self.size or hasher.beginning(path, self.size) != self:
                return None
            with path.open("rb") as file:
                file.seek(self.size)
                following = file.read(1)
        except OSError:
            return None
        return hasher if self.ends_line or following in (b"", b"\n", b"\r") else None


class Hasher:
    """Hashes a file from its beginning on, further with every call."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = self._lines = 0
        self._last = b"\n"

    def beginning(self, path: Path, size: int) -> Beginning:
        """Return the first `size` bytes of a file, fewer if it has fewer."""
        with path.open("rb") as file:
            file.seek(self._size)
            while self._size < size and (chunk := file.read(min(size - self._size, _CHUNK_BYTES))):
                self._digest.update(chunk)
                self._size += len(chunk)
                self._lines += chunk.count(b"\n")
                self._last = chunk[-1:]
        return Beginning(self._size, self._digest.hexdigest(), self._lines, self._last == b"\n")


def is_empty(path: Path) -> bool:
    """Return whether a file has no bytes."""
    return path.is_file() and not path.stat().st_size


def check_order(known: Sequence[str], names: Sequence[str]) -> None:
    """Refuse rounds that come before those that were read already.

    Parameters
    ----------
    known
        Names of the rounds that were read.
    names
        Names of all rounds, in order.

    Raises
    ------
    DataError
        If the known rounds are not the first ones, in the same order.

    Examples
    --------
    >>> check_order(["1", "3"], ["1", "2", "3"])
    Traceback (most recent call last):
        ...
    hayflick.core.errors.DataError: by: the rounds '2' would come before '3', ...
    """
    if list(names[: len(known)]) == list(known):
        return
    old = set(known)
    last = max((place for place, name in enumerate(names) if name in old), default=0)
    late = [name for name in names[:last] if name not in old]
    if late:
        raise DataError(
            f"by: the rounds {listed(late, most=5)} would come before {names[last]!r}, which the "
            "state knows already; put later rounds alone behind it, or begin with another state"
        )
    raise DataError(
        f"by: the rounds {listed(list(known), most=5)} that the state knows have another order "
        "beside the new ones; name them in one way, or begin with another state"
    )


def order_labels(
    labels: Sequence[str], places: Mapping[str, int], *, periods: bool
) -> tuple[str, ...]:
    """Return labels that give the rounds the same order as all: of a period, the outermost.

    Examples
    --------
    >>> order_labels(["a", "b", "c", "d"], {"a": 1, "b": 1, "c": 1, "d": 2}, periods=True)
    ('a', 'c', 'd')
    """
    if not periods:
        return tuple(labels)
    ends: dict[int, tuple[str, str, str, str]] = {}
    for label in labels:
        first, _, least, greatest = ends.get(places[label], (label,) * 4)
        ends[places[label]] = (first, label, min(least, label), max(greatest, label))
    kept = set(itertools.chain.from_iterable(ends.values()))
    return tuple(label for label in labels if label in kept)


_MOST_NOTES = 3


def part_notes(part: ReadPart) -> Iterator[Note]:
    """Yield what a reader should know of the groups and the columns of numbers."""
    yield from _spelling_notes(part)
    yield from _empty_notes(part)


def _spelling_notes(part: ReadPart) -> Iterator[Note]:
    """Yield the names of groups that differ only in case, width or blanks."""
    alike = merging_names(list(part.groups))
    for group in alike[:_MOST_NOTES]:
        yield Note(
            "these are different groups, although they differ only in case, width, blanks or "
            "invisible characters: {groups}; --normalize casefold makes them one",
            groups=listed(group, most=5),
        )
    if len(alike) > _MOST_NOTES:
        more = len(alike) - _MOST_NOTES
        yield Note("further groups that differ only in their spelling: {number}", number=more)


def _empty_notes(part: ReadPart) -> Iterator[Note]:
    """Yield how many cells of each column of numbers are empty."""
    for column, empty in part.empty.items():
        if empty:
            yield Note(
                "{number} of {rows} cells of the column {column} have no number, and are left out",
                number=f"{empty:,}",
                rows=f"{part.answers:,}",
                column=column.removeprefix("value "),
            )
