import csv
import json

import pytest

import hayflick as hf
from hayflick.cli.main import main

COLUMNS = ["--text", "answer", "--by", "round", "--group", "model"]
OUT = ["--out", "review.csv"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [
        {"round": place // 100, "model": "ab"[place % 2], "answer": f"答え {place}"}
        for place in range(2000)
    ]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["review", "draw", "answers.jsonl", *COLUMNS, "--number", "90", *OUT]) == 0
    return tmp_path


def fill(folder, verdicts):
    path = folder / "review.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, verdict in zip(rows, verdicts, strict=False):
        row["verdict"] = verdict
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_good_verdicts_are_accepted_at_some_point(folder, capsys):
    fill(folder, ["ok"] * 20)
    assert main(["review", "judge", "review.csv", "--limit", "0.1"]) == 0
    assert "Go on: " in capsys.readouterr().out
    fill(folder, ["良"] * 90)
    assert main(["review", "judge", "review.csv", "--limit", "0.1", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["decision"], record["ok"], record["pending"]) == ("accept", 90, 0)
    assert record["high"] <= 0.1


def test_bad_verdicts_are_an_alarm(folder, capsys):
    fill(folder, ["bad"] * 30)
    assert main(["review", "judge", "review.csv", "--lang", "ja"]) == 1
    assert "不合格" in capsys.readouterr().out


def test_what_is_lost_or_unknown_is_refused(folder, capsys):
    fill(folder, ["perhaps"])
    assert main(["review", "judge", "review.csv"]) == 2
    assert "perhaps" in capsys.readouterr().err
    assert main(["review", "judge", "answers.jsonl"]) == 2
    assert main(["review", "draw", "answers.jsonl", *COLUMNS, *OUT]) == 2
    assert "exists" in capsys.readouterr().err


def test_python_gives_what_the_command_prints(folder, capsys):
    fill(folder, ["ok"] * 20 + ["bad"])
    main(["review", "judge", "review.csv", "--limit", "0.1", "--format", "json"])
    judged = hf.judge_review("review.csv", limit=0.1)
    assert json.loads(capsys.readouterr().out) == judged.to_dict()
    sample = hf.draw_review("answers.jsonl", by="round", text="answer", group="model", number=90)
    sample.save("again.csv")
    drawn = [row.id for row in judged.review.rows]
    assert [str(one.id) for one in sample.drawn] == drawn
    assert sample.to_frame().height == len(sample.to_dict()["drawn"]) == 90


def test_a_judged_review_and_a_sample_have_a_page(folder):
    sample = hf.draw_review("answers.jsonl", by="round", text="answer", group="model", number=9)
    judged = hf.judge_review("review.csv", limit=0.1)
    page = judged.save("judged.html", lang="ja").read_text(encoding="utf-8")
    assert "人による確認：review.csv" in page
    assert "review.csv" in judged._repr_html_()
    assert "9 of 2,000 answers drawn" in sample._repr_html_()
