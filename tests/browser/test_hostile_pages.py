"""A browser opens every page with hostile names: nothing runs, nothing is fetched."""

import csv

import pytest
from hostile import ENCODABLE, NAMES, RESULTS, TEXTS, pages

from hayflick.core.source import Source
from hayflick.report.language import Language
from hayflick.report.rendering import tables_page

FOUND = """
() => ({
  title: document.title,
  active: document.querySelectorAll(
    "script, iframe, object, embed, img, link, base, form, video, audio, foreignObject, image, use"
  ).length,
  handlers: [...document.querySelectorAll("*")].filter(element =>
    [...element.attributes].some(one => one.name.startsWith("on") || one.name === "style")).length,
  styles: document.styleSheets.length,
  rules: document.styleSheets[0].cssRules.length,
  links: [...document.querySelectorAll("[href]")].filter(
    link => !link.getAttribute("href").startsWith("data:text/csv;")).length,
  overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})
"""


def open_page(browser, path, *, width=1280):
    """Return an open page, and what it asked for, complained of and ran into."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    heard = []
    page.route("**/*", lambda route: (heard.append(route.request.url), route.continue_()))
    page.on("console", lambda message: heard.append(message.text))
    page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda fault: heard.append(str(fault)))
    page.goto(path.as_uri())
    return page, heard


@pytest.mark.parametrize("kind", RESULTS)
def test_nothing_runs_and_nothing_is_fetched(browser, kind, tmp_path):
    name = NAMES[(list(RESULTS).index(kind) * 2 + 1) % len(NAMES)]
    for shown, content in pages(kind, tmp_path, name=name):
        path = tmp_path / f"{shown}.html"
        is_whole = not shown.endswith("notebook")
        whole = content if is_whole else f"<!doctype html><meta charset=utf-8><body>{content}"
        path.write_text(whole, encoding="utf-8")
        page, heard = open_page(browser, path)
        found = page.evaluate(FOUND)
        assert heard == [path.as_uri()], shown
        assert found["title"] != "ran"
        assert (found["active"], found["handlers"], found["links"]) == (0, 0, 0), shown
        # The policy lets the page's own style sheet apply, and no other.
        assert found["styles"] == 1
        assert found["rules"] >= 1
        if is_whole:
            assert found["overflow"] <= 0, shown
        page.close()


def test_no_hostile_title_sentence_or_record_does_anything(browser, tmp_path):
    path = tmp_path / "page.html"
    for number, text in enumerate(TEXTS):
        language = Language("en" if number % 2 else "ja")
        title = language.text("Forecast: {name}", name=text)
        sources = [Source(text, column=text, sheet=text)]
        content = tables_page(title, [text], language, sources=sources, provenance={text: [text]})
        path.write_text(content, encoding="utf-8")
        page, heard = open_page(browser, path, width=390)
        found = page.evaluate(FOUND)
        assert heard == [path.as_uri()], ascii(text)[:100]
        assert (found["active"], found["handlers"], found["links"]) == (0, 0, 0)
        assert found["overflow"] <= 0
        page.close()


def test_a_style_that_got_in_would_not_apply(browser, tmp_path):
    content = tables_page("x", ["y"], Language("en"), sources=(), provenance={})
    added = (
        "<style>h1{color:rgb(1,2,3)}</style><h1 style='color:rgb(1,2,3)'>z</h1>"
        "<script>document.title='ran'</script><img src='https://evil.test/a.png'>"
    )
    path = tmp_path / "page.html"
    path.write_text(content.replace("</body>", f"{added}</body>"), encoding="utf-8")
    page, heard = open_page(browser, path)
    colours = "[...document.querySelectorAll('h1')].map(one => getComputedStyle(one).color)"
    assert set(page.evaluate(colours)) == {"rgb(36, 41, 47)"}
    assert page.title() == "x"
    assert [one for one in heard if one.startswith("http")] == []
    page.close()


def test_numbers_are_downloaded_under_the_policy(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        dict(pages("forecast-labels", tmp_path))["forecast-labels-en"], encoding="utf-8"
    )
    page, _ = open_page(browser, path)
    page.locator('details:has(a[download="by-class.csv"]) > summary').click()
    with page.expect_download() as waiting:
        page.locator("details[open] a[download]").click()
    download = waiting.value
    assert download.suggested_filename == "by-class.csv"
    with open(download.path(), encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[0] == "label"
    assert 10 < len({row[0] for row in rows}) <= len(ENCODABLE) + 5
    page.close()
