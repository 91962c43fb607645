import csv
import io
import sys

import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError, OutputError
from hayflick.corpus.answers import Answers
from hayflick.monitor.review import read_review
from hayflick.monitor.review_sample import COLUMNS, escaped, unescaped

TEXTS = (
    '=HYPERLINK("x")',
    "'=quoted",
    "-5",
    "＝全角",
    "日本語、\n二行目 ",
    "a,b;c\td",
    " \t",
    "_x0041_ \x0b \ud800 nul\x00",
    "'tis",
    "@you",
)


@pytest.fixture
def sample():
    frame = pl.DataFrame(
        {
            "row": range(1, 41),
            "round": [1, 2] * 20,
            "text": [text.encode("utf-8", "replace").decode() for text in TEXTS] * 4,
            "group": ["east"] * 30 + ["west"] * 10,
            "prompt": ["+1?"] * 40,
        }
    )
    return hf.draw_review(Answers("talk.jsonl", ("2026-01", "2026-02"), frame), number=20, seed=3)


def rows_of(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def save(path, rows, *, fieldnames=COLUMNS, delimiter=","):
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames, delimiter=delimiter, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-8-sig"))


@pytest.fixture
def filled(sample, tmp_path):
    """Return the path of a review with 3 bad of 12, one open, and two behind it."""
    path = sample.save(tmp_path / "review.csv")
    rows = rows_of(path)
    verdicts = ["ok"] * 9 + ["bad"] * 3 + [""] + ["ok", "NG"] + [""] * 5
    for row, verdict in zip(rows, verdicts, strict=True):
        row["verdict"] = verdict
        row["comment"] = "=so"
    save(path, rows)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_written_is_read_back_unaltered(sample, tmp_path, suffix):
    review = read_review(sample.save(tmp_path / f"review{suffix}"))
    assert [row.position for row in review.rows] == list(range(1, 21))
    assert [row.id for row in review.rows] == [str(one.id) for one in sample.drawn]
    assert [row.weight for row in review.rows] == [one.weight for one in sample.drawn]
    assert (review.ok, review.bad, review.pending) == (0, 0, 20)


def test_a_csv_opens_in_spreadsheet_programs(sample, tmp_path):
    content = sample.save(tmp_path / "review.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfid,round,group,prompt,answer,verdict,comment,")
    for row in rows_of(tmp_path / "review.csv"):
        assert not any(cell[:1] in tuple("=+-@\t\r＝") for cell in row.values() if cell)
    assert {row["answer"] for row in rows_of(tmp_path / "review.csv")} & {"'-5", "''=quoted"}


@pytest.mark.parametrize("text", [*TEXTS, "", "''", "'''@", "plain", "1/2", "'1/2", "12"])
def test_guards_come_off_again(text):
    assert unescaped(escaped(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "1/2",
        "2026-01",
        "007",
        "1e5",
        "3 May",
        "MARCH1",
        "$5",
        "(5)",
        "１／２",
        "令和8年1月",
        "TRUE",
        "R8.1",
    ],
)
def test_what_programs_would_rewrite_is_guarded(text):
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize("text", ["12", "0", "Perhaps 3", "May I?", "x" * 40, "truest", "良い"])
def test_what_they_leave_alone_is_not(text):
    assert escaped(text) == text


def test_verdicts_are_counted_up_to_the_first_open_row(filled):
    review = read_review(filled)
    assert (review.ok, review.bad, review.pending, review.waiting) == (10, 4, 6, 2)
    strata = review.strata()
    assert sum(stratum.checked for stratum in strata) == 12
    assert [(stratum.group, stratum.population) for stratum in strata] == [
        ("east", 30),
        ("west", 10),
    ]
    assert review.rows[0].comment == "=so"
    assert review.acceptance(limit=0.05).bad == 3


def test_rows_may_be_sorted_saved_elsewhere_and_gain_columns(filled):
    before = read_review(filled)
    rows = sorted(rows_of(filled), key=lambda row: row["answer"])
    rows = [{**row, "answer": row["answer"].replace("\n", "\r\n"), "who": "Kei"} for row in rows]
    save(filled, rows, fieldnames=(*COLUMNS, "who"))
    after = read_review(filled)
    assert [(row.id, row.bad) for row in after.rows] == [(row.id, row.bad) for row in before.rows]


@pytest.mark.parametrize("column", ["id", "round", "group", "answer", "population", "position"])
def test_an_altered_row_is_named(filled, column):
    rows = rows_of(filled)
    rows[4][column] += "0"
    save(filled, rows)
    named = rf"review.csv: altered: row 6 \(id {rows[4]['id']}\); restore all but verdict"
    with pytest.raises(DataError, match=named):
        read_review(filled)


def test_missing_and_doubled_rows_are_named(filled):
    rows = rows_of(filled)
    save(filled, [*rows[:3], *rows[5:], rows[7]])
    first, second = f"row 7 (id {rows[7]['id']})", f"row 20 (id {rows[7]['id']})"
    with pytest.raises(DataError) as caught:
        read_review(filled)
    assert f"doubled: {first} = {second}; keep one of each" in str(caught.value)
    assert "missing: position 4, position 5 of 20; restore them" in str(caught.value)


def test_rows_of_another_review_are_noticed(sample, filled, tmp_path):
    frame = pl.DataFrame({"row": [1], "round": [1], "text": ["other"]})
    other = hf.draw_review(Answers("other.jsonl", ("1",), frame), number=1, seed=3)
    more = rows_of(other.save(tmp_path / "other.csv"))
    save(filled, rows_of(filled) + more)
    with pytest.raises(DataError, match="rows of 2 reviews"):
        read_review(filled)


def test_unknown_verdicts_are_named_with_what_is_taken(filled):
    rows = rows_of(filled)
    rows[1]["verdict"], rows[2]["verdict"] = "maybe", "2"
    save(filled, rows)
    with pytest.raises(DataError, match=r"has 'maybe', row 4 \(id \d+\) has '2'; takes ok or bad"):
        read_review(filled)


def test_a_file_that_was_saved_with_semicolons_is_read(filled):
    rows = rows_of(filled)
    save(filled, rows, delimiter=";")
    assert len(read_review(filled).rows) == len(rows)


def test_what_is_no_review_file_is_refused(filled, tmp_path):
    rows = rows_of(filled)
    save(filled, rows, fieldnames=[name for name in COLUMNS if name != "checksum"])
    with pytest.raises(DataError, match="has no column 'checksum'; is no review file"):
        read_review(filled)
    save(filled, [])
    with pytest.raises(DataError, match="holds no row"):
        read_review(filled)
    save(filled, [{**row, "format_version": "9"} for row in rows])
    with pytest.raises(DataError, match="has format_version 9, this version reads 1; update"):
        read_review(filled)
    with pytest.raises(DataError, match="no such file"):
        read_review(tmp_path / "none.csv")
    with pytest.raises(ArgumentError, match=r"path: got .*review.txt, takes a name ending in .csv"):
        read_review(tmp_path / "review.txt")


def test_a_file_is_replaced_by_force_alone(sample, tmp_path):
    path = sample.save(tmp_path / "review.csv")
    with pytest.raises(OutputError, match="exists already"):
        sample.save(path)
    assert sample.save(path, force=True) == path
    with pytest.raises(ArgumentError, match=r"takes a name ending in \.csv, \.xlsx"):
        sample.save(tmp_path / "review.pdf")


def test_a_workbook_says_what_it_needs(sample, tmp_path, monkeypatch):
    frame = pl.DataFrame({"row": [1], "round": [1], "text": ["x" * 40_000]})
    long = hf.draw_review(Answers("long.jsonl", ("1",), frame), number=1, seed=3)
    with pytest.raises(DataError, match=r"id 1 is too long: .* 32,767 characters; write .csv"):
        long.save(tmp_path / "long.xlsx")
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    monkeypatch.setattr("hayflick.monitor.review_sample.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "hayflick\[excel\]"'):
        sample.save(tmp_path / "review.xlsx")
    assert not list(tmp_path.iterdir())
