import gzip
import json

import numpy as np
import polars as pl
import pytest

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.table_format import TableFormat

COLUMNS = AnswerColumns(by="round", text="answer", group="model", values=("score",))
ROWS = [
    {"round": 10, "answer": "late", "model": "a", "score": 0.5},
    {"round": 9, "answer": "東京です", "model": "b", "score": "0.25"},
    {"round": 10, "answer": None, "model": "b", "score": None},
    {"round": 9, "answer": "early", "model": "a", "score": 1},
]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def as_format(folder, suffix):
    path = folder / f"answers{suffix}"
    frame = pl.DataFrame([{**row, "score": row["score"] and float(row["score"])} for row in ROWS])
    match suffix:
        case ".jsonl":
            return written(path, ROWS)
        case ".csv":
            frame.write_csv(path)
        case ".tsv":
            frame.write_csv(path, separator="\t")
        case ".parquet":
            frame.write_parquet(path)
        case ".xlsx":
            frame.write_excel(path)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".tsv", ".parquet", ".xlsx"])
def test_answers_come_in_the_order_of_their_rounds_from_any_table(tmp_path, suffix):
    answers = read_answers(as_format(tmp_path, suffix), columns=COLUMNS)
    assert answers.rounds == ("9", "10")
    assert answers.frame["round"].to_list() == [1, 1, 2, 2]
    assert answers.frame["text"].to_list() == ["東京です", "early", "late", None]
    assert answers.frame["group"].to_list() == ["b", "a", "a", "b"]
    assert answers.frame["value score"].to_list() == [0.25, 1.0, 0.5, None]
    assert answers.bad.total == 0
    first, second = (frame["text"].to_list() for _, frame, _ in answers.by_round())
    assert (first, second) == (["東京です", "early"], ["late", None])


def test_rows_keep_the_number_of_their_line(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('\n{"round": 2, "answer": "b"}\n\n{"round": 1, "answer": "a"}')
    answers = read_answers(path, columns=AnswerColumns(by="round", text="answer"))
    assert answers.frame["row"].to_list() == [4, 2]


def test_periods_without_answers_are_rounds_too(tmp_path):
    rows = [{"at": at, "answer": at} for at in ("2026-11-03T09:00Z", "2026-11-01T23:59:00+00:00")]
    path = written(tmp_path / "answers.jsonl", rows)
    answers = read_answers(path, columns=AnswerColumns(by="at", text="answer"), every="1d")
    assert answers.rounds == ("2026-11-01", "2026-11-02", "2026-11-03")
    assert [len(frame) for _, frame, _ in answers.by_round()] == [1, 0, 1]


def test_earlier_rounds_can_be_passed_over(tmp_path):
    answers = read_answers(written(tmp_path / "a.jsonl", ROWS), columns=COLUMNS, start="10")
    assert (answers.rounds, len(answers.frame)) == (("10",), 2)
    with pytest.raises(ArgumentError, match="from: got 11, takes the name of a round: 9 … 10"):
        read_answers(tmp_path / "a.jsonl", columns=COLUMNS, start="11")


def vector_rows(vectors):
    return [{"round": place, "vector": vector} for place, vector in enumerate(vectors)]


def test_vectors_of_a_column_and_of_a_file_are_the_same(tmp_path):
    vectors = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]
    path = written(tmp_path / "answers.jsonl", vector_rows(vectors)[::-1])
    column = read_answers(path, columns=AnswerColumns(by="round", vectors="vector"))
    np.testing.assert_array_equal(column.vectors, vectors)
    stored = tmp_path / "vectors.npy"
    np.save(stored, np.array(vectors[::-1]))
    file = read_answers(path, columns=AnswerColumns(by="round", vectors=str(stored)))
    np.testing.assert_array_equal(file.vectors, vectors)
    assert (column.dimensions, column.vectors.dtype) == (2, np.float32)


def test_a_missing_vector_is_nan_wherever_it_stands(tmp_path):
    path = written(tmp_path / "answers.jsonl", vector_rows([None, [1.0, 2.0], None]))
    vectors = read_answers(path, columns=AnswerColumns(by="round", vectors="vector")).vectors
    np.testing.assert_array_equal(np.isnan(vectors).all(axis=1), [True, False, True])


