"""Alerts and actions: raised once, told once, acknowledged, snoozed, cleared."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from hayflick.storage.accounts import project_named
from hayflick.storage.actions import actions_of, finish_action, record_action
from hayflick.storage.alerts import (
    acknowledge_alert,
    alerts_of,
    clear_alarm,
    clear_silence,
    raise_alarm,
    raise_silence,
    snooze_alert,
    wake_alerts,
)
from hayflick.storage.deliveries import deliveries_of
from hayflick.storage.service_tables import changes
from hayflick.storage.streams import create_stream
from hayflick.storage.targets import delete_target, put_target, target_named, targets_of

CHARTS = {
    "round_name": "2026-11-29 09:00",
    "charts": [
        {
            "metric": "spread",
            "group": "",
            "chart": "evidence",
            "value": 0.21,
            "statistic": 3120.0,
            "limit": 1000.0,
            "evidence": 3120.0,
            "since": 11,
        }
    ],
}


on_one_engine = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


def project_with_stream(database, *targets):
    """Return the number of a project with a stream and targets, and the stream."""
    with database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        for name, kind in targets:
            url = f"https://{name}.example.com/hook" if kind == "webhook" else f"json://{name}"
            put_target(connection, project, name, kind=kind, url=url, now=1.0)
        stream = create_stream(connection, project, "talk", kind="answers", settings="{}", now=1.0)
    return project, stream


def told(connection, project):
    """Return the kinds of the messages that were queued, the oldest first."""
    return [row.kind for row in reversed(deliveries_of(connection, project))]


def test_an_alarm_is_open_once_and_told_once_and_its_clearing_too(database):
    project, stream = project_with_stream(database, ("ops", "webhook"), ("chat", "apprise"))
    with database.transaction() as connection:
        first = raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        again = raise_alarm(connection, stream, round=13, content=CHARTS, now=20.0)
        assert first is not None
        assert again is None
        assert told(connection, project) == ["alarm", "alarm"]
        assert [(row.id, row.round) for row in alerts_of(connection, project)] == [(first, 13)]
        assert clear_alarm(connection, stream, round=20, now=30.0)
        assert not clear_alarm(connection, stream, round=21, now=40.0)
        assert told(connection, project) == ["alarm"] * 2 + ["cleared"] * 2
        message = deliveries_of(connection, project)[0].content
        assert (message["stream"], message["state"], message["round"]) == ("talk", "cleared", 20)
        assert message["round_name"] == "20"
        second = raise_alarm(connection, stream, round=30, content=CHARTS, now=50.0)
        assert second not in (None, first)
        kinds = connection.scalars(sa.select(changes.c.kind)).all()
        assert kinds == ["alert"] * 3


@on_one_engine
def test_a_silent_stream_has_an_alert_beside_its_alarm(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        assert raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        assert raise_silence(connection, stream, now=20.0)
        assert raise_silence(connection, stream, now=21.0) is None
        assert len(alerts_of(connection, project, state="open")) == 2
        assert clear_silence(connection, stream, now=30.0)
        assert not clear_silence(connection, stream, now=31.0)
        assert told(connection, project) == ["alarm", "silent", "cleared"]
        assert [row.kind for row in alerts_of(connection, project, state="open")] == ["alarm"]


@on_one_engine
def test_who_acknowledges_first_stays(database):
    project, stream = project_with_stream(database)
    with database.transaction() as connection:
        number = raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        acknowledge_alert(connection, project, number, by="anna", now=11.0)
        alert = acknowledge_alert(connection, project, number, by="ben", now=12.0)
        assert (alert.acknowledged, alert.acknowledged_by) == (11.0, "anna")
        assert acknowledge_alert(connection, project, number + 1, by="ben", now=12.0) is None
        assert acknowledge_alert(connection, project + 1, number, by="ben", now=12.0) is None


def test_nothing_is_told_of_a_snoozed_alarm_until_its_time(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        number = raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        snooze_alert(connection, project, number, until=100.0, now=11.0)
        # It clears and alarms again: neither is told.
        assert clear_alarm(connection, stream, round=13, now=20.0)
        again = raise_alarm(connection, stream, round=14, content=CHARTS, now=30.0)
        assert told(connection, project) == ["alarm"]
        assert wake_alerts(connection, now=99.0) == 0
        assert wake_alerts(connection, now=100.0) == 1
        assert told(connection, project) == ["alarm", "alarm"]
        assert deliveries_of(connection, project)[0].subject == again
        assert wake_alerts(connection, now=101.0) == 0


@on_one_engine
def test_what_cleared_while_it_was_snoozed_is_told_afterwards(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        number = raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        snooze_alert(connection, project, number, until=100.0, now=11.0)
        clear_alarm(connection, stream, round=13, now=20.0)
        wake_alerts(connection, now=100.0)
        assert told(connection, project) == ["alarm", "cleared"]


@on_one_engine
def test_an_acknowledged_alarm_is_not_told_again(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        number = raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        acknowledge_alert(connection, project, number, by="anna", now=11.0)
        snooze_alert(connection, project, number, until=100.0, now=12.0)
        assert wake_alerts(connection, now=100.0) == 1
        assert told(connection, project) == ["alarm"]


@on_one_engine
def test_only_enabled_targets_of_the_project_are_told(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        off = {"kind": "webhook", "url": "https://x.example.com", "now": 1.0}
        put_target(connection, project, "off", enabled=False, **off)
        put_target(connection, project_named(connection, "other", now=1.0), "other", **off)
        raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        ops = target_named(connection, project, "ops")
        assert [row.target for row in deliveries_of(connection, project)] == [ops.id]


def test_actions_go_to_web_hooks_and_notices_to_everyone(database):
    project, stream = project_with_stream(database, ("ops", "webhook"), ("chat", "apprise"))
    notice = {"reason": "few: spread 0.2 is below 0.5: look"}
    with database.transaction() as connection:
        inject = {"reason": "spread fell", "items": 50, "texts": ["a", "b"]}
        first = record_action(connection, stream, 12, "", "inject", inject, now=10.0)
        record_action(connection, stream, 12, "", "review", {"items": 5}, now=10.0)
        assert told(connection, project) == ["action"]
        message = deliveries_of(connection, project)[0].content
        assert (message["kind"], message["items"], message["stream"]) == ("inject", 50, "talk")
        for number in (13, 14, 16):
            reason = f"few: spread 0.{number} is below 0.5: look"
            record_action(connection, stream, number, "", "notify", {"reason": reason}, now=11.0)
        # Rounds 13 and 14 are one notice, 16 is another one, and so are those below.
        assert told(connection, project) == ["action"] * (1 + 2 + 2)
        record_action(connection, stream, 17, "a", "notify", notice, now=11.0)
        other = {"reason": "many: spread 0.2 is below 0.5: look"}
        record_action(connection, stream, 17, "", "notify", other, now=11.0)
        assert told(connection, project) == ["action"] * (1 + 2 + 2 + 4)
        assert len(actions_of(connection, project, state="open")) == 7
        done = finish_action(connection, project, first, by="robot", now=20.0)
        assert (done.state, done.done, done.done_by) == ("done", 20.0, "robot")
        assert finish_action(connection, project, first, by="ben", now=21.0) == done
        assert finish_action(connection, project + 1, first, by="ben", now=21.0) is None
        assert [row.id for row in actions_of(connection, project, state="done")] == [first]
        newest = actions_of(connection, project, most=2)
        page = actions_of(connection, project, before=newest[-1].id, most=2)
        assert [row.kind for row in newest + page] == ["notify"] * 4


@on_one_engine
def test_a_target_keeps_its_secret_and_is_shown_masked(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        secret = target_named(connection, project, "ops").secret
        assert secret.startswith("whsec_")
        url = "https://anna:pass@hooks.example.com:8443/T1?key=k"
        target = put_target(connection, project, "ops", kind="webhook", url=url, now=2.0)
        assert target.secret == secret
        assert target.masked_url == "https://hooks.example.com:8443/…"
        chat = put_target(connection, project, "chat", kind="apprise", url="slack://A/B/C", now=2.0)
        assert (chat.secret, chat.masked_url) == (None, "slack://…")
        assert "A/B" not in repr(chat)
        raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        assert delete_target(connection, project, "ops")
        assert not delete_target(connection, project, "ops")
        assert [one.name for one in targets_of(connection, project)] == ["chat"]


@on_one_engine
def test_what_waits_for_a_target_that_is_switched_off_is_given_up(database):
    project, stream = project_with_stream(database, ("ops", "webhook"))
    with database.transaction() as connection:
        raise_alarm(connection, stream, round=12, content=CHARTS, now=10.0)
        url = "https://ops.example.com"
        put_target(connection, project, "ops", kind="webhook", url=url, enabled=False, now=11.0)
        [delivery] = deliveries_of(connection, project)
        assert (delivery.state, delivery.error) == ("given up", "the target was switched off")
