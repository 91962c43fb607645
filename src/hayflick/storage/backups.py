"""Copies of a store: made while it is used, checked, and restored into a file or a server.

A backup is a SQLite file whatever the store is, so one can also move a service from a file to a
server, and back.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from hayflick.core.errors import DataError, OutputError
from hayflick.core.output import check_not_input, check_writable, write_file
from hayflick.storage.database import Database, check_readable, faults_of, is_server, make_private
from hayflick.storage.maintenance import check_store, damages_of
from hayflick.storage.migrations import migrate_to, schema_version, tables_of_version


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of a store.

    Parameters
    ----------
    rows
        Number of rows by table, of those that have any.
    findings
        What is wrong with what they hold, as sentences; so it was before it was copied.
    """

    rows: Mapping[str, int]
    findings: Sequence[str] = ()


_ROWS_TOGETHER = 1000
_SECONDS_TO_WAIT = 30


def back_up(place: str, out: Path, *, force: bool = False) -> Copy:
    """Write a backup of a store that may be in use, check it, and return what is in it.

    Parameters
    ----------
    place
        Path of the SQLite file, or URL of the server. It is not brought up to date.
    out
        The file to write.
    force
        Whether a file that exists is replaced.

    Raises
    ------
    DataError
        If the store is damaged, or of a newer version.
    OutputError
        If the file exists already, or cannot be written.
    """
    check_writable(out, force=force)
    if not is_server(place):
        check_not_input(out, [Database.named(place)])
    found: list[Copy] = []

    def write(temporary: Path) -> None:
        make_private(temporary)
        try:
            if is_server(place):
                _read_server(place, temporary)
            else:
                _copy_file(Path(Database.named(place)), temporary)
            found.append(_checked(temporary, called=f"the backup of {Database.named(place)}"))
            _flush(temporary)
        finally:
            for kind in ("-wal", "-shm", "-journal"):
                temporary.with_name(temporary.name + kind).unlink(missing_ok=True)

    write_file(out, write, force=force)
    return found[0]


def restore(backup: Path, place: str, *, force: bool = False) -> Copy:
    """Make a store from a backup, bring it up to date, and return what is in it.

    Parameters
    ----------
    backup
        What `back_up` has written.
    place
        Path of the SQLite file to make, or URL of a server's database, which is empty.
    force
        Whether a file that exists is replaced; no process may use it.

    Raises
    ------
    DataError
        If the backup is damaged, or the server's database is not empty.
    OutputError
        If the file exists already, is in use, or cannot be written.
    """
    check_readable(backup)
    found = _checked(backup, called=str(backup))
    if is_server(place):
        _write_server(backup, place)
        return found
    path = Path(Database.named(place))
    check_not_input(path, [backup])
    check_writable(path, force=force)
    if path.exists():
        _take_out_of_use(path)

    def write(temporary: Path) -> None:
        make_private(temporary)
        shutil.copyfile(backup, temporary)
        _flush(temporary)

    write_file(path, write, force=force)
    Database(path).close()
    return found


def _copy_file(path: Path, copy: Path) -> None:
    """Copy a file as it is at one moment; those who write to it go on."""
    Database(path, read_only=True).close()
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=_SECONDS_TO_WAIT)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            # In one step: in several it would begin anew whenever something was written.
            source.backup(target, pages=-1)
            # One file, without a log beside it.
            target.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as fault:
        raise DataError(f"{path}: cannot be copied ({fault})") from None


def _read_server(place: str, copy: Path) -> None:
    with Database(place, read_only=True) as source, source.connect() as reading:
        version = schema_version(reading)
        engine = sa.create_engine(sa.URL.create("sqlite", database=str(copy)))
        try:
            with faults_of(str(copy)), engine.begin() as writing:
                migrate_to(writing, version, name=str(copy))
                _copy_rows(reading, writing, tables_of_version(version))
        finally:
            engine.dispose()


def _write_server(backup: Path, place: str) -> None:
    with tempfile.TemporaryDirectory(prefix="hayflick-") as folder:
        # A backup of an older version takes the steps that it lacks.
        copy = Path(shutil.copyfile(backup, Path(folder) / "backup.db"))
        with (
            Database(copy) as source,
            Database(place) as target,
            source.connect() as reading,
            target.transaction() as writing,
        ):
            tables = tables_of_version(schema_version(reading))
            for table in tables:
                if writing.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                    remedy = "restore into a database that is empty"
                    raise DataError(f"{target.name}: holds data in {table.name}; {remedy}")
            _copy_rows(reading, writing, tables)
            for table in tables:
                _go_on_counting(writing, table)


def _copy_rows(reading: sa.Connection, writing: sa.Connection, tables: Sequence[sa.Table]) -> None:
    for table in tables:
        found = reading.execution_options(yield_per=_ROWS_TOGETHER).execute(sa.select(table))
        for rows in found.mappings().partitions():
            writing.execute(sa.insert(table), [dict(row) for row in rows])


def _go_on_counting(connection: sa.Connection, table: sa.Table) -> None:
    """Let a server give out numbers behind those that were copied."""
    if "id" not in table.c:
        return
    counter = sa.func.pg_get_serial_sequence(table.name, "id")
    largest = sa.select(sa.func.max(table.c.id)).scalar_subquery()
    # With False, the number itself is the next one.
    following = sa.func.coalesce(largest, 0) + 1
    connection.execute(sa.select(sa.func.setval(counter, following, False)))  # noqa: FBT003


def _checked(copy: Path, *, called: str) -> Copy:
    """Return what is in a copy.

    Raises
    ------
    DataError
        If it is of no use.
    """
    with Database(copy, read_only=True) as database, database.connect() as connection:
        damages = damages_of(connection)
        if damages:
            raise DataError(f"{called}: is damaged ({damages[0]}); see hayflick db check")
        tables = tables_of_version(schema_version(connection))
        counted = {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in tables
        }
        rows = {name: number for name, number in counted.items() if number}
        return Copy(rows=rows, findings=check_store(connection))


def _take_out_of_use(path: Path) -> None:
    """Empty the log of a file that is to be replaced; refuse one that a process has open."""
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection:
            # Takes that nobody else has it open.
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError:
        raise OutputError(f"{path}: is in use; stop the service first") from None
    except sqlite3.DatabaseError:
        # Damaged: that may be why a backup is restored.
        for kind in ("-wal", "-shm"):
            path.with_name(path.name + kind).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
