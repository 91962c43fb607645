"""`WatchEventHandler` against LlamaIndex itself (`make test-integrations` installs it)."""

import asyncio
import json
import logging

import pytest
from doc_examples import examples
from openai_stand_in import openai_stand_in

reason = "llama-index is not installed: make test-integrations"
pytest.importorskip("llama_index.core", reason=reason)
openai_like = pytest.importorskip("llama_index.llms.openai_like", reason=reason)

from llama_index.core import Document, Settings, SummaryIndex  # noqa: E402
from llama_index.core.agent.workflow import FunctionAgent  # noqa: E402
from llama_index.core.instrumentation import get_dispatcher  # noqa: E402
from llama_index.core.instrumentation.dispatcher import instrument_tags  # noqa: E402
from llama_index.core.llms import ChatMessage, CompletionResponse, CustomLLM, LLMMetadata  # noqa: E402
from llama_index.core.llms.callbacks import llm_completion_callback  # noqa: E402

from hayflick.client import AnswerLog  # noqa: E402
from hayflick.integrations.llama_index import WatchEventHandler  # noqa: E402

ANSWER = "It is on its way."
ASKED = [ChatMessage("Be brief.", role="system"), ChatMessage("Where is it?", role="user")]
ROW = (ANSWER, "anna", "Where is it?")


class OwnModel(CustomLLM):
    """A model of texts, whose chats LlamaIndex makes of completions."""

    @property
    def metadata(self):
        return LLMMetadata(model_name="own")

    @llm_completion_callback()
    def complete(self, prompt, *given, **kwargs):
        if "break" in prompt:
            raise OSError("no")
        return CompletionResponse(text=ANSWER)

    @llm_completion_callback()
    def stream_complete(self, prompt, *given, **kwargs):
        yield CompletionResponse(text=ANSWER[:5], delta=ANSWER[:5])
        yield CompletionResponse(text=ANSWER, delta=ANSWER[5:])


@pytest.fixture(scope="module")
def stand_in():
    with openai_stand_in() as model:
        yield model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def handle():
    """Add handlers of events, and take all away after the test."""
    dispatcher = get_dispatcher()
    before = list(dispatcher.event_handlers)
    yield dispatcher.add_event_handler
    dispatcher.event_handlers = before


@pytest.fixture
def handler(path, handle):
    handler = WatchEventHandler(AnswerLog(path))
    handle(handler)
    yield handler
    assert not handler._open


@pytest.fixture
def model(stand_in):
    def make(name="anna", **more):
        given = {"api_base": stand_in.url, "api_key": "none", "max_retries": 0, **more}
        return openai_like.OpenAILike(model=name, **{"is_chat_model": True, **given})

    return make


@pytest.fixture
def rows(path):
    """Return what was recorded: text, group and prompt of each answer."""

    def read():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [(one["text"], one.get("group"), one.get("prompt")) for one in lines]

    return read


def test_answers_are_recorded_with_model_and_prompt(handler, model, rows):
    assert model().chat(ASKED).message.content == ANSWER
    assert model().complete("Where is it?").text == ANSWER
    assert model(is_chat_model=False).complete("Where is it?").text == ANSWER
    assert rows() == [ROW] * 3
    assert model(is_chat_model=False).chat(ASKED).message.content == ANSWER
    assert rows()[3][2].split("\n") == ["system: Be brief.", "user: Where is it?", "assistant: "]


def test_streamed_answers_are_recorded_whole(handler, model, rows):
    assert "".join(piece.delta or "" for piece in model().stream_chat(ASKED)) == ANSWER
    for given in ({}, {"is_chat_model": False}):
        assert list(model(**given).stream_complete("Where is it?"))[-1].text == ANSWER
    assert rows() == [ROW] * 3


