"""The schema, one numbered step after another.

A database of version v has been through the first v steps. A step that was released never
changes: a new one follows it. Steps are written without the tables of the present code, which
move on.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
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


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_add_embeddings,)
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
