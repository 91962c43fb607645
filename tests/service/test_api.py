"""The interface for reading and deciding: streams, rounds, actions, alerts, reviews, rules."""

from __future__ import annotations

import pytest

from hayflick.service.rule_files import LONGEST_RULES
from hayflick.service.settings import Limits, ServiceSettings
from hayflick.storage.accounts import project_named
from hayflick.storage.actions import record_action
from hayflick.storage.alerts import raise_alarm
from hayflick.storage.reviews import add_reviews
from hayflick.storage.rounds import RoundRow, add_rounds
from hayflick.storage.streams import create_stream

RULES = """format_version = 1
mode = "warn"
[[watch]]
name = "few"
metric = "spread"
below = 0.5
"""


@pytest.fixture
def place(tmp_path):
    """The engine makes no difference here: one is enough."""
    return str(tmp_path / "service.db")


@pytest.fixture
def settings():
    return ServiceSettings(limits=Limits(streams=4))


@pytest.fixture
def admin(token):
    return token("admin")


@pytest.fixture
def call(client, admin):
    """Make a request as an admin, and return its status and what it is answered."""

    def request(method, path, body=None, **query):
        answer = client.request(method, f"/v1{path}", json=body, params=query, headers=admin)
        kind = answer.headers["content-type"]
        assert kind == ("application/json" if answer.is_success else "application/problem+json")
        return answer.status_code, answer.json()

    return request


@pytest.fixture
def filled(service):
    """A stream with some of everything; and one of another project."""
    with service.database.transaction() as connection:
        for name in ("other", "default"):
            project = project_named(connection, name, now=1e9)
            stream = create_stream(
                connection, project, "talk", kind="answers", settings="{}", now=1e9
            )
            rounds = [
                RoundRow.of_number(stream.id, 1),
                RoundRow(stream=stream.id, number=2, name="2", status="failed", note="no text"),
            ]
            add_rounds(connection, rounds)
            for number in range(1, 4):
                content = {"reason": f"{name} {number}"}
                record_action(connection, stream, number, "", "inject", content, now=1e9 + number)
            charts = {"round_name": "2", "charts": []}
            raise_alarm(connection, stream, round=2, content=charts, now=1e9)
            drawn = [{"key": f"{name}{one}", "text": f"answer {one}"} for one in range(3)]
            add_reviews(connection, stream, 1, drawn, 40, now=1e9)
    return stream


def test_a_stream_is_made_shown_and_changed(call):
    status, made = call("PUT", "/streams/talk", {"every": 200, "baseline": 5})
    assert (status, made["settings"]["every"], made["state"]) == (200, 200, "baseline")
    assert made["kind"] == "answers"
    assert call("GET", "/streams/talk") == (200, made)
    status, changed = call("PUT", "/streams/talk", {"every": "1h", "kind": "counts"})
    assert (changed["settings"]["every"], changed["settings"]["baseline"]) == ("1h", 10)
    assert changed["kind"] == "counts"
    audit = call("GET", "/audit")
    assert audit[0] in (200, 404)


def test_what_readings_depend_on_stays_once_there_are_answers(call, service):
    call("PUT", "/streams/talk", {"every": 200, "baseline": 5})
    with service.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE streams SET answers = 3")
    status, problem = call("PUT", "/streams/talk", {"every": 200, "baseline": 6})
    assert status == 409
    assert "baseline" in problem["detail"]
    assert "make a stream of another name" in problem["detail"]
    status, problem = call("PUT", "/streams/talk", {"every": 200, "baseline": 5, "kind": "values"})
    assert (status, "kind" in problem["detail"]) == (409, True)
    more = {"every": 200, "baseline": 5, "keep_days": 7, "grace_s": 5}
    status, changed = call("PUT", "/streams/talk", more)
    assert (status, changed["settings"]["keep_days"]) == (200, 7)


REFUSED_SETTINGS = [
    ({"every": "1 hour"}, "every"),
    ({"every": 1}, "every"),
    ({"time_zone": "Europe/Atlantis"}, "time_zone"),
    ({"charts": ["cusumm"]}, "cusum"),
    ({"charts": ["distinct_22=cusum"]}, "distinct_2"),
    ({"tokenizer": "wordz"}, "words"),
    ({"embedder": "hashin"}, "hashing"),
    ({"metrics": ["spread"]}, "measured anyway"),
    ({"rules": "absent"}, "rule file"),
    ({"rules": "\x00"}, "rule file"),
    ({"must_keep": {"cat": -1}}, "positive weight"),
    ({"values": ["a", "a"]}, "differ"),
    ({"kind": "songs"}, "kind"),
    ({"evry": 3}, "evry"),
    ([], "body"),
]


def test_settings_that_cannot_be_used_are_named(call):
    for body, said in REFUSED_SETTINGS:
        status, problem = call("PUT", "/streams/talk", body)
        assert (status, said in problem["detail"]) == (422, True), problem


