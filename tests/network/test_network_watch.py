"""A network's run, watched: the same verdicts as on a table of the same answers."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.corpus.answers import Answers
from hayflick.network.run_watch import watch_run

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
    experiment = SimpleNamespace(observe=SimpleNamespace(tokenizer="words"))
    return SimpleNamespace(
        readings=readings, rounds=rounds, answers=(), texts=(), experiment=experiment
    )


def test_the_readings_of_a_run_are_watched_by_the_panel(watched):
    found = watch_run(run(watched))
    assert found.baseline == watched.baseline
    kinds = [(chart.text, chart.group) for chart in found.result.charts]
    assert kinds[:3] == [("spread=guaranteed", group) for group in ("", "anna", "bert")]
    assert ("effective_words=rank", "bert") in kinds
    assert ("separation=rank", "") in kinds
    assert sum(chart.weight for chart in found.result.charts) == pytest.approx(1.0)
    # The same readings with the same limits in the metric's own units as in a table.
    for one, other in zip(found.result.charts, watched.charts, strict=False):
        values = [verdict.value for verdict in other.verdicts]
        assert (one.group, [verdict.value for verdict in one.verdicts]) == (other.group, values)
    assert found.verdict.value == "alarm"
    spread = [chart for chart in found.result.alarms if chart.text == "spread=guaranteed"]
    alarmed = {chart.group: chart.since for chart in spread}
    assert alarmed["bert"] == 21
    assert "anna" not in alarmed


def test_another_baseline_moves_the_verdicts(watched):
    found = watch_run(run(watched), baseline=15)
    assert {len(chart.verdicts) for chart in found.result.charts} == {15}


def test_a_run_without_a_round_after_the_baseline_has_no_chart(watched):
    found = watch_run(run(watched, rounds=10))
    assert (found.result, found.unwatched, found.verdict.value) == (None, (), "no reading")
    assert len(watch_run(run(watched, rounds=11)).result.charts) == 10


def test_words_are_counted_at_half_of_the_smallest_round(watched):
    made = run(watched)
    made.answers = [
        SimpleNamespace(round=number, agent=agent, text=" ".join(WORDS[: 10 + number % 3]))
        for number in range(1, 31)
        for agent in ("anna", "bert")
        for _ in range(3)
    ]
    found = watch_run(made).result.series("effective_words", group="anna")
    # Three answers of ten words in the smallest round: fifteen words of ten kinds.
    assert found[2] == pytest.approx(8.2, abs=0.6)
    assert all(value is not None and value < 12 for value in found)
