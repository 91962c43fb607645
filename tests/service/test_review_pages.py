"""The pages of actions and of answers to check, through the application."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hayflick.service.service import Service
from hayflick.storage.accounts import project_named
from hayflick.storage.actions import action_numbered, record_action
from hayflick.storage.reviews import add_reviews, reviews_of
from hayflick.storage.streams import StreamRow, create_stream

HOSTILE = "<script>alert(1)</script>\nsecond \u202eline"


@pytest.fixture
def place(tmp_path: Any) -> str:
    """SQLite alone: nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.fixture
def stream(service: Service) -> StreamRow:
    """A stream with three answers to check, and an open action."""
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        made = create_stream(
            connection, project, "a.b-応答", kind="answers", settings="{}", now=1.0
        )
        drawn = [{"key": str(k), "text": f"{k} {HOSTILE}", "group": "north"} for k in range(3)]
        add_reviews(connection, made, 4, drawn, 40, now=2.0)
        content = {"reason": "spread <b>fell</b>", "items": 20, "rounds": 2, "texts": ["Why?"]}
        record_action(connection, made, 4, "", "inject", content, now=2.0)
    return made


def _texts(page: str) -> str:
    return re.sub(r"<[^>]*>", " ", page)


def test_answers_are_decided_one_after_the_other(
    client: Any, sign_in: Any, service: Service, stream: StreamRow
) -> None:
    csrf = sign_in("read", "review")

    def post(path: str = "/reviews", **fields: str) -> str:
        answer = client.post(path, data={"csrf": csrf, **fields})
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    page = client.get("/reviews").text
    assert "0 &lt;script&gt;alert(1)&lt;/script&gt;<br>second" in page
    assert "\u202e" not in page
    assert "<script>alert" not in page
    with service.database.connect() as connection:
        queue = [one.id for one in reviews_of(connection, stream.project)]
    page = post(id=str(queue[0]), state="rejected")
    assert "1 &lt;script&gt;" in page
    assert "rejected: 1" in page
    # The same answer again, otherwise: the page says that it was decided before.
    page = post(id=str(queue[0]), state="accepted")
    assert "ann has decided the answer before: rejected." in page
    page = post(id=str(queue[1]), state="accepted")
    page = post(id=str(queue[2]), state="unsure")
    assert "Everything is checked." in page
    assert "checked: 3" in page
    page = post("/reviews/undo")
    assert "2 &lt;script&gt;" in page
    page = post(id=str(queue[0]), state="pending", stream=stream.name)
    assert "0 &lt;script&gt;" in page
    page = client.get(f"/reviews?stream={stream.name}&limit=0.1&decided=x").text
    assert '<option value="0.1" selected>' in page


def test_bounds_are_shown_for_the_limit_that_is_chosen(
    client: Any, sign_in: Any, service: Service, stream: StreamRow
) -> None:
    csrf = sign_in("review")
    with service.database.connect() as connection:
        queue = [one.id for one in reviews_of(connection, stream.project)]
    for number in queue:
        client.post("/reviews", data={"csrf": csrf, "id": str(number), "state": "accepted"})
    page = _texts(client.get("/reviews?limit=0.2").text)
    # 3 of 40 are checked: at most 37 / 40 are bad, and the others would all have to be checked.
    assert re.search(r"≤ 69\.1%|≤ \d\d\.\d%", page)
    assert "Checks still needed to prove that at most 20% are bad: " in page
    assert "Of the 40 answers of round 4." in page


def test_a_form_that_cannot_be_is_refused(
    client: Any, sign_in: Any, service: Service, stream: StreamRow
) -> None:
    csrf = sign_in("admin")
    refused = (
        ({"id": "1", "state": "fine"}, 422),
        ({"id": "x", "state": "accepted"}, 422),
        ({"id": "9" * 30, "state": "accepted"}, 422),
        ({"id": "99", "state": "accepted"}, 404),
        ({"csrf": "forged", "id": "1", "state": "accepted"}, 403),
    )
    for fields, status in refused:
        answer = client.post("/reviews", data={"csrf": csrf, **fields})
        assert answer.status_code == status
    with service.database.connect() as connection:
        assert {one.state for one in reviews_of(connection, stream.project)} == {"pending"}


def test_who_only_reads_decides_nothing(client: Any, sign_in: Any, stream: StreamRow) -> None:
    csrf = sign_in("read")
    page = client.get("/reviews").text
    assert 'id="accept"' not in page
    assert "takes the scope review" in page
    for path in ("/reviews", "/reviews/undo", "/actions/1/done"):
        answer = client.post(path, data={"csrf": csrf, "id": "1", "state": "accepted"})
        assert answer.status_code == 403


def test_actions_are_listed_and_done(
    client: Any, sign_in: Any, service: Service, stream: StreamRow
) -> None:
    csrf = sign_in("review")
    page = client.get("/actions").text
    assert "put in 20 real items" in page
    assert "spread &lt;b&gt;fell&lt;/b&gt;" in page
    assert "There is no such action yet." in client.get("/actions?state=done").text
    page = client.post("/actions/1/done", data={"csrf": csrf, "back": "//elsewhere"}).text
    with service.database.connect() as connection:
        done = action_numbered(connection, stream.project, 1)
    assert done is not None
    assert (done.state, done.done_by) == ("done", "ann")
    assert "done by ann" in client.get("/actions?state=all").text
    assert client.post("/actions/99/done", data={"csrf": csrf}).status_code == 404
    assert client.get("/actions?stream=none").status_code == 404
    assert client.get("/reviews?stream=none").status_code == 404


def test_all_actions_that_are_shown_are_done_at_once(
    client: Any, sign_in: Any, service: Service, stream: StreamRow
) -> None:
    csrf = sign_in("review")
    assert 'id="all-done"' not in client.get("/actions").text
    with service.database.transaction() as connection:
        record_action(connection, stream, 5, "", "notify", {"reason": "so"}, now=3.0)
    assert 'name="ids" value="2 1"' in client.get("/actions").text
    page = client.post("/actions/done", data={"csrf": csrf, "ids": "2 1 99"}).text
    assert "There is nothing to do." in page
    assert client.post("/actions/done", data={"csrf": csrf, "ids": "1 x"}).status_code == 422


def test_pages_without_anything_say_so(client: Any, sign_in: Any) -> None:
    sign_in("read")
    assert "There is nothing to do." in client.get("/actions").text
    assert "There is no answer to check." in client.get("/reviews").text


def test_what_decisions_prove_is_told_to_programs(
    client: Any, token: Any, stream: StreamRow
) -> None:
    headers = token("read", "review")
    path = f"/v1/streams/{stream.name}/review"
    found = client.get(path, headers=headers).json()
    assert (found["high"], found["checked"], found["decision"]) == (1.0, 0, "go on")
    for number, decision in enumerate(("accepted", "rejected", "unsure"), start=1):
        body = {"decision": decision}
        client.post(f"/v1/reviews/{number}", headers=headers, json=body).raise_for_status()
    found = client.get(path, headers=headers, params={"limit": 0.5}).json()
    assert (found["checked"], found["rejected"], found["unsure"]) == (3, 1, 1)
    assert (found["first"], found["answers"], found["rounds"]) == ("4", 40, 1)
    # Of the 40, at least the one that was rejected is bad, and the one that was accepted is not.
    assert 1 / 40 <= found["low"] < found["share"] < found["high"] <= 39 / 40
    assert client.get("/v1/streams/none/review", headers=headers).status_code == 404
    assert client.get(path, headers=headers, params={"limit": 2}).status_code == 422
