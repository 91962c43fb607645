import copy
import inspect
import json
import logging
import multiprocessing
import os
import random
import subprocess
import sys
import threading

import pytest

import hayflick as hf
from hayflick.client import AnswerLog, WatchHandler


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_an_answer_is_a_line_with_what_was_given(path):
    with AnswerLog(path) as log:
        log.record(
            "It is\non its\u2028way.", group="a", prompt="Where?", values={"s": 2}, at=5, key="k"
        )
    (line,) = lines_of(path)
    assert line == {
        "hayflick_log": 1,
        "text": "It is\non its\u2028way.",
        "key": "k",
        "time": 5.0,
        "group": "a",
        "prompt": "Where?",
        "values": {"s": 2.0},
    }


def test_half_a_sign_is_replaced(path):
    log = AnswerLog(path)
    log.record("\ud83d\ude00 and \ud83d")
    assert lines_of(path)[0]["text"] == "\U0001f600 and \ufffd"


def test_what_cannot_be_written_is_counted_and_breaks_nothing(path, caplog):
    log = AnswerLog(path)
    log.record(None)
    log.record("two", values={"score": float("nan")})
    log.record("three")
    path.unlink()
    path.mkdir()
    for _ in range(3):
        log.record("four")
    assert (log.counts.recorded, log.counts.delivered, log.counts.refused) == (6, 1, 5)
    assert "IsADirectoryError" in str(log.counts.reasons)
    assert sum("Is a directory" in message for message in caplog.messages) == 1


def test_a_closed_log_takes_nothing(path):
    with AnswerLog(path) as log:
        pass
    log.record("late")
    assert log.counts.reasons == {"the log is closed": 1}
    assert not path.read_text()


def test_a_file_that_cannot_be_written_to_is_an_error_at_the_start(tmp_path):
    with pytest.raises(OSError, match="missing"):
        AnswerLog(tmp_path / "missing" / "answers.jsonl")


def write_many(log, name):
    for number in range(150):
        log.record(f"{name} {number} " + "x" * 20_000, group=name)


def assert_all_lines(path, *, writers):
    lines = lines_of(path)
    assert len(lines) == len({line["key"] for line in lines}) == 150 * writers
    for name in {line["group"] for line in lines}:
        numbers = [int(line["text"].split()[1]) for line in lines if line["group"] == name]
        assert numbers == list(range(150))


def test_threads_and_programs_write_whole_lines(path):
    log = AnswerLog(path)
    code = f"import sys\nfrom hayflick_client import AnswerLog\n{inspect.getsource(write_many)}"
    code += "write_many(AnswerLog(sys.argv[1]), sys.argv[2])"
    programs = [
        subprocess.Popen([sys.executable, "-c", code, path, f"program-{n}"]) for n in range(2)
    ]
    threads = [threading.Thread(target=write_many, args=(log, f"thread-{n}")) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [program.wait(60) for program in programs] == [0, 0]
    assert log.counts.delivered == 300
    assert_all_lines(path, writers=4)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_processes_write_whole_lines_and_count_their_own(path):
    log, context = AnswerLog(path), multiprocessing.get_context("fork")
    workers = [context.Process(target=write_many, args=(log, f"process-{n}")) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert log.counts.recorded == 0
    assert_all_lines(path, writers=3)


def test_a_log_that_is_rotated_goes_on_in_a_new_file(path):
    log = AnswerLog(path)
    log.record("one")
    path.rename(path.with_suffix(".1"))
    log.record("two")
    os.truncate(path, 0)  # as logrotate's copytruncate does
    log.record("three")
    assert [line["text"] for line in lines_of(path.with_suffix(".1"))] == ["one"]
    assert [line["text"] for line in lines_of(path)] == ["three"]
    assert log.flush()


def test_half_a_line_stays_one_of_its_own(path):
    path.write_text('{"hayflick_log":1,"te')
    AnswerLog(path).record("whole")
    assert json.loads(path.read_text().splitlines()[1])["text"] == "whole"


def test_a_line_that_a_full_disk_cuts_off_is_taken_back(path):
    pytest.importorskip("resource")
    code = (
        "import resource, sys\n"
        "from hayflick_client import AnswerLog\n"
        "log = AnswerLog(sys.argv[1])\n"
        "log.record('first')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "log.record('x' * 2000)\n"
        "log.record('last')\n"
        "print(log.counts.delivered, dict(log.counts.reasons))\n"
    )
    run = [sys.executable, "-B", "-c", code, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 {'OSError: the disk is full': 1}"
    assert [line["text"] for line in lines_of(path)] == ["first", "last"]


def test_a_lock_that_another_program_keeps_delays_an_answer_and_no_more(path, monkeypatch):
    monkeypatch.setattr("hayflick_client.answer_log._LONGEST_LOCK_S", 0.1)
    fcntl = pytest.importorskip("fcntl")
    log = AnswerLog(path)
    with path.open("rb") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        log.record("all the same")
    assert lines_of(path)[0]["text"] == "all the same"


def test_a_copy_writes_to_the_same_file(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = AnswerLog("answers.jsonl")
    monkeypatch.chdir("/")
    copy.deepcopy(log).record("from the copy")
    assert lines_of(path)[0]["text"] == "from the copy"


def test_answers_that_a_program_logs_go_to_the_file(path):
    program = logging.Logger("program")
    program.addHandler(WatchHandler(AnswerLog(path), group="model"))
    program.info("answered", extra={"answer": "Yes.", "model": "a"})
    assert [(line["text"], line["group"]) for line in lines_of(path)] == [("Yes.", "a")]


def test_watch_reads_the_log(path):
    words = [f"word{number}" for number in range(40)]
    rng = random.Random(1)
    with AnswerLog(path) as log:
        for number in range(480):
            text = " ".join(rng.choices(words[: 40 if number < 300 else 4], k=12))
            log.record(text, group="ab"[number % 2], prompt="Where?", at=1.79e9 + number * 3600)
    result = hf.watch(path)
    assert result.alarms
    assert (result.answers, len(result.rounds)) == (480, 24)  # blocks of 20 answers
