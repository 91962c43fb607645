"""The rank chart: exact bets, the promised rate, when it alarms and when the alarm is cleared."""

import itertools
import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.detection.parsing import parse_chart, restore
from hayflick.detection.rank import EXPONENTS, RankChart, log_bets


def readings(series, first=1):
    return [hf.Reading(first + place, {"words": float(x)}) for place, x in enumerate(series)]


def evidence_by_hand(series, *, baseline, form="sum"):
    """Return the statistic after every reading, computed as section 8 of the theory states it."""
    mean, grown = [], dict.fromkeys(EXPONENTS, 1.0 if form == "product" else 0.0)
    for t in range(baseline, len(series)):
        earlier, x = series[:t], series[t]
        j, q = sum(y < x for y in earlier), sum(y == x for y in earlier)
        for exponent in EXPONENTS:
            high, low = ((j + 1 + q) / (t + 1)) ** exponent, (j / (t + 1)) ** exponent
            bet = (t + 1) * (high - low) / (1 + q)
            grown[exponent] = (grown[exponent] + (form == "sum")) * bet
        mean.append(sum(grown.values()) / len(grown))
    return mean


@pytest.mark.parametrize("form", ["sum", "product"])
def test_the_statistic_is_that_of_the_formula(form, rng):
    series = rng.integers(0, 6, 40).astype(float)
    chart = RankChart(readings(series[:10]), metric="words", false_alarms=1e-9, form=form)
    found = [chart.update(one).statistic for one in readings(series[10:], first=11)]
    assert found == pytest.approx(evidence_by_hand(series.tolist(), baseline=10, form=form))


@pytest.mark.parametrize("values", [(1, 2, 3, 4), (1, 1, 2, 2), (5, 5, 5, 5), (1, 2, 2, 3)])
def test_a_bet_has_mean_one_over_all_orders(values):
    bets = []
    for order in itertools.permutations(values):
        *earlier, x = order
        below, equal = sum(y < x for y in earlier), sum(y == x for y in earlier)
        bets.append(np.exp(log_bets(np.array(below), np.array(equal), earlier=len(earlier))))
    assert np.mean(bets, axis=0) == pytest.approx(1.0)


def first_alarms(streams, *, alpha, form, baseline=10):
    for series in streams:
        chart = RankChart(
            readings(series[:baseline]), metric="words", false_alarms=alpha, form=form
        )
        verdicts = map(chart.update, readings(series[baseline:], first=baseline + 1))
        yield next((one.round - baseline for one in verdicts if one.alarm), None)


def test_false_alarms_are_as_rare_as_promised(rng):
    streams = rng.standard_t(2, (400, 60))
    alarms = list(first_alarms(streams, alpha=0.02, form="product"))
    assert sum(one is not None for one in alarms) <= 17  # 8 expected at most; 99.9 % below this
    alarms = list(first_alarms(streams, alpha=0.002, form="sum"))
    assert sum(one is not None for one in alarms) <= 58  # at most .002 · 50 of 400 expected


def test_a_steady_fall_is_found_about_as_fast_as_theory_says(rng):
    slopes = -0.2 * np.arange(60) * (np.arange(60) >= 0)
    streams = rng.standard_normal((100, 70)) + np.concatenate([np.zeros(10), slopes])
    found = list(first_alarms(streams, alpha=0.001, form="sum"))
    assert 13 <= np.median(found) <= 17


def test_a_rise_is_no_alarm_unless_it_is_harmful(rng):
    series = np.concatenate([rng.standard_normal(10), rng.standard_normal(40) + np.arange(40)])
    assert list(first_alarms([series], alpha=0.01, form="sum")) == [None]
    chart = parse_chart("rank:direction=rises").start(readings(series[:10]), metric="words")
    assert any(chart.update(one).alarm for one in readings(series[10:], first=11))


def test_an_alarm_stands_until_the_median_of_ten_readings_is_back():
    base = [100.0 + t % 5 for t in range(10)]
    fall, low, back = [99.0 - t for t in range(20)], [50.0] * 15, [102.0] * 30
    chart = RankChart(readings(base), metric="words", false_alarms=0.01)
    verdicts = [chart.update(one) for one in readings([*fall, *low, *back], first=11)]
    alarmed = [one.round for one in verdicts if one.alarm]
    assert alarmed == list(range(alarmed[0], alarmed[-1] + 1))
    # Back from round 46 on: six of ten readings are back in round 51.
    assert alarmed[-1] == 50
    assert {one.since for one in verdicts if one.alarm} == {11}


def test_readings_of_a_standing_alarm_stay_out_of_the_reference():
    base = [100.0 + t % 5 for t in range(10)]
    chart = RankChart(readings(base), metric="words", false_alarms=0.01)
    for one in readings([*range(99, 60, -1)], first=11):
        chart.update(one)
    assert len(chart.state()["memory"]["reference"]) < 10 + 12


def test_a_standing_alarm_is_stored():
    base = [100.0 + t % 5 for t in range(10)]
    chart = RankChart(readings(base), metric="words", false_alarms=0.01)
    later = readings([*range(99, 80, -1), *[102.0] * 20], first=11)
    for one in later:
        other = restore(json.loads(json.dumps(chart.state())))
        assert other.update(one) == chart.update(one)


def test_a_short_baseline_is_refused():
    with pytest.raises(DataError, match="4 readings of words, takes at least 5"):
        RankChart(readings([1.0, 2.0, 3.0, 4.0]), metric="words")