def test_odd_names_are_no_streams(call):
    for name in ("%00", "a%00b", "%20", "%ED%A0%80", "x" * 101, "%E2%80%AE", "."):
        assert call("GET", f"/streams/{name}/rounds")[0] == 404, name
        assert call("PUT", f"/streams/a{name}", {})[0] in (200, 404, 422), name
        assert call("PUT", f"/rules/{name}", {"text": RULES})[0] in (200, 404, 405, 422), name


def test_a_project_has_so_many_streams(call):
    for number in range(4):
        assert call("PUT", f"/streams/{number}", {})[0] == 200
    status, problem = call("PUT", "/streams/5", {})
    assert (status, "4 streams" in problem["detail"]) == (422, True)
    assert call("PUT", "/streams/3", {"every": 100})[0] == 200


def test_lists_come_in_pages(call):
    for name in ("b", "日本語", "a", "c d"):
        call("PUT", f"/streams/{name}", {})
    found, cursor = [], None
    while True:
        query = {"limit": 1} if cursor is None else {"limit": 1, "cursor": cursor}
        status, page = call("GET", "/streams", **query)
        assert (status, len(page["items"])) == (200, 1)
        found += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["a", "b", "c d", "日本語"]
    assert call("GET", "/streams", limit=4)[1]["next"] is None


