import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.detection.classical import ReferenceLevel
from hayflick.detection.limits import Recursion, adjusted_limit

KINDS = (hf.ShewhartChart, hf.EwmaChart, hf.CusumChart)
# Mean 10, standard deviation 2.
VALUES = 10.0 + 2.0 * np.tile([-1.0, 1.0], 50) * np.sqrt(99 / 100)


def readings(values, *, first=1):
    return [hf.Reading(t, {"diversity": float(value)}) for t, value in enumerate(values, first)]


def chart_of(kind, **settings):
    return kind(readings(VALUES), metric="diversity", **settings)


def statistics(chart, values):
    return [chart.update(one).statistic for one in readings(values)]


def test_the_reference_is_the_baseline():
    reference = chart_of(hf.ShewhartChart).reference
    assert (reference.mean, reference.readings) == (pytest.approx(10.0), 100)
    assert reference.deviation == pytest.approx(2.0)


def test_shewhart_by_hand():
    assert statistics(chart_of(hf.ShewhartChart), [10.0, 14.0, 7.0]) == pytest.approx(
        [0.0, 2.0, 1.5]
    )
    falls = chart_of(hf.ShewhartChart, direction="falls")
    assert statistics(falls, [10.0, 14.0, 7.0]) == pytest.approx([0.0, 0.0, 1.5])


def test_ewma_by_hand():
    chart = chart_of(hf.EwmaChart, weight=0.2)
    means = [0.2 * 2.0, 0.8 * 0.4 - 0.2 * 3.0]
    expected = np.abs(means) / np.sqrt(0.2 / 1.8)
    assert statistics(chart, [14.0, 4.0]) == pytest.approx(expected)
    # In one direction it starts again from the mean.
    falls = chart_of(hf.EwmaChart, weight=0.2, direction="falls")
    assert statistics(falls, [14.0, 4.0]) == pytest.approx([0.0, 0.6 / np.sqrt(0.2 / 1.8)])


def test_cusum_by_hand():
    up_and_down = [(1.5, 0.0), (0.5, 0.5), (0.0, 2.0), (0.0, 1.0)]
    expected = [max(both) for both in up_and_down]
    assert statistics(chart_of(hf.CusumChart), [14.0, 8.0, 6.0, 11.0]) == pytest.approx(expected)
    assert statistics(chart_of(hf.CusumChart, shift=2.0), [14.0, 14.0]) == pytest.approx([1.0, 2.0])


def test_the_limit_is_the_adjusted_one():
    expected = adjusted_limit(
        Recursion(1.0, 1.0, 0.5), direction="both", run_length=500.0, readings=100, confidence=0.95
    )
    assert chart_of(hf.CusumChart).limit == expected


def test_since_is_where_the_statistic_left_its_origin():
    swings, falls = [10.5, 9.5, 10.5], [6.0] * 12
    for kind, origin in ((hf.CusumChart, 4), (hf.EwmaChart, 4)):
        chart = chart_of(kind)
        last = [chart.update(one) for one in readings(swings + falls)][-1]
        assert (last.alarm, last.since) == (True, origin)
    shewhart = chart_of(hf.ShewhartChart)
    verdicts = [shewhart.update(one) for one in readings([0.0, 9.0, 0.0, 0.0])]
    assert [verdict.since for verdict in verdicts] == [1, None, 3, 3]


def test_an_adaptive_reference_takes_up_quiet_readings_alone():
    frozen = chart_of(hf.ShewhartChart)
    adaptive = chart_of(hf.ShewhartChart, reference="adaptive")
    for chart in (frozen, adaptive):
        statistics(chart, [12.0, 100.0])
    assert frozen.reference == chart_of(hf.ShewhartChart).reference
    assert adaptive.reference == chart_of(hf.ShewhartChart).reference.with_reading(12.0)


def test_a_reading_enters_the_reference_with_its_weight():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    start = ReferenceLevel(float(values.mean()), float(values.std()), 4)
    moved = start.with_reading(7.0)
    together = np.append(values, 7.0)
    assert moved.mean == pytest.approx(together.mean())
    assert moved.deviation == pytest.approx(together.std())


def test_a_frozen_reference_finds_slow_drift_that_an_adaptive_one_follows():
    rng = np.random.default_rng(1)
    drift = rng.normal(10.0, 2.0, 400) - 0.01 * np.arange(400)
    found = {}
    for reference in ("frozen", "adaptive"):
        chart = chart_of(hf.CusumChart, reference=reference, direction="falls")
        found[reference] = [chart.update(one).alarm for one in readings(drift)]
    assert found["frozen"].index(True) < [*found["adaptive"], True].index(True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_baseline_says_how_many_readings_it_takes(kind):
    for values in ([], [1.0], VALUES[:4]):
        with pytest.raises(
            DataError, match=rf"{len(values)} readings .* takes at least \d+"
        ) as few:
            kind(readings(values), metric="diversity")
    needed = int(str(few.value).partition("at least ")[2].split()[0])
    kind(readings(VALUES[:needed]), metric="diversity")
    with pytest.raises(DataError, match="takes at least"):
        kind(readings(VALUES[: needed - 1]), metric="diversity")


def test_a_baseline_that_does_not_vary_is_refused():
    # The standard deviation of the second is above 0 by rounding.
    for value in (3.0, 0.1):
        with pytest.raises(DataError, match="takes readings that differ"):
            hf.ShewhartChart(readings([value] * 50), metric="diversity")


def test_readings_that_are_not_normal_or_not_independent_give_a_warning():
    rng = np.random.default_rng(2)
    skewed = hf.ShewhartChart(readings(rng.exponential(size=200)), metric="diversity")
    assert ["not normal" in one for one in skewed.warnings] == [True]
    walk = hf.ShewhartChart(readings(np.sin(np.arange(60) / 10.0)), metric="diversity")
    assert any("follow one another" in one for one in walk.warnings)
    normal = hf.ShewhartChart(readings(rng.normal(size=200)), metric="diversity")
    assert normal.warnings == ()
