"""Files compressed by Zstandard and gzip are read as what they hold, by every reader."""

import gzip
import io
import json
import os

import polars as pl
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.decompression import zstd_module
from hayflick.core.errors import DataError
from hayflick.core.source import Source

zstd = zstd_module()

SKIPPABLE = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size"
ROWS = "".join(
    json.dumps({"round": 1 + at // 10, "label": "ab"[at % 2], "answer": f"It rains {at % 7}."})
    + "\n"
    for at in range(150)
)


def write(path, content):
    path.write_bytes(content)
    return path


def counts(path, **options):
    law = hf.Discrete.from_file(path, **options)
    return dict(zip(law.symbols, law.weights.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.csv", "id;label\n1;x\n2;x\n", {"column": "label"}),
        ("a.tsv", "id\tlabel\n1\tx\n2\tx\n", {"column": "label"}),
        ("a.jsonl", '{"label": "x"}\n{"label": "x"}\n', {"column": "label"}),
        ("a.json", '{"x": 2}', {}),
        ("a.txt", "x x\n", {}),
        ("a.html", "<p>x x</p>", {}),
    ],
)
def test_all_kinds_of_files_are_read_through_zstandard(tmp_path, name, text, options):
    packed = zstd.compress(text.encode())
    for suffix in (".zst", ".ZST", ""):
        # The first bytes say that a file is compressed, whatever its name.
        assert counts(write(tmp_path / f"{name}{suffix}", packed), **options) == {"x": 2}


def test_parquet_is_read_through_zstandard(tmp_path):
    pl.DataFrame({"label": ["x", "y"]}).write_parquet(tmp_path / "a.parquet")
    packed = zstd.compress((tmp_path / "a.parquet").read_bytes())
    for name in ("b.parquet.zst", "c.parquet"):
        assert counts(write(tmp_path / name, packed), column="label") == {"x": 1, "y": 1}


def test_frames_one_behind_the_other_are_one_file(tmp_path):
    head, tail = zstd.compress(b"label\nx\n"), zstd.compress(b"y\nx\n")
    for parts in (head + tail, SKIPPABLE + head + SKIPPABLE + tail + SKIPPABLE):
        assert counts(write(tmp_path / "a.csv.zst", parts), column="label") == {"x": 2, "y": 1}


def test_a_folder_of_compressed_texts_is_read(tmp_path):
    write(tmp_path / "a.txt.zst", zstd.compress(b"x y"))
    write(tmp_path / "b.txt.gz", gzip.compress(b"x"))
    assert counts(tmp_path) == {"x": 2, "y": 1}


def test_damaged_data_are_refused_with_what_to_do(tmp_path):
    whole = zstd.compress(os.urandom(1000).hex().encode())
    damaged = bytearray(whole)
    damaged[12:40] = bytes(28)
    for name, content in {
        "cut": whole[:-5],
        "only the head": whole[:6],
        "damaged": bytes(damaged),
        "with more behind": whole + b"junk",
    }.items():
        for kind in ("txt", "jsonl", "parquet"):
            path = write(tmp_path / f"{name}.{kind}.zst", content)
            told = "compressed data are damaged or cut off"
            with pytest.raises(DataError, match=told) as refusal:
                counts(path, column=None if kind == "txt" else "label")
            assert str(refusal.value).startswith(f"{path}: ")


def test_a_window_that_takes_too_much_memory_is_refused(tmp_path):
    options = {zstd.CompressionParameter.window_log: 30}
    packer = zstd.ZstdCompressor(options=options)
    path = write(tmp_path / "a.txt.zst", packer.compress(b"x" * 100) + packer.flush())
    with pytest.raises(DataError, match=r"more than 128 MiB of memory .* zstd -d --long=31"):
        counts(path)


def test_a_line_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("hayflick.corpus.json_lines.LONGEST_LINE", 100_000)
    path = write(tmp_path / "a.jsonl.zst", zstd.compress(b" " * 10_000_000))
    assert path.stat().st_size < 1000
    with pytest.raises(DataError, match="a line is longer than 100,000 characters"):
        counts(path, column="label")


def test_lines_of_a_compressed_file_are_counted(tmp_path):
    text = "one\ntwo\nthree"
    for name, packed in {
        "a.txt.zst": zstd.compress(text.encode()),
        "a.txt.gz": gzip.compress(text.encode()),
        "packed.txt": zstd.compress(text.encode()),
        "a.txt": text.encode(),
    }.items():
        found = Source.of(write(tmp_path / name, packed), count_lines=True, encoding="utf-8")
        assert found.rows == 3


def test_compressed_answers_are_watched_as_plain_ones(tmp_path, capsys):
    tables = []
    for name, packed in {
        "a.jsonl": ROWS.encode(),
        "b.jsonl.zst": zstd.compress(ROWS.encode()),
        "c.jsonl.gz": gzip.compress(ROWS.encode()),
    }.items():
        path = write(tmp_path / name, packed)
        code = main(["watch", str(path), "--by", "round", "--text", "answer", "--format", "json"])
        tables.append(json.loads(capsys.readouterr().out)["readings"])
        assert code in (0, 3)
    assert tables[0] == tables[1] == tables[2]


def test_an_offset_in_compressed_data_is_that_of_the_text(tmp_path):
    text = io.BytesIO("ein schöner Tag\n".encode("latin-1")).read()
    path = write(tmp_path / "a.txt.zst", zstd.compress(text))
    with pytest.raises(DataError, match=r"byte 0xf6 at offset 7.*perhaps"):
        counts(path)
