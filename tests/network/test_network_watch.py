"""A network's run, watched: the same verdicts as on a table of the same answers."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.corpus.answers import Answers
from hayflick.network.run_results import watch_run

WORDS = [f"word{place}" for place in range(14)]


@pytest.fixture(scope="module")
def watched():
    """Answers of two agents; one of them repeats itself from round 21 on."""
    rng = np.random.default_rng(8)
    rows = []
    for number in range(1, 31):
        for name in ("anna", "bert"):
            vocabulary = WORDS[:2] if name == "bert" and number > 20 else WORDS
            rows += [(number, name, " ".join(rng.choice(vocabulary, 5))) for _ in range(40)]
    frame = pl.DataFrame(rows, schema=["round", "group", "text"], orient="row")
    names = tuple(str(number) for number in range(1, 31))
    return hf.watch(Answers("village", names, frame.with_row_index("row")), charts=["guaranteed"])


def run(watched, *, rounds=30):
    readings = {group: found[:rounds] for group, found in watched.readings.items()}
    return SimpleNamespace(readings=readings, rounds=rounds)


def test_the_same_readings_lead_to_the_same_verdicts_as_in_a_table(watched):
    found = watch_run(run(watched))
    assert found.baseline == watched.baseline
    assert [chart.group for chart in found.charts] == ["", "anna", "bert"]
    for one, other in zip(found.charts, watched.charts, strict=True):
        assert (one.group, one.verdicts, one.threshold) == (
            other.group,
            other.verdicts,
            other.threshold,
        )
    alarmed = {chart.group: chart.first_alarm.since for chart in found.charts if chart.alarms}
    assert alarmed["bert"] == 21
    assert "anna" not in alarmed


def test_another_baseline_moves_the_verdicts(watched):
    found = watch_run(run(watched), baseline=15)
    assert [len(chart.verdicts) for chart in found.charts] == [15, 15, 15]


def test_a_run_without_a_round_after_the_baseline_has_no_chart(watched):
    found = watch_run(run(watched, rounds=10))
    assert (found.charts, found.unwatched) == ((), ())
    assert len(watch_run(run(watched, rounds=11)).charts) == 3
