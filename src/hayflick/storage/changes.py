"""What has changed in a project: the viewers of its pages are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from hayflick.storage.service_tables import changes


def record_change(
    connection: sa.Connection,
    project: int,
    kind: str,
    content: Mapping[str, Any],
    *,
    now: float,
    stream: int | None = None,
) -> None:
    """Store a change, to be told once the transaction is committed.

    Parameters
    ----------
    project, stream
        Numbers of the project and of the stream that it is about.
    kind
        ``round``, ``state``, ``alert``, ``action``, ``review`` or ``rules``.
    content
        What a viewer is told, ready for JSON.
    now
        The time.
    """
    row = {
        "project": project,
        "stream": stream,
        "at": now,
        "kind": kind,
        "content": json.dumps(dict(content)),
    }
    connection.execute(sa.insert(changes).values(row))
