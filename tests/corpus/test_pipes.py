"""Pipes are refused: reading one would wait for ever, and reads it once."""

import os

import pytest

from hayflick.cli.main import main


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "jsonl", "parquet", "xlsx", "txt", "json"])
def test_pipes_are_refused_in_place_of_waiting(tmp_path, suffix, capsys):
    path = tmp_path / f"pipe.{suffix}"
    os.mkfifo(path)
    column = () if suffix in ("txt", "json") else ("--column", "label")
    calls = [["forecast", path, *column], ["simulate", "discrete", "--corpus", path, *column]]
    if column:
        calls.append(["watch", path, "--by", "round", "--text", "answer"])
    for arguments in calls:
        code, error = run(capsys, *arguments)
        assert (code, "is no ordinary file, such as a pipe" in error) == (2, True)


def test_pipes_are_refused_in_place_of_any_other_file(tmp_path, capsys):
    table, rules, pipe = (tmp_path / name for name in ("a.csv", "rules.toml", "pipe.npy"))
    table.write_text("round,answer,label\n1,It rains.,a\n2,It snows.,a\n")
    rules.write_text(
        'format_version = 1\nmode = "observe"\nbaseline = 60\n[[watch]]\nname = "w"\n'
        'metric = "spread"\nhealthy = "higher"\nchart = "cusum"\nactions = []\n'
    )
    (tmp_path / "run").mkdir()
    for path in (pipe, tmp_path / "run" / "run.db"):
        os.mkfifo(path)
    for arguments in (
        ["watch", table, "--by", "round", "--text", "answer", "--vectors", pipe],
        ["watch", table, "--by", "round", "--text", "answer", "--must-keep", pipe],
        ["rules", "check", rules, "--history", pipe],
        ["plan", table, "--column", "label", "--history", pipe],
        ["network", "verify", tmp_path / "run"],
        ["network", "report", tmp_path / "run", "--out", tmp_path / "page.html"],
    ):
        code, error = run(capsys, *arguments)
        assert (code, "is no ordinary file" in error) == (2, True), error
