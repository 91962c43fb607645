"""From the answers of an application to the alarm at its web hook, and back."""

from __future__ import annotations

import random
import time

import pytest
from hooks import receiving

from hayflick.service.settings import ServiceSettings
from hayflick_client.webhooks import verify_webhook


@pytest.fixture
def place(tmp_path):
    """The engine makes no difference here: one is enough."""
    return str(tmp_path / "service.db")


@pytest.fixture
def settings():
    return ServiceSettings(private_addresses=True)


def test_a_stream_that_collapses_alarms_at_a_web_hook_and_recovers(client, token):
    admin = token("admin")
    with receiving() as hook:
        target = client.put(
            "/v1/targets/ops", json={"kind": "webhook", "url": hook.url}, headers=admin
        ).json()
        stream = {
            "kind": "values",
            "every": 10,
            "baseline": 20,
            "values": ["accuracy"],
            "charts": ["accuracy=shewhart:direction=falls"],
        }
        assert client.put("/v1/streams/talk", json=stream, headers=admin).status_code == 200
        draw = random.Random(1)
        for accuracy, rounds in ((0.8, 22), (0.2, 3), (0.8, 3)):
            items = [
                {"values": {"accuracy": accuracy + 0.02 * draw.gauss(0, 1)}}
                for _ in range(10 * rounds)
            ]
            sent = client.post("/v1/streams/talk/values", json=items, headers=admin)
            assert sent.json()["accepted"] == len(items)
        for _ in range(1200):
            if len(hook.got) >= 2:
                break
            time.sleep(0.05)
    now = float(hook.got[0][0]["webhook-timestamp"])
    found = [
        verify_webhook(body, heads, secret=target["secret"], now=now) for heads, body in hook.got
    ]
    assert [message["type"] for message in found] == ["alarm", "cleared"]
    alarm, cleared = (message["data"] for message in found)
    assert (alarm["stream"], alarm["round_name"], alarm["round"]) == ("talk", "23", 23)
    assert alarm["charts"][0]["metric"] == "accuracy"
    assert (cleared["round_name"], cleared["alert"]) == ("26", alarm["alert"])
    [alert] = client.get("/v1/alerts", headers=admin).json()["items"]
    assert alert["state"] == "cleared"
