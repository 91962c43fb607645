"""`log_watch` against MLflow itself, with stores on this machine (`make test-integrations`)."""

import pytest
from doc_examples import examples
from watched_answers import rows_of_answers, watched_answers

mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed: make test-integrations")

from hayflick.client import AnswerLog  # noqa: E402
from hayflick.integrations.mlflow import log_watch  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def store(tmp_path_factory):
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db")


@pytest.fixture
def experiment(tmp_path):
    """An experiment of a test's own."""
    kept = str(tmp_path / "kept")
    found = mlflow.create_experiment(str(tmp_path), artifact_location=kept)
    mlflow.set_experiment(experiment_id=found)
    return found


@pytest.fixture
def client(experiment, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture(scope="module")
def result():
    return watched_answers(words=4)


def history(client, run, name):
    found = client.get_metric_history(run, name)
    return sorted((one.step, one.value) for one in found)


def test_readings_are_metrics_by_round(client, result):
    with mlflow.start_run() as run:
        assert log_watch(result) == run.info.run_id
    for metric in result.metrics():
        series = result.series(metric)
        expected = [(step, one) for step, one in enumerate(series, 1) if one is not None]
        assert history(client, run.info.run_id, metric) == expected


def test_the_verdict_is_a_tag_and_the_page_an_artifact(client, result):
    run = client.get_run(log_watch(result))
    assert run.info.status == "FINISHED"
    tags = {name: one for name, one in run.data.tags.items() if name.startswith("hayflick.")}
    assert tags["hayflick.verdict"] == "alarm"
    assert "effective_words" in tags["hayflick.alarms"]
    assert tags["hayflick.since"] == str(result.alarms[0].since_name)
    assert (tags["hayflick.rounds"], tags["hayflick.answers"]) == ("30", "900")
    path = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="hayflick.html"
    )
    with open(path, encoding="utf-8") as page:
        assert "Alarm" in page.read()


def test_a_run_is_named_and_what_is_logged_again_is_not_doubled(client, experiment, result):
    run = client.create_run(experiment).info.run_id
    for found in (watched_answers(), result, result):
        log_watch(found, run_id=run, page="pages/stream.html", lang="ja")
    assert client.get_run(run).data.tags["hayflick.verdict"] == "alarm"
    assert len(history(client, run, "answers")) == 30
    assert [one.path for one in client.list_artifacts(run, "pages")] == ["pages/stream.html"]


def test_groups_have_metrics_of_their_own(client):
    groups = ("model-a", "org/model:b", "org_model_b", "模型", "..", "x" * 300)
    found = watched_answers(groups=groups)
    run = log_watch(found, page=None)
    names = set(client.get_run(run).data.metrics)
    prefixes = {name.partition("/")[0] for name in names if "/" in name}
    assert prefixes == {"model-a", "org_model_b", "org_model_b 2", "模型", "_", "x" * 120}
    assert client.list_artifacts(run) == []
    assert history(client, run, "model-a/distinct_2") == list(
        enumerate(found.series("distinct_2", group="model-a"), 1)
    )


def test_the_example_in_the_documents(client, experiment, tmp_path):
    log = AnswerLog(tmp_path / "answers.jsonl")
    for row in rows_of_answers(words=4):
        log.record(row["answer"], at=1_790_000_000.0 + 3600.0 * row["round"])
    (program,) = examples("integrations.md", "MLflow")
    exec(compile(program, "integrations.md", "exec"), {})
    (run,) = client.search_runs([experiment])
    assert run.data.tags["hayflick.verdict"] == "alarm"
    assert "distinct_2" in run.data.metrics
