"""Columns named by paths into nested cells, in every kind of table and every command."""

import json
import shlex

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError
from hayflick.corpus.tables import open_table, table_rows

RECORDS = [
    {
        "id": at,
        "at.once": "ab"[at % 2],
        "reply": {
            "choices": [{"message": {"content": f"It {('rains', 'snows')[at % 2]}."}}],
            "score": at / 2,
            "tags": ["x", "y"],
            "vector": [1.0, float(at)],
            "of": None if at % 2 else {"model": "m"},
        },
        "spelled": json.dumps({"text": f"say {at % 3}", "parts": [{"t": "a"}, {"t": "b"}]}),
        "python": str({"text": "Don't.", "none": None}),
    }
    for at in range(6)
]
TEXT = "reply.choices[0].message.content"


@pytest.fixture
def tables(tmp_path):
    """Return the same records in four kinds of tables; CSV has objects as JSON."""
    frame = pl.DataFrame(RECORDS)
    frame.write_parquet(tmp_path / "a.parquet")
    flat = [{**record, "reply": json.dumps(record["reply"])} for record in RECORDS]
    pl.DataFrame(flat).write_csv(tmp_path / "a.csv")
    lines = "".join(f"{json.dumps(record)}\n" for record in RECORDS)
    (tmp_path / "a.jsonl").write_text(lines)
    return {kind: tmp_path / f"a.{kind}" for kind in ("parquet", "csv", "jsonl")} | {
        "memory": frame,
        "records": RECORDS,
    }


KINDS = ("parquet", "csv", "jsonl", "memory", "records")


def counts(source, column, **options):
    law = hf.Discrete.from_file(source, column=column, **options)
    return dict(zip(law.symbols, law.weights.tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (TEXT, {"It rains.": 3, "It snows.": 3}),
        ("reply.choices.0.message.content", {"It rains.": 3, "It snows.": 3}),
        ("reply.choices[-1].message.content", {"It rains.": 3, "It snows.": 3}),
        ("reply.choices.*.message.content", {"It rains.": 3, "It snows.": 3}),
        ("reply.score", {"0": 1, "0.5": 1, "1": 1, "1.5": 1, "2": 1, "2.5": 1}),
        ("reply.tags[1]", {"y": 6}),
        ("reply.tags.*", {"x\ny": 6}),
        ("reply.of.model", {"m": 3}),
        ("spelled.text", {"say 0": 2, "say 1": 2, "say 2": 2}),
        ("spelled.parts[*].t", {"a\nb": 6}),
        ("python.text", {"Don't.": 6}),
        ("at.once", {"a": 3, "b": 3}),
    ],
)
def test_a_path_is_read_alike_in_every_kind_of_table(tables, kind, path, expected):
    if kind in ("memory", "records") and path == "reply.score":
        expected = {"0": 1, "0.5": 1, "1": 1, "1.5": 1, "2": 1, "2.5": 1}
    assert counts(tables[kind], path) == expected


def test_missing_cells_behind_a_path_are_counted(tables):
    for kind in ("parquet", "csv", "jsonl"):
        law = hf.Discrete.from_file(tables[kind], column="reply.of.model")
        assert (law.source.rows, law.source.missing) == (6, 3)
        assert law.source.column == "reply.of.model"


def test_a_column_of_that_name_comes_first(tmp_path):
    rows = [{"a.b": "name", "a": {"b": "path"}}]
    (tmp_path / "a.jsonl").write_text(json.dumps(rows[0]))
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text('a.b,a\nname,"{""b"": ""path""}"\n')
    for kind in ("jsonl", "parquet", "csv"):
        assert counts(tmp_path / f"a.{kind}", "a.b") == {"name": 1}


