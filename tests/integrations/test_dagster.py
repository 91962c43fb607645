"""The how-to for Dagster: a blocking asset check."""

import pytest
from doc_examples import examples
from pipeline_answers import write_answers

dagster = pytest.importorskip("dagster", reason="not installed: make test-integrations ENV=dagster")


@pytest.fixture(scope="module")
def example():
    (found,) = examples("gates.md", "Dagster")
    return found


@pytest.fixture
def run(example, tmp_path, monkeypatch):
    """Return a function that runs the example's job in a folder of its own."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    names = {"__name__": "pipeline"}
    exec(compile(example.replace("/data/", f"{tmp_path}/"), "gates.md", "exec"), names)
    job = names["definitions"].resolve_implicit_global_asset_job_def()

    def start():
        result = job.execute_in_process(raise_on_error=False)
        made = {event.asset_key.to_user_string() for event in materialized(result)}
        (check,) = result.get_asset_check_evaluations()
        return result.success, made, check

    return start


def materialized(result):
    return [event for event in result.all_events if event.is_step_materialization]


def test_a_healthy_log_is_trained_on(run, tmp_path):
    write_answers(tmp_path / "answers.jsonl")
    success, made, check = run()
    assert success
    assert made == {"answers", "trained_model"}
    assert check.passed
    assert check.description == "answers.state: healthy after 20 rounds, the last is 2026-10-20"
    assert check.metadata["day"].value == "2026-10-20"
    assert 0.3 < check.metadata["spread"].value < 1.0
    assert (tmp_path / "watch.html").stat().st_size > 10_000


def test_an_alarm_stops_what_is_downstream(run, tmp_path):
    write_answers(tmp_path / "answers.jsonl", healthy=14)
    success, made, check = run()
    assert not success
    assert made == {"answers"}
    assert not check.passed
    assert check.description.startswith("answers.state: alarm since round 2026-10-15")
