import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from hayflick.core.errors import ArgumentError, DataError, UndecodableError
from hayflick.corpus import encodings, reading
from hayflick.corpus import tokenizers as counting
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


PEAK = """
import re, sys
from hayflick.corpus import tokenizers
from hayflick.corpus.reading import read_corpus
tokenizers.BATCH_CHARACTERS = 1 << 20
read_corpus(sys.argv[1])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def test_memory_depends_on_types_and_not_on_size(tmp_path):
    if not os.path.exists("/proc/self/status"):
        pytest.skip("the kernel's high-water mark is Linux's")
    peaks = []
    for repeats in (4, 40):
        path = tmp_path / f"text-{repeats}.txt"
        # Tokens of more than 12 bytes: shorter ones never hold on to the text they came from.
        text = " ".join(f"a-rather-long-word{number}" for number in range(50_000))
        path.write_text((text + "\n") * repeats)
        command = [sys.executable, "-c", PEAK, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout) * 1024)
    # 36 more repeats are 43 MB more of text.
    assert peaks[1] - peaks[0] < 25_000_000


def test_batches_change_nothing(tmp_path, monkeypatch):
    path = tmp_path / "corpus.txt"
    path.write_text("".join(f"word{number % 97} and word{number % 7}\n" for number in range(5000)))
    whole = as_counter(read_corpus(path))
    monkeypatch.setattr(encodings, "CHUNK_BYTES", 100)
    monkeypatch.setattr(counting, "BATCH_CHARACTERS", 300)
    assert as_counter(read_corpus(path)) == whole


def test_what_the_samples_missed_is_counted_again(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "sample_files", lambda files, encoding: ["plain English"])
    path = tmp_path / "corpus.txt"
    path.write_text("plain English\n今日は映画\n", encoding="utf-8")
    corpus = read_corpus(path)
    assert corpus.source.tokenizer == "mixed"
    pairs = {"今日": 1, "日は": 1, "は映": 1, "映画": 1}
    assert as_counter(corpus) == {"plain": 1, "english": 1, **pairs}


def test_one_japanese_file_among_english_ones_is_recognised(tmp_path):
    for number in range(100):
        (tmp_path / f"{number}.txt").write_text("plain English text. " * 50)
    (tmp_path / "100.txt").write_text("今日は東京で映画を見ました", encoding="utf-8")
    assert read_corpus(tmp_path).source.tokenizer == "mixed"


@pytest.mark.parametrize("tokenizer", ["japanese", "auto"])
def test_a_long_japanese_text_is_analysed(tmp_path, tokenizer):
    pytest.importorskip("sudachipy")
    path = tmp_path / "text.txt"
    path.write_text("今日は東京で映画を見ました。\n" * 20_000, encoding="utf-8")
    corpus = read_corpus(path, tokenizer=tokenizer)
    assert corpus.source.tokenizer == "japanese"
    assert as_counter(corpus)["東京"] == 20_000


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
        ('{"a": 1000000000000000000000000}', "takes at most 9007199254740992 items"),
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


def test_a_tokenizer_for_a_mapping_is_refused(tmp_path):
    path = tmp_path / "counts.json"
    path.write_text('{"a": 1}')
    with pytest.raises(ArgumentError, match=r"counts\.json is none; leave --tokenizer out"):
        read_corpus(path, tokenizer="words")


def test_any_suffix_can_be_read_as_text(tmp_path):
    path = tmp_path / "page.json"
    path.write_text("rain and rain")
    corpus = reading.read_text(path)
    assert as_counter(corpus) == {"rain": 2, "and": 1}


def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    with open(path, "wb") as file:
        file.write(b"rain")
    assert read_corpus(os.fsdecode(path)).source.name == "caf\ufffd.txt"
