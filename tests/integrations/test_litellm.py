"""`WatchLogger` against LiteLLM itself (`make test-integrations` installs it)."""

import asyncio
import json
import logging
import os
import time

import pytest
from doc_examples import examples
from openai_stand_in import openai_stand_in

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # nothing is downloaded
litellm = pytest.importorskip("litellm", reason="litellm is not installed: make test-integrations")

from hayflick.client import AnswerLog  # noqa: E402
from hayflick.integrations.litellm import WatchLogger  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ANSWER = "It is on its way."
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}]


@pytest.fixture(scope="module")
def model():
    """Where to find a model on loopback."""
    with openai_stand_in() as found:
        yield {"api_base": found.url, "api_key": "none"}


@pytest.fixture
def path(tmp_path):
    litellm.logging_callback_manager._reset_all_callbacks()
    yield tmp_path / "answers.jsonl"
    litellm.logging_callback_manager._reset_all_callbacks()


def watch_with(*arguments, **more):
    litellm.callbacks = [WatchLogger(*arguments, **more)]


def recorded(path, number):
    """Return what was recorded, when nothing more comes."""
    rows, end = [], time.monotonic() + 20
    while len(rows) < number and time.monotonic() < end:
        time.sleep(0.05)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    time.sleep(0.3)  # LiteLLM logs in threads and tasks of its own
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_answers_of_calls_are_recorded(path, model):
    watch_with(AnswerLog(path))
    for _ in range(3):
        litellm.completion(model="openai/anna", messages=ASKED, **model)
    rows = recorded(path, 3)
    assert len(rows) == 3
    for row in rows:
        found = (row["text"], row["group"], row["prompt"])
        assert found == (ANSWER, "anna", "Where is it?")
        assert time.time() - 60 < row["time"] <= time.time()
    assert len({row["key"] for row in rows}) == 3


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("streamed", [False, True])
def test_an_answer_is_recorded_once(path, model, asynchronous, streamed):
    watch_with(AnswerLog(path))
    call = {"model": "openai/anna", "messages": ASKED, "stream": streamed, **model}

    async def ask():
        found = await litellm.acompletion(**call)
        if streamed:
            async for _ in found:
                pass
        await asyncio.sleep(0.5)

    if asynchronous:
        asyncio.run(ask())
    else:
        found = litellm.completion(**call)
        if streamed:
            list(found)
    assert [row["text"] for row in recorded(path, 1)] == [ANSWER]


def test_each_of_several_choices_is_an_answer(path, model):
    watch_with(AnswerLog(path))
    litellm.completion(model="openai/anna", messages=ASKED, n=3, **model)
    texts = sorted(row["text"] for row in recorded(path, 3))
    assert texts == [ANSWER, f"{ANSWER} (2)", f"{ANSWER} (3)"]


def test_answers_of_the_interface_of_responses_are_recorded(path, model):
    watch_with(AnswerLog(path))
    litellm.responses(model="openai/anna", input="Where is it?", **model)
    (row,) = recorded(path, 1)
    assert (row["text"], row["prompt"]) == (ANSWER, "Where is it?")


def test_what_is_no_answer_is_left_out(path, model, caplog):
    watch_with(AnswerLog(path))
    litellm.completion(model="openai/caller", messages=ASKED, **model)
    litellm.embedding(model="openai/embedder", input=["Where?"], **model)
    with pytest.raises(litellm.BadRequestError):
        litellm.completion(model="openai/broken", messages=ASKED, num_retries=0, **model)
    litellm.completion(model="openai/anna", messages=ASKED, **model)
    assert [row["text"] for row in recorded(path, 1)] == [ANSWER]
    assert not [one for one in caplog.records if one.name == "hayflick_client"]


def test_the_group_is_the_name_in_a_router_or_what_is_asked_for(path, model, tmp_path):
    other = tmp_path / "other.jsonl"
    watch_with(AnswerLog(path))
    litellm.callbacks.append(WatchLogger(AnswerLog(other), group=lambda payload: "mine"))
    parameters = {"model": "openai/anna", **model}
    router = litellm.Router([{"model_name": "help desk", "litellm_params": parameters}])
    router.completion(model="help desk", messages=ASKED)
    assert [row["group"] for row in recorded(path, 1)] == ["help desk"]
    assert [row["group"] for row in recorded(other, 1)] == ["mine"]


def test_texts_that_litellm_hides_are_missed_aloud(path, model, caplog, monkeypatch):
    monkeypatch.setattr(litellm, "turn_off_message_logging", True)
    watch_with(AnswerLog(path))
    with caplog.at_level(logging.WARNING, logger="hayflick_client"):
        for _ in range(2):
            litellm.completion(model="openai/anna", messages=ASKED, **model)
        assert recorded(path, 0) == []
        time.sleep(0.5)
    said = [one.getMessage() for one in caplog.records if one.name == "hayflick_client"]
    assert len(said) == 1
    assert "set turn_off_message_logging to false" in said[0]


def test_a_fault_of_the_recorder_is_no_fault_of_the_call(path, model, caplog):
    class Faulty:
        def record(self, text, **more):
            raise OSError("the disk is full")

    watch_with(Faulty())
    found = litellm.completion(model="openai/anna", messages=ASKED, **model)
    assert found.choices[0].message.content == ANSWER
    time.sleep(0.5)
    said = [one.getMessage() for one in caplog.records if one.name == "hayflick_client"]
    assert said == ["answers of LiteLLM are not recorded: OSError: the disk is full"]


def test_the_examples_in_the_documents(path, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HAYFLICK_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HAYFLICK_TOKEN", "hf_none")
    program, proxy = examples("integrations.md", "LiteLLM")
    exec(compile(program, "integrations.md", "exec"), {})
    litellm.completion(model="openai/anna", messages=ASKED, **model)
    assert [row["text"] for row in recorded(path, 1)] == [ANSWER]
    (tmp_path / "hayflick_logger.py").write_text(proxy)
    from litellm.proxy.types_utils.utils import get_instance_fn

    logger = get_instance_fn("hayflick_logger.logger", str(tmp_path / "config.yaml"))
    assert isinstance(logger, WatchLogger)
    logger._recorder.close(timeout_s=0)
