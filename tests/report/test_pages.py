import base64
import io
import re
from html.parser import HTMLParser

import polars as pl
import pytest

import hayflick as hf
from hayflick.core.source import Source
from hayflick.report import forecast as report
from hayflick.report.forecast_findings import DiscreteFindings
from hayflick.report.language import Language
from hayflick.report.rendering import csv_link, html_table

HOSTILE = '<script>alert("x")</script>{{ 7 * 7 }}'


class Checker(HTMLParser):
    """Collects tags, and everything that would make a browser fetch something."""

    VOID = frozenset({"meta", "link", "img", "br", "hr", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and not value.startswith(("data:", "#")):
                self.fetched.append(value)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert checker.fetched == []
    assert "script" not in checker.tags
    assert not re.search(r"url\((?!#|['\"]?data:)", page)
    assert "@import" not in page
    return checker


def charts_of(forecast, language):
    return report.forecast_charts(DiscreteFindings(forecast, language))


@pytest.fixture(scope="module")
def labels():
    counts = {"返品・交換": 40, "長い" * 200: 9, HOSTILE: 3, "ภาษาไทย": 2, "a & b": 1}
    source = Source(f"ラベル{HOSTILE}.csv", column="分類")
    model = hf.Discrete.from_counts(counts, source=source)
    return hf.forecast(model, generations=20, replicates=40)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("page_of", [report.page, report.brief], ids=["page", "brief"])
def test_a_page_is_whole_and_needs_no_network(labels, lang, page_of):
    page = page_of(labels, lang=lang)
    checker = checked(page)
    assert "svg" in checker.tags
    assert f'<html lang="{lang}">' in page
    assert "{nouns}" not in page


def test_names_from_the_data_stay_text(labels):
    page = report.page(labels)
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page


def test_every_chart_has_its_numbers(labels):
    page = report.page(labels)
    links = re.findall(r'href="data:text/csv;charset=utf-8;base64,([^"]+)"', page)
    charts = charts_of(labels, Language("en"))
    assert len(links) == len(charts) == 4
    for link, chart in zip(links, charts, strict=True):
        text = base64.b64decode(link).decode("utf-8")
        assert text.startswith("\ufeff")
        numbers = pl.read_csv(io.StringIO(text[1:]))
        assert numbers.columns == chart.numbers.columns
        assert numbers.height == chart.numbers.height


def test_charts_speak_the_readers_language(labels):
    english, japanese = (charts_of(labels, Language(code)) for code in ("en", "ja"))
    for first, second in zip(english, japanese, strict=True):
        assert first.name == second.name
        assert first.title != second.title
        assert first.numbers.equals(second.numbers)
    assert "十分な例があるラベルの割合" in japanese[1].svg


def test_charts_draw_labels_as_text(labels):
    by_class = charts_of(labels, Language("ja"))[0]
    assert by_class.name == "by-class"
    assert "返品・交換" in by_class.svg
    assert HOSTILE not in by_class.svg
    assert "…" in by_class.svg


def test_the_law_is_drawn_as_computed(labels):
    numbers = charts_of(labels, Language("en"))[1].numbers
    assert numbers["law"].to_list() == labels.kept_fraction.tolist()
    assert numbers["simulated_mean"].to_list() == labels.simulated_band()["mean"].tolist()


def test_survival_by_count_is_drawn_as_computed(words):
    result = hf.forecast(words, generations=20, replicates=0)
    numbers = charts_of(result, Language("en"))[1].numbers
    by_count = result.by_count
    for row, count in enumerate(by_count.counts.tolist()):
        drawn = numbers.filter(pl.col("count") == count).sort("generation")
        assert drawn["survival"].to_list() == by_count.survival[row].tolist()
        assert drawn["real_data_alone"].to_list() == [by_count.baseline[row]] * 21


def test_classes_are_drawn_with_their_own_chances(labels):
    numbers = charts_of(labels, Language("en"))[0].numbers
    last = numbers.filter(pl.col("generation") == 20)
    assert last["count"].to_list() == [1, 2, 3, 9, 40]
    assert last["examples"].to_list() == [1, 2, 3, 5, 5]
    chances = {one.count: 1 - one.below_least for one in labels.classes}
    assert last["enough"].to_list() == pytest.approx([chances[count] for count in last["count"]])


def test_more_labels_than_have_a_line_each_are_drawn_with_their_own_survival():
    counts = {f"label {number}": number for number in range(1, 206)}
    model = hf.Discrete.from_counts(counts, source=Source("labels.csv", column="label"))
    result = hf.forecast(model, generations=3, replicates=0)
    assert result.classes == ()
    charts = {chart.name: chart.numbers for chart in charts_of(result, Language("en"))}
    numbers = charts["by-label"]
    assert numbers["count"].to_list() == list(range(1, 26))
    for label, survival in zip(numbers["label"], numbers["survival"], strict=True):
        assert survival == pytest.approx(result.law.of_symbols([label])[0, -1])


def test_every_class_has_a_line_of_the_page_and_of_the_json(labels):
    page, record = report.page(labels), labels.to_dict()
    assert page.count('<td class="name">') >= 5
    assert [one["count"] for one in record["classes"]] == [40, 9, 3, 2, 1]
    rarest = record["classes"][-1]
    assert rarest["at_least"] == 1
    assert rarest["chance_gone"] == rarest["chance_below_at_least"] > 0.5
    assert record["mass_lost"][0] == 0.0
    assert record["runs_within_limit"]["law"] in ("poisson-binomial", "simulated", "bound")


def test_the_real_data_are_scaled_to_a_training_set():
    model = hf.Discrete.from_counts({"a": 60, "b": 30, "c": 10})
    result = hf.forecast(model, generations=2, samples=1000, replicates=32)
    charts = {chart.name: chart for chart in charts_of(result, Language("en"))}
    numbers = charts["rank-frequency"].numbers
    assert numbers["before"].to_list() == [600.0, 300.0, 100.0]
    median = result.simulated["count_by_rank"].median("replicate")
    assert numbers["after"].to_list() == median.to_numpy().tolist()


def test_a_forecast_without_simulation_has_its_pages_too(words):
    result = hf.forecast(words, generations=3, replicates=0)
    assert [chart.name for chart in charts_of(result, Language("en"))] == [
        "surviving",
        "by-count",
        "fresh-shares",
    ]
    checked(report.page(result))
    checked(report.brief(result))


def test_many_generations_are_thinned_out_on_the_page_alone(words):
    result = hf.forecast(words, generations=1000, replicates=0)
    page = report.page(result)
    assert page.count("<tr>") < 900
    assert charts_of(result, Language("en"))[0].numbers.height == 1001


def test_a_notebook_shows_charts_and_escapes_names(labels):
    fragment = labels._repr_html_()
    assert fragment.count("<svg") == 4
    assert HOSTILE not in fragment


def test_tables_escape_and_show_what_is_undefined():
    numbers = pl.DataFrame({"label": ["<b>"], "x": [float("nan")], "n": [1.23456789]})
    table = html_table(numbers, {"label": "Label", "x": "<i>", "n": "n"})
    assert "<b>" not in table
    assert "<i>" not in table
    assert ">Label<" in table
    assert "–" in table
    assert "1.23457" in table


def test_csv_links_hold_any_script():
    link = csv_link(pl.DataFrame({"名前": ["雨,雪"]}))
    text = base64.b64decode(link.partition(",")[2]).decode("utf-8-sig")
    assert text == '名前\n"雨,雪"\n'
