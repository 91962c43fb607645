import re
import tracemalloc
from collections import Counter

import pytest

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.corpus import encodings
from hayflick.corpus.reading import read_corpus


def as_counter(corpus):
    return Counter(dict(zip(corpus.counts.symbols, corpus.counts.numbers.tolist(), strict=True)))


def test_a_text_is_counted_as_python_counts_it(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 11)
    text = "The cat sat; the CAT saw the naïve café.\n" * 30 + "last-word"
    path = tmp_path / "corpus.txt"
    path.write_text(text, encoding="utf-8")
    corpus = read_corpus(path)
    assert as_counter(corpus) == Counter(re.findall(r"\w+", text.lower()))
    assert (corpus.source.name, corpus.source.tokenizer) == ("corpus.txt", "words")


def test_a_folder_is_its_texts_together(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("rain snow")
    (tmp_path / "deep" / "b.md").write_text("rain")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "picture.png").write_bytes(b"\0\1")
    assert as_counter(read_corpus(tmp_path)) == {"rain": 2, "snow": 1}


def test_the_last_word_of_a_file_never_joins_the_next_file(tmp_path):
    (tmp_path / "a.txt").write_text("rain")
    (tmp_path / "b.txt").write_text("bow")
    assert as_counter(read_corpus(tmp_path)) == {"rain": 1, "bow": 1}


def test_a_folder_without_text_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no text"):
        read_corpus(tmp_path)


def test_lines_stay_whole_across_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 5)
    path = tmp_path / "labels.txt"
    path.write_text("late delivery\nwrong item\nlate delivery\n")
    assert as_counter(read_corpus(path, tokenizer="lines")) == {"late delivery": 2, "wrong item": 1}


def test_memory_depends_on_types_and_not_on_size(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("to be or not to be " * 400_000)
    tracemalloc.start()
    corpus = read_corpus(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert corpus.counts.total == 2_400_000
    assert peak < path.stat().st_size / 2


def test_the_sample_for_auto_reaches_all_through_a_long_file(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("english words come first\n" * 40_000 + "日本語の文章が続く。\n" * 40_000)
    assert read_corpus(path).source.tokenizer != "words"


def test_progress_ends_at_the_files_size(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("a b c")
    seen = []
    read_corpus(path, progress=lambda stage, done, total: seen.append((stage, done, total)))
    assert seen[-1] == ("reading", 5, 5)


def test_a_mapping_of_counts_is_read(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text('{"雨": 3, "雪": 1}', encoding="utf-8")
    assert as_counter(read_corpus(path)) == {"雨": 3, "雪": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b"}', "line 2 is no JSON"),
        ('{"a": 1, "a": 2}', "names 'a' twice"),
        ("[1, 2]", "takes an object of symbol: count"),
        ("{}", "takes an object of symbol: count"),
        ('{"a": 0}', "0 for 'a', takes whole numbers from 1"),
        ('{"a": -1}', "-1 for 'a', takes whole numbers from 1"),
        ('{"a": 1.5}', "1.5 for 'a', takes whole numbers from 1"),
    ],
)
def test_a_bad_mapping_is_refused(tmp_path, text, message):
    path = tmp_path / "counts.json"
    path.write_text(text)
    with pytest.raises((DataError, ArgumentError), match=re.escape(message)):
        read_corpus(path)


def test_text_without_a_token_is_refused(tmp_path):
    path = tmp_path / "dots.txt"
    path.write_text("... !!! ...")
    with pytest.raises(DataError, match="holds no symbol under the tokenizer words"):
        read_corpus(path)


def test_a_column_of_a_text_is_refused(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("a b")
    with pytest.raises(ArgumentError, match=r"corpus.txt is none; leave --column out"):
        read_corpus(path, column="label")


def test_a_fault_deep_in_a_text_stops_the_count(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(b"good words\n" * 100_000 + b"\xff")
    with pytest.raises(UndecodableError, match="offset 1100000"):
        read_corpus(path)
