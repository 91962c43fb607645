"""Tables as people have them: each is read right, or refused with what to do."""

import gzip
import json
import random
import shlex
from collections import Counter

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.tables import table_rows

DRAW = random.Random(14)
WORDS = ["rain", "moon", "salt", "stone", "bread", "window", "plum", "river", "fish", "paper"]
ANSWERS = [
    (number // 20 + 1, "ab"[number % 2], " ".join(DRAW.choices(WORDS, k=6)))
    for number in range(400)
]


def write(path, content, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode(encoding)
    path.write_bytes(data)
    return path


def counts(path, column="label", **options):
    law = hf.Discrete.from_file(path, column=column, **options)
    return dict(zip(law.symbols, law.weights.tolist(), strict=True))


def notes(path, column="label", **options):
    law = hf.Discrete.from_file(path, column=column, **options)
    return [str(note) for note in law.source.notes]


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def watch(capsys, path, *more):
    return run(capsys, "watch", path, "--text", "answer", "--by", "round", *more)


def forecast(capsys, path, *more):
    return run(
        capsys,
        "forecast",
        path,
        "--replicates",
        "0",
        "--generations",
        "3",
        "--format",
        "json",
        *more,
    )


def answers_csv(separator=","):
    rows = "".join(f"{separator.join(map(str, row))}\n" for row in ANSWERS)
    return f"{separator.join(('round', 'model', 'answer'))}\n{rows}"


# File names are no patterns.

NAMES = ["a[1].csv", "a*b.csv", "a?.csv", "{a,b}.csv", "~a.csv", "d[1]/a.csv", "~/a.csv", "a b.csv"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_are_no_patterns(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for other in ("a1.csv", "axb.csv", "ab.csv", "a.csv", "b.csv", "d1/a.csv"):
        write(tmp_path / other, "id,label\n1,wrong\n")
    write(tmp_path / name, "id,label\n1,right\n")
    assert counts(name) == {"right": 1}
    for suffix in (".jsonl", ".parquet", ".txt", ".json"):
        path = tmp_path / name.replace(".csv", suffix)
        match suffix:
            case ".jsonl":
                write(path, '{"label": "right"}\n')
            case ".parquet":
                pl.DataFrame({"label": ["right"]}).write_parquet(path)
            case ".txt":
                write(path, "right")
            case _:
                write(path, '{"right": 1}')
        column = "label" if suffix in (".jsonl", ".parquet") else None
        assert counts(path.relative_to(tmp_path), column) == {"right": 1}


def test_a_folder_with_brackets_is_no_pattern(tmp_path):
    write(tmp_path / "d1" / "a.txt", "wrong")
    write(tmp_path / "d[1]" / "a.txt", "right")
    assert counts(tmp_path / "d[1]", None) == {"right": 1}


# Separators, quotes, headers, blank lines.


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("id,label\n1,x\n2,y\n", None),
        ("id;label\n1;x\n2;y\n", "separated by a semicolon"),
        ("id\tlabel\n1\tx\n2\ty\n", "separated by a tab"),
        ("id|label\n1|x\n2|y\n", "separated by a vertical bar"),
        ("sep=;\nid;label\n1;x\n2;y\n", "separated by a semicolon"),
        ("SEP=|\r\nid|label\r\n1|x\r\n2|y\r\n", "separated by a vertical bar"),
        ("\ufeffid;label\r\n1;x\r\n2;y\r\n", "separated by a semicolon"),
        ("'id','label'\n'1','x'\n'2','y'\n", "quoted by '"),
        ('"id","label"\n"1","x"\n"2","y"\n', None),
        ("id,label\r1,x\r2,y\r", None),
        ("\n\nid,label\n1,x\n2,y\n", None),
        ("id,label\n\n1,x\n   \n2,y\n\n\n\n", None),
        ("id,label\n1,x\n,\n2,y\n,\n,\n", None),
        ("id,label,\n1,x,\n2,y,\n", None),
        ("id,label,more\n1,x\n2,y,z\n", None),
        ("id;label;price\n1;x;0,5\n2;y;1,5\n", "separated by a semicolon"),
        ("id;label;text\n1;x;yes, so\n2;y;no\n", "separated by a semicolon"),
    ],
)
def test_the_dialect_is_seen_from_the_file(tmp_path, text, note):
    path = write(tmp_path / "a.csv", text)
    assert counts(path) == {"x": 1, "y": 1}
    found = notes(path)
    assert (note is None and found == []) or note in found[0]


@pytest.mark.parametrize(
    ("text", "options", "column", "found"),
    [
        ("id label\n1 x\n", {"separator": "space"}, "label", {"x": 1}),
        ("id:label\n1:x\n", {"separator": ":"}, "label", {"x": 1}),
        ("id,label\n1,'x,y'\n", {"quote": "'"}, "label", {"x,y": 1}),
        ('id,label\n1,"x\n', {"quote": "none"}, "label", {'"x': 1}),
        ("1,x\n2,y\n", {"header": False}, "column_2", {"x": 1, "y": 1}),
        ("a;b,c;d\n1;2,3;4\n", {"separator": ","}, "a;b", {"1;2": 1}),
        ("a;b,c;d\n1;2,3;4\n", {"separator": ";"}, "a", {"1": 1}),
    ],
)
def test_a_stated_dialect_decides(tmp_path, text, options, column, found):
    path = write(tmp_path / "a.csv", text)
    assert counts(path, column, table=hf.TableFormat(**options)) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b,c;d\n1;2,3;4\n", r"can be read as .*a comma .*or .*a semicolon .*--separator"),
        ("id label\n1 x\n", "has no column 'label'; it has: 'id label'; its cells seem to be sep"),
        ("id, label\n1,x\n", "it has: 'id', ' label'; did you mean ' label'?"),
        ("id,Label\n1,x\n", "it has: 'id', 'Label'; did you mean 'Label'?"),
        ("id,label\n1,x,y\n", "line 2 has 3 cells, the header has 2"),
        ('id,label\n1,"a\nb"\n2,y,z\n', "line 4 has 3 cells, the header has 2"),
        ('id,label\n1,x\n2,"y\n3,z\n', "a quote in the row of line 3 is never closed"),
        ('id,label\n1,"x" y\n', "line 2 has text behind a closing quote"),
        ("id,label\n1,x\ry\n", "line 2 has a carriage return in a cell without quotes"),
        ("label,id,label\nx,1,y\n", r"the column 'label' more than once \(columns 1 and 3 of 3\)"),
        ("\n\n", "holds no row"),
        ("id,label\n", "holds no symbol"),
    ],
)
def test_what_cannot_be_read_is_placed(tmp_path, text, message):
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(DataError, match=message):
        counts(path)


