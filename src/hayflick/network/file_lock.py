"""A lock that one process holds at a time, and that ends with it, however it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError, OutputError


@contextmanager
def locked(path: Path, *, subject: str) -> Iterator[None]:
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
