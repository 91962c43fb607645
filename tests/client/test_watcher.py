import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from hayflick_client import Watcher

DOWN = "http://127.0.0.1:9"


@pytest.fixture
def watcher(stand_in):
    with Watcher("help desk", url=stand_in.url, token="hf_test", interval_s=0.02) as watcher:
        yield watcher


def test_answers_arrive_with_all_that_was_said_of_them(stand_in, watcher):
    at = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
    watcher.record("It is on its way.", group="a", prompt="Where?", values={"length": 5}, at=at)
    assert watcher.flush(5)
    (item,) = stand_in.accepted.values()
    assert len(item.pop("key")) == 32
    assert item == {
        "text": "It is on its way.",
        "group": "a",
        "prompt": "Where?",
        "values": {"length": 5.0},
        "time": at.timestamp(),
    }
    assert stand_in.paths == ["/v1/streams/help%20desk/answers"]
    assert stand_in.tokens == {"hf_test"}


def test_other_kinds_go_to_their_own_address(stand_in, watcher):
    watcher.record_vector([1, 2.5], text="yes", group="a")
    watcher.record_counts({"cat": 3})
    watcher.record_values({"score": 0.5})
    assert watcher.flush(5)
    assert [path.rpartition("/")[2] for path in stand_in.paths] == ["vectors", "counts", "values"]
    contents = [items[0] for items in stand_in.batches]
    assert contents[0]["vector"] == [1.0, 2.5]
    assert contents[1]["counts"] == {"cat": 3}
    assert contents[2]["values"] == {"score": 0.5}


def test_many_answers_go_in_batches_in_their_order(stand_in):
    with Watcher("s", url=stand_in.url, token="t", batch=50, interval_s=60) as watcher:
        for number in range(220):
            watcher.record(f"answer {number} " + "word " * 60)
    assert stand_in.texts == [f"answer {number} " + "word " * 60 for number in range(220)]
    assert max(map(len, stand_in.batches)) == 50
    assert watcher.counts.delivered == watcher.counts.recorded == 220


def test_an_endless_interval_waits_for_a_full_batch(stand_in):
    with Watcher("s", url=stand_in.url, token="t", batch=2, interval_s=math.inf) as watcher:
        watcher.record("one")
        watcher.record("two")
        watcher.record("three")
        assert watcher.flush(5)
    assert stand_in.texts == ["one", "two", "three"]


def test_an_answer_is_sent_after_the_interval_without_a_flush(stand_in, watcher):
    watcher.record("one")
    deadline = time.monotonic() + 5
    while not stand_in.accepted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert stand_in.texts == ["one"]


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(stand_in, watcher, status):
    times = []

    def answer(items):
        times.append(time.monotonic())
        return (status, {"Retry-After": "0.3"}, None) if len(times) == 1 else (202, {}, None)

    stand_in.answer = answer
    watcher.record("one")
    assert watcher.flush(5)
    assert 0.3 <= times[1] - times[0] < 2.0
    assert stand_in.batches[0] == stand_in.batches[1]
    assert watcher.counts.delivered == 1


def test_a_batch_whose_answer_was_lost_is_counted_once(stand_in, watcher):
    def answer(items):
        if len(stand_in.batches) == 1:
            stand_in.accepted.update({item["key"]: item for item in items})
            return 500, {}, None
        return 202, {}, None

    stand_in.answer = answer
    watcher.record("one")
    assert watcher.flush(5)
    assert stand_in.texts == ["one"]
    assert watcher.counts.duplicates == 1


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_refusal_drops_the_batch_with_the_services_reason(stand_in, watcher, status):
    stand_in.answer = lambda items: (status, {}, {"detail": "the token lacks the scope ingest"})
    for _ in range(3):
        watcher.record("one")
    assert watcher.flush(5)
    assert watcher.counts.refused == 3
    assert watcher.counts.reasons == {f"{status}: the token lacks the scope ingest": 3}
    stand_in.answer = None
    watcher.record("two")
    assert watcher.flush(5)
    assert watcher.counts.delivered == 1


@pytest.mark.parametrize("status", [413, 422])
def test_a_bad_item_does_not_take_its_batch_along(stand_in, status):
    def answer(items):
        bad = any(item["text"] == "bad" for item in items)
        return (status, {}, {"detail": "a bad text"}) if bad else (202, {}, None)

    stand_in.answer = answer
    with Watcher("s", url=stand_in.url, token="t", interval_s=60) as watcher:
        for number in range(50):
            watcher.record("bad" if number in (7, 31) else f"good {number}")
    assert watcher.counts.refused == 2
    assert watcher.counts.delivered == 48
    assert stand_in.texts == [f"good {number}" for number in range(50) if number not in (7, 31)]


