"""The files of an input: several, folders, patterns and standard input."""

import gc
import gzip
import io
import json
import os
import sys

import polars as pl
import pytest

from hayflick.cli.main import main
from hayflick.core.decompression import zstd_module
from hayflick.core.errors import ArgumentError, DataError, OutputError
from hayflick.corpus.files import input_files

LINE = b'{"answer": "It rains."}\n'


def write(path, content=LINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(found):
    return [file.name for file in found.files]


def give(monkeypatch, content, *, terminal=False):
    """Make bytes what standard input holds."""
    stream = io.TextIOWrapper(io.BytesIO(content))
    stream.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stdin", stream)


# Paths.


def test_a_path_is_one_file(tmp_path):
    path = write(tmp_path / "a.jsonl")
    for given in (path, str(path), [path], (str(path),)):
        found = input_files(given)
        assert (found.name, [file.path for file in found.files]) == ("a.jsonl", [path])
        assert not found.files[0].partitions


def test_several_files_stay_in_the_order_given(tmp_path):
    paths = [write(tmp_path / name) for name in ("b.jsonl", "a.csv", "c.json")]
    found = input_files(paths)
    assert names(found) == ["b.jsonl", "a.csv", "c.json"]
    assert found.name == "b.jsonl and 2 more files"
    assert input_files(paths[:2]).name == "b.jsonl and 1 more file"


def test_files_of_one_name_are_told_apart_by_their_paths(tmp_path):
    paths = [write(tmp_path / folder / "a.jsonl") for folder in "xy"]
    found = input_files([*paths, write(tmp_path / "b.jsonl")])
    assert names(found) == [str(paths[0]), str(paths[1]), "b.jsonl"]


def test_a_path_with_the_marks_of_a_pattern_is_a_name(tmp_path):
    write(tmp_path / "answers1.csv")
    path = write(tmp_path / "answers[1].csv")
    assert [file.path for file in input_files(path).files] == [path]
    with pytest.raises(DataError, match=r"a\*.csv: no such file .* pattern with --glob"):
        input_files(tmp_path / "a*.csv")


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone.jsonl: no such file or directory; check the path"):
        input_files([write(tmp_path / "a.jsonl"), tmp_path / "gone.jsonl"])
    with pytest.raises(DataError, match=r"notes.txt: is no table; takes .csv, .tsv"):
        input_files(write(tmp_path / "notes.txt"))
    with pytest.raises(ArgumentError, match="source: got nothing, takes a file, several, a folder"):
        input_files([])
    with pytest.raises(ArgumentError, match="source: got 5, takes the path of a file"):
        input_files([5])
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(DataError, match="is no ordinary file"):
        input_files(tmp_path / "pipe.jsonl")


def test_a_file_is_read_once(tmp_path):
    path, linked = write(tmp_path / "logs" / "b.jsonl"), tmp_path / "logs" / "latest.jsonl"
    with pytest.raises(ArgumentError, match=r"got the file .*b.jsonl twice, takes each file once"):
        input_files([path, path])
    found = input_files([tmp_path / "logs", path])
    assert names(found) == ["b.jsonl"]
    assert [str(note) for note in found.notes] == [f"{path} is named in two ways, and is read once"]
    linked.symlink_to(path)
    found = input_files(tmp_path / "logs")
    assert names(found) == ["b.jsonl"]
    told = f"{linked} is the same file as {path}, and is read once"
    assert [str(note) for note in found.notes] == [told]


# Folders.


def test_the_tables_of_a_folder_are_taken_in_natural_order(tmp_path):
    for name in ("part-10.csv", "part-2.jsonl.gz", "part-2/part-1.tsv", "Part-3.parquet"):
        write(tmp_path / name)
    for name in ("notes.txt", ".hidden.csv", "_old.csv", ".git/a.csv", "_delta_log/0.json"):
        write(tmp_path / name)
    write(tmp_path / "empty.jsonl", b"")
    assert names(input_files(tmp_path)) == [
        "Part-3.parquet",
        "part-2/part-1.tsv",
        "part-2.jsonl.gz",
        "part-10.csv",
    ]
    assert input_files(f"{tmp_path}/").name == f"{tmp_path.name} (4 files)"


def test_a_folder_without_a_table_is_refused(tmp_path):
    write(tmp_path / "notes.txt")
    write(tmp_path / "empty.csv", b"")
    with pytest.raises(DataError, match=r"the folder holds no table that is not empty; takes .csv"):
        input_files(tmp_path)


def test_folders_of_partitions_have_values(tmp_path):
    top = tmp_path / "team=x" / "above" / "source=web" / "year=2025"
    write(top / "day=2026-10-01" / "model=a%2Fb%20c" / "part-0.parquet")
    write(top / "day=__HIVE_DEFAULT_PARTITION__" / "model=m" / "part-0.parquet")
    write(top / "day=" / "of=the=day" / "=x" / "plain" / "part-1.parquet")
    found = {file.name: dict(file.partitions) for file in input_files(top).files}
    # The given folder, and those right above it, say it of all their files.
    given = {"source": "web", "year": "2025"}
    model = {"day": "2026-10-01", "model": "a/b c"}
    assert found == {
        "day=/of=the=day/=x/plain/part-1.parquet": given | {"of": "the=day"},
        "day=2026-10-01/model=a%2Fb%20c/part-0.parquet": given | model,
        "day=__HIVE_DEFAULT_PARTITION__/model=m/part-0.parquet": given | {"model": "m"},
    }


# Patterns.


def test_patterns_take_the_tables_that_fit(tmp_path, monkeypatch):
    for name in ("b2.jsonl", "b10.jsonl", "c.csv", "b.txt", "x/b1.jsonl", "x/y/b3.jsonl"):
        write(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert names(input_files([], patterns=["b*"])) == ["b2.jsonl", "b10.jsonl"]
    assert names(input_files("c.csv", patterns=["x/*.jsonl"])) == ["c.csv", "b1.jsonl"]
    every = ["b2.jsonl", "b10.jsonl", "x/b1.jsonl", "x/y/b3.jsonl"]
    assert names(input_files([], patterns=["**/b*"])) == every
    assert names(input_files([], patterns=[str(tmp_path / "b[0-9].jsonl")])) == ["b2.jsonl"]
    with pytest.raises(DataError, match=r"'z\*': the pattern fits nothing that is not empty"):
        input_files([], patterns=["b*", "z*"])
    with pytest.raises(DataError, match=r"'\*.txt': the pattern fits no table .* takes .csv"):
        input_files([], patterns=["*.txt"])


def test_folders_that_fit_a_pattern_have_partitions(tmp_path):
    for day in ("01", "02", "11"):
        write(tmp_path / f"day=2026-10-{day}" / "model=m" / "a.jsonl")
    write(tmp_path / "_old" / "a.jsonl")
    by_folder = input_files([], patterns=[f"{tmp_path}/day=2026-10-0*"])
    by_file = input_files([], patterns=[f"{tmp_path}/day=2026-10-0*/*/*.jsonl"])
    by_both = input_files([], patterns=[f"{tmp_path}/**/day=2026-10-0*"])
    everywhere = input_files([], patterns=[f"{tmp_path}/day=2026-10-0*/**"])
    for found in (by_folder, by_file, by_both, everywhere):
        assert [dict(file.partitions) for file in found.files] == [
            {"day": "2026-10-01", "model": "m"},
            {"day": "2026-10-02", "model": "m"},
        ]


# Standard input.


def parquet():
    stream = io.BytesIO()
    pl.DataFrame({"answer": ["It rains."]}).write_parquet(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (LINE, ".jsonl"),
        (b"\xef\xbb\xbf\n  " + LINE, ".jsonl"),
        (b'[\n{"answer": "It rains."}\n]', ".jsonl"),
        (LINE.decode().encode("utf-16"), ".jsonl"),
        (b"answer,round\nIt rains.,1\n", ".csv"),
        (parquet(), ".parquet"),
        # Without its time, which would give the test another name in every process.
        (gzip.compress(LINE, mtime=0), ".jsonl.gz"),
        (zstd_module().compress(b"answer\nIt rains.\n"), ".csv.zst"),
        (zstd_module().compress(parquet()), ".parquet.zst"),
    ],
)
def test_the_kind_of_standard_input_is_seen(monkeypatch, content, suffix):
    give(monkeypatch, content)
    with input_files("-") as found:
        (file,) = found.files
        assert (found.name, file.name) == ("standard input", "standard input")
        assert file.path.name == f"standard input{suffix}"
        assert file.path.read_bytes() == content
    assert not file.path.exists()
    assert not file.path.parent.exists()


def test_the_copy_of_standard_input_goes_with_its_last_user(monkeypatch):
    give(monkeypatch, LINE)
    found = input_files(["-"])
    path = found.files[0].path
    assert path.exists()
    del found
    gc.collect()
    assert not path.parent.exists()


def test_errors_name_standard_input(monkeypatch):
    give(monkeypatch, LINE)
    with (
        pytest.raises(DataError, match=r"^standard input: line 3 is no JSON$"),
        input_files("-") as found,
    ):
        raise DataError(f"{found.files[0].path}: line 3 is no JSON")


def test_standard_input_that_holds_nothing_is_refused(monkeypatch, tmp_path):
    give(monkeypatch, b"", terminal=True)
    with pytest.raises(
        ArgumentError, match=r"standard input from a terminal.*zcat app.jsonl.gz \|"
    ):
        input_files("-")
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ArgumentError, match="standard input from a terminal"):
        input_files("-")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    give(monkeypatch, b"")
    with pytest.raises(DataError, match="standard input: is empty; check the command"):
        input_files("-")
    give(monkeypatch, gzip.compress(LINE)[:12])
    with pytest.raises(DataError, match=r"^standard input: the compressed data are damaged"):
        input_files("-")
    give(monkeypatch, LINE)
    with pytest.raises(ArgumentError, match="got standard input twice, takes it once"):
        input_files(["-", "-"])
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_said(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    give(monkeypatch, LINE)
    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OutputError, match="No space left on device; free some space"):
        input_files("-")


