"""The pages of the settings, through the application."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hayflick.service.service import Service
from hayflick.service.settings import ServiceSettings
from hayflick.service.streams import settings_of
from hayflick.storage.accounts import check_password, principal_of_token, users_of
from hayflick.storage.audit import audit_of
from hayflick.storage.rules import store_rules
from hayflick.storage.service_tables import answers, streams
from hayflick.storage.streams import create_stream, stream_named
from hayflick.storage.targets import target_named

RULES = 'format_version = 1\nmode = "warn"\n[[watch]]\nname = "few"\nmetric = "spread"\nbelow = 0.5'


@pytest.fixture
def place(tmp_path: Any) -> str:
    """SQLite alone: nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.fixture
def settings() -> ServiceSettings:
    """Web hooks of this machine are allowed, so that they fail at once."""
    return ServiceSettings(private_addresses=True)


def _settings(service: Service, name: str) -> Any:
    with service.database.connect() as connection:
        found = stream_named(connection, 1, name)
    return None if found is None else settings_of(found)


FIELDS = {
    "every": "200",
    "time_zone": "Asia/Tokyo",
    "baseline": "12",
    "false_alarms": "0.01",
    "capacity": "",
    "rules": "",
    "silent_after": "4",
    "review": "5",
    "grace_s": "30",
    "most_groups": "9",
    "keep_days": "7",
    "keep_sample": "25",
    "keep_text": "True",
}