def test_quotes_within_a_cell_stay(tmp_path):
    path = write(tmp_path / "a.csv", 'id,label\n1,5" pipe\n2,a"b"c\n3,"he said ""no"""\n')
    assert counts(path) == {'5" pipe': 1, 'a"b"c': 1, 'he said "no"': 1}


def test_a_header_may_have_quotes_and_line_breaks(tmp_path):
    path = write(tmp_path / "a.csv", '"a ""b"" c","two\nlines"\nx,1\ny,2\n')
    assert counts(path, 'a "b" c') == {"x": 1, "y": 1}
    assert counts(path, "two\nlines") == {"1": 1, "2": 1}


def test_names_of_columns_are_found_in_any_composition(tmp_path):
    path = write(tmp_path / "a.csv", "id,cafe\u0301\n1,x\n")
    assert counts(path, "caf\u00e9") == {"x": 1}


def test_a_first_line_of_numbers_is_pointed_at(tmp_path):
    path = write(tmp_path / "a.csv", "1,x\n2,y\n3,x\n")
    assert "--no-header takes it for data" in notes(path, "x")[0]


def test_blank_lines_of_a_single_column(tmp_path):
    path = write(tmp_path / "a.csv", 'label\nx\n\n""\ny\n\n\n')
    law = hf.Discrete.from_file(path)
    assert (law.source.missing, law.source.rows) == (2, 4)


def test_cells_of_any_length_are_read(tmp_path):
    long = "word " * 60_000
    path = write(tmp_path / "a.csv", f"round,label\n1,{long}\n2,short\n")
    assert counts(path, tokenizer="whitespace") == {"word": 60_000, "short": 1}
    write(path, f"round,label\n1,{long}\n2,a,b\n")
    with pytest.raises(DataError, match="line 3 has 3 cells, the header has 2"):
        counts(path)


# Columns that stand twice.


def workbook(path, sheets):
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="extra excel")
    pytest.importorskip("fastexcel", reason="extra excel")
    with xlsxwriter.Workbook(path) as book:
        for name, (rows, state) in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if state in ("hidden", "very hidden"):
                getattr(sheet, {"hidden": "hide", "very hidden": "very_hidden"}[state])()
            if state == "active":
                sheet.activate()
                sheet.set_first_sheet()
    return path


