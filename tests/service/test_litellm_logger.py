"""LiteLLM's own logger delivers answers into a stream (`make test-integrations` installs it)."""

import asyncio

import pytest
import sqlalchemy as sa

from hayflick.service.app import create_app
from hayflick.storage.service_tables import answers

litellm = pytest.importorskip("litellm", reason="litellm is not installed: make test-integrations")


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "service.db")


async def ask(url, headers, form):
    """Ask a model that is none, as a program would that logs its calls."""
    from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger

    endpoint = f"{url}/v1/streams/talk/answers"
    logger = GenericAPILogger(endpoint=endpoint, headers=headers, log_format=form)
    litellm.callbacks = [logger]
    for number in range(3):
        messages = [{"role": "user", "content": "Where is it?"}]
        answer = f"Number {number}."
        await litellm.acompletion(model="gpt-4o", messages=messages, mock_response=answer)
    for _ in range(100):
        if len(logger.log_queue) == 3:
            break
        await asyncio.sleep(0.05)
    await logger.flush_queue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["json_array", "ndjson", "single"])
def test_calls_that_litellm_logs_are_answers_of_a_stream(service, served, token, form):
    url = served(create_app(service))
    asyncio.run(ask(url, token("ingest"), form))
    columns = (answers.c.text, answers.c.group, answers.c.prompt)
    with service.database.connect() as connection:
        rows = connection.execute(sa.select(*columns).order_by(answers.c.text)).all()
    expected = [(f"Number {number}.", "gpt-4o", "Where is it?") for number in range(3)]
    assert [tuple(row) for row in rows] == expected
