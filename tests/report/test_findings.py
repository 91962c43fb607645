import pytest

import hayflick as hf
from hayflick.core.source import Source
from hayflick.report.forecast import brief
from hayflick.report.forecast_findings import DiscreteFindings
from hayflick.report.language import Language

REGIMES = [None, hf.Fresh(share=0.5), hf.Anchor.from_mapping({"here": 1})]


def findings_of(words, lang="en", **settings):
    settings = {"generations": 10, "replicates": 0, **settings}
    return DiscreteFindings(hf.forecast(words, **settings), Language(lang))


def test_the_summary_says_the_figures(words):
    findings = findings_of(words)
    text = " ".join(findings.summary())
    result = findings.forecast
    for share in (result.kept, result.baseline, result.baseline - result.kept):
        assert Language("en").percent(share) in text
    assert "counts holds 100 symbols in all; different ones: 4." in text
    assert "exact law" in text
    assert "Collapse here means" in text


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("regime", REGIMES, ids=str)
@pytest.mark.parametrize("generations", [1, 30])
def test_every_case_is_said_without_a_hole(words, lang, regime, generations):
    settings = {"regime": regime} if regime else {}
    findings = findings_of(words, lang, generations=generations, **settings)
    sentences = [*findings.summary(), findings.verdict(), findings.action(), findings.limit()]
    for sentence in sentences:
        assert sentence
        assert "{" not in sentence
        assert "None" not in sentence
    text = spoken(findings, lang)
    assert text.count("<blockquote>") == 2
    assert "{" not in text
    assert "None" not in text


def spoken(findings, lang="en"):
    """Return what the brief says below its chart."""
    return brief(findings.forecast, lang=lang).partition("</svg>")[2]


def test_verdict_and_action_follow_the_limit(words):
    short, long = findings_of(words, generations=1), findings_of(words, generations=30)
    # Four symbols must all be kept, and one of them is seen once.
    assert short.verdict() == "Below the limit in 37% of runs, at some time up to round 1"
    sure = findings_of(words, generations=1, samples=2000)
    assert sure.verdict() == "Within the limit up to round 1, in at least 95% of runs"
    assert sure.action().startswith("Go on as planned")
    assert long.verdict() == f"On average below the limit from round {long.forecast.first_below}"
    assert "Keep a reserve" in long.action()
    held = findings_of(words, generations=300, samples=1000)
    assert "fresh real data into every round" in held.action()


def test_where_fresh_data_is_not_enough_a_reserve_is_proposed():
    # Training sets so small that most symbols are rarely drawn: half fresh data keeps 87 %
    # of what real data alone would keep, however long the run.
    tail = {f"word{number}": 1 for number in range(5000)}
    findings = findings_of(hf.Discrete.from_counts(tail), generations=100, samples=50)
    assert findings.forecast.smallest_holding_share is None
    assert "Keep a reserve" in findings.action()
    assert "set real examples of the rare ones aside" in spoken(findings)


@pytest.mark.parametrize(
    ("source", "noun"),
    [
        (Source("a.txt", tokenizer="words"), "words"),
        (Source("a.txt", tokenizer="japanese"), "words"),
        (Source("a.txt", tokenizer="characters:2"), "symbols"),
        (Source("a.txt", tokenizer="lines"), "labels"),
        (Source("a.csv", column="label"), "labels"),
        (Source("a.csv", column="text", tokenizer="words"), "words"),
        (Source("a.json"), "symbols"),
    ],
)
def test_symbols_are_called_what_they_are(words, source, noun):
    model = hf.Discrete.from_counts({"a": 2, "b": 1}, source=source)
    assert findings_of(model).nouns == noun


def test_the_branching_law_is_never_called_exact(words):
    method = findings_of(words, samples=5000).method()
    assert "branching law" in method
    assert "exact" not in method