BAD_LINES = [
    ("{", "line 2 is no JSON"),
    ("[1]", "line 2 is no JSON object"),
    ('{"answer": "x"}', "line 2 has nothing in the column 'round', its round"),
    ('{"round": {"a": 1}, "answer": "x"}', "line 2 holds in the column 'round' an object"),
    ('{"round": 1, "answer": "x", "score": "high"}', "line 2 holds 'high' in the column 'score'"),
    ('{"round": 1, "answer": "x", "score": -1e300}', "holds -1e[+]300 in the column 'score'"),
    ('{"round": 1, "answer": "x", "score": Infinity}', "takes a number of at most 1e"),
    ("[" * 100_000, "line 2 is nested too deeply"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_a_bad_line_is_named_or_passed_over_and_counted(tmp_path, line, message):
    path = tmp_path / "answers.jsonl"
    good = {"round": 1, "answer": "fine", "score": 1, "model": "a"}
    path.write_text(f"{json.dumps(good)}\n{line}\n{json.dumps(good)}\n")
    with pytest.raises(DataError, match=message) as raised:
        read_answers(path, columns=COLUMNS)
    assert "--skip-bad" in str(raised.value)
    answers = read_answers(path, columns=COLUMNS, skip_bad=True)
    assert (len(answers.frame), answers.bad.total, answers.bad.first[0][0]) == (2, 1, 2)


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        ([1.0, 2.0, 3.0], "has a vector of 3 numbers, those before have 2"),
        ([1.0, float("nan")], "holds a vector with NaN or infinite numbers"),
        ("north", "holds no list of numbers"),
        ([], "holds no list of numbers"),
    ],
)
def test_a_bad_vector_is_named(tmp_path, vector, message):
    path = written(tmp_path / "answers.jsonl", vector_rows([[1.0, 2.0], vector]))
    columns = AnswerColumns(by="round", vectors="vector")
    with pytest.raises(DataError, match=f"line 2 {message}"):
        read_answers(path, columns=columns)
    assert read_answers(path, columns=columns, skip_bad=True).bad.total == 1


def test_a_file_of_vectors_of_another_length_or_kind_is_refused(tmp_path):
    path = written(tmp_path / "answers.jsonl", ROWS)
    stored = tmp_path / "vectors.npy"
    columns = AnswerColumns(by="round", vectors=str(stored))
    np.save(stored, np.ones((3, 2)))
    with pytest.raises(DataError, match="has 3 rows, the answers have 4"):
        read_answers(path, columns=columns)
    np.save(stored, np.ones(4))
    with pytest.raises(DataError, match=r"holds float64 of shape \(4,\)"):
        read_answers(path, columns=columns)
    stored.write_bytes(b"no array")
    with pytest.raises(DataError, match=r"cannot be read as \.npy"):
        read_answers(path, columns=columns)


def test_half_of_a_letter_is_replaced(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"round": "\\ud800", "answer": "a\\uDC00b \\ud83d\\ude00"}\n')
    answers = read_answers(path, columns=AnswerColumns(by="round", text="answer"))
    assert answers.rounds == ("?",)
    assert answers.frame["text"].to_list() == ["a?b \U0001f600"]


def test_a_stored_vector_that_is_no_number_is_named_or_left_out(tmp_path):
    path = written(tmp_path / "answers.jsonl", [{"round": place} for place in range(3)])
    stored = tmp_path / "vectors.npy"
    np.save(stored, np.array([[1.0, 2.0], [np.nan, 1.0], [3.0, 4.0]]))
    columns = AnswerColumns(by="round", vectors=str(stored))
    with pytest.raises(DataError, match="row 1 holds NaN or infinite numbers"):
        read_answers(path, columns=columns)
    answers = read_answers(path, columns=columns, skip_bad=True)
    assert np.isnan(answers.vectors).all(axis=1).tolist() == [False, True, False]
    assert answers.bad.total == 1


def test_a_round_that_is_no_number_is_a_bad_row(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"round": NaN, "answer": "x"}\n')
    with pytest.raises(DataError, match="line 1 has nothing in the column 'round'"):
        read_answers(path, columns=AnswerColumns(by="round", text="answer"))


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("round,answer,answer\n1,a,b\n")
    with pytest.raises(DataError, match="has the column 'answer' more than once"):
        read_answers(path, columns=AnswerColumns(by="round", text="answer"))


