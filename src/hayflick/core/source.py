"""What was read: the record of an input that every result carries."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hayflick.core.decompression import MARK_BYTES, compressed_suffix, decompressed
from hayflick.core.fit_check import FitCheck
from hayflick.core.notes import Note, translatable

_VERBATIM = "{note}"

_MISSING = ("empty cells", "rows that cannot be used")
_MANY_MISSING = 0.05


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of an input that were not used, and why.

    Parameters
    ----------
    reason
        A phrase such as ``empty cells``; reports translate it.
    number
        How many.
    """

    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class Source:
    """An input, and how it was read.

    Parameters
    ----------
    name
        The input's file name; what it is where it stands in memory.
    tokenizer
        The tokenizer's name; None if a symbol is a whole cell, or the input holds counts.
    column
        The table's column or columns; None for a text.
    encoding
        The codec that the input was read with.
    missing
        Number of empty cells, which were left out.
    role
        What the input is to the result, such as ``rules``; reports translate it.
    sheet
        The sheet of a workbook.
    rows
        Number of rows or lines that were read; None where they were not counted.
    sha256
        SHA-256 of the bytes of the file; None for objects in memory.
    normalization
        Unicode normalization of its texts.
    left_out
        What was not used, and why.
    notes
        How it was read, as sentences.
    checks
        Where its numbers do not look like what they are taken for.
    """

    name: str
    tokenizer: str | None = None
    column: str | None = None
    encoding: str = "utf-8"
    missing: int = 0
    role: str = "data"
    sheet: str | None = None
    rows: int | None = None
    sha256: str | None = None
    normalization: str = "nfc"
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()
    checks: tuple[FitCheck, ...] = ()

    @classmethod
    def of(
        cls,
        path: str | os.PathLike[str],
        *,
        files: Iterable[Path] | None = None,
        count_lines: bool = False,
        sha256: str | None = None,
        **fields: Any,
    ) -> Source:
        """Return the source of a file or a folder, with its hash.

        Bytes of its name that are not UTF-8 are replaced. The hash of a folder is over its files
        in the order of their names: for each the name below the folder, a zero byte and the 32
        bytes of its own hash. What can be read only once, such as a pipe, has none.

        Parameters
        ----------
        path
            The file or folder.
        files
            The files that were read in a folder; the default is all of them.
        count_lines
            Whether its rows are the lines of its files.
        sha256
            Its hash, if it is known; lines are not counted then.
        **fields
            Other fields of the source. Empty cells that are given as `missing` alone are added
            to `left_out`.
        """
        path = Path(path)
        name = os.fsencode(path.name or path.resolve().name).decode("utf-8", errors="replace")
        if fields.get("missing") and not fields.get("left_out"):
            fields["left_out"] = (LeftOut("empty cells", fields["missing"]),)
        try:
            encoding = fields.get("encoding", "utf-8") if count_lines else None
            lines = None
            if sha256 is None:
                sha256, lines = _hash_and_lines(path, files, encoding)
        except OSError:
            sha256, lines = None, None
        if count_lines:
            fields["rows"] = lines
        return cls(name, sha256=sha256, **fields)

    @classmethod
    def files(cls, *given: tuple[str, object]) -> tuple[Source, ...]:
        """Return the sources of those arguments that are paths of files, with their roles.

        What is no path was given in Python, and a name that no file has is not an input.

        Examples
        --------
        >>> Source.files(("rules", None), ("must-keep list", ["refund"]))
        ()
        """
        return tuple(
            cls.of(path, role=role)
            for role, path in given
            if isinstance(path, os.PathLike | str) and os.path.isfile(path)
        )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Source:
        """Return a source of which `to_dict` made plain values.

        Examples
        --------
        >>> source = Source("a.csv", column="text", left_out=(LeftOut("empty cells", 2),))
        >>> Source.from_dict(source.to_dict()) == source
        True
        """
        known = {name: record[name] for name in record if name in cls.__slots__}
        left_out = tuple(LeftOut(**one) for one in record["left_out"])
        # The sentence stands as it is, braces and all.
        notes = tuple(Note(_VERBATIM, note=note) for note in record["notes"])
        # What is missing is seen from what was left out.
        checks = (one for one in record.get("fit_checks", ()) if one["name"] != "missing")
        fields = {**known, "left_out": left_out, "notes": notes}
        return cls(record["file"], **fields, checks=tuple(map(FitCheck.from_dict, checks)))

    @property
    def was_read(self) -> bool:
        """Whether it is data, not a law's name."""
        known = (self.sha256, self.rows, self.column, self.tokenizer, self.notes or None)
        return any(one is not None for one in known)

    @property
    def fit_checks(self) -> tuple[FitCheck, ...]:
        """What to know before its figures: much that is missing, and `checks`."""
        absent = [one for one in self.left_out if one.reason in _MISSING]
        number = sum(one.number for one in absent)
        share = number / max(self.rows or 0, number, 1)
        if self.rows is None or share <= _MANY_MISSING:
            return self.checks
        meaning = Note(
            "{share} of the rows of {name} were left out: their cells are empty, or cannot be "
            "used.",
            share=f"{share:.1%}",
            name=self.column or self.name,
        )
        remedy = Note("If they differ from the others, the figures do not hold for them.")
        name = translatable("share of rows left out")
        missing = FitCheck("missing", self.column or self.name, name, share, meaning, remedy)
        return (missing, *self.checks)

    def without(self, reason: str, number: int) -> Source:
        """Return the source with more left out; the same for a number of 0."""
        if not number:
            return self
        return replace(self, left_out=(*self.left_out, LeftOut(reason, number)))

    def to_dict(self) -> dict[str, Any]:
        """Return the source as plain values, ready for JSON."""
        return {
            "file": self.name,
            "role": self.role,
            "sheet": self.sheet,
            "column": self.column,
            "rows": self.rows,
            "left_out": [asdict(one) for one in self.left_out],
            "tokenizer": self.tokenizer,
            "normalization": self.normalization,
            "encoding": self.encoding,
            "notes": [str(note) for note in self.notes],
            "fit_checks": [check.to_dict() for check in self.fit_checks],
            "sha256": self.sha256,
        }

    @property
    def holds_labels(self) -> bool:
        """Whether a symbol is a whole cell or line, not a part of a text."""
        return self.tokenizer == "lines" or (self.tokenizer is None and self.column is not None)


