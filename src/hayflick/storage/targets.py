"""Where alerts go to: addresses of apprise, and web hooks."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.service_tables import deliveries, targets
from hayflick.storage.streams import check_name

MOST_TARGETS = 50
"""Targets of a project: every message goes to each of them."""

_SECRET_PREFIX, _SECRET_BYTES = "whsec_", 32


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """A target as it is stored; see `hayflick.storage.service_tables.targets`."""

    id: int
    project: int
    name: str
    kind: str
    url: str
    secret: str | None
    enabled: bool
    created: float

    def __repr__(self) -> str:
        return f"TargetRow(id={self.id}, name={self.name!r}, url={self.masked_url!r})"

    @property
    def masked_url(self) -> str:
        """The address without what may be a password or a key, to be shown.

        Examples
        --------
        >>> target = TargetRow(
        ...     id=1, project=1, name="ops", kind="webhook", secret=None, enabled=True, created=0.0,
        ...     url="https://hooks.example.com/services/T1/B2?key=abc",
        ... )
        >>> target.masked_url
        'https://hooks.example.com/…'
        """
        scheme, separator, _ = self.url.partition("://")
        if not separator:
            return "…"
        # In an address of apprise the part of the host may be a key.
        host = _host(self.url) if self.kind == "webhook" else ""
        return f"{scheme}://{host}/…" if host else f"{scheme}://…"


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


_COLUMNS = [targets.c[field.name] for field in fields(TargetRow)]


def targets_of(
    connection: sa.Connection, project: int, *, enabled_only: bool = False
) -> list[TargetRow]:
    """Return the targets of a project in the order of their names."""
    query = sa.select(*_COLUMNS).where(targets.c.project == project)
    if enabled_only:
        query = query.where(targets.c.enabled)
    return [TargetRow(**row._mapping) for row in connection.execute(query.order_by(targets.c.name))]


def target_named(connection: sa.Connection, project: int, name: str) -> TargetRow | None:
    """Return a target; None if there is no such one."""
    if "\x00" in name:
        # PostgreSQL does not look for it.
        return None
    query = sa.select(*_COLUMNS).where(targets.c.project == project, targets.c.name == name)
    row = connection.execute(query).first()
    return None if row is None else TargetRow(**row._mapping)


def target_numbered(connection: sa.Connection, number: int) -> TargetRow | None:
    """Return the target with a number; None if there is no such one."""
    row = connection.execute(sa.select(*_COLUMNS).where(targets.c.id == number)).first()
    return None if row is None else TargetRow(**row._mapping)


def put_target(
    connection: sa.Connection,
    project: int,
    name: str,
    *,
    kind: str,
    url: str,
    now: float,
    secret: str | None = None,
    enabled: bool = True,
) -> TargetRow:
    """Return a target that is made, or brought up to date.

    The address is stored as it is: `hayflick.service.alerts.check_target` says first whether
    something can be sent to it.

    Parameters
    ----------
    project, name
        Where it belongs, and what it is called.
    kind
        ``apprise`` or ``webhook``.
    url
        Its address.
    now
        The time.
    secret
        What signs the messages of a web hook. None keeps the one it has, and draws a new one for
        a new web hook.
    enabled
        Whether messages are sent to it; those that wait for one that is switched off are given up.

    Raises
    ------
    ArgumentError
        If the name cannot be one, or the project has as many targets as it may.
    """
    check_name(name, argument="target")
    known = target_named(connection, project, name)
    if known is None and len(targets_of(connection, project)) >= MOST_TARGETS:
        takes = f"one of the {MOST_TARGETS} targets that there are"
        raise ArgumentError("target", got=ascii(name)[:120], takes=takes)
    if kind == "apprise":
        secret = None
    elif secret is None:
        secret = (known and known.secret) or new_secret()
    values = {"kind": kind, "url": url, "secret": secret, "enabled": enabled}
    if known is None:
        row = {"project": project, "name": name, "created": now, **values}
        connection.execute(sa.insert(targets).values(row))
    else:
        connection.execute(sa.update(targets).where(targets.c.id == known.id).values(values))
        if not enabled:
            _give_up(connection, known.id)
    made = target_named(connection, project, name)
    assert made is not None
    return made


def _give_up(connection: sa.Connection, target: int) -> None:
    # Old news would otherwise arrive all at once when it is switched on again.
    waiting = deliveries.c.target == target, deliveries.c.state == "waiting"
    given_up = {"state": "given up", "error": "the target was switched off"}
    connection.execute(sa.update(deliveries).where(*waiting).values(given_up))


def new_secret() -> str:
    """Return a new secret for a web hook, in the form of Standard Webhooks."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def delete_target(connection: sa.Connection, project: int, name: str) -> bool:
    """Delete a target and the record of what was sent to it; return whether there was one."""
    target = target_named(connection, project, name)
    if target is None:
        return False
    connection.execute(sa.delete(deliveries).where(deliveries.c.target == target.id))
    connection.execute(sa.delete(targets).where(targets.c.id == target.id))
    return True
