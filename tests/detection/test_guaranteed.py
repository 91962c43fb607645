import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.detection.guaranteed import FRACTIONS, lower_bound


def readings(*rounds, first=1):
    return [
        hf.Reading(t, scores={"spread": np.asarray(one, dtype=float)})
        for t, one in enumerate(rounds, first)
    ]


def drawn(number, *, mean=0.6, pairs=60, seed=1, first=1):
    rng = np.random.default_rng(seed)
    return readings(*rng.beta(20 * mean, 20 * (1 - mean), (number, pairs)), first=first)


@pytest.mark.parametrize("form", ["sum", "product"])
def test_the_statistic_is_the_formula(form):
    theta = 0.5
    chart = hf.GuaranteedChart.at(theta, form=form)
    bets = FRACTIONS / (1.0 - theta)
    wealth = np.full(bets.size, 0.0 if form == "sum" else 1.0)
    for reading in drawn(6, mean=0.48):
        growth = np.array([np.prod(1.0 + bet * (theta - reading.scores["spread"])) for bet in bets])
        wealth = (wealth + 1.0 if form == "sum" else wealth) * growth
        verdict = chart.update(reading)
        assert verdict.statistic == pytest.approx(wealth.mean(), rel=1e-10)
        assert verdict.evidence == verdict.statistic
        assert verdict.value == pytest.approx(reading.scores["spread"].mean())


def test_since_is_the_start_that_speaks_most_against_health():
    theta, rounds = 0.5, drawn(8, mean=0.55, pairs=20) + drawn(4, mean=0.4, pairs=20, first=9)
    chart = hf.GuaranteedChart.at(theta)
    verdicts = [chart.update(one) for one in rounds]
    bets = FRACTIONS / (1.0 - theta)
    growth = np.array(
        [[np.log1p(b * (theta - one.scores["spread"])).sum() for b in bets] for one in rounds]
    )
    for verdict in verdicts:
        if verdict.alarm:
            sums = [growth[start : verdict.round].sum(axis=0).max() for start in range(12)]
            assert verdict.since == 1 + int(np.argmax(sums))
    assert verdicts[-1].since == 9


def test_the_threshold_is_the_bound_less_the_tolerance():
    baseline = drawn(20)
    scores = np.concatenate([one.scores["spread"] for one in baseline])
    for tolerance in (0.0, 0.05, 0.3):
        chart = hf.GuaranteedChart(baseline, tolerance=tolerance, false_alarms=0.01)
        bound = lower_bound(scores, error=0.005)
        assert chart.threshold == pytest.approx((1.0 - tolerance) * bound)
    wider = hf.GuaranteedChart(baseline, tolerance=0.0, false_alarms=0.01, baseline_error=0.001)
    assert wider.threshold == pytest.approx(lower_bound(scores, error=0.001))


def test_the_baseline_error_is_part_of_the_stated_rate():
    baseline = drawn(20)
    product = hf.GuaranteedChart(baseline, false_alarms=0.01, form="product")
    assert product.limit == pytest.approx(1.0 / 0.005)
    spent = hf.GuaranteedChart(baseline, false_alarms=0.01, form="product", baseline_error=0.002)
    assert spent.limit == pytest.approx(1.0 / 0.008)
    assert hf.GuaranteedChart(baseline, false_alarms=0.01).limit == pytest.approx(100.0 / 0.995)
    assert hf.GuaranteedChart.at(0.5, false_alarms=0.01).limit == 100.0


def test_a_rise_is_a_fall_of_the_mirror_image():
    baseline, after = drawn(20), drawn(5, mean=0.7, seed=2)

    def mirrored(rounds):
        return readings(*(1.0 - one.scores["spread"] for one in rounds))

    rises = hf.GuaranteedChart(baseline, direction="rises")
    falls = hf.GuaranteedChart(mirrored(baseline))
    assert rises.threshold == pytest.approx(1.0 - falls.threshold)
    for one, other in zip(after, mirrored(after), strict=True):
        a, b = rises.update(one), falls.update(other)
        assert a.statistic == pytest.approx(b.statistic, rel=1e-9)
    assert a.alarm
    assert hf.GuaranteedChart.at(0.7, direction="rises").threshold == pytest.approx(0.7)


def test_pairs_within_a_round_have_no_order():
    chart, other = hf.GuaranteedChart.at(0.6), hf.GuaranteedChart.at(0.6)
    for one in drawn(3):
        scores = np.sort(one.scores["spread"])
        sorted_one = hf.Reading(one.round, scores={"spread": scores})
        expected = chart.update(one).statistic
        assert other.update(sorted_one).statistic == pytest.approx(expected, rel=1e-10)


def test_thousands_of_pairs_neither_overflow_nor_vanish():
    chart = hf.GuaranteedChart.at(0.6)
    collapsed, healthy = readings(np.zeros(20_000), np.full(20_000, 0.9))
    for _ in range(20):
        verdict = chart.update(collapsed)
    assert verdict.alarm
    assert np.isfinite(verdict.statistic)
    chart.restart()
    for _ in range(20):
        assert chart.update(healthy).statistic < 1e-6
    assert chart.update(collapsed).alarm


def test_the_sum_form_finds_a_late_change_as_fast_as_an_early_one():
    late = drawn(200) + drawn(3, mean=0.5, first=201, seed=3)
    found = {}
    for form in ("sum", "product"):
        chart = hf.GuaranteedChart.at(0.57, form=form)
        found[form] = [one.round for one in late if chart.update(one).alarm]
    assert found["sum"][0] <= 202
    assert found["product"] == []


def test_a_short_baseline_says_how_many_readings_it_takes():
    with pytest.raises(DataError, match=r"2 readings with 6 scores .* takes about \d+ such") as few:
        hf.GuaranteedChart(drawn(2, pairs=3))
    needed = int(str(few.value).partition("takes about ")[2].split()[0])
    hf.GuaranteedChart(drawn(2, pairs=3) * ((needed + 1) // 2))


def test_a_baseline_without_scores_or_without_diversity_is_refused():
    with pytest.raises(DataError, match="no reading has scores of spread"):
        hf.GuaranteedChart([hf.Reading(1, {"spread": 0.5})])
    with pytest.raises(DataError, match="nothing can be lost"):
        hf.GuaranteedChart(readings(*np.zeros((20, 30))))


def test_a_dependent_baseline_gives_a_warning():
    effects = np.repeat([0.5, 0.6, 0.7], 7)
    rng = np.random.default_rng(4)
    baseline = readings(*(effects[:, None] + rng.uniform(-0.05, 0.05, (21, 30))))
    warnings = hf.GuaranteedChart(baseline).warnings
    assert any("follow one another" in one for one in warnings)
    assert "scores of one round are alike" in warnings[-1]
    assert hf.GuaranteedChart(drawn(20)).warnings == ()


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, np.nan])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ArgumentError, match="threshold: got"):
        hf.GuaranteedChart.at(threshold)