def _hash_and_lines(
    path: Path, files: Iterable[Path] | None, encoding: str | None
) -> tuple[str | None, int | None]:
    """Return the hash of a file or a folder, and its number of lines; None for what is neither."""
    if path.is_file():
        digest, lines = _digest_and_lines(path, encoding)
        return digest.hex(), lines
    if not path.is_dir():
        return None, None
    whole, total = hashlib.sha256(), 0
    for file in sorted(files or path.rglob("*"), key=lambda file: _name_below(path, file)):
        if file.is_file():
            digest, lines = _digest_and_lines(file, encoding)
            whole.update(_name_below(path, file) + b"\0" + digest)
            total += lines
    return whole.hexdigest(), total


def _name_below(folder: Path, file: Path) -> bytes:
    return os.fsencode(file.relative_to(folder).as_posix())


_CHUNK_BYTES = 1 << 20


def _digest_and_lines(path: Path, encoding: str | None) -> tuple[bytes, int]:
    """Return the hash of a file, and its number of lines; 0 where they are not asked for."""
    whole, lines, last, head = hashlib.sha256(), 0, b"\n", b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            whole.update(chunk)
            lines, last, head = lines + chunk.count(b"\n"), chunk[-1:], head or chunk[:MARK_BYTES]
    if encoding is None:
        return whole.digest(), 0
    wide = encoding.lower().startswith(("utf-16", "utf_16", "utf-32"))
    if wide or compressed_suffix(head):
        return whole.digest(), _decoded_lines(path, encoding)
    return whole.digest(), lines + (last != b"\n")


def _decoded_lines(path: Path, encoding: str) -> int:
    """Return the number of lines of a file whose bytes are not those of its characters."""
    lines, last = 0, "\n"
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(decompressed(raw), encoding, errors="replace") as file,
    ):
        while chunk := file.read(_CHUNK_BYTES):
            lines, last = lines + chunk.count("\n"), chunk[-1]
    return lines + (last != "\n")


def sources_of(*parts: object) -> tuple[Source, ...]:
    """Return what the parts of a result were read from, each file once.

    Parameters
    ----------
    *parts
        Regimes, models, rules and the like. Those without an attribute `sources`, or `source`
        that is a `Source`, were read from nowhere.
    """
    found: list[Source] = []
    for part in parts:
        one = getattr(part, "source", None)
        found += getattr(part, "sources", (one,) if isinstance(one, Source) else ())
    return tuple(dict.fromkeys(one for one in found if one.was_read))


def sources_in(attributes: Mapping[str, Any]) -> tuple[Source, ...]:
    """Return the sources in the attribute ``inputs`` of runs, which is JSON; none without it."""
    return tuple(map(Source.from_dict, json.loads(attributes.get("inputs", "[]"))))


def sources_record(sources: Iterable[Source]) -> str:
    """Return sources as JSON, for the attribute ``inputs`` of runs."""
    return json.dumps([source.to_dict() for source in sources])
