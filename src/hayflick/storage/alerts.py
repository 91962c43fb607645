"""Alerts: a stream that alarms, or has gone silent; at most one of each is open at a time.

Each tells the project's targets once when it is raised and once when it is over. While it is
snoozed nothing is sent, also if it is over and raised again meanwhile; afterwards the targets are
told how it stands then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hayflick.storage.changes import record_change
from hayflick.storage.deliveries import add_deliveries
from hayflick.storage.service_tables import alerts, rounds, streams
from hayflick.storage.streams import StreamRow, stream_numbered


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """An alert as it is stored; see `hayflick.storage.service_tables.alerts`.

    `stream_name` is the name of its stream; `content` is a mapping.
    """

    id: int
    project: int
    stream: int
    stream_name: str
    kind: str
    state: str
    round: int
    content: Mapping[str, Any]
    opened: float
    cleared: float | None
    acknowledged: float | None
    acknowledged_by: str | None
    snoozed_until: float | None


def raise_alarm(
    connection: sa.Connection,
    stream: StreamRow,
    *,
    round: int,  # noqa: A002
    content: Mapping[str, Any],
    now: float,
) -> int | None:
    """Open the alarm of a stream, and have the targets told.

    Parameters
    ----------
    stream
        The stream.
    round
        The round that was measured.
    content
        What alarms, ready for JSON: ``round_name``, and under ``charts`` one mapping per chart
        that stands with ``metric``, ``group``, ``chart``, ``value``, ``statistic``, ``limit``,
        ``evidence`` and ``since``.
    now
        The time.

    Returns
    -------
    int or None
        The number of the new alert. None if the stream's alarm is open already: then its content
        is brought up to date, and nobody is told.
    """
    return _raise(connection, stream, "alarm", round=round, content=content, now=now)


def clear_alarm(
    connection: sa.Connection,
    stream: StreamRow,
    *,
    round: int,  # noqa: A002
    now: float,
) -> bool:
    """Close the alarm of a stream and have the targets told; return whether one was open."""
    return _clear(connection, stream, "alarm", round=round, now=now)


def raise_silence(connection: sa.Connection, stream: StreamRow, *, now: float) -> int | None:
    """Open the alert of a stream that gets no answers, and have the targets told.

    Returns
    -------
    int or None
        The number of the new alert; None if it is open already.
    """
    content = {"last_answer": stream.last_answer}
    return _raise(connection, stream, "silent", round=stream.open_round, content=content, now=now)


def clear_silence(connection: sa.Connection, stream: StreamRow, *, now: float) -> bool:
    """Close the alert of a silent stream that gets answers again; return whether one was open."""
    return _clear(connection, stream, "silent", round=stream.open_round, now=now)


def alert_numbered(connection: sa.Connection, project: int, number: int) -> AlertRow | None:
    """Return an alert of a project; None if there is no such one."""
    row = connection.execute(
        _select().where(alerts.c.project == project, alerts.c.id == number)
    ).first()
    return None if row is None else _row(row)


def alerts_of(
    connection: sa.Connection,
    project: int,
    *,
    state: str | None = None,
    stream: int | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[AlertRow]:
    """Return alerts of a project, the newest first.

    Parameters
    ----------
    project
        Number of the project.
    state
        ``open`` or ``cleared``; None for both.
    stream
        Number of the stream; None for all.
    before
        Those with smaller numbers; None for all. The last number of a page gives the next one.
    most
        How many at most.
    """
    query = _select().where(alerts.c.project == project)
    if state is not None:
        query = query.where(alerts.c.state == state)
    if stream is not None:
        query = query.where(alerts.c.stream == stream)
    if before is not None:
        query = query.where(alerts.c.id < before)
    return [_row(row) for row in connection.execute(query.order_by(alerts.c.id.desc()).limit(most))]


def acknowledge_alert(
    connection: sa.Connection, project: int, number: int, *, by: str, now: float
) -> AlertRow | None:
    """Store that someone takes care of an alert; who did so first stays.

    Parameters
    ----------
    project, number
        The project, and the alert.
    by
        Name of the user or token.
    now
        The time.

    Returns
    -------
    AlertRow or None
        The alert as it is now; None if there is no such one.
    """
    alert = alert_numbered(connection, project, number)
    if alert is None or alert.acknowledged is not None:
        return alert
    return _changed(connection, alert, {"acknowledged": now, "acknowledged_by": by}, now=now)


def snooze_alert(
    connection: sa.Connection, project: int, number: int, *, until: float | None, now: float
) -> AlertRow | None:
    """Send nothing about an alert before a time; see the module.

    Parameters
    ----------
    project, number
        The project, and the alert.
    until
        The time; None ends the snoozing.
    now
        The present time.

    Returns
    -------
    AlertRow or None
        The alert as it is now; None if there is no such one.
    """
    alert = alert_numbered(connection, project, number)
    if alert is None:
        return None
    return _changed(connection, alert, {"snoozed_until": until}, now=now)


def has_snoozing_over(connection: sa.Connection, *, now: float) -> bool:
    """Return whether there is something for `wake_alerts` to do."""
    over = sa.select(alerts.c.id).where(alerts.c.snoozed_until <= now).limit(1)
    return connection.scalar(over) is not None


def wake_alerts(connection: sa.Connection, *, now: float) -> int:
    """Tell the targets how alerts stand whose snoozing is over; return the number of the alerts.

    One that someone has acknowledged, and that is still open, is not told again.
    """
    over = alerts.c.snoozed_until <= now
    # Whoever is second waits here, and finds nothing left.
    rows = connection.execute(_select().where(over).with_for_update(of=alerts)).all()
    for alert in map(_row, rows):
        _changed(connection, alert, {"snoozed_until": None}, now=now)
        if alert.state == "cleared" or alert.acknowledged is None:
            _tell(connection, alert, now=now)
    return len(rows)


def message_of(alert: AlertRow) -> dict[str, Any]:
    """Return what a target is told of an alert, ready for JSON; times are seconds since 1970."""
    return {
        **alert.content,
        "alert": alert.id,
        "kind": alert.kind,
        "state": alert.state,
        "stream": alert.stream_name,
        "round": alert.round,
        "opened": alert.opened,
        "cleared": alert.cleared,
    }


def _select() -> sa.Select[Any]:
    query = sa.select(*alerts.c, streams.c.name.label("stream_name"))
    return query.join(streams, streams.c.id == alerts.c.stream)


def _row(row: sa.Row[Any]) -> AlertRow:
    record = dict(row._mapping)
    return AlertRow(**{**record, "content": json.loads(record["content"])})


def _last(connection: sa.Connection, stream: int, kind: str) -> AlertRow | None:
    # Two processes that raise the same alert take turns.
    stream_numbered(connection, stream, lock=True)
    query = _select().where(alerts.c.stream == stream, alerts.c.kind == kind)
    row = connection.execute(query.order_by(alerts.c.id.desc()).limit(1)).first()
    return None if row is None else _row(row)


def _raise(
    connection: sa.Connection,
    stream: StreamRow,
    kind: str,
    *,
    round: int,  # noqa: A002
    content: Mapping[str, Any],
    now: float,
) -> int | None:
    last = _last(connection, stream.id, kind)
    held = json.dumps(dict(content))
    if last is not None and last.state == "open":
        update = sa.update(alerts).where(alerts.c.id == last.id)
        connection.execute(update.values(round=round, content=held))
        return None
    snoozed = None
    if last is not None and last.snoozed_until is not None and last.snoozed_until > now:
        snoozed = last.snoozed_until
        ended = sa.update(alerts).where(alerts.c.id == last.id)
        connection.execute(ended.values(snoozed_until=None))
    row = {
        "project": stream.project,
        "stream": stream.id,
        "kind": kind,
        "round": round,
        "content": held,
        "opened": now,
        "snoozed_until": snoozed,
    }
    number = connection.scalar(sa.insert(alerts).values(row).returning(alerts.c.id))
    alert = alert_numbered(connection, stream.project, int(number or 0))
    assert alert is not None
    _record(connection, alert, now=now)
    if snoozed is None:
        _tell(connection, alert, now=now)
    return alert.id


def _clear(
    connection: sa.Connection,
    stream: StreamRow,
    kind: str,
    *,
    round: int,  # noqa: A002
    now: float,
) -> bool:
    alert = _last(connection, stream.id, kind)
    if alert is None or alert.state != "open":
        return False
    name = sa.select(rounds.c.name).where(rounds.c.stream == stream.id, rounds.c.number == round)
    content = {**alert.content, "round_name": connection.scalar(name) or str(round)}
    values = {"state": "cleared", "cleared": now, "round": round, "content": json.dumps(content)}
    alert = _changed(connection, alert, values, now=now)
    if alert.snoozed_until is None or alert.snoozed_until <= now:
        _tell(connection, alert, now=now)
    return True


def _changed(
    connection: sa.Connection, alert: AlertRow, values: Mapping[str, Any], *, now: float
) -> AlertRow:
    connection.execute(sa.update(alerts).where(alerts.c.id == alert.id).values(dict(values)))
    found = alert_numbered(connection, alert.project, alert.id)
    assert found is not None
    _record(connection, found, now=now)
    return found


def _record(connection: sa.Connection, alert: AlertRow, *, now: float) -> None:
    content = {
        "id": alert.id,
        "stream": alert.stream_name,
        "kind": alert.kind,
        "state": alert.state,
        "round": alert.round,
        "acknowledged": alert.acknowledged is not None,
        "snoozed": alert.snoozed_until is not None,
    }
    record_change(connection, alert.project, "alert", content, now=now, stream=alert.stream)


def _tell(connection: sa.Connection, alert: AlertRow, *, now: float) -> None:
    kind = "cleared" if alert.state == "cleared" else alert.kind
    message = message_of(alert)
    add_deliveries(connection, alert.project, kind, subject=alert.id, content=message, now=now)
