"""What would take up the memory, the threads or the time of a service that others use too."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.service import alerts, api_export, api_health
from hayflick.service.alerts import AlertWorker, send_test
from hayflick.service.api_export import stream_columns
from hayflick.service.api_ingest import Intake
from hayflick.service.events import Broadcast, event_stream
from hayflick.service.ingest import ingest
from hayflick.service.pages.rules import difference
from hayflick.service.problems import Problem
from hayflick.service.round_keeper import RoundKeeper
from hayflick.service.settings import Limits
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.accounts import Principal, project_named
from hayflick.storage.streams import create_stream, stream_named
from hayflick.storage.targets import MOST_TARGETS, put_target


@pytest.fixture
def place(tmp_path):
    """Nothing here depends on the engine."""
    return str(tmp_path / "service.db")


@pytest.mark.parametrize(
    "body",
    [
        {"values": [str(n) for n in range(101)]},
        {"metrics": ["words"] * 1000},
        {"charts": [f"spread=shewhart:{n}" for n in range(1000)]},
        {"must_keep": {str(n): 1.0 for n in range(2000)}},
        {"embedder": "x" * 10_000},
    ],
)
def test_settings_without_end_are_refused(client, token, body):
    answer = client.put("/v1/streams/talk", json=body, headers=token("admin"))
    assert answer.status_code == 422


def test_items_make_no_stream_of_numbers_without_end(client, token):
    items = [{"values": {f"v{n}-{k}": 1.0 for k in range(100)}} for n in range(2)]
    answer = client.post("/v1/streams/talk/values", json=items, headers=token("ingest"))
    assert answer.status_code == 422
    assert "200 numbers" in answer.json()["detail"]


def test_counts_of_millions_are_exported_a_few_at_a_time(client, service, token):
    """Each row of label counts stands for a million: all at once they would fill the memory."""
    items = [{"counts": {"a": 1_000_000}, "key": f"k{n}"} for n in range(50)]
    sent = client.post("/v1/streams/talk/counts", json=items, headers=token("ingest"))
    assert sent.status_code == 200, sent.text
    principal = Principal(1, "test", frozenset({"read"}))
    asking = SimpleNamespace(reading=service.database.connect, principal=principal)
    with service.database.connect() as connection:
        stream = stream_named(connection, 1, "talk")
        columns = stream_columns(connection, stream, service.settings.defaults)
    tracemalloc.start()
    try:
        parts = api_export._rows(asking, stream, columns, 0, 1)
        assert [len(next(parts)) for _ in range(30)] == [100] * 30
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_nobody_waits_for_all_rounds_of_somebody_else(service, monkeypatch):
    """Whoever fills rounds faster than they are measured holds up their own streams alone."""
    settings = StreamSettings(every=2, baseline=2, charts=())
    order, names = [], {}

    def measured(_, number):
        order.append(names[number])
        return 1 if order.count(names[number]) <= 3 else 0

    monkeypatch.setattr(RoundKeeper, "_measure", measured)
    monkeypatch.setattr("hayflick.service.round_keeper._STREAMS_TOGETHER", 2)
    with service:
        for project, count in (("busy", 3), ("other", 1)):
            for number in range(count):
                with service.database.transaction() as connection:
                    found = project_named(connection, project, now=0.0)
                    given = {"kind": "answers", "settings": settings.model_dump_json()}
                    name = f"{project} {number}"
                    names[create_stream(connection, found, name, **given, now=0.0).id] = name
                principal = Principal(found, "test", frozenset({"ingest"}))
                items = [{"text": f"answer {n}"} for n in range(8)]
                ingest(service, principal, name, "answers", items).result()
        assert RoundKeeper(service).work() == 12
    first, second, third = (f"busy {number}" for number in range(3))
    assert order[:9] == [
        *(first, second, "other 0"),
        *(third, first, "other 0"),
        *(second, third, "other 0"),
    ]


def test_a_project_has_targets_within_bounds(service):
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        for number in range(MOST_TARGETS):
            put_target(connection, project, f"t{number}", kind="apprise", url="a://b", now=0.0)
        put_target(connection, project, "t0", kind="apprise", url="c://d", now=0.0)
        with pytest.raises(ArgumentError, match="50 targets"):
            put_target(connection, project, "more", kind="apprise", url="a://b", now=0.0)


def test_slow_targets_of_one_project_hold_up_no_other(service, monkeypatch):
    """They would also take a process each, of a hundred megabytes."""
    numbers = {}
    with service.database.transaction() as connection:
        for name, count in (("busy", 9), ("other", 1)):
            project = project_named(connection, name, now=0.0)
            for number in range(count):
                given = {"kind": "webhook", "url": "https://slow.example", "now": 0.0}
                made = put_target(connection, project, f"t{number}", **given)
                numbers[made.id] = name
    ended, begun = threading.Event(), []

    def send_due(_, target):
        begun.append(numbers[target])
        ended.wait(10)

    monkeypatch.setattr(AlertWorker, "send_due", send_due)
    worker = AlertWorker(service)
    for target in numbers:
        worker._begin(target)
    ended.set()
    for thread in worker._senders.values():
        thread.join()
    assert sorted(begun) == ["busy"] * 4 + ["other"]


def test_test_messages_leave_threads_for_others(service, monkeypatch):
    with service.database.transaction() as connection:
        project = project_named(connection, "default", now=0.0)
        given = {"kind": "webhook", "url": "https://slow.example", "now": 0.0}
        target = put_target(connection, project, "slow", **given)
    ended = threading.Event()
    monkeypatch.setattr("hayflick.service.alerts._send", lambda *_: ended.wait(10))
    with service:
        threads = [threading.Thread(target=send_test, args=(service, target)) for _ in range(4)]
        for thread in threads:
            thread.start()
        while alerts._tests._value:
            time.sleep(0.01)
        assert "other test messages" in send_test(service, target)
        ended.set()
        for thread in threads:
            thread.join()
        assert send_test(service, target) is None


def test_the_listeners_of_one_project_do_not_take_all_the_room(service):
    service.settings = service.settings.model_copy(update={"limits": Limits(viewers=3)})
    broadcast = Broadcast(service)

    async def listen(project):
        listener = broadcast.events(project, None)
        await anext(listener)
        return listener

    async def attack():
        service.workers = [broadcast]
        busy = [await listen(1) for _ in range(3)]
        with pytest.raises(Problem):
            event_stream(service, 1, None)
        assert event_stream(service, 2, None) is not None
        waiting = [asyncio.ensure_future(anext(one, None)) for one in busy]
        ended, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert (len(ended), len(others)) == (1, 2)
        await listen(2)
        # Whose turn it was to go comes again, and is one too many.
        with pytest.raises(Problem):
            event_stream(service, 1, None)
        for one in others:
            one.cancel()

    asyncio.run(attack())


def test_two_long_rule_files_are_compared_in_time():
    """Lines in another order take the square of their number."""
    lines = [f"#{number}" for number in range(30_000)]
    begun = time.perf_counter()
    assert difference("\n".join(lines), "\n".join(lines[::-1]))
    assert time.perf_counter() - begun < 30


WATCH = '[[watch]]\nname = "few"\nmetric = "spread"\nbelow = 0.5\nactions = ["vary"]\n'


VARY = """[[action]]
name = "vary"
kind = "vary_prompts"
prompts = ["a", "b"]
items = 1000000000
"""


def test_rules_that_fill_the_memory_are_neither_tried_nor_stored(client, token, sign_in):
    """Whoever reads may try a rule file: its decisions are made in the service."""
    text = 'format_version = 1\nmode = "act"\n'
    text += WATCH + VARY
    answer = client.put("/v1/rules/usual", json={"text": text}, headers=token("admin"))
    assert answer.status_code == 422
    assert "takes at most" in answer.json()["detail"]
    form = {"csrf": sign_in("read"), "do": "try", "text": text}
    assert client.post("/rules/usual", data=form).status_code == 422


def test_the_readiness_check_holds_up_no_thread(service, monkeypatch):
    """Without a token: forty askers would have held all threads while the store is slow."""
    checks, begun, go_on = api_health._Checks(), threading.Event(), threading.Event()
    times = iter([None, "it is slow"])

    def fault(_):
        found = next(times)
        if found is not None:
            begun.set()
            go_on.wait(10)
        return found

    monkeypatch.setattr(api_health, "_write_fault", fault)
    monkeypatch.setattr(api_health, "_SECONDS_BETWEEN", -1.0)
    assert checks.fault(service) is None
    slow = threading.Thread(target=checks.fault, args=(service,))
    slow.start()
    begun.wait(10)
    assert checks.fault(service) is None
    go_on.set()
    slow.join()
    monkeypatch.setattr(api_health, "_SECONDS_BETWEEN", 60.0)
    assert checks.fault(service) == "it is slow"


def test_bodies_that_come_slowly_take_no_memory_of_others():
    """Whoever may send could have had any number of large bodies on their way at once."""
    intake, most = Intake(), 100
    intake.hold(90, project=1, at_most=most)
    with pytest.raises(Problem):
        intake.hold(20, project=1, at_most=most)
    intake.hold(40, project=2, at_most=most)
    with pytest.raises(Problem):
        intake.hold(20, project=3, at_most=most)
    intake.hold(-90, project=1, at_most=most)
    intake.hold(90, project=3, at_most=most)
    with intake._turn(1, 2), intake._turn(1, 2), intake._turn(2, 2), pytest.raises(Problem):
        intake._turn(1, 2).__enter__()
    with intake._turn(1, 1):
        pass


OPENS = """
import resource
from hayflick.service.listening import allow_many_connections
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
allow_many_connections()
soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
print(soft == (65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_few_hundred_idle_connections_do_not_use_up_the_files():
    done = subprocess.run([sys.executable, "-c", OPENS], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


TAKES = """
from hayflick.service.apprise_sender import _limit_memory
_limit_memory()
try:
    bytearray(3 << 30)
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="others do not hold processes to it")
def test_a_target_that_answers_without_end_does_not_fill_the_memory():
    done = subprocess.run([sys.executable, "-c", TAKES], capture_output=True, text=True)
    assert done.stdout == "refused\n", done.stderr


def test_strangers_add_nothing_to_the_metrics(client):
    """Every method, path or status that is told apart stays in the memory."""
    for number in range(5):
        for path in ("/health", "/login", f"/static/{number}", f"/nowhere{number}", "/v1/streams"):
            client.request(f"EVIL{number}", path)
    text = client.get("/metrics").text
    assert "EVIL" not in text
    assert "nowhere" not in text
    assert 'method="other",route="/health",status="405"' in text
