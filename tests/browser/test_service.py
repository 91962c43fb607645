"""The service as its users see it: from the first start to an alarm, on any screen."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from hayflick_client import Watcher

TOKEN = "hf_browser_test_of_the_service"
PASSWORD = "correct horse battery"
ROUND, HEALTHY, COLLAPSING = 30, 20, 10
WAIT_MS = 60_000

CONFIG = f"""
[defaults]
every = {ROUND}
baseline = 10
review = 3
rules = "usual"

[rules]
usual = '''
format_version = 1
mode = "warn"
baseline = 10

[[watch]]
name = "narrow"
metric = "spread"
chart = "guaranteed"
actions = ["tell us"]

[[action]]
name = "tell us"
kind = "notify"
message = "the answers become one"
'''
"""

SUBJECTS = ["The order", "A parcel", "Your refund", "The invoice", "This ticket", "A driver"]
VERBS = ["left", "reached", "passed", "waits at", "returns to", "was sent from", "moves to"]
PLACES = [
    f"the {colour} {place}"
    for colour in ("old", "new", "north", "south", "main", "small")
    for place in ("depot", "office", "harbour", "station", "store", "bridge", "market")
]
TIMES = ["on Monday", "at noon", "this morning", "tomorrow", "late", "within the hour", "by night"]


def healthy(rng):
    parts = (SUBJECTS, VERBS, PLACES, TIMES, SUBJECTS, VERBS, PLACES)
    return " ".join(rng.choice(part) for part in parts)


def collapsed(rng):
    return f"The order {rng.choice(VERBS[:2])} the main depot on Monday, and all is well."


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """The address of a service that runs for these tests."""
    folder = tmp_path_factory.mktemp("service")
    (folder / "service.toml").write_text(CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "hayflick", "serve", "--port", str(port)]
    command += ["--database", str(folder / "service.db"), "--config", str(folder / "service.toml")]
    environment = {**os.environ, "HAYFLICK_ADMIN_TOKEN": TOKEN}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(address, process, folder / "log")
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until_ready(address, process, log):
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(f"{address}/ready", timeout=2.0).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(log.read_text())


def send(url, rounds, said, seed):
    rng = random.Random(seed)
    with Watcher("help desk", url=url, token=TOKEN, batch=ROUND) as watcher:
        for number in range(rounds * ROUND):
            group = ("<b onclick=alert(1)>blue", "green")[number % 2]
            watcher.record(said(rng), group=group, prompt=f"Where is order {number % 5}?")
        assert watcher.flush(60.0)
        assert watcher.counts.dropped == 0


@pytest.fixture(scope="module")
def complaints():
    return []


@pytest.fixture(scope="module")
def signed_in(browser, url, complaints):
    """The session of the first user, who is made on the page of the first start."""
    context = browser.new_context(locale="en-GB")
    page = watched_page(context, complaints)
    page.goto(url)
    assert page.url == f"{url}/setup"
    check_axe(page)
    for name, value in (("token", TOKEN), ("name", "ann"), ("password", PASSWORD)):
        page.fill(f"#{name}", value)
    page.fill("#again", PASSWORD)
    page.get_by_role("button", name="Make the user").click()
    page.wait_for_url(f"{url}/")
    state = context.storage_state()
    context.close()
    return state


def watched_page(context, complaints):
    page = context.new_page()
    # A violation of the content security policy is such a message.
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if "127.0.0.1" in request.url else complaints.append(request.url),
    )
    return page


def check_axe(page):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = sync.Axe().run(page).response["violations"]
    shown = [(one["id"], [node["target"] for node in one["nodes"][:3]]) for one in found]
    assert shown == [], page.url


def test_a_collapse_is_seen_acknowledged_and_reviewed(browser, url, signed_in, complaints):
    context = browser.new_context(locale="en-GB", storage_state=signed_in)
    page = watched_page(context, complaints)
    page.goto(url)
    page.evaluate("window.loaded_once = true")
    send(url, HEALTHY, healthy, seed=1)
    row = page.locator("#streams tr", has_text="help desk")
    row.locator(".badge", has_text="healthy").wait_for(timeout=WAIT_MS)
    check_axe(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/streams/help%20desk")
    page.evaluate("window.loaded_once = true")
    page.locator("#stream-state .badge", has_text="healthy").wait_for(timeout=WAIT_MS)
    check_axe(page)
    send(url, COLLAPSING, collapsed, seed=2)
    alarm = page.locator("#stream-state .alert", has_text="Alarm since")
    alarm.wait_for(timeout=WAIT_MS)
    page.locator("#stream-body .verdict.alarm").wait_for(timeout=WAIT_MS)
    page.keyboard.press("c")
    alarm.get_by_text("acknowledged by ann").wait_for(timeout=WAIT_MS)
    assert page.evaluate("window.loaded_once") is True
    plot = page.locator(".plot").first
    plot.focus()
    page.keyboard.press("Home")
    plot.get_by_text("1:").wait_for()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.plot output').textContent.includes('alarm')")
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    plot.get_by_text("baseline").wait_for()
    check_axe(page)
    review_by_keys(page, url)
    try_rules(page, url)
    context.close()
    assert complaints == []


def review_by_keys(page, url):
    """Accept an answer, take that back, and decide two, without the mouse."""
    page.goto(f"{url}/reviews")
    asked = page.locator("#reviews blockquote.answer").last
    first = asked.inner_text()
    page.keyboard.press("a")
    page.locator("#reviews", has_text="checked: 1").wait_for(timeout=WAIT_MS)
    page.keyboard.press("z")
    page.locator("#undo").wait_for(state="detached", timeout=WAIT_MS)
    assert asked.inner_text() == first
    for number, key in enumerate("rau", 1):
        page.keyboard.press(key)
        page.locator("#reviews", has_text=f"checked: {number}").wait_for(timeout=WAIT_MS)
    assert page.locator("#reviews", has_text="rejected: 1").count() == 1
    check_axe(page)


def try_rules(page, url):
    """Try the rules on what is stored: they would have fired in the collapse."""
    page.goto(f"{url}/rules/usual")
    page.get_by_role("button", name="Try", exact=True).click()
    found = page.locator("#tried .big")
    found.wait_for(timeout=WAIT_MS)
    said = (
        rf"It would have decided in \d+ of {HEALTHY + COLLAPSING} rounds, for the first time in 2"
    )
    assert re.match(said, found.inner_text())
    check_axe(page)


PAGES = ("/", "/streams/help%20desk", "/alerts", "/actions", "/reviews", "/rules", "/rules/usual")
PAGES += ("/settings", "/settings/streams/help%20desk", "/settings/tokens", "/settings/users")
PAGES += ("/settings/targets", "/settings/log")


@pytest.mark.parametrize(
    ("width", "theme", "locale"), [(390, "dark", "ja-JP"), (1280, "light", "en-GB")]
)
def test_every_page_fits_and_can_be_used_by_everyone(
    browser, url, signed_in, complaints, width, theme, locale
):
    context = browser.new_context(
        storage_state=signed_in,
        viewport={"width": width, "height": 900},
        color_scheme=theme,
        locale=locale,
    )
    page = watched_page(context, complaints)
    long = f"{url}/v1/streams/" + "お客様からの問い合わせへの自動応答" * 3
    made = httpx.put(long, json={"every": 10}, headers={"Authorization": f"Bearer {TOKEN}"})
    assert made.is_success, made.text
    for path in PAGES:
        page.goto(url + path)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, path
        assert page.evaluate("document.documentElement.lang") == locale[:2]
        check_axe(page)
    context.close()
    assert complaints == []


def test_pages_can_be_read_without_script(browser, url, signed_in):
    context = browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{url}/streams/help%20desk")
    assert page.locator(".panel img").count() >= 2
    assert page.get_by_role("heading", level=1).inner_text().startswith("help desk")
    context.close()
