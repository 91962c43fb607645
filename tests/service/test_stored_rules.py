"""The versions of rule files, on both engines."""

from __future__ import annotations

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.storage.accounts import project_named
from hayflick.storage.database import Database
from hayflick.storage.rules import (
    active_rules,
    check_rules_name,
    rule_version,
    rule_versions,
    rules_of,
    store_rules,
    switch_rules_off,
)


def test_the_last_version_decides_until_it_is_switched_off(database: Database) -> None:
    with database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        other = project_named(connection, "other", now=1.0)
        assert active_rules(connection, project, "usual") is None
        first = store_rules(connection, project, "usual", "one", author="ann", now=2.0)
        assert (first.version, first.active) == (1, True)
        # The same text is the same version.
        assert store_rules(connection, project, "usual", "one", author="bob", now=3.0) == first
        second = store_rules(connection, project, "usual", "two", author="bob", now=3.0)
        assert (second.version, second.author) == (2, "bob")
        assert active_rules(connection, project, "usual") == "two"
        assert active_rules(connection, other, "usual") is None
        versions = rule_versions(connection, project, "usual")
        assert [(one.version, one.active) for one in versions] == [(2, True), (1, False)]
        assert rule_versions(connection, project, "usual", before=2, most=1)[0].text == "one"

        assert switch_rules_off(connection, project, "usual", now=4.0)
        assert not switch_rules_off(connection, project, "usual", now=4.0)
        assert active_rules(connection, project, "usual") is None
        assert [(one.name, one.version, one.active) for one in rules_of(connection, project)] == [
            ("usual", 2, False)
        ]
        # Switched on again: a new version, though its text is the last one's.
        third = store_rules(connection, project, "usual", "two", author="ann", now=5.0)
        assert (third.version, third.active) == (3, True)
        assert rule_version(connection, project, "usual", 9) is None


@pytest.mark.parametrize("name", ["", " usual", "a/b", "a\\b", "..", "a\nb", "x" * 101, "\ud800"])
def test_a_name_that_no_rule_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="name"):
        check_rules_name(name)
