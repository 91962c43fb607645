"""Whether a store is sound: its file, its tables, its records, and its numbers of answers."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from hayflick.storage.migrations import schema_version, tables_of_version
from hayflick.storage.service_tables import (
    TABLES,
    answers,
    chart_states,
    readings,
    rounds,
    streams,
    unpack,
)

_MOST_FINDINGS = 20
_SERVICE_STEP = 4

_PACKED = (
    ("rounds", "summary"),
    ("rounds", "texts"),
    ("round_samples", "content"),
    ("readings", "content"),
    ("observers", "content"),
    ("chart_states", "content"),
    ("rollups", "summary"),
)
_JSON = (
    ("streams", "settings"),
    ("streams", "headline"),
    ("answers", "numbers"),
    ("actions", "content"),
    ("alerts", "content"),
    ("deliveries", "content"),
    ("changes", "content"),
)


def damages_of(connection: sa.Connection) -> list[str]:
    """Return why a store is of no use, as sentences: its file is damaged, or lacks a table."""
    found = [*_damages(connection), *_missing(connection, schema_version(connection))]
    return found[:_MOST_FINDINGS]


def check_store(connection: sa.Connection) -> list[str]:
    """Return what is wrong with a store, as sentences; empty where it is sound.

    Parameters
    ----------
    connection
        To the store; everything that is read is of one moment.
    """
    damages = damages_of(connection)
    if damages or schema_version(connection) < _SERVICE_STEP:
        return damages
    parts = (_dangling, _unreadable, _orphans, _miscounted, _ahead)
    return [finding for part in parts for finding in part(connection)][:_MOST_FINDINGS]


def _damages(connection: sa.Connection) -> Iterator[str]:
    """Yield what SQLite says of its file; a server looks after its own."""
    if connection.dialect.name != "sqlite":
        return
    for row in connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST_FINDINGS})"):
        if row[0] != "ok":
            yield f"the file is damaged: {row[0]}"


def _dangling(connection: sa.Connection) -> Iterator[str]:
    """Yield rows that refer to rows that there are not; a server has none."""
    if connection.dialect.name == "sqlite":
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} belongs to a row of {row[2]} that is missing"


def _missing(connection: sa.Connection, version: int) -> Iterator[str]:
    inspector = sa.inspect(connection)
    for table in tables_of_version(version):
        if not inspector.has_table(table.name):
            yield f"the table {table.name} is missing"
            continue
        known = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.c:
            if column.name not in known:
                yield f"the column {column.name} of the table {table.name} is missing"


def _unreadable(connection: sa.Connection) -> Iterator[str]:
    kinds = [(_PACKED, unpack), (_JSON, json.loads)]
    for columns, read in kinds:
        for table, column in columns:
            yield from _unreadable_of(connection, TABLES.tables[table], column, read)


def _unreadable_of(
    connection: sa.Connection, table: sa.Table, column: str, read: Any
) -> Iterator[str]:
    keys = list(table.primary_key.columns)
    query = sa.select(*keys, table.c[column]).where(table.c[column].is_not(None))
    for row in connection.execution_options(yield_per=1000).execute(query):
        try:
            read(row[-1])
        except (ValueError, zlib.error):
            place = ", ".join(
                f"{key.name} {part}" for key, part in zip(keys, row[:-1], strict=True)
            )
            yield f"{column} of {table.name} ({place}) cannot be read"


def _orphans(connection: sa.Connection) -> Iterator[str]:
    """Yield what belongs to a round that there is not."""
    for table in (answers, readings):
        round_of = sa.and_(rounds.c.stream == table.c.stream, rounds.c.number == table.c.round)
        query = (
            sa.select(streams.c.name, table.c.round, sa.func.count().label("number"))
            .join_from(table, streams, streams.c.id == table.c.stream)
            .join(rounds, round_of, isouter=True)
            .where(rounds.c.number.is_(None))
            .group_by(streams.c.name, table.c.round)
        )
        for row in connection.execute(query):
            what = f"{row.number} {table.name}"
            yield f"stream {row.name}: {what} are of round {row.round}, which is missing"


def _miscounted(connection: sa.Connection) -> Iterator[str]:
    """Yield numbers of answers that contradict each other; those that were pruned still count."""
    kept = (
        sa.select(
            answers.c.stream,
            answers.c.round,
            sa.func.sum(sa.case((answers.c.late, 0), else_=answers.c.weight)).label("kept"),
        )
        .group_by(answers.c.stream, answers.c.round)
        .subquery()
    )
    query = (
        sa.select(streams.c.name, rounds.c.number, rounds.c.answers, kept.c.kept)
        .join_from(kept, streams, streams.c.id == kept.c.stream)
        .join(rounds, sa.and_(rounds.c.stream == kept.c.stream, rounds.c.number == kept.c.round))
        .where(kept.c.kept > rounds.c.answers)
    )
    for row in connection.execute(query):
        count = f"counts {row.answers} answers and holds {row.kept}"
        yield f"stream {row.name}: round {row.number} {count}"


def _ahead(connection: sa.Connection) -> Iterator[str]:
    """Yield charts that have taken up more than was measured."""
    behind = (
        sa.select(streams.c.name, chart_states.c.metric, chart_states.c.round)
        .join_from(chart_states, streams, streams.c.id == chart_states.c.stream)
        .where(chart_states.c.round > streams.c.measured_round)
    )
    for row in connection.execute(behind):
        chart = f"the chart of {row.metric} has taken up round {row.round}"
        yield f"stream {row.name}: {chart}, which is not measured"
