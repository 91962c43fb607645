"""What an experiment takes, against a run whose answers are as long as they may be."""

import math
import time
from dataclasses import dataclass

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.cli.options import Format, Lang
from hayflick.cli.printing import print_result
from hayflick.core.errors import EffortError

from .conftest import REAL, Scripted, village

LONGEST = 12


@dataclass
class Longest(Scripted):
    """Says as much as it may."""

    say: object = lambda seed: "word" * LONGEST


def tokens(text):
    return math.ceil(len(text.encode()) / 4)


CASES = [
    {},
    {"pool": {"texts": REAL, "policy": "add-all"}},
    {"pool": {"texts": REAL, "policy": "window:2"}},
    {"pool": {"texts": REAL, "inject": 2}, "reserve": {"texts": ["It is late.", "So it goes."]}},
    {"query": None, "queries": [{"text": "Who?"}, {"text": "How is it all in all?"}]},
    {"retrieval": "fixed:5", "topology": "ring:1"},
    {"retrieval": "nearest:4+own:1"},
]


@pytest.mark.parametrize("changes", CASES)
def test_it_is_what_a_run_reads(runner, changes):
    experiment = village(rounds=5, **changes)
    run = runner.run(experiment, [Longest(name) for name in ("anna", "bert", "cleo")])
    lengths = {one.number: tokens(one.text) for one in run.texts}
    read = dict.fromkeys(run.agents, 0)
    for one in run.reads:
        context = sum(lengths[number] for number in np.frombuffer(one.texts, "<i4").tolist())
        read[one.agent] += 4 * (context + tokens(experiment.query_texts[one.query]))
    found = hf.estimate_network(experiment)
    if "nearest" not in experiment.retrieval:
        assert {one.agent: one.tokens_in for one in found.agents} == read
    assert found.answers == len(run.answers)
    assert found.texts_read == run.series("texts_read")[-1]
    each = 5 * 4 * len(experiment.query_texts)
    assert {one.tokens_out for one in found.agents} == {LONGEST * each}


def models(**more):
    settings = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m", "persona": ""}
    return [{"name": name, **settings, "max_tokens": 10, **more} for name in ("anna", "bert")]


def test_money_at_the_prices_of_the_file_and_the_round_that_spends_the_budget():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    free = hf.estimate_network(village(agents=models()))
    assert free.cost is None
    assert free.spent_in_round is None
    priced = hf.estimate_network(village(agents=models(price_in=1.0, price_out=3.0)))
    expected = sum(one.tokens_in + 3.0 * one.tokens_out for one in priced.agents) / 1e6
    assert priced.cost == pytest.approx(expected)
    for share, number in ((1.5, None), (0.999, 3), (0.001, 1)):
        budget = {"money": priced.cost * share * (1 + 1e-9)}
        agents = models(price_in=1.0, price_out=3.0)
        assert hf.estimate_network(village(agents=agents, budget=budget)).spent_in_round == number
    # A request is made only if what it could take fits, and it asks for more than it takes.
    budget = {"tokens": priced.tokens + 1}
    assert hf.estimate_network(village(agents=models(), budget=budget)).spent_in_round == 3


def test_a_budget_binds_agents_behind_endpoints_with_both_prices():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    assert hf.estimate_network(village(budget={"tokens": 1})).spent_in_round is None
    half = models(price_in=1.0)
    assert hf.estimate_network(village(agents=half, budget={"money": 1e-9})).spent_in_round is None
    assert hf.estimate_network(village(agents=half)).cost is None


def test_no_embedder_is_asked():
    elsewhere = "endpoint:url=http://127.0.0.1:9/v1,model=m"
    assert hf.estimate_network(village(embedder=elsewhere)) == hf.estimate_network(village())


def test_a_persona_is_read_with_every_answer():
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    plain = hf.estimate_network(village(agents=models()))
    spoken = hf.estimate_network(village(agents=models(persona="Be terse and kind.")))
    more = [a.tokens_in - b.tokens_in for a, b in zip(spoken.agents, plain.agents, strict=True)]
    assert more == [12 * tokens("Be terse and kind.")] * 2


