"""Who may make which request."""

from __future__ import annotations

import pytest


def test_a_request_without_a_token_is_refused_as_a_problem(client):
    answer = client.get("/v1/streams")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer TOKEN" in answer.json()["detail"]


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic YTpi", "Bearer", "Bearer \xff"])
def test_a_wrong_token_is_refused(client, authorization):
    headers = {"Authorization": authorization.encode("latin-1")}
    assert client.get("/v1/streams", headers=headers).status_code == 401


def test_a_token_without_the_scope_is_refused(client, token):
    headers = token("ingest")
    answer = client.get("/v1/streams", headers=headers)
    assert answer.status_code == 403
    assert "lacks the scope read" in answer.json()["detail"]
