"""What shells offer while a command is typed, in the shells themselves where they are installed."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
import shellingham
from example_chains import FAMILIES

from hayflick.cli import completion
from hayflick.cli.main import main
from hayflick.corpus.logs.preset import presets
from hayflick.detection.parsing import charts
from hayflick.diversity.observing import SLOW

COMPLETE = "_HAYFLICK_COMPLETE"
CASES = [
    ("forec", ["forecast"]),
    ("rules ", ["check", "evaluate", "schema"]),
    ("forecast x --law ", ["auto", "branching", "exact"]),
    ("forecast x --regime acc", ["accumulate", "accumulate-subsample"]),
    ("simulate gauss", ["gaussian"]),
    ("simulate x --sampler top", ["top-k", "top-p"]),
    ("simulate x --degrade label", ["label-noise"]),
    ("simulate x --select ver", ["verifier"]),
    ("simulate x --estimator good", ["good-turing"]),
    ("watch x --log lang", ["langfuse", "langsmith"]),
    ("watch x --metric d", ["drift"]),
    ("watch x --chart cus", ["cusum"]),
    ("watch x --chart distinct_", ["distinct_1=", "distinct_2=", "distinct_3="]),
    ("watch x --time-zone Asia/Tok", ["Asia/Tokyo"]),
    ("watch x --scheduler p", ["processes"]),
    ("watch x --time", ["--time-zone"]),
    ("plan x --encoding cp9", ["cp932"]),
    ("plan x --tokenizer char", ["characters"]),
    ("compare x y --embedder sent", ["sentence"]),
    ("watch ", []),  # files, by the shell
    ("watch x --out ", []),
    ("--version ", []),
    ("watch --list-metrics ", []),
]


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The command on the path of the shells."""
    script = tmp_path / "bin" / "hayflick"
    script.parent.mkdir()
    python = shlex.quote(sys.executable)
    script.write_text(f"#!{python}\nfrom hayflick.cli.main import run\nrun()\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    return script


def offered(line, monkeypatch, capsys, shell="fish"):
    """Return what a shell is answered for a line that is being typed."""
    monkeypatch.setenv(COMPLETE, f"complete_{shell}")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"hayflick {line}")
    assert main([]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out.splitlines()


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_what_is_offered(line, expected, monkeypatch, capsys):
    found = [one.partition("\t")[0] for one in offered(line, monkeypatch, capsys) if one]
    if not expected:
        assert found == [] or line.endswith("cs ") or line.startswith("--")
    assert sorted(set(found) & set(expected)) == expected
    typed = line.rpartition(" ")[2]
    assert all(one.startswith(typed) for one in found)


def test_every_help_is_one_short_line(monkeypatch, capsys):
    for line in ("", "watch --", "simulate --", "rules "):
        for one in offered(line, monkeypatch, capsys):
            name, tab, text = one.partition("\t")
            assert name
            assert tab
            assert 0 < len(text) <= 75, one
            assert "[" not in text


def test_zsh_is_told_to_complete_files_where_nothing_has_a_name(monkeypatch, capsys):
    assert offered("watch x --out ", monkeypatch, capsys, shell="zsh") == ["_files"]
    [line] = offered("simulate x --regime anc", monkeypatch, capsys, shell="zsh")
    assert '"anchor"' in line


def test_names_that_stand_by_themselves_are_those_of_the_registers():
    assert set(completion.CHARTS) == set(charts())
    assert set(completion.SLOW_METRICS) == set(SLOW)
    assert set(completion.logs()) == {*presets(), "none"}
    known = {name for model in FAMILIES.values() for name in model.estimators()}
    assert known == set(completion.ESTIMATORS)
    for name in completion.ENCODINGS:
        assert "".encode(name) is not None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_can_be_written_for_any_shell(shell, monkeypatch, capsys):
    monkeypatch.setenv(COMPLETE, f"source_{shell}")
    assert main([]) == 0
    script = capsys.readouterr().out
    assert script.strip()
    if shell == "zsh":
        assert script.startswith("#compdef hayflick\n")


def test_bash_completes(program, tmp_path):
    script = f"""
    source <({COMPLETE}=source_bash hayflick)
    complete -p hayflick
    typed() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hayflick_completion hayflick; }}
    typed hayflick forec; echo "${{COMPREPLY[*]}}"
    typed hayflick watch --time; echo "${{COMPREPLY[*]}}"
    typed hayflick simulate --regime per; echo "${{COMPREPLY[*]}}"
    typed hayflick forecast co; echo "none: ${{COMPREPLY[*]}}"
    """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    # Where nothing is offered, bash completes the names of files.
    assert lines[0].startswith("complete -o default -F")
    assert lines[1:] == ["forecast", "--time-zone", "periodic", "none: "]
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(program, tmp_path):
    (tmp_path / "corpus.txt").write_text("a")
    script = f"""
    env {COMPLETE}=source_fish hayflick | source
    complete -C "hayflick forec"
    complete -C "hayflick forecast corp"
    """
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        ["fish", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == [
        "forecast",
        "corpus.txt",
    ]


def test_completion_is_installed_into_the_home_of_the_shell(program, tmp_path):
    environment = {**os.environ, "HOME": str(tmp_path)}
    command = ["bash", "-c", "hayflick --install-completion; echo $?"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    installed = tmp_path / ".bash_completions" / "hayflick.sh"
    assert str(installed) in (tmp_path / ".bashrc").read_text()
    assert "_hayflick_completion" in installed.read_text()


def test_a_shell_that_is_not_known_is_the_users_mistake(monkeypatch, capsys):
    def fail():
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", fail)
    for option in ("--install-completion", "--show-completion"):
        assert main([option]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "error: the shell is not one that completion is known for" in shown.err
