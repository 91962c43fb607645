"""What was retrieved for answers, as logs have it: lists, objects, JSON in cells, paths."""

from __future__ import annotations

import json

import polars as pl
import pytest

from hayflick.core.errors import DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.retrieved import RetrievedDocuments

DOCUMENTS = [
    {"id": 7, "page_content": "It rains.", "metadata": {"source": "a.txt", "generated": False}},
    {"id": 8, "page_content": "It snows.", "metadata": {"source": "b.txt", "generated": True}},
]
ROWS = [
    {"round": 1, "answer": "one", "docs": DOCUMENTS},
    {"round": 2, "answer": "two", "docs": DOCUMENTS[1:]},
    {"round": 3, "answer": "three", "docs": []},
]


def read(source, path="docs"):
    return read_answers(source, columns=AnswerColumns(by="round", text="answer", retrieved=path))


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "csv", "memory"])
def test_every_form_of_a_table_gives_the_same_documents(tmp_path, kind) -> None:
    path = tmp_path / f"answers.{kind}"
    spelled = [{**row, "docs": json.dumps(row["docs"])} for row in ROWS]
    given = path
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, ROWS)))
    elif kind == "json":
        path.write_text(json.dumps(ROWS))
    elif kind == "parquet":
        pl.DataFrame(ROWS).write_parquet(path)
    elif kind == "csv":
        pl.DataFrame(spelled).write_csv(path)
    else:
        given = ROWS
    found = read(given)
    assert found.frame["retrieved"].to_list() == [[0, 1], [1], []]
    assert found.documents.rows() == [
        ("7", "It rains.", False, "a.txt"),
        ("8", "It snows.", True, "b.txt"),
    ]


@pytest.mark.parametrize("kind", ["memory", "jsonl", "csv"])
def test_a_path_leads_to_texts_inside_of_a_record(tmp_path, kind) -> None:
    path = tmp_path / f"answers.{kind}"
    if kind == "csv":
        spelled = [{**row, "docs": json.dumps(row["docs"])} for row in ROWS]
        pl.DataFrame(spelled).write_csv(path)
    else:
        path.write_text("\n".join(map(json.dumps, ROWS)))
    found = read(ROWS if kind == "memory" else path, "docs[*].page_content")
    assert found.frame["retrieved"].to_list() == [[0, 1], [1], []]
    assert found.documents["text"].to_list() == ["It rains.", "It snows."]


@pytest.mark.parametrize(
    ("cell", "rows"),
    [
        (["a b", "c", "a b"], [(None, "a b", None, None), (None, "c", None, None)]),
        ([3, "x"], [("3", None, None, None), (None, "x", None, None)]),
        ("['a', 'b']", [(None, "a", None, None), (None, "b", None, None)]),
        ({"documents": [{"text": "a"}]}, [(None, "a", None, None)]),
        ({"text": "a", "url": "http://x"}, [(None, "a", None, "http://x")]),
        ([{"node": {"id_": "n", "text": "a"}, "score": 0.5}], [("n", "a", None, None)]),
        ([{"document": {"content": "a", "id": "d"}}], [("d", "a", None, None)]),
        ([{"document.content": "a", "document.id": "d"}], [("d", "a", None, None)]),
        ([{"id": "d", "generated": "maybe"}], [("d", None, None, None)]),
        ([{"id": "d", "generated": "no"}], [("d", None, False, None)]),
        ([{"id": "d", "meta": {"synthetic": 1}}], [("d", None, True, None)]),
        ([None, "", "  "], []),
        ("", []),
        ("[]", []),
        (None, []),
        (float("nan"), []),
    ],
)
def test_what_tools_write_is_understood(cell, rows) -> None:
    documents = RetrievedDocuments()
    documents.add(cell)
    assert documents.frame().rows() == rows


def test_later_retrievals_complete_a_document() -> None:
    documents = RetrievedDocuments()
    assert documents.add([{"id": "d"}, {"id": "e", "text": "b"}]) == [0, 1]
    assert documents.add([{"id": "d", "text": "a", "generated": True}]) == [0]
    assert documents.frame().row(0) == ("d", "a", True, None)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("doc-1;doc-2", "the text 'doc-1;doc-2', takes a list of texts or objects, or JSON of one"),
        (5, "the value 5, takes a list"),
        ([[1]], "a list of list"),
        ([{"score": 1.0}], "the keys 'score', takes one of text"),
        ([True], "a list of bool"),
    ],
)
def test_other_cells_are_refused_with_their_line(cell, message) -> None:
    with pytest.raises(DataError, match="line 1 holds in 'docs'") as refused:
        read([{"round": 1, "answer": "one", "docs": cell}])
    assert message in str(refused.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="dogs"):
        read(ROWS, "dogs")
