"""`WatchCallback` against LangChain itself (`make test-integrations` installs it)."""

import asyncio
import json
import logging
import threading

import pytest
from doc_examples import examples
from openai_stand_in import openai_stand_in

reason = "langchain is not installed: make test-integrations"
pytest.importorskip("langchain", reason=reason)
openai = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

from langchain.agents import create_agent  # noqa: E402
from langchain_core.language_models import FakeListLLM, GenericFakeChatModel  # noqa: E402
from langchain_core.messages import AIMessage, HumanMessage  # noqa: E402
from langchain_core.prompts import ChatPromptTemplate  # noqa: E402
from langchain_core.tools import tool  # noqa: E402

from hayflick.client import AnswerLog  # noqa: E402
from hayflick.integrations.langchain import WatchCallback  # noqa: E402

ANSWER = "It is on its way."
ASKED = [("system", "Be brief."), ("human", "Where is it?")]
ROW = (ANSWER, "anna", "Where is it?")


@pytest.fixture(scope="module")
def stand_in():
    with openai_stand_in() as model:
        yield model


@pytest.fixture(scope="module")
def run():
    """Run a coroutine in one event loop: LangChain keeps connections for all models."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def callback(path):
    return WatchCallback(AnswerLog(path))


@pytest.fixture
def chat(stand_in, callback):
    def make(model="anna", **more):
        given = {"base_url": stand_in.url, "api_key": "none", "max_retries": 0, **more}
        return openai.ChatOpenAI(model=model, **{"callbacks": [callback], **given})

    return make


@pytest.fixture
def rows(path):
    """Return what was recorded: text, group and prompt of each answer."""

    def read():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [(one["text"], one.get("group"), one.get("prompt")) for one in lines]

    return read


def test_answers_are_recorded_with_model_and_prompt(chat, rows):
    assert chat().invoke(ASKED).content == ANSWER
    assert rows() == [ROW]


@pytest.mark.parametrize("interface", [{}, {"use_responses_api": True}])
def test_a_streamed_answer_is_recorded_whole(chat, rows, run, interface):
    model = chat(**interface)
    assert "".join(piece.text for piece in model.stream(ASKED)) == ANSWER

    async def ask():
        return [piece.text async for piece in model.astream(ASKED)]

    assert "".join(run(ask())) == ANSWER
    assert rows() == [ROW] * 2


def test_a_callback_of_a_chain_hears_its_models(chat, callback, rows):
    chain = ChatPromptTemplate([("human", "Where is {what}?")]) | chat(callbacks=None)
    chain.batch([{"what": "it"}, {"what": "she"}], config={"callbacks": [callback]})
    assert sorted(rows()) == [ROW, (ANSWER, "anna", "Where is she?")]


def test_each_of_several_generations_is_an_answer(chat, rows):
    chat(n=3).generate([[HumanMessage(f"Where is {who}?")] for who in ("it", "she")])
    assert len(rows()) == 6
    assert [prompt for *_, prompt in rows()] == ["Where is it?"] * 3 + ["Where is she?"] * 3


def test_models_of_texts(stand_in, callback, rows):
    given = {"base_url": stand_in.url, "api_key": "none", "callbacks": [callback]}
    model = openai.OpenAI(model="anna", **given)
    assert model.invoke("Where is it?") == ANSWER
    assert "".join(model.stream("Where is it?")) == ANSWER
    FakeListLLM(responses=["Here."], callbacks=[callback]).invoke("Where is it?")
    assert rows() == [ROW, ROW, ("Here.", None, "Where is it?")]


def test_asynchronous_runs_record_in_the_loop_that_they_run_in(chat, run):
    threads = []

    class Recorder:
        def record(self, text, **more):
            threads.append(threading.get_ident())

    async def ask():
        model = chat(callbacks=[WatchCallback(Recorder())])
        await asyncio.gather(*(model.ainvoke(ASKED) for _ in range(5)))

    run(ask())
    assert threads == [threading.get_ident()] * 5


def test_what_is_no_answer_is_left_out(chat, callback, path):
    for name in ("caller", "filtered"):
        chat(name).invoke(ASKED)
        list(chat(name).stream(ASKED))
    with pytest.raises(Exception, match="no"):
        chat("broken").invoke(ASKED)
    refused = AIMessage("No.", additional_kwargs={"refusal": "No."})
    GenericFakeChatModel(messages=iter([refused]), callbacks=[callback]).invoke(ASKED)
    assert path.read_text() == ""
    assert not callback._open


def test_texts_of_blocks_without_reasoning_and_calls(callback, rows):
    blocks = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "text", "text": "Let me look."},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
    ]
    model = GenericFakeChatModel(messages=iter([AIMessage(blocks)]), callbacks=[callback])
    model.invoke(ASKED)
    assert rows() == [("Let me look.", None, "Where is it?")]


def test_the_group_may_be_the_node_of_an_agent(chat, path, rows, run):
    @tool
    def look(where: str) -> str:
        """Look somewhere."""
        return "nothing"

    agent = create_agent(chat(callbacks=None), tools=[look], name="desk")
    callback = WatchCallback(AnswerLog(path), group=lambda metadata: metadata["langgraph_node"])
    asked = {"messages": ASKED}
    agent.invoke(asked, config={"callbacks": [callback]})
    run(agent.ainvoke(asked, config={"callbacks": [callback]}))
    assert rows() == [(ANSWER, "model", "Where is it?")] * 2


def test_a_fault_of_the_recorder_is_none_of_the_run(chat, caplog):
    class Faulty:
        def record(self, text, **more):
            raise OSError("the disk is full")

    with caplog.at_level(logging.WARNING, logger="hayflick_client"):
        assert chat(callbacks=[WatchCallback(Faulty())]).invoke(ASKED).content == ANSWER
    said = [one.getMessage() for one in caplog.records if one.name == "hayflick_client"]
    assert said == ["answers of LangChain are not recorded: OSError: the disk is full"]


def test_runs_that_nobody_goes_on_with_are_forgotten(callback, monkeypatch):
    monkeypatch.setattr("hayflick.integrations.langchain._MOST_OPEN", 2)
    for number in range(5):
        callback.on_llm_start({}, ["Where?"], run_id=number)
    assert list(callback._open) == [3, 4]


def test_the_examples_of_the_documents(stand_in, path, rows, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", stand_in.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(path.parent)
    names = {}
    for example in examples("integrations.md", "LangChain and LangGraph"):
        exec(compile(example, "integrations.md", "exec"), names)
    asked = "Where is my order?"
    assert rows() == [(ANSWER, "gpt-5-mini", asked), (ANSWER, "model", asked)]
