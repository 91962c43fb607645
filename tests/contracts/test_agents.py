"""One contract over every agent."""

import asyncio
import json
from importlib import import_module
from pathlib import Path

import pytest

import hayflick as hf
import hayflick.network.agents
from hayflick.network.agents.budget import Budget
from hayflick.network.agents.chat import ChatAgent, Endpoint
from hayflick.network.agents.parsing import KINDS
from hayflick.network.agents.processes import AgentProcesses, ProcessAgent
from hayflick.network.agents.protocol import Agent, Answer, AnswerSeed, Learner
from hayflick.network.agents.replay import ReplayAgent
from hayflick.simulation.executors import process_executor

QUERY = "Was ist 今日? नमस्ते 👋🏽"
CONTEXT = ["It rains.", "今日は雨が降る。", "नमस्ते दुनिया 👋🏽", "{query} %s \\ \x00"]
TEXTS = ["It rains in May. It snows in June."]
PLACES = [(turn, 0, index) for turn in (1, 2) for index in range(5)]


def ngram(**settings):
    return hf.NGramAgent.of_texts("anna", TEXTS, **settings)


AGENTS = {
    "ngram": ngram(),
    "ngram, unspaced": hf.NGramAgent.of_texts(
        "anna", ["今日は雨が降る。明日は雪が降る。"], order=2
    ),
    "ngram, learning": ngram(learning=0.3).after_reading(CONTEXT),
    "replay": ReplayAgent("anna", {place: Answer(f"雨 {place}") for place in PLACES}),
}


@pytest.fixture(scope="module")
def held():
    """An agent that is held by another process."""
    section = {"name": "anna", "kind": "ngram", "texts": TEXTS, "learning": 0.3}
    with process_executor(1) as executor:
        found = AgentProcesses([executor]).agents([section], folder=Path(), budget=Budget())
        yield found[0].after_reading(CONTEXT)


@pytest.fixture(params=[*AGENTS, "openai", "held"])
def agent(request):
    if request.param == "held":
        return request.getfixturevalue("held")
    if request.param != "openai":
        return AGENTS[request.param]
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: extra llm")
    served = request.getfixturevalue("served")
    from hayflick.service.agent import application

    endpoint = Endpoint(f"{served(application([ngram()]))}/v1")
    return ChatAgent(name="anna", endpoint=endpoint, model="anna")


def answers(agent, query, context, places=PLACES):
    async def ask():
        seeds = [AnswerSeed(7, "anna", *place) for place in places]
        try:
            return await asyncio.gather(*(agent.answer(query, context, seed=s) for s in seeds))
        finally:
            await agent.close()

    return asyncio.run(ask())


def said(agent, *rest):
    return [answer.text for answer in answers(agent, *rest)]


def test_every_kind_of_agent_is_here():
    rooms = Path(hayflick.network.agents.__file__).parent.glob("*.py")
    modules = [import_module(f"hayflick.network.agents.{room.stem}") for room in rooms]
    classes = [value for module in modules for value in vars(module).values()]
    kinds = {kind for kind in classes if isinstance(kind, type) and hasattr(kind, "answer")}
    assert kinds - {Agent, Learner} == {type(one) for one in AGENTS.values()} | {
        ChatAgent,
        ProcessAgent,
    }
    described = {agent.describe()["kind"] for agent in AGENTS.values()}
    assert described | {"openai"} == set(KINDS)


def test_the_same_seed_gives_the_same_answer(agent):
    assert said(agent, QUERY, CONTEXT) == said(agent, QUERY, CONTEXT)


def test_places_in_a_run_have_answers_of_their_own(agent):
    assert len(set(said(agent, QUERY, CONTEXT))) > 1


def test_neither_order_nor_company_changes_an_answer(agent):
    together = said(agent, QUERY, CONTEXT)
    backwards = said(agent, QUERY, CONTEXT, PLACES[::-1])
    assert together == backwards[::-1]
    assert said(agent, QUERY, CONTEXT, PLACES[3:4]) == together[3:4]


@pytest.mark.parametrize("context", [[], [""], ["", " \n "], CONTEXT])
@pytest.mark.parametrize("query", ["", QUERY, "?"])
def test_any_text_can_be_asked_and_read(agent, query, context):
    for answer in answers(agent, query, context, PLACES[:2]):
        assert isinstance(answer.text, str)
        answer.text.encode()
        assert answer.tokens_out is None or answer.tokens_out >= 0
        assert answer.cost is None or answer.cost >= 0.0


def test_a_description_survives_json(agent):
    described = agent.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["name"] == agent.name


def test_an_agent_says_the_same_in_another_process(held):
    assert said(held, QUERY, CONTEXT) == said(AGENTS["ngram, learning"], QUERY, CONTEXT)
    later = held.after_reading(["雨", *CONTEXT]).after_reading(["Snow in May."])
    here = AGENTS["ngram, learning"].after_reading(["雨", *CONTEXT]).after_reading(["Snow in May."])
    assert answers(later, QUERY, CONTEXT) == answers(here, QUERY, CONTEXT)


def test_learners_leave_the_agent_that_they_were_alone(held):
    for agent in (*AGENTS.values(), held):
        if isinstance(agent, Learner):
            before = said(agent, QUERY, CONTEXT)
            agent.after_reading(CONTEXT)
            assert said(agent, QUERY, CONTEXT) == before
