import asyncio
import socket
import threading
import time

import pytest

from hayflick_client import AsyncWatcher


def watching(stand_in, **arguments):
    return AsyncWatcher("s", **{"url": stand_in.url, "token": "t", "interval_s": 0.02, **arguments})


def test_answers_arrive_and_the_loop_goes_on(stand_in):
    async def program():
        async with watching(stand_in, batch=20) as watcher:
            for number in range(50):
                watcher.record(str(number), group="a")
            assert await watcher.flush(5)
            watcher.record("last")
        return watcher.counts

    counts = asyncio.run(program())
    assert stand_in.texts == [*map(str, range(50)), "last"]
    assert counts.delivered == counts.recorded == 51
    assert max(map(len, stand_in.batches)) == 20


def test_an_answer_is_sent_after_the_interval(stand_in):
    async def program():
        watcher = watching(stand_in)
        watcher.record("one")
        deadline = time.monotonic() + 5
        while not stand_in.accepted and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        await watcher.close()

    asyncio.run(program())
    assert stand_in.texts == ["one"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(stand_in, status):
    def answer(items):
        return (
            (status, {"Retry-After": "0.1"}, None) if len(stand_in.batches) < 2 else (202, {}, None)
        )

    async def program():
        stand_in.answer = answer
        async with watching(stand_in) as watcher:
            watcher.record("one")
            assert await watcher.flush(5)
        return watcher.counts

    assert asyncio.run(program()).delivered == 1


def test_a_refusal_is_counted(stand_in):
    async def program():
        stand_in.answer = lambda items: (401, {}, {"detail": "no such token"})
        async with watching(stand_in) as watcher:
            watcher.record("one")
        return watcher.counts

    assert asyncio.run(program()).reasons == {"401: no such token": 1}


def test_a_service_that_never_answers_holds_nobody_up():
    async def program(url):
        watcher = AsyncWatcher("s", url=url, token="t", interval_s=0.01, timeout_s=30)
        watcher.record("one")
        assert not await watcher.flush(0.1)
        await watcher.close(timeout_s=0.2)
        return watcher.counts

    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        counts = asyncio.run(program(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert time.monotonic() - start < 2.0
    assert counts.dropped == 1


def test_it_may_be_made_before_the_loop_and_used_in_several(stand_in):
    watcher = watching(stand_in, interval_s=60)
    watcher.record("before any loop")

    async def program(text):
        watcher.record(text)
        assert await watcher.flush(5)

    asyncio.run(program("first loop"))
    asyncio.run(program("second loop"))
    watcher.record("after the loops")
    watcher._close_at_exit()
    assert stand_in.texts == ["before any loop", "first loop", "second loop", "after the loops"]


def test_it_is_closed_in_another_loop_than_it_was_used_in(stand_in):
    watcher = watching(stand_in, interval_s=60)

    async def program():
        watcher.record("answer")
        assert await watcher.flush(5)

    asyncio.run(program())
    asyncio.run(watcher.close())
    assert watcher.counts.delivered == 1


def test_other_threads_record_too(stand_in):
    async def program():
        async with watching(stand_in, interval_s=60, batch=10) as watcher:
            watcher.record("from the loop")
            work = threading.Thread(target=lambda: [watcher.record("x") for _ in range(9)])
            await asyncio.to_thread(work.run)
            deadline = time.monotonic() + 5
            while len(stand_in.accepted) < 10 and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            assert len(stand_in.accepted) == 10

    asyncio.run(program())
