"""One contract over every mergeable summary, and over the names of what they measure."""

import importlib
import inspect
import pkgutil
from itertools import permutations

import numpy as np
import pytest

import hayflick.diversity
from hayflick.core.errors import ArgumentError
from hayflick.diversity.drift import drift
from hayflick.diversity.groups import Groups
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.metrics import METRICS, Unit, metric_named
from hayflick.diversity.phrases import PhraseCounts
from hayflick.diversity.scatter import Scatter
from hayflick.diversity.spectrum import SecondMoments

RNG = np.random.default_rng(20261125)
VECTORS = RNG.normal(size=(90, 6)) + 10
AGENTS = RNG.choice(["a", "b", "c"], size=90)
TEXTS = np.array([" ".join(RNG.choice(list("abcdefgh"), size=9)) for _ in range(90)])


def by_agent(places):
    found = sorted(set(AGENTS[places]))
    return Groups.of({agent: VECTORS[places][AGENTS[places] == agent] for agent in found})


# The summary of some of the answers, and of none.
SUMMARIES = {
    "Scatter": (lambda places: Scatter.of(VECTORS[places]), Scatter.empty(6)),
    "Scatter of directions": (lambda p: Scatter.of_directions(VECTORS[p]), Scatter.empty(6)),
    "Moments": (lambda places: SecondMoments.of(VECTORS[places]), SecondMoments.empty(6)),
    "Moments of directions": (
        lambda p: SecondMoments.of_directions(VECTORS[p]),
        SecondMoments.empty(6),
    ),
    "Groups": (by_agent, Groups.empty()),
    "NgramCounts": (lambda places: NgramCounts.of(TEXTS[places].tolist()), NgramCounts.empty()),
    "PhraseCounts": (lambda places: PhraseCounts.of(TEXTS[places].tolist()), PhraseCounts.empty()),
}
PARTS = np.split(np.arange(90), [4, 50])
NEEDS_A_PAIR = {"Scatter", "Scatter of directions", "Moments", "Moments of directions"}


def content(summary):
    """Return all that a summary holds, as numbers by name."""
    if isinstance(summary, Groups):
        kept = {name: content(scatter) for name, scatter in summary.scatters.items()}
        return {
            f"{name} {key}": value for name, held in kept.items() for key, value in held.items()
        }
    if isinstance(summary, NgramCounts):
        tables = [dict(table.iter_rows()) for table in summary.tables]
        return {"texts": summary.texts} | {k: v for table in tables for k, v in table.items()}
    if isinstance(summary, PhraseCounts):
        return {"texts": summary.texts} | dict(summary.table.iter_rows())
    spread = summary.m2 if isinstance(summary, Scatter) else summary.matrix
    return {"count": summary.count, "mean": summary.mean, "spread": spread, "unit": summary.unit}


def assert_same(one, other):
    ours, theirs = content(one), content(other)
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        scale = np.abs(theirs[name]).max() if np.size(value) > 1 else 0.0
        np.testing.assert_allclose(value, theirs[name], rtol=1e-12, atol=1e-12 * scale)
    if hasattr(one, "numbers"):
        numbers = other.numbers()
        assert one.numbers() == pytest.approx(numbers, rel=1e-10)


def test_every_mergeable_summary_has_an_example_here():
    found = set()
    for module in pkgutil.iter_modules(hayflick.diversity.__path__, "hayflick.diversity."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and hasattr(kind, "merge"):
                found.add(name)
    assert found == {name.partition(" ")[0] for name in SUMMARIES}


@pytest.mark.parametrize("name", SUMMARIES)
def test_merging_in_any_order_and_grouping_is_the_summary_of_all(name):
    make, _ = SUMMARIES[name]
    whole = make(np.arange(90))
    for a, b, c in permutations(make(places) for places in PARTS):
        assert_same(a.merge(b).merge(c), whole)
        assert_same(a.merge(b.merge(c)), whole)


@pytest.mark.parametrize("name", SUMMARIES)
def test_nothing_is_neutral(name):
    make, empty = SUMMARIES[name]
    whole = make(np.arange(90))
    assert_same(whole.merge(empty), whole)
    assert_same(empty.merge(whole), whole)
    assert_same(empty.merge(empty), empty)
    if hasattr(empty, "numbers"):
        assert empty.numbers() == {}


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_order_of_answers_does_not_count(name):
    make, _ = SUMMARIES[name]
    assert_same(make(np.arange(90)[::-1]), make(np.arange(90)))


@pytest.mark.parametrize("name", sorted(NEEDS_A_PAIR))
def test_one_answer_gives_no_reading_where_a_pair_is_needed(name):
    make, _ = SUMMARIES[name]
    assert make(np.array([3])).numbers() == {}
    assert make(np.array([3, 4])).numbers()


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_is_frozen(name):
    make, _ = SUMMARIES[name]
    summary = make(np.arange(5))
    with pytest.raises(AttributeError):
        summary.count = 7


def test_what_is_measured_has_a_name():
    measured = {
        metric: value
        for name, (make, _) in SUMMARIES.items()
        if name != "PhraseCounts"
        for metric, value in make(np.arange(90)).numbers().items()
    }
    measured |= drift(VECTORS[:40], baseline=VECTORS[40:], rng=RNG).numbers()
    for name, value in measured.items():
        metric = metric_named(name)
        assert np.isfinite(value)
        if metric.unit is Unit.SHARE:
            assert 0.0 <= value <= 1.0


def test_names_are_words_and_meanings_short():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert all(0 < len(metric.meaning) <= 60 for metric in METRICS)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("vendi", "vendi_1"), ("distinct", "distinct_1"), ("retensoin", "retention")],
)
def test_the_nearest_names_are_offered(wrong, near):
    with pytest.raises(ArgumentError, match=rf"metric: got {wrong}, .*did you mean .*{near}"):
        metric_named(wrong)


def test_a_name_like_none_gets_the_list_alone():
    with pytest.raises(ArgumentError, match=r"takes one of spread, [^?]*$"):
        metric_named("xyzzy")
