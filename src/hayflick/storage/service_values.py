"""Single values of the service, by name."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from hayflick.storage.service_tables import TABLE_OF_VALUES as VALUES

_SQL = (
    f"INSERT INTO {VALUES.name} (name, content) VALUES (:name, :content)"
    " ON CONFLICT (name) DO UPDATE SET content = excluded.content"
)
_UPSERT = sa.text(_SQL)


def set_value(connection: sa.Connection, name: str, value: Any) -> None:
    """Store a value in place of the one that the name has.

    Parameters
    ----------
    name
        Its name.
    value
        Anything that JSON can hold.
    """
    row = {"name": name, "content": json.dumps(value, allow_nan=False)}
    connection.execute(_UPSERT, row)


def value_of(connection: sa.Connection, name: str) -> Any:
    """Return a value; None if there is none of that name."""
    found = connection.scalar(sa.select(VALUES.c.content).where(VALUES.c.name == name))
    return None if found is None else json.loads(found)
