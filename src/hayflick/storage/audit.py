"""Who has changed what: the audit log."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from hayflick.storage.service_tables import audit


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """An entry of the log; `actor` is a user, a token's name, or the service itself."""

    id: int
    at: float
    actor: str
    action: str
    subject: str


def record_audit(
    connection: sa.Connection,
    project: int | None,
    actor: str,
    action: str,
    subject: str,
    *,
    now: float,
) -> None:
    """Store who has done what.

    Parameters
    ----------
    project
        Number of the project; None for what concerns the whole service.
    actor
        The name of a user or of a token; ``service`` or ``operator`` where nobody is logged in.
    action, subject
        Such as "token made", and the token's name.
    now
        The time.
    """
    row = {"project": project, "at": now, "actor": actor, "action": action, "subject": subject}
    connection.execute(sa.insert(audit).values(row))


def audit_of(
    connection: sa.Connection, project: int, *, before: int | None = None, most: int = 100
) -> list[AuditEntry]:
    """Return a project's entries, and those of the whole service, the newest first.

    Parameters
    ----------
    project
        Number of the project.
    before
        Number of the entry to go on behind; None for the newest.
    most
        How many.
    """
    columns = (audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.subject)
    query = sa.select(*columns).where((audit.c.project == project) | audit.c.project.is_(None))
    if before is not None:
        query = query.where(audit.c.id < before)
    rows = connection.execute(query.order_by(audit.c.id.desc()).limit(most))
    return [AuditEntry(**row._mapping) for row in rows]
