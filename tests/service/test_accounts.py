"""Tokens, users and the log, over the interface."""

from __future__ import annotations

import pytest

from hayflick.service.pages.login import log_in
from hayflick.service.problems import Problem

PASSWORD = "correct horse"


@pytest.fixture
def place(tmp_path):
    """Nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch):
    """Every password costs a quarter of a second otherwise."""
    monkeypatch.setattr("hayflick.storage.accounts._LOG_ROUNDS", 8)


@pytest.fixture
def call(client, token):
    headers = token("admin")

    def request(method, path, body=None):
        answer = client.request(method, f"/v1{path}", json=body, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    return request


def test_a_token_is_made_used_and_revoked(client, call):
    status, made = call("POST", "/tokens", {"name": "app", "scopes": ["read", "ingest"]})
    assert (status, made["scopes"]) == (201, ["ingest", "read"])
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/v1/streams", headers=headers).status_code == 200
    listed = call("GET", "/tokens")[1]["items"]
    assert [one["name"] for one in listed] == ["test", "app"]
    assert "token" not in listed[1]
    assert made["token"].startswith(listed[1]["prefix"])
    assert call("DELETE", f"/tokens/{made['number']}") == (204, None)
    assert client.get("/v1/streams", headers=headers).status_code == 401
    assert call("DELETE", f"/tokens/{made['number']}")[0] == 404
    assert call("GET", "/tokens")[1]["items"][1]["revoked"] is not None
    log = [(one["actor"], one["action"]) for one in call("GET", "/audit")[1]["items"]]
    assert log == [("test", "token revoked"), ("test", "token made")]


def test_a_user_is_made_changed_and_removed(call, service):
    body = {"name": "ann", "password": PASSWORD, "scopes": ["review"]}
    status, made = call("POST", "/users", body)
    assert (status, made["scopes"]) == (201, ["review"])
    assert call("POST", "/users", body)[0] == 422
    log_in(service, "ann", PASSWORD, address="")
    assert call("GET", "/users")[1]["items"] == [made]
    path = f"/users/{made['number']}"
    assert call("PUT", f"{path}/password", {"password": "another horse"}) == (204, None)
    with pytest.raises(Problem):
        log_in(service, "ann", PASSWORD, address="")
    log_in(service, "ann", "another horse", address="")
    assert call("DELETE", path) == (204, None)
    assert call("DELETE", path)[0] == 404
    assert call("PUT", f"{path}/password", {"password": "another horse"})[0] == 404
    with pytest.raises(Problem):
        log_in(service, "ann", "another horse", address="")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/tokens", {"name": "app", "scopes": []}),
        ("/tokens", {"name": "app", "scopes": ["all"]}),
        ("/tokens", {"name": "", "scopes": ["read"]}),
        ("/tokens", {"name": "a\0", "scopes": ["read"]}),
        ("/users", {"name": "ann", "password": "short", "scopes": ["read"]}),
        ("/users", {"name": "ann", "password": "a\0" * 9, "scopes": ["read"]}),
        ("/users", {"name": "a\nb", "password": PASSWORD, "scopes": ["read"]}),
    ],
)
def test_what_cannot_be_an_account_is_refused(call, path, body):
    assert call("POST", path, body)[0] == 422


def test_accounts_of_another_project_are_out_of_reach(client, call, token):
    _, made = call("POST", "/tokens", {"name": "app", "scopes": ["read"]})
    _, user = call("POST", "/users", {"name": "ann", "password": PASSWORD, "scopes": ["read"]})
    other = token("admin", project="other")
    listed = client.get("/v1/tokens", headers=other).json()["items"]
    assert [one["name"] for one in listed] == ["test"]
    for path in (f"/v1/tokens/{made['number']}", f"/v1/users/{user['number']}"):
        assert client.delete(path, headers=other).status_code == 404
    assert client.get("/v1/audit", headers=other).json()["items"] == []
