import pytest

from hayflick.core.errors import ArgumentError
from hayflick.core.http import RequestFailure
from hayflick.network.agents.chat import read_reply
from hayflick.network.agents.protocol import AnswerSeed, Prompt


def test_what_a_reply_holds_is_read():
    body = (
        b'{"model": "m-1", "usage": {"prompt_tokens": 5, "completion_tokens": 2}, '
        b'"choices": [{"message": {"content": "Yes. \\ud800"}, "finish_reason": "length"}]}'
    )
    reply = read_reply(body)
    assert (reply.tokens_in, reply.tokens_out) == (5, 2)
    assert (reply.text, reply.finish, reply.model) == ("Yes. ?", "length", "m-1")


@pytest.mark.parametrize("usage", ["null", "7", '{"prompt_tokens": "5"}', '{"prompt_tokens": -1}'])
def test_usage_that_is_no_number_is_unknown(usage):
    reply = read_reply(f'{{"choices": [{{"message": {{}}}}], "usage": {usage}}}'.encode())
    assert reply.tokens_in is None
    assert reply.text == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe\x00",
        b'{"choices": {}}',
        b'{"choices": [7]}',
        b'{"choices": [{"message": "x"}]}',
        b'{"choices": [{"message": {"content": []}}]}'[:-3],
        b"[" * 100_000,
    ],
)
def test_what_is_no_reply_may_be_asked_for_again(body):
    with pytest.raises(RequestFailure) as caught:
        read_reply(body)
    assert caught.value.transient
    assert caught.value.charged


def test_a_reply_of_transformers_serve_is_read():
    body = (
        b'{"id":"5784b00c","choices":[{"finish_reason":"length","index":0,"message":{"content":'
        b'"The flower","role":"assistant"}}],"created":1795624721,"model":"./tiny","object":'
        b'"chat.completion","usage":{"completion_tokens":2,"prompt_tokens":12,"total_tokens":14}}'
    )
    reply = read_reply(body)
    assert (reply.text, reply.tokens_in, reply.tokens_out) == ("The flower", 12, 2)
    assert (reply.finish, reply.model) == ("length", "./tiny")
    # What a model thought, but did not say, is no part of its answer.
    thought = body.replace(b'"content":"The flower"', b'"reasoning_content":"A flower?"')
    assert read_reply(thought).text == ""


def test_a_prompt_puts_texts_in_once():
    prompt = Prompt('Q: {query} {"a": 1}\n{context}', persona="Be brief.")
    system, user = prompt.messages("{context}?", ["{query}", "b"])
    assert system == {"role": "system", "content": "Be brief."}
    assert user["content"] == 'Q: {context}? {"a": 1}\n{query}\n\nb'
    assert Prompt().messages("Why?", [])[1]["content"] == "Why?"


@pytest.mark.parametrize("template", ["", "{context}", "{query} {texts}"])
def test_a_template_without_the_query_is_refused(template):
    with pytest.raises(ArgumentError, match="template"):
        Prompt(template)


def test_every_part_of_a_place_changes_its_seed():
    base = {"run": 7, "agent": "a", "round": 1, "query": 0, "index": 0}
    numbers = {AnswerSeed(**base).number}
    for key, value in (("run", 8), ("agent", "b"), ("round", 2), ("query", 1), ("index", 1)):
        numbers.add(AnswerSeed(**{**base, key: value}).number)
    assert len(numbers) == 6
    assert AnswerSeed(**base).stream().random() == AnswerSeed(**base).stream().random()
    assert all(0 <= number < 2**53 for number in numbers)


@pytest.mark.parametrize("place", [{"run": -1}, {"run": 1, "round": 0}, {"run": 1, "index": 1.5}])
def test_a_place_out_of_range_is_refused(place):
    with pytest.raises(ArgumentError):
        AnswerSeed(**place)


def test_what_cannot_be_kept_is_cleaned_wherever_it_stands():
    body = b'{"choices": [{"message": {"content": "a\\ud800"}, "finish_reason": "s\\ud800"}], '
    reply = read_reply(body + b'"model": "m\\ud800", "usage": {"prompt_tokens": 1e3}}')
    assert (reply.text, reply.finish, reply.model) == ("a?", "s?", "m?")
    assert reply.tokens_in is None


def test_counts_that_no_request_can_have_are_not_known():
    usage = f'{{"prompt_tokens": {10**30}, "completion_tokens": {10**12}}}'
    reply = read_reply(f'{{"choices": [{{"message": {{}}}}], "usage": {usage}}}'.encode())
    assert (reply.tokens_in, reply.tokens_out) == (None, 10**12)
