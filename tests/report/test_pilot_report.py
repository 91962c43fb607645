import json

import numpy as np
import pytest

from hayflick.monitor.pilot_analysis import analyse_pilot
from hayflick.monitor.pilot_design import Aim, PilotDesign
from hayflick.monitor.pilot_variation import Readings, Variation
from hayflick.report.language import Language
from hayflick.report.pilot_findings import DesignFindings, ResultFindings
from hayflick.report.pilot_page import pilot_html, pilot_page
from hayflick.report.pilot_record import design_record, result_record
from hayflick.report.pilot_table import design_tables, result_tables

TRIALS = {
    "one treatment": PilotDesign(
        arms=("control", "treated"),
        rounds=12,
        answers=50,
        aim=Aim(effect=0.2),
        variation=Variation(sd=0.5, correlation=0.02, rounds=20),
        price=0.1,
    ),
    "three, one side": PilotDesign(
        arms=("control", "<b>a</b>", "b", "c"),
        rounds=12,
        answers=None,
        aim=Aim(effect=-0.2, scale="relative", sides=1, correction="bonferroni"),
        variation=Variation(sd=0.1),
    ),
    "too small": PilotDesign(
        arms=("control", "treated"),
        rounds=2,
        answers=None,
        aim=Aim(effect=0.1),
        variation=Variation(sd=1.0),
    ),
    "hopeless": PilotDesign(
        arms=("control", "treated"),
        rounds=2,
        answers=1,
        aim=Aim(effect=1e-9),
        variation=Variation(sd=1.0),
    ),
}


def result_of(trial):
    """Return a result: nothing in one arm, ten per cent less in the next, and so on."""
    rng = np.random.default_rng(3)
    numbers = np.tile(np.arange(1, 9), len(trial.arms))
    arms = tuple(name for name in trial.arms for _ in range(8))
    shift = np.repeat(1.0 - 0.1 * np.arange(len(trial.arms)), 8)
    values = shift + rng.normal(0.0, 0.03, shift.size)
    return analyse_pilot(Readings("r.csv", values, numbers, arms, numbers), trial=trial)


@pytest.mark.parametrize("name", TRIALS)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_trial_is_told_drawn_and_recorded(name, lang):
    trial = TRIALS[name]
    assert design_tables(trial, lang=lang)
    json.dumps(design_record(trial), allow_nan=False)
    result = result_of(trial)
    assert result_tables(result, lang=lang)
    json.dumps(result_record(result), allow_nan=False)
    page = pilot_page(result, lang=lang)
    assert page.count("<svg") == 1
    assert "None" not in page.split("<pre>")[0].split("<svg")[0]
    assert "<b>a</b>" not in page
    assert "<h3>" in pilot_html(result)


def test_sentences_say_what_is_so():
    def told(name):
        return " ".join(DesignFindings(TRIALS[name], Language("en")).summary())

    assert "estimated from 20 rounds of readings" in told("one treatment")
    assert "in both directions; false alarms 5.0%." in told("one treatment")
    assert "in one direction" in told("three, one side")
    assert "all 3 treatments together (Bonferroni)" in told("three, one side")
    assert "rounds would be enough" in told("too small")
    assert "no number of rounds helps" in told("hopeless")


def test_rounds_that_follow_on_one_another_are_noticed():
    trial = TRIALS["one treatment"]
    numbers, arms = np.tile(np.arange(12), 2), ("control",) * 12 + ("treated",) * 12
    values = np.sin(numbers / 2.0) + np.repeat([0.0, 0.2], 12)
    alike = analyse_pilot(Readings("r.csv", values, numbers, arms, numbers), trial=trial)
    assert "Successive rounds are alike (correlation" in " ".join(
        ResultFindings(alike, Language("en")).summary()
    )
    assert ResultFindings(result_of(trial), Language("en")).alike() == ""


def test_the_record_holds_what_the_page_says():
    record = result_record(result_of(TRIALS["three, one side"]))
    assert [one["outcome"] for one in record["comparisons"]] == ["no-go", "go", "go"]
    assert record["confidence"] == pytest.approx(1.0 - 2.0 * 0.05 / 3)
    assert record["provenance"]["parameters"]["plan"]["arms"][0] == "control"