def test_asynchronous_calls(handler, model, rows):
    async def ask():
        chat = model()
        await asyncio.gather(chat.achat(ASKED), chat.acomplete("Where is it?"))
        assert len([piece async for piece in await chat.astream_chat(ASKED)]) > 1
        assert len([piece async for piece in await chat.astream_complete("Where is it?")]) > 1

    asyncio.run(ask())
    assert rows() == [ROW] * 4


def test_a_chat_that_is_made_of_a_completion_is_one_answer(handler, rows):
    own = OwnModel()
    own.chat(ASKED)
    assert rows() == [(ANSWER, "own", "Where is it?")]
    list(own.stream_chat(ASKED))
    assert len(rows()) == 2
    own.complete("Where?")
    assert len(rows()) == 3

    async def ask():
        await own.achat(ASKED)
        assert len([piece async for piece in await own.astream_chat(ASKED)]) == 2
        await asyncio.gather(own.achat(ASKED), own.acomplete("Where?"))

    asyncio.run(ask())
    assert len(rows()) == 7


def test_calls_in_the_middle_of_a_stream_are_answers_too(handler, model, rows):
    for place, _ in enumerate(model().stream_chat(ASKED)):
        if place in (0, 1):
            model().chat(ASKED)
    assert rows() == [ROW] * 3


def test_what_is_no_answer_is_left_out(handler, model, path):
    for name in ("caller", "filtered"):
        model(name).chat(ASKED)
        list(model(name).stream_chat(ASKED))
    with pytest.raises(Exception, match="no"):
        model("broken").chat(ASKED)
    with pytest.raises(OSError, match="no"):
        OwnModel().chat([ChatMessage("break", role="user")])
    stream = model().stream_chat(ASKED)
    next(stream)
    stream.close()
    assert path.read_text() == ""


def test_a_stream_that_nobody_reads_costs_no_later_answer(path, handle, model, rows):
    handle(WatchEventHandler(AnswerLog(path)))
    model().stream_chat(ASKED)
    OwnModel().chat(ASKED)
    assert [group for _, group, _ in rows()] == ["own"]


def test_answers_of_indexes_and_agents(handler, model, rows):
    index = SummaryIndex.from_documents([Document(text="Orders take two days.")])
    index.as_query_engine(llm=model()).query("How long?")
    agent = FunctionAgent(llm=model(is_function_calling_model=True), tools=[])

    async def ask():
        return await agent.run("Where is it?")

    assert str(asyncio.run(ask())) == ANSWER
    (_, group, prompt), asked = rows()
    assert (group, asked) == ("anna", ROW)
    assert "Orders take two days." in prompt


def test_the_group_may_be_a_tag(path, handle, model, rows):
    handle(WatchEventHandler(AnswerLog(path), group=lambda tags: tags.get("agent")))
    with instrument_tags({"agent": "returns"}):
        model().chat(ASKED)
        list(model().stream_chat(ASKED))
    model().chat(ASKED)
    assert [group for _, group, _ in rows()] == ["returns", "returns", "anna"]


def test_a_fault_of_the_recorder_is_none_of_the_call(handle, model, caplog):
    class Faulty:
        def record(self, text, **more):
            raise OSError("the disk is full")

    handle(WatchEventHandler(Faulty()))
    with caplog.at_level(logging.WARNING, logger="hayflick_client"):
        assert model().chat(ASKED).message.content == ANSWER
    said = [one.getMessage() for one in caplog.records if one.name == "hayflick_client"]
    assert said == ["answers of LlamaIndex are not recorded: OSError: the disk is full"]


def test_the_examples_of_the_documents(stand_in, handle, path, rows, monkeypatch):
    monkeypatch.setenv("OPENAI_API_BASE", stand_in.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(path.parent)
    names = {}
    for example in examples("integrations.md", "LlamaIndex"):
        exec(compile(example, "integrations.md", "exec"), names)
    assert isinstance(Settings.llm, names["OpenAI"])
    assert rows() == [(ANSWER, "gpt-5-mini", "Where is my order?")]
