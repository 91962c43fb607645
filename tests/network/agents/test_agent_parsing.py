import asyncio
import sys
from importlib.util import find_spec

import pytest

from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.network.agents.budget import Budget
from hayflick.network.agents.parsing import parse_agents
from hayflick.network.agents.protocol import AnswerSeed

KEY = "sk-Not4Anyone"
NGRAM = {"name": "anna", "kind": "ngram", "texts": ["It rains."]}
CHAT = {"name": "bert", "kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
needs_aiohttp = pytest.mark.skipif(
    find_spec("aiohttp") is None, reason="aiohttp is not installed: extra llm"
)


def agents(tmp_path, *sections, **settings):
    return parse_agents(sections, folder=tmp_path, **settings)


def test_files_are_taken_from_the_folder(tmp_path):
    (tmp_path / "corpus.txt").write_text("It snows in May.")
    (tmp_path / "said.jsonl").write_text('{"agent": "carl", "round": 1, "text": "Yes."}\n')
    ngram, replay = agents(
        tmp_path,
        {"name": "anna", "kind": "ngram", "corpus": "corpus.txt", "order": 2, "trust": 0.1},
        {"name": "carl", "kind": "replay", "file": "said.jsonl"},
    )
    assert (ngram.order, ngram.trust, ngram.name) == (2, 0.1, "anna")
    assert asyncio.run(replay.answer("?", [], seed=AnswerSeed(1, "carl"))).text == "Yes."


def test_ngram_agents_share_what_they_read(tmp_path):
    one, two = agents(tmp_path, NGRAM, {**NGRAM, "name": "bert"})
    assert one.vocabulary is two.vocabulary


@needs_aiohttp
def test_agents_behind_one_endpoint_share_it_and_all_share_the_budget(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_KEY", KEY)
    budget = Budget(tokens=9)
    keyed = {**CHAT, "name": "dora", "key_variable": "SOME_KEY", "persona": "Rhyme.", "price_in": 1}
    one, two, three = agents(tmp_path, CHAT, {**CHAT, "name": "carl"}, keyed, budget=budget)
    assert one.endpoint is two.endpoint is not three.endpoint
    assert one.endpoint.budget is three.endpoint.budget is budget
    assert three.prompt.persona == "Rhyme."
    assert three.prices.tokens_in == 1
    assert KEY not in repr(three) + str(three.describe())


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({**NGRAM, "trsut": 0.5}, "agent anna: got trsut, takes one of .*did you mean trust"),
        ({**NGRAM, "kind": "n-gram"}, "agent anna: kind: got n-gram.*did you mean ngram"),
        ({"name": "anna"}, "agent anna: kind: got None, takes one of ngram, openai, replay"),
        ({"kind": "ngram"}, "section 1: name: got nothing"),
        ({**NGRAM, "order": "two"}, "agent anna: order: .*integer"),
        ({**NGRAM, "order": 99}, "agent anna: order: got 99"),
        ({**NGRAM, "corpus": "x.txt"}, "agent anna: corpus: got both"),
        ({"name": "anna", "kind": "ngram"}, "agent anna: corpus: got neither"),
        ({**CHAT, "temprature": 1}, "agent bert: got temprature.*did you mean temperature"),
        ({**CHAT, "key": KEY}, "agent bert: got key, takes.*did you mean key_variable"),
        ({**CHAT, "base_url": [KEY]}, "agent bert: base_url: got another"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path, section, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        agents(tmp_path, section)
    assert KEY not in str(caught.value)


@needs_aiohttp
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key_variable": "NO_SUCH_KEY"}, "agent bert: key_variable: got NO_SUCH_KEY.*is not set"),
        ({"key_variable": KEY}, "agent bert: key_variable: got another, takes the name of an env"),
        ({"base_url": f"https://me:{KEY}@host/v1"}, "agent bert: base_url: got https://host/…"),
        ({"base_url": f"https://host/v1?key={KEY}"}, "agent bert: base_url: got https://host/…"),
        ({"base_url": "localhost:8000"}, "agent bert: base_url: got localhost:8000"),
        ({"temperature": 3}, "agent bert: temperature: got 3"),
        ({"max_tokens": 0}, "agent bert: max_tokens: got 0"),
        ({"limit_key": "most"}, "agent bert: limit_key: got most"),
        ({"concurrency": 0}, "agent bert: concurrency: got 0"),
        ({"timeout_s": 0}, "agent bert: timeout_s: got 0"),
        ({"retries": -1}, "agent bert: retries: got -1"),
        ({"template": "{context}"}, "agent bert: template: got {context}"),
        ({"price_in": -1}, "agent bert: price_in: got -1"),
        ({"extra": {"n": 4}}, "agent bert: extra: got n"),
    ],
)
def test_settings_of_an_endpoint_are_checked_before_the_run(tmp_path, change, message, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    with pytest.raises(ArgumentError, match=message) as caught:
        agents(tmp_path, {**CHAT, **change})
    assert KEY not in str(caught.value)


def test_names_differ_and_there_is_an_agent(tmp_path):
    with pytest.raises(ArgumentError, match="agents: got anna, takes a different name for each"):
        agents(tmp_path, NGRAM, NGRAM)
    with pytest.raises(ArgumentError, match="agents: got none"):
        agents(tmp_path)


def test_a_missing_file_is_an_error_of_the_data(tmp_path):
    with pytest.raises(DataError, match="no-such"):
        agents(tmp_path, {"name": "anna", "kind": "ngram", "corpus": "no-such.txt"})


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingExtraError, match=r"pip install .hayflick\[llm\]"):
        agents(tmp_path, CHAT)
