"""A data set is written without near duplicates: same format, all columns, nothing else changed."""

import csv
import gzip
import io
import json
import random

import polars as pl
import pytest

import hayflick as hf
from hayflick.auditing.clean_copy import chosen_rows
from hayflick.auditing.duplicates import find_duplicates
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, OutputError

DRAW = random.Random(5)
WORDS = [f"w{number}" for number in range(500)]
TEXTS = [" ".join(DRAW.choices(WORDS, k=20)) for _ in range(6)]
NEAR = f"{TEXTS[0]} more"
ROWS = [*TEXTS[:3], NEAR, TEXTS[0].upper(), "", TEXTS[3], TEXTS[1], *TEXTS[4:], NEAR]
KEPT = [*TEXTS[:3], "", *TEXTS[3:]]


def records():
    return [{"id": place, "text": text, "x": 1.50} for place, text in enumerate(ROWS)]


def dropped(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["row"]), row["reason"], row["like_row"]) for row in csv.DictReader(file)]


def test_lines_stand_as_they_are(tmp_path, capsys):
    lines = [f'{{"id": {place},  "text": {json.dumps(text)}, "x": 1.50}}'
             for place, text in enumerate(ROWS)]  # fmt: skip
    path, clean = tmp_path / "train.jsonl", tmp_path / "clean.jsonl"
    path.write_text("\n".join([lines[0], "", *lines[1:]]))
    code = main(["audit", str(path), "--text", "text", "--write-clean", str(clean),
                 "--format", "json"])  # fmt: skip
    out = capsys.readouterr()
    assert code == 0
    assert f"wrote {clean}" in out.err
    kept = [lines[place] for place in (0, 1, 2, 5, 6, 8, 9)]
    assert clean.read_text() == "".join(f"{line}\n" for line in kept)
    listed = dropped(tmp_path / "clean.dropped.csv")
    assert listed == [
        (5, "near copy", "1"), (6, "exact copy", "1"), (9, "exact copy", "3"),
        (12, "near copy", "1"),
    ]  # fmt: skip
    record = json.loads(out.out)["clean"]
    assert record["kept"] == 7
    assert record["dropped"] == {"exact copy": 2, "near copy": 2}
    again = hf.audit(clean, text="text")
    assert again.duplicates.redundant == 0


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".json", ".ndjson", ".csv.gz"])
def test_every_format_keeps_its_columns(tmp_path, suffix):
    frame = pl.DataFrame(records()).with_columns(note=pl.lit('a "quoted",\ncell; and\tmore'))
    path, clean = tmp_path / f"train{suffix}", tmp_path / f"clean{suffix}"
    if suffix == ".parquet":
        frame.with_columns(tags=pl.lit([["a", "b"]])).write_parquet(path)
    elif suffix == ".json":
        path.write_text(json.dumps(frame.to_dicts()))
    elif suffix == ".ndjson":
        frame.write_ndjson(path)
    else:
        text = frame.write_csv(separator="\t" if suffix == ".tsv" else ",")
        packed = gzip.compress(text.encode()) if suffix.endswith(".gz") else text.encode()
        path.write_bytes(packed)
    hf.audit(path, text="text", write_clean=clean)
    expected = frame.filter(~pl.col("id").is_in([3, 4, 7, 10]))
    if suffix == ".parquet":
        found = pl.read_parquet(clean)
        assert found.schema == pl.read_parquet_schema(path)
        assert found.drop("tags").equals(expected)
    elif suffix == ".json":
        assert json.loads(clean.read_text()) == expected.to_dicts()
    elif suffix == ".ndjson":
        assert pl.read_ndjson(clean).equals(expected)
    else:
        separator = "\t" if suffix == ".tsv" else ","
        packed = clean.read_bytes()
        text = (gzip.decompress(packed) if suffix.endswith(".gz") else packed).decode()
        whole = expected.write_csv(separator=separator)
        found, wanted = (
            list(csv.reader(io.StringIO(one, newline=""), delimiter=separator))
            for one in (text, whole)
        )
        assert found == wanted


@pytest.mark.parametrize("written", ["a;b\n", "sep=;\na;b\n"])
def test_a_csv_file_keeps_its_dialect(tmp_path, written):
    path, clean = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_text(written + 'so it is;"1;5"\nand more of it;2\nso it is;3\n')
    hf.audit(path, text="a", write_clean=clean)
    assert clean.read_text() == written + 'so it is;"1;5"\nand more of it;2\n'


