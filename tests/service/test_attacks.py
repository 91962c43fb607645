"""What people try who may not, or who may something else: strangers, and members of a project."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import logging
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from fastapi import Request
from fastapi.testclient import TestClient

from hayflick.core.errors import DataError, OutputError
from hayflick.core.spreadsheets import is_formula
from hayflick.service.access import still_may_read
from hayflick.service.app import create_app
from hayflick.service.apprise_sender import without_secrets
from hayflick.service.events import event_stream
from hayflick.service.ingest import ingest
from hayflick.service.pages.login import log_in
from hayflick.service.problems import Problem
from hayflick.service.round_keeper import RoundKeeper, store_rounds
from hayflick.service.service import Service
from hayflick.service.settings import DeclaredStream, ServiceSettings
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import (
    Principal,
    create_token,
    create_user,
    hash_password,
    project_named,
    revoke_token,
)
from hayflick.storage.alerts import raise_silence
from hayflick.storage.backups import back_up, restore
from hayflick.storage.database import Database
from hayflick.storage.readings import observer_of_stream, texts_of_rounds
from hayflick.storage.retention import Erasure, answers_to_erase, erase_answers
from hayflick.storage.reviews import add_reviews, reviews_of
from hayflick.storage.service_tables import TABLES, answers, tokens, unpack
from hayflick.storage.streams import create_stream, stream_named

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


@pytest.mark.parametrize(
    "embedder",
    [
        "endpoint:url=http://169.254.169.254/v1,model=x",
        "endpoint:url=https://attacker.example/v1,model=x,key=HAYFLICK_ADMIN_TOKEN",
        "sentence:model=/srv/uploads/model",
        "sentence:model=attacker/model",
    ],
)
def test_a_member_chooses_no_embedder_that_reaches_beyond_the_service(client, token, embedder):
    answer = client.put("/v1/streams/talk", json={"embedder": embedder}, headers=token("admin"))
    assert answer.status_code == 422
    assert "settings file of the service" in answer.json()["detail"]
    assert client.get("/v1/streams/talk", headers=token("read")).status_code == 404


def test_the_embedders_of_the_operator_can_be_chosen(client, service, token):
    named = "endpoint:url=http://models.example/v1,model=bge"
    declared = DeclaredStream(embedder=named)
    service.settings = service.settings.model_copy(update={"streams": {"news": declared}})
    for embedder in (named, "hashing:dimensions=256"):
        body = {"embedder": embedder}
        answer = client.put("/v1/streams/talk", json=body, headers=token("admin"))
        assert answer.status_code == 200, answer.text


def test_a_store_and_its_copies_are_their_owners_alone(tmp_path):
    before = os.umask(0o022)
    try:
        with Database(tmp_path / "s.db", durable=True) as database:
            with database.transaction() as connection:
                project_named(connection, "default", now=0.0)
            back_up(str(tmp_path / "s.db"), tmp_path / "copy.db")
            restore(tmp_path / "copy.db", str(tmp_path / "other.db"))
            modes = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert {"s.db", "s.db-wal", "copy.db", "other.db"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}, modes


def test_a_refused_statement_repeats_no_value(database, caplog):
    """What is logged of an error holds the statement, and none of the texts in it."""
    secret = f"a secret {id(database)}"
    with pytest.raises(DataError) as fault, database.transaction() as connection:
        connection.execute(sa.insert(tokens).values(project=1, name=secret))
    logging.getLogger("test").error("refused", exc_info=fault.value)
    assert "tokens" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize("hours", ["000000001" + "0" * 15, "1" * 5000, "9999", "-1", "²", ""])
def test_nothing_is_snoozed_until_the_end_of_time(client, service, sign_in, hours):
    """A time that no page can write would have broken all pages that show it."""
    csrf = sign_in("review")
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        made = {"kind": "answers", "settings": "{}", "now": now}
        number = raise_silence(
            connection, create_stream(connection, project, "talk", **made), now=now
        )
    form = {"csrf": csrf, "hours": hours}
    answer = client.post(f"/alerts/{number}/snooze", data=form, follow_redirects=False)
    assert answer.status_code == 422
    assert client.get("/alerts").status_code == 200


@pytest.mark.parametrize("number", ["9" * 18, "9" * 30, "9" * 5000, "-1"])
def test_numbers_that_no_row_has_are_refused(client, sign_in, number):
    form = {"csrf": sign_in("admin"), "hours": "1", "id": number, "state": "accepted"}
    for path in (f"/alerts/{number}/acknowledge", f"/alerts/{number}/snooze", "/reviews"):
        assert client.post(path, data=form).status_code in (404, 422)
    for path in ("/alerts", "/actions", "/settings/log"):
        assert client.get(path, params={"before": number}).status_code in (200, 422)


def test_metrics_beyond_loopback_show_one_project(database):
    service = Service(database, ServiceSettings(host="192.0.2.7"))
    tokens_of_projects = {}
    with database.transaction() as connection:
        for name in ("ours", "theirs"):
            project = project_named(connection, name, now=0.0)
            made = {"kind": "answers", "settings": "{}", "now": 0.0}
            stream = create_stream(connection, project, f"stream of {name}", **made)
            raise_silence(connection, stream, now=0.0)
            given = {"name": "scrape", "scopes": ["read"], "now": 0.0}
            tokens_of_projects[name] = create_token(connection, project, **given)
    with TestClient(create_app(service), base_url="http://192.0.2.7") as client:
        headers = {"Authorization": f"Bearer {tokens_of_projects['ours']}"}
        text = client.get("/metrics", headers=headers).text
    assert "stream of ours" in text
    assert "theirs" not in text


@pytest.mark.parametrize(("group", "kept"), [("Bj\xf6rn", 6), ("nobody", 8)])
def test_what_is_erased_while_its_round_is_measured_is_not_kept(service, monkeypatch, group, kept):
    """A measured round had brought samples and reviews of answers back that were gone."""
    settings = StreamSettings(every=4, baseline=2, review=4)
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        given = {"kind": "answers", "settings": settings.model_dump_json(), "now": now}
        stream = create_stream(connection, project, "talk", **given)
    what = Erasure(group=group)

    def stored(connection, stream, *arguments, **named):
        numbers = answers_to_erase(connection, stream, what, most=9)
        erase_answers(connection, stream, numbers, spelled=str)
        store_rounds(connection, stream, *arguments, **named)

    monkeypatch.setattr("hayflick.service.round_keeper.store_rounds", stored)
    texts = ["It is on its way.", "You have it on Monday.", "It was sent back.", "Please wait."]
    items = [{"text": text, "group": "other"} for text in texts[1:]]
    items = 2 * [{"text": f"My secret: {texts[0]}", "group": "Bj\xf6rn"}, *items]
    with service:
        principal = Principal(project, "test", frozenset({"ingest"}))
        ingest(service, principal, "talk", "answers", items).result()
        assert RoundKeeper(service).work() == 2
        with service.database.connect() as connection:
            samples = texts_of_rounds(connection, stream.id)
            reviewed = reviews_of(connection, project, most=100)
            left = connection.scalars(sa.select(answers.c.text)).all()
    assert len(left) == len(reviewed) == kept
    assert ("secret" in str((samples, reviewed, left))) == (kept == 8)
    assert bool(samples) == (kept == 8)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:80attacker.example",
        "[::1]attacker.example",
        "[::1]:80attacker.example",
        "127.0.0.1@attacker.example",
        "attacker.example/127.0.0.1",
        "localhost:80:80",
    ],
)
def test_a_host_with_something_behind_it_is_refused(client, host):
    answer = client.get("/health", headers={"Host": host})
    assert answer.status_code == 403


NAME = "=<script>alert(1)<script>\"'><img src=x onerror=alert(1)>{{7*7}}"


BAD = f"{NAME}\x1b[31m\u202e\u2066\u2028</script>"


UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e]")


PAGES = "/ /alerts /actions?state=all /reviews /rules /settings /settings/log /settings/tokens"


HOSTILE_RULES = """format_version = 1
mode = "act"
[[watch]]
name = "<script>few</script>"
metric = "spread"
below = 100.0
groups = ["*"]
actions = ["vary"]
[[action]]
name = "vary"
kind = "vary_prompts"
prompts = ["<script>alert(2)</script>"]
"""


@pytest.fixture
def hostile_stream(client, token):
    """A stream of which everything that has a name or a text is hostile; its part of a path."""
    admin, path = token("admin"), quote(NAME, safe="")
    put = client.put(f"/v1/rules/{path}", json={"text": HOSTILE_RULES}, headers=admin)
    assert put.status_code == 200, put.text
    target = {"kind": "webhook", "url": "https://127.0.0.1/<script>"}
    client.put(f"/v1/targets/{path}", json=target, headers=admin)
    settings = {"every": 8, "baseline": 10, "review": 2, "rules": NAME, "values": [NAME]}
    settings["charts"] = [f"{one}=shewhart" for one in (NAME, "distinct_2", "entropy")]
    put = client.put(f"/v1/streams/{path}", json=settings, headers=admin)
    assert put.status_code == 200, put.text
    words = ["order", "delivery", "refund", "monday", "return", "parcel", "please", "thanks"]
    items = [
        {
            "text": f"{BAD} {words[n % 7]} {words[n * n % 8]} {n}",
            "prompt": BAD,
            "group": f"{NAME}{n % 2}\u202e",
            "key": f"{NAME}{n}",
            "values": {NAME: float(n % 5)},
        }
        for n in range(104)
    ]
    sent = client.post(f"/v1/streams/{path}/answers", json=items, headers=admin)
    assert sent.status_code == 200, sent.text
    deadline = time.monotonic() + 60
    while client.get(f"/v1/streams/{path}", headers=admin).json()["measured_round"] < 13:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return path


def test_no_page_runs_what_a_model_or_a_member_wrote(client, token, sign_in, hostile_stream):
    """Texts, prompts, keys, groups, numbers, and names of streams, rules, targets and users."""
    csrf, path = sign_in("admin", name="<script>ann"), hostile_stream
    pages = [*PAGES.split(), "/settings/users", "/settings/targets"]
    pages += [f"/streams/{path}", f"/settings/streams/{path}", f"/rules/{path}"]
    charts = set()
    for page in [*pages, *(f"{one}{'&' if '?' in one else '?'}lang=ja" for one in pages)]:
        answer = client.get(page)
        assert (page, answer.status_code) == (page, 200)
        check_markup(answer.text)
        charts |= set(re.findall(r"/streams/[^\"' ]+?/charts/[^\"' ?]+", answer.text))
    assert len(charts) > 4
    for chart in sorted(charts):
        picture = client.get(html.unescape(chart))
        assert picture.status_code == 200
        if picture.headers["content-type"].startswith("image/"):
            check_markup(picture.text)
    form = {"csrf": csrf, "do": "try", "text": HOSTILE_RULES}
    tried = client.post(f"/rules/{path}?lang=en", data=form)
    assert "would have decided" in tried.text
    check_markup(tried.text)
    table = client.get(f"/v1/streams/{path}/export?format=csv", headers=token("read")).text
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert len(cells) > 200
    assert not [cell for cell in cells if is_formula(cell) and not cell.startswith("'")]


def check_markup(text):
    """Fail if a page or a picture holds markup of others, or what cannot be seen."""
    assert not re.search('<script(?! src="/static/app.js)|<img src=x|onerror=alert[^&]*>', text)
    assert not UNSEEN.search(text)
    assert ">49<" not in text


def test_what_is_erased_is_shown_on_no_page_afterwards(client, token, sign_in, hostile_stream):
    """Pages are kept for a moment, and so were the typical answers in them."""
    csrf = sign_in("admin")
    page = f"/streams/{hostile_stream}"
    assert "monday" in client.get(page).text
    reader = token("read")
    assert "monday" in client.get("/v1/reviews", headers=reader).text
    form = {"csrf": csrf, "begins": "1970-01-02T00:00:00Z"}
    erased = client.post(f"/settings{page}/erase", data=form)
    assert erased.status_code == 200, erased.text
    for one in (page, "/reviews", "/", f"/settings{page}"):
        assert "monday" not in client.get(one).text
    assert client.get(f"/v1{page}/export", headers=reader).text == ""
    for one in ("reviews", "actions", "alerts", "deliveries"):
        assert "monday" not in client.get(f"/v1/{one}?limit=1000", headers=reader).text


def test_a_group_is_erased_however_it_is_typed(client, token):
    admin = token("admin")
    item = {"text": "a secret", "group": "Bj\xf6rn"}
    client.post("/v1/streams/talk/answers", json=item, headers=admin)
    body = {"group": "Bjo\u0308\u200brn"}
    answer = client.post("/v1/streams/talk/erasures", json=body, headers=admin)
    assert answer.json() == {"answers": 1, "reviews": 0}


def test_no_prompt_stays_in_what_a_baseline_keeps(service):
    """Prompts of every round of the baseline were kept as they are, whatever was erased."""
    settings = StreamSettings(every=8, baseline=3, keep_text=False)
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        given = {"kind": "answers", "settings": settings.model_dump_json(), "now": 0.0}
        stream = create_stream(connection, project, "talk", **given)
    words = ["order", "delivery", "refund", "monday", "return", "parcel", "please", "thanks"]
    items = [
        {"text": f"{words[n % 7]} {words[n * n % 8]}", "prompt": f"a secret question {n % 2}"}
        for n in range(32)
    ]
    with service:
        principal = Principal(project, "test", frozenset({"ingest"}))
        ingest(service, principal, "talk", "answers", items).result()
        assert RoundKeeper(service).work() == 4
        with service.database.connect() as connection:
            record = observer_of_stream(connection, stream.id)
            tables = TABLES.sorted_tables
            rows = [row for table in tables for row in connection.execute(sa.select(table))]
    assert any(size["mix"] for size in record["observer"]["sizes"].values())
    assert "secret" not in str(record)
    kept = [unpacked(value) for row in rows for value in row]
    assert "secret question" not in str(kept)


def unpacked(value):
    """Return a value of the store, without its compression."""
    try:
        return unpack(value)
    except (TypeError, ValueError, zlib.error):
        return value


def test_nobody_is_told_where_the_store_is(client, service, token, monkeypatch):
    def fails(*_, **__):
        raise OutputError(f"{service.database.name}: the disk is full; free some space")

    headers = token("read", "ingest")
    monkeypatch.setattr("hayflick.service.api_streams.streams_of", fails)
    read = client.get("/v1/streams", headers=headers)
    monkeypatch.setattr("hayflick.service.ingest._Request.store", fails)
    sent = client.post("/v1/streams/talk/answers", json={"text": "a"}, headers=headers)
    monkeypatch.setattr("hayflick.service.api_health.set_value", fails)
    ready = client.get("/ready")
    for answer in (read, sent, ready):
        assert answer.status_code == 503
        assert "the store: the disk is full" in answer.json()["detail"]
        assert "service.db" not in answer.text


@pytest.mark.parametrize("name", ["%00", "a%00b"])
def test_a_target_with_nul_is_not_there(client, token, name):
    admin = token("admin")
    assert client.delete(f"/v1/targets/{name}", headers=admin).status_code == 404
    assert client.post(f"/v1/targets/{name}/test", headers=admin).status_code == 404


STARTS = """
import os, subprocess
from hayflick.service.apprise_sender import _guard
refused = []
_guard(refused, private=True)
for start in (lambda: subprocess.run(["true"]), lambda: os.system("true"), os.fork):
    try:
        start()
    except PermissionError:
        pass
