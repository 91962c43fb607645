"""Whatever users name things, every page is whole, runs nothing, loads nothing and stays short."""

import base64
import csv
import hashlib
import io
import re
from html.parser import HTMLParser

import polars as pl
import pytest
from hostile import ENCODABLE, NAMES, RESULTS, TEXTS, pages

import hayflick as hf
from hayflick.cli.main import main
from hayflick.cli.printing import print_tables
from hayflick.core.display import report_of
from hayflick.core.notes import Note
from hayflick.core.source import Source
from hayflick.core.spreadsheets import is_formula
from hayflick.report import drawing, simulation
from hayflick.report.language import Language
from hayflick.report.rendering import csv_link, file_name, notebook, tables_page

FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
ELEMENTS = {
    "small",
    "br",
    *("html", "head", "meta", "title", "style", "body", "main", "header", "section", "footer"),
    *("h1", "h2", "h3", "h4", "p", "ul", "li", "b", "i"),
    *("dl", "dt", "dd", "code", "blockquote", "figure", "figcaption", "fieldset", "legend"),
    *("div", "span", "input", "label", "details", "summary", "a", "pre", "table"),
    *("thead", "tbody", "tr", "th", "td", "svg", "g", "path", "rect"),
    *("circle", "line", "text", "title", "defs", "clippath", "lineargradient", "stop", "tspan"),
}


class Reader(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.texts, self.inside = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]
        self.inside.append(tag)

    def handle_data(self, data):
        self.texts.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:80]}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data[:80]}")


