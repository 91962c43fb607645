"""Of several processes exactly one sends a message, on each engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hayflick.storage.accounts import project_named
from hayflick.storage.alerts import raise_alarm
from hayflick.storage.deliveries import (
    claim_deliveries,
    record_sent,
    release_deliveries,
    targets_due,
)
from hayflick.storage.streams import create_stream
from hayflick.storage.targets import put_target


def test_one_of_many_claims_the_messages_of_a_target(database):
    with database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        url = "https://hooks.example.com"
        put_target(connection, project, "ops", kind="webhook", url=url, now=1.0)
        for name in ("a", "b", "c"):
            more = {"kind": "answers", "settings": "{}", "now": 1.0}
            stream = create_stream(connection, project, name, **more)
            raise_alarm(connection, stream, round=3, content={"charts": []}, now=2.0)
        [target] = targets_due(connection, now=2.0)

    def claim(now):
        with database.transaction() as connection:
            until = now + 60.0
            return claim_deliveries(connection, target, now=now, until=until, most=2)

    with ThreadPoolExecutor(8) as pool:
        found = [one for one in pool.map(claim, [10.0] * 8) if one]
    assert [len(one) for one in found] == [2]
    first, second = found[0]
    with database.transaction() as connection:
        # The third message waits for those before it, which another process has.
        assert targets_due(connection, now=11.0) == []
        record_sent(connection, [first.id])
        assert targets_due(connection, now=11.0) == []
        release_deliveries(connection, [first.id, second.id], until=70.0, now=12.0)
        assert targets_due(connection, now=12.0) == [target]
    # A process that ended while it was sending: another one sends after its time.
    assert len(claim(20.0)) == 2
    assert claim(79.0) == []
    assert [one.id for one in claim(80.0)] == [second.id, second.id + 1]
