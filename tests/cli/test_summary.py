"""`--summary` and `--plot`: what a pipeline's page shows of a result."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.report.drawing import FONT

WORDS = [f"word{number}" for number in range(300)]


def written(path: Path, *, days: range = range(20), words: int = 300) -> Path:
    lines = [
        {"day": day, "text": " ".join(random.Random(f"{day} {k}").choices(WORDS[:words], k=8))}
        for day in days
        for k in range(20)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return written(tmp_path / "answers.jsonl")


def test_watch_appends_what_python_returns(answers: Path, tmp_path: Path, capsys: Any) -> None:
    summary, plot = tmp_path / "summary.md", tmp_path / "charts.svg"
    summary.write_text("earlier step\n", encoding="utf-8")
    call = ["watch", str(answers), "--by", "day", "--text", "text"]
    call += ["--summary", str(summary), "--plot", str(plot)]
    assert main(call) == 0
    said = capsys.readouterr().err
    assert f"wrote {summary}" in said
    assert f"wrote {plot}" in said
    expected = hf.markdown_summary(hf.watch(answers, by="day", text="text"))
    assert summary.read_text(encoding="utf-8") == f"earlier step\n{expected}\n"
    assert plot.read_text(encoding="utf-8").startswith("<svg")
    # The summary is appended to, a plot is not replaced by itself.
    assert main(call) == 2
    assert "charts.svg: exists" in capsys.readouterr().err
    assert main([*call, "--force", "--lang", "ja"]) == 0
    assert "監視対象" in summary.read_text(encoding="utf-8")


def test_compare_writes_the_decision_of_its_gate(answers: Path, tmp_path: Path) -> None:
    new, summary = written(tmp_path / "new.jsonl", words=40), tmp_path / "summary"
    call = ["compare", str(answers), str(new), "--text", "text", "--fail-below", "0.9"]
    assert main([*call, "--summary", str(summary), "--plot", str(tmp_path / "c.svg")]) == 1
    found = summary.read_text(encoding="utf-8")
    assert found.startswith("### hayflick: Less diverse")
    assert "below 90% of the old number: effective number of words" in found
    fonts = set(re.findall(r'font-family="(.*?)"', (tmp_path / "c.svg").read_text("utf-8")))
    assert fonts == {FONT}, "fonts that do not parse leave a PNG without labels"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--summary", "answers.jsonl"], "answers.jsonl"),
        (["--plot", "answers.jsonl", "--force"], "answers.jsonl"),
        (["--plot", "charts.pdf"], "plot: got charts.pdf, takes a name ending in .svg or .png"),
        (["--summary", "no/such/summary.md"], "no/such"),
        (["--summary", "same.svg", "--plot", "same.svg"], "same.svg"),
    ],
)
def test_files_that_cannot_be_written_are_refused_first(
    answers: Path, monkeypatch: Any, capsys: Any, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(answers.parent)
    before = answers.read_bytes()
    call = ["watch", "answers.jsonl", "--by", "day", "--text", "text", *arguments]
    assert main(call) == 2
    assert said in capsys.readouterr().err
    assert answers.read_bytes() == before
