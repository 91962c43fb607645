"""What `watch` keeps between calls: records in a database that one call holds at a time.

A call reads and writes in one transaction, so that the file holds what it held before or all that
the call has added, whenever the call ends.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import sqlalchemy as sa

from hayflick.core.errors import DataError
from hayflick.core.object_copies import held_copy, read_copy
from hayflick.core.object_stores import is_url
from hayflick.storage.database import Database

_parts = sa.table("watch_parts", sa.column("name"), sa.column("content"))
_rounds = sa.table("watch_rounds", sa.column("number"), sa.column("content"))


@contextmanager
def watch_records(place: str | os.PathLike[str]) -> Iterator[WatchRecords]:
    """Hold a database until the block ends, and write what was replaced in it.

    Parameters
    ----------
    place
        Path of the file, which is created if missing, or URL of the database; the URL of an object
        store too: its object is fetched, and written if nobody else has written it meanwhile.

    Raises
    ------
    DataError
        If the file is damaged, or belongs to something else.
    OutputError
        If it cannot be written, or another call holds it for half a minute; if another call has
        written the object.
    StoreError
        If the object store does not answer.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with watch_records(f"{folder}/watch.state") as records:
    ...         records.replace({"stream": {"rounds": 2}}, [{"a": 1}, {"a": 2}], first=1)
    ...     with watch_records(f"{folder}/watch.state") as records:
    ...         records.parts(), records.rounds()
    ({'stream': {'rounds': 2}}, [{'a': 1}, {'a': 2}])
    """
    if is_url(place):
        with held_copy(place) as path:
            with Database(path) as database, database.transaction() as connection:
                yield WatchRecords(connection, place)
            _join_log(path)
        return
    with Database(place) as database, database.transaction() as connection:
        yield WatchRecords(connection, database.name)


def read_watch_part(place: str | os.PathLike[str], name: str) -> tuple[str, Any]:
    """Return the name of a database for messages, and one part of its records; None without it.

    Nothing is written, nor is anybody kept waiting.

    Raises
    ------
    DataError
        If the file is damaged, or belongs to something else.
    """
    if is_url(place):
        with read_copy(place) as path:
            return place, read_watch_part(path, name)[1]
    with Database(place, read_only=True) as database, database.connect() as connection:
        records = WatchRecords(connection, database.name)
        return database.name, records.parts().get(name)


def _join_log(path: Path) -> None:
    """Write into a file what stands in its log, which is not taken along."""
    if not path.with_name(f"{path.name}-wal").exists():
        return
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@final
class WatchRecords:
    """The records of a stream: named parts, and one for each round.

    Parameters
    ----------
    connection
        In a transaction for writing.
    name
        Name of the database in messages.
    """

    def __init__(self, connection: sa.Connection, name: str) -> None:
        self._connection = connection
        self.name = name

    def parts(self) -> dict[str, Any]:
        """Return the parts by name; none of a new file."""
        rows = self._connection.execute(sa.select(_parts.c.name, _parts.c.content))
        return {str(row.name): self._record(row.content) for row in rows}

    def rounds(self) -> list[Any]:
        """Return the records of the rounds, in order."""
        query = sa.select(_rounds.c.number, _rounds.c.content).order_by(_rounds.c.number)
        rows = list(self._connection.execute(query))
        if [row.number for row in rows] != list(range(1, len(rows) + 1)):
            raise self.damaged()
        return [self._record(row.content) for row in rows]

    def replace(self, parts: Mapping[str, Any], rounds: Sequence[Any], *, first: int) -> None:
        """Replace all parts, and the rounds from the `first` on."""
        self._connection.execute(sa.delete(_parts))
        self._connection.execute(sa.delete(_rounds).where(_rounds.c.number >= first))
        named = [{"name": name, "content": _packed(one)} for name, one in parts.items()]
        self._connection.execute(sa.insert(_parts), named)
        numbered = [
            {"number": number, "content": _packed(one)} for number, one in enumerate(rounds, first)
        ]
        if numbered:
            self._connection.execute(sa.insert(_rounds), numbered)

    def replace_part(self, name: str, record: Any) -> None:
        """Replace one part alone."""
        self._connection.execute(sa.delete(_parts).where(_parts.c.name == name))
        self._connection.execute(sa.insert(_parts), [{"name": name, "content": _packed(record)}])

    def damaged(self) -> DataError:
        """Return the error of a file whose records cannot be used."""
        remedy = "restore a copy of the file, or begin with a new one"
        return DataError(f"{self.name}: the state of the stream is damaged; {remedy}")

    def _record(self, content: object) -> Any:
        try:
            return json.loads(zlib.decompress(content))  # type: ignore[arg-type]
        except (TypeError, ValueError, zlib.error, RecursionError):
            raise self.damaged() from None


def _packed(record: Any) -> bytes:
    # The checksum of zlib finds damage.
    return zlib.compress(json.dumps(record, allow_nan=False).encode(), 1)
