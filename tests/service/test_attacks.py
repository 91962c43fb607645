"""What people try who may not, or who may something else: strangers, and members of a project."""

from __future__ import annotations

import threading

import pytest

from hayflick.service.logins import log_in
from hayflick.service.problems import Problem
from hayflick.storage.accounts import create_user, project_named
from hayflick.storage.passwords import hash_password

PASSWORD = "correct horse"


@pytest.fixture
def place(tmp_path):
    """Nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/users", "/v1/audit", "/v1/streams", "/"])
def test_a_line_break_behind_a_path_changes_no_scope(client, token, sign_in, path):
    """Routes match with a line break at the end, which no rule of scopes expects."""
    sign_in("read")
    answer = client.get(f"{path}%0A", headers=token("read"))
    assert answer.status_code == 404


def test_a_user_who_may_only_send_sees_no_page(client, sign_in):
    csrf = sign_in("ingest")
    for path in ("/", "/reviews", "/live", "/settings/streams/talk"):
        assert client.get(path).status_code == 403
    answer = client.post("/logout", data={"csrf": csrf}, follow_redirects=False)
    assert answer.status_code == 303


def test_strangers_send_small_forms_alone(client, sign_in):
    sign_in("read")
    client.cookies.clear()
    for path in ("/login", "/setup", "/static/app.js"):
        assert client.post(path, content=b"x" * 30_000).status_code == 413


def test_many_guesses_at_one_moment_are_slowed_down_too(service):
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        hashed = hash_password(PASSWORD)
        create_user(connection, project, name="ann", hashed=hashed, scopes=["read"], now=now)
    statuses = []

    def guess():
        with pytest.raises(Problem) as refusal:
            log_in(service, "ann", "a wrong guess", address="192.0.2.1")
        statuses.append(refusal.value.status)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {401, 429}
    # Two at once may be under way when the fifth one has failed.
    assert statuses.count(401) <= 6
