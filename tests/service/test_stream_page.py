"""What the page of a stream is made of: its charts, what actions did, where numbers lead."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import replace
from types import SimpleNamespace
from xml.etree import ElementTree

import polars as pl
import pytest

import hayflick as hf
from hayflick.detection.early_warning import Projection
from hayflick.report.language import Language
from hayflick.report.watch_findings import WatchFindings
from hayflick.report.watched_numbers import WatchedNumber
from hayflick.service.pages import watched
from hayflick.service.pages.stream import action_effects, outlook_rows
from hayflick.service.pages.watched import SEPARATION, WatchedStreams, chart_id, plot_of
from hayflick.storage.actions import ActionRow
from hayflick.storage.rounds import RoundRow

ENGLISH = Language("en")
HOSTILE = '"><script>alert(1)</script>'
ROUNDS, BASELINE = 24, 10


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A stream whose number falls after its baseline, with a group of a hostile name."""
    rng = random.Random(1)
    rows = [
        {
            "round": number,
            "group": group,
            "score": 1.0 - 0.02 * max(0, number - 14) + rng.random() / 50,
        }
        for number in range(1, ROUNDS + 1)
        for group in (HOSTILE, "plain")
        for _ in range(6)
    ]
    path = tmp_path_factory.mktemp("stream") / "scores.csv"
    pl.DataFrame(rows).write_csv(path)
    return hf.watch(path, by="round", group="group", values=["score"], baseline=BASELINE)


@pytest.fixture
def findings(result):
    return WatchFindings(result, ENGLISH)


def test_a_chart_is_a_picture_of_its_own_for_light_and_for_dark_pages(result, findings):
    plot = plot_of(result, chart_id(findings.numbers[0]))
    light, dark = plot.svg(dark=False), plot.svg(dark=True)
    for svg in (light, dark):
        ElementTree.fromstring(svg)
        assert re.findall(r"<script|<style| style=|href=\"http", svg) == []
        assert set(re.findall(r'font-family="([^"]*)"', svg)) == {"system-ui, sans-serif"}
    assert 'fill="white"' in light
    assert not re.search(r'(?:fill|stroke)="(?:white|#24292f|#0b3d75)"', dark)


def test_values_of_a_chart_have_places_in_its_picture(result, findings):
    plot = plot_of(result, chart_id(findings.numbers[0]))
    values = plot.values(ENGLISH, BASELINE)
    assert len(values["rounds"]) == ROUNDS
    assert values["rounds"][0]["note"] == "baseline"
    assert values["rounds"][-1]["value"] == f"{result.series('score')[-1]:.4g}"
    # The dot of the first round, in the picture's own units.
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', plot.svg(dark=False))[1])
    dot = re.search(
        r'aria-label="generation: 1;[^"]*"[^>]*transform="translate\(([\d.]+)', plot.svg(dark=False)
    )
    left = float(re.search(r'transform="translate\(([\d.]+),', plot.svg(dark=False))[1])
    share = values["left"] + (values["right"] - values["left"]) * 0.5 / ROUNDS
    assert share * width == pytest.approx(left + float(dot[1]), abs=1.0)


def test_charts_have_addresses_that_no_name_can_break(result, findings):
    numbers = [*findings.numbers, *(one for group in findings.groups for one in group.numbers)]
    found = [chart_id(one) for one in numbers]
    found.append(chart_id(WatchedNumber("../../etc", HOSTILE, ())))
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9-]+", one) for one in found)
    assert all(plot_of(result, one) is not None for one in found[:-1])
    assert plot_of(result, found[-1]) is None
    assert plot_of(result, SEPARATION) is None


def action(**values):
    kept = {"id": 1, "project": 1, "stream": 1, "stream_name": "s", "group": "", "kind": "inject"}
    kept |= {"state": "open", "content": {}, "created": 0.0, "done": None, "done_by": None}
    return ActionRow(**{**kept, "round": 12, **values})


