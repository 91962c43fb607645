import pytest

from hayflick.core.errors import BudgetExhausted
from hayflick.network.experiment import Experiment
from hayflick.network.run_results import read_run
from hayflick.network.running import run_network
from hayflick.report.language import Language
from hayflick.report.network_findings import NetworkFindings
from hayflick.report.network_page import network_charts, network_page

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
    assert page.count("<svg") == 4
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
