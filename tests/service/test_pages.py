"""The pages of the dashboard, as a browser without script gets them."""

from __future__ import annotations

import html
import random
import re
import time

import pytest
import sqlalchemy as sa

from hayflick.service.access import COOKIE
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import create_session, create_user, hash_password, project_named
from hayflick.storage.alerts import alerts_of, raise_alarm
from hayflick.storage.readings import Headline
from hayflick.storage.service_tables import streams
from hayflick.storage.streams import create_stream, stream_named

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html", "Accept-Language": "en"}
JAPANESE = {"Accept": "text/html", "Accept-Language": "ja,en;q=0.5"}


@pytest.fixture
def place(tmp_path):
    """Nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.fixture
def dashboard(client, token):
    """A client that is signed in."""
    admin = token("admin")["Authorization"].removeprefix("Bearer ")
    form = {"token": admin, "name": "ann", "password": PASSWORD, "again": PASSWORD}
    answer = client.post("/setup", data=form, headers=HTML, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    client.headers.update(HTML)
    return client


def stream(service, name, *, state="healthy", **values):
    now = service.clock.now()
    settings = StreamSettings(every=50).model_dump_json()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        made = create_stream(connection, project, name, kind="answers", settings=settings, now=now)
        row = {"state": state, "state_since": now, **values}
        connection.execute(sa.update(streams).where(streams.c.id == made.id).values(row))
        found = stream_named(connection, project, name)
    assert found is not None
    return found


def alarm(service, name):
    found = stream(service, name, state="alarm")
    with service.database.transaction() as connection:
        return raise_alarm(connection, found, round=3, content={"charts": []}, now=1.0)


def csrf(page):
    return re.search(r'name="csrf" value="([^"]+)"', page.text)[1]


def test_the_first_start_makes_the_first_user_with_the_token_of_the_service(client):
    answer = client.get("/", headers=HTML)
    assert answer.url.path == "/setup"
    wrong = {"token": "hf_no", "name": "ann", "password": PASSWORD, "again": PASSWORD}
    answer = client.post("/setup", data=wrong, headers=HTML)
    assert answer.status_code == 401
    assert "This is no token of the scope admin." in answer.text
    answer = client.post("/setup", data={**wrong, "again": "another"}, headers=HTML)
    assert (answer.status_code, "The two passwords differ." in answer.text) == (422, True)


def test_signing_in_leads_to_the_page_that_was_asked_for(dashboard, service):
    stream(service, "talk")
    dashboard.cookies.clear()
    answer = dashboard.get("/streams/talk")
    assert (answer.url.path, answer.url.params["next"]) == ("/login", "/streams/talk")
    form = {"name": "ann", "password": "wrong wrong wrong"}
    answer = dashboard.post(str(answer.url), data=form)
    assert answer.status_code == 401
    assert "The name and the password do not belong together." in answer.text
    assert 'value="ann"' in answer.text
    form["password"] = PASSWORD
    answer = dashboard.post("/login?next=/alerts", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    answer = dashboard.post("/login?next=//elsewhere", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_signing_out_ends_the_session(dashboard):
    page = dashboard.get("/")
    assert dashboard.post("/logout", data={"csrf": "wrong"}).status_code == 403
    answer = dashboard.post("/logout", data={"csrf": csrf(page)})
    assert answer.url.path == "/login"
    assert dashboard.get("/").url.path == "/login"


def test_the_overview_shows_alarms_first_and_what_fell(dashboard, service):
    assert "No stream has sent anything yet" in dashboard.get("/").text
    line = Headline(
        metric="spread", loss=0.25, before=1.0, now=0.75, since="21", line=(1.0, None, 0.75)
    )
    stream(service, "calm", headline=Headline(metric="spread", line=(1.0,)).text())
    stream(service, "quiet", silent_since=1.0)
    stream(service, "fallen", state="alarm", headline=line.text())
    stream(service, "young", state="baseline", open_round=4)
    text = dashboard.get("/").text
    names = re.findall(r'href="/streams/(\w+)"', text)
    assert names == ["fallen", "quiet", "young", "calm"]
    assert "spread of answers −25.0%, since round 21" in text
    assert text.count('<span class="badge silent">silent</span>') == 2
    assert "3 of 10 rounds of the baseline" in text


def test_hostile_names_are_shown_as_text(dashboard, service):
    names = ["<script>alert(1)", "a&b\"c'd", "返品 & 交換", "x" * 100, "a?b#c", "‮evil"]
    for name in names:
        stream(service, name)
    page = dashboard.get("/")
    assert "<script>alert" not in page.text
    assert "‮evil" not in re.sub("⁨.*?⁩", "", page.text)
    addresses = set(re.findall(r'href="(/streams/[^"]+)"', page.text))
    assert len(addresses) == len(names)
    for address in addresses:
        page = dashboard.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "The baseline is being recorded" in page.text


def test_what_is_not_there_is_a_page_with_the_status(dashboard):
    page = dashboard.get("/streams/none")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "there is no stream" in page.text
    assert dashboard.get("/static/passwd").status_code == 404
    assert dashboard.get("/streams/none/charts/spread.svg").status_code == 404


def test_pages_speak_the_language_of_the_browser_or_the_one_that_was_chosen(dashboard):
    assert '<html lang="ja">' in dashboard.get("/", headers=JAPANESE).text
    page = dashboard.get("/?lang=ja")
    assert ">系列</a>" in page.text
    assert '<html lang="ja">' in dashboard.get("/").text
    assert '<html lang="en">' in dashboard.get("/?lang=en", headers=JAPANESE).text


def test_an_alarm_is_acknowledged_and_snoozed_by_those_who_may(dashboard, service):
    number = alarm(service, "talk")
    page = dashboard.get("/alerts")
    assert "Alarm since" in page.text
    form = {"csrf": csrf(page), "back": "/streams/talk"}
    assert dashboard.post(f"/alerts/{number}/acknowledge", data={}).status_code == 403
    answer = dashboard.post(f"/alerts/{number}/acknowledge", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/streams/talk")
    assert dashboard.post(f"/alerts/{number}/snooze", data={**form, "hours": "4"}).is_success
    (found,) = _alerts(service)
    assert found.acknowledged_by == "ann"
    assert found.snoozed_until == pytest.approx(service.clock.now() + 4 * 3600.0)
    assert "acknowledged by ann" in dashboard.get("/streams/talk").text
    assert dashboard.post(f"/alerts/{number}/snooze", data={**form, "hours": "0"}).is_success
    (found,) = _alerts(service)
    assert found.snoozed_until is None
    for hours in ("", "-1", "1.5", "９", "9" * 30):
        answer = dashboard.post(f"/alerts/{number}/snooze", data={**form, "hours": hours})
        assert answer.status_code == 422
    assert dashboard.post("/alerts/999/acknowledge", data=form).status_code == 404


def test_hostile_addresses_and_fields_are_refused(dashboard):
    form = {"csrf": csrf(dashboard.get("/")), "back": "/"}
    for number in ("0", "-1", str(2**63), "9" * 400, "1e3", "%00"):
        for answer in (
            dashboard.post(f"/alerts/{number}/acknowledge", data=form),
            dashboard.get(f"/alerts?before={number}"),
            dashboard.get(f"/streams/talk{number}/charts/{number}.svg"),
            dashboard.get(f"/streams/{number}"),
            dashboard.post("/login", data={"name": f"a\x00{number}", "password": PASSWORD}),
        ):
            assert answer.status_code in (404, 422), number


def _alerts(service):
    with service.database.connect() as connection:
        return alerts_of(connection, project_named(connection, "default", now=0.0))


def test_pages_load_nothing_but_our_own_files_and_have_no_inline_script_or_style(
    dashboard, service
):
    alarm(service, "talk")
    for path in ("/", "/streams/talk", "/alerts"):
        page = dashboard.get(path)
        assert "script-src 'self'; style-src 'self'" in page.headers["content-security-policy"]
        assert re.findall(r"<script(?! src)|<style| style=| on[a-z]+=|javascript:", page.text) == []
        assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
        for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            answer = dashboard.get(address)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]


def test_the_page_that_is_shown_is_marked_among_the_names_of_pages(dashboard, service):
    stream(service, "talk")
    shown = {"/": "Streams", "/streams/talk": "Streams", "/alerts": "Alarms", "/rules": "Rules"}
    for path, name in shown.items():
        found = re.findall(r'aria-current="page"[^>]*>(\w+)', dashboard.get(path).text)
        assert found == [name]


def test_the_script_is_short(client):
    assert len(client.get("/static/app.js").text.splitlines()) < 300


def test_refreshed_pages_are_shared_and_hold_the_names_and_forms_of_their_readers(
    dashboard, service
):
    alarm(service, "talk")
    first = dashboard.get("/streams/talk")
    now = service.clock.now()
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=now)
        bob = create_user(
            connection,
            project,
            name="<b>ob",
            hashed=hash_password(PASSWORD),
            scopes=["admin"],
            now=now,
        )
        cookie, held = create_session(connection, bob, now=now)
    dashboard.cookies.clear()
    dashboard.cookies.set(COOKIE, cookie)
    refresh = {"X-Hayflick-Refresh": "1"}
    second = dashboard.get("/streams/talk", headers=refresh)
    assert set(re.findall(r'name="csrf" value="([^"]+)"', second.text)) == {held}
    assert csrf(first) != held
    assert "&lt;b&gt;ob" in second.text
    parts = [page.text.partition("<main")[2].replace(csrf(page), "") for page in (first, second)]
    assert parts[0] == parts[1]
    alarm(service, "another")
    assert "another" in dashboard.get("/alerts", headers=refresh).text
    assert "another" in dashboard.get("/", headers=refresh).text


EVERY, BASELINE, ROUNDS = 6, 6, 12


def item(kind, rng, place):
    if kind == "vectors":
        return {"vector": [rng.gauss(0.0, 1.0) for _ in range(8)]}
    if kind == "counts":
        return {"counts": {f"<b>label {place}": rng.randint(5, 9), "other": rng.randint(5, 9)}}
    return {"values": {"<i>score": rng.random()}, "text": f"word{place} & word{place + 1}"}


@pytest.mark.parametrize("kind", ["vectors", "counts", "values"])
def test_the_page_of_a_stream_of_any_kind_has_charts(dashboard, service, token, kind):
    settings = {"every": EVERY, "baseline": BASELINE, "values": ["<i>score"] * (kind == "values")}
    headers = {**token("admin"), "Accept": "application/json"}
    answer = dashboard.put("/v1/streams/talk", json={"kind": kind, **settings}, headers=headers)
    assert answer.is_success, answer.text
    rng = random.Random(1)
    items = [item(kind, rng, place) for place in range(EVERY * ROUNDS)]
    answer = dashboard.post(f"/v1/streams/talk/{kind}", json=items, headers=headers)
    assert answer.is_success, answer.text
    give_up = time.monotonic() + 60.0
    while dashboard.get("/v1/streams/talk", headers=headers).json()["measured_round"] < ROUNDS:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    page = dashboard.get("/streams/talk")
    assert page.status_code == 200
    assert "The numbers over time" in page.text
    assert "<i>score" not in page.text
    for address in re.findall(r'(?:src|srcset|data-values)="(/streams/[^"]+)"', page.text):
        found = dashboard.get(html.unescape(address))
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
    for address in re.findall(r'href="(/streams/[^"]+[.]csv)"', page.text):
        assert dashboard.get(address).text.startswith("\ufeffgeneration,label,value")
