import io
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from hayflick.cli.main import main
from hayflick.storage.accounts import check_password, principal_of_token
from hayflick.storage.database import Database
from hayflick.storage.migrations import MIGRATIONS, migrate_to


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAYFLICK_DATABASE", raising=False)
    monkeypatch.delenv("HAYFLICK_PASSWORD", raising=False)
    return tmp_path


def test_an_operator_lets_programs_and_people_in(capsys, monkeypatch):
    assert main(["db", "token", "ingester", "--scopes", "ingest,read"]) == 0
    token = capsys.readouterr().out.strip()
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert main(["db", "user", "ann", "--scopes", "admin"]) == 0
    assert capsys.readouterr().out == "the user ann is made\n"
    monkeypatch.setenv("HAYFLICK_PASSWORD", "another horse")
    assert main(["db", "user", "ann"]) == 0
    assert capsys.readouterr().out == "the user ann has another password\n"
    with Database("hayflick.db") as database, database.connect() as connection:
        principal = principal_of_token(connection, token)
        assert (principal.name, principal.scopes) == ("ingester", {"ingest", "read"})
        assert check_password(connection, "ann", "correct horse") is None
        assert check_password(connection, "ann", "another horse").scopes == {"admin"}


def test_a_backup_is_written_and_restored(capsys):
    main(["db", "token", "one"])
    assert main(["db", "backup", "copy.db"]) == 0
    printed = capsys.readouterr()
    counts = printed.out.splitlines()[1:]
    assert counts == ["audit: 1", "projects: 1", "tokens: 1"]
    assert "wrote copy.db" in printed.err
    assert main(["db", "backup", "copy.db"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["db", "restore", "copy.db", "--database", "again.db"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == counts
    assert "restored into again.db" in printed.err
    assert main(["db", "check", "--database", "again.db"]) == 0
    assert capsys.readouterr().out == "the store is sound\n"


def test_what_is_wrong_with_a_store_is_an_alarm(capsys):
    main(["db", "token", "one"])
    capsys.readouterr()
    with closing(sqlite3.connect("hayflick.db")) as connection:
        connection.execute("DELETE FROM projects")
        connection.commit()
    assert main(["db", "check"]) == 1
    finding = "a row of tokens belongs to a row of projects that is missing"
    assert finding in capsys.readouterr().out


def test_a_store_is_brought_up_to_date(capsys):
    engine = sa.create_engine("sqlite:///hayflick.db")
    with engine.begin() as connection:
        migrate_to(connection, 2, name="old")
    engine.dispose()
    assert main(["db", "upgrade"]) == 0
    present = len(MIGRATIONS)
    assert f"brought up from version 2: it has version {present}" in capsys.readouterr().out
    assert main(["db", "upgrade"]) == 0
    assert f"was up to date: it has version {present}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["upgrade"], "hayflick.db: no such file"),
        (["check"], "hayflick.db: no such file"),
        (["backup", "copy.db"], "hayflick.db: no such file"),
        (["restore", "copy.db"], "copy.db: no such file"),
        (["check", "--database", "text"], "is no database"),
        (["backup", "copy.db", "--database", "text"], "is no database"),
        (["restore", "text"], "is no database"),
        (["token", "one", "--scopes", "all"], "scopes: got all"),
        (["token", "one", "--scopes", ""], "scopes: got none"),
        (["token", ""], "name: got ''"),
        (["user", "ann"], "password: got 0 characters"),
        (["token", "one", "--database", "oracle://host/x"], "takes one of sqlite, postgresql"),
    ],
)
def test_mistakes_are_named(folder, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    (folder / "text").write_text("no database\n" * 500)
    assert main(["db", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["token", "user"])
def test_a_name_that_no_store_takes_is_refused(command, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HAYFLICK_PASSWORD", "a password of a test")
    place = str(tmp_path / "service.db")
    assert main(["db", command, "a\ud800", "--database", place]) == 2
    assert "holds half of a character" in capsys.readouterr().err