def test_standard_input_stands_beside_files(monkeypatch, tmp_path):
    give(monkeypatch, json.dumps({"answer": "It snows."}).encode())
    found = input_files([write(tmp_path / "a.jsonl"), "-"])
    assert found.name == "a.jsonl and 1 more file"
    assert names(found) == ["a.jsonl", "standard input"]


# Through the commands.


def test_one_stream_is_the_same_in_every_arrangement(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    rows = [
        {"day": f"2026-10-{day:02d}", "model": model, "answer": f"It rains {(day + at) % 7}."}
        for day in range(1, 13)
        for model in "ab"
        for at in range(6)
    ]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    write(tmp_path / "a.jsonl", lines)
    write(tmp_path / "list.json", json.dumps(rows, indent=1).encode())
    for day in {row["day"] for row in rows}:
        for model in "ab":
            own = [row for row in rows if (row["day"], row["model"]) == (day, model)]
            folder = tmp_path / "logs" / f"day={day}" / f"model={model}"
            folder.mkdir(parents=True)
            pl.DataFrame(own).select("answer").write_parquet(folder / "part-0.parquet")
    give(monkeypatch, zstd_module().compress(lines))
    found = []
    for inputs in (["a.jsonl"], ["list.json"], ["logs"], ["--glob", "logs/day*/*/*"], ["-"]):
        columns = ["--by", "day", "--text", "answer", "--group", "model"]
        code = main(["watch", *inputs, *columns, "--format", "json"])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        assert printed.err.count("the rounds are in the order of time") == 1
        shown = json.loads(printed.out)
        found.append((shown["input"], shown["answers"], shown["rounds"], shown["readings"]))
    assert [name for name, *_ in found] == [
        "a.jsonl",
        "list.json",
        "logs (24 files)",
        "day=2026-10-01/model=a/part-0.parquet and 23 more files",
        "standard input",
    ]
    assert all(other[1:] == found[0][1:] for other in found)


def test_columns_that_do_not_fit_are_named_with_their_file(tmp_path, capsys):
    write(tmp_path / "a.csv", b"answer,round\nIt rains.,1\n")
    write(tmp_path / "b.csv", b"reply,round\nIt rains.,2\n")
    assert main(["watch", str(tmp_path), "--by", "round", "--text", "answer"]) == 2
    assert "b.csv: has no column 'answer'; it has: 'reply', 'round'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["logs"], "logs"),
        (["logs/a b.jsonl"], "'logs/a b.jsonl'"),
        (["logs/c.jsonl", "./-x.jsonl"], "logs/c.jsonl ./-x.jsonl"),
        (["--glob", "logs/*"], "'--glob=logs/*'"),
        (["-"], "-"),
    ],
)
def test_the_command_to_copy_names_the_input_as_it_was_given(
    monkeypatch, tmp_path, capsys, inputs, words
):
    monkeypatch.chdir(tmp_path)
    line = json.dumps({"reply": {"said": "The river is high today."}}).encode() + b"\n"
    for name in ("logs/a b.jsonl", "logs/c.jsonl", "-x.jsonl"):
        write(tmp_path / name, line)
    give(monkeypatch, line)
    assert main(["watch", *inputs]) == 2
    assert f"\n  hayflick watch {words} --text reply.said" in capsys.readouterr().err
