"""The detectable loss: at the stated loss, a chart alarms in about four of five streams."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.detection import power
from hayflick.detection.baseline import Baseline
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.power import detectable_losses
from hayflick.detection.rank import RankChart

RUNS = 300


def path(kind, rounds):
    return np.ones(rounds) if kind == "step" else np.arange(1, rounds + 1) / rounds


@pytest.mark.parametrize("baseline", [10, 30])
def test_the_loss_of_a_rank_chart_is_found_as_often_as_stated(baseline, rng):
    mean, deviation = 500.0, 8.0
    base = mean + deviation * rng.standard_normal(baseline)
    base = mean + deviation * (base - base.mean()) / base.std(ddof=1)
    start = [hf.Reading(t, {"words": x}) for t, x in enumerate(base, 1)]
    chart = RankChart(start, metric="words", false_alarms=0.001)
    stated = detectable_losses(chart, Baseline.of_values(start, metric="words"))
    checked = [one for one in stated if one.loss is not None]
    assert {one.kind for one in stated} == {"step", "steady"}
    assert len(checked) >= 3
    for one in checked:
        found = 0
        for _ in range(RUNS):
            noise = deviation * rng.standard_normal(baseline + one.rounds)
            series = mean + noise
            series[baseline:] -= mean * one.loss * path(one.kind, one.rounds)
            readings = [hf.Reading(t, {"words": x}) for t, x in enumerate(series, 1)]
            chart = RankChart(readings[:baseline], metric="words", false_alarms=0.001)
            found += any(chart.update(reading).alarm for reading in readings[baseline:])
        assert 0.7 <= found / RUNS <= 0.9


@pytest.mark.parametrize(("pairs", "baselines"), [(15, 40), (50, 30), (400, 15)])
def test_the_loss_of_a_pair_chart_is_found_as_often_as_stated(pairs, baselines, rng, monkeypatch):
    monkeypatch.setattr(power, "HORIZONS", (5, 10))
    # Over baselines: their means differ from the stream's.
    found, runs = {}, 10
    for _ in range(baselines):
        start = [hf.Reading(t, scores={"spread": rng.beta(6, 5, pairs)}) for t in range(1, 9)]
        chart = GuaranteedChart(start, false_alarms=0.0005)
        for one in detectable_losses(chart, Baseline.of_scores(start, metric="spread")):
            if one.loss is None:
                continue
            losses = one.loss * path(one.kind, one.rounds)
            for _ in range(runs):
                chart.restart()
                rounds = (rng.beta(6, 5, pairs) * (1.0 - loss) for loss in losses)
                alarm = any(
                    chart.update(hf.Reading(9 + t, scores={"spread": scores})).alarm
                    for t, scores in enumerate(rounds)
                )
                found.setdefault((one.kind, one.rounds), []).append(alarm)
    assert found
    for alarms in found.values():
        assert 0.65 <= np.mean(alarms) <= 0.92


def test_a_loss_within_the_tolerance_is_never_found():
    rng = np.random.default_rng(1)
    start = [hf.Reading(t, scores={"spread": rng.beta(6, 5, 50)}) for t in range(1, 9)]
    stated = detectable_losses(
        GuaranteedChart(start, tolerance=0.05), Baseline.of_scores(start, metric="spread")
    )
    assert all(one.answers is None for one in stated)


def test_more_answers_find_a_smaller_loss():
    rng = np.random.default_rng(2)
    start = [hf.Reading(t, scores={"spread": rng.beta(6, 5, 50)}) for t in range(1, 9)]
    chart = GuaranteedChart(start, tolerance=0.01)
    healthy = Baseline.of_scores(start, metric="spread")
    step = next(one for one in detectable_losses(chart, healthy) if one.rounds == 10)
    pairs = round(50 * step.answers)
    more = [hf.Reading(t, scores={"spread": rng.beta(6, 5, pairs)}) for t in range(1, 9)]
    chart = GuaranteedChart(more, tolerance=0.01)
    healthy = Baseline.of_scores(more, metric="spread")
    step = next(one for one in detectable_losses(chart, healthy) if one.rounds == 10)
    assert step.loss == pytest.approx(0.05, rel=0.15)