def test_names_with_dots_are_entered(tmp_path):
    rows = [{"attributes.output": {"llm.text": "yes"}}, {"attributes.output": None}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    for kind in ("jsonl", "parquet"):
        assert counts(tmp_path / f"a.{kind}", "attributes.output.llm.text") == {"yes": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_path_does_not_lead_to_is_said(tables, kind):
    told = rf"nothing is at 'reply.text' inside 'reply'; there is text at {TEXT}".replace(
        "[", r"\["
    )
    with pytest.raises(DataError, match=told):
        counts(tables[kind], "reply.text")
    with pytest.raises(DataError, match=r"nothing is at 'id.text' inside 'id'; check the path"):
        counts(tables[kind], "id.text")
    with pytest.raises(DataError, match=r"has no column 'replies.text'; it has: 'id', 'at.once'"):
        counts(tables[kind], "replies.text")


@pytest.mark.parametrize("kind", KINDS)
def test_a_path_to_an_object_is_refused_with_what_reads_its_text(tables, kind):
    with pytest.raises(DataError, match="holds an object, takes text") as refusal:
        counts(tables[kind], "reply.choices[0].message")
    assert str(refusal.value).endswith(f"read it with --column {shlex.quote(TEXT)}")
    with pytest.raises(DataError, match=r"holds a list, takes text$"):
        counts(tables[kind], "reply.vector")


def test_numbers_at_a_path_keep_their_kind_in_parquet(tables):
    with open_table(tables["parquet"]) as table:
        names = ["reply.score", "reply.vector"]
        found = table.frame([table.choose(name) for name in names]).collect()
    assert found.schema == {"reply.score": pl.Float64, "reply.vector": pl.List(pl.Float64)}


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_numbers_at_a_path_are_a_gaussian(tables, kind):
    law = hf.Gaussian.from_file(tables[kind], column="reply.score")
    assert law.mean == pytest.approx(1.25)


def test_stored_rows_have_the_text_where_it_was_found(tables):
    for kind in ("parquet", "csv", "jsonl"):
        rows = table_rows(tables[kind], column="spelled.text", numbers=[4])
        assert json.loads(rows[0]["spelled"])["text"] == "say 1"
        assert rows[0]["id"] == (4 if kind != "csv" else "4")


def test_every_option_takes_a_path(tmp_path, capsys):
    lines = [
        {
            "meta": {"round": 1 + at // 10, "model": "mn"[at % 2], "ask": f"Q{at % 5}"},
            "out": {"text": f"It rains {at % 7} times in {at % 3}.", "length": at % 9},
        }
        for at in range(160)
    ]
    nested, flat = tmp_path / "nested.jsonl", tmp_path / "flat.jsonl"
    nested.write_text("\n".join(map(json.dumps, lines)))
    flat.write_text("\n".join(json.dumps({**one["meta"], **one["out"]}) for one in lines))
    pl.DataFrame(lines).write_parquet(tmp_path / "nested.parquet")
    found = []
    for path, before, inside in (
        (flat, "", ""),
        (nested, "meta.", "out."),
        (tmp_path / "nested.parquet", "meta.", "out."),
    ):
        code = main(
            [
                "watch",
                str(path),
                "--by",
                f"{before}round",
                "--text",
                f"{inside}text",
                "--group",
                f"{before}model",
                "--prompt",
                f"{before}ask",
                "--value",
                f"{inside}length",
                "--format",
                "json",
            ]
        )
        shown = json.loads(capsys.readouterr().out)
        found.append((code, json.dumps(shown["readings"]).replace(f"{inside}length", "length")))
    assert found[0] == found[1] == found[2]


def test_plans_and_forecasts_take_paths(tables, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generations = ["--generations", "3", "--format", "json"]
    for command in (
        ["forecast", tables["parquet"], "--column", TEXT, "--replicates", "0", *generations],
        ["forecast", tables["csv"], "--column", TEXT, "--replicates", "0", *generations],
        ["plan", tables["jsonl"], "--column", "spelled.text", "--keep", "0.5", *generations],
    ):
        code = main(list(map(str, command)))
        assert code in (0, 3), capsys.readouterr().err
