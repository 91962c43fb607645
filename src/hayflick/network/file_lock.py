"""A lock that one process holds at a time, and that ends with it, however it ends."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hayflick.core.errors import DataError


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
    """
    # SQLite's locks are there on every system, and the system lets go of them.
    lock = sqlite3.connect(path, timeout=0.0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            remedy = "wait for it to end, or stop it"
            raise DataError(f"{subject}: another process is at work on it; {remedy}") from None
        yield
    finally:
        lock.close()