def test_an_action_is_followed_by_medians_of_the_rounds_around_it(result, findings):
    closed = {number: 100.0 * number for number in range(1, ROUNDS + 1)}
    done = action(state="done", done=1650.0)
    effects = action_effects([action(), done, action(round=ROUNDS)], closed, findings)
    assert [one.after for one in effects] == ["12", "16", "24"]
    values = result.series("score")
    name, before, after, change = effects[1].rows[0]
    assert name == "score"
    assert before == f"{sorted(values[11:16])[2]:.4g}"
    assert after == f"{sorted(values[16:21])[2]:.4g}"
    assert change.startswith("-")
    assert effects[2].rows[0][2:] == ("–", "–")


def test_a_falling_number_reaches_its_limit_at_a_date(result):
    chart = replace(result.charts[0], verdicts=())
    falling = replace(chart, threshold=0.5, projection=Projection(30.2, 28.4))
    others = [
        replace(chart, threshold=0.5, projection=Projection(reason="it does not fall")),
        replace(chart, threshold=0.5, projection=Projection(20.0, 19.0, 21.0)),
    ]
    findings = WatchFindings(replace(result, charts=(falling, *others)), ENGLISH)
    last = RoundRow(stream=1, number=24, name="24", begins=0.0, ends=3600.0)
    ((name, now, limit, when, date),) = outlook_rows(findings, last, zone="Asia/Tokyo")
    assert name == findings.subject(chart)
    assert (now, limit) == (f"{chart.change.now:.4g}", "0.5")
    assert (when, date) == ("30 (28 … –)", "1970-01-01 16:12 JST")
    assert outlook_rows(findings, None, zone="UTC")[0][4] == "–"


def row(**values):
    return SimpleNamespace(**{"id": 1, "measured_round": 10, "state": "healthy", **values})


class Made:
    """Counts how often a result is made."""

    def __init__(self, monkeypatch, *, alarms=(), seconds=0.0):
        self.times, self.alarms = 0, alarms
        self.clock = 1000.0
        self.seconds = seconds
        monkeypatch.setattr(watched, "stored_watch", self)
        monkeypatch.setattr(watched, "_texts", lambda *_: (1, 100))
        monkeypatch.setattr(watched.time, "monotonic", lambda: self.clock)

    def __call__(self, database, stream):
        self.times += 1
        self.clock += self.seconds
        return SimpleNamespace(alarms=self.alarms)


def test_a_result_is_made_once_for_all_viewers(monkeypatch):
    made, kept, service = Made(monkeypatch), WatchedStreams(), SimpleNamespace(database=None)
    viewers = [threading.Thread(target=kept.of, args=(service, row())) for _ in range(8)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert made.times == 1
    kept.of(service, row(id=2))
    assert made.times == 2


def test_a_result_that_took_long_is_shown_a_little_longer(monkeypatch):
    made, kept = Made(monkeypatch, seconds=0.1), WatchedStreams()
    service = SimpleNamespace(database=None)
    assert kept.of(service, row()).round == 10
    made.clock += 1.5
    assert kept.of(service, row(measured_round=11)).round == 10
    made.clock += 1.0
    assert kept.of(service, row(measured_round=12)).round == 12


def test_an_alarm_is_shown_at_once(monkeypatch):
    made, kept = Made(monkeypatch, seconds=5.0), WatchedStreams()
    service = SimpleNamespace(database=None)
    kept.of(service, row())
    assert kept.of(service, row(measured_round=11, state="alarm")).round == 11
    assert made.times == 2


def test_what_was_drawn_of_a_result_is_kept_as_long_as_the_result(monkeypatch):
    Made(monkeypatch)
    kept = WatchedStreams()
    service = SimpleNamespace(database=None)
    drawn = []

    def draw():
        drawn.append(1)
        return "a picture"

    first = kept.of(service, row())
    assert [first.once("chart", draw) for _ in range(3)] == ["a picture"] * 3
    assert kept.of(service, row()).once("chart", draw) == "a picture"
    assert len(drawn) == 1
    assert kept.of(service, row(measured_round=11)).once("chart", draw) == "a picture"
    assert len(drawn) == 2
    assert first.once("no chart", lambda: None) is None
