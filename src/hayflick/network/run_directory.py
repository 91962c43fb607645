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


@contextmanager
def file_lock(path: Path, *, subject: str) -> Iterator[None]:
    """Hold the lock of a file of its own.

    Parameters
    ----------
    path
        The lock's file; it is made, and stays.
    subject
        What is locked, for messages.

    Raises
    ------
    DataError
        If another process holds it.
    OutputError
        If the file cannot be made or written.
    """
    # SQLite's locks are there on every system, and the system lets go of them.
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
def open_run(folder: Path) -> Iterator[Database]:
    """Yield the database of a run to write to; no other process may meanwhile.

    Raises
    ------
    DataError
        If another process goes on with the run.
    """
    with file_lock(folder / _LOCK, subject=str(folder)), Database(folder / DATABASE) as database:
        yield database


def run_folder(folder: str | os.PathLike[str]) -> Path:
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