def test_items_that_the_service_names_are_left_out(stand_in):
    def answer(items):
        bad = [place for place, item in enumerate(items) if item["text"] == "bad"]
        named = [{"item": place, "detail": "a bad text"} for place in bad[:2]]
        return (422, {}, {"detail": "item ...", "items": named}) if bad else (202, {}, None)

    stand_in.answer = answer
    with Watcher("s", url=stand_in.url, token="t", interval_s=60) as watcher:
        for number in range(50):
            watcher.record("bad" if number % 10 == 7 else f"good {number}")
    assert watcher.counts.reasons == {"422: a bad text": 5}
    assert watcher.counts.delivered == len(stand_in.accepted) == 45
    assert len(stand_in.batches) == 4


def test_a_batch_that_is_all_bad_takes_few_requests(stand_in):
    stand_in.answer = lambda items: (422, {}, {"detail": "this stream takes vectors"})
    with Watcher("s", url=stand_in.url, token="t", interval_s=60) as watcher:
        for _ in range(100):
            watcher.record("answer")
    assert watcher.counts.refused == 100
    assert len(stand_in.batches) < 25


def test_an_answer_that_the_service_fails_at_holds_up_no_other(stand_in, monkeypatch):
    monkeypatch.setattr("hayflick_client.delivery._FIRST_WAIT_S", 0.001)

    def answer(items):
        return (500 if any(item["text"] == "bad" for item in items) else 202, {}, None)

    stand_in.answer = answer
    with Watcher("s", url=stand_in.url, token="t", interval_s=60) as watcher:
        for number in range(4):
            watcher.record("bad" if number == 1 else f"good {number}")
        assert watcher.flush(20)
    assert watcher.counts.delivered == 3
    assert watcher.counts.reasons == {"500: no reason given": 1}


def test_a_redirect_is_not_followed_with_the_token(stand_in, watcher):
    stand_in.answer = lambda items: (307, {"Location": "http://elsewhere.example/"}, None)
    watcher.record("one")
    assert watcher.flush(5)
    reason = "307: the address redirects to http://elsewhere.example/"
    assert watcher.counts.reasons == {reason: 1}
    assert len(stand_in.batches) == 1


def test_the_oldest_answers_go_when_too_many_wait():
    watcher = Watcher("s", url=DOWN, token="t", capacity=10, batch=5, interval_s=60)
    for number in range(25):
        watcher.record(str(number))
    counts = watcher.counts
    # A batch of five may be under way.
    assert counts.recorded == 25
    assert 10 <= counts.dropped <= 15
    assert counts.dropped + counts.waiting == 25
    watcher.close(timeout_s=0)
    assert watcher.counts.dropped == 25


def test_what_waits_is_bounded_in_bytes():
    watcher = Watcher("s", url=DOWN, token="t", capacity_bytes=10_000, batch=1000, interval_s=60)
    for _ in range(100):
        watcher.record("x" * 1000)
    assert watcher.counts.waiting < 10
    watcher.close(timeout_s=0)


def test_recording_takes_no_time_while_nothing_listens():
    watcher = Watcher("s", url=DOWN, token="t", interval_s=0.01)
    start = time.perf_counter()
    for _ in range(2000):
        watcher.record("word " * 60)
    assert time.perf_counter() - start < 1.0
    watcher.close(timeout_s=0)


def test_a_service_that_never_answers_holds_nobody_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        watcher = Watcher("s", url=url, token="t", interval_s=0.01, timeout_s=30)
        watcher.record("one")
        assert not watcher.flush(0.1)
        start = time.monotonic()
        watcher.close(timeout_s=0.2)
        assert time.monotonic() - start < 2.0
        assert watcher.counts.dropped == 1


def test_answers_wait_for_a_service_that_comes_back(stand_in, watcher):
    stand_in.answer = lambda items: (
        (502, {}, None) if len(stand_in.batches) < 3 else (202, {}, None)
    )
    watcher.record("one")
    assert watcher.flush(10)
    assert stand_in.texts == ["one"]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda w: w.record(None), "TypeError: text: got NoneType, takes a string"),
        (lambda w: w.record_values({"x": math.nan}), "ValueError: Out of range float values"),
        (lambda w: w.record_vector(["a"]), "ValueError: could not convert string to float"),
        (lambda w: w.record_counts([1]), "AttributeError"),
    ],
)
def test_what_cannot_be_sent_is_counted_and_raises_nothing(watcher, call, reason):
    call(watcher)
    assert watcher.counts.refused == 1
    (said,) = watcher.counts.reasons
    assert said.startswith(reason)


def test_halves_of_signs_arrive_as_text(stand_in, watcher):
    watcher.record("left \ud83d right \ud83d\ude00 \x00 end")
    assert watcher.flush(5)
    assert stand_in.texts == ["left � right 😀 \x00 end"]


