"""The schema of the database, as a sequence of migrations.

A database of version v has had the first v steps. A step never changes once it was released: new
steps follow it. Steps do not use the tables of the current code, which may change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import sqlalchemy as sa

from hayflick.core.errors import DataError

_VERSION_TABLE = "hayflick_schema"
_schema = sa.table(_VERSION_TABLE, sa.column("format_version", sa.Integer))


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


Step: TypeAlias = Callable[[sa.Connection], None]

MIGRATIONS: tuple[Step, ...] = (_add_embeddings, _add_runs)
"""All steps in order; append new ones."""


def schema_version(connection: sa.Connection) -> int:
    """Return the number of steps that a database has had; 0 for an empty one."""
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return 0
    return int(connection.scalar(sa.select(_schema.c.format_version)) or 0)


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
        connection.execute(sa.update(_schema).values(format_version=len(steps)))


def _begin(connection: sa.Connection, name: str) -> None:
    # A server's database may hold other tables; a file has one owner.
    if connection.dialect.name == "sqlite" and sa.inspect(connection).get_table_names():
        raise DataError(f"{name}: is a database of something else; choose another file")
    version = sa.Column("format_version", sa.Integer)
    sa.Table(_VERSION_TABLE, sa.MetaData(), version).create(connection)
    connection.execute(sa.insert(_schema).values(format_version=0))
