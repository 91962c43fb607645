"""A reader of the output who leaves changes no exit code: real processes and real pipes."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes are made as on Unix")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return the names of a stream that alarms and of one that does not."""
    folder = tmp_path_factory.mktemp("streams")
    rng = random.Random(1)
    words = [f"word{number}" for number in range(300)]
    for name, last in (("healthy", 100), ("collapsed", 18)):
        rows = [
            {
                "round": number,
                "answer": " ".join(rng.choices(words, k=8)) if number <= last else "the same",
            }
            for number in range(1, 26)
            for _ in range(12)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(text)
    return folder


def exit_code(arguments, *, folder, read=None, stdout=None, stderr=subprocess.DEVNULL):
    """Return how hayflick ends if a reader leaves after `read` bytes of standard output."""
    command = [sys.executable, "-m", "hayflick", *arguments]
    if read is None:
        return subprocess.run(command, cwd=folder, stdout=stdout, stderr=stderr).returncode
    reading, writing = os.pipe()
    with subprocess.Popen(command, cwd=folder, stdout=writing, stderr=stderr) as process:
        os.close(writing)
        if read:
            os.read(reading, read)
        os.close(reading)
        return process.wait(timeout=120)


WATCH = ["--text", "answer", "--by", "round"]


@pytest.mark.parametrize(("read", "form"), [(200, "table"), (1, "json")])
def test_an_alarm_stays_an_alarm_when_the_reader_leaves(answers, read, form):
    arguments = ["watch", "collapsed.jsonl", *WATCH, "--format", form]
    assert exit_code(arguments, folder=answers, read=read) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["watch", "--list-metrics"], 0),
        (["watch", "nothing.jsonl", *WATCH], 2),
        (["nonsense"], 2),
    ],
)
def test_a_reader_who_never_reads_changes_nothing(answers, arguments, code):
    assert exit_code(arguments, folder=answers, read=0) == code


def test_a_page_is_written_although_nobody_reads_the_table(answers):
    arguments = ["watch", "collapsed.jsonl", *WATCH, "--out", "page.html"]
    assert exit_code(arguments, folder=answers, read=0) == 1
    assert "</html>" in (answers / "page.html").read_text(encoding="utf-8")


def test_a_reader_of_the_messages_who_leaves_changes_nothing(answers):
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "hayflick", "watch", "collapsed.jsonl", *WATCH]
    os.close(reading)
    done = subprocess.run(command, cwd=answers, stdout=subprocess.PIPE, stderr=writing)
    os.close(writing)
    assert done.returncode == 1
    assert b"Alarm" in done.stdout


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_from_the_start_change_nothing(answers, closed):
    line = f'"{sys.executable}" -m hayflick watch collapsed.jsonl {" ".join(WATCH)} {closed}'
    done = subprocess.run(["/bin/sh", "-c", line], cwd=answers, capture_output=True, text=True)
    assert done.returncode == 1
    assert "note:" not in done.stdout
    assert "error:" not in done.stdout


def test_a_page_does_not_take_the_messages_of_a_closed_standard_error(answers):
    page = answers / "closed.html"
    line = f'"{sys.executable}" -m hayflick watch collapsed.jsonl {" ".join(WATCH)}'
    done = subprocess.run(
        ["/bin/sh", "-c", f"{line} --out {page} 2>&-"], cwd=answers, stdout=subprocess.PIPE
    )
    assert done.returncode == 1
    # What was meant for standard error must not end up among the results.
    assert b"note:" not in done.stdout
    assert b"error:" not in done.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said_and_messages_that_cannot_be_shown_are_not(answers):
    arguments = ["watch", "healthy.jsonl", *WATCH]
    with open("/dev/full", "w") as full:
        assert exit_code(arguments, folder=answers, stdout=full) == 2
        code = exit_code(arguments, folder=answers, stdout=subprocess.DEVNULL, stderr=full)
        assert code == 0
        assert exit_code(["--version"], folder=answers, stdout=full) == 2


def test_a_note_is_said_once_where_both_streams_are_read_in_one_place(answers):
    command = [sys.executable, "-m", "hayflick", "watch", "healthy.jsonl", *WATCH]
    order = "the first is 1, the last 25"
    done = subprocess.run(command, cwd=answers, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert " ".join(done.stdout.decode().split()).count(order) == 1
    done = subprocess.run(command, cwd=answers, capture_output=True)
    for stream in (done.stdout, done.stderr):
        assert " ".join(stream.decode().split()).count(order) == 1