def test_a_stream_is_made_and_changed(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("admin")
    page = client.get("/settings?name=help desk")
    assert page.url.path == "/settings/streams/help desk"
    assert "Make the stream" in page.text
    assert client.get("/settings/streams/help desk").status_code == 404
    with service.database.transaction() as connection:
        store_rules(connection, 1, "usual", RULES, author="ann", now=1.0)

    def post(**fields: str) -> Any:
        return client.post("/settings/streams/help desk", data={"csrf": csrf, **FIELDS, **fields})

    answer = post(kind="vectors")
    assert "The settings are stored." in answer.text
    found = _settings(service, "help desk")
    assert (found.every, found.time_zone, found.baseline) == (200, "Asia/Tokyo", 12)
    assert (found.keep_sample, found.keep_days, found.keep_text) == (0.25, 7.0, True)
    assert (found.review, found.rules, found.most_groups) == (5, None, 9)
    assert found.capacity is None
    answer = post(rules="usual", review="8", capacity="5000")
    found = _settings(service, "help desk")
    assert (found.rules, found.review, found.capacity) == ("usual", 8, 5000)
    assert '<option value="usual" selected>' in answer.text
    assert "usual" in client.get("/settings").text
    # An unchecked box is not sent.
    fields = {name: value for name, value in FIELDS.items() if name != "keep_text"}
    client.post("/settings/streams/help desk", data={"csrf": csrf, **fields})
    assert not _settings(service, "help desk").keep_text
    with service.database.transaction() as connection:
        connection.execute(streams.update().values(answers=3))
    page = client.get("/settings/streams/help desk").text
    assert 'name="every"' not in page
    assert "<dt>capacity</dt>" in page
    # What readings depend on stays, whatever a form holds.
    post(every="300", review="2")
    found = _settings(service, "help desk")
    assert (found.every, found.review) == (200, 2)


REFUSED = (
    ({"every": "1 fortnight"}, "every"),
    ({"every": "1"}, "every"),
    ({"time_zone": "Mars/Base"}, "time_zone"),
    ({"baseline": "x"}, "baseline"),
    ({"capacity": "99"}, "capacity"),
    ({"capacity": "many"}, "capacity"),
    ({"keep_sample": "110"}, "keep_sample"),
    ({"keep_sample": "some"}, "keep_sample"),
    ({"keep_days": "nan"}, "keep_days"),
    ({"rules": "none such"}, "rules"),
    ({"review": "-1"}, "review"),
    ({"kind": "songs"}, "kind"),
)


def test_settings_that_cannot_be_are_refused(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("admin")
    for fields, message in REFUSED:
        data = {"csrf": csrf, **FIELDS, **fields}
        answer = client.post("/settings/streams/talk", data=data)
        assert answer.status_code == 422
        notice = re.search(r'<p class="notice bad" role="alert">([^<]*)</p>', answer.text)
        assert notice is not None
        assert message in notice[1]
        # What was typed stays in the form.
        for name, value in fields.items():
            assert name in ("kind", "rules") or f'value="{value}"' in answer.text
    assert _settings(service, "talk") is None
    for name in ("a/b", "..", "x" * 101):
        assert client.get("/settings", params={"name": name}).status_code == 422


def test_a_token_is_shown_once_and_revoked(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("admin")

    def post(path: str = "", **fields: Any) -> Any:
        return client.post(f"/settings/tokens{path}", data={"csrf": csrf, **fields})

    page = post(name="shop", scopes=["ingest", "read"]).text
    found = re.search(r'id="made" readonly value="([^"]+)"', page)
    assert found is not None
    with service.database.connect() as connection:
        principal = principal_of_token(connection, found[1])
    assert principal is not None
    assert principal.scopes == {"ingest", "read"}
    page = client.get("/settings/tokens").text
    assert found[1] not in page
    assert found[1][:7] in page
    page = post("/revoke", id=str(principal.token)).text
    assert "revoked" in page
    with service.database.connect() as connection:
        assert principal_of_token(connection, found[1]) is None
    assert post("/revoke", id=str(principal.token), name="shop").status_code == 404
    for fields in ({"name": "shop"}, {"name": "", "scopes": "read"}, {"name": "a", "scopes": "x"}):
        answer = post(**fields)
        assert answer.status_code == 422
        assert 'id="made"' not in answer.text
    page = client.get("/settings/log").text
    assert "token made" in page
    assert "token revoked" in page


def test_users_are_made_changed_and_removed(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("admin")

    def post(path: str = "", **fields: Any) -> Any:
        return client.post(f"/settings/users{path}", data={"csrf": csrf, **fields})

    def user(password: str) -> Any:
        with service.database.connect() as connection:
            return check_password(connection, "bob", password)

    assert post(name="bob", password="short", scopes="read").status_code == 422
    page = post(name="bob", password="correct horse battery", scopes=["read", "review"]).text
    assert "bob" in page
    bob = user("correct horse battery")
    assert bob.scopes == {"read", "review"}
    answer = post(name="ann", password="correct horse battery", scopes="read")
    assert answer.status_code == 422
    assert "a name that no other user has" in answer.text
    post("/password", id=str(bob.id), password="another long one", name="bob")
    assert user("another long one").id == bob.id
    with service.database.connect() as connection:
        ann = next(one for one in users_of(connection, 1) if one.name == "ann")
    assert post("/remove", id=str(ann.id)).status_code == 422
    assert post("/remove", id="99").status_code == 404
    assert post("/remove", id=str(bob.id), name="bob").status_code == 200
    with service.database.connect() as connection:
        assert [one.name for one in users_of(connection, 1)] == ["ann"]
    with service.database.connect() as connection:
        done = [(one.action, one.subject) for one in audit_of(connection, 1)]
    assert done == [("user removed", "bob"), ("password changed", "bob"), ("user made", "bob")]


def test_a_target_is_made_tried_switched_and_deleted(
    client: Any, sign_in: Any, service: Service
) -> None:
    csrf = sign_in("admin")

    def post(path: str = "", **fields: Any) -> Any:
        return client.post(f"/settings/targets{path}", data={"csrf": csrf, **fields})

    def target() -> Any:
        with service.database.connect() as connection:
            return target_named(connection, 1, "ops")

    assert "Nobody is told of alarms yet." in client.get("/settings/targets").text
    assert post(name="ops", kind="webhook", url="ftp://nowhere").status_code == 422
    assert post(name="", kind="webhook", url="https://example.com").status_code == 422
    url = "http://127.0.0.1:9/hook?key=secret"
    page = post(name="ops", kind="webhook", url=url).text
    assert f'value="{target().secret}"' in page
    assert "key=secret" not in page
    assert target().secret not in client.get("/settings/targets").text
    assert post(name="ops", kind="webhook", url=url).status_code == 422
    page = post("/test", name="ops").text
    assert "The test message did not reach ops" in page
    secret = target().secret
    post("/switch", name="ops", enabled="0")
    assert (target().enabled, target().secret) == (False, secret)
    post("/switch", name="ops", enabled="1")
    assert target().enabled
    assert post("/delete", name="ops").status_code == 200
    assert target() is None
    assert post("/test", name="ops").status_code == 404


PAGES = ("/settings/tokens", "/settings/users", "/settings/targets", "/settings/log")
FORMS = (
    "/settings/streams/talk",
    *PAGES[:3],
    *("/settings/tokens/revoke", "/settings/users/password", "/settings/users/remove"),
    *("/settings/targets/test", "/settings/targets/switch", "/settings/targets/delete"),
)


def test_only_admins_see_and_change_accounts(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("read", "review", "ingest")
    page = client.get("/settings").text
    assert "/settings/tokens" not in page
    assert [client.get(path).status_code for path in PAGES] == [403] * len(PAGES)
    data = {"csrf": csrf, "id": "1", "name": "x"}
    assert [client.post(path, data=data).status_code for path in FORMS] == [403] * len(FORMS)
    admin = sign_in("admin", name="eve")
    assert [client.get(path).status_code for path in PAGES] == [200] * len(PAGES)
    data = {"csrf": csrf, "id": "1", "name": "x"}
    # The form of another session does nothing.
    assert admin != csrf
    assert [client.post(path, data=data).status_code for path in FORMS] == [403] * len(FORMS)
    assert service.database.dialect == "sqlite"


def test_answers_are_erased(client: Any, sign_in: Any, service: Service) -> None:
    csrf = sign_in("admin")
    with service.database.transaction() as connection:
        stream = create_stream(connection, 1, "talk", kind="answers", settings="{}", now=1.0)
        for k, group in enumerate(["north", "north", "south"]):
            row = {"stream": stream.id, "key": f"k{k}", "digest": b"", "round": 1, "group": group}
            at = 1_790_000_000.0 + k
            connection.execute(answers.insert().values(**row, received=at, at=at, text="a"))

    def post(**fields: str) -> Any:
        data = {"csrf": csrf, "key": "", "group": "", "begins": "", "ends": "", **fields}
        return client.post("/settings/streams/talk/erase", data=data)

    assert post().status_code == 422
    assert post(begins="yesterday").status_code == 422
    assert "Erased: 1 answers" in post(group="north", ends="2026-09-21T14:13:21Z").text
    assert "Erased: 1 answers" in post(group="north").text
    assert "Erased: 0 answers" in post(group="north").text
    assert client.post("/settings/streams/none/erase", data={"csrf": csrf}).status_code == 404


def test_hostile_forms_and_addresses_are_refused(client: Any, sign_in: Any) -> None:
    csrf = sign_in("admin")
    huge = "9" * 30
    for path in (f"/settings/log?before={huge}", "/settings/log?before=x", "/actions?before=0"):
        assert client.get(path).status_code == 422, path
    for path in ("/rules/a%00b", "/settings/streams/a%00b", "/rules/..%2F..%2Fetc"):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/actions/{huge}/done", data={"csrf": csrf}).status_code == 422
    nul = {"csrf": csrf, "name": "a\x00b", "scopes": "read", "text": "\x00", "key": "\x00"}
    forms = ("/settings/tokens", "/settings/users", "/settings/targets", "/settings/targets/test")
    for path in (*forms, "/settings/streams/a", "/rules/usual", "/reviews"):
        answer = client.post(path, data=nul)
        assert answer.status_code == 422, path
