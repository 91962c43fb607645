import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError, OutputError
from hayflick.storage.database import faults_of, log_ahead
from hayflick.storage.migrations import MIGRATIONS, migrate, schema_version


def add_pools(connection):
    connection.execute(text("CREATE TABLE pools (name TEXT)"))


def test_a_new_file_has_the_present_schema(tmp_path):
    path = tmp_path / "kept.db"
    for _ in range(2):
        with hf.Database(path) as database:
            assert database.schema_version == len(MIGRATIONS)
            assert (database.name, database.dialect) == (str(path), "sqlite")
    assert path.read_bytes().startswith(b"SQLite format 3")


def test_a_url_is_taken_too(tmp_path):
    with hf.Database(f"sqlite:///{tmp_path}/kept.db") as database:
        assert database.name == f"{tmp_path}/kept.db"
    with hf.Database("sqlite://") as database:
        assert database.schema_version == len(MIGRATIONS)


def test_connections_are_set_up_for_several_processes(tmp_path):
    with hf.Database(tmp_path / "kept.db") as database, database.connect() as connection:
        pragmas = ("journal_mode", "busy_timeout", "foreign_keys")
        found = [connection.scalar(text(f"PRAGMA {pragma}")) for pragma in pragmas]
    assert found == ["wal", 30_000, 1]


def test_an_older_file_takes_the_steps_that_it_lacks(tmp_path):
    with hf.Database(tmp_path / "kept.db") as database:
        with database.transaction() as connection:
            migrate(connection, name="kept.db", steps=(*MIGRATIONS, add_pools))
            migrate(connection, name="kept.db", steps=(*MIGRATIONS, add_pools))
        assert database.schema_version == len(MIGRATIONS) + 1
        with database.connect() as connection:
            assert connection.execute(text("SELECT name FROM pools")).all() == []


def test_a_step_that_fails_leaves_nothing_behind(tmp_path):
    def fail(connection):
        add_pools(connection)
        raise KeyError

    with hf.Database(tmp_path / "kept.db") as database:
        with pytest.raises(KeyError), database.transaction() as connection:
            migrate(connection, name="kept.db", steps=(*MIGRATIONS, fail))
        with database.connect() as connection:
            assert schema_version(connection) == len(MIGRATIONS)
            names = "SELECT count(*) FROM sqlite_master WHERE name = 'pools'"
            assert connection.scalar(text(names)) == 0


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "kept.db"
    with hf.Database(path) as database, database.transaction() as connection:
        connection.execute(text("UPDATE hayflick_schema SET format_version = 99"))
    with pytest.raises(DataError, match=r"kept.db: has format_version 99, .*update hayflick"):
        hf.Database(path)


def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (name TEXT)")
    connection.close()
    with pytest.raises(DataError, match=r"theirs.db: is a database of something else"):
        hf.Database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"answer": "plums"}\n' * 200)
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"answers.jsonl: is no database"):
        hf.Database(path)
    assert path.read_bytes() == before


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "kept.db"
    hf.Database(path).close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"kept.db: is damaged"):
        hf.Database(path)


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        hf.Database(tmp_path)
    with pytest.raises(OutputError, match="nowhere: the folder does not exist"):
        hf.Database(tmp_path / "nowhere" / "kept.db")
    path = tmp_path / "kept.db"
    hf.Database(path).close()
    if os.geteuid() != 0:
        path.chmod(0o400)
        with pytest.raises(OutputError, match=r"kept.db: cannot be written"):
            hf.Database(path)
    engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with (
        pytest.raises(OutputError, match="kept: cannot be written"),
        faults_of("kept"),
        engine.begin() as connection,
    ):
        add_pools(connection)
    engine.dispose()


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ("database or disk is full", OutputError, "the disk is full"),
        ("database is locked", OutputError, "another process is writing"),
        ("something new", DataError, "something new"),
    ],
)
def test_faults_are_put_in_words(said, kind, message):
    from sqlalchemy.exc import OperationalError

    with pytest.raises(kind, match=f"kept: {message}"), faults_of("kept"):
        raise OperationalError("SELECT", {}, sqlite3.OperationalError(said))


def test_urls_that_are_not_understood_do_not_show_a_password(monkeypatch):
    with pytest.raises(ArgumentError, match="database: got mysql, takes one of sqlite, postgresql"):
        hf.Database("mysql://me:hush@host/name")
    with pytest.raises(ArgumentError, match="got an unknown URL") as error:
        hf.Database("what ever://me:hush@host")
    assert "hush" not in str(error.value)
    with pytest.raises(ArgumentError, match="got an empty name"):
        hf.Database("")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r"hayflick\[postgres\]"):
        hf.Database("postgresql+psycopg://me:hush@host/name")


def test_a_new_file_that_another_process_holds_is_waited_for(tmp_path):
    path = tmp_path / "kept.db"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(0.3, holder.close)
    release.start()
    with hf.Database(path) as database:
        assert database.schema_version == len(MIGRATIONS)
    release.join()


def test_a_refusal_to_log_ahead_is_waited_for(tmp_path):
    class Busy(sqlite3.Connection):
        refusals = 2

        def execute(self, statement):
            if self.refusals:
                self.refusals -= 1
                fault = sqlite3.OperationalError("database is locked")
                fault.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise fault
            return super().execute(statement)

    connection = sqlite3.connect(tmp_path / "kept.db", factory=Busy)
    log_ahead(connection)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_several_processes_may_make_one_file(tmp_path):
    path = tmp_path / "kept.db"
    code = "import sys; from hayflick.storage.database import Database; Database(sys.argv[1])"
    workers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(4)]
    assert [worker.wait() for worker in workers] == [0] * 4
    with hf.Database(path) as database:
        assert database.schema_version == len(MIGRATIONS)
