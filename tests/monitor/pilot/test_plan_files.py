import json

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.monitor.pilot_design import plan_fields

TRIAL = hf.PilotDesign(
    arms=("対照", "0.05", "0.2"),
    rounds=3,
    answers=50,
    aim=hf.Aim(effect=-0.1, smallest=-0.05, scale="relative", sides=1, correction="bonferroni"),
    variation=hf.Variation(sd=0.1, rounds=12),
    price=0.25,
    currency="EUR",
)


@pytest.fixture
def path(tmp_path):
    return TRIAL.save(tmp_path / "pilot.json")


def test_what_is_written_is_read_back(path):
    assert hf.PilotDesign.from_file(path) == TRIAL
    fields = json.loads(path.read_text(encoding="utf-8"))
    assert fields["format_version"] == 1
    assert fields["provenance"]["software"] == "hayflick"
    assert fields["arms"][0] == {
        "name": "対照",
        "role": "control",
        "rounds": 3,
        "answers_per_round": [50, 50, 50],
    }


def test_a_plan_is_saved_as_a_page_too(tmp_path):
    page = TRIAL.save(tmp_path / "pilot.html", lang="ja").read_text(encoding="utf-8")
    assert "対照" in page
    assert TRIAL.to_dict()["power"] == TRIAL.power
    assert "<h3>" in TRIAL._repr_html_()
    with pytest.raises(ArgumentError, match=r"takes a name ending in \.json for the plan"):
        TRIAL.save(tmp_path / "pilot.txt")


def test_the_control_may_stand_anywhere(path):
    fields = plan_fields(TRIAL)
    fields["arms"] = fields["arms"][::-1]
    path.write_text(json.dumps(fields))
    assert hf.PilotDesign.from_file(path).control == "対照"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "has format_version 2, this version reads 1"),
        ({"arms": []}, "role: got nothing, takes one control, and treatments"),
        ({"arms": 5}, "is no plan of a trial"),
        ({"aim": {"effect": 0.0}}, "effect: got 0.0, takes a change other than 0"),
        ({"aim": {"goal": 1}}, "is no plan of a trial"),
        ({"variation": {"sd": -1}}, "sd: got -1"),
    ],
)
def test_what_is_no_plan_is_refused(path, change, message):
    path.write_text(json.dumps({**plan_fields(TRIAL), **change}))
    with pytest.raises(DataError, match=message):
        hf.PilotDesign.from_file(path)


def test_two_controls_are_refused(path):
    fields = plan_fields(TRIAL)
    fields["arms"][1]["role"] = "control"
    path.write_text(json.dumps(fields))
    with pytest.raises(DataError, match="role: got control, control, treatment, takes one control"):
        hf.PilotDesign.from_file(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is no JSON: .*line 1"),
        (b"[]", "is no JSON object"),
        (b"\xff", "line 1 is not UTF-8"),
    ],
)
def test_other_files_are_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        hf.PilotDesign.from_file(path)
    path.unlink()
    with pytest.raises(DataError, match="no such file; takes a plan that hayflick pilot wrote"):
        hf.PilotDesign.from_file(path)