def test_nothing_is_taken_after_the_end(stand_in):
    watcher = Watcher("s", url=stand_in.url, token="t")
    watcher.close()
    watcher.record("late")
    assert watcher.counts.reasons == {"the watcher is closed": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"url": "127.0.0.1:8000"}, "url: got '127.0.0.1:8000', takes the service's address"),
        ({"url": None}, "or set HAYFLICK_URL"),
        ({"token": None}, "token: got none"),
        ({"token": "a\nb"}, "token: got one with blanks"),
        ({"stream": " "}, "stream: got ' '"),
        ({"capacity": 0}, "capacity: got 0, takes a number above 0"),
    ],
)
def test_wrong_settings_are_refused_at_once(monkeypatch, arguments, message):
    monkeypatch.delenv("HAYFLICK_URL", raising=False)
    monkeypatch.delenv("HAYFLICK_TOKEN", raising=False)
    with pytest.raises(ValueError, match=message.replace("(", "\\(")):
        Watcher(**{"stream": "s", "url": DOWN, "token": "t", **arguments})


def test_address_and_token_come_from_the_environment(monkeypatch, stand_in):
    monkeypatch.setenv("HAYFLICK_URL", stand_in.url)
    monkeypatch.setenv("HAYFLICK_TOKEN", "hf_env")
    with Watcher("s") as watcher:
        watcher.record("one")
    assert stand_in.tokens == {"hf_env"}


def test_many_threads_record_side_by_side(stand_in, watcher):
    def work():
        for _ in range(200):
            watcher.record("x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watcher.flush(20)
    assert watcher.counts.delivered == len(stand_in.accepted) == 1600


def test_recording_in_a_signal_handler_does_not_lock_up(stand_in, watcher):
    before = signal.signal(signal.SIGALRM, lambda *_: watcher.record("from the handler"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(1000):
            watcher.record("from the program")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert watcher.flush(20)
    assert watcher.counts.delivered == watcher.counts.recorded > 1000


def run_program(code, stand_in, **environment):
    variables = {**os.environ, "HAYFLICK_URL": stand_in.url, "HAYFLICK_TOKEN": "t", **environment}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=variables,
        timeout=30,
        capture_output=True,
        text=True,
    )


def test_what_waits_is_sent_at_exit(stand_in):
    code = "from hayflick_client import Watcher; Watcher('s', interval_s=60).record('last words')"
    done = run_program(code, stand_in)
    assert (done.returncode, done.stderr) == (0, "")
    assert stand_in.texts == ["last words"]


def test_what_is_recorded_by_another_exit_handler_is_sent(stand_in):
    code = (
        "import atexit; from hayflick_client import Watcher\n"
        "watcher = Watcher('s', interval_s=60)\n"
        "atexit.register(lambda: watcher.record('very last words'))\n"
    )
    done = run_program(code, stand_in)
    assert (done.returncode, done.stderr) == (0, "")
    assert stand_in.texts == ["very last words"]


def test_a_program_ends_in_time_while_nothing_listens(stand_in):
    code = "from hayflick_client import Watcher; Watcher('s', exit_timeout_s=0.3).record('x')"
    start = time.monotonic()
    done = run_program(code, stand_in, HAYFLICK_URL=DOWN)
    assert done.returncode == 0
    assert time.monotonic() - start < 5
    assert "not delivered in time: 1 items" in done.stderr


@pytest.mark.parametrize("how", ["fork", "multiprocessing"])
def test_a_forked_process_sends_its_own_answers_and_no_others(stand_in, how):
    fork = (
        "child = os.fork()\n"
        "if not child:\n"
        "    watcher.record('child')\n"
        "    sys.exit(0)\n"
        "os.waitpid(child, 0)\n"
    )
    process = (
        "import multiprocessing\n"
        "context = multiprocessing.get_context('fork')\n"
        "child = context.Process(target=watcher.record, args=('child',))\n"
        "child.start(); child.join()\n"
    )
    code = (
        "import os, sys; from hayflick_client import Watcher\n"
        "watcher = Watcher('s', interval_s=60)\n"
        "watcher.record('parent')\n" + (fork if how == "fork" else process)
    )
    done = run_program(code, stand_in)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(item["text"] for items in stand_in.batches for item in items) == [
        "child",
        "parent",
    ]


def test_importing_it_loads_neither_hayflick_nor_httpx():
    code = (
        "import time, sys; start = time.process_time(); import hayflick_client; "
        "took = time.process_time() - start; "
        "print(sorted({'hayflick', 'httpx', 'numpy'} & set(sys.modules)), took)"
    )
    command = [sys.executable, "-c", code]
    took = []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        loaded, _, seconds = done.stdout.rpartition(" ")
        assert loaded == "[]"
        took.append(float(seconds))
    assert min(took) < 0.15


def test_messages_are_logged_once(stand_in, watcher, caplog):
    stand_in.answer = lambda items: (403, {}, {"detail": "no"})
    for _ in range(5):
        watcher.record("x")
        assert watcher.flush(5)
    assert len([one for one in caplog.records if "refused (1 items): 403: no" in one.message]) == 1


def test_bodies_of_the_service_that_are_no_json_are_taken(stand_in, watcher):
    stand_in.answer = lambda items: (400, {}, json.dumps("<html>"))
    watcher.record("x")
    assert watcher.flush(5)
    assert watcher.counts.reasons == {"400: no reason given": 1}
