"""One contract over every chart."""

import json

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import State
from hayflick.detection.parsing import charts, parse_chart, restore

EXAMPLES = {
    "guaranteed": ["guaranteed", "guaranteed:form=product", "guaranteed:direction=rises"],
    "rank": ["rank", "rank:false_alarms=0.01,form=product", "rank:direction=rises"],
    "shewhart": ["shewhart:500", "shewhart:direction=falls", "shewhart:reference=adaptive"],
    "ewma": ["ewma", "ewma:direction=rises,weight=0.3", "ewma:reference=adaptive"],
    "cusum": ["cusum", "cusum:direction=falls,shift=0.5", "cusum:reference=adaptive"],
}
ALL = [text for texts in EXAMPLES.values() for text in texts]


def stream(*means, seed=1, pairs=40, first=1, group=""):
    rng = np.random.default_rng(seed)
    readings = []
    for place, mean in enumerate(means):
        scores = rng.beta(20 * mean, 20 * (1 - mean), pairs)
        values = {"spread": float(scores.mean())}
        readings.append(hf.Reading(first + place, values, {"spread": scores}, group=group))
    return readings


BASELINE = stream(*[0.5] * 100)


def chart_of(text, *, metric="spread"):
    return parse_chart(text).start(BASELINE, metric=metric)


def bad(text):
    return 0.9 if "rises" in text else 0.1


def test_every_chart_of_the_command_line_has_an_example_here():
    assert set(EXAMPLES) == set(charts())
    assert all(chart_of(texts[0]).name == name for name, texts in EXAMPLES.items())


@pytest.mark.parametrize("text", ALL)
def test_the_same_readings_give_the_same_verdicts(text):
    readings = stream(0.5, 0.45, 0.55, 0.3, 0.5, seed=2)
    first, second = chart_of(text), chart_of(text)
    assert [first.update(one) for one in readings] == [second.update(one) for one in readings]


@pytest.mark.parametrize("text", ALL)
def test_a_stored_chart_goes_on_identically_from_every_point(text):
    readings = stream(0.5, 0.47, 0.53, bad(text), bad(text), 0.5, seed=3)
    chart = chart_of(text)
    for place, reading in enumerate(readings):
        stored = json.loads(json.dumps(chart.state(), allow_nan=False))
        other = restore(stored)
        assert other.warnings == chart.warnings
        after = [other.update(one) for one in readings[place:]]
        again = restore(stored)
        assert [again.update(one) for one in readings[place:]] == after
        assert chart.update(reading) == after[0]
    assert json.loads(json.dumps(chart.state())) == json.loads(json.dumps(again.state()))


@pytest.mark.parametrize("text", ALL)
@pytest.mark.parametrize(
    "reading",
    [
        hf.Reading(7),
        hf.Reading(7, {"other": 0.1}, {"other": np.zeros(9)}),
        hf.Reading(7, {"spread": float("nan")}, {"spread": np.empty(0)}),
    ],
    ids=["empty", "another metric", "undefined"],
)
def test_no_reading_moves_nothing(text, reading):
    chart = chart_of(text)
    chart.update(stream(0.4)[0])
    before = json.dumps(chart.state())
    verdict = chart.update(reading)
    assert verdict.state is State.NO_READING
    assert not verdict.alarm
    numbers = (verdict.value, verdict.statistic, verdict.since, verdict.evidence)
    assert numbers == (None, None, None, None)
    assert json.dumps(chart.state()) == before


@pytest.mark.parametrize("text", ALL)
def test_a_metric_that_no_reading_has_is_refused_as_a_baseline(text):
    with pytest.raises(DataError, match=r"baseline: .*sprad.*takes"):
        chart_of(text, metric="sprad")


@pytest.mark.parametrize("text", ALL)
def test_a_healthy_constant_stream_gives_no_alarm(text):
    chart = chart_of(text)
    scores = np.full(40, 0.5)
    verdicts = [
        chart.update(hf.Reading(t, {"spread": 0.5}, {"spread": scores})) for t in range(1, 301)
    ]
    assert {verdict.state for verdict in verdicts} == {State.HEALTHY}
    assert {verdict.since for verdict in verdicts} == {None}


@pytest.mark.parametrize("text", ALL)
def test_a_large_change_gives_an_alarm_that_says_what_where_and_since_when(text):
    chart = chart_of(text)
    harmed = 0.02 if "rises" in text else -0.02
    for t in range(1, 11):
        # Healthy readings that swing, the last of them away from the harm.
        score = 0.5 + (harmed if t % 2 else -harmed)
        values, scores = {"spread": score}, {"spread": np.full(40, score)}
        assert not chart.update(hf.Reading(t, values, scores)).alarm
    changed = stream(*[bad(text)] * 5, seed=5, first=11, group="model-a")
    verdicts = [chart.update(reading) for reading in changed]
    last = verdicts[-1]
    assert last.alarm
    assert last.since == 11
    assert (last.metric, last.group, last.round) == ("spread", "model-a", 15)
    assert last.chart == text.partition(":")[0]
    assert last.value == pytest.approx(changed[-1].values["spread"])
    assert last.statistic >= last.limit


@pytest.mark.parametrize("text", ALL)
def test_the_direction_says_which_change_is_an_alarm(text):
    name = text.partition(":")[0]
    for direction, harmful in (("falls", 0.1), ("rises", 0.9)):
        for mean in (0.1, 0.9):
            chart = chart_of(f"{name}:direction={direction}")
            verdicts = [chart.update(one) for one in stream(*[mean] * 5, seed=6)]
            assert any(verdict.alarm for verdict in verdicts) == (mean == harmful)


@pytest.mark.parametrize("text", ALL)
def test_a_restarted_chart_is_a_new_one(text):
    chart = chart_of(text)
    for reading in stream(0.4, 0.6, bad(text), seed=7):
        chart.update(reading)
    chart.restart()
    assert chart.state() == chart_of(text).state()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("garanteed", "did you mean guaranteed"),
        ("shewart:500", "did you mean shewhart"),
        ("cusum:500,length=3", "takes cusum:"),
        ("ewma:run_length=many", "run_length: got many, takes a number"),
    ],
)
def test_what_is_not_understood_is_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_chart(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("guaranteed:tolerance=1", "tolerance: got 1.0, takes a number below 1"),
        ("guaranteed:false_alarms=0", "false_alarms: got 0.0"),
        ("guaranteed:form=average", "takes one of sum, product"),
        ("guaranteed:direction=both", "takes one of falls, rises"),
        ("guaranteed:baseline_error=0.5", "part of it"),
        ("shewhart:1", "run_length: got 1.0"),
        ("ewma:weight=0", "weight: got 0.0"),
        ("cusum:shift=0", "shift: got 0.0"),
        ("cusum:confidence=1", "confidence: got 1.0"),
        ("cusum:reference=moving", "takes one of frozen, adaptive"),
    ],
)
def test_settings_out_of_range_are_refused(text, message):
    with pytest.raises(ArgumentError, match=message):
        chart_of(text)


@pytest.mark.parametrize(
    "change", [{"chart": "shewart"}, {"format_version": 2}, {"memory": {}}, {"settings": {}}]
)
def test_what_is_no_state_is_refused(change):
    state = {**hf.GuaranteedChart.at(0.5).state(), **change}
    if "memory" in change:
        state["memory"] = {"wealth": 1}
    with pytest.raises(DataError, match="start the chart again"):
        restore(state)