def test_a_wrong_cursor_is_refused(call, filled):
    for cursor in ("x", "", "é", "AAA=", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx", "YQBi"):
        assert call("GET", "/actions", cursor=cursor)[0] == 422, cursor


def test_rounds(call, filled):
    page = call("GET", "/streams/talk/rounds")[1]
    assert [one["name"] for one in page["items"]] == ["1", "2"]
    assert page["items"][1]["note"] == "no text"
    page = call("GET", "/streams/talk/rounds", status="failed")[1]
    assert [one["number"] for one in page["items"]] == [2]
    assert call("GET", "/streams/talk/rounds/2")[1]["status"] == "failed"
    assert call("GET", "/streams/talk/rounds/3")[0] == 404
    assert call("GET", f"/streams/talk/rounds/{10**30}")[0] == 422


def test_what_is_not_there_is_said_to_whom_it_concerns(call, filled):
    status, problem = call("GET", "/stream/talk")
    assert (status, "/openapi.json" in problem["detail"]) == (404, True)
    status, problem = call("GET", "/streams/talk/answers")
    assert (status, problem["detail"]) == (405, "got GET, takes POST")
    status, problem = call("PUT", "/streams/new", {"evry": 3})
    assert (status, problem["detail"]) == (422, "evry: there is no such key; did you mean every?")
    status, problem = call("PUT", "/streams/new", {"time_zone": "Berlin"})
    assert (status, problem["detail"][:22]) == (422, "time_zone: got Berlin,")


def test_actions_are_listed_and_done_once(call, filled):
    status, page = call("GET", "/actions", state="open", limit=2)
    assert [one["content"]["reason"] for one in page["items"]] == ["default 3", "default 2"]
    status, rest = call("GET", "/actions", state="open", cursor=page["next"], stream="talk")
    assert [one["content"]["reason"] for one in rest["items"]] == ["default 1"]
    number = page["items"][0]["number"]
    status, done = call("POST", f"/actions/{number}/done")
    assert (status, done["state"], done["done_by"]) == (200, "done", "test")
    assert call("POST", f"/actions/{number}/done") == (200, done)
    assert call("GET", f"/actions/{number}") == (200, done)
    assert len(call("GET", "/actions", state="open")[1]["items"]) == 2
    assert call("GET", "/actions", stream="absent")[0] == 404


def test_what_belongs_to_another_project_is_not_there(call, filled):
    for path in ("/actions/1", "/alerts/1", "/reviews/1"):
        assert call("GET", path)[0] == 404
    assert call("POST", "/actions/1/done")[0] == 404
    assert call("POST", "/alerts/1/acknowledge")[0] == 404
    assert call("POST", "/reviews/1", {"decision": "accepted"})[0] == 404


def test_alerts_are_acknowledged_and_snoozed(call, filled):
    status, page = call("GET", "/alerts", state="open")
    [alert] = page["items"]
    assert (alert["kind"], alert["round"], alert["acknowledged"]) == ("alarm", 2, None)
    status, known = call("POST", f"/alerts/{alert['number']}/acknowledge")
    assert (status, known["acknowledged_by"]) == (200, "test")
    status, quiet = call("POST", f"/alerts/{alert['number']}/snooze", {"hours": 4})
    assert quiet["snoozed_until"] is not None
    status, loud = call("POST", f"/alerts/{alert['number']}/snooze", {"hours": 0})
    assert loud["snoozed_until"] is None
    for hours in (-1, 1e9, "x", None):
        path = f"/alerts/{alert['number']}/snooze"
        assert call("POST", path, {"hours": hours})[0] == 422


def test_a_decision_stays_until_it_is_taken_back(call, filled):
    status, page = call("GET", "/reviews", state="pending")
    assert [one["text"] for one in page["items"]] == ["answer 0", "answer 1", "answer 2"]
    assert (page["items"][0]["size"], page["items"][0]["drawn"]) == (40, 3)
    path = f"/reviews/{page['items'][0]['number']}"
    status, decided = call("POST", path, {"decision": "accepted"})
    assert (status, decided["state"], decided["decided_by"]) == (200, "accepted", "test")
    status, problem = call("POST", path, {"decision": "rejected"})
    assert (status, "accepted" in problem["detail"]) == (409, True)
    assert call("POST", path, {"decision": "pending"})[1]["state"] == "pending"
    assert call("POST", path, {"decision": "rejected"})[1]["state"] == "rejected"
    assert call("POST", path, {"decision": "good"})[0] == 422
    assert call("GET", path)[1]["state"] == "rejected"


def test_rule_files_have_versions(call):
    status, first = call("PUT", "/rules/usual", {"text": RULES})
    assert (status, first["version"], first["active"]) == (200, 1, True)
    assert call("PUT", "/rules/usual", {"text": RULES})[1]["version"] == 1
    changed = RULES.replace("0.5", "0.4")
    assert call("PUT", "/rules/usual", {"text": changed})[1]["version"] == 2
    assert call("GET", "/rules/usual")[1]["text"] == changed
    assert call("GET", "/rules/usual", version=1)[1]["text"] == RULES
    assert call("GET", "/rules/usual", version=3)[0] == 404
    assert [one["version"] for one in call("GET", "/rules/usual/versions")[1]["items"]] == [2, 1]
    assert [one["active"] for one in call("GET", "/rules")[1]] == [True]
    assert call("PUT", "/streams/talk", {"rules": "usual"})[0] == 200
    assert call("DELETE", "/rules/usual")[1]["active"] is False
    assert call("GET", "/rules")[1][0]["active"] is False
    # What the stream had before is no reason to refuse another setting.
    assert call("PUT", "/streams/talk", {"rules": "usual", "keep_days": 3})[0] == 200
    assert call("DELETE", "/rules/absent")[0] == 404


def test_a_text_that_is_no_rule_file_is_refused(call):
    for text, said in (
        ("", "format_version"),
        (f"corpus = '/etc/passwd'\n{RULES}", "reads no files"),
        ("x" * (LONGEST_RULES + 1), str(LONGEST_RULES)),
        ("a = [" * 500, "nested"),
    ):
        status, problem = call("PUT", "/rules/usual", {"text": text})
        assert (status, said in problem["detail"]) == (422, True), problem


def test_a_body_that_is_too_large_or_no_json_is_refused(client, admin):
    def put(body):
        headers = {**admin, "Content-Type": "application/json"}
        return client.put("/v1/streams/talk", content=body, headers=headers).status_code

    assert put(b"[" * 5_000_000) == 413
    assert put(b"[" * 100_000) == 400
    assert put(b"{") == 400
    assert put(b'{"every": "\\ud800"}') == 400
    assert put(b'{"every": NaN}') in (400, 422)
    assert put(b'{"every": 1' + b"0" * 5000 + b"}") == 400
    assert put(b"\xff") == 400
    assert put(b"3") == 422


def test_each_request_takes_its_scope(client, token):
    headers = {scope: token(scope) for scope in ("ingest", "read", "review")}
    for method, path, needed in (
        ("GET", "/streams", "read"),
        ("PUT", "/streams/talk", "admin"),
        ("PUT", "/rules/usual", "admin"),
        ("POST", "/alerts/1/acknowledge", "review"),
        ("POST", "/reviews/1", "review"),
        ("POST", "/actions/1/done", "review"),
    ):
        for scope, held in headers.items():
            answer = client.request(method, f"/v1{path}", headers=held, json={})
            assert (answer.status_code == 403) is (scope != needed)


def test_a_store_that_cannot_be_read_is_503(call, service):
    with service.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE reviews RENAME TO gone")
    status, problem = call("GET", "/reviews")
    assert status == 503
    assert "lacks a table" in problem["detail"]


def test_the_document_says_what_may_be_answered(client):
    document = client.get("/openapi.json").json()
    put = document["paths"]["/v1/streams/{name}"]["put"]
    assert set(put["responses"]) >= {"200", "401", "403", "404", "409", "413", "422", "429", "503"}
    assert list(put["responses"]["409"]["content"]) == ["application/problem+json"]
    assert put["security"] == [{"token": []}]
    assert "scope `admin`" in put["description"]
    assert "security" not in document["paths"]["/health"]["get"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
