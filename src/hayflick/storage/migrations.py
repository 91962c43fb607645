"""The schema, one numbered step after another.

A database of version v has been through the first v steps. A step that was released never
changes: a new one follows it. Steps are written without the tables of the present code, which
move on.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    column,
    insert,
    inspect,
    select,
    table,
    update,
)

from hayflick.core.errors import DataError

_VERSION_TABLE = "hayflick_schema"
_schema = table(_VERSION_TABLE, column("format_version", Integer))


def _add_embeddings(connection: Connection) -> None:
    Table(
        "embeddings",
        MetaData(),
        Column("embedder", String, primary_key=True),
        Column("text_hash", LargeBinary, primary_key=True),
        Column("dimensions", Integer, nullable=False),
        Column("vector", LargeBinary, nullable=False),
        Column("checksum", BigInteger, nullable=False),
    ).create(connection)


def _add_runs(connection: Connection) -> None:
    tables = MetaData()
    _run_and_pool(tables)
    _answers_and_rounds(tables)
    tables.create_all(connection)


def _run_and_pool(tables: MetaData) -> None:
    Table(
        "run",
        tables,
        Column("format_version", Integer, nullable=False),
        Column("seed", BigInteger, nullable=False),
        Column("config", Text, nullable=False),
    )
    Table(
        "run_usage",
        tables,
        Column("tokens", BigInteger, nullable=False),
        Column("money", Float, nullable=False),
    )
    Table(
        "run_texts",
        tables,
        Column("number", Integer, primary_key=True),
        Column("author", String, nullable=False),
        Column("round", Integer, nullable=False),
        Column("synthetic", Boolean, nullable=False),
        Column("origin", String, nullable=False),
        Column("text", Text, nullable=False),
        Column("embedding", LargeBinary, nullable=False),
        Column("admitted", Integer),
        Column("withdrawn", Integer),
    )


def _answers_and_rounds(tables: MetaData) -> None:
    Table(
        "run_answers",
        tables,
        Column("round", Integer, primary_key=True),
        Column("agent", String, primary_key=True),
        Column("query", Integer, primary_key=True),
        Column("place", Integer, primary_key=True),
        Column("text", Text, nullable=False),
        Column("tokens_in", Integer),
        Column("tokens_out", Integer),
        Column("cost", Float),
        Column("latency_s", Float),
        Column("attempts", Integer, nullable=False),
        Column("finish", String, nullable=False),
        Column("model", String, nullable=False),
    )
    Table(
        "run_rounds",
        tables,
        Column("number", Integer, primary_key=True),
        Column("readings", Text, nullable=False),
        Column("decisions", Text, nullable=False),
    )
    Table(
        "run_reads",
        tables,
        Column("round", Integer, primary_key=True),
        Column("agent", String, primary_key=True),
        Column("query", Integer, primary_key=True),
        Column("texts", LargeBinary, nullable=False),
        Column("mean", LargeBinary),
    )


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_add_embeddings, _add_runs)
"""All steps in order; new ones go to the end."""


def schema_version(connection: Connection) -> int:
    """Return how many steps a database has been through; 0 for an empty one."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return 0
    return int(connection.scalar(select(_schema.c.format_version)) or 0)


def migrate(
    connection: Connection,
    *,
    name: str,
    steps: tuple[Callable[[Connection], None], ...] = MIGRATIONS,
) -> None:
    """Take a database through the steps that it lacks, inside the caller's transaction.

    Parameters
    ----------
    connection
        In a transaction that lets no other process write.
    name
        The database as the user knows it.
    steps
        All steps in order.

    Raises
    ------
    DataError
        If a newer version wrote the database, or it is a file of something else.
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
        connection.execute(update(_schema).values(format_version=len(steps)))


def _begin(connection: Connection, name: str) -> None:
    # A server's database may hold other tables; a file has one owner.
    if connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise DataError(f"{name}: is a database of something else; choose another file")
    Table(_VERSION_TABLE, MetaData(), Column("format_version", Integer)).create(connection)
    connection.execute(insert(_schema).values(format_version=0))