def check(page, *, whole=True):
    page.encode()
    assert not FORBIDDEN.search(page)
    assert "x" * 3000 not in page
    assert "長" * 3000 not in page
    found = Reader(page)
    assert set(found.elements) <= ELEMENTS
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), (tag, name, value)
        assert name not in ("style", "src", "srcdoc", "action", "formaction", "background")
        assert name not in ("href", "xlink:href") or value.startswith("data:text/csv;"), value[:80]
    for text in found.texts:
        depth = 0
        for sign in text:
            depth += (sign in "\u2066\u2067\u2068") - (sign == "\u2069")
            assert depth >= 0
        assert depth == 0, text[:200]
    assert found.elements.count("style") == 1
    if whole:
        (policy,) = [value for _, _, value in found.attributes if "default-src" in value]
        style = re.search("<style>(.*?)</style>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:" in policy
        kinds = [value for _, name, value in found.attributes if name == "http-equiv"]
        assert kinds == ["Content-Security-Policy"]
        assert page.index("Content-Security-Policy") < page.index("<style>")
    return found


def cells(page):
    """Return all cells of the CSV links of a page."""
    links = re.findall('href="data:text/csv;charset=utf-8;base64,([^"]*)"', page)
    read = [csv.reader(io.StringIO(base64.b64decode(link).decode("utf-8-sig"))) for link in links]
    return [cell for rows in read for row in rows for cell in row]


def is_run(cell):
    """Return whether a spreadsheet program would run a cell; an apostrophe guards it."""
    return not cell.startswith("'") and is_formula(cell)


@pytest.mark.parametrize("kind", RESULTS)
def test_every_page_of_every_result_is_whole(kind, tmp_path):
    name = NAMES[list(RESULTS).index(kind) * 2 % len(NAMES)]
    for shown, page in pages(kind, tmp_path, name=name):
        check(page, whole=not shown.endswith("notebook"))
        assert not [cell for cell in cells(page) if is_run(cell)]


@pytest.mark.parametrize("kind", ["planned-rules", "rules-check", "review-sample", "probe"])
def test_the_name_of_an_input_may_be_anything(kind, tmp_path):
    # Rules of a plan take half a second each: they show the name in the same way as the others.
    for name in NAMES[::12] if kind == "planned-rules" else NAMES:
        for shown, page in pages(kind, tmp_path, name=name):
            check(page, whole=not shown.endswith("notebook"))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_titles_sentences_and_records_may_be_anything(lang):
    language = Language(lang)
    for text in TEXTS:
        title = language.text("Forecast: {name}", name=text)
        sources = [Source(text, column=text, sheet=text, notes=(Note("{x}, {y}", x=text, y=1),))]
        record = {text: [text, {text: text}]}
        parts = [text, title]
        check(tables_page(title, parts, language, sources=sources, provenance=record))
        check(notebook(text, parts, sources=sources), whole=False)


def test_simulations_name_anything():
    for name in TEXTS[::4]:
        model = hf.Discrete.from_counts({"a": 3, "b": 1}, source=Source(name))
        runs = hf.simulate(model, generations=1, replicates=2, samples=4)
        check(simulation.page(runs))


def test_a_chart_may_show_any_text_and_tells_all_apart():
    import altair as alt

    numbers = pl.DataFrame({"label": ENCODABLE, "value": range(len(ENCODABLE))})
    domain = list(ENCODABLE)
    colour = alt.Color(
        "label:N", scale=alt.Scale(domain=domain), legend=alt.Legend(labelLimit=0, symbolLimit=0)
    )
    x = alt.X("value:Q", axis=drawing.named_rounds_axis(ENCODABLE), title=TEXTS[22])
    y = alt.Y("label:N", sort=domain, axis=alt.Axis(labelLimit=0))
    svg = drawing.to_svg(alt.Chart(numbers).mark_bar().encode(x=x, y=y, color=colour))
    assert not FORBIDDEN.search(svg)
    assert "style=" not in svg
    shown = re.findall("<text[^>]*>(.*?)</text>", svg.rpartition("role-legend-entry")[2])
    assert len(set(shown)) == len(shown) >= len(ENCODABLE)
    assert max(map(len, shown)) < 400
    assert drawing.to_png(svg).startswith(b"\x89PNG")


def test_names_of_vega_are_only_names():
    import altair as alt

    words = [
        "bar",
        " bar",
        "point",
        "nominal",
        "label:N",
        "value",
        "datum.value",
        "top",
        "null",
        'font-family="sans-serif"',
        "1e3",
    ]
    numbers = pl.DataFrame({"series": words, "value": range(len(words))})
    colour = drawing.colour_legend(dict.fromkeys(words, "#123456"))
    chart = alt.Chart(numbers).mark_bar().encode(x="value:Q", y="series:N", color=colour)
    svg = drawing.to_svg(chart)
    texts = re.findall("<text[^>]*>(.*?)</text>", svg)
    assert {*words, "(2)  bar"} - {" bar"} <= set(texts)
    labels = re.findall("<text[^>]*>", svg)
    assert all(f'font-family="{drawing.FONT}"' in label for label in labels)


@pytest.mark.parametrize("text", TEXTS)
def test_braces_and_percent_signs_are_text(text):
    for lang in ("en", "ja"):
        language = Language(lang)
        assert language.text(text) == text or text == "all answers"
        language.text("{name}: {facts}.", name=text, facts=[text, text])
        language.text("Forecast: {name}", name=text)


def test_a_csv_link_holds_no_formula_and_numbers_as_they_are():
    numbers = pl.DataFrame(
        {"label": [*ENCODABLE, "-5", "07"], "value": [-0.5] * (len(ENCODABLE) + 2)}
    )
    text = base64.b64decode(csv_link(numbers).partition(",")[2]).decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["label", "value"]
    assert {value for _, value in rows} == {"-0.5"}
    assert not [label for label, _ in rows if is_run(label)]
    assert [label for label, _ in rows[-2:]] == ["-5", "07"]
    assert max(len(label) for label, _ in rows) <= 2001
    assert "'\uff1d1+1" in {label for label, _ in rows}


def test_file_names_are_names_of_one_file():
    for text in TEXTS:
        assert re.fullmatch(r"[\w-]{1,60}", file_name(text)), text


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_formulas_of_a_stream_are_guarded_in_its_page(lang, cases, tmp_path):
    source, out = cases / "attack" / "formulas.jsonl", tmp_path / "w.html"
    given = ["--by", "r", "--text", "a", "--group", "g", "--baseline", "50", "--lang"]
    code = main(["watch", str(source), *given, lang, "--out", str(out)])
    assert code in (0, 1)
    page = out.read_text(encoding="utf-8")
    check(page)
    found = cells(page)
    assert len(found) > 50
    assert not [cell for cell in found if is_run(cell)]


@pytest.mark.parametrize("name", ["attack/control-character.csv", "u2028.csv"])
def test_labels_that_aborted_the_renderer_have_their_page(name, cases, tmp_path, capfd):
    out = tmp_path / "f.html"
    given = ["--column", "label", "--replicates", "0", "--out", str(out), "--brief"]
    assert main(["forecast", str(cases / name), *given, str(tmp_path / "b.html")]) == 0
    check(out.read_text(encoding="utf-8"))
    assert not FORBIDDEN.search(capfd.readouterr().out)


@pytest.mark.parametrize(
    "label", ["a\x1b[31mb", "a\u2028b", "a\x01b", "a\ufffeb", "\u202eb", "\ufdd0", "x" * 1_000_000]
)
def test_labels_of_any_signs_have_their_page(label, tmp_path, capfd):
    source = tmp_path / "l.csv"
    source.write_text("label\n" + f'"{label}"\n' * 3 + "b\nb\n", encoding="utf-8")
    out = tmp_path / "f.html"
    given = ["--column", "label", "--replicates", "0", "--out", str(out)]
    assert main(["forecast", str(source), *given]) == 0
    check(out.read_text(encoding="utf-8"))
    shown = capfd.readouterr().out
    assert not FORBIDDEN.search(shown)
    assert len(shown) < 20_000


def test_labels_are_not_read_as_markup_or_emoji(capfd):
    model = hf.Discrete.from_counts({":smile:": 2, "[bold]x[/bold]": 3}, source=Source("[i]n.csv"))
    forecast = hf.forecast(model, generations=2, replicates=0)
    print_tables(report_of(forecast).tables(forecast, lang="en"))
    shown = capfd.readouterr().out
    for name in (":smile:", "[bold]x[/bold]", "[i]n.csv"):
        assert name in shown