def test_a_column_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="no line has the column 'reply'"):
        read_answers(
            written(tmp_path / "a.jsonl", ROWS), columns=AnswerColumns(by="round", text="reply")
        )
    with pytest.raises(DataError, match="has no column 'reply'; it has: 'round', 'answer'"):
        read_answers(as_format(tmp_path, ".csv"), columns=AnswerColumns(by="round", text="reply"))


def test_what_is_no_table_or_holds_nothing_is_refused(tmp_path):
    (tmp_path / "answers.txt").write_text("hello")
    with pytest.raises(DataError, match=r"is no table; takes \.csv"):
        read_answers(tmp_path / "answers.txt", columns=COLUMNS)
    (tmp_path / "blank.jsonl").write_text("\n\n")
    with pytest.raises(DataError, match="no row has any content"):
        read_answers(tmp_path / "blank.jsonl", columns=COLUMNS)
    (tmp_path / "bad.jsonl").write_text("{\n")
    with pytest.raises(DataError, match="holds no answer that can be used; 1 rows were bad"):
        read_answers(tmp_path / "bad.jsonl", columns=COLUMNS, skip_bad=True)


def test_something_has_to_be_watched(tmp_path):
    path = written(tmp_path / "a.jsonl", ROWS)
    with pytest.raises(ArgumentError, match="text: got no column"):
        read_answers(path, columns=AnswerColumns(by="round"), log="none")
    with pytest.raises(ArgumentError, match="value: got score, takes each column once"):
        AnswerColumns(by="round", values=("score", "score"))


def test_a_stated_decimal_sign_holds_in_json_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"round": 1, "score": "0,5"}\n{"round": 2, "score": 2.5}\n')
    columns = AnswerColumns(by="round", values=("score",))
    found = read_answers(path, columns=columns, table=TableFormat(decimal=","))
    assert found.frame["value score"].to_list() == [0.5, 2.5]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_digits_with_underscores_are_no_numbers(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    csv, lines = "round,score\n1,1_000\n", '{"round": 1, "score": "1_000"}\n'
    path.write_text(csv if suffix == "csv" else lines)
    with pytest.raises(DataError, match="'1_000' in the column 'score', takes a number"):
        read_answers(path, columns=AnswerColumns(by="round", values=("score",)))


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u3000"])
def test_a_round_has_a_name_that_is_seen(tmp_path, blank):
    path = tmp_path / "a.jsonl"
    records = [{"round": 1, "answer": "a"}, {"round": blank, "answer": "b"}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(DataError, match="line 2 has nothing in the column 'round', its round"):
        read_answers(path, columns=AnswerColumns(by="round", text="answer"))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".parquet.gz", ".xlsx"])
def test_a_large_table_is_read_a_few_rows_at_a_time(tmp_path, monkeypatch, suffix):
    if suffix == ".xlsx":
        pytest.importorskip("fastexcel", reason="the extra excel is not installed")
        pytest.importorskip("xlsxwriter")
    numbers = [f"{place},5" if place % 4 else "" for place in range(60)]
    frame = pl.DataFrame(
        {
            "round": [place // 20 + 1 for place in range(60)],
            "answer": [f"answer {place}" if place % 7 else None for place in range(60)],
            "score": numbers,
        }
    )
    path = tmp_path / f"table{suffix}"
    write = {".csv": frame.write_csv, ".xlsx": frame.write_excel}.get(suffix, frame.write_parquet)
    write(tmp_path / path.name.removesuffix(".gz"))
    if suffix.endswith(".gz"):
        path.write_bytes(gzip.compress((tmp_path / "table.parquet").read_bytes()))
    columns = AnswerColumns(by="round", text="answer", values=("score",))
    whole = read_answers(path, columns=columns)
    monkeypatch.setattr("hayflick.corpus.table_kinds._BATCH_ROWS", 7)
    monkeypatch.setattr("hayflick.corpus.table_kinds._SLICE_ROWS", 7)
    few = read_answers(path, columns=columns)
    assert few.frame.equals(whole.frame)
    assert few.sources == whole.sources
    assert whole.frame["row"].to_list() == list(range(*((2, 62) if suffix in LINED else (1, 61))))
    assert whole.frame["value score"][1] == 1.5


LINED = (".csv", ".xlsx")
