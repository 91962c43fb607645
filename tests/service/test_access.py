"""Who may make which request."""

from __future__ import annotations

import re

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.service.access import COOKIE, check_csrf, check_exposure, local_target
from hayflick.service.app import routers
from hayflick.service.pages.login import log_in, log_out, set_up
from hayflick.service.problems import Problem
from hayflick.service.service import Service
from hayflick.service.settings import ServiceSettings
from hayflick.storage.accounts import (
    SESSION_S,
    create_token,
    create_user,
    hash_password,
    principal_of_session,
    project_named,
    revoke_token,
    tokens_of,
)

PASSWORD = "correct horse"
# At its real cost, each check takes a quarter of a second.
with pytest.MonkeyPatch.context() as patch:
    patch.setattr("hayflick.storage.accounts._LOG_ROUNDS", 8)
    HASHED = hash_password(PASSWORD)


@pytest.fixture
def place(tmp_path):
    """Nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.fixture
def user(service):
    """A user of the dashboard who may do everything."""
    return made_user(service, "ann", "admin")


def made_user(service, name, *scopes):
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        return create_user(connection, project, name=name, hashed=HASHED, scopes=scopes, now=now)


@pytest.fixture
def session(client, service, user):
    """The cookie of a session of that user."""
    cookie, _ = log_in(service, user.name, PASSWORD, address="192.0.2.1")
    return {"Cookie": f"{COOKIE}={cookie}"}


def test_a_request_without_a_token_is_refused_as_a_problem(client):
    answer = client.get("/v1/streams")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer TOKEN" in answer.json()["detail"]


def test_a_wrong_token_is_refused(client):
    for authorization, said in (
        ("Bearer wrong", "not in use here"),
        ("Bearer \xff", "not in use here"),
        ("Basic YTpi", "takes the header"),
        ("Bearer", "takes the header"),
    ):
        headers = {"Authorization": authorization.encode("latin-1")}
        answer = client.get("/v1/streams", headers=headers)
        assert answer.status_code == 401
        assert said in answer.json()["detail"]


def test_a_token_without_the_scope_is_refused(client, token):
    headers = token("ingest")
    answer = client.get("/v1/streams", headers=headers)
    assert answer.status_code == 403
    assert "lacks the scope read" in answer.json()["detail"]


def test_accounts_are_for_admins_alone_also_to_read(client, token):
    headers = token("read", "ingest", "review")
    for path in ("/v1/tokens", "/v1/users", "/v1/audit"):
        assert client.get(path, headers=headers).status_code == 403


def test_a_revoked_token_is_refused(client, service, token):
    headers = token("admin")
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        (made,) = tokens_of(connection, project)
        assert revoke_token(connection, project, made.id, now=1.0)
        assert not revoke_token(connection, project, made.id, now=2.0)
    assert client.get("/v1/tokens", headers=headers).status_code == 401


def test_the_use_of_a_token_is_stored(client, service, token):
    headers = token("read")
    client.get("/v1/streams", headers=headers)
    service.writer.write(lambda connection: None)
    with service.database.connect() as connection:
        (made,) = tokens_of(connection, project_named(connection, "default", now=0.0))
    assert made.last_used == service.clock.now()


def test_tokens_and_sessions_are_stored_as_hashes(service, token, user, tmp_path):
    secret = token("read")["Authorization"].removeprefix("Bearer ")
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert PASSWORD.encode() not in kept
    assert b"scrypt$" in kept


def test_a_page_needs_a_session(client, user):
    for path in ("/v1x", "/anything", "/streams/talk", "/live", "//v1/streams"):
        answer = client.get(path, follow_redirects=False)
        assert (path, answer.status_code) == (path, 303)
        assert answer.headers["location"].startswith("/login")


def test_after_logging_in_the_page_that_was_asked_for_follows(client, user):
    answer = client.get("/streams/a b?from=3", follow_redirects=False)
    assert answer.headers["location"] == "/login?next=/streams/a%2520b%3Ffrom%3D3"


def test_without_a_user_pages_lead_to_the_set_up(client):
    assert client.get("/", follow_redirects=False).headers["location"] == "/setup"


def test_a_stream_of_events_is_refused_instead_of_sent_elsewhere(client, user):
    answer = client.get("/live", headers={"Accept": "text/event-stream"}, follow_redirects=False)
    assert answer.status_code == 401


def test_a_session_opens_pages_but_no_interface(client, session):
    assert client.get("/", headers=session, follow_redirects=False).status_code == 200
    assert client.get("/v1/streams", headers=session).status_code == 401


def test_cookies_of_other_programs_on_this_machine_do_no_harm(client, session):
    odd = 'a[b]=1; theirs={"x": [1, 2]}; =; ;; né=1; '
    headers = {"Cookie": (odd + session["Cookie"]).encode("latin-1")}
    assert client.get("/", headers=headers, follow_redirects=False).status_code == 200


def test_a_session_ends_by_time_and_by_logging_out(service, machine_clock, user):
    with service:
        cookie, csrf = log_in(service, user.name, PASSWORD, address="")
        other, _ = log_in(service, user.name, PASSWORD, address="")
        with service.database.connect() as connection:
            principal, kept = principal_of_session(connection, cookie, now=service.clock.now())
            assert (principal.name, principal.user, kept) == ("ann", user.id, csrf)
            assert principal.may("review")
        log_out(service, other)
        with service.database.connect() as connection:
            assert principal_of_session(connection, other, now=service.clock.now()) is None
            machine_clock.go_on(SESSION_S + 1)
            assert principal_of_session(connection, cookie, now=service.clock.now()) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", "wrong horse"),
        ("bob", PASSWORD),
        ("", ""),
        ("ann\0", PASSWORD),
        ("\ud800", "x" * 2000),
    ],
)
def test_a_wrong_password_is_refused(service, user, name, password):
    with service, pytest.raises(Problem) as refusal:
        log_in(service, name, password, address="192.0.2.1")
    assert refusal.value.status == 401


def test_wrong_passwords_are_slowed_down(service, machine_clock, user, monkeypatch):
    monkeypatch.setattr("hayflick.service.pages.login.check_password", lambda *_: None)
    with service:
        statuses = []
        for _ in range(7):
            with pytest.raises(Problem) as refusal:
                log_in(service, "ann", "wrong", address="192.0.2.1")
            statuses.append(refusal.value.status)
        assert statuses == [401] * 5 + [429] * 2
        assert int(refusal.value.headers["Retry-After"]) >= 1
        monkeypatch.undo()
        # Somebody else may log in under that name meanwhile.
        log_in(service, "ann", PASSWORD, address="192.0.2.2")
        machine_clock.go_on(3)
        log_in(service, "ann", PASSWORD, address="192.0.2.1")


def test_the_first_user_is_made_with_an_admin_token(service, token):
    admin = token("admin")["Authorization"].removeprefix("Bearer ")
    reader = token("read")["Authorization"].removeprefix("Bearer ")
    with service:
        for wrong, status in (("no token", 401), (reader, 401)):
            with pytest.raises(Problem) as refusal:
                set_up(service, wrong, "ann", PASSWORD, address="")
            assert refusal.value.status == status
        with pytest.raises(Problem, match="10 to 1000 characters") as refusal:
            set_up(service, admin, "ann", "short", address="")
        assert refusal.value.status == 422
        cookie, _ = set_up(service, admin, "ann", PASSWORD, address="")
        with service.database.connect() as connection:
            principal, _ = principal_of_session(connection, cookie, now=service.clock.now())
        assert principal.may("admin")
        with pytest.raises(Problem) as refusal:
            set_up(service, admin, "bob", PASSWORD, address="")
        assert refusal.value.status == 409


def test_a_name_that_cannot_be_one_is_refused(service, user):
    for name in ("", " ann", "a\nb", "a\0b", "\ud800", "a‮b", "x" * 101, "ann"):
        with pytest.raises(ArgumentError, match="name"):
            made_user(service, name, "read")


def test_a_request_for_another_host_is_refused(client, user):
    own = {"127.0.0.1:8080": 303, "localhost": 303, "[::1]:80": 303}
    for host, status in (own | {"attacker.example": 403, "192.0.2.7": 403, "": 403}).items():
        answer = client.get("/", headers={"Host": host}, follow_redirects=False)
        assert (host, answer.status_code) == (host, status)


def test_a_form_that_another_site_sends_is_refused(client, user):
    for headers, status in (
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://127.0.0.1"}, 303),
        ({}, 303),
    ):
        answer = client.post("/nowhere", headers=headers, follow_redirects=False)
        assert (headers, answer.status_code) == (headers, status)


def test_a_form_holds_what_its_session_holds(service, user):
    from fastapi import Request

    def request(**headers):
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        return Request({"type": "http", "headers": pairs, "state": {"csrf": "known"}})

    check_csrf(request(), {"csrf": "known"})
    check_csrf(request(**{"x-csrf-token": "known"}), {})
    for form in ({}, {"csrf": ""}, {"csrf": "other"}, {"csrf": "\ud800"}, {"csrf": 3}):
        with pytest.raises(Problem) as refusal:
            check_csrf(request(), form)
        assert refusal.value.status == 403


RULES = """format_version = 1
mode = "warn"
[[watch]]
name = "few"
metric = "spread"
below = 0.5
"""
FIELDS = {"hours": "1", "do": "store", "text": RULES}
"""What makes a form do something, where it is let."""


def forms():
    """The path of every form of the dashboard, with something in place of its parameters."""
    for route in (route for part in routers("all") for route in part.routes):
        if not route.path.startswith("/v1") and "POST" in route.methods:
            yield re.sub(r"{[^}]*}", "1", route.path)


def test_every_form_of_the_dashboard_is_guarded(client, session):
    open_ones = {"/login", "/setup"}
    guarded = set(forms()) - open_ones
    assert len(guarded) > 5
    for path in sorted(guarded):
        for given in ({}, {"csrf": "wrong"}):
            answer = client.post(path, data=FIELDS | given, headers=session, follow_redirects=False)
            assert (path, answer.status_code) == (path, 403)


def test_what_a_user_may_do_is_bounded_by_the_scopes(client, service, user):
    """A reader changes nothing, whichever form is sent."""
    made_user(service, "reader", "read")
    cookie, csrf = log_in(service, "reader", PASSWORD, address="")
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    own = {"/login", "/setup", "/logout"}
    for path in sorted(set(forms()) - own):
        answer = client.post(
            path, data=FIELDS | {"csrf": csrf}, headers=headers, follow_redirects=False
        )
        assert (path, answer.status_code) == (path, 403)


def test_a_large_form_is_refused(client, session):
    answer = client.post("/nowhere", headers=session, content=b"x" * 5_000_000)
    assert answer.status_code == 413


def test_every_answer_says_what_may_be_loaded(client, session):
    for path in ("/", "/login", "/v1/streams", "/health", "/nowhere"):
        headers = client.get(path, headers=session).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("/streams/a%20b", "/streams/a%20b"),
        ("https://attacker.example", "/"),
        ("//attacker.example", "/"),
        ("/\\attacker.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_logging_in_leads_to_no_other_site(target, page):
    assert local_target(target) == page


def test_nobody_listens_beyond_loopback_without_an_account(service, token, user):
    check_exposure(service, "127.0.0.1")
    with pytest.raises(ArgumentError, match="make a token"):
        check_exposure(service, "0.0.0.0")
    token("admin")
    check_exposure(service, "0.0.0.0")


def test_an_operator_may_say_that_it_is_insecure(database):
    check_exposure(Service(database, ServiceSettings(insecure=True)), "::")


def test_metrics_beyond_loopback_take_a_token(database):
    from fastapi.testclient import TestClient

    from hayflick.service.app import create_app

    service = Service(database, ServiceSettings(host="192.0.2.7"))
    with database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        made = create_token(connection, project, name="scrape", scopes=["read"], now=0.0)
    with TestClient(create_app(service), base_url="http://192.0.2.7") as client:
        assert client.get("/metrics").status_code == 401
        assert client.get("/openapi.json").status_code == 401
        headers = {"Authorization": f"Bearer {made}"}
        assert client.get("/metrics", headers=headers).status_code not in (401, 403)
