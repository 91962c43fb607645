"""What a database says when it cannot go on, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from hayflick.core.errors import DataError, HayflickError, OutputError

_SAID = {
    "not a database": (DataError, "is no database; choose another file"),
    "malformed": (DataError, "is damaged; restore a copy, or begin with a new file"),
    "readonly": (OutputError, "cannot be written; choose another file"),
    "read-only": (OutputError, "cannot be written; choose another file"),
    "unable to open": (OutputError, "cannot be opened; choose another file"),
    "is full": (OutputError, "the disk is full; free some space"),
    "locked": (OutputError, "another process is writing and does not end; try again later"),
}


@contextmanager
def faults_of(name: str) -> Iterator[None]:
    """Turn the faults of a database into errors that name it.

    Parameters
    ----------
    name
        The database as the user knows it, without a password.
    """
    try:
        yield
    except DBAPIError as fault:
        raise _error(name, str(fault.orig)) from fault


def _error(name: str, said: str) -> HayflickError:
    for sign, (kind, words) in _SAID.items():
        if sign in said:
            return kind(f"{name}: {words}")
    return DataError(f"{name}: {said}")
