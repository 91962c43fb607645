import json

import numpy as np
import polars as pl
import pytest

from hayflick.core.errors import DataError
from hayflick.corpus import items as items_module
from hayflick.corpus.items import item_blocks, lines, stored_items
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.reserves import count_records, item_records

ROWS = [("1", "red fox"), ("2", None), ("3", "red"), ("4", ""), ("5", "red red fox")]


def items_of(path, **reading):
    """Every item's place, number of tokens and symbols."""
    corpus = read_corpus(path, **reading)
    symbols = corpus.counts.symbols
    return [
        (
            int(block.numbers[item]),
            int(block.tokens[item]),
            sorted(symbols[s] for s in block.symbols[block.starts[item] : block.starts[item + 1]]),
        )
        for block in item_blocks(path, corpus=corpus)
        for item in range(block.numbers.size)
    ]


def write_table(path):
    frame = pl.DataFrame(ROWS, schema=["id", "label"], orient="row")
    {
        ".csv": frame.write_csv,
        ".jsonl": frame.write_ndjson,
        ".parquet": frame.write_parquet,
        ".xlsx": frame.write_excel,
    }[path.suffix](path)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_are_items(tmp_path, ending):
    path = tmp_path / "verse.txt"
    path.write_bytes(ending.join(["So it is", "", "so so", " !? ", "is it"]).encode())
    assert items_of(path) == [(0, 3, ["is", "it", "so"]), (2, 2, ["so"]), (4, 2, ["is", "it"])]
    fetched = item_records(path, source=read_corpus(path).source, numbers=np.array([0, 4]))
    assert fetched == [{"line": 1, "text": "So it is"}, {"line": 5, "text": "is it"}]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx"])
def test_rows_are_items(tmp_path, suffix):
    path = tmp_path / f"labels{suffix}"
    write_table(path)
    whole = items_of(path, column="label")
    assert whole == [(0, 1, ["red fox"]), (2, 1, ["red"]), (4, 1, ["red red fox"])]
    words = items_of(path, column="label", tokenizer="words")
    assert words == [(0, 2, ["fox", "red"]), (2, 1, ["red"]), (4, 3, ["fox", "red"])]
    source = read_corpus(path, column="label").source
    fetched = item_records(path, source=source, numbers=np.array([2, 4]))
    assert fetched == [{"id": "3", "label": "red"}, {"id": "5", "label": "red red fox"}]


def test_labels_that_are_numbers_are_fetched_as_they_are_counted(tmp_path):
    path = tmp_path / "labels.parquet"
    pl.DataFrame({"label": [1e20, 0.5], "number": [7, 8]}).write_parquet(path)
    corpus = read_corpus(path, column="label")
    fetched = item_records(path, source=corpus.source, numbers=np.array([0, 1]))
    assert {row["label"] for row in fetched} == set(corpus.counts.symbols)
    assert [row["number"] for row in fetched] == [7, 8]


def test_bytes_of_a_row_are_written_in_base64_or_refused(tmp_path):
    path = tmp_path / "labels.parquet"
    table = pl.DataFrame({"label": ["x"], "raw": [b"\x00\xff"]})
    table.write_parquet(path)
    source = read_corpus(path, column="label").source
    fetched = item_records(path, source=source, numbers=np.array([0]))
    assert fetched == [{"label": "x", "raw": "AP8="}]
    table.select("label", pl.concat_list("raw")).write_parquet(path)
    with pytest.raises(DataError, match="the column 'raw' holds List"):
        item_records(path, source=source, numbers=np.array([0]))


def test_the_texts_of_a_folder_are_items(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.txt").write_text("two\nlines")
    (tmp_path / "deep" / "a.md").write_text("two")
    assert items_of(tmp_path) == [(0, 2, ["lines", "two"]), (1, 1, ["two"])]
    fetched = item_records(tmp_path, source=read_corpus(tmp_path).source, numbers=np.array([1]))
    assert fetched == [{"file": "deep/a.md", "text": "two"}]


@pytest.mark.parametrize(
    "tokenizer", ["auto", "words", "whitespace", "lines", "characters:2", "mixed", "japanese"]
)
def test_the_items_hold_what_was_counted(tmp_path, tokenizer):
    if tokenizer == "japanese":
        pytest.importorskip("sudachipy")
    path = tmp_path / "verse.txt"
    path.write_text("今日は雨が降る。\nIt rains 𝟋 today\n\n明日は雪!\nrains again " * 30)
    corpus = read_corpus(path, tokenizer=tokenizer)
    blocks = list(item_blocks(path, corpus=corpus))
    assert sum(int(block.tokens.sum()) for block in blocks) == corpus.counts.total
    seen = np.concatenate([block.symbols for block in blocks])
    assert set(seen.tolist()) == set(range(corpus.counts.types))
    numbers = np.concatenate([block.numbers for block in blocks])
    records = item_records(path, source=corpus.source, numbers=numbers)
    counted = count_records(records, source=corpus.source)
    assert counted.symbols == corpus.counts.symbols
    assert counted.numbers.tolist() == corpus.counts.numbers.tolist()


def test_blocks_of_any_size_hold_the_same_items(tmp_path, monkeypatch):
    path = tmp_path / "verse.txt"
    path.write_text("".join(f"line {number} of many\n\n" for number in range(20_000)))
    whole = items_of(path)
    monkeypatch.setattr(items_module, "BLOCK_CHARACTERS", 1000)
    corpus = read_corpus(path)
    assert len(list(item_blocks(path, corpus=corpus))) > 1
    assert items_of(path) == whole


def test_counts_have_no_items(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text(json.dumps({"a": 3}))
    with pytest.raises(DataError, match="holds counts, and no items to store"):
        next(item_blocks(path, corpus=read_corpus(path)))


def test_an_item_with_a_token_that_was_not_counted_is_left_out(tmp_path):
    path = tmp_path / "verse.txt"
    # Counting cuts a run of more than a million characters: see `hayflick.corpus.encodings`.
    path.write_text("so it is\n" + "x" * (1 << 20) + "y" * (1 << 19) + " so\nso it was\n")
    assert [number for number, _, _ in items_of(path)] == [0, 2]


def test_a_line_that_would_fill_the_memory_is_refused():
    endless = iter(["x" * 100] * 100)
    with pytest.raises(
        DataError, match=r"big\.txt: a line is longer than 1,000 characters; cut it"
    ):
        list(lines(endless, name="big.txt", longest=1000))


def test_a_line_is_whole_however_the_text_is_cut():
    text = "".join(f"{'word ' * (number % 7)}end\r\n" for number in range(200))
    for size in (1, 3, 64):
        cut = (text[first : first + size] for first in range(0, len(text), size))
        assert [line for batch in lines(cut, name="") for line in batch] == text.splitlines()


def test_the_store_is_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = tmp_path / "verse.txt"
    path.write_text("so it is\nis it\n")
    with stored_items(item_blocks(path, corpus=read_corpus(path))) as store:
        assert (store.items, store.tokens, store.shortest) == (2, 5, 2)
        assert (
            [block.tokens.tolist() for block in store]
            == [[3, 2]]
            == [block.tokens.tolist() for block in store]
        )
    assert sorted(tmp_path.iterdir()) == [path]