def test_texts_that_wait_for_a_person_count_as_admitted():
    waiting = hf.estimate_network(village(pool={"texts": REAL, "policy": "admit"}))
    assert waiting == hf.estimate_network(village())


def test_an_estimate_is_saved_as_a_page(tmp_path):
    found = hf.estimate_network(village())
    page = found.save(tmp_path / "estimate.html", lang="ja").read_text(encoding="utf-8")
    assert '<td class="name">anna</td>' in page
    assert f"{found.answers} answers" in found._repr_html_()
    assert found.to_dict()["tokens"] == found.tokens


def test_a_run_of_any_size_is_estimated_at_once(cases):
    begun = time.perf_counter()
    found = hf.estimate_network(cases / "attack" / "million-rounds.toml")
    assert time.perf_counter() - begun < 5.0
    assert found.answers == 3 * 10**11
    # k_t = ⌊(2 + 3 (t - 1)) / 2⌋
    assert found.texts_read == pytest.approx(1_499_999, abs=1)


@pytest.mark.parametrize("topology", ["complete", "ring:2", "star", "blocks:5", "small-world"])
def test_ten_thousand_agents_and_a_million_rounds_are_estimated_at_once(topology):
    agents = [{"name": f"a{n}", "kind": "ngram", "texts": ["It rains."]} for n in range(10_000)]
    experiment = village(agents=agents, rounds=1_000_000, topology=topology)
    begun = time.perf_counter()
    found = hf.estimate_network(experiment)
    assert time.perf_counter() - begun < 5.0
    assert len(found.agents) == 10_000
    assert found.answers == 10_000 * 1_000_000 * 4


@pytest.mark.parametrize("changes", CASES)
def test_what_is_computed_is_about_what_is_simulated(changes, monkeypatch):
    experiment = village(rounds=30, **changes)
    exact = hf.estimate_network(experiment)
    monkeypatch.setattr("hayflick.network.estimate._MOST_SIMULATED", 0)
    computed = hf.estimate_network(experiment)
    assert computed.answers == exact.answers
    assert computed.tokens == pytest.approx(exact.tokens, rel=0.1)
    assert computed.texts_read == pytest.approx(exact.texts_read, rel=0.05)


def test_rounds_that_are_not_counted_are_interpolated(monkeypatch):
    experiment = village(rounds=1500)
    counted = hf.estimate_network(experiment)
    monkeypatch.setattr("hayflick.network.usage._MOST_ROUNDS", 200)
    assert hf.estimate_network(experiment).tokens == pytest.approx(counted.tokens, rel=1e-3)


def test_a_run_that_would_never_end_needs_consent(cases, tmp_path, capsys):
    path = tmp_path / "long.toml"
    path.write_text(
        'format_version = 1\nrounds = 30000\nanswers = 100\nquery = "q"\nretrieval = "fixed:1"\n'
        '[pool]\ntexts = ["It rains."]\n[[agents]]\nname = "a"\nkind = "ngram"\ntexts = ["x"]\n'
        "most_tokens = 100\n"
    )
    assert main(["network", "run", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "add --yes to start it" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    with pytest.raises(EffortError, match="of memory"):
        hf.run_network(cases / "attack" / "million-rounds.toml", out=tmp_path / "run")


def test_of_many_agents_the_last_ones_share_a_row(capsys):
    texts = ["It rains."]
    agents = [{"name": f"a{n}", "kind": "ngram", "texts": texts} for n in range(10_000)]
    found = hf.estimate_network(village(agents=agents, rounds=50))
    begun = time.perf_counter()
    print_result(found, Format.TABLE, Lang.EN)
    assert time.perf_counter() - begun < 1.0
    shown = capsys.readouterr().out
    assert "a59" in shown
    assert "a60" not in shown
    assert "9,940 more agents," in shown
    assert len(found.to_dict()["agents"]) == 10_000
