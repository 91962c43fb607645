"""A whole run against a real server on loopback, which fails in every way it can."""

import collections

import pytest

pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
pytest.importorskip("fastapi", reason="fastapi is not installed: extra server")

import hayflick as hf
from hayflick.core.errors import BudgetExhausted
from hayflick.network.agents.ngram import NGramAgent
from hayflick.service.agent import application

from .agents.test_http import Faulty
from .conftest import REAL, village

FAULTS = (
    *("too many", "internal", "overloaded", "truncated", None, "slow"),
    *("cut JSON", "no JSON", None, "no choices", "no text"),
)


def faulty(place, attempt):
    return FAULTS[place % len(FAULTS)] if attempt == 1 else None


@pytest.fixture
def server(served, monkeypatch):
    # Waits between attempts, made short.
    monkeypatch.setattr("hayflick.core.http.Retries.wait_s", _short)
    agents = [NGramAgent.of_texts(name, REAL, most_tokens=12) for name in ("anna", "bert")]
    app = Faulty(application(agents), faulty)
    app.url = served(app)
    return app


def _short(retries, attempt, *, random, asked):
    return None if attempt > retries.most else 0.01


def models(url, **more):
    settings = {"kind": "openai", "base_url": f"{url}/v1", "timeout_s": 1.0, "max_tokens": 20}
    return [{"name": name, "model": name, **settings, **more} for name in ("anna", "bert")]


def test_a_run_completes_and_nothing_is_asked_twice_after_success(server, tmp_path):
    experiment = village(agents=models(server.url), rounds=3, answers=4)
    run = hf.run_network(experiment, out=tmp_path / "run")
    assert run.finished
    assert len(run.answers) == 24
    assert collections.Counter(server.successes.values()) == {1: 24}
    assert sum(server.faulted.values()) > 10
    assert run.totals()["attempts"] == sum(server.attempts.values())


def test_the_budget_holds_and_a_larger_one_goes_on(server, tmp_path):
    server.faults = lambda place, attempt: None
    experiment = village(
        agents=models(server.url), rounds=3, answers=4, budget={"tokens": 3_000}, concurrency=4
    )
    with pytest.raises(BudgetExhausted, match="the budget of 3,000 tokens is exhausted"):
        hf.run_network(experiment, out=tmp_path / "run")
    stopped = hf.report_network(tmp_path / "run")
    assert 0 < len(stopped.answers) < 24
    assert stopped.spent[0] == server.tokens <= 3_000
    run = hf.resume_network(tmp_path / "run", tokens=1_000_000)
    assert run.finished
    assert collections.Counter(server.successes.values()) == {1: 24}
    assert run.spent[0] == server.tokens
