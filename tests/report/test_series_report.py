"""Sentences, tables, record and pages of forecasts of numbers and running text."""

import base64
import dataclasses
import io
import json
import re

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.printing import print_tables
from hayflick.core.source import Source
from hayflick.corpus.sentences import split_sentences
from hayflick.report import series as report
from hayflick.report.language import Language
from hayflick.report.series_findings import series_findings

HOSTILE = "<script>x</script>.csv"
TEXT = hf.NGram(split_sentences("The cat sat. A dog ran! It saw the odd one? " * 4), order=2)
PLANE = hf.MultivariateGaussian(np.zeros(3), np.eye(3), total=30)
CASES = {
    "gaussian": (hf.Gaussian(70.0, 12.0, total=40), {}),
    "short": (hf.Gaussian(70.0, 12.0, total=40), {"generations": 2}),
    "law-alone": (hf.Gaussian(70.0, 12.0), {"samples": 10, "replicates": 0}),
    "fresh": (hf.Gaussian(70.0, 12.0, total=40), {"regime": hf.Fresh(share=0.1)}),
    "vectors": (PLANE, {}),
    "singular": (PLANE, {"samples": 3}),
    "poisson": (hf.Poisson(0.2, total=30), {}),
    "hopeless": (hf.Poisson(0.01), {"samples": 2}),
    "negative-binomial": (hf.NegativeBinomial(2.0, 1.0, total=40), {}),
    "ngram": (TEXT, {}),
}


@pytest.fixture(scope="module", params=CASES)
def result(request):
    source = Source(HOSTILE, column="weight")
    return dataclasses.replace(of(request.param), source=source)


@pytest.fixture
def findings(result):
    return series_findings(result, Language("en"))


def of(name, **settings):
    model, given = CASES[name]
    return hf.forecast(model, **{"generations": 20, "replicates": 32, **given, **settings})


def said(result, lang="en"):
    return series_findings(result, Language(lang))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_case_is_said_without_a_hole(result, lang):
    findings = said(result, lang)
    sentences = [
        *findings.summary(),
        findings.verdict(),
        findings.action(),
        findings.limit(),
        findings.figure(),
        findings.axis(),
    ]
    for sentence in sentences:
        assert sentence
        assert not re.search(r"[{}]|None|\bnan\b", sentence)


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("page_of", [report.page, report.brief], ids=["page", "brief"])
def test_pages_are_whole_and_escape_names(result, page_of, lang):
    page = page_of(result, lang=lang)
    assert page.rstrip().endswith("</html>")
    assert f'<html lang="{lang}">' in page
    assert "<svg" in page
    assert "<script>" not in page
    assert not re.search(
        r"[{}]|None|\bnan\b",
        re.sub(
            r"<svg.*?</svg>|<style>.*?</style>|<pre>.*?</pre>|<details>.*?</details>",
            "",
            page,
            flags=re.DOTALL,
        ),
    )


def test_every_chart_has_its_numbers(result, findings):
    charts = report.series_charts(findings)
    links = re.findall(r'charset=utf-8;base64,([^"]+)"', report.page(result))
    assert len(links) == len(charts) == len(result.series) + 1
    for link, chart in zip(links, charts, strict=True):
        text = base64.b64decode(link).decode("utf-8-sig")
        assert pl.read_csv(io.StringIO(text)).columns == chart.numbers.columns


def test_charts_are_drawn_as_computed():
    result = of("gaussian")
    numbers = report.series_charts(said(result))[0].numbers
    assert numbers["law"].to_list() == result.main.law.middle.tolist()
    assert numbers["law_low"].to_list() == result.main.law.low.tolist()
    assert numbers["simulated_high"].to_list() == result.main.simulated.high.tolist()
    assert set(numbers["real_data_alone"]) == {result.baseline}


def test_the_record_survives_json(result):
    record = result.to_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["format_version"] == 1
    assert len(record["left"]) == len(record["generations"]) == result.generations + 1
    assert record["fresh_shares"][0]["share"] == 0.0
    assert record["first_below_limit"] == result.first_below
    assert record["input"] == HOSTILE


def test_the_record_says_which_law_it_is():
    laws = {name: of(name).to_dict() for name in ("gaussian", "fresh", "poisson", "ngram")}
    assert {name: record["law"] for name, record in laws.items()} == {
        "gaussian": "exact",
        "fresh": "moments",
        "poisson": "exact",
        "ngram": "simulation",
    }
    compared = {name: record["fresh_shares_law"] for name, record in laws.items()}
    assert compared["poisson"] == "exact"
    assert {compared[name] for name in ("gaussian", "fresh", "ngram")} == {"simulation"}


@pytest.mark.parametrize("name", ["fresh", "ngram"])
def test_what_is_simulated_is_never_called_exact(name):
    method = said(of(name)).method()
    assert method.startswith("No law gives these figures")
    assert "exact law" not in method


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tables_fit_a_terminal(result, lang, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    print_tables(report.tables(result, lang=lang))
    out = capsys.readouterr().out
    assert Language(lang).percent(result.kept) in out
    assert "nan" not in out


def test_verdict_and_action_follow_the_limit():
    long, short = said(of("gaussian", generations=200)), said(of("short"))
    assert short.verdict() == "Within the limit up to round 2 in 100% of 256 simulated runs"
    assert short.action().startswith("Go on as planned")
    assert long.verdict() == f"Below the limit from round {long.forecast.first_below}"
    assert "fresh real data into every round" in long.action()
    assert "shrink towards their middle" in report.brief(long.forecast)


def test_runs_that_are_below_are_said_though_the_median_is_not():
    model = hf.Gaussian(70.0, 12.0, total=40)
    findings = said(hf.forecast(model, generations=30))
    assert findings.verdict().startswith("Below the limit in ")
    assert findings.verdict().endswith(" of runs, at some time up to round 30")
    assert "smallest whose median run" in findings.action()
    alone = said(hf.forecast(model, generations=30, replicates=0))
    assert alone.verdict() == "The median run is within the limit up to round 30"
    record = findings.forecast.to_dict()
    assert record["within_limit"] is False
    found = findings.forecast.assurance
    assert record["runs_within_limit"] == findings.forecast.runs_within == found.confidence
    assert record["runs_within_limit_runs"] == found.runs
    assert record["runs_within_limit_error"] == found.standard_error > 0.0
    assert f"{found.runs:,} simulated runs stay within the limit" in findings.method()


def test_few_runs_of_a_text_are_an_estimate():
    findings = said(hf.forecast(TEXT, generations=2, replicates=16, confidence=0.01))
    assert "Estimated from 16 runs, " in findings.method()
    assert "in an estimated " in findings.verdict()


def test_too_few_items_have_a_name_and_a_remedy():
    findings = said(of("singular"))
    assert findings.verdict() == "The rank collapses to 2 at once"
    assert findings.action() == "Train on more than 3 items in every round, or on fewer columns."


def test_a_notebook_shows_it(result):
    fragment = result._repr_html_()
    assert fragment.count("<svg") == len(result.series) + 1
    assert "<script>" not in fragment
