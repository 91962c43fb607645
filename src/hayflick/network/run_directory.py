"""The folder of a run: its database, and a lock that lets one process at a time go on with it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError
from hayflick.core.output import make_folder
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
    # SQLite lets go of its lock when a process ends, however it ends, on every system.
    lock = sqlite3.connect(folder / _LOCK, timeout=0.0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            remedy = "wait for it to end, or stop it"
            raise DataError(f"{folder}: another process goes on with this run; {remedy}") from None
        with Database(folder / DATABASE) as database:
            yield database
    finally:
        lock.close()


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
