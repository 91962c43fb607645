"""The database of everything that is stored: a SQLite file, or a server by its URL.

Several processes may use one file at once: readers never wait for a writer (write-ahead log), and
writers take turns. A file that is only read may lie in a folder that cannot be written.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import sqlalchemy as sa

from hayflick.core.documents import refuse_pipe
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError, OutputError
from hayflick.core.output import check_folder
from hayflick.storage.migrations import (
    DAMAGED,
    MIGRATIONS,
    OLDEST_READ,
    SCHEMA,
    migrate,
    schema_version,
)

_ERRORS = {
    "not a database": (DataError, "is no database; restore a copy of the file, or begin anew"),
    "malformed": (DataError, DAMAGED),
    "no such table": (DataError, "lacks a table: it " + DAMAGED),
    "no such column": (DataError, "lacks a column: it " + DAMAGED),
    "Could not decode": (DataError, "holds text that is not UTF-8: it " + DAMAGED),
    "disk I/O": (DataError, "cannot be read to its end: it " + DAMAGED),
    "readonly": (OutputError, "cannot be written; choose another file"),
    "read-only": (OutputError, "cannot be written; choose another file"),
    "unable to open": (OutputError, "cannot be opened; choose another file"),
    "is full": (OutputError, "the disk is full; free some space"),
    "locked": (OutputError, "another process is writing and does not end; try again later"),
}


@contextmanager
def faults_of(name: str) -> Iterator[None]:
    """Turn the errors of a database driver into errors of hayflick that name the database.

    Parameters
    ----------
    name
        The database as the user knows it, without a password.
    """
    try:
        yield
    except UnicodeEncodeError as fault:
        shown = ascii(fault.object)[:80]
        message = f"{shown} holds half of a character (a lone surrogate), which no store takes"
        raise DataError(f"{name}: {message}") from None
    except sa.exc.DBAPIError as fault:
        reason = str(fault.orig)
        known = (error for sign, error in _ERRORS.items() if sign in reason)
        lost = isinstance(fault, sa.exc.OperationalError) and fault.connection_invalidated
        # A server repeats values in the lines that follow.
        other = (OutputError if lost else DataError, reason.partition("\n")[0])
        kind, message = next(known, other)
        raise kind(f"{name}: {message}") from fault
    except sa.exc.TimeoutError as fault:
        busy = "so many requests use it that this one got no connection; try again later"
        raise OutputError(f"{name}: {busy}") from fault
    except sa.exc.SQLAlchemyError as fault:
        raise DataError(f"{name}: {DAMAGED} ({type(fault).__name__})") from fault


_KINDS = ("sqlite", "postgresql")
_SECONDS_TO_WAIT = 30
_SECONDS_BETWEEN = 0.01
_SECONDS_TO_CONNECT = 10
_BEGIN = "hayflick_begin"
_DRIVER = "postgresql+psycopg"
_CONNECTIONS = {"sqlite": (20, 20), "postgresql": (10, 5)}
"""How many a service keeps, and how many more it may have: a server has a hundred for all."""

_SCHEMA_LOCK = (1_751_218_534, 0)
"""A lock of this program's: the letters "hayf" as a number, and one for the schema."""


