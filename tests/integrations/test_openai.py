"""`watched` against OpenAI's client itself (`make test-integrations` installs it)."""

import asyncio
import json
import logging

import pytest
from doc_examples import examples
from openai_stand_in import openai_stand_in

openai = pytest.importorskip("openai", reason="openai is not installed: make test-integrations")

from hayflick.client import AnswerLog  # noqa: E402
from hayflick.integrations.openai import watched  # noqa: E402

ANSWER = "It is on its way."
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}]
CHAT = {"model": "anna", "messages": ASKED}


@pytest.fixture(scope="module")
def model():
    with openai_stand_in() as model:
        yield model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def plain(model):
    with openai.OpenAI(base_url=model.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def client(plain, path):
    return watched(plain, AnswerLog(path))


@pytest.fixture
def rows(path):
    """Return what was recorded: text, group and prompt of each answer."""

    def read():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        return [(one["text"], one["group"], one["prompt"]) for one in lines]

    return read


def asynchronous(model, path, ask):
    async def run():
        async with openai.AsyncOpenAI(base_url=model.url, api_key="none", max_retries=0) as client:
            return await ask(watched(client, AnswerLog(path)))

    return asyncio.run(run())


def test_answers_are_recorded_with_model_and_prompt(client, rows):
    found = client.chat.completions.create(**CHAT)
    assert found.choices[0].message.content == ANSWER
    assert rows() == [(ANSWER, "anna", "Where is it?")]


def test_each_of_several_choices_is_an_answer(client, rows):
    client.chat.completions.create(**CHAT, n=3)
    assert [text for text, *_ in rows()] == [ANSWER, f"{ANSWER} (2)", f"{ANSWER} (3)"]


@pytest.mark.parametrize("n", [1, 2])
def test_a_streamed_answer_is_recorded_whole(client, rows, n):
    with client.chat.completions.create(**CHAT, stream=True, n=n) as stream:
        assert isinstance(stream, openai.Stream)
        pieces = [one.choices[0].delta.content or "" for one in stream if one.choices]
    assert "".join(pieces).startswith(ANSWER)
    assert len(rows()) == n
    assert rows()[0] == (ANSWER, "anna", "Where is it?")


def test_an_answer_is_recorded_when_the_model_ends_it(client, rows):
    for piece in client.chat.completions.create(**CHAT, stream=True):
        if piece.choices and piece.choices[0].finish_reason:
            break
    assert [text for text, *_ in rows()] == [ANSWER]


def test_a_stream_that_is_not_read_to_its_end_is_left_out(client, path):
    with client.chat.completions.create(**CHAT, stream=True) as stream:
        next(stream)
        assert next(stream).choices[0].delta.content == ANSWER[:5]
    assert path.read_text() == ""


def test_the_helper_of_streams_is_watched_too(client, rows):
    with client.chat.completions.stream(**CHAT) as stream:
        assert stream.get_final_completion().choices[0].message.content == ANSWER
    with client.responses.stream(model="anna", input="Where is it?") as stream:
        assert stream.get_final_response().output_text == ANSWER
    assert rows() == [(ANSWER, "anna", "Where is it?")] * 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("given", ["Where is it?", ASKED])
def test_the_interface_of_responses(client, rows, given, stream):
    found = client.responses.create(model="anna", input=given, stream=stream)
    if stream:
        assert [one.type for one in found][-1] == "response.completed"
    else:
        assert found.output_text == ANSWER
    assert rows() == [(ANSWER, "anna", "Where is it?")]


@pytest.mark.parametrize("stream", [False, True])
def test_completions_of_several_prompts(client, rows, stream):
    asked = ["Where is it?", "When does it come?"]
    found = client.completions.create(model="anna", prompt=asked, n=2, stream=stream)
    if stream:
        list(found)
    assert [text for text, *_ in rows()] == [ANSWER, *(f"{ANSWER} ({n})" for n in (2, 3, 4))]
    assert [prompt for *_, prompt in rows()] == [asked[0], asked[0], asked[1], asked[1]]


def test_what_is_parsed_is_recorded_as_it_was_written(model, client, rows, monkeypatch):
    class Delivery(openai.BaseModel):
        days: int

    monkeypatch.setattr(model, "answer", '{"days": 2}')
    found = client.chat.completions.parse(**CHAT, response_format=Delivery)
    assert found.choices[0].message.parsed.days == 2
    assert [text for text, *_ in rows()] == ['{"days": 2}']


@pytest.mark.parametrize("stream", [False, True])
def test_calls_of_tools_and_filtered_answers_are_left_out(client, path, stream):
    for name in ("caller", "filtered"):
        found = client.chat.completions.create(model=name, messages=ASKED, stream=stream)
        assert not stream or list(found)
    found = client.responses.create(model="caller", input="Where?", stream=stream)
    assert not stream or list(found)
    assert path.read_text() == ""


@pytest.mark.parametrize("stream", [False, True])
def test_raw_responses(client, rows, stream):
    raw = client.chat.completions.with_raw_response.create(**CHAT, stream=stream)
    assert raw.http_response.status_code == 200
    found = raw.parse()
    if stream:
        list(found)
    assert raw.parse() is found
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        assert response.parse().choices[0].message.content == ANSWER
    assert rows() == [(ANSWER, "anna", "Where is it?")] * 2


def test_asynchronous_clients(model, path, rows):
    async def ask(client):
        assert isinstance(client, openai.AsyncOpenAI)
        chat = client.chat.completions
        await asyncio.gather(*(chat.create(**CHAT) for _ in range(3)))
        assert isinstance(stream := await chat.create(**CHAT, stream=True), openai.AsyncStream)
        assert len([piece async for piece in stream]) == 4
        async with client.responses.stream(model="anna", input="Where is it?") as stream:
            assert (await stream.get_final_response()).output_text == ANSWER
        raw = await chat.with_raw_response.create(**CHAT)
        assert raw.parse().choices[0].message.content == ANSWER
        async with chat.with_streaming_response.create(**CHAT) as response:
            assert (await response.parse()).choices[0].message.content == ANSWER
        await client.completions.create(model="anna", prompt="Where is it?")

    asynchronous(model, path, ask)
    assert rows() == [(ANSWER, "anna", "Where is it?")] * 8


def test_the_client_behaves_as_before(plain, client, rows, model):
    assert isinstance(client, openai.OpenAI)
    assert repr(type(client)) == repr(openai.OpenAI)
    assert client.base_url == plain.base_url
    with pytest.raises(openai.BadRequestError, match="no"):
        client.chat.completions.create(model="broken", messages=ASKED)
    plain.chat.completions.create(**CHAT)  # is not watched
    assert rows() == []
    client.with_options(timeout=5).chat.completions.create(**CHAT)
    assert len(rows()) == 1
    assert model.asked[-1] == CHAT


def test_the_group_is_what_is_asked_for(plain, path, rows):
    watched(plain, AnswerLog(path), group="help desk").chat.completions.create(**CHAT)
    by_tag = watched(plain, AnswerLog(path), group=lambda body: body["metadata"]["agent"])
    by_tag.chat.completions.create(**CHAT, metadata={"agent": "shop"})
    assert [group for _, group, _ in rows()] == ["help desk", "shop"]


def test_clients_of_azure_are_watched(model, path, rows):
    more = {"api_version": "2025-01-01", "azure_deployment": "desk", "api_key": "none"}
    azure = openai.AzureOpenAI(base_url=None, azure_endpoint=model.url, **more)
    with watched(azure, AnswerLog(path)) as client:
        client.chat.completions.create(**CHAT)
    assert rows() == [(ANSWER, "anna", "Where is it?")]


def test_a_fault_of_the_recorder_is_none_of_the_call(plain, caplog):
    class Faulty:
        def record(self, text, **more):
            raise OSError("the disk is full")

    client = watched(plain, Faulty())
    with caplog.at_level(logging.WARNING, logger="hayflick_client"):
        for stream in (False, True):
            found = client.chat.completions.create(**CHAT, stream=stream)
        assert len(list(found)) == 4
    said = [one.getMessage() for one in caplog.records if one.name == "hayflick_client"]
    assert said == ["answers of OpenAI's client are not recorded: OSError: the disk is full"]


@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_no_client_or_recorder_is_refused(plain, path, swapped):
    given = (AnswerLog(path), plain) if swapped else (plain, "answers.jsonl")
    with pytest.raises(TypeError, match=r"got (AnswerLog|str), takes an? (openai.OpenAI|Watcher)"):
        watched(*given)


def test_the_examples_of_the_documents(model, path, rows, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", model.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(path.parent)
    names = {}
    for example in examples("integrations.md", "OpenAI's client"):
        exec(compile(example, "integrations.md", "exec"), names)
    assert rows() == [
        (ANSWER, "gpt-5-mini", "Where is my order?"),
        (ANSWER, "returns", "Where is my order?"),
    ]
