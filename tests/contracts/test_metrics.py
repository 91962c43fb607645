"""One contract over every mergeable summary, and over the names of what they measure."""

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from itertools import permutations

import numpy as np
import polars as pl
import pytest

import hayflick as hf
import hayflick.diversity
from hayflick.core.errors import ArgumentError
from hayflick.diversity.drift import drift
from hayflick.diversity.groups import Groups
from hayflick.diversity.metrics import METRICS, MetricSource, Summary, Unit, measured, metric_named

RNG = np.random.default_rng(20261125)
VECTORS = RNG.normal(size=(90, 6)) + 10
AGENTS = RNG.choice(["a", "b", "c"], size=90)
TEXTS = [" ".join(RNG.choice(list("abcdefgh"), size=9)) for _ in range(90)]


def texts(places):
    return [TEXTS[place] for place in places]


def vectors(places):
    return VECTORS[places]


def by_agent(places):
    found = sorted(set(AGENTS[places]))
    return Groups.of({agent: VECTORS[places][AGENTS[places] == agent] for agent in found})


def kinds_of_summary():
    for module in pkgutil.iter_modules(hayflick.diversity.__path__, "hayflick.diversity."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if kind.__module__ == module.name and kind is not Summary and hasattr(kind, "merge"):
                yield kind


def summaries():
    """Return by name what makes the summary of some of the answers, and that of none.

    The first parameter of `of` says what a summary is made from: texts or vectors.
    """
    found = {"Groups": (by_agent, Groups.empty())}
    for kind in kinds_of_summary():
        if kind is Groups:
            continue
        answers = {"texts": texts, "vectors": vectors}[
            next(iter(inspect.signature(kind.of).parameters))
        ]
        needs_size = "dimension" in inspect.signature(kind.empty).parameters
        empty = kind.empty(6) if needs_size else kind.empty()
        found[kind.__name__] = (lambda p, k=kind, a=answers: k.of(a(p)), empty)
        if hasattr(kind, "of_directions"):
            made = lambda p, k=kind: k.of_directions(vectors(p))  # noqa: E731
            found[f"{kind.__name__} of directions"] = (made, empty)
    return found


SUMMARIES = summaries()
PARTS = np.split(np.arange(90), [4, 50])
NEEDS_A_PAIR = [name for name in SUMMARIES if name.startswith(("Scatter", "SecondMoments"))]


def content(value, name=""):
    """Yield all numbers and texts that a summary holds, by name."""
    if isinstance(value, pl.DataFrame):
        value = dict(value.iter_rows())
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from content(part, f"{name} {key}")
    else:
        yield name, value


def assert_same(one, other):
    ours, theirs = dict(content(one)), dict(content(other))
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        if value is None or isinstance(value, str):
            assert value == theirs[name]
            continue
        scale = np.abs(theirs[name]).max() if np.size(value) > 1 else 0.0
        np.testing.assert_allclose(value, theirs[name], rtol=1e-12, atol=1e-12 * scale)
    assert one.numbers() == pytest.approx(other.numbers(), rel=1e-10)


def test_every_summary_derives_from_the_contract():
    kinds = list(kinds_of_summary())
    assert {hf.Scatter, hf.NgramCounts} < set(kinds)
    assert all(Summary in kind.__mro__ for kind in kinds)


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
    assert empty.numbers() == {}


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_order_of_answers_does_not_count(name):
    make, _ = SUMMARIES[name]
    assert_same(make(np.arange(90)[::-1]), make(np.arange(90)))


@pytest.mark.parametrize("name", NEEDS_A_PAIR)
def test_one_answer_gives_no_reading_where_a_pair_is_needed(name):
    make, _ = SUMMARIES[name]
    assert make(np.array([3])).numbers() == {}
    assert make(np.array([3, 4])).numbers()


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_summary_is_frozen(name):
    make, _ = SUMMARIES[name]
    summary = make(np.arange(5))
    with pytest.raises(AttributeError):
        setattr(summary, dataclasses.fields(summary)[0].name, 7)


def test_what_is_measured_has_a_name():
    found = {
        metric: value
        for make, _ in SUMMARIES.values()
        for metric, value in make(np.arange(90)).numbers().items()
    }
    found |= drift(VECTORS[:40], baseline=VECTORS[40:], rng=RNG).numbers()
    found |= measured(TEXTS, on=MetricSource.TEXTS) | measured(VECTORS, on=MetricSource.VECTORS)
    for name, value in found.items():
        metric = metric_named(name)
        assert np.isfinite(value)
        if metric.unit is Unit.SHARE:
            assert 0.0 <= value <= 1.0


def test_a_function_of_no_answers_measures_nothing():
    assert measured([], on=MetricSource.TEXTS) == {}
    assert measured(np.empty((0, 6)), on=MetricSource.VECTORS) == {}


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
