import polars as pl
import pytest

from hayflick.core.errors import DataError, MissingExtraError, UndecodableError
from hayflick.corpus import workbooks
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.tables import TABLE_SUFFIXES

LABELS = ["late", "late", "wrong item", None, "late", "壊れた"]


def write(path, labels=LABELS):
    frame = pl.DataFrame({"id": range(len(labels)), "label": labels})
    suffix = path.suffix
    if suffix == ".csv":
        frame.write_csv(path)
    elif suffix == ".tsv":
        frame.write_csv(path, separator="\t")
    elif suffix in (".jsonl", ".ndjson"):
        frame.write_ndjson(path)
    elif suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_excel(path)
    return path


def counts(path, **options):
    corpus = read_corpus(path, **options)
    return dict(zip(corpus.counts.symbols, corpus.counts.numbers.tolist(), strict=True)), corpus


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_every_format_gives_the_same_counts(tmp_path, suffix):
    found, corpus = counts(write(tmp_path / f"labels{suffix}"), column="label")
    assert found == {"late": 3, "wrong item": 1, "壊れた": 1}
    assert corpus.source.missing == 1
    assert corpus.source.column == "label"
    assert corpus.source.holds_labels


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_a_missing_column_lists_those_there_are(tmp_path, suffix):
    with pytest.raises(DataError, match="has no column 'category'; it has: 'id', 'label'"):
        read_corpus(write(tmp_path / f"labels{suffix}"), column="category")


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_a_missing_file_is_refused(tmp_path, suffix):
    with pytest.raises(DataError, match="no such file"):
        read_corpus(tmp_path / f"missing{suffix}", column="label")


def test_no_column_is_needed_where_there_is_one(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("label\na\na\n")
    assert counts(path)[0] == {"a": 2}


def test_of_several_columns_one_must_be_named(tmp_path):
    with pytest.raises(DataError, match="name a column with --column: 'id', 'label'"):
        read_corpus(write(tmp_path / "labels.csv"))


def test_labels_are_text_as_it_stands(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text('code\n007\n7\n"a,b"\n"two\nlines"\n')
    assert set(counts(path)[0]) == {"007", "7", "a,b", "two\nlines"}


def test_a_column_of_text_is_split_where_a_tokenizer_is_named(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"text": "Yes, it is"}\n{"text": "it is not"}\n')
    found, corpus = counts(path, column="text", tokenizer="auto")
    assert found == {"is": 2, "it": 2, "not": 1, "yes": 1}
    assert not corpus.source.holds_labels


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl"])
def test_cp932_tables_are_read(tmp_path, suffix):
    path = write(tmp_path / f"表{suffix}", ["返品・交換", "感謝", "感謝"])
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp932"))
    found, _ = counts(path, column="label", encoding="cp932")
    assert found == {"感謝": 2, "返品・交換": 1}
    with pytest.raises(UndecodableError, match="--encoding, perhaps cp932"):
        read_corpus(path, column="label")


def test_a_bad_byte_far_into_a_table_is_named(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"label\n" + b"good\n" * 200_000 + b"\xe9t\xe9\n")
    with pytest.raises(UndecodableError, match="byte 0xe9 at offset 1000006"):
        read_corpus(path, column="label")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", '{"label": "a"}\n{"label": \n', "line 2 is no JSON"),
        ("a.jsonl", '{"label": "a"}\n[1]\n', "line 2 is no JSON object"),
        ("a.csv", "id,label\n1,a\n2,b,c\n", "line 3 has 3 cells, the header has 2"),
        ("a.csv", "label\n\n\n", "holds no symbol"),
        ("a.parquet", "no parquet at all", "cannot be read as parquet"),
        ("a.xlsx", "no workbook at all", "is no readable xlsx workbook"),
    ],
)
def test_a_malformed_table_is_placed(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_corpus(path, column="label")


def test_json_lines_may_lack_a_key_and_hold_numbers(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n{"label": 5}\n{"label": true}\n\n{"label": "x"}\n')
    found, corpus = counts(path, column="label")
    assert found == {"5": 1, "true": 1, "x": 1}
    assert corpus.source.missing == 1


def test_a_workbook_without_its_reader_says_what_to_install(tmp_path, monkeypatch):
    path = write(tmp_path / "labels.xlsx")
    monkeypatch.setattr(workbooks, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"hayflick\[excel\]"):
        read_corpus(path, column="label")


def test_a_json_lines_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"label": "a"}\n')
    assert counts(path, column="label")[0] == {"a": 1}


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_another_separator_is_seen_and_said(tmp_path, mark, name):
    path = tmp_path / "a.csv"
    path.write_text(f"id{mark}label\n1{mark}a\n2{mark}a\n")
    found, corpus = counts(path, column="label")
    assert found == {"a": 2}
    assert name in str(corpus.source.notes[0])


def test_a_column_of_lists_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pl.DataFrame({"tags": [["a", "b"], ["c"]]}).write_parquet(path)
    with pytest.raises(DataError, match=r"holds a list, takes text; its text is at tags\[0\]"):
        read_corpus(path, column="tags")


def test_a_column_of_mixed_scripts_is_never_words(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "good day"}\n{"text": "今日は東京"}\n', encoding="utf-8")
    found, corpus = counts(path, column="text", tokenizer="auto")
    assert corpus.source.tokenizer == "mixed"
    assert "今日は東京" not in found
