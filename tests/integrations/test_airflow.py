"""The how-to for Airflow: a task that watches, a gate, and training."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from doc_examples import examples
from pipeline_answers import write_answers

pytest.importorskip("airflow.sdk", reason="not installed: make test-integrations ENV=airflow")

LAST_RUN = """
select task_id, state from task_instance
where run_id = (select run_id from dag_run order by id desc limit 1)
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """Return a function that calls `airflow`, with a home that has the how-to's DAG."""
    home = tmp_path_factory.mktemp("airflow")
    (example,) = examples("gates.md", "Airflow")
    (home / "dags").mkdir()
    (home / "dags" / "retraining.py").write_text(example.replace("/data/", f"{home}/"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}

    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            env={**os.environ, **settings, "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
        )

    migrated = call("db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    call.home = home
    return call


def states(airflow):
    """Return the states of the tasks after a run of the DAG on the present answers."""
    result = airflow("dags", "test", "retraining")
    with closing(sqlite3.connect(airflow.home / "airflow.db")) as database:
        found = dict(database.execute(LAST_RUN).fetchall())
    return found, result.stdout + result.stderr


@pytest.fixture
def answers(airflow):
    """The file of answers, for a state that is new."""
    (airflow.home / "answers.state").unlink(missing_ok=True)
    return airflow.home / "answers.jsonl"


def test_training_follows_healthy_answers_and_no_alarm(airflow, answers):
    write_answers(answers, days=14)
    found, said = states(airflow)
    assert found == {"watch": "success", "gate": "success", "train": "success"}
    assert "answers.state: healthy after 14 rounds, the last is 2026-10-14" in said
    write_answers(answers, days=20, healthy=14)
    found, said = states(airflow)
    assert found == {"watch": "success", "gate": "failed", "train": "upstream_failed"}
    assert "answers.state: alarm since round 2026-10-15" in said
    assert (airflow.home / "watch.html").exists()


def test_training_is_skipped_where_no_day_has_answers_any_more(airflow, answers):
    write_answers(answers, days=17, healthy=14, words=0)
    found, said = states(airflow)
    assert found == {"watch": "success", "gate": "skipped", "train": "skipped"}
    assert "answers.state: no reading since round 2026-10-15" in said


def test_training_does_not_follow_a_log_that_cannot_be_read(airflow, answers):
    answers.write_text('{"when": "2026-10-01", "what": "Good morning!"}\n')
    found, _ = states(airflow)
    assert found == {"watch": "failed", "gate": "upstream_failed", "train": "upstream_failed"}
