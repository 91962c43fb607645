"""The documentation site that `make docs` built: whole, reachable, readable, without a network."""

import functools
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build" / "site"
MESSAGES = ROOT / "docs" / "locale" / "ja" / "LC_MESSAGES"
WAIT_MS = 10_000
# Made by Sphinx, and linked from every page or from none.
OWN = {"genindex.html", "search.html", "py-modindex.html"}
# One page of a kind: the start pages, a tutorial, a guide, two of the reference, the gallery.
KINDS = [
    "index.html",
    "ja/index.html",
    "tutorials/1-plan.html",
    "comparing.html",
    "cli.html",
    "reference/glossary.html",
    "gallery/index.html",
]

pytestmark = pytest.mark.skipif(
    not (SITE / "index.html").exists(), reason="there is no site; make docs builds it"
)


class Elements(HTMLParser):
    """What a page names: its anchors, its links and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.menu, self.loads = set(), [], set(), []
        self.depth = self.menu_from = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found["id"]} if found.get("id") else set()
        if tag == "div":
            self.depth += 1
            if found.get("class") == "sidebar-tree":
                self.menu_from = self.depth
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
            if self.menu_from:
                self.menu.add(found["href"])
        if tag == "link" and found.get("rel") in {"stylesheet", "icon", "preload", "prefetch"}:
            self.loads.append(found["href"])
        if tag in {"script", "img", "iframe", "source", "video", "object", "embed"}:
            self.loads += [found[name] for name in ("src", "data") if found.get(name)]
        self.loads += re.findall(r"url\(['\"]?([^)'\"]+)", found.get("style") or "")

    def handle_endtag(self, tag):
        if tag == "div":
            if self.depth == self.menu_from:
                self.menu_from = 0
            self.depth -= 1


@functools.cache
def read(path):
    return Elements(path.read_text(encoding="utf-8"))


def pages():
    return sorted(SITE.rglob("*.html"))


def local(page, link):
    """Return the file and the anchor that a link names, or None for one out of the site."""
    if re.match(r"[a-z][a-z+.-]*:|//", link):
        return None
    name, _, anchor = unquote(link).partition("#")
    name = name.partition("?")[0]
    return ((page.parent / name) if name else page).resolve(), anchor


def test_every_link_and_anchor_leads_somewhere():
    broken = []
    for page in pages():
        for link in read(page).links:
            found = local(page, link)
            if found is None:
                continue
            file, anchor = found
            if not file.is_file() or (anchor and anchor not in read(file).anchors):
                broken.append((page.relative_to(SITE).as_posix(), link))
    assert broken == []


def test_a_page_loads_nothing_from_elsewhere():
    for page in pages():
        for link in read(page).loads:
            if not link.startswith("data:"):
                found = local(page, link)
                assert found is not None, (page, link)
                assert found[0].is_file(), (page, link)
    for sheet in SITE.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        outside = re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]*|@import[^;]*", text)
        assert outside == [], sheet


def test_every_page_is_in_the_menu_or_linked_from_one_that_is():
    for start in (SITE, SITE / "ja"):
        home = start / "index.html"
        listed = {local(home, link)[0] for link in read(home).menu}
        linked = {
            found[0] for page in listed for link in read(page).links if (found := local(page, link))
        }
        here = {page for page in pages() if page.is_relative_to(start) and page.name not in OWN}
        if start == SITE:
            here = {page for page in here if not page.is_relative_to(SITE / "ja")}
        assert sorted(here - listed - linked - {home}) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", KINDS)
def test_a_page_fits_the_screen_and_can_be_read_by_all(browser, name, width, scheme):
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((SITE / name).as_uri())
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert complaints == []
    # "preload" would fetch the style sheets again, which a browser forbids of files.
    found = sync.Axe().run(page, options={"resultTypes": ["violations"], "preload": False})
    shown = [
        (one["id"], [node["target"] for node in one["nodes"][:3]])
        for one in found.response["violations"]
    ]
    assert shown == []
    page.close()


def test_the_search_is_used_by_keyboard_and_without_a_server(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((SITE / "index.html").as_uri())
    page.keyboard.press("/")
    page.keyboard.type("plan")
    page.keyboard.press("Enter")
    results = page.locator("#search-results .search li a")
    # The results come one after another, the page named so among the first of them.
    results.get_by_text("Planning", exact=True).first.wait_for(timeout=WAIT_MS)
    results.first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "search.html" not in url, timeout=WAIT_MS)
    assert page.locator("h1").count() == 1
    page.close()


def test_a_command_is_copied_without_its_prompt(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto((SITE / "logs.html").as_uri())
    block = page.locator("div.highlight", has_text="$ hayflick watch").first
    block.hover()
    block.locator("button.copybtn").click()
    page.locator("button.copybtn.success").wait_for(timeout=WAIT_MS)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("hayflick watch")
    assert "$" not in copied
    context.close()


def test_the_theme_is_chosen_by_button(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.goto((SITE / "index.html").as_uri())
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    button = page.locator("button.theme-toggle:visible")
    button.click()  # from the system's theme to the other one
    assert page.evaluate(colour) != light
    page.close()


def test_a_reader_changes_the_language_and_comes_back(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((SITE / "tutorials" / "1-plan.html").as_uri())
    page.get_by_role("link", name="日本語").click()
    assert page.locator("html").get_attribute("lang") == "ja"
    page.get_by_role("link", name="English", exact=True).click()
    assert page.locator("html").get_attribute("lang") == "en"
    page.close()


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """Collect the messages of the pages that are translated."""
    folder = tmp_path_factory.mktemp("messages")
    settings = ["translated_only=1", "nb_execution_mode=off", "suppress_warnings=myst-nb.lexer"]
    options = ["-q", "-W", *(word for setting in settings for word in ("-D", setting))]
    command = [sys.executable, "-m", "sphinx", "-b", "gettext", *options, "-d", folder / "trees"]
    subprocess.run([*command, ROOT / "docs", folder / "out"], check=True, timeout=120)
    return folder / "out"


@pytest.mark.parametrize(
    "name", [path.relative_to(MESSAGES) for path in MESSAGES.rglob("*.po")], ids=str
)
def test_every_sentence_of_a_translated_page_is_translated(templates, name):
    with (templates / name.with_suffix(".pot")).open("rb") as file:
        sentences = {message.id for message in read_po(file) if message.id}
    with (MESSAGES / name).open("rb") as file:
        catalog = [message for message in read_po(file, locale="ja") if message.id]
    assert {message.id for message in catalog} == sentences, "run make translations"
    missing = [message.id for message in catalog if not message.string or message.fuzzy]
    assert missing == []
    for message in catalog:
        links = [
            sorted(re.findall(r"\]\(([^)]+)\)", text)) for text in (message.id, message.string)
        ]
        assert links[0] == links[1], message.id
