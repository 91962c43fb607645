import json

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.must_keep import MustKeepList, must_keep_places, read_must_keep
from hayflick.corpus.reading import read_corpus


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", "refund\n\n legal \r\nrefund\n[sic]"),
        ("list.json", '["refund", " legal", "refund", "[sic]", ""]'),
        ("list.csv", "symbol\nrefund\n legal \nrefund\n[sic]\n"),
        ("list.jsonl", '{"symbol": "refund"}\n{"symbol": "legal"}\n{"symbol": "[sic]"}\n'),
    ],
)
def test_a_list_is_lines_json_or_a_column(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    found = read_must_keep(path)
    assert found.symbols == ("refund", "legal", "[sic]")
    assert found.weights == found.at_least == {}
    assert [source.role for source in found.sources] == ["must-keep list"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", "symbol,weight,at_least\nrefund,2.5,\nlegal,,10\n\n"),
        ("list.csv", "At least;Symbol;WEIGHT\n;refund;2,5\n10;legal;\n"),
        ("list.tsv", "symbol\tat-least\tweight\nrefund\t\t2.5\nlegal\t10.0\t\n"),
        (
            "list.ndjson",
            '{"symbol": "refund", "weight": 2.5}\n{"symbol": "legal", "at_least": 10}\n',
        ),
    ],
)
def test_a_table_has_weights_and_numbers_of_examples(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    found = read_must_keep(path)
    assert found.by_symbol == {"refund": 2.5, "legal": 1.0}
    assert found.at_least == {"legal": 10}


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", "和歌山\n石\n"),
        ("list.json", '["和歌山", "石"]'),
        ("list.csv", "symbol,weight\n和歌山,2\n石,1\n"),
    ],
)
def test_a_list_is_utf_8_or_in_the_encoding_of_the_data(
    tmp_path, monkeypatch, capsys, encoding, name, content
):
    monkeypatch.chdir(tmp_path)
    rows = ["round,text", *(f"{place % 12},和歌山 石 {place % 7}" for place in range(60))]
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n", encoding="cp932")
    (tmp_path / name).write_text(content, encoding=encoding)
    given = ["data.csv", "--encoding", "cp932", "--must-keep", name, "--tokenizer", "whitespace"]
    planned = ["--column", "text", "--replicates", "0", "--keep", "0.9", "--generations", "5"]
    assert main(["plan", *given, *planned]) == 0
    assert main(["reserve", *given, "--column", "text", "--size", "2"]) == 0
    watched = ["--text", "text", "--by", "round", "--format", "json"]
    capsys.readouterr()
    assert main(["watch", *given, *watched]) == 0
    assert json.loads(capsys.readouterr().out)["readings"][""][-1]["retention"] == 1.0


