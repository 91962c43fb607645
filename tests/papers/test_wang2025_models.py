"""The figure of language models, against a built-in agent served on loopback."""

import numpy as np
import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")

import hayflick as hf
from hayflick.core.errors import ArgumentError, BudgetExhausted, OutputError
from hayflick.network.run_results import report_network
from hayflick.papers.wang2025.figures import FIGURES, figures
from hayflick.papers.wang2025.models import (
    MODEL_FIGURES,
    QUERY,
    RUN,
    TEXTS,
    EndpointStudy,
    holds_run,
    real_texts,
)
from hayflick.service.agent import application


@pytest.fixture
def url(served):
    agents = [hf.NGramAgent.of_texts(name, TEXTS, most_tokens=12) for name in ("small", "large")]
    return f"{served(application(agents))}/v1"


def asked(url="http://127.0.0.1:9/v1", **changes):
    values = {"base_url": url, "models": ("small",), "rounds": 3, "answers": 4, **changes}
    return EndpointStudy(**values)


def series(figure, name):
    return figure.curves.filter(series=name)["value"].to_list()


def test_the_parameters_are_the_papers():
    paper = EndpointStudy(base_url="http://127.0.0.1:9/v1", models=("small",))
    experiment = paper.experiment(seed=5)
    assert paper.requests == 3 * 40 * 60
    assert (experiment.rounds, experiment.answers, experiment.seed) == (60, 40, 5)
    assert (experiment.retrieval, experiment.pool.policy) == ("uniform:0.5", "add-first")
    assert experiment.pool.texts == list(TEXTS)
    assert len(set(TEXTS)) == 20
    assert experiment.query_texts == (QUERY,)
    assert [agent["model"] for agent in experiment.agents] == ["small"] * 3
    assert experiment.budget.tokens is None


def test_every_setting_reaches_the_experiment():
    changed = asked(
        models=("a", "b", "c"),
        key_variable="KEY",
        query="Why?",
        texts=[f"Text {number}." for number in range(25)],
        embedder="hashing:dimensions=64",
        tokens=9,
    ).experiment(seed=1)
    assert [agent["model"] for agent in changed.agents] == ["a", "b", "c"]
    assert {agent["key_variable"] for agent in changed.agents} == {"KEY"}
    assert changed.query_texts == ("Why?",)
    assert changed.pool.texts == [f"Text {number}." for number in range(20)]
    assert (changed.embedder, changed.budget.tokens) == ("hashing:dimensions=64", 9)


def test_the_curves_are_the_runs_readings(url, tmp_path):
    said = []
    settings = {"study": asked(url), "folder": tmp_path, "say": said.append}
    distance, pool = figures(MODEL_FIGURES, seed=2, **settings)
    run = report_network(tmp_path / RUN)
    assert run.finished
    assert series(distance, "measured") == run.series("group_frobenius_norm")
    assert series(distance, "noise") == run.series("noise_floor")
    assert series(pool, "synthetic_share") == [3 / 23, 6 / 26, 9 / 29]
    assert series(pool, "vocabulary_kept") == run.series("vocabulary_kept")
    assert distance.curves["generation"].unique().sort().to_list() == [1, 2, 3]
    np.testing.assert_array_equal(distance.runs["noise_floor"], run.series("noise_floor"))
    assert distance.measured_on == f"small ({url})"
    # The second figure asks for nothing more.
    announced, kept = said
    assert announced == f"models: 36 requests to {url} (3 agents × 4 answers × 3 rounds)"
    assert kept.startswith("the run is kept in ")


def test_a_run_that_was_stopped_is_gone_on_with(url, tmp_path):
    said = []
    with pytest.raises(BudgetExhausted):
        list(figures(["models"], study=asked(url, tokens=8_000), folder=tmp_path))
    kept = len(report_network(tmp_path / RUN).answers)
    assert 0 < kept < 36
    larger = asked(url, tokens=1_000_000)
    assert holds_run(tmp_path, larger, seed=1)
    (figure,) = figures(["models"], study=larger, folder=tmp_path, say=said.append)
    assert said[0].endswith(f"rounds); {kept} are kept already")
    assert len(series(figure, "measured")) == 3
    (tmp_path / "other").mkdir()
    (whole,) = figures(["models"], study=asked(url), folder=tmp_path / "other")
    assert series(whole, "measured") == series(figure, "measured")


def test_a_finished_run_needs_no_endpoint(url, tmp_path):
    for_one = asked(url, rounds=1)
    (first,) = figures(["models"], study=for_one, folder=tmp_path)
    (again,) = figures(["models"], study=for_one, folder=tmp_path)
    assert first.curves.equals(again.curves)
    with pytest.raises(OutputError, match="models-run: holds a run of something else"):
        next(figures(["models"], study=asked(url, rounds=2), folder=tmp_path))
    with pytest.raises(OutputError, match="models-run: holds a run of something else"):
        next(figures(["models"], study=for_one, seed=2, folder=tmp_path))


def test_the_texts_of_a_file(tmp_path):
    (tmp_path / "real.txt").write_text("\n".join(f"Text {one}." for one in range(20)))
    assert real_texts(tmp_path / "real.txt")[19] == "Text 19."


def test_mistakes_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match=r"figure: got models, takes an endpoint .*--base-url"):
        next(figures(["models"]))
    assert not set(FIGURES) & set(MODEL_FIGURES)
    with pytest.raises(ArgumentError, match="model: got 2 names, takes one name, or one for each"):
        asked(models=("a", "b"))
    with pytest.raises(ArgumentError, match="corpus: got 19 texts, takes at least 20 texts"):
        asked(texts=TEXTS[:19])
    with pytest.raises(ArgumentError, match="models: rounds: got 0"):
        next(figures(["models"], study=asked(rounds=0), folder=tmp_path))
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    # Before the figures that come first are made.
    late = figures(
        ["network-ring", "models"], study=asked(key_variable="NO_SUCH_KEY"), folder=tmp_path
    )
    with pytest.raises(ArgumentError, match="NO_SUCH_KEY is not set"):
        next(late)
    assert list(tmp_path.iterdir()) == []
