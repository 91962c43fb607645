"""Every mistake of a user's is one line with a remedy, exit code 2, and nothing half-written."""

import os

import pytest

from hayflick.cli.main import main

FILES = {
    "corpus.txt": b"rain snow rain hail",
    "empty.txt": b"",
    "binary.txt": b"PK\x03\x04\x00\x00",
    "latin.txt": "café crème".encode("latin-1"),
    "labels.csv": b"id,label\n1,x\n2,y\n",
    "zero.json": b'{"a": 3, "b": 0}',
    "negative.json": b'{"a": 3, "b": -1}',
    "reserve.txt": b"rain dog",
    "large.txt": b"rain " * 100,
    "taken.html": b"old",
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.txt"], "missing.txt: no such file or directory; check the path"),
        (["empty.txt"], "empty.txt: the file is empty"),
        (["binary.txt"], "binary.txt: looks binary (byte 0x00 at offset 4)"),
        (
            ["latin.txt"],
            "byte 0xe9 at offset 3); name its encoding with --encoding, perhaps cp1252",
        ),
        (["latin.txt", "--encoding", "latin-0"], "encoding: got latin-0"),
        (["labels.csv"], "name a column with --column: 'id', 'label'"),
        (["labels.csv", "--column", "category"], "no column 'category'; it has: 'id', 'label'"),
        (["corpus.txt", "--column", "label"], "corpus.txt is none; leave --column out"),
        (["zero.json"], "counts: got 0 for 'b', takes whole numbers from 1"),
        (["negative.json"], "counts: got -1 for 'b', takes whole numbers from 1"),
        (["corpus.txt", "--regime", "fresh:1.5"], "share: got 1.5, takes a number from 0 to 1"),
        (["corpus.txt", "--regime", "fresh:-0.1"], "takes a number from 0 to 1"),
        (["corpus.txt", "--regime", "frehs:0.1"], "did you mean fresh?"),
        (["corpus.txt", "--regime", "anchor:reserve.txt"], "corpus.txt lacks: 'dog'; remove them"),
        (["corpus.txt", "--regime", "anchor:large.txt"], "reserve: got 100, takes at most 4 items"),
        (["corpus.txt", "--generations", "0"], "generations: got 0, takes a whole number from 1"),
        (["corpus.txt", "--generations", "-3"], "generations: got -3"),
        (["corpus.txt", "--generations", "many"], "Invalid value for '--generations'"),
        (["corpus.txt", "--samples", "0"], "samples: got 0"),
        (["corpus.txt", "--replicates", "-1"], "replicates: got -1"),
        (["corpus.txt", "--threads", "0"], "threads: got 0"),
        (["corpus.txt", "--seed", "-1"], "seed: got -1"),
        (["corpus.txt", "--delta", "-1"], "delta: got -1.0"),
        (["corpus.txt", "--tokenizer", "word"], "did you mean words?"),
        (["corpus.txt", "--law", "exact", "--samples", "5000"], "use branching"),
        (["corpus.txt", "--lang", "de"], "Invalid value for '--lang'"),
        (["corpus.txt", "--out", "taken.html"], "taken.html: exists already"),
        (["corpus.txt", "--out", "no/where.html"], "no: the folder does not exist"),
        (["corpus.txt", "--out", "."], "is a folder"),
        (["corpus.txt", "--out", "corpus.txt", "--force"], "corpus.txt: is the input"),
        (
            ["corpus.txt", "--regime", "anchor:reserve.txt", "--out", "reserve.txt", "--force"],
            "reserve.txt: is the input",
        ),
        (["corpus.txt", "--generations", "9999999"], "a whole number from 1 to 1,000,000"),
        (["corpus.txt", "--samples", "99999999999999999999"], "samples: got 9999999999999999"),
        (["corpus.txt", "--delta", "1e300"], "delta: got 1e+300, takes a number from 0 to 1e+06"),
        (["corpus.txt", "--colour"], "No such option: --colour"),
        ([], "Missing argument 'INPUT'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    assert main(["forecast", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == sorted(FILES)
    assert (tmp_path / "taken.html").read_bytes() == b"old"


def test_an_unknown_command_is_one_line(capsys):
    assert main(["forcast"]) == 2
    assert capsys.readouterr().err.startswith("error: No such command 'forcast'")


def test_an_internal_error_says_how_to_see_more(tmp_path, monkeypatch, capsys):
    (tmp_path / "corpus.txt").write_text("rain")
    monkeypatch.setattr("hayflick.planning.forecast.survival", lambda *_, **__: 1 / 0)
    arguments = ["forecast", str(tmp_path / "corpus.txt"), "--format", "json"]
    assert main(arguments) == 70
    assert "internal error: ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setenv("HAYFLICK_TRACEBACK", "1")
    assert main(arguments) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("group", ["db", "network", "rules", "review"])
def test_a_group_without_a_command_shows_its_commands(group, capsys):
    assert main([group]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"Usage: hayflick {group} ")
    assert "\nCommands:\n" in shown.out
    assert shown.err == ""
