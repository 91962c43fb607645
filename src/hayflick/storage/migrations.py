"""The steps by which a database came to its present schema, and its version: their number.

A step stays as it is once a store may have taken it; it does not import the present tables.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import sqlalchemy as sa

from hayflick.core.errors import DataError

DAMAGED = "is damaged; restore a copy of the file, or begin with a new one"
"""What is said of a store that cannot be used any more."""

SCHEMA = sa.table("hayflick_schema", sa.column("format_version", sa.Integer))
"""Holds the number of steps that a database has had."""


def _add_embeddings(connection: sa.Connection) -> None:
    sa.Table(
        "embeddings",
        sa.MetaData(),
        sa.Column("embedder", sa.String, primary_key=True),
        sa.Column("text_hash", sa.LargeBinary, primary_key=True),
        sa.Column("dimensions", sa.Integer, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.Column("checksum", sa.BigInteger, nullable=False),
    ).create(connection)


def _add_runs(connection: sa.Connection) -> None:
    tables = sa.MetaData()
    sa.Table(
        "run",
        tables,
        sa.Column("format_version", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
    )
    sa.Table(
        "run_usage",
        tables,
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("money", sa.Float, nullable=False),
    )
    sa.Table(
        "run_texts",
        tables,
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("author", sa.String, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("embedding", sa.LargeBinary, nullable=False),
        sa.Column("admitted", sa.Integer),
        sa.Column("withdrawn", sa.Integer),
    )
    sa.Table(
        "run_answers",
        tables,
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("agent", sa.String, primary_key=True),
        sa.Column("query", sa.Integer, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("tokens_in", sa.Integer),
        sa.Column("tokens_out", sa.Integer),
        sa.Column("cost", sa.Float),
        sa.Column("latency_s", sa.Float),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("finish", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
    )
    sa.Table(
        "run_rounds",
        tables,
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("readings", sa.Text, nullable=False),
        sa.Column("decisions", sa.Text, nullable=False),
    )
    sa.Table(
        "run_reads",
        tables,
        sa.Column("round", sa.Integer, primary_key=True),
        sa.Column("agent", sa.String, primary_key=True),
        sa.Column("query", sa.Integer, primary_key=True),
        sa.Column("texts", sa.LargeBinary, nullable=False),
        sa.Column("mean", sa.LargeBinary),
    )
    tables.create_all(connection)


def _add_watch_records(connection: sa.Connection) -> None:
    tables = sa.MetaData()
    for table, key in (("watch_parts", "name"), ("watch_rounds", "number")):
        kind = sa.String if key == "name" else sa.Integer
        content = sa.Column("content", sa.LargeBinary, nullable=False)
        sa.Table(table, tables, sa.Column(key, kind, primary_key=True), content)
    tables.create_all(connection)


def _add_service_tables(connection: sa.Connection) -> None:
    # Recorded, because the tables that are used may change with later steps.
    recorded = files("hayflick.storage") / f"service_tables_{connection.dialect.name}.sql"
    for statement in recorded.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def _add_round_samples(connection: sa.Connection) -> None:
    tables, key = sa.MetaData(), sa.BigInteger().with_variant(sa.Integer, "sqlite")
    sa.Table("streams", tables, sa.Column("id", key, primary_key=True))
    for name, column, more in (
        ("round_samples", sa.Column("round", sa.BigInteger, primary_key=True), "content"),
        ("parcels", sa.Column("digest", sa.LargeBinary, primary_key=True), "received"),
    ):
        kind = sa.LargeBinary() if more == "content" else sa.Double()
        of = sa.Column("stream", key, sa.ForeignKey("streams.id"), primary_key=True, nullable=False)
        sa.Table(name, tables, of, column, sa.Column(more, kind, nullable=False)).create(connection)


Step: TypeAlias = Callable[[sa.Connection], None]

MIGRATIONS: tuple[Step, ...] = (
    _add_embeddings,
    _add_runs,
    _add_watch_records,
    _add_service_tables,
    _add_round_samples,
)
"""All steps in order; append new ones."""

OLDEST_READ = 2
"""Steps that a file has had that is read without being changed: those behind add no column."""


def schema_version(connection: sa.Connection) -> int:
    """Return the number of steps that a database has had; 0 for an empty one."""
    if not sa.inspect(connection).has_table(SCHEMA.name):
        return 0
    version = connection.scalar(sa.select(SCHEMA.c.format_version))
    if not isinstance(version, int) or version < 0:
        raise DataError(f"{connection.engine.url.database}: its version {DAMAGED}")
    return version


def migrate(connection: sa.Connection, *, name: str, steps: tuple[Step, ...] = MIGRATIONS) -> None:
    """Apply the steps that a database lacks, inside the caller's transaction.

    Parameters
    ----------
    connection
        In a transaction that holds the write lock.
    name
        The database as the user knows it.
    steps
        All steps in order.

    Raises
    ------
    DataError
        If a newer version wrote the database, or another program.
    """
    version = schema_version(connection)
    if version > len(steps):
        reads = f"this version reads up to {len(steps)}; update hayflick"
        raise DataError(f"{name}: has format_version {version}, {reads}")
    if version == 0:
        _begin(connection, name)
    for step in steps[version:]:
        step(connection)
    if version < len(steps):
        connection.execute(sa.update(SCHEMA).values(format_version=len(steps)))


def migrate_to(connection: sa.Connection, version: int, *, name: str) -> None:
    """Apply the steps up to a version, such as that of a store that is copied."""
    migrate(connection, name=name, steps=MIGRATIONS[:version])


@cache
def tables_of_version(version: int) -> tuple[sa.Table, ...]:
    """Return the tables that a database has after some steps, those that others refer to first."""
    tables = sa.MetaData()
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        migrate_to(connection, version, name="an empty database")
        tables.reflect(connection)
    engine.dispose()
    for table in tables.tables.values():
        for column in table.c:
            # A whole number of SQLite has 64 bits, whatever it is called.
            column.type = sa.BigInteger() if isinstance(column.type, sa.Integer) else column.type
    return tuple(table for table in tables.sorted_tables if table.name != SCHEMA.name)


def _begin(connection: sa.Connection, name: str) -> None:
    # A server's database may hold other tables; a file has one owner.
    if connection.dialect.name == "sqlite" and sa.inspect(connection).get_table_names():
        raise DataError(f"{name}: is a database of something else; choose another file")
    version = sa.Column("format_version", sa.Integer)
    sa.Table(SCHEMA.name, sa.MetaData(), version).create(connection)
    connection.execute(sa.insert(SCHEMA).values(format_version=0))