def test_a_column_that_stands_twice_is_refused_in_every_command(tmp_path, capsys):
    rows = [["label", "round", "label"], *[["a", number, "b"] for number in range(20)]]
    text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
    paths = [write(tmp_path / "a.csv", text), write(tmp_path / "a.tsv", text.replace(",", "\t"))]
    paths.append(workbook(tmp_path / "a.xlsx", {"a": (rows, None)}))
    for path in paths:
        for command in (
            ["forecast", path, "--column", "label"],
            ["plan", path, "--column", "label"],
            ["reserve", path, "--column", "label", "--size", "2", "--out", tmp_path / "r.jsonl"],
            ["expressivity", path, "--column", "label"],
            ["simulate", "discrete", "--corpus", path, "--column", "label"],
            ["watch", path, "--text", "label", "--by", "round"],
        ):
            code, _, told = run(capsys, *command)
            assert code == 2
            assert "has the column 'label' more than once (columns 1 and 3 of 3)" in told
        assert counts(path, "round")["7"] == 1


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"label": "a"}\n{"label": "a", "label": "b"}\n')
    with pytest.raises(DataError, match="line 2 names the column 'label' twice"):
        counts(path)
    with pytest.raises(DataError, match="line 2 names the column 'label' twice"):
        read_answers(path, columns=AnswerColumns(by="label", text="label"))


def test_frames_of_pandas_whose_columns_stand_twice_are_refused():
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    with pytest.raises(DataError, match="the column 'x' more than once"):
        counts(pd.DataFrame([["a", "b"]], columns=["x", "x"]), "x")


