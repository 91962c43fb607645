import json
from functools import partial

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.network.experiment import Experiment
from hayflick.network.silo import simulate_silos
from hayflick.papers.suresh2024 import figures as suresh2024
from hayflick.papers.wang2025 import figures as wang2025
from hayflick.papers.wang2025.figures import FIGURES, figures
from hayflick.papers.wang2025.models import MODEL_FIGURES
from hayflick.report.language import Language
from hayflick.report.rendering import wording


@pytest.fixture(scope="module")
def made():
    names = [name for name in FIGURES if name not in ("silos", "mitigation")]
    with pytest.MonkeyPatch.context() as patch:
        fewer = partial(wang2025.surrogate_mitigation, replicates=8)
        patch.setattr(wang2025, "surrogate_mitigation", fewer)
        gallery = hf.reproduce("wang2025", figure=names, seed=3)
    return {figure.name: figure for figure in gallery.figures}


def series(figure, name):
    return figure.curves.filter(series=name)["value"].to_numpy()


@pytest.mark.parametrize("name", ["network-complete", "network-ring", "network-blocks"])
def test_simulation_agrees_with_the_law(made, name):
    assert 0 < made[name].agreement < 4.5
    assert made[name].runs.sizes == {"replicate": 200, "generation": 201, "agent": 10}


def test_who_reads_fewer_stays_farther_apart(made):
    complete, blocks, ring = (
        series(made[f"network-{name}"], "exact")[-1] for name in ("complete", "blocks", "ring")
    )
    assert complete < blocks < ring


@pytest.mark.parametrize("name", ["surrogate-two", "surrogate-eleven"])
def test_agents_meet_and_stay_at_the_floor(made, name):
    simulated, floor = series(made[name], "simulated"), series(made[name], "floor")
    assert (simulated.size, floor.size) == (201, 200)
    assert made[name].curves.filter(series="floor")["generation"].min() == 1
    assert made[name].agreement is None
    assert simulated[0] > 5 * simulated[20]
    last = slice(-40, None)
    assert np.mean(simulated[last] ** 2) == pytest.approx(np.mean(floor[last] ** 2), rel=0.2)
    assert len({run for run in made[name].curves["series"] if run.startswith("run ")}) == 20


def test_silos(monkeypatch):
    def in_fewer_runs(k, **settings):
        return simulate_silos(k, **{**settings, "replicates": 10})

    monkeypatch.setattr(wang2025, "simulate_silos", in_fewer_runs)
    (figure,) = hf.reproduce("wang2025", figure="silos").figures
    last = [series(figure, f"nearest_{k}")[-1] for k in (1, 2, 5, 10, 20)]
    assert last == sorted(last, reverse=True)
    assert last[-1] < 1.2
    assert figure.runs.sizes["neighbours"] == 5


def test_what_keeps_diversity_in_mixtures(made):
    figure = made["mitigation-surrogate"]
    best = figure.curves.filter("on_frontier").sort("texts")
    assert best["texts"].to_list() == [0, 60, 180, 540]
    assert best["kept"].is_sorted()
    assert figure.runs.sizes == {"case": 24}


def test_what_keeps_diversity_among_agents(monkeypatch):
    smaller = partial(wang2025.agent_mitigation, injections=(0, 9), models=(4,), irrelevant=(0.0,))
    monkeypatch.setattr(
        wang2025, "agent_mitigation", partial(smaller, topologies=("complete",), prompts=None)
    )
    figure = wang2025.agent_grid(1)
    assert (figure.name, figure.quantity) == ("mitigation", "frontier")
    kept = {(row["prompts"], row["injected"]): row["kept"] for row in figure.curves.to_dicts()}
    assert kept["one", 0] < kept["one", 9] < kept["varied", 9]
    assert kept["one", 0] < kept["varied", 0]
    parameters = json.loads(figure.runs.attrs["provenance"])["parameters"]
    assert Experiment.of(parameters) == wang2025.village()


def test_the_texts_of_the_village_differ():
    village = wang2025.village()
    texts = [*village.pool.texts, *village.reserve.texts]
    assert len(set(texts)) == 60
    last = [text.split()[-1] for text in (village.query, *village.prompt_variations)]
    assert all(any(text.startswith(f"{word} ") for text in texts) for word in last)


def test_every_figure_has_a_text_and_the_paper_a_title(made):
    texts = wording("figures.jinja", "figures", Language("ja"))
    assert {*FIGURES, *MODEL_FIGURES, *suresh2024.FIGURES} == set(texts)
    assert {figure.paper for figure in made.values()} == {"wang2025"}
    title, note = wording("figures.jinja", "papers", Language("ja"))["wang2025"]
    assert "LLM Web Dynamics" in title
    assert "arXiv:2506.15690" in note


def test_what_a_surrogate_costs_is_said_before_it_begins():
    said = []
    made = figures(["surrogate-two"], say=said.append)
    assert said == []
    next(made)
    assert said[0].startswith("surrogate-two: 10,848,000 evaluations, about ")


def test_mistakes_are_refused():
    with pytest.raises(ArgumentError, match="figure: got theorem-3, takes one of surrogate-two"):
        hf.reproduce("wang2025", figure="theorem-3")
