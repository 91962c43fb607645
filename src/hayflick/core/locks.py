"""Locks between processes, so that two do not write to one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError


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
        If another process holds it, or the file is damaged.
    OutputError
        If the file cannot be made or written.
    """
    remedy = "delete it, it holds no data"
    if path.is_dir():
        raise DataError(f"{path}: is a folder, takes a file; {remedy}")
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
        except sqlite3.DatabaseError as fault:
            raise DataError(f"{path}: is damaged ({fault}); {remedy}") from None
        yield
    finally:
        lock.close()
