import re

import pytest

import hayflick as hf
from hayflick.core.source import Source
from hayflick.report import forecast as report
from hayflick.report.class_outlooks import at_risk, by_risk
from hayflick.report.forecast_findings import DiscreteFindings
from hayflick.report.language import Language

SOURCE = Source("labels.csv", column="rating")


def findings_of(counts, lang="en", **settings):
    model = hf.Discrete.from_counts(counts, source=SOURCE)
    return DiscreteFindings(hf.forecast(model, **settings), Language(lang))


@pytest.fixture(scope="module")
def ratings():
    return findings_of({"R": 3000, "PG-13": 1500, "PG": 400, "NC-17": 16}, generations=50)


def test_the_verdict_names_the_class_that_goes(ratings):
    assert ratings.verdict() == "A 54% chance that NC-17 is gone by round 50"
    assert ratings.others_at_risk() == ""
    assert "there is a 54% chance that NC-17 is gone" in ratings.said_of_classes()
    assert "4 of the 4 labels with at least 5 examples each" in ratings.limit()
    text = " ".join(ratings.summary())
    assert "fewer than 5 examples" in text
    assert "cover 0.2% of the rows" in text
    assert "lost 14%" not in report.brief(ratings.forecast)


def test_a_page_has_every_class(ratings):
    page = report.page(ratings.forecast)
    assert "Each class, round by round" in page
    rows = re.findall(r'<td class="name">([^<]*)</td>', page.partition("Every class")[2])
    assert rows[:4] == ["NC-17", "PG", "PG-13", "R"]


def test_other_classes_at_risk_are_named_beside_the_verdict():
    findings = findings_of({"a": 3000, "b": 40, "c": 35, "d": 12}, generations=30, confidence=0.95)
    assert "d is gone" in findings.verdict()
    assert findings.others_at_risk().startswith("At risk: c, b")


def test_several_classes_are_counted():
    counts = {f"l{number:02d}": 3 for number in range(20)}
    findings = findings_of({**counts, "often": 3000}, generations=50)
    assert findings.verdict() == "20 of 21 labels are more likely gone than left by round 50"
    assert "20 of 21 labels" in findings.said_of_classes()
    assert [one.count for one in by_risk(findings.forecast.classes)[:2]] == [3, 3]
    assert len(at_risk(findings.forecast.classes)) == 20


def test_classes_that_stay_are_said_to_stay():
    findings = findings_of({"yes": 5000, "no": 4000}, generations=10)
    assert findings.verdict() == "Within the limit up to round 10, in at least 95% of runs"
    assert findings.others_at_risk() == ""
    assert "still has enough examples" in findings.said_of_classes()
    assert "need not change the plan" in report.brief(findings.forecast)


@pytest.mark.parametrize("at_least", [1, 30])
def test_the_examples_that_a_class_needs_can_be_told(at_least):
    findings = findings_of({"a": 900, "b": 60}, generations=20, at_least=at_least)
    assert findings.forecast.at_least == at_least
    chances = {one.symbol: one.below_least for one in findings.forecast.classes}
    assert (chances["b"] > 0.15) == (at_least == 30)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tables_have_the_classes_most_at_risk(lang):
    counts = {f"l{number:02d}": 3 + number for number in range(20)}
    findings = findings_of(counts, lang, generations=5, replicates=0)
    shown = report.tables(findings.forecast, lang=lang)
    classes = [part for part in shown if not isinstance(part, str)][1]
    assert classes.row_count == 10
    assert "10" in str(classes.caption)