def test_cells_without_quotes_stay_without(tmp_path):
    path, clean = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_text('a,b\nsay "so" twice,1\nsay "so" twice,2\n"open,3\n')
    hf.audit(path, text="a", table=hf.TableFormat(quote="none"), write_clean=clean)
    assert clean.read_text() == 'a,b\nsay "so" twice,1\n"open,3\n'


def test_without_a_header_and_in_another_encoding(tmp_path):
    path, clean = tmp_path / "t.csv", tmp_path / "c.csv"
    path.write_bytes("日本語の文です,1\n日本語の文です,2\nほかの話,3\n".encode("cp932"))
    table = hf.TableFormat(header=False)
    how = {"text": "column_1", "encoding": "cp932", "table": table}
    hf.audit(path, write_clean=clean, **how)
    assert clean.read_bytes().decode("cp932") == "日本語の文です,1\nほかの話,3\n"


def test_a_wrapped_list_and_records_over_several_lines_are_written(tmp_path):
    for name, text in (
        ("wrapped", json.dumps({"data": records()})),
        ("spread", json.dumps(records(), indent=2)),
        ("one_line", json.dumps(records())),
    ):
        path, clean = tmp_path / f"{name}.json", tmp_path / f"{name}-clean.json"
        path.write_text(text)
        hf.audit(path, text="text", write_clean=clean)
        assert [row["text"] for row in json.loads(clean.read_text())] == KEPT, name


def test_rows_that_cannot_be_used_are_listed(tmp_path):
    path, clean = tmp_path / "t.jsonl", tmp_path / "c.jsonl"
    path.write_text('{"text": "so"}\n{"text": \n{"text": "it"}\n{"text": "so"}\n')
    result = hf.audit(path, text="text", skip_bad=True, write_clean=clean)
    assert clean.read_text() == '{"text": "so"}\n{"text": "it"}\n'
    assert dropped(tmp_path / "c.dropped.csv") == [
        (2, "cannot be used", ""), (4, "exact copy", "1")
    ]  # fmt: skip
    assert result.clean.dropped == {"cannot be used": 1, "exact copy": 1}


def test_a_cluster_is_capped_at_different_texts():
    texts = pl.Series([TEXTS[0], TEXTS[0], NEAR, f"{TEXTS[0]} again", TEXTS[1]])
    found = find_duplicates(texts)
    kept = {most: chosen_rows(texts, found, most=most).kept.tolist() for most in (1, 2, 3, 9)}
    assert kept == {
        1: [True, False, False, False, True],
        2: [True, False, True, False, True],
        3: [True, False, True, True, True],
        9: [True, False, True, True, True],
    }
    with pytest.raises(ArgumentError, match="max_copies"):
        hf.audit({"text": ["a"]}, text="text", max_copies=0)


def test_inputs_and_files_that_exist_are_never_replaced(tmp_path):
    path, other = tmp_path / "t.jsonl", tmp_path / "c.jsonl"
    path.write_text('{"text": "so"}\n')
    other.write_text("mine")
    with pytest.raises(OutputError, match="is the input"):
        hf.audit(path, text="text", write_clean=path, force=True)
    with pytest.raises(OutputError, match="exists already"):
        hf.audit(path, text="text", write_clean=other)
    assert other.read_text() == "mine"
    hf.audit(path, text="text", write_clean=other, force=True)
    assert other.read_text() == '{"text": "so"}\n'
    (tmp_path / "d.dropped.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"d\.dropped\.csv: exists already"):
        hf.audit(path, text="text", write_clean=tmp_path / "d.jsonl")


@pytest.mark.parametrize("name", ["c.csv", "c.jsonl.zst", "c", "c.parquet"])
def test_another_format_is_refused(tmp_path, name):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "so"}\n')
    with pytest.raises(ArgumentError, match="write_clean"):
        hf.audit(path, text="text", write_clean=tmp_path / name)


def test_what_is_no_single_table_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="one file"):
        hf.audit({"text": ["a"]}, text="text", write_clean=tmp_path / "c.jsonl")
    with pytest.raises(ArgumentError, match="one file"):
        hf.audit(tmp_path, text="text", write_clean=tmp_path / "c.jsonl")
    workbook = tmp_path / "t.xlsx"
    workbook.write_bytes(b"x")
    with pytest.raises(ArgumentError, match="export it as"):
        hf.audit(workbook, text="text", write_clean=tmp_path / "c.xlsx")
