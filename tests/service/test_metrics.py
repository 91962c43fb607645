"""The service's metrics, readiness, and what was measured."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hayflick.core.records import State, Verdict
from hayflick.diversity.observing import RoundAnswers
from hayflick.monitor.round_summary import RoundSummary
from hayflick.storage.accounts import project_named
from hayflick.storage.alerts import raise_alarm
from hayflick.storage.readings import (
    Headline,
    ReadingRow,
    add_readings,
    add_to_rollup,
    add_verdicts,
    store_progress,
)
from hayflick.storage.rounds import RoundRow, add_rounds
from hayflick.storage.streams import create_stream


@pytest.fixture
def place(tmp_path):
    """The engine makes no difference here: one is enough."""
    return str(tmp_path / "service.db")


@pytest.fixture
def measured(service):
    """A stream of three rounds, two of which are measured."""
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=1e9)
        stream = create_stream(connection, project, 'ta"lk', kind="answers", settings="{}", now=1e9)
        rounds = [RoundRow.of_number(stream.id, number) for number in (1, 2, 3)]
        add_rounds(connection, rounds)
        for number in (1, 2):
            content = {"values": {"spread": 1.5 / number}, "scores": {}}
            groups = ("", "a")
            add_readings(
                connection, stream.id, [ReadingRow(number, one, content) for one in groups]
            )
            verdict = Verdict("spread", number, State.ALARM, limit=1.0, evidence=float("inf"))
            add_verdicts(connection, stream.id, [("cusum", verdict)])
        headline = Headline(metric="spread", loss=0.25)
        store_progress(
            connection,
            stream.id,
            measured_round=2,
            state="alarm",
            state_since=1e9,
            headline=headline.text(),
        )
        raise_alarm(connection, stream, round=2, content={"charts": []}, now=1e9)
    return stream


def samples(client):
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (one.name, frozenset(one.labels.values())): one.value
        for family in text_string_to_metric_families(answer.text)
        for one in family.samples
    }


def test_metrics_state_streams_readings_and_what_waits(client, measured):
    found = samples(client)
    stream = ("default", 'ta"lk')
    assert found["hayflick_stream_answers_total", frozenset(stream)] == 0
    assert found["hayflick_stream_measured_round", frozenset(stream)] == 2
    assert found["hayflick_stream_state", frozenset((*stream, "alarm"))] == 1
    assert found["hayflick_stream_state", frozenset((*stream, "healthy"))] == 0
    assert found["hayflick_stream_silent", frozenset(stream)] == 0
    assert found["hayflick_stream_loss", frozenset((*stream, "spread", ""))] == 0.25
    assert found["hayflick_reading", frozenset((*stream, "spread"))] == 0.75
    assert found["hayflick_chart_alarm", frozenset((*stream, "spread", "cusum"))] == 1
    assert found["hayflick_chart_evidence", frozenset((*stream, "spread", "cusum"))] == float("inf")
    assert found["hayflick_alerts_open", frozenset(("default", "alarm"))] == 1
    assert found["hayflick_writes_waiting", frozenset(())] == 0
    # No last answer: nothing rather than a time that is none.
    assert ("hayflick_stream_last_answer", frozenset(stream)) not in found


def test_requests_are_counted_by_route(client, token):
    client.get("/v1/streams/absent", headers=token("read"))
    client.get("/v1/nonsense/at/all", headers=token("read"))
    client.get("/health")
    found = samples(client)
    name = "hayflick_http_request_seconds_count"
    assert found[name, frozenset(("GET", "/v1/streams/{name}", "404"))] == 1
    assert found[name, frozenset(("other", "other", "404"))] == 1
    assert found[name, frozenset(("GET", "/health", "200"))] == 1


def test_readings_and_verdicts_come_by_round(client, token, measured):
    headers = token("read")

    def listed(what, **query):
        path = f"/v1/streams/ta%22lk/{what}"
        return client.get(path, params=query, headers=headers).json()

    page = listed("readings", group="", limit=1)
    first = {"round": 1, "round_name": "1", "group": "", "values": {"spread": 1.5}}
    assert page["items"] == [first]
    page = listed("readings", cursor=page["next"])
    assert [(one["round"], one["group"]) for one in page["items"]] == [(2, ""), (2, "a")]
    assert page["next"] is None
    [one, two] = listed("verdicts")["items"]
    assert (one["state"], one["limit"], one["chart"]) == ("alarm", 1.0, "cusum")
    # JSON has no infinity.
    assert two["evidence"] is None
    assert listed("verdicts", group="b")["items"] == []
    assert listed("verdicts", group="\x00")["items"] == []


def test_hours_and_days_are_listed(client, token, service, measured):
    summary = RoundSummary.of(RoundAnswers(round=1, texts=["a cat", "", "a dog"])).record()
    with service.database.transaction() as connection:
        for begins in (3600.0, 7200.0):
            add_to_rollup(
                connection, measured.id, "hour", begins, answers=3, summary=summary, merge=max
            )

    def listed(**query):
        path = "/v1/streams/ta%22lk/rollups"
        return client.get(path, params=query, headers=token("read")).json()

    page = listed(limit=1)
    [hour] = page["items"]
    assert (hour["begins"], hour["rounds"]) == ("1970-01-01T01:00:00.000Z", 1)
    assert (hour["answers"], hour["values"]["mean_letters"]) == (3, 5.0)
    assert [one["begins"] for one in listed(cursor=page["next"])["items"]] == [
        "1970-01-01T02:00:00.000Z"
    ]
    assert listed(period="day")["items"] == []


def test_ready_says_what_is_wrong_with_the_store(client, service, monkeypatch):
    assert client.get("/ready").json()["status"] == "ready"
    with service.database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE service_values")
    time.sleep(1.1)
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert "lacks a table" in answer.json()["detail"]
    assert client.get("/health").status_code == 200
