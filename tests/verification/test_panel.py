"""A short form of benchmarks/panel.py: the default panel keeps its one rate, with fixed seeds."""

import numpy as np
import pytest
from scipy.stats import binomtest

import hayflick as hf
from hayflick.monitor import charting
from hayflick.monitor.chart_requests import panel_requests
from hayflick.monitor.panel import ChartPanel, panel_charts

STREAMS, BASELINE, JUDGED, PAIRS = 40, 10, 20, 12
PANELS = {"sum": ChartPanel(0.04, "sum"), "product": ChartPanel(0.1, "product")}


def healthy_readings(seed, group):
    """Return independent rounds with the numbers of the panel, and scores of pairs."""
    rng = np.random.default_rng((seed, len(group)))
    readings = []
    for number in range(1, BASELINE + JUDGED + 1):
        scores = {"spread": rng.beta(9, 4, PAIRS), "between_prompts": rng.beta(6, 3, PAIRS)}
        values = {name: float(one.mean()) for name, one in scores.items()}
        values["effective_words"] = 300.0 + 10.0 * rng.normal()
        values["effective_answers"] = 12.0 + rng.exponential()
        readings.append(hf.Reading(number, values, scores, group))
    return readings


def first_alarm(readings, panel):
    """Return the judged round of the first alarm of any chart; infinity for none."""
    charts = panel_charts(has_vectors=True, has_text=True, has_prompts=True, values=())
    histories, missing = charting.run_charts(
        readings,
        panel_requests(charts, values=()),
        baseline=BASELINE,
        scaling=charting.scaling_rounds(BASELINE),
        panel=panel,
    )
    assert not missing
    rounds = [chart.first_alarm.round for chart in histories if chart.first_alarm is not None]
    return min(rounds, default=np.inf) - BASELINE


@pytest.fixture(scope="module")
def first_alarms():
    with pytest.MonkeyPatch.context() as patch:
        # What the charts can find is tested elsewhere, and takes long.
        patch.setattr(charting, "detectable_losses", lambda *_: ())
        streams = [
            {group: healthy_readings(seed, group) for group in ("", "model")}
            for seed in range(STREAMS)
        ]
        return {
            form: np.array([first_alarm(readings, panel) for readings in streams])
            for form, panel in PANELS.items()
        }


@pytest.mark.parametrize("rounds", [5, 10, 20])
def test_the_sum_form_alarms_within_t_rounds_in_a_share_of_at_most_alpha_t(first_alarms, rounds):
    alarms = int((first_alarms["sum"] <= rounds).sum())
    most = PANELS["sum"].alpha * rounds
    assert binomtest(alarms, STREAMS, most, alternative="greater").pvalue > 0.01


def test_the_product_form_ever_alarms_in_at_most_the_stated_share(first_alarms):
    alarms = int((first_alarms["product"] <= JUDGED).sum())
    assert binomtest(alarms, STREAMS, 0.1, alternative="greater").pvalue > 0.01


def test_a_loss_in_one_group_alarms_the_panel():
    readings = {group: healthy_readings(1, group) for group in ("", "model")}
    for reading in readings["model"][BASELINE:]:
        reading.scores["spread"] = reading.scores["spread"] / 3.0
    assert first_alarm(readings, PANELS["product"]) <= 5
