"""Runs that were damaged on disk: each is refused in words, or read as it is."""

import json
import os
import random
import shutil
import sqlite3
from contextlib import closing

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError

from .conftest import village

HEAD = b"SQLite format 3\0"
REMEDY = "restore a copy|begin anew|begin one with|update hayflick|delete it|resume it with"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    hf.run_network(village(rounds=2, answers=2), out=folder / "run")
    return folder / "run"


@pytest.fixture
def run(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


VERBS = {
    "report": lambda run: ["report", str(run), "--out", f"{run}.html", "--force"],
    "record": lambda run: ["record", str(run), "--out", f"{run}.jsonl", "--force"],
    "resume": lambda run: ["resume", str(run), "--format", "json"],
    "verify": lambda run: ["verify", str(run)],
}


def tried(run, capsys, *, names=tuple(VERBS), codes=(2,)):
    """Try verbs on a run, and return what they say."""
    for name in names:
        code = main(["network", *VERBS[name](run)])
        said = capsys.readouterr().err
        assert code in codes, (name, code, said)
        if code == 2:
            assert "error: " in said
            assert "internal" not in said
            assert any(word in said for word in REMEDY.split("|")), said
            assert "run.db" in said or "lock.db" in said or "holds no run" in said
    return said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"x" * 5000,
        b"SQLite format 3\0",
        b"SQLite format 3\0" + b"\xff" * 4096,
        b"\0" * 9,
    ],
    ids=["empty", "letter", "letters", "head", "noise", "zeros"],
)
def test_what_is_no_database_is_named(run, capsys, content):
    (run / "run.db").write_bytes(content)
    tried(run, capsys)
    assert (run / "run.db").read_bytes() == content


def test_a_folder_in_its_place_is_named(run, capsys):
    (run / "run.db").unlink()
    (run / "run.db").mkdir()
    assert "is a folder" in tried(run, capsys)


def test_a_missing_database_is_named(run, capsys):
    (run / "run.db").unlink()
    assert "holds no run" in tried(run, capsys)
    assert not (run / "run.db").exists()


@pytest.mark.parametrize("kept", [100, 4096, 10_000, 0.5, 0.9])
def test_a_database_that_was_cut_off_is_named(run, capsys, kept):
    content = (run / "run.db").read_bytes()
    size = kept if isinstance(kept, int) else int(len(content) * kept)
    (run / "run.db").write_bytes(content[:size])
    assert "run.db" in tried(run, capsys)


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_never_end_in_an_internal_error(run, capsys, seed):
    draw = random.Random(seed)
    content = bytearray((run / "run.db").read_bytes())
    start = draw.choice([0, 0, 100, 4096, draw.randrange(len(content))])
    for place in range(start, min(start + draw.choice([8, 200, 4000]), len(content))):
        content[place] = draw.randrange(256)
    (run / "run.db").write_bytes(bytes(content))
    assert "internal error" not in tried(run, capsys, codes=(0, 1, 2))


DAMAGE = [
    "DROP TABLE hayflick_schema",
    "DROP TABLE run",
    "DROP TABLE run_usage",
    "DROP TABLE run_texts",
    "DROP TABLE run_answers",
    "DROP TABLE run_rounds",
    "DROP TABLE run_reads",
    "ALTER TABLE run DROP COLUMN config",
    "ALTER TABLE run_answers DROP COLUMN text",
    "ALTER TABLE run_texts RENAME COLUMN embedding TO vector",
    "UPDATE hayflick_schema SET format_version = 99",
    "UPDATE hayflick_schema SET format_version = 1",
    "UPDATE hayflick_schema SET format_version = 'two'",
    "UPDATE hayflick_schema SET format_version = NULL",
    "DELETE FROM hayflick_schema",
    "UPDATE run SET format_version = 9",
    "UPDATE run SET format_version = 'x'",
    "DELETE FROM run",
    "DELETE FROM run_usage",
    "UPDATE run_usage SET tokens = 'many'",
    "UPDATE run SET config = '{'",
    "UPDATE run SET config = '[]'",
    "UPDATE run SET config = '{}'",
    "UPDATE run SET config = x'ff00'",
    "UPDATE run SET config = json_remove(config, '$.experiment')",
    "UPDATE run SET config = json_remove(config, '$.experiment.agents')",
    "UPDATE run SET config = json_set(config, '$.experiment.rounds', 'three')",
    "UPDATE run SET config = json_set(config, '$.experiment.rounds', 1)",
    "UPDATE run SET config = json_remove(config, '$.experiment.agents[0].name')",
    "UPDATE run SET config = json_set(config, '$.folder', 7)",
    "UPDATE run SET config = json_set(config, '$.files', 7)",
    "UPDATE run SET config = json_set(config, '$.rules', 7)",
    "UPDATE run SET config = json_set(config, '$.rules', json('[{\"a\": 1}]'))",
    "UPDATE run SET config = json_set(config, '$.rules', json('[{\"name\": 1}]'))",
    "UPDATE run SET config = json_set(config, '$.inputs', json('[{\"file\": 1}]'))",
    "UPDATE run_rounds SET readings = 'x'",
    "UPDATE run_rounds SET readings = '7'",
    "UPDATE run_rounds SET readings = '[7]'",
    "UPDATE run_rounds SET readings = '[{\"round\": 1}]'",
    'UPDATE run_rounds SET readings = replace(readings, \'spread": \', \'spread": "b", "c": \')',
    'UPDATE run_rounds SET readings = replace(readings, \'"group": ""\', \'"group": 7\')',
    "UPDATE run_rounds SET decisions = '[{}]'",
    "UPDATE run_rounds SET decisions = '[7]'",
    'UPDATE run_rounds SET decisions = \'[{"kind": "dance"}]\'',
    "UPDATE run_rounds SET number = 'one' WHERE number = 1",
    "UPDATE run_rounds SET number = 7 WHERE number = 2",
    "DELETE FROM run_rounds WHERE number = 1",
    "DELETE FROM run_texts WHERE number = 3",
    "DELETE FROM run_texts",
    "UPDATE run_texts SET embedding = x'00' WHERE number = 0",
    "UPDATE run_texts SET embedding = 100000000000 WHERE number = 0",
    "UPDATE run_texts SET embedding = 'text' WHERE number = 0",
    "UPDATE run_texts SET text = NULL WHERE number = 0",
    "UPDATE run_texts SET text = x'ff' WHERE number = 0",
    "UPDATE run_texts SET text = CAST(x'ff' AS TEXT) WHERE number = 0",
    "UPDATE run_texts SET synthetic = 'perhaps' WHERE number = 0",
    "UPDATE run_texts SET admitted = 'x' WHERE number = 0",
    "UPDATE run_answers SET agent = 'nobody' WHERE place = 0",
    "UPDATE run_answers SET query = 9 WHERE place = 0",
    "UPDATE run_answers SET round = -1 WHERE place = 0",
    "UPDATE run_answers SET tokens_in = 'x'",
    "UPDATE run_answers SET attempts = NULL",
    "UPDATE run_reads SET agent = 'nobody' WHERE round = 1 AND agent = 'anna'",
    "UPDATE run_reads SET texts = x'00'",
    "UPDATE run_reads SET texts = x'ffffff7f'",
    "UPDATE run_reads SET texts = NULL",
    "UPDATE run_reads SET mean = x'0011' WHERE agent = 'anna'",
    "UPDATE run_reads SET mean = 5",
]


