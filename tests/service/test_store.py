"""The database under the service: how durable it is, and how it is brought up to date."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from hayflick.core.errors import DataError, OutputError
from hayflick.storage.accounts import project_named
from hayflick.storage.database import Database
from hayflick.storage.migrations import MIGRATIONS, migrate
from hayflick.storage.service_tables import TABLES


def at_step(place, number):
    """Make a store as it was after some steps."""
    engine = sa.create_engine(place if "://" in place else f"sqlite:///{place}")
    with engine.begin() as connection:
        migrate(connection, name="old", steps=MIGRATIONS[:number])
    return engine


OLD_ROWS = {
    "embeddings": {
        "embedder": "hashing",
        "text_hash": b"\x01\xff",
        "dimensions": 2,
        "vector": b"\x00\x00\x80?\x00\x00\x00\x00",
        "checksum": 2**40,
    },
    "run": {"format_version": 1, "seed": 2**62, "config": '{"rounds": 3}'},
    "run_usage": {"tokens": 2**40, "money": 0.25},
    "run_texts": {
        "number": 1,
        "author": "日本",
        "round": 2,
        "synthetic": True,
        "origin": "agent",
        "text": "plums <b>",
        "embedding": b"\x00",
        "admitted": None,
        "withdrawn": 3,
    },
    "run_answers": {
        "round": 1,
        "agent": "a",
        "query": 0,
        "place": 2,
        "text": "plums",
        "tokens_in": None,
        "tokens_out": 3,
        "cost": 0.5,
        "latency_s": None,
        "attempts": 1,
        "finish": "stop",
        "model": "m",
    },
    "run_rounds": {"number": 1, "readings": "{}", "decisions": "[]"},
    "run_reads": {"round": 1, "agent": "a", "query": 0, "texts": b"\x01", "mean": None},
    "watch_parts": {"name": "observer", "content": b"\x00\x01"},
    "watch_rounds": {"number": 7, "content": b"\xff"},
}
"""A row of each table that there was before the service."""

TABLES_OF_STEP = {1: 1, 2: 7, 3: 9}


@pytest.mark.parametrize("step", TABLES_OF_STEP)
def test_a_store_with_data_is_brought_up_to_date(place, step):
    engine = at_step(place, step)
    names = list(OLD_ROWS)[: TABLES_OF_STEP[step]]
    tables = sa.MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for name in names:
            connection.execute(sa.insert(tables.tables[name]).values(OLD_ROWS[name]))
    engine.dispose()
    with Database(place) as database:
        assert database.schema_version == len(MIGRATIONS)
        with database.transaction() as connection:
            for name in names:
                (row,) = connection.execute(sa.select(tables.tables[name])).mappings()
                assert dict(row) == OLD_ROWS[name]
            # The service's tables are there, and give out numbers.
            assert project_named(connection, "default", now=1.0) == 1
            assert project_named(connection, "other", now=1.0) == 2


def test_a_new_store_has_the_tables_that_are_used(database):
    """If this fails, append a step to MIGRATIONS that brings stores to what you have changed."""
    with database.connect() as connection:
        inspector = sa.inspect(connection)
        for table in TABLES.sorted_tables:
            columns = inspector.get_columns(table.name)
            assert {column["name"] for column in columns} == set(table.c.keys()), table.name
            required = {column["name"] for column in columns if not column["nullable"]}
            assert required == {one.name for one in table.c if not one.nullable}, table.name
            indexes = {index["name"] for index in inspector.get_indexes(table.name)}
            assert indexes == {index.name for index in table.indexes}
            kept = {column["name"]: column["type"]._type_affinity for column in columns}
            used = {column.name: column.type._type_affinity for column in table.c}
            assert kept == used, table.name


def test_a_step_that_fails_leaves_the_store_as_it_was(place):
    def fail(connection):
        connection.exec_driver_sql("CREATE TABLE pools (name TEXT)")
        raise KeyError

    with Database(place) as database:
        with pytest.raises(KeyError), database.transaction() as connection:
            migrate(connection, name="kept", steps=(*MIGRATIONS, fail))
        assert database.schema_version == len(MIGRATIONS)
        with database.connect() as connection:
            assert not sa.inspect(connection).has_table("pools")


def test_several_may_make_one_store(place):
    def make(_):
        with Database(place) as database:
            return database.schema_version

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(make, range(6))) == {len(MIGRATIONS)}


def test_a_store_of_a_newer_version_is_refused(place):
    with Database(place) as database, database.transaction() as connection:
        connection.exec_driver_sql("UPDATE hayflick_schema SET format_version = 99")
    for read_only in (False, True):
        with pytest.raises(DataError, match="format_version 99"):
            Database(place, read_only=read_only)


def test_a_store_that_is_only_read_cannot_be_written(place):
    Database(place).close()
    with (
        Database(place, read_only=True) as database,
        pytest.raises(OutputError, match="cannot be written"),
        database.transaction() as connection,
    ):
        project_named(connection, "default", now=1.0)


def test_what_is_read_at_once_belongs_together(place):
    with Database(place) as database, Database(place, read_only=True) as reader:
        with reader.connect() as connection:
            count = sa.text("SELECT count(*) FROM projects")
            assert connection.scalar(count) == 0
            with database.transaction() as writing:
                project_named(writing, "default", now=1.0)
            assert connection.scalar(count) == 0
        with reader.connect() as connection:
            assert connection.scalar(count) == 1


def test_a_file_of_the_service_outlives_a_loss_of_power(tmp_path):
    place = tmp_path / "service.db"
    for durable, level in ((True, 2), (False, 1)):
        with Database(place, durable=durable) as database, database.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == level
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            if durable:
                assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1


def test_many_read_at_once(tmp_path):
    with Database(tmp_path / "service.db", durable=True) as database:
        connections = [database.connect() for _ in range(30)]
        for connection in connections:
            assert connection.__enter__().exec_driver_sql("SELECT 1").scalar() == 1
        for connection in connections:
            connection.__exit__(None, None, None)


def test_a_connection_that_was_lost_is_replaced(postgres, request):
    url = sa.make_url(postgres).render_as_string(hide_password=False)
    assert url.startswith("postgresql+psycopg://")
    # As operators write it.
    with Database(url.replace("+psycopg", ""), durable=True) as database:
        end = sa.text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with database.connect() as connection:
            own = connection.scalar(sa.text("SELECT pg_backend_pid()"))
        other = sa.create_engine(postgres)
        with other.begin() as connection:
            assert connection.scalar(end) >= 1
        other.dispose()
        with database.connect() as connection:
            assert connection.scalar(sa.text("SELECT pg_backend_pid()")) != own
        with pytest.raises(OutputError), database.transaction() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
