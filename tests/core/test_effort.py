"""What work takes is said before it starts, and very long work needs consent."""

import io
import time

import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import EffortError
from hayflick.core.progress import silent

HOUR = Effort("sorting", seconds=3600.0)
WIDE = Effort("sorting", seconds=1.0, memory=5e9)


@pytest.mark.parametrize(
    ("seconds", "memory", "words"),
    [
        (0.2, 0.0, "takes about little memory"),
        (80.0, 0.0, "takes about 80 seconds"),
        (400.0, 1e6, "takes about 7 minutes"),
        (4 * 3600.0, 5e9, "takes about 4 hours and 5 GB of memory"),
        (3e9, 0.0, "takes about 95 years"),
        (0.0, 5.4e9, "takes about 5 GB of memory"),
    ],
)
def test_estimates_are_rough_words(seconds, memory, words):
    assert str(Effort("sorting", seconds=seconds, memory=memory)) == f"sorting {words}"


def test_python_is_not_asked():
    expect(silent, HOUR)
    with hf.progress_bar() as progress:
        expect(progress, HOUR)


def test_nobody_takes_more_memory_than_there_is():
    for progress in (silent, lambda *_: None):
        with pytest.raises(EffortError, match="this machine has"):
            expect(progress, Effort("sorting", memory=1e18))


@pytest.mark.parametrize("effort", [HOUR, WIDE])
def test_without_a_terminal_long_work_needs_an_option(effort, capsys):
    with hf.progress_bar(yes=False) as progress, pytest.raises(EffortError, match="add --yes"):
        expect(progress, effort)
    assert capsys.readouterr().err == ""
    with hf.progress_bar(yes=True) as progress:
        expect(progress, effort)
    assert capsys.readouterr().err == f"note: {effort}\n"


def test_parts_of_announced_work_are_not_announced_again(capsys):
    with hf.progress_bar(yes=False) as progress:
        for seconds in (30.0, 120.0, 90.0):
            expect(progress, Effort("sorting", seconds=seconds))
    assert capsys.readouterr().err == "note: sorting takes about 2 minutes\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("answer", "starts"), [("y\n", True), ("\n", False), ("no\n", False)])
def test_a_terminal_is_asked_once(answer, starts, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setenv("TERM", "xterm")
    with hf.progress_bar(yes=False) as progress:
        if starts:
            expect(progress, HOUR)
            expect(progress, HOUR)
        else:
            with pytest.raises(EffortError):
                expect(progress, HOUR)
    assert terminal.getvalue().count("Start it? [y/N]") == 1


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text(" ".join(f"w{number % 97 * number % 61}" for number in range(3000)))
    return str(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("forecast", "{words}", "--generations", "1000000", "--replicates", "0"),
        ("forecast", "{words}", "--replicates", "10000000"),
        ("plan", "{words}", "--generations", "1000000"),
        ("expressivity", "{words}", "--generations", "1000000", "--replicates", "2000"),
        ("simulate", "zipf:100000000", "--samples", "1000"),
        ("simulate", "zipf:1000", "--samples", "1000", "--generations", "1000000"),
        ("simulate", "poisson:3", "--samples", "9", "--replicates", "100000000"),
        ("simulate", "poisson:3", "--samples", "9", "--generations", "1000000"),
    ],
)
def test_boundless_work_is_not_started_without_consent(arguments, words, capsys, monkeypatch):
    # As on a machine of 8 GB, wherever the test runs.
    monkeypatch.setattr("hayflick.core.effort.machine_memory", lambda: 8e9)
    start = time.monotonic()
    assert main([one.format(words=words) for one in arguments]) == 2
    assert time.monotonic() - start < 60.0
    error = capsys.readouterr().err
    assert "takes about" in error
    assert "add --yes" in error or "this machine has 8 GB" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("forecast", "{words}", "--tokenizer", "characters:1000000000"),
        ("forecast", "{words}", "--threads", "1000000000"),
        ("simulate", "poisson:3", "--samples", "9", "--threads", "-1"),
        ("simulate", "poisson:3", "--samples", "9", "--seed", "9" * 4000),
        ("simulate", "poisson:3", "--samples", "1" + "0" * 400),
        ("simulate", "poisson:1e999", "--samples", "9"),
        ("simulate", "zipf:1" + "0" * 400, "--samples", "9"),
        ("forecast", "{words}", "--generations", "9" * 4000),
        ("forecast", "{words}", "--delta", "inf"),
        ("forecast", "{words}", "--out", "x" * 300 + ".html"),
        ("forecast", "x" * 300),
        ("simulate", "poisson:3", "--samples", "9", "--out", "x" * 300),
        ("simulate", "poisson:3", "--samples", "9", "--out", "x\0y"),
        ("forecast", "x\0y"),
    ],
)
def test_numbers_and_paths_beyond_all_bounds_are_refused(arguments, words, capsys):
    assert main([one.format(words=words) for one in arguments]) == 2
    assert "internal error" not in capsys.readouterr().err


def test_what_a_trial_of_rules_takes_is_announced_as_a_whole(tmp_path, capsys, monkeypatch):
    hour = Effort("simulating 32 runs", seconds=3600.0)
    monkeypatch.setattr("hayflick.simulation.simulate.simulation_effort", lambda *_, **__: hour)
    rules = tmp_path / "rules.toml"
    rules.write_text(
        'format_version = 1\nmode = "act"\n[[watch]]\nname = "w"\nmetric = "surviving_fraction"\n'
        'below = 0.5\nactions = ["t"]\n[[action]]\nname = "t"\nkind = "notify"\nmessage = "m"\n'
    )
    words = tmp_path / "words.txt"
    words.write_text("the cat sat on the mat and the dog sat too")
    arguments = ["rules", "evaluate", str(rules), "--corpus", str(words), "--replicates", "32"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "3 times simulating 32 runs takes about 3 hours; add --yes" in said
    assert main([*arguments, "--yes"]) == 0
    assert capsys.readouterr().err.count("note: 3 times simulating 32 runs") == 1


def test_what_answers_take_is_told_by_a_round_after_the_first(tmp_path, capsys, monkeypatch):
    lines = (f'{{"r": {row // 5}, "a": "It rains {row}."}}\n' for row in range(100))
    (tmp_path / "answers.jsonl").write_text("".join(lines))
    clock = iter(range(0, 10**9, 300))
    monkeypatch.setattr("hayflick.monitor.measuring.time.monotonic", lambda: next(clock))
    arguments = ["watch", str(tmp_path / "answers.jsonl"), "--text", "a", "--by", "r"]
    assert main(arguments) == 2
    assert "more answers takes about" in capsys.readouterr().err
    assert main([*arguments, "--yes"]) in (0, 1)
