"""A data set is written without near duplicates: same format, all columns, nothing else changed."""

import csv
import gzip
import io
import json
import random
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import hayflick as hf
from hayflick.auditing.clean_copy import chosen_rows
from hayflick.auditing.duplicates import find_duplicates
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError, OutputError

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
    with pytest.raises(ArgumentError, match="files on a disk"):
        hf.audit({"text": ["a"]}, text="text", write_clean=tmp_path / "c.jsonl")
    with pytest.raises(DataError, match="no such file"):
        hf.audit(tmp_path / "none.jsonl", text="text", write_clean=tmp_path / "c.jsonl")
    workbook = tmp_path / "t.xlsx"
    workbook.write_bytes(b"x")
    with pytest.raises(ArgumentError, match="export it as"):
        hf.audit(workbook, text="text", write_clean=tmp_path / "c.xlsx")


def parts_of(tmp_path):
    """Write two files, the second with copies of the first, and return them."""
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.jsonl").write_text(
        '{"text": "The cat sat on the mat.", "n": 1}\n{"text": "A dog ran.", "n": 2}\n'
    )
    (folder / "b.csv").write_text("text,n\nthe cat sat on the mat.,3\nBirds fly.,4\nA dog ran.,5\n")
    return folder / "a.jsonl", folder / "b.csv"


def dropped_rows(path):
    return pl.read_csv(path).select("file", "row", "like_file", "like_row").rows()


def test_several_files_are_copied_into_a_folder(tmp_path, capsys):
    first, second = parts_of(tmp_path)
    out = tmp_path / "clean"
    command = ["audit", str(first), str(second), "--text", "text", "--write-clean", str(out)]
    assert main(command) == 0
    assert f"wrote {out}" in capsys.readouterr().err
    assert (out / "a.jsonl").read_text() == first.read_text()
    assert (out / "b.csv").read_text() == "text,n\nBirds fly.,4\n"
    known = [("b.csv", 2, "a.jsonl", 1), ("b.csv", 4, "a.jsonl", 2)]
    assert dropped_rows(out / "dropped.csv") == known
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    again = tmp_path / "again"
    for source in (first.parent, [first, second]):
        found = hf.audit(source, text="text", write_clean=again, force=True)
        assert (found.clean.kept, found.clean.dropped) == (3, {"exact copy": 2})
        assert dropped_rows(again / "dropped.csv") == known


def test_files_that_workers_read_are_copied_too(tmp_path):
    first, second = parts_of(tmp_path)
    first.write_text(first.read_text() + '{"text": \n')
    out = tmp_path / "clean"
    with ThreadPoolExecutor(2) as executor:
        found = hf.audit(
            [first, second], text="text", write_clean=out, skip_bad=True, executor=executor
        )
    assert found.items == 5
    assert (out / "b.csv").read_text() == "text,n\nBirds fly.,4\n"
    reasons = pl.read_csv(out / "dropped.csv")["reason"].to_list()
    assert reasons == ["cannot be used", "exact copy", "exact copy"]


def test_several_files_need_a_folder_and_names_of_their_own(tmp_path, capsys):
    first, second = parts_of(tmp_path)
    command = ["audit", str(first), str(second), "--text", "text", "--write-clean"]
    for place in (tmp_path / "clean.jsonl", first):
        assert main([*command, str(place), "--force"]) == 2
        assert "takes a folder" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "none" / "clean")]) == 2
    assert "the folder does not exist" in capsys.readouterr().err
    assert main([*command, str(first.parent), "--force"]) == 2
    assert "is the input" in capsys.readouterr().err
    (tmp_path / "a.jsonl").write_text('{"text": "So it is."}\n')
    with pytest.raises(ArgumentError, match="different names"):
        hf.audit([first, tmp_path / "a.jsonl"], text="text", write_clean=tmp_path / "clean")
    (tmp_path / "t.xlsx").write_bytes(b"x")
    with pytest.raises(ArgumentError, match="export it as"):
        hf.audit([first, tmp_path / "t.xlsx"], text="text", write_clean=tmp_path / "clean")
    assert not (tmp_path / "clean").exists()
