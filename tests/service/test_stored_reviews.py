"""Answers that people check, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from hayflick.core.errors import ArgumentError
from hayflick.storage.accounts import project_named
from hayflick.storage.database import Database
from hayflick.storage.reviews import (
    ReviewedRound,
    add_reviews,
    decide_review,
    last_decisions,
    review_counts,
    review_numbered,
    reviewed_rounds,
    reviews_of,
    undo_review,
)
from hayflick.storage.streams import create_stream


def _drawn(*keys: str) -> list[dict[str, Any]]:
    return [{"key": key, "text": f"answer {key}", "group": "north"} for key in keys]


def test_a_review_from_the_draw_to_the_counts(database: Database) -> None:
    with database.transaction() as connection:
        project = project_named(connection, "default", now=1.0)
        other = project_named(connection, "other", now=1.0)
        stream = create_stream(connection, project, "talk", kind="answers", settings="{}", now=1.0)
        assert add_reviews(connection, stream, 3, _drawn("a", "b"), 40, now=2.0) == 2
        # Drawn twice, as after a restart: it is there once.
        assert add_reviews(connection, stream, 3, _drawn("a", "b"), 40, now=2.0) == 0
        assert add_reviews(connection, stream, 4, _drawn("c"), 50, now=3.0) == 1
        queue = reviews_of(connection, project, state="pending")
        assert [(one.key, one.group, one.round_name) for one in queue] == [
            ("a", "north", "3"),
            ("b", "north", "3"),
            ("c", "north", "4"),
        ]
        first = queue[0].id
        assert reviews_of(connection, other) == []
        assert review_numbered(connection, other, first) is None
        assert decide_review(connection, other, first, "accepted", by="eve", now=4.0) is None
        with pytest.raises(ArgumentError, match="state"):
            decide_review(connection, project, first, "fine", by="ann", now=4.0)

        decided = decide_review(connection, project, first, "rejected", by="ann", now=4.0)
        assert decided is not None
        assert (decided.state, decided.decided_by) == ("rejected", "ann")
        # The first decision counts, whoever makes the second one.
        again = decide_review(connection, project, first, "accepted", by="bob", now=5.0)
        assert again is not None
        assert (again.state, again.decided_by) == ("rejected", "ann")
        decide_review(connection, project, queue[2].id, "unsure", by="ann", now=6.0)
        assert [one.key for one in last_decisions(connection, project)] == ["c", "a"]
        (counts,) = review_counts(connection, project)
        assert (counts.pending, counts.rejected, counts.unsure, counts.decided) == (1, 1, 1, 2)
        assert reviewed_rounds(connection, stream.id) == [
            ReviewedRound(round=3, name="3", size=40, states=("rejected", "pending")),
            ReviewedRound(round=4, name="4", size=50, states=("unsure",)),
        ]
        assert [one.round for one in reviewed_rounds(connection, stream.id, most=1)] == [4]

        assert undo_review(connection, project, by="bob", now=7.0) is None
        undone = [undo_review(connection, project, by="ann", now=7.0) for _ in range(3)]
        assert [one and (one.key, one.state) for one in undone] == [
            ("c", "pending"),
            ("a", "pending"),
            None,
        ]
