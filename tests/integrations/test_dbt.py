"""The how-to for dbt: a step between two builds, and a Python model with a test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_examples import examples, section
from pipeline_answers import write_answers

pytest.importorskip("dbt.adapters.duckdb", reason="not installed: make test-integrations ENV=dbt")

PROFILE = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: shop.duckdb}
"""


@pytest.fixture
def project(tmp_path):
    """A project with the files of the how-to, in a folder that stands for /data too."""
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (tmp_path / "profiles.yml").write_text(PROFILE)
    for language, comment in (("sql", "--"), ("py", "#")):
        for example in examples("gates.md", "dbt", language=language):
            first, content = example.split("\n", 1)
            name = re.fullmatch(rf"{comment} ((models|tests)/\w+\.{language})", first)
            file = tmp_path / name[1]
            file.parent.mkdir(exist_ok=True)
            file.write_text(content.replace("/data/", f"{tmp_path}/"), encoding="utf-8")
    return tmp_path


def run(project, script):
    """Run a script in the project, with the programs of this environment first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", script.replace("/data/", f"{project}/")],
        cwd=project,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def done(output):
    """Return how many nodes passed, failed and were skipped in the last build."""
    last = re.findall(r"Done\. PASS=(\d+) WARN=0 ERROR=(\d+) SKIP=(\d+)", output)[-1]
    return tuple(map(int, last))


def rows(project, query):
    import duckdb

    with duckdb.connect(str(project / "shop.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def relations(project):
    return {name for (name,) in rows(project, "select table_name from information_schema.tables")}


def test_a_build_makes_the_training_set_of_healthy_answers_alone(project):
    write_answers(project / "answers.jsonl")
    healthy = run(project, "dbt build")
    assert healthy.returncode == 0, healthy.stdout
    assert done(healthy.stdout) == (4, 0, 0)
    assert "training_set" in relations(project)


def test_a_build_fails_at_the_test_and_skips_the_training_set(project):
    write_answers(project / "answers.jsonl", healthy=14)
    stopped = run(project, "dbt build")
    assert stopped.returncode == 1
    assert "Failure in test answers_are_diverse" in stopped.stdout
    assert done(stopped.stdout) == (2, 1, 1)
    assert "training_set" not in relations(project)
    (command,) = re.findall(r"`(hayflick gate .*?)`", section("gates.md", "dbt"))
    said = run(project, command).stdout.strip()
    assert said.startswith("answers.state: alarm since round 2026-10-15")
    assert rows(project, "select passed, reason from diversity") == [(False, said)]


@pytest.mark.parametrize(("healthy", "code"), [(31, 0), (14, 1)])
def test_a_step_between_two_builds(project, healthy, code):
    for name in ("diversity.py", "training_set.sql"):
        (project / "models" / name).unlink()
    (project / "tests" / "answers_are_diverse.sql").unlink()
    (project / "models" / "training.sql").write_text("select 1 as one")
    write_answers(project / "answers.jsonl", healthy=healthy)
    (steps,) = examples("gates.md", "dbt", language="sh")
    result = run(project, steps)
    assert result.returncode == code, result.stdout + result.stderr
    assert ("training" in relations(project)) == (code == 0)