@pytest.mark.parametrize("statement", DAMAGE)
def test_damage_inside_is_an_error_in_words(run, capsys, statement):
    with closing(sqlite3.connect(run / "run.db")) as database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        database.execute("PRAGMA foreign_keys = OFF")
        try:
            database.execute(statement)
        except sqlite3.IntegrityError:
            pytest.skip("the schema itself refuses it")
        database.commit()
    tried(run, capsys)


@pytest.mark.parametrize("statement", ["DELETE FROM run_answers", "DELETE FROM run_reads"])
def test_rows_that_are_missing_are_found_by_verify(run, capsys, statement):
    with closing(sqlite3.connect(run / "run.db")) as database:
        database.execute(f"{statement} WHERE round = 1 AND agent = 'anna'")
        database.commit()
    tried(run, capsys, names=("report", "record"), codes=(0, 2))
    assert main(["network", "verify", str(run)]) == 1
    assert "round 1, agent anna, query 0: 0 " in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("content", [b"x" * 300, b"SQLite format 3\0" + b"\xff" * 4096, None])
def test_a_damaged_lock_is_named_where_it_is_needed(run, capsys, content):
    (run / "lock.db").unlink()
    if content is None:
        (run / "lock.db").mkdir()
    else:
        (run / "lock.db").write_bytes(content)
    assert "lock.db" in tried(run, capsys, names=("resume",))
    tried(run, capsys, names=("report", "record", "verify"), codes=(0,))


def test_a_run_in_a_folder_that_cannot_be_written_is_read(run, capsys, tmp_path):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    os.chmod(run, 0o555)
    os.chmod(run / "run.db", 0o444)
    try:
        tried(run, capsys, names=("report", "record", "verify"), codes=(0,))
    finally:
        os.chmod(run, 0o755)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_what_stands_in_the_log_alone_is_read_there_too(run, monkeypatch):
    whole = hf.report_network(run).to_dict()
    database = sqlite3.connect(run / "run.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("UPDATE run_usage SET tokens = 123")
    database.commit()
    kept = run.with_name("kept")
    # As a process that was killed leaves it.
    shutil.copytree(run, kept, ignore=shutil.ignore_patterns("*-shm"))
    database.close()
    before = sorted(path.name for path in kept.iterdir())
    assert "run.db-wal" in before
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode == os.R_OK)
    found = hf.report_network(kept)
    assert found.spent[0] == 123
    assert found.to_dict()["answers"] == whole["answers"]
    assert sorted(path.name for path in kept.iterdir()) == before


def test_a_damaged_cache_of_vectors_is_named(tmp_path):
    (tmp_path / "answers.jsonl").write_text(
        "".join(json.dumps({"r": n // 5, "a": f"It rains {n}."}) + "\n" for n in range(40))
    )
    for content in (b"", b"x" * 900, b"SQLite format 3\0" + b"\xff" * 900):
        (tmp_path / "cache.db").write_bytes(content)
        if content:
            with pytest.raises(DataError, match=r"cache\.db"):
                hf.Database(tmp_path / "cache.db")
