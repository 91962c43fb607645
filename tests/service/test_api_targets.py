"""Targets of alerts over the interface: their secrets are shown once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hayflick.service.settings import DeclaredTarget


@pytest.fixture
def place(tmp_path):
    """The engine makes no difference here: one is enough."""
    return str(tmp_path / "service.db")


@pytest.fixture
def call(client, token):
    headers = {scope: token(scope) for scope in ("admin", "read", "review")}

    def request(method, path, body=None, *, scope="admin"):
        answer = client.request(method, f"/v1{path}", json=body, headers=headers[scope])
        return answer.status_code, answer.json() if answer.content else None

    return request


HOOK = {"kind": "webhook", "url": "https://hooks.example.com/T1?key=secret"}


def test_the_secret_of_a_web_hook_is_shown_once(call):
    status, made = call("PUT", "/targets/ops", HOOK)
    assert status == 200
    assert made["secret"].startswith("whsec_")
    assert made["url"] == "https://hooks.example.com/…"
    _, again = call("PUT", "/targets/ops", {**HOOK, "enabled": False})
    assert (again["secret"], again["enabled"]) == (None, False)
    status, found = call("GET", "/targets", scope="read")
    assert [one["name"] for one in found["items"]] == ["ops"]
    assert "secret" not in str(found).replace("hooks.example.com", "")


def test_a_target_is_tried_and_what_became_of_it_is_listed(call):
    call("PUT", "/targets/ops", {**HOOK, "url": "http://127.0.0.1:9/"})
    status, found = call("POST", "/targets/ops/test")
    assert (status, found["sent"]) == (200, False)
    assert "set private_addresses = true" in found["error"]
    status, found = call("GET", "/deliveries?target=ops", scope="read")
    [delivery] = found["items"]
    assert (delivery["kind"], delivery["state"], delivery["target"]) == ("test", "given up", "ops")
    assert call("DELETE", "/targets/ops") == (204, None)
    assert call("GET", "/deliveries")[1]["items"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"url": "nonsense"},
        {"url": "ftp://example.com"},
        {"url": "https://a\x00b/"},
        {"kind": "pigeon"},
        {"kind": "apprise", "url": "slack://"},
        {"secret": "short"},
    ],
)
def test_a_target_that_cannot_be_one_is_refused_without_its_address(call, change):
    status, found = call("PUT", "/targets/ops", {**HOOK, **change})
    assert status == 422
    assert "key=secret" not in found["detail"]
    assert call("GET", "/targets")[1]["items"] == []


@pytest.mark.parametrize("name", ["%00", "..%5C", "%20a", "a" * 101, "%E2%80%AE"])
def test_a_name_that_cannot_be_seen_is_refused(call, name):
    assert call("PUT", f"/targets/{name}", HOOK)[0] in (404, 422)


def test_who_lacks_the_scope_changes_nothing(call):
    assert call("PUT", "/targets/ops", HOOK, scope="review")[0] == 403
    assert call("POST", "/targets/ops/test", scope="review")[0] == 403
    for method, path in (("DELETE", "/targets/ops"), ("POST", "/targets/ops/test")):
        assert call(method, path)[0] == 404
    assert call("GET", "/deliveries?target=ops")[0] == 404


def test_a_web_hook_of_the_settings_takes_a_secret():
    with pytest.raises(ValidationError, match="a web hook takes a secret"):
        DeclaredTarget(kind="webhook", url="https://hooks.example.com")
