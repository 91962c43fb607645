"""Logs that no preset describes are answered with the paths that hold texts, and a command."""

import json
import shlex
import subprocess

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError
from hayflick.corpus.logs.preset import presets
from hayflick.corpus.logs.sniffing import advice, recognised
from hayflick.corpus.paths import FieldPath

WORDS = ["river", "path", "upper", "lower", "stone", "bridge", "garden", "window", "market"]
WORDS += ["engine", "silver", "paper"]


def sentence(number):
    return " ".join(WORDS[(number * step + step) % len(WORDS)] for step in range(1, 9))


def day(number):
    return f"2026-10-{number // 20 + 1:02}"


def requests(number):
    reply = {"choices": [{"message": {"role": "assistant", "content": sentence(number)}}]}
    asked = {"prompt": "You are a guide who answers at length, and never in a hurry. " * 3}
    return {
        "ts": 1790086400123 + 4320000 * number,
        "req": asked,
        "res": {"body": json.dumps(reply)},
    }


def conversations(number):
    told = [
        {"role": "system", "content": "You know every path of the valley, and the bridges too."},
        {"role": "user", "content": "Which path shall I take?"},
        {"role": "assistant", "content": sentence(number)},
    ]
    return {"id": f"c-{number}", "date": day(number), "messages": told[number % 2 :]}


def odd_names(number):
    return {"a.b": {"c d": {"e[0]": [sentence(number)]}}, "n": number, "url": "https://x.y/z a b c"}


def japanese(number):
    return {"日時": f"{day(number)} 08:00", "返答": "川の水位が高い" + sentence(number)}


def rounds(number):
    return {
        "round": number // 20,
        "question": "Which path shall I take?",
        "answer": sentence(number),
    }


def short(number):
    return {"output": WORDS[number % 12], "user_id": f"u{number}"}


def logged(number):
    event = {"level": "info", "event": {"reply": sentence(number), "tokens": 12}}
    return {"t": f"{day(number)}T08:00:00Z", "seq": number, "line": json.dumps(event)}


@pytest.mark.parametrize(
    ("form", "options"),
    [
        (requests, "--text 'res.body.choices[0].message.content' --by ts --every 1d"),
        (conversations, "--text 'messages[-1].content' --by date --every 1d"),
        (odd_names, "--text 'a.b.c d[\"e[0]\"][0]'"),
        (japanese, "--text '返答' --by '日時' --every 1d"),
        (rounds, "--text answer --by round"),
        (short, "--text output"),
        (logged, "--text line.event.reply --by t --every 1d"),
    ],
)
def test_an_unknown_log_is_answered_with_a_command_that_reads_it(
    form, options, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    lines = [form(number) for number in range(400)]
    name = "my app.jsonl"
    (tmp_path / name).write_text("".join(f"{json.dumps(one)}\n" for one in lines), "utf-8")
    with pytest.raises(DataError) as refused:
        hf.watch(name)
    assert str(refused.value) == advice(lines[:200], name=name, times_more=2)
    command = str(refused.value).splitlines()[-1].strip()
    assert command == f"hayflick watch 'my app.jsonl' {options}"
    # 1 is an alarm.
    assert main(shlex.split(command)[1:]) in (0, 1)
    assert f"{name}: 400 answers in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        {"round": 1, "answer": "Yes, the river is high."},
        {"time": "2026-10-01", "text": "The river is high.", "group": "a", "prompt": "Where?"},
        {"id": 1, "type": "GENERATION", "output": "A text.", "start_time": "2026-10-01"},
        {"model": "m", "messages": [], "response": "A text."},
        {},
    ],
)
def test_plain_tables_are_no_logs(line):
    assert recognised([line] * 50) is None


def test_a_log_of_either_of_two_tools_is_asked_for():
    both = {"custom_id": "1", "response": {"choices": []}, "startTime": 1, "messages": []}
    assert {one.name for one in presets().values() if one.recognises(both)} >= {
        "litellm",
        "openai-batch",
    }
    assert recognised([both]) is None
    assert "--log litellm or --log openai-batch" in advice([both], name="a.jsonl")


@pytest.mark.parametrize("lines", [[], [{}], [{"n": 3, "id": "a-1"}]])
def test_what_holds_no_text_is_said_so(lines):
    assert "holds sentences; name one with --text" in advice(lines, name="a.jsonl")


@pytest.mark.parametrize(
    ("seconds", "every"), [(1, "1m"), (60, "10m"), (3600, "6h"), (7200, "1d"), (0, "1d")]
)
def test_the_command_cuts_what_there_is_into_enough_rounds(seconds, every):
    lines = [
        {"created": 1790000000, "at": 1790086400 + seconds * number, "reply": sentence(number)}
        for number in range(200)
    ]
    named = "at" if seconds else "created"
    command = advice(lines, name="a.jsonl").splitlines()[-1]
    assert command.endswith(f"--text reply --by {named} --every {every}")
    longer = advice(lines, name="a.jsonl", times_more=1e6).splitlines()[-1]
    assert longer.endswith(f"--by {named} --every 1d")


@pytest.mark.parametrize("name", ["a\tb", "new\nline", "it's\u202e", "back\\slash\x1b", "é\u200b"])
def test_the_command_is_copied_with_names_that_cannot_be_printed(name):
    lines = [{name: {"reply": sentence(number)}} for number in range(3)]
    command = advice(lines, name=f"{name}.jsonl").splitlines()[-1]
    assert display_text(command) == command
    bash = ["bash", "-c", f"{command.replace('hayflick watch', 'printf %s.')}"]
    printed = subprocess.run(bash, capture_output=True, check=True).stdout.decode()
    path = printed.removeprefix(f"{name}.jsonl.--text.").removesuffix(".")
    assert FieldPath(path).cell(lines[0]) == sentence(0)


def test_a_tool_that_wrote_some_records_is_named():
    lines = [{"event": "the server is up"}] * 5
    lines += [{"startTime": 1.79e9, "messages": [], "response": sentence(1)}]
    assert "LiteLLM writes them (--log litellm)" in advice(lines, name="a.jsonl")
