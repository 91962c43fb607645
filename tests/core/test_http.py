import asyncio

import pytest

from hayflick.core.http import RequestFailure, Retries, refusal, retry_after, run_to_end


@pytest.mark.parametrize(
    ("status", "transient"),
    [
        (400, False),
        (401, False),
        (404, False),
        (408, True),
        (422, False),
        (429, True),
        (500, True),
        (503, True),
        (529, True),
    ],
)
def test_which_statuses_are_transient(status, transient):
    failure = refusal(status, {}, b"<html>")
    assert failure.transient is transient
    assert not failure.charged
    assert str(status) in failure.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            b'{"error": {"message": "no such\\n model", "code": null}}',
            "it answers 400 (no such model)",
        ),
        (b'{"error": "no such model"}', "it answers 400 (no such model)"),
        # As transformers serve says that a model, or a key, is not the one that it knows.
        (
            b"{\"detail\":\"Server is pinned to './tiny'; requested 'tiny'.\"}",
            "it answers 400 (Server is pinned to './tiny'; requested 'tiny'.)",
        ),
        (b'{"error": {"message": null}}', "it answers 400"),
        (b'{"detail": [{"loc": ["body"], "msg": "Field required"}]}', "it answers 400"),
        (b'{"error": 7}', "it answers 400"),
        (b'{"error": {}}', "it answers 400"),
        (b'["error"]', "it answers 400"),
        (b"{}", "it answers 400"),
        (b"Internal Server Error", "it answers 400"),
        (b"[" * 100_000, "it answers 400"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_endpoint(body, reason):
    assert refusal(400, {}, body).reason == reason


def test_a_key_is_hidden_before_a_long_message_is_cut():
    body = f'{{"detail": "{"x" * 295} sk-Not4Anyone"}}'.encode()
    assert refusal(400, {}, body, keys=["sk-Not4Anyone"]).reason.endswith("x …)")


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("", None),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 100.0),
    ],
)
def test_retry_after(asked, seconds):
    assert retry_after({"retry-after": asked}, now=20.0) == seconds


def test_waits_double_and_are_bounded():
    retries = Retries(most=8, first_wait_s=1.0, longest_wait_s=20.0, longest_asked_s=100.0)
    assert [retries.wait_s(n, random=0.0) for n in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]
    assert retries.wait_s(3, random=1.0) == 2.0
    assert retries.wait_s(1, random=0.0, asked=99.0) == 99.0
    assert retries.wait_s(1, random=0.0, asked=101.0) is None
    assert retries.wait_s(9, random=0.0) is None


def test_a_place_that_quotes_the_key_is_not_shown():
    failure = refusal(302, {"location": "http://other/SECRET/v1?a=b"}, b"", keys=["SECRET"])
    assert failure.reason == "it answers 302: it has moved to http://other/…/v1"


async def after(failures, *, transient=True):
    fails = iter([True] * failures)

    async def attempt():
        if next(fails, False):
            raise RequestFailure("busy", transient=transient, charged=False)
        return "done"

    return await Retries(most=2, first_wait_s=0.001).run(attempt)


def test_attempts_are_counted_and_bounded():
    assert run_to_end(after(0)) == ("done", 1)
    assert run_to_end(after(2)) == ("done", 3)
    for failures, transient, attempts in ((3, True, 3), (1, False, 1)):
        with pytest.raises(RequestFailure) as caught:
            run_to_end(after(failures, transient=transient))
        assert caught.value.attempts == attempts


def test_work_is_run_to_its_end_inside_an_event_loop():
    async def notebook():
        return run_to_end(after(1))

    assert asyncio.run(notebook()) == ("done", 2)