# Nested values.


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"text": "a long answer"}, "label.text"),
        (
            {"id": "7f9c-4b", "choices": [{"message": {"content": "no"}}]},
            "label.choices[0].message.content",
        ),
        ([{"role": "assistant", "content": "ok"}], "label[0].content"),
        ({"a": {"b": {"c": "deep"}}}, "label.a.b.c"),
        (["one", "three words here"], "label[1]"),
    ],
)
def test_nested_cells_are_refused_with_the_path_of_their_text(tmp_path, value, path, capsys):
    lines = "".join(f"{json.dumps({'round': n, 'label': value})}\n" for n in range(1, 21))
    nested = write(tmp_path / "a.jsonl", lines)
    for command in (
        ["forecast", nested, "--column", "label"],
        ["forecast", nested, "--column", "label", "--tokenizer", "auto"],
        ["plan", nested, "--column", "label"],
        ["watch", nested, "--text", "label", "--by", "round"],
        ["watch", nested, "--text", "round", "--by", "round", "--group", "label"],
    ):
        code, _, told = run(capsys, *command)
        assert code == 2
        option = command[-2] if command[-1] == "label" else "--text"
        option = "--column" if command[0] in ("forecast", "plan") else option
        assert f"its text is at {path}: read it with {option} {shlex.quote(path)}" in told
    pl.DataFrame({"round": [1], "label": [value]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="its text is at label"):
        counts(tmp_path / "a.parquet")
    spelled = lines.replace(json.dumps(value), json.dumps(json.dumps(value)))
    assert f"their text is at {path}" in notes(write(tmp_path / "b.jsonl", spelled))[0]


def test_braces_in_sentences_are_text(tmp_path):
    path = write(tmp_path / "a.csv", "label\n{braces} in a sentence\n[1] is a reference\n")
    assert notes(path) == []


# Whole numbers as floats: one rule.


def test_whole_numbers_have_one_spelling_in_formats_with_numbers(tmp_path):
    cells = [1.0, 2.0, 2.5, 1.0]
    pl.DataFrame({"label": cells}).write_parquet(tmp_path / "a.parquet")
    lines = "".join(f"{json.dumps({'label': cell})}\n" for cell in cells)
    write(tmp_path / "a.jsonl", lines)
    workbook(tmp_path / "a.xlsx", {"a": ([["label"], *[[cell] for cell in cells]], None)})
    for source in (*(tmp_path / f"a.{kind}" for kind in ("parquet", "jsonl", "xlsx")), cells):
        assert counts(source) == {"1": 2, "2": 1, "2.5": 1}
    write(tmp_path / "a.csv", "label\n1.0\n1\n007\n7\n1e3\n")
    assert counts(tmp_path / "a.csv") == {"1.0": 1, "1": 1, "007": 1, "7": 1, "1e3": 1}


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_rounds_and_arms_are_found_by_equal_numbers(tmp_path, suffix, capsys):
    frame = pl.DataFrame(ANSWERS, schema=["round", "model", "answer"], orient="row")
    frame = frame.with_columns(pl.col("round").cast(pl.Float64))
    path = tmp_path / f"a.{suffix}"
    write_as = {"jsonl": "ndjson"}.get(suffix, suffix)
    getattr(frame, f"write_{write_as}")(path)
    for name in ("5", "5.0", "05"):
        code, out, _ = watch(capsys, path, "--from", name, "--format", "json")
        assert code == 0
        assert len(json.loads(out)["readings"][""]) == 16


# Workbooks.

HEADER = ["id", "label"]


@pytest.mark.parametrize("state", ["hidden", "very hidden"])
def test_hidden_sheets_are_read_by_name_alone(tmp_path, state):
    sheets = {
        "old": ([HEADER, [1, "x"], [2, "y"]], state),
        "new": ([HEADER, [1, "a"]], "active"),
        "more": ([HEADER, [1, "m"]], None),
    }
    path = workbook(tmp_path / "a.xlsx", sheets)
    law = hf.Discrete.from_file(path, column="label")
    assert (law.symbols, law.source.sheet) == (("a",), "new")
    told = "the sheet 'new' of a.xlsx is read; others: 'old', 'more' (hidden: 'old')"
    assert [str(note) for note in law.source.notes] == [told]
    assert counts(path, table=hf.TableFormat(sheet="old")) == {"x": 1, "y": 1}
    with pytest.raises(
        ArgumentError, match=r"takes one of the sheets of a\.xlsx: 'old', 'new', 'm"
    ):
        counts(path, table=hf.TableFormat(sheet="none"))


def test_a_sheet_that_is_empty_is_not_the_default(tmp_path):
    path = workbook(tmp_path / "a.xlsx", {"empty": ([], None), "data": ([HEADER, [1, "x"]], None)})
    assert counts(path) == {"x": 1}
    with pytest.raises(DataError, match="the sheet 'empty' is empty; the sheets are: 'empty', 'da"):
        counts(path, table=hf.TableFormat(sheet="empty"))


def test_blank_rows_of_a_sheet_are_none_and_count_as_lines(tmp_path):
    rows = [[], [], ["round", "label", "score"], [1, "x", 1], [], [2, "y", "oops"], ["", "", ""]]
    path = workbook(tmp_path / "a.xlsx", {"a": (rows, None)})
    assert counts(path) == {"x": 1, "y": 1}
    with pytest.raises(DataError, match="line 6 holds 'oops' in the column 'score'"):
        read_answers(path, columns=AnswerColumns(by="round", text="label", values=("score",)))


# Lines.


def test_rows_are_named_by_their_line(tmp_path):
    text = 'round,label,score\n1,"two\nlines",1\n\n2,"three\n\nlines",2\n3,x,oops\n'
    path = write(tmp_path / "a.csv", text)
    columns = AnswerColumns(by="round", text="label", values=("score",))
    with pytest.raises(DataError, match="line 8 holds 'oops' in the column 'score'"):
        read_answers(path, columns=columns)
    read = read_answers(path, columns=columns, skip_bad=True)
    assert read.frame["row"].to_list() == [2, 5]
    assert read.bad.first[0][0] == 8
    with pytest.raises(DataError, match="labels, such as 'oops' in line 8"):
        hf.Gaussian.from_file(path, column="score")


# Compression and encodings.


def test_compressed_tables_are_read(tmp_path, capsys):
    for name, text in {
        "a.csv.gz": "id;label\n1;x\n",
        "a.tsv.gz": "id\tlabel\n1\tx\n",
        "a.jsonl.gz": '{"label": "x"}\n',
        "packed.csv": "id,label\n1,x\n",
    }.items():
        assert counts(write(tmp_path / name, gzip.compress(text.encode()))) == {"x": 1}
    parts = gzip.compress(b"id,label\n1,x\n") + gzip.compress(b"2,y\n")
    assert counts(write(tmp_path / "two.csv.gz", parts)) == {"x": 1, "y": 1}
    pl.DataFrame({"label": ["x"]}).write_parquet(tmp_path / "a.parquet")
    packed = gzip.compress((tmp_path / "a.parquet").read_bytes())
    assert counts(write(tmp_path / "b.parquet.gz", packed)) == {"x": 1}
    cut = gzip.compress(answers_csv().encode())[:200]
    with pytest.raises(DataError, match="the compressed data are damaged or cut off"):
        counts(write(tmp_path / "cut.csv.gz", cut), "model")
    packed = write(tmp_path / "w.csv.gz", gzip.compress(answers_csv(";").encode()))
    assert watch(capsys, packed)[0] == 0


def test_a_row_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.corpus.table_kinds.LONGEST_LINE", 1000)
    path = write(tmp_path / "a.csv.gz", gzip.compress(b'id,label\n1,"' + b"x\n" * 10_000))
    with pytest.raises(DataError, match=r"the row in line 2 has more than 1,000 .* never closed\?"):
        counts(path)


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_without_a_mark_is_refused_by_its_order(tmp_path, order, capsys):
    path = write(tmp_path / "a.csv", answers_csv(), f"utf-16-{order}")
    code, _, told = watch(capsys, path, "--encoding", "utf-16")
    assert code == 2
    assert (
        f"has no byte-order mark, which --encoding utf-16 takes; add --encoding utf-16-{order}"
        in told
    )
    assert watch(capsys, path, "--encoding", f"utf-16-{order}")[0] == 0
    with pytest.raises(UndecodableError):
        counts(path, "model")


# Numbers and structures beyond all bounds.


@pytest.mark.parametrize("digits", ["9" * 5000, "1" + "0" * 400, "-" + "7" * 4400])
def test_numbers_of_thousands_of_digits_are_labels_and_no_values(tmp_path, digits):
    lines = f'{{"round": 1, "label": {digits}}}\n{{"round": 2, "label": 5}}\n'
    path = write(tmp_path / "a.jsonl", lines)
    assert counts(path) == {digits: 1, "5": 1}
    with pytest.raises(DataError, match=r"line 1 holds .* takes a number of at most 1e"):
        read_answers(path, columns=AnswerColumns(by="round", values=("label",)))


@pytest.mark.parametrize("line", ['{"label": ' + "[" * 100_000, "[" * 100_000, "{" * 100_000])
def test_deep_lines_are_refused(tmp_path, line):
    path = write(tmp_path / "a.jsonl", f"{line}\n")
    with pytest.raises(DataError, match="line 1 "):
        counts(path)


def test_a_list_in_place_of_lines_is_read(tmp_path):
    path = write(tmp_path / "a.jsonl", '[\n{"label": "x"},\n{"label": "y"}\n]\n')
    assert counts(path) == {"x": 1, "y": 1}
    path = write(tmp_path / "b.jsonl", '[["x"], ["y"]]\n')
    with pytest.raises(DataError, match="line 1 is no JSON object; each line takes one"):
        counts(path)


def test_a_stored_row_has_the_label_that_was_counted(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"label": [1.0, 2.5], "more": ["x", "y"]}).write_parquet(path)
    assert table_rows(path, column="label", numbers=[0]) == [{"label": "1", "more": "x"}]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"separator": "ab"}, "separator: got ab, takes one character"),
        ({"separator": ""}, "separator: got , takes one character"),
        ({"decimal": ";"}, "decimal: got ;, takes a point or a comma"),
        (
            {"decimal": ",", "separator": ","},
            "decimal: got ,, takes another character than the sep",
        ),
        ({"quote": "xx"}, "quote: got xx, takes one character, or none"),
        ({"sheet": ""}, "sheet: got nothing"),
    ],
)
def test_a_format_is_checked(options, message):
    with pytest.raises(ArgumentError, match=message):
        hf.TableFormat(**options)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("a.jsonl", ["--separator", ";"]),
        ("a.parquet", ["--no-header"]),
        ("a.csv", ["--sheet", "one"]),
        ("a.txt", ["--quote", "'"]),
        ("a.txt", ["--decimal", ","]),
        ("a.json", ["--separator", ";"]),
    ],
)
def test_options_that_do_not_fit_the_file_are_refused(tmp_path, name, option, capsys):
    write(tmp_path / name, '{"label": 2}\n')
    code, _, told = forecast(capsys, tmp_path / name, *option)
    assert code == 2
    assert "takes nothing but for a file that ends in" in told
    assert f"{name} is another" in told


