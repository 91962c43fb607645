"""Every page as a reader sees it: whole, readable, on any screen, without a network."""

import functools
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest

from hayflick.auditing.audit import audit
from hayflick.chains.discrete import Discrete
from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.monitor.watch import watch
from hayflick.network.experiment import Experiment
from hayflick.network.run import run_network
from hayflick.network.trace import trace
from hayflick.planning.forecast import forecast
from hayflick.report import forecast as report
from hayflick.report.audit import page as audit_page
from hayflick.report.network import page as network_page
from hayflick.report.sweep import page as sweep_page
from hayflick.report.trace import page as trace_page
from hayflick.report.watch import page as watch_page
from hayflick.sweeps.run import sweep

LONG = "とても長い名前のラベル：お客様相談窓口に寄せられたご意見・ご要望の分類（重複を含む）" * 4
UNBROKEN = "a" * 400


def labels():
    counts = {"返品・交換": 900, LONG: 90, UNBROKEN: 30, "ภาษาไทย": 12, "العربية": 3, "a & <b>": 1}
    source = Source(f"{LONG}.csv", column="分類")
    return forecast(Discrete.from_counts(counts, source=source), replicates=32)


def words():
    counts = {f"word{rank}": 1 + 5000 // rank for rank in range(1, 4000)}
    source = Source("corpus.txt", tokenizer="words")
    model = Discrete.from_counts(counts, source=source)
    return forecast(model, generations=400, replicates=32)


def stream():
    """Answers of a group with a hostile name, in rounds with long names, that become the same."""
    rng = np.random.default_rng(1)
    rounds = np.repeat(np.arange(1, 26), 40)
    said = [f"{UNBROKEN} {LONG} <b>{rng.integers(1000)}</b>" for _ in rounds]
    texts = [text if number < 20 else "同じ答え" for number, text in zip(rounds, said, strict=True)]
    columns = {"row": np.arange(rounds.size), "round": rounds, "text": texts}
    frame = pl.DataFrame(columns).with_columns(group=pl.lit(f"<script>{LONG}"))
    names = tuple(f"{LONG} {number}" for number in range(1, 26))
    return watch(Answers(f"{UNBROKEN}.jsonl", names, frame))


def network(folder):
    """Agents with hostile names, which keep answering one another."""
    texts = [f"{LONG} {UNBROKEN} <b>{word}</b> & more." for word in ("rain", "snow", "wind")]
    names = (f"<script>{UNBROKEN[:60]}", LONG[:80], "bert")
    agents = [{"name": name, "kind": "ngram", "texts": texts} for name in names]
    values = {"format_version": 1, "rounds": 14, "answers": 4, "query": f"<i>{LONG}{UNBROKEN}"}
    values["embedder"] = "hashing:dimensions=64"
    experiment = Experiment.of({**values, "pool": {"texts": texts}, "agents": agents})
    # The browser keeps an event loop in this thread, and a run takes its own.
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(run_network, experiment, out=folder / "run").result()


def tree(folder):
    """A phrase that agents with hostile names copy from one another, and write on their own."""
    run = network(folder)
    return trace(run, f"{UNBROKEN} <b>rain</b>")


def study():
    """Cells of several settings, of which one is a long name, over shares and sizes."""
    zipf = {
        "family": ["zipf:60", "zipf:60,exponent=1.25,offset=2.5"],
        "estimator": ["ml", "add:0.5"],
    }
    axes = {"samples": [50, 200, 80_000], "share": [0.0, 0.005, 0.1, 0.5]}
    return sweep({"format_version": 1, "generations": 12, "keep": 0.8, **zipf, **axes})


def data_set():
    """Items of classes and languages with long names, of which many are near copies."""
    texts = [f"{UNBROKEN[:number]} {LONG} <b>{number % 7}</b>" for number in range(1, 60)]
    copies = [f"{LONG} & {LONG} {number % 3}" for number in range(41)]
    names = [f"{LONG} {number}" for number in range(30)]
    labels = {"class": (names * 4)[:100], "language": [UNBROKEN, "العربية", "ภาษาไทย", ""] * 25}
    return audit(
        {"text": [*texts, *copies], **labels},
        text="text",
        label="class",
        language="language",
        holdout=copies[:2],
        max_duplicates=0.1,
        max_cluster=3,
        min_effective=0.01,
    )


CASES = {
    f"{kind.__name__}-{page.__name__}-{lang}": (kind, page, lang)
    for kind in (labels, words)
    for page in (report.page, report.brief)
    for lang in ("en", "ja")
} | {
    f"{kind.__name__}-{lang}": (kind, page, lang)
    for kind, page in (
        (stream, watch_page),
        (network, network_page),
        (tree, trace_page),
        (study, sweep_page),
        (data_set, audit_page),
    )
    for lang in ("en", "ja")
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a function that makes each kind of result once."""

    @functools.cache
    def made(kind):
        needs_folder = kind in (network, tree)
        return kind(tmp_path_factory.mktemp(kind.__name__)) if needs_folder else kind()

    return made


@pytest.fixture(scope="module", params=CASES)
def page_file(request, results, tmp_path_factory):
    kind, page, lang = CASES[request.param]
    path = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    path.write_text(page(results(kind), lang=lang), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [390, 1000])
def test_a_page_fits_the_screen_and_fetches_nothing(browser, page_file, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests, complaints = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(page_file.as_uri())
    assert requests == [page_file.as_uri()]
    assert complaints == []
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(overflow) <= 0
    page.close()


def violations(page, **options):
    """Return what axe finds wrong: the rule, and the first elements that break it."""
    sync = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = sync.Axe().run(page, options=options or None).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found]


# Figures on the cells of a heat map are on the map's colours, not on the page's.
FAINT = """
() => {
  const colour = text => (text.match(/[\\d.]+/g) || []).slice(0, 3).map(Number);
  const light = text => colour(text).map(one => one / 255)
    .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const paper = light(getComputedStyle(document.documentElement).backgroundColor);
  return [...document.querySelectorAll("svg text")]
    .filter(text => text.getClientRects().length)
    .filter(text => !["white", "black"].includes(text.getAttribute("fill")))
    .map(text => [text.textContent, light(getComputedStyle(text).fill)])
    .filter(([, ink]) => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05) < 4.5)
    .map(([text]) => text);
}
"""


def test_a_page_can_be_used_by_everyone_in_the_light_and_in_the_dark(browser, page_file):
    # On a telephone in Japanese, on a desk in English: a page has the same elements in both.
    width = 390 if page_file.stem.endswith("-ja") else 1280
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_file.as_uri())
    assert violations(page) == []
    assert page.evaluate(FAINT) == []
    page.emulate_media(color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(ground) == "rgb(18, 22, 27)"
    assert violations(page, runOnly=["color-contrast"]) == []
    assert page.evaluate(FAINT) == []
    page.emulate_media(color_scheme="dark", media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.close()


# Text of a chart that reaches out of its picture is cut off.
CUT_OFF = """
() => [...document.querySelectorAll("svg")].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter(text => text.textContent.trim()).filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2;
  }).map(text => text.textContent);
})
"""


def test_no_text_of_a_chart_is_cut_off(browser, page_file):
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.goto(page_file.as_uri())
    assert page.evaluate("document.querySelectorAll('svg').length") >= 1
    assert page.evaluate(CUT_OFF) == []
    page.close()


@pytest.fixture(scope="module")
def network_file(results, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "network.html"
    path.write_text(network_page(results(network)), encoding="utf-8")
    return path


def map_of(page):
    """Return the figure of the map, beside others that have a slider."""
    return page.locator("figure").filter(has=page.get_by_text("Round 14 of 14", exact=True))


@pytest.mark.parametrize("width", [390, 1000])
def test_the_slider_of_a_map_shows_the_round_that_is_chosen(browser, network_file, width):
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page.goto(network_file.as_uri())
    figure = map_of(page)
    shown = figure.locator(".step:visible")
    assert shown.locator("b").all_inner_texts() == ["Round 14 of 14"]
    bar = figure.locator(".steps input")
    bar.nth(4).click()
    assert shown.locator("b").all_inner_texts() == ["Round 5 of 14"]
    page.keyboard.press("ArrowRight")
    assert shown.locator("b").all_inner_texts() == ["Round 6 of 14"]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert shown.locator("b").all_inner_texts() == ["Round 4 of 14"]
    shown.locator("label").last.click()
    assert shown.locator("b").all_inner_texts() == ["Round 5 of 14"]
    assert shown.locator("svg").count() == 1
    assert page.get_by_role("radio", name="Round 5 of 14", exact=True).is_checked()
    page.close()


def test_paper_shows_the_map_as_panels(browser, network_file):
    page = browser.new_page()
    page.goto(network_file.as_uri())
    figure = map_of(page)
    slider, panels = figure.locator(".slider"), figure.locator(".paper svg")
    assert (slider.is_visible(), panels.is_visible()) == (True, False)
    page.emulate_media(media="print")
    assert (slider.is_visible(), panels.is_visible()) == (False, True)
    page.close()


def test_a_brief_is_one_sheet_of_a4(browser, page_file):
    if "brief" not in page_file.name:
        pytest.skip("a report may have many sheets")
    page = browser.new_page()
    page.goto(page_file.as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    # A4 in points.
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed).groups())
    assert (width, height) == pytest.approx((595, 842), abs=2)
    page.close()


HOSTS = {
    "jupyter": ('<body data-jp-theme-light="{}" style="color:{};background:{}">', "false", "true"),
    "vscode": ('<body class="vscode-{}" style="color:{};background:{}">', "dark", "light"),
    "furo": ('<body data-theme="{}" style="color:{};background:{}">', "dark", "light"),
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("system", ["light", "dark"])
def test_a_fragment_follows_its_notebook_whatever_the_system_prefers(
    browser, results, host, system
):
    body, dark, light = HOSTS[host]
    page = browser.new_page(color_scheme=system)
    fragment = results(labels)._repr_html_()
    label = page.locator(".hayflick svg text").first
    line = page.locator('.hayflick svg [stroke="#4c8a2f"]').first
    for name, ink, paper, seen in (
        (dark, "rgb(220, 220, 220)", "rgb(17, 17, 17)", "rgb(122, 199, 106)"),
        (light, "rgb(20, 20, 20)", "rgb(255, 255, 255)", "rgb(76, 138, 47)"),
    ):
        page.set_content(f"<!doctype html>{body.format(name, ink, paper)}{fragment}")
        shown = "one => getComputedStyle(one).{}"
        assert line.evaluate(shown.format("stroke")) == seen
        dark_ink = "rgb(230, 237, 243)" if name == dark else "rgb(36, 41, 47)"
        assert label.evaluate(shown.format("fill")) == dark_ink
        ground = page.locator('.hayflick svg rect[fill="white"]').first
        assert ground.evaluate(shown.format("fill")) == "none"
    page.close()
