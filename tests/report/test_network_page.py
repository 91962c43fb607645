from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hayflick.core.errors import BudgetExhausted
from hayflick.core.records import Reading
from hayflick.network.experiment import Experiment
from hayflick.network.run_results import read_run
from hayflick.network.running import run_network
from hayflick.report.charts.network_map import perspective_chart
from hayflick.report.charts.places import place_pictures
from hayflick.report.language import Language
from hayflick.report.network_findings import NetworkFindings
from hayflick.report.network_page import network_charts, network_page
from hayflick.storage.runs import StoredRead

TEXTS = ["The cat sat on the mat.", "A dog <b>ran</b> on.", "The sea rose.", "A cat fell."]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    agents = [
        {"name": name, "kind": "ngram", "texts": TEXTS[start:], "tokenizer": "whitespace"}
        for start, name in enumerate(["<anna>", "bert"])
    ]
    values = {"format_version": 1, "rounds": 12, "answers": 3, "query": "How is <it>?"}
    values["embedder"] = "hashing:dimensions=64"
    village = Experiment.of({**values, "pool": {"texts": TEXTS}, "agents": agents})
    return read_run(run_network(village, out=tmp_path_factory.mktemp("place") / "run"))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_page_holds_the_run_and_no_script(run, lang):
    page = network_page(run, lang=lang)
    steps = run.rounds
    assert page.count("<svg") == 4 + steps
    assert "<script" not in page
    assert "<anna>" not in page
    assert "&lt;anna&gt;" in page
    assert "How is &lt;it&gt;?" in page
    first = next(one for one in run.answers if one.agent == "bert")
    assert first.text.split()[0] in page


def test_the_excess_is_the_norm_over_its_floor(run):
    findings = NetworkFindings(run, Language("en"))
    norms, floors = run.series("group_frobenius_norm"), run.series("noise_floor")
    by_hand = (sum(v * v for v in norms[-10:]) / sum(v * v for v in floors[-10:])) ** 0.5
    assert findings.excess(slice(-10, None)) == pytest.approx(by_hand)
    assert findings.excess(slice(0, 0)) is None
    assert f"{by_hand:.2f} times" in findings.agreement()


def test_charts_carry_the_numbers_they_were_drawn_from(run):
    charts = {one.name: one for one in network_charts(NetworkFindings(run, Language("en")))}
    assert list(charts) == ["distance", "perspective", "scatter", "pool"]
    assert charts["distance"].numbers.height == 24
    places = charts["perspective"].numbers
    assert places["generation"].unique().to_list()[-1] == 12
    assert set(places["series"]) == {"<anna>", "bert"}


def test_the_map_has_a_step_for_every_round_of_a_short_run(run):
    slider = perspective_chart(NetworkFindings(run, Language("ja"))).slider
    assert [label for label, _ in slider.steps] == [f"ラウンド {n} / 12" for n in range(1, 13)]
    assert list(slider.colours) == ["<anna>", "bert"]
    page = network_page(run)
    assert page.count('type="radio"') == 12
    assert page.count(" checked>") == 1
    assert 'aria-label="Round 12 of 12" checked>' in page


def test_the_map_of_a_long_run_has_forty_steps_the_first_and_last_among_them(run):
    rounds = 97
    means = np.random.default_rng(3).normal(size=(rounds, 2, 1, 4))
    reads = [
        StoredRead(number + 1, name, 0, b"", means[number, agent].tobytes())
        for number in range(rounds)
        for agent, name in enumerate(run.agents)
    ]
    long = replace(run, readings={"": [Reading(n + 1) for n in range(rounds)]}, reads=reads)
    chart = perspective_chart(NetworkFindings(long, Language("en")))
    labels = [label for label, _ in chart.slider.steps]
    assert len(labels) == 40
    assert (labels[0], labels[-1]) == ("Round 1 of 97", "Round 97 of 97")
    assert chart.caption.endswith("40 of 97 rounds are drawn.")


def test_all_steps_share_their_axes_and_show_the_way_so_far():
    places = {"generation": [1, 1, 2, 2], "series": ["<a>", "b"] * 2}
    axes = {"first_axis": [0.0, -2.0, 1.0, -2.0], "second_axis": [0.0, 0.0, 2.0, 0.0]}
    numbers = pl.DataFrame({**places, **axes})
    first, second = place_pictures(numbers, colours={"b": "#123456"}, reach=2.0).values()
    assert '<circle cx="0" cy="200" r="7" fill="#123456"' in first
    assert '<circle cx="300" cy="0"' in second
    assert 'd="M200 200 300 0"' in second
    assert 'd="M200 200' not in first
    assert "<title>&lt;a&gt;</title>" in second


def test_a_run_that_stopped_says_so(run, tmp_path, monkeypatch):
    async def poor(*_, **__):
        raise BudgetExhausted("nothing left")

    monkeypatch.setattr("hayflick.network.agents.ngram.NGramAgent.answer", poor)
    with pytest.raises(BudgetExhausted):
        run_network(run.experiment, out=tmp_path / "run")
    stopped = read_run(tmp_path / "run")
    page = network_page(stopped)
    assert "Stopped: 0 of 12 rounds are done." in page
    assert "<svg" not in page
