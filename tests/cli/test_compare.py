import json
import random

import pytest

from hayflick.cli.main import main

COLUMNS = ["--text", "answer", "--prompt", "prompt"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    draw = random.Random(1)
    words = [f"word{number}" for number in range(200)]
    for name, vocabulary in (("old", 200), ("same", 200), ("new", 50)):
        rows = [
            {"prompt": f"p{row % 4}", "answer": " ".join(draw.choices(words[:vocabulary], k=8))}
            for row in range(160)
        ]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_difference_alone_is_no_failure(folder, capsys):
    assert main(["compare", "old.jsonl", "new.jsonl", *COLUMNS]) == 0
    out = capsys.readouterr().out
    assert "Less diverse: effective number of words" in out
    assert "rounds are in the order" not in out


def test_the_gate_fails_where_a_number_fell_below_the_share(folder, capsys):
    assert main(["compare", "old.jsonl", "new.jsonl", *COLUMNS, "--fail-below", "0.9"]) == 1
    assert "below 90% of the old number: effective number of words" in capsys.readouterr().err
    assert main(["compare", "old.jsonl", "new.jsonl", *COLUMNS, "--fail-below", "0.1"]) == 0
    assert "no number fell below 10% of the old one" in capsys.readouterr().err
    assert main(["compare", "old.jsonl", "same.jsonl", *COLUMNS, "--fail-below", "1"]) == 0


def test_the_gate_says_what_it_cannot_decide(folder, capsys):
    assert main(["compare", "old.jsonl", "same.jsonl", *COLUMNS, "--fail-below", "0.99"]) == 0
    err = capsys.readouterr().err
    assert "not decided: effective number of words may be below 99%" in err
    assert "answers on each side would tell" in err


@pytest.mark.parametrize("share", ["0", "-0.5", "1.5", "90", "nan", "inf"])
def test_a_share_that_is_none_is_refused_before_anything_is_read(folder, share, capsys):
    assert main(["compare", "no.jsonl", "no.jsonl", "--text", "a", "--fail-below", share]) == 2
    assert "takes a share of the old number" in capsys.readouterr().err


def test_json_and_pages(folder, capsys):
    command = ["compare", "old.jsonl", "new.jsonl", *COLUMNS, "--format", "json"]
    assert main([*command, "--out", "page.html", "--lang", "ja"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "less diverse"
    assert record["prompts"] == 4
    assert {"old", "new", "ratio", "low", "high", "differs"} <= set(record["differences"][0])
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "多様性が低下" in page
    assert "<svg" in page


@pytest.mark.parametrize(
    "arguments",
    [
        ["old.jsonl", "none.jsonl", "--text", "answer"],
        ["old.jsonl", "new.jsonl", "--text", "question"],
        ["old.jsonl", "new.jsonl"],
        ["old.jsonl", "empty.jsonl", "--text", "answer"],
        ["old.jsonl", "new.jsonl", "--text", "answer", "--out", "old.jsonl"],
        ["old.jsonl", "new.jsonl", "--text", "answer", "--vectors", "prompt"],
    ],
)
def test_mistakes_are_2(folder, arguments, capsys):
    (folder / "empty.jsonl").write_text("")
    assert main(["compare", *arguments]) == 2
    assert capsys.readouterr().err.startswith("error: ")
