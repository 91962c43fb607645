"""The folder of a run: its database, and a lock that lets one process at a time go on with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError
from hayflick.core.output import make_folder
from hayflick.network.file_lock import locked
from hayflick.storage.database import Database

DATABASE, _LOCK = "run.db", "lock.db"


def new_directory(path: str | os.PathLike[str]) -> Path:
    """Return the folder of a new run, made.

    Raises
    ------
    OutputError
        If it exists already, or cannot be made.
    """
    path = Path(path)
    if (path / DATABASE).exists():
        remedy = f"go on with it by hayflick network resume {path}, or choose another folder"
        raise OutputError(f"{path}: holds a run already; {remedy}")
    empty = path.is_dir() and not any(path.iterdir())
    return make_folder(path, numbered=False, force=empty)


@contextmanager
def opened(folder: Path) -> Iterator[Database]:
    """Yield the database of a run to write to; no other process may meanwhile.

    Raises
    ------
    DataError
        If another process goes on with the run.
    """
    with locked(folder / _LOCK, subject=str(folder)), Database(folder / DATABASE) as database:
        yield database


def existing(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a run that was begun.

    Raises
    ------
    DataError
        If it is none.
    """
    folder = Path(folder)
    if not (folder / DATABASE).is_file():
        raise DataError(f"{folder}: holds no run; begin one with hayflick network run")
    return folder
