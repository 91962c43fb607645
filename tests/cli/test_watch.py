import json
import random

import pytest

from hayflick.cli.main import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    rows = [
        {
            "round": number,
            "model": "ab"[place % 2],
            "answer": " ".join(rng.choices(words, k=8)),
            "prompt": str(place % 3),
            "accuracy": 0.7 + 0.01 * rng.gauss(0, 1),
        }
        for number in range(1, 26)
        for place in range(60)
    ]
    collapsed = [
        {**row, "answer": "as an assistant I can say"} if row["round"] > 20 else row for row in rows
    ]
    for name, lines in (("healthy.jsonl", rows), ("collapsed.jsonl", collapsed)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "list.txt").write_text("word1\nword2\n")
    return tmp_path


COLUMNS = ["--text", "answer", "--by", "round", "--group", "model"]


def test_healthy_is_0_and_an_alarm_is_1(folder, capsys):
    assert main(["watch", "healthy.jsonl", *COLUMNS]) == 0
    assert "Healthy: no chart has alarmed" in capsys.readouterr().out
    assert main(["watch", "collapsed.jsonl", *COLUMNS, "--out", "page.html"]) == 1
    captured = capsys.readouterr()
    assert "Alarm: spread of answers, since round 21" in captured.out
    assert "wrote page.html" in captured.err
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "as an assistant I can say" in page
    assert "<svg" in page
    assert "<script" not in page


def test_json_holds_everything(folder, capsys):
    more = ["--must-keep", "list.txt", "--value", "accuracy", "--metric", "drift"]
    columns = [*COLUMNS, "--prompt", "prompt", *more]
    code = main(["watch", "collapsed.jsonl", *columns, "--format", "json"])
    record = json.loads(capsys.readouterr().out)
    assert code == 1
    assert not record["healthy"]
    assert record["charts"][0]["since"] == "21"
    assert record["charts"][0]["state"] == "alarm"
    assert len(record["readings"]["a"]) == 25
    assert record["readings"][""][0]["retention"] == 1.0
    assert "drift_p" in record["readings"][""][-1]
    assert record["bad_rows"] == {"total": 0, "first": []}


def test_the_table_speaks_japanese(folder, capsys):
    assert main(["watch", "healthy.jsonl", *COLUMNS, "--lang", "ja"]) == 0
    assert "正常" in capsys.readouterr().out


def test_a_cache_is_used_again(folder, capsys):
    for _ in range(2):
        assert main(["watch", "healthy.jsonl", *COLUMNS, "--cache", "vectors.db"]) == 0
    assert (folder / "vectors.db").stat().st_size > 100_000


def test_the_symbols_of_a_reserve_can_be_what_is_to_last(folder, capsys):
    (folder / "real.txt").write_text("word1 and word2\nword3 alone\n")
    assert main(["reserve", "real.txt", "--size", "1", "--out", "kept.jsonl"]) == 0
    capsys.readouterr()
    main(["watch", "collapsed.jsonl", *COLUMNS, "--must-keep", "kept.jsonl", "--format", "json"])
    readings = json.loads(capsys.readouterr().out)["readings"][""]
    assert readings[0]["retention"] > 0.5
    assert readings[-1]["retention"] == 0.0


def test_metrics_are_listed(capsys):
    assert main(["watch", "--list-metrics"]) == 0
    assert "vendi_1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.jsonl", *COLUMNS], "nothing.jsonl: no such file"),
        (["healthy.jsonl", "--text", "answer", "--by", "rouns"], "did you mean 'round'?"),
        (
            ["healthy.jsonl", "--text", "reply", "--by", "round"],
            "no line has the column 'reply'; it has: 'answer', ",
        ),
        (["healthy.jsonl", "--by", "round"], "--text answer"),
        (["healthy.jsonl", "--by", "round", "--log", "none"], "text: got no column"),
        (["healthy.jsonl", "--log", "langfus"], "did you mean langfuse?"),
        (["healthy.jsonl", "--text", "answer", "--every", "1d"], "every: got 1d, takes a column"),
        (
            ["healthy.jsonl", *COLUMNS, "--baseline", "40"],
            "at most 24: healthy.jsonl has 25 rounds",
        ),
        (["healthy.jsonl", *COLUMNS, "--chart", "guarnteed"], "did you mean guaranteed?"),
        (["healthy.jsonl", *COLUMNS, "--chart", "distnct_2=ewma"], "did you mean distinct_2"),
        (["healthy.jsonl", *COLUMNS, "--chart", "entropy=cusum"], "takes at least"),
        (["healthy.jsonl", *COLUMNS, "--embedder", "hashng"], "did you mean hashing?"),
        (["healthy.jsonl", *COLUMNS, "--every", "1d"], "by: is no time"),
        (["healthy.jsonl", *COLUMNS, "--from", "99"], "from: got 99, takes the name of a round"),
        (["healthy.jsonl", *COLUMNS, "--out", "healthy.jsonl", "--force"], "is the input"),
        (["healthy.jsonl", *COLUMNS, "--value", "model"], "takes a number"),
        (["list.txt", *COLUMNS], "is no table"),
    ],
)
def test_a_mistake_is_told_in_one_line(folder, capsys, arguments, message):
    assert main(["watch", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("error:") == 1
    assert not captured.out


def test_a_call_without_an_input_is_answered_with_examples(capsys):
    assert main(["watch"]) == 2
    said = capsys.readouterr().err
    assert "hayflick watch traces.jsonl" in said
    assert "hayflick watch answers.csv --text answer --by round" in said
    assert "hayflick watch --help" in said


def test_bad_lines_are_named_or_counted(folder, capsys):
    with (folder / "healthy.jsonl").open("a") as file:
        file.write("{broken\n")
    assert main(["watch", "healthy.jsonl", *COLUMNS]) == 2
    assert "line 1501 is no JSON" in capsys.readouterr().err
    assert main(["watch", "healthy.jsonl", *COLUMNS, "--skip-bad"]) == 0
    assert "Rows that were skipped: 1." in capsys.readouterr().out