class Database:
    """A database with the current schema.

    Parameters
    ----------
    place
        Path of a SQLite file, which is created if missing, or a URL in the form of SQLAlchemy.
    read_only
        Whether it is only read: it must exist, with the current schema, and nothing in a file's
        folder is written. Everything that is read over one connection is as it was at its
        beginning.
    durable
        Whether what was committed outlives a loss of power, and what was deleted is overwritten;
        a server does the former always. A new file is its owner's alone. For many readers at once.

    Attributes
    ----------
    name : str
        Name of the database in messages, without a password.

    Raises
    ------
    ArgumentError
        If the URL is malformed.
    DataError
        If the file is not a database, a database of another program, or of a newer version.
    OutputError
        If it cannot be written.
    MissingExtraError
        If the driver of a server is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with Database(Path(folder) / "kept.db") as database:
    ...         database.schema_version >= 1
    True
    """

    def __init__(
        self, place: str | os.PathLike[str], *, read_only: bool = False, durable: bool = False
    ) -> None:
        url = _url(place)
        self.name = self.named(place)
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if read_only and _is_file(url):
            self._engine = self._reading_engine(Path(self.name))
        else:
            self._engine = _engine(url, read_only=read_only, durable=durable)
        self._writing = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        try:
            if read_only:
                self._check_schema()
                return
            with self.transaction() as connection:
                _wait_for_others(connection)
                migrate(connection, name=self.name)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def named(place: str | os.PathLike[str]) -> str:
        """Return the name of a database in messages, without a password."""
        url = _url(place)
        return str(url.database) if _is_file(url) else url.render_as_string()

    @property
    def schema_version(self) -> int:
        """Number of migrations that were applied to the database."""
        with self.connect() as connection:
            return schema_version(connection)

    @property
    def dialect(self) -> str:
        """Kind of database: ``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Yield a connection for reading."""
        with faults_of(self.name), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Yield a connection for writing, which is rolled back on an error."""
        with faults_of(self.name), self._writing.begin() as connection:
            yield connection

    def reclaim(self, tables: Sequence[str]) -> None:
        """Let nothing of deleted rows stay in a server's tables, or in the log of a file.

        As long as somebody reads what there was before, some of it does.
        """
        server = self._engine.dialect.name != "sqlite"
        statement = f"VACUUM {', '.join(tables)}" if server else "PRAGMA wal_checkpoint(TRUNCATE)"
        with faults_of(self.name), self._engine.connect() as connection:
            plain = connection.execution_options(
                isolation_level="AUTOCOMMIT", **{_BEGIN: "SELECT 1"}
            )
            plain.exec_driver_sql(statement)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()
        if self._copy is not None:
            self._copy.cleanup()

    def _reading_engine(self, path: Path) -> sa.Engine:
        check_readable(path)
        log = path.with_name(path.name + "-wal")
        # Without a log the file is all there is, and SQLite need not make any beside it.
        how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
        if log.exists() and not os.access(path.parent, os.W_OK):
            # A log can be read only with an index beside it, which cannot be made there.
            self._copy = tempfile.TemporaryDirectory(prefix="hayflick-")
            try:
                for one in (path, log):
                    shutil.copyfile(one, Path(self._copy.name) / one.name)
            except OSError as fault:
                self._copy.cleanup()
                raise DataError(f"{path}: cannot be read ({fault.strerror})") from None
            path, how = Path(self._copy.name) / path.name, "mode=rw"
        place = f"file:{quote(str(path.absolute()))}?{how}"

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                place, uri=True, check_same_thread=False, isolation_level=None
            )
            connection.execute(f"PRAGMA busy_timeout = {1000 * _SECONDS_TO_WAIT}")
            return connection

        engine = sa.create_engine(
            "sqlite://", creator=connect, poolclass=sa.pool.NullPool, hide_parameters=True
        )
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _check_schema(self) -> None:
        with self.connect() as connection:
            if not sa.inspect(connection).has_table(SCHEMA.name):
                raise DataError(f"{self.name}: holds no data of hayflick, or {DAMAGED}")
            version = connection.scalar(sa.select(SCHEMA.c.format_version))
        known = isinstance(version, int) and OLDEST_READ <= version <= len(MIGRATIONS)
        if not known:
            reads = f"this version of hayflick reads {OLDEST_READ} to {len(MIGRATIONS)}"
            raise DataError(
                f"{self.name}: has format_version {version!r:.40}, and {reads}; update hayflick, or"
                " restore a copy of the file"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _url(place: str | os.PathLike[str]) -> sa.URL:
    text = os.fspath(place)
    takes = "a path, or a URL such as postgresql://HOST/NAME"
    if not text:
        raise ArgumentError("database", got="an empty name", takes=takes)
    if "://" not in text:
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        # The text may hold a password.
        raise ArgumentError("database", got="an unknown URL", takes=takes) from None
    servers = ("postgres", "postgresql")
    return url.set(drivername=_DRIVER) if url.drivername in servers else url


def is_server(place: str | os.PathLike[str]) -> bool:
    """Return whether a place is the URL of a server, and no file."""
    return _url(place).get_backend_name() != "sqlite"


def _is_file(url: sa.URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}


def _engine(url: sa.URL, *, read_only: bool, durable: bool) -> sa.Engine:
    if _is_file(url):
        _check_file(Path(str(url.database)))
        if durable:
            make_private(Path(str(url.database)))
    if url.get_backend_name() not in _KINDS:
        raise ArgumentError("database", got=url.drivername, takes=f"one of {', '.join(_KINDS)}")
    # Texts and secrets would stand in the messages of errors, and so in logs.
    how: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        # A connection that was lost is replaced, instead of failing once.
        how |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": _SECONDS_TO_CONNECT}}
        if read_only:
            options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            how["execution_options"] = options
    if durable and url.database not in {None, "", ":memory:"}:
        kept, more = _CONNECTIONS[url.get_backend_name()]
        how |= {"pool_size": kept, "max_overflow": more}
    try:
        engine = sa.create_engine(url, **how)
    except ModuleNotFoundError as fault:
        feature = f"a database of {url.get_backend_name()}"
        raise MissingExtraError(feature, extra="postgres") from fault
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_durable_sqlite if durable else _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _wait_for_others(connection: sa.Connection) -> None:
    """Let one process at a time bring a server's database up to date; a file has a lock anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(*_SCHEMA_LOCK)))


def check_readable(path: Path) -> None:
    """Refuse what is no file that can be read, or an empty one.

    Raises
    ------
    DataError
        If it is; the message names the file.
    """
    remedy = "restore a copy of the file, or begin with a new one"
    try:
        if path.is_dir():
            raise DataError(f"{path}: is a folder, takes a database; {remedy}")
        refuse_pipe(path)
        with path.open("rb") as file:
            if not file.read(1):
                raise DataError(f"{path}: is empty; {remedy}")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; {remedy}") from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise DataError(f"{path}: cannot be read ({reason}); {remedy}") from None


def make_private(path: Path) -> None:
    """Make a file that only its owner reads, if it is missing; SQLite's others beside it follow.

    A store holds what models have answered, and the passwords of alert targets.
    """
    # What goes wrong is said when it is opened.
    with suppress(OSError):
        place = os.path.realpath(path)
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, takes a file name; give one inside it")
    check_folder(path.parent)
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise OutputError(f"{path}: cannot be written; choose another file")


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # SQLAlchemy begins the transactions, not the driver.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {1000 * _SECONDS_TO_WAIT}")
    log_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_durable_sqlite(connection: sqlite3.Connection, record: object) -> None:
    _prepare_sqlite(connection, record)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def log_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on.

    If two processes open a new file at once, SQLite refuses one of them without waiting, so this
    retries.
    """
    give_up = time.monotonic() + _SECONDS_TO_WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_SECONDS_BETWEEN)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes the lock at once: a reader that turns writer could be refused later.
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))