# The shared cases.


def test_shared_patterns(cases, capsys):
    code, out, _ = watch(capsys, cases / "answers[1].csv", "--format", "json")
    assert code == 0
    assert json.loads(out)["inputs"][0]["file"] == "answers[1].csv"
    code, _, told = watch(capsys, cases / "answers1.csv")
    assert code == 2
    assert "all alike" in told


def test_shared_duplicates(cases, capsys):
    for name, column in (("dup.csv", "label"), ("dup.xlsx", "answer")):
        code, _, told = forecast(capsys, cases / name, "--column", column)
        assert code == 2
        assert f"has the column {column!r} more than once" in told
    assert watch(capsys, cases / "dup.xlsx")[0] == 2


@pytest.mark.parametrize(
    ("name", "column", "path"),
    [
        ("nested_answer", "response", "response.text"),
        ("logs/batch", "response", "response.body.choices[0].message.content"),
        ("logs/langfuse", "output", "output.content"),
        ("logs/langfuse", "input", "input[0].content"),
        ("logs/litellm", "response", "response.choices[0].message.content"),
        ("logs/litellm", "messages", "messages[0].content"),
    ],
)
def test_shared_nested_values(cases, capsys, name, column, path):
    _, _, told = forecast(
        capsys, cases / f"{name}.jsonl", "--column", column, "--tokenizer", "auto"
    )
    assert f"text is at {path}" in told