print(len(refused))
"""


def test_an_address_of_apprise_starts_no_program():
    done = subprocess.run([sys.executable, "-c", STARTS], capture_output=True, text=True)
    assert done.stdout == "3\n", done.stderr


def test_what_a_target_says_is_shown_without_keys_and_control_characters():
    url = "slack://T0KEN1/B0KEN2/s%C3%A9cret3/#channel"
    said = without_secrets("\x1b[2J\u202eno T0KEN1 in /B0KEN2/sécret3" + "!" * 1000, url)
    assert not {"T0KEN1", "B0KEN2", "sécret3"} & set(re.split("[ /!]+", said))
    assert said.isprintable()
    assert len(said) < 400


@pytest.mark.parametrize("by", ["token", "session"])
def test_who_may_no_longer_read_hears_nothing_more(
    service, client, token, sign_in, monkeypatch, by
):
    monkeypatch.setattr("hayflick.service.events._SECONDS_UNASKED", 0.2)
    monkeypatch.setattr("hayflick.service.events._SILENCE_S", 0.1)
    headers = token("read")
    csrf = sign_in("read")
    cookie = client.cookies["hayflick_session"]
    principals = {"token": Principal(1, "test", frozenset({"read"}), token=1)}
    principals["session"] = Principal(1, "ann", frozenset({"read"}), user=1)
    raw = [(b"authorization", headers["Authorization"].encode())]
    raw.append((b"cookie", f"hayflick_session={cookie}".encode()))
    state = {"principal": principals[by]}
    request = Request({"type": "http", "headers": raw, "state": state, "app": client.app})
    still = still_may_read(request)
    assert still()

    async def listen():
        heard = [one async for one in event_stream(service, 1, None, still=still)]
        return len(heard)

    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(asyncio.run, listen())
        time.sleep(0.5)
        assert not listening.done()
        with service.database.transaction() as connection:
            if by == "token":
                assert revoke_token(connection, 1, 1, now=1.0)
        if by == "session":
            client.post("/logout", data={"csrf": csrf})
        assert listening.result(timeout=20) > 2


def test_reviews_of_labels_are_erased_with_their_item(client, service, token):
    """An item of label counts has rows with keys of their own, and reviews of them too."""
    headers = token("admin")
    item = {"counts": {"a": 3, "b": 4, "c": 5}, "key": "order-17"}
    client.post("/v1/streams/talk/counts", json=item, headers=headers)
    now = service.clock.now()
    with service.database.transaction() as connection:
        stream = stream_named(connection, 1, "talk")
        rows = connection.execute(sa.select(answers.c.key, answers.c.text)).mappings().all()
        assert len(rows) == 3
        drawn = [{**row, "group": "", "prompt": None} for row in rows]
        drawn.append({**drawn[0], "key": "order-170"})
        add_reviews(connection, stream, 1, drawn, 12, now=now)
        connection.execute(sa.delete(answers))
    body = {"key": "order-17"}
    answer = client.post("/v1/streams/talk/erasures", json=body, headers=headers)
    assert answer.json() == {"answers": 0, "reviews": 3}
    with service.database.connect() as connection:
        assert [one.key for one in reviews_of(connection, 1, most=9)] == ["order-170"]
