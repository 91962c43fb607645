"""A log of answers with documents: which of them are earlier answers."""

from __future__ import annotations

import polars as pl
import pytest

from hayflick.auditing.answer_documents import contamination_of_answers
from hayflick.core.errors import DataError
from hayflick.corpus.answers import Answers

NEWS = "a storm broke the old bridge by the mill and the river rose in the night"
FIRST = "all is well in the fair city of ours and every lamp burns in the square"
PART = "is well in the fair city of ours and every lamp"


def log(documents, answers, **columns):
    """Return a log of answers, each with its round, group, text and documents."""
    frame = pl.DataFrame(
        [(k + 1, *row) for k, row in enumerate(answers)],
        schema={
            "row": pl.Int64,
            "round": pl.Int64,
            "group": pl.String,
            "text": pl.String,
            "retrieved": pl.List(pl.Int64),
        },
        orient="row",
    )
    kinds = {"name": pl.String, "text": pl.String, "generated": pl.Boolean, "source": pl.String}
    held = pl.DataFrame(
        [(None, text, flag, None) for text, flag in documents], schema=kinds, orient="row"
    )
    rounds = tuple(map(str, range(1, frame["round"].max() + 1)))
    return Answers("log", rounds, frame, documents=held, **columns)


ANSWERS = [
    (1, "x", FIRST, [0]),
    (2, "y", "As they say, all is well in the fair city today.", [0, 1]),
    (3, "x", "Yes: every lamp burns in the square, it seems.", [1, 2]),
]


def test_earlier_answers_are_recognised_whole_and_in_part() -> None:
    found = contamination_of_answers(
        log([(NEWS, None), (FIRST.upper(), None), (PART, None)], ANSWERS)
    )
    assert (found.retrieved.generated, found.retrieved.taken) == (3, 5)
    assert found.pool is None
    assert found.retrieval is None
    assert "the 2 that are earlier answers" in str(found.notes[0])
    links = {(one.reader, one.author): one.copies for one in found.echo.links}
    # The part holds nothing of what the last answer copies.
    assert links == {("y", "x"): 1, ("x", "x"): 1}
    assert [one.retrieved for one in found.rounds] == [0.0, 0.5, 1.0]
    assert [one.echo for one in found.rounds] == [0.0, 1.0, 1.0]


def test_a_source_that_is_quoted_is_no_earlier_answer() -> None:
    quoted = [(1, "x", f"It says: {NEWS}.", [0]), (2, "y", f"Again: {NEWS}.", [0])]
    found = contamination_of_answers(log([(NEWS, None)], quoted))
    assert found.retrieved.value == 0.0
    assert found.echo is None
    # It was retrieved later than it was answered: only its own word helps.
    late = [(1, "x", f"It says: {NEWS}.", []), (2, "y", f"Again: {NEWS}.", [0])]
    assert contamination_of_answers(log([(NEWS, None)], late)).retrieved.value == 1.0
    assert contamination_of_answers(log([(NEWS, False)], late)).retrieved.value == 0.0


def test_what_is_said_of_some_is_not_assumed_of_others() -> None:
    found = contamination_of_answers(log([(NEWS, None), (FIRST, None), (PART, True)], ANSWERS))
    assert (found.retrieved.taken, found.retrieved.generated, found.retrieved.unknown) == (3, 3, 2)
    assert "1 of 3 retrieved texts say" in str(found.notes[0])


def test_without_groups_an_echo_has_no_names() -> None:
    answers = log([(NEWS, None), (FIRST, None), (PART, None)], ANSWERS)
    alone = Answers("log", answers.rounds, answers.frame.drop("group"), documents=answers.documents)
    found = contamination_of_answers(alone)
    assert found.echo.echoing == 2
    assert {(one.reader, one.author) for one in found.echo.links} == {("", "")}
    assert found.echo.own == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one.drop("retrieved"), "no column of what was retrieved"),
        (lambda one: one.drop("text"), "no column of texts"),
        (
            lambda one: one.with_columns(retrieved=pl.lit([], pl.List(pl.Int64))),
            "nothing was retrieved",
        ),
    ],
)
def test_a_log_that_lacks_something_is_refused(change, message) -> None:
    answers = log([(NEWS, None), (FIRST, None), (PART, None)], ANSWERS)
    lacking = Answers("log", answers.rounds, change(answers.frame), documents=answers.documents)
    with pytest.raises(DataError, match=message):
        contamination_of_answers(lacking)


def test_an_answer_that_is_given_again_and_again_is_recognised() -> None:
    refusal = "I am sorry, but I cannot find anything about this in the documents."
    answers = [(1, "x", refusal, [0]) for _ in range(80)] + [(2, "y", refusal, [1, 2])]
    documents = [(NEWS, None), (refusal.upper(), None), ("Yes.", None)]
    found = contamination_of_answers(log(documents, answers))
    assert found.retrieved.generated == 1
    assert [(one.reader, one.author) for one in found.echo.links] == [("y", "x")]
