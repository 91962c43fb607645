"""The rule files of a project: every version stays, and at most one of each name decides."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.storage.changes import record_change
from hayflick.storage.service_tables import projects, rules

LONGEST_NAME = 100
"""Letters of a rule file's name."""


@dataclass(frozen=True, kw_only=True)
class RuleVersion:
    """A version of a rule file; see `hayflick.storage.service_tables.rules`."""

    id: int
    project: int
    name: str
    version: int
    text: str
    created: float
    author: str
    active: bool


_COLUMNS = [rules.c[field.name] for field in fields(RuleVersion)]


def active_rules(connection: sa.Connection, project: int, name: str) -> str | None:
    """Return the rule file that decides; None if there is none of that name, or it is off."""
    mine = (rules.c.project == project, rules.c.name == name, rules.c.active)
    return connection.scalar(sa.select(rules.c.text).where(*mine))


def rules_of(connection: sa.Connection, project: int) -> list[RuleVersion]:
    """Return one version of every rule file, by name: the one that decides, or the last one."""
    query = sa.select(*_COLUMNS).where(rules.c.project == project)
    # The last row of a name stands.
    rows = connection.execute(query.order_by(rules.c.name, rules.c.active, rules.c.version))
    return list({row.name: RuleVersion(**row._mapping) for row in rows}.values())


def rule_versions(
    connection: sa.Connection,
    project: int,
    name: str,
    *,
    before: int | None = None,
    most: int = 100,
) -> list[RuleVersion]:
    """Return the versions of a rule file, the newest first; none if there is no such file.

    Parameters
    ----------
    project, name
        The project, and the name of the file.
    before
        Only smaller versions; None for all. The last version of a page gives the next one.
    most
        How many at most.
    """
    query = sa.select(*_COLUMNS).where(rules.c.project == project, rules.c.name == name)
    if before is not None:
        query = query.where(rules.c.version < before)
    rows = connection.execute(query.order_by(rules.c.version.desc()).limit(most))
    return [RuleVersion(**row._mapping) for row in rows]


def rule_version(
    connection: sa.Connection, project: int, name: str, version: int
) -> RuleVersion | None:
    """Return a version of a rule file; None if there is no such one."""
    mine = (rules.c.project == project, rules.c.name == name, rules.c.version == version)
    row = connection.execute(sa.select(*_COLUMNS).where(*mine)).first()
    return None if row is None else RuleVersion(**row._mapping)


def store_rules(
    connection: sa.Connection, project: int, name: str, text: str, *, author: str, now: float
) -> RuleVersion:
    """Store a new version of a rule file, which decides from now on.

    Whoever calls this has read the text as a rule file; what is stored is taken as it is.

    Parameters
    ----------
    project, name
        The project, and the name of the file.
    text
        The rule file.
    author
        Name of the user or token.
    now
        The time.

    Returns
    -------
    RuleVersion
        The version that decides; the same as before if the text is.

    Raises
    ------
    ArgumentError
        If the name cannot be one.
    """
    check_rules_name(name)
    # Two that store at the same time take turns.
    connection.execute(sa.select(projects.c.id).where(projects.c.id == project).with_for_update())
    last = rule_versions(connection, project, name, most=1)
    held = [one for one in last if one.active and one.text == text]
    if held:
        return held[0]
    version = last[0].version + 1 if last else 1
    _switch_off(connection, project, name)
    row = {
        "project": project,
        "name": name,
        "version": version,
        "text": text,
        "created": now,
        "author": author,
        "active": True,
    }
    connection.execute(sa.insert(rules).values(row))
    _record(connection, project, name, version, now=now)
    stored = rule_version(connection, project, name, version)
    assert stored is not None
    return stored


def switch_rules_off(connection: sa.Connection, project: int, name: str, *, now: float) -> bool:
    """Let a rule file decide nothing any more; return whether it decided until now."""
    changed = _switch_off(connection, project, name) > 0
    if changed:
        _record(connection, project, name, None, now=now)
    return changed


def check_rules_name(name: str) -> None:
    """Refuse a name that a rule file cannot have.

    Raises
    ------
    ArgumentError
        If it is empty, too long, or holds a slash or a control character.

    Examples
    --------
    >>> check_rules_name("usual rules")
    """
    categories = {unicodedata.category(one) for one in name}
    printable = not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"} and not set(name) & set("/\\")
    if (
        not printable
        or name != name.strip()
        or not 0 < len(name) <= LONGEST_NAME
        or not name.strip(".")
    ):
        takes = f"1 to {LONGEST_NAME} characters without slashes and control characters"
        raise ArgumentError("name", got=ascii(name)[:120], takes=takes)


def _switch_off(connection: sa.Connection, project: int, name: str) -> int:
    mine = (rules.c.project == project, rules.c.name == name, rules.c.active)
    return connection.execute(sa.update(rules).where(*mine).values(active=False)).rowcount


def _record(
    connection: sa.Connection, project: int, name: str, version: int | None, *, now: float
) -> None:
    content = {"name": name, "version": version}
    record_change(connection, project, "rules", content, now=now)