def test_shared_tables(cases, capsys):
    code, out, _ = watch(capsys, cases / "float_rounds.jsonl", "--from", "5", "--format", "json")
    assert (code, len(json.loads(out)["readings"][""])) == (0, 16)
    code, out, told = watch(capsys, cases / "hidden_first.xlsx", "--format", "json")
    assert code == 0
    assert "the sheet 'answers' of hidden_first.xlsx is read" in told
    assert json.loads(out)["inputs"][0]["sheet"] == "answers"
    assert watch(capsys, cases / "hidden_first.xlsx", "--sheet", "old")[0] in (0, 1, 2)
    carat = hf.Gaussian.from_file(cases / "semicolon.csv", column="carat")
    text = (cases / "semicolon.csv").read_text()
    numbers = [float(row.split(";")[0].replace(",", ".")) for row in text.splitlines()[1:]]
    assert carat.mean == pytest.approx(sum(numbers) / len(numbers))
    assert counts(cases / "semicolon.csv", "cut") == Counter(
        row.split(";")[1] for row in text.splitlines()[1:]
    )
    assert watch(capsys, cases / "base.jsonl.gz")[0] == 0
    law = hf.Discrete.from_file(cases / "blank_lines.csv", column="round")
    assert (law.total, law.source.missing) == (600, 0)
    assert watch(capsys, cases / "blank_lines.csv")[0] == 0
    assert counts(cases / "nan_label.jsonl") == {"a": 2, "b": 1}
    assert counts(cases / "attack" / "quoted-header.csv", 'a "b" c') == {'x "y" z': 2, "w": 1}


def test_shared_refusals(cases, capsys):
    for name, more, message in (
        ("bad_csv_row.csv", ["--value", "score"], "line 8 holds 'oops' in the column 'score'"),
        ("header_space.csv", [], "it has: 'round', ' answer'; did you mean ' answer'?"),
        ("longfield_ragged.csv", [], "line 3 has 3 cells, the header has 2"),
        ("bigint_digits.jsonl", ["--value", "score"], "takes a number of at most 1e"),
        ("u16le_nobom.csv", ["--encoding", "utf-16"], "add --encoding utf-16-le"),
    ):
        code, _, told = watch(capsys, cases / name, *more)
        assert code == 2
        assert message in told
    assert watch(capsys, cases / "bigint_digits.jsonl")[0] == 0
    assert watch(capsys, cases / "u16le_nobom.csv", "--encoding", "utf-16-le")[0] == 0


@pytest.mark.parametrize(
    ("cell", "path"),
    [
        ("{'role': 'user', 'tool': None, 'content': 'It rains.'}", "answer.content"),
        ("[\"It's\", 'rain']", "answer[0]"),
        ("{'a': 1}", None),
    ],
)
def test_objects_as_python_spells_them_are_named(tmp_path, cell, path):
    table = tmp_path / "a.jsonl"
    table.write_text(json.dumps({"answer": cell}) + "\n")
    (note,) = notes(table, "answer")
    assert "as Python spells them" in str(note)
    assert path is None or f"their text is at {path}:" in str(note)


@pytest.mark.parametrize(
    "mark", ['"sep=;"\r\n', '"sep=;"\n', "sep=;,,\r\n", "SEP=;;\n", '\ufeff"sep=;"\r\n']
)
def test_the_line_of_a_spreadsheet_is_found_in_other_spellings(tmp_path, mark):
    path = write(tmp_path / "a.csv", f"{mark}label;n\na,b;1\nc;2\n")
    assert counts(path) == {"a,b": 1, "c": 1}
