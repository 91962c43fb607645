"""Recorded inputs that once went wrong, in values: what the tests of their kinds do not name."""

import csv
import json

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.errors import DataError


def test_the_order_of_the_file_changes_no_verdict(cases):
    found = [
        hf.watch(cases / f"mild_{order}_first.jsonl", text="answer", by="round")
        for order in ("newest", "oldest")
    ]
    newest, oldest = (
        (one.rounds, one.verdict, one.series("distinct_2"), one.series("hill_1")) for one in found
    )
    assert newest == oldest
    assert found[0].rounds[0] == "2026/11/01"


@pytest.mark.parametrize("tokenizer", [None, "auto"])
def test_the_keys_of_a_nested_answer_are_no_words(cases, tokenizer):
    path = cases / "nested_answer.jsonl"
    with pytest.raises(DataError, match=r"its text is at response\.text"):
        hf.forecast(path, column="response", tokenizer=tokenizer)
    with pytest.raises(DataError, match=r"its text is at response\.text"):
        hf.watch(path, text="response", by="round")


@pytest.mark.parametrize(
    ("log", "text", "by", "path"),
    [
        ("batch", "response", "custom_id", r"response.body.choices\[0\].message.content"),
        ("litellm", "response", "startTime", r"response.choices\[0\].message.content"),
    ],
)
def test_a_log_of_nested_answers_is_refused_with_the_path(cases, log, text, by, path):
    with pytest.raises(DataError, match=path):
        hf.watch(cases / "logs" / f"{log}.jsonl", text=text, by=by)


def test_a_log_of_json_in_strings_is_said_with_the_path(cases, capsys):
    path = str(cases / "logs" / "langfuse.jsonl")
    main(["watch", path, "--text", "output", "--by", "start_time", "--every", "1d"])
    assert "output.content" in capsys.readouterr().err


def test_a_log_of_plain_columns_is_read(cases):
    path = cases / "logs" / "phoenix.jsonl"
    columns = {"text": "attributes.output.value", "by": "start_time"}
    watched = hf.watch(path, **columns, every="1d")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert watched.answers == sum(bool(json.loads(line)[columns["text"]]) for line in lines)


def test_a_column_with_empty_cells_is_counted(cases):
    with open(cases / "movies4.csv", newline="", encoding="utf-8") as file:
        labels = [row["mpaa"] for row in csv.DictReader(file)]
    law = hf.Discrete.from_table(cases / "movies4.csv", column="mpaa")
    assert law.source.missing == labels.count("")
    assert dict(zip(law.symbols, law.counts.tolist(), strict=True)) == {
        label: labels.count(label) for label in set(labels) - {""}
    }


def test_counts_of_contacts_are_read_as_numbers(cases):
    numbers = [int(line) for line in (cases / "mdu.csv").read_text().split()[1:]]
    law = hf.Poisson.from_file(cases / "mdu.csv", column="mdu")
    assert law.rate == pytest.approx(sum(numbers) / len(numbers))
    assert law.total == len(numbers)


def test_one_voice_alarms_without_prompts(cases):
    watched = hf.watch(cases / "onevoice.jsonl", text="answer", by="round")
    assert watched.alarms
    assert 21 <= watched.alarms[0].first_alarm.round <= 25