def test_a_sheet_and_tables_in_memory_are_such_tables(tmp_path):
    columns = {"symbol": ["refund", "legal"], "weight": [2.5, None], "at_least": [None, 10]}
    frame = pl.DataFrame(columns)
    rows = [{"symbol": "refund", "weight": 2.5}, {"symbol": "legal", "at_least": 10}]
    given = [columns, frame, rows]
    pytest.importorskip("xlsxwriter")
    pytest.importorskip("fastexcel")
    frame.write_excel(tmp_path / "list.xlsx")
    for one in (*given, tmp_path / "list.xlsx"):
        found = MustKeepList.of(one)
        assert (found.by_symbol, found.at_least) == ({"refund": 2.5, "legal": 1.0}, {"legal": 10})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.txt", " \n\n", "names nothing"),
        ("list.csv", "label\nrefund\n", "has the column 'label'; a must-keep table has the col"),
        ("list.csv", "symbol,comment\nrefund,new\n", "has the column 'comment'; a must-keep"),
        ("list.csv", "weight\n2\n", "has no column 'symbol'"),
        ("list.csv", "symbol,Symbol\na,b\n", "has the column 'symbol' more than once"),
        ("list.csv", "symbol,weight\nrefund,-1\n", "line 2, column 'weight': got '-1', takes a n"),
        ("list.csv", "symbol,weight\nrefund,1\n\nlegal,many\n", "line 4, column 'weight': got 'm"),
        ("list.csv", "symbol,at_least\nrefund,2.5\n", "line 2, column 'at_least': got '2.5', tak"),
        ("list.csv", 'symbol,at_least\nrefund,"1,000"\n', "column 'at_least': got '1,000'"),
        ("list.csv", "symbol,at_least\nrefund,0\n", "column 'at_least': got '0'"),
        ("list.csv", "symbol,at_least\nrefund,nan\n", "column 'at_least': got 'nan'"),
        ("list.csv", "symbol,at_least\nrefund,1e400\n", "column 'at_least': got '1e400'"),
        ("list.csv", "symbol,at_least\n,3\n", "line 2, column 'symbol': is empty"),
        ("list.csv", "symbol,at_least\na,3\na,4\n", "line 3, column 'symbol': 'a' stands in"),
        ("list.csv", "symbol,at_least\n", "names nothing"),
        ("list.jsonl.gz", '{"label": "refund"}\n', "has the column 'label'"),
        ("list.jsonl", '{"label": "refund"}\n', "has the column 'label'"),
        ("list.txt", "", "is empty"),
        ("list.json", "[]", "names nothing"),
        ("list.json", '{"refund": 1}', "takes a list of texts"),
        ("list.json", "[1, 2]", "takes a list of texts"),
        ("list.json", '["refund"', "line 1 is no JSON"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_must_keep(path)


def test_a_table_in_memory_names_the_row():
    with pytest.raises(DataError, match="must_keep: row 2, column 'at_least': got '0'"):
        MustKeepList.of({"symbol": ["a", "b"], "at_least": [1, 0]})
    with pytest.raises(ArgumentError, match="no symbol"):
        MustKeepList.of([])


def test_an_entry_is_split_as_the_data_were(tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("rain rain rain Tokyo Tokyo snow")
    words = read_corpus(path)
    assert must_keep_places(["Snow!", "TOKYO", "tokyo"], corpus=words) == [1, 2]
    with pytest.raises(DataError, match="lacks: 'rain snow', '!';"):
        must_keep_places(["rain snow", "!", "rain"], corpus=words)
    as_written = read_corpus(path, tokenizer="whitespace")
    with pytest.raises(DataError, match="lacks: 'tokyo';"):
        must_keep_places(["tokyo"], corpus=as_written)


def test_numbers_of_equal_symbols_are_the_larger_and_no_more_than_the_data_hold(tmp_path):
    path, table = tmp_path / "verse.txt", tmp_path / "keep.csv"
    path.write_text("rain rain rain Tokyo Tokyo snow")
    table.write_text("symbol,weight,at_least\nTOKYO,2,1\ntokyo,1,2\nsnow,,9\n")
    found = read_must_keep(table).spelled_as(read_corpus(path))
    assert (found.symbols, found.by_symbol) == (("tokyo", "snow"), {"tokyo": 2.0, "snow": 1.0})
    assert found.at_least == {"tokyo": 2, "snow": 9}
    (note,) = found.sources[0].notes
    assert "at_least is more than the data hold of 'snow'" in str(note)


LABELS = {"R": 300, "PG-13": 150, "PG": 40, "G": 30, "NC-17": 16}


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("label\n" + "".join(f"{name}\n" * n for name, n in LABELS.items()))
    return path


def test_numbers_of_a_table_go_before_at_least(tmp_path, labels):
    table = tmp_path / "keep.csv"
    table.write_text("symbol,at_least\nNC-17,12\nPG,\n")
    settings = {"column": "label", "generations": 5, "at_least": 3, "replicates": 0}
    plan = hf.plan(labels, must_keep=table, **settings)
    assert dict(zip(plan.target.model.symbols, plan.target.needed.tolist(), strict=True)) == {
        **dict.fromkeys(LABELS, 3),
        "NC-17": 12,
    }
    assert (plan.examples, plan.sources[1].role) == (3, "must-keep list")
    in_memory = hf.plan(labels, must_keep=pl.read_csv(table), **settings)
    assert in_memory.target.needed.tolist() == plan.target.needed.tolist()
    assert in_memory.best.regime.describe() == plan.best.regime.describe()
    assert next(one.least for one in plan.classes if one.symbol == "NC-17") == 12


def test_rules_of_a_plan_with_a_table_hold_it_too(tmp_path, labels, capsys):
    table, rules = tmp_path / "keep.csv", tmp_path / "rules.toml"
    table.write_text("symbol,at_least\nNC-17,8\nPG,2\n")
    options = ["--column", "label", "--generations", "5", "--must-keep", str(table)]
    written = ["--at-least", "1", "--write-rules", str(rules), "--replicates", "8"]
    assert main(["plan", str(labels), *options, *written]) == 0
    assert "as many examples of it as the" in " ".join(capsys.readouterr().out.split())
    assert "at_least = 1 " in rules.read_text()
    evaluated = hf.evaluate_rules(
        rules, corpus=labels, column="label", must_keep=table, generations=5, replicates=64, seed=2
    )
    assert evaluated.holds


def test_commands_say_what_they_do_not_use(tmp_path, labels, capsys):
    table = tmp_path / "keep.csv"
    table.write_text("symbol,weight,at_least\nNC-17,2,8\nPG,,2\n")
    reserve = [
        "reserve",
        str(labels),
        "--column",
        "label",
        "--size",
        "20",
        "--out",
        str(tmp_path / "r.jsonl"),
    ]
    assert main([*reserve, "--must-keep", str(table)]) == 0
    said = capsys.readouterr().err
    assert "note: reserve does not use the column at_least of keep.csv" in said
    assert "note: reserve does not use the column weight of keep.csv" in said
    answers = tmp_path / "answers.csv"
    said = ["PG and NC-17", "PG"]
    rows = "".join(f"{place // 20},{said[place // 20 % 3 == 0]}\n" for place in range(400))
    answers.write_text("round,answer\n" + rows)
    watch = ["watch", str(answers), "--by", "round", "--text", "answer"]
    assert main([*watch, "--must-keep", str(table), "--chart", "retention=shewhart"]) == 0
    said = capsys.readouterr().err
    assert "note: watch does not use the column at_least of keep.csv" in said
    assert "column weight" not in said
