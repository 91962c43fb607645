import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.display import report_of
from hayflick.monitor.pilot_variation import PilotData

TRIALS = {
    "one treatment": hf.PilotDesign(
        arms=("control", "treated"),
        rounds=12,
        answers=50,
        aim=hf.Aim(effect=0.2),
        variation=hf.Variation(sd=0.5, correlation=0.02, rounds=20),
        price=0.1,
    ),
    "three, one side": hf.PilotDesign(
        arms=("control", "<b>a</b>", "b", "c"),
        rounds=12,
        answers=None,
        aim=hf.Aim(effect=-0.2, scale="relative", sides=1, correction="bonferroni"),
        variation=hf.Variation(sd=0.1),
    ),
    "too small": hf.PilotDesign(
        arms=("control", "treated"),
        rounds=2,
        answers=None,
        aim=hf.Aim(effect=0.1),
        variation=hf.Variation(sd=1.0),
    ),
    "hopeless": hf.PilotDesign(
        arms=("control", "treated"),
        rounds=2,
        answers=1,
        aim=hf.Aim(effect=1e-9),
        variation=hf.Variation(sd=1.0),
    ),
}


def result_of(trial):
    """Return a result: nothing in one arm, ten per cent less in the next, and so on."""
    rng = np.random.default_rng(3)
    numbers = np.tile(np.arange(1, 9), len(trial.arms))
    arms = tuple(name for name in trial.arms for _ in range(8))
    shift = np.repeat(1.0 - 0.1 * np.arange(len(trial.arms)), 8)
    values = shift + rng.normal(0.0, 0.03, shift.size)
    return hf.analyse_pilot(PilotData("r.csv", values, numbers, arms, numbers), plan=trial)


def sentences(result):
    return " ".join(part for part in report_of(result).tables(result) if isinstance(part, str))


@pytest.mark.parametrize("name", TRIALS)
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_trial_is_told_drawn_and_recorded(name, lang, tmp_path):
    trial = TRIALS[name]
    result = result_of(trial)
    for shown in (trial, result):
        assert report_of(shown).tables(shown, lang=lang)
        json.dumps(shown.to_dict(), allow_nan=False)
        page = shown.save(tmp_path / "page.html", lang=lang, force=True).read_text("utf-8")
        assert "<b>a</b>" not in page
        assert "<h3>" in shown._repr_html_()
    assert page.count("<svg") == 1
    assert "None" not in page.split("<pre>")[0].split("<svg")[0]


def test_sentences_say_what_is_so():
    def told(name):
        return sentences(TRIALS[name])

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
    alike = hf.analyse_pilot(PilotData("r.csv", values, numbers, arms, numbers), plan=trial)
    assert "Successive rounds are alike (correlation" in sentences(alike)
    assert "Successive rounds" not in sentences(result_of(trial))


def test_the_record_holds_what_the_page_says():
    record = result_of(TRIALS["three, one side"]).to_dict()
    assert [one["outcome"] for one in record["comparisons"]] == ["no-go", "go", "go"]
    assert record["confidence"] == pytest.approx(1.0 - 2.0 * 0.05 / 3)
    assert record["provenance"]["parameters"]["plan"]["arms"][0] == "control"
