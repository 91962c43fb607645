"""The folder of a run: its database, and a lock that admits one process at a time."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError
from hayflick.core.output import make_folder
from hayflick.storage.database import Database


@contextmanager
def file_lock(path: Path, *, subject: str) -> Iterator[None]:
    """Hold an exclusive lock on a file of its own.

    Parameters
    ----------
    path
        The file of the lock; it is created, and stays.
    subject
        What is locked, for messages.

    Raises
    ------
    DataError
        If another process holds it.
    OutputError
        If the file cannot be made or written.
    """
    # SQLite locks work on every system, and the system releases them when a process ends.
    try:
        lock = sqlite3.connect(path, timeout=0.0, isolation_level=None)
    except sqlite3.OperationalError as fault:
        raise OutputError(f"{path}: cannot be opened ({fault}); choose another folder") from None
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise OutputError(
                    f"{path}: cannot be locked ({fault}); is the disk full?"
                ) from None
            remedy = "wait for it to end, or stop it"
            raise DataError(f"{subject}: another process is at work on it; {remedy}") from None
        yield
    finally:
        lock.close()


DATABASE, _LOCK = "run.db", "lock.db"


def make_run_folder(path: str | os.PathLike[str]) -> Path:
    """Make the folder of a new run, and return it.

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
def open_run(folder: Path) -> Iterator[Database]:
    """Yield the database of a run, locked against other processes.

    Raises
    ------
    DataError
        If another process is working on the run.
    """
    with file_lock(folder / _LOCK, subject=str(folder)), Database(folder / DATABASE) as database:
        yield database


def run_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a run.

    Raises
    ------
    DataError
        If it holds none.
    """
    folder = Path(folder)
    if not (folder / DATABASE).is_file():
        raise DataError(f"{folder}: holds no run; begin one with hayflick network run")
    return folder
