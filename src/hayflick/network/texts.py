"""The real texts that an experiment names: in a file, one a line, or written down."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.corpus.encodings import decoded
from hayflick.corpus.json_lines import json_lines
from hayflick.network.experiment import Experiment, PoolSection, ReserveSection

_JSON_LINES = (".jsonl", ".ndjson")


def texts_of(section: PoolSection | ReserveSection, *, folder: Path) -> list[str]:
    """Return the texts of a section; blank lines of a file are none.

    Raises
    ------
    DataError
        If the file cannot be read, holds no text, or is JSON lines without a key ``text``.

    Examples
    --------
    >>> texts_of(ReserveSection(texts=["It rains."]), folder=Path())
    ['It rains.']
    """
    if section.file is None:
        return list(section.texts)
    path = folder / section.file
    found = list(_records(path) if path.suffix in _JSON_LINES else _lines(path))
    if not found:
        raise DataError(f"{path}: holds no text")
    return found


def _lines(path: Path) -> Iterator[str]:
    lines = "".join(decoded(path, encoding="utf-8")).splitlines()
    return (line.strip() for line in lines if line.strip())


def _records(path: Path) -> Iterator[str]:
    for number, record in json_lines(path):
        text = record.get("text") if isinstance(record, dict) else None
        if not isinstance(text, str):
            raise DataError(f"{path}: line {number} takes an object with a key text")
        if text.strip():
            yield text


def fingerprints(experiment: Experiment, *, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that an experiment names, by its name."""
    sections = (experiment.pool, experiment.reserve)
    named = [section.file for section in sections if section is not None and section.file]
    named += [] if experiment.rules is None else [experiment.rules]
    named += [
        str(one[key]) for one in experiment.agents for key in ("corpus", "file") if key in one
    ]
    named += [
        one.topology.partition("edges:")[2].removeprefix("file=") for one in experiment.read_by
    ]
    paths = {name: folder / name for name in named}
    return {name: _digest(path) for name, path in paths.items() if path.is_file()}


def check_unchanged(before: Mapping[str, Any], *, now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on from files that are no longer those that a run began with.

    Raises
    ------
    DataError
        If one has changed or is missing.
    """
    changed: Sequence[str] = [name for name, digest in before.items() if now.get(name) != digest]
    if changed:
        remedy = "restore it, or begin a new run"
        raise DataError(f"{folder / changed[0]}: is not what the run began with; {remedy}")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
