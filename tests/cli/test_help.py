"""What ``hayflick``, ``--help`` and every command's help say, and the examples at their ends."""

import re
import shlex

import pytest
import typer
from doc_examples import write_example_data
from example_log import write_example_log

from hayflick.cli.app import app
from hayflick.cli.help import PANELS, START
from hayflick.cli.main import main


def commands():
    """Return all commands, also those of groups, by their names."""
    root = typer.main.get_command(app)
    found = {(): root}
    for name, command in root.commands.items():
        found[name,] = command
        for part, inner in getattr(command, "commands", {}).items():
            found[name, part] = inner
    return found


COMMANDS = commands()


def test_hayflick_alone_says_in_six_lines_what_it_can_do(capsys):
    assert main([]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{START}\n"
    assert shown.err == ""
    lines = START.splitlines()
    assert len(lines) == 6
    assert max(map(len, lines)) <= 80
    for line in lines:
        assert parsed(line[line.index("hayflick ") :].split("   ")[0])


def test_commands_are_listed_by_question_and_none_is_cut(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert "..." not in shown.partition("Forecast and plan:")[2]
    assert [panel for panel in PANELS if f"\n{panel}:\n" in shown] == list(PANELS)
    for (name,) in (path for path in COMMANDS if len(path) == 1):
        assert len(re.findall(rf"^  {name} +\S.*\.$", shown, re.MULTILINE)) == 1, name
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("path", [path for path in COMMANDS if hasattr(COMMANDS[path], "commands")])
def test_groups_list_their_commands_uncut(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*path, "--help"]) == 0
    assert "..." not in capsys.readouterr().out.partition("\nOptions:")[2]


def parsed(example):
    """Return whether the command line takes an example; nothing is run."""
    program, *rest = shlex.split(example.partition(" > ")[0])
    assert program == "hayflick"
    command, name, context = COMMANDS[()], "hayflick", None
    while True:
        try:
            context = command.make_context(name, rest, parent=context)
        except typer.Exit:
            return True  # --help
        rest = [*context._protected_args, *context.args]
        if not hasattr(command, "commands") or not rest:
            return True
        name, command, rest = command.resolve_command(context, rest)


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_the_help_of_a_command_ends_with_examples(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*path, "--help"]) == 0
    title, *examples = re.split(r"\n\n", capsys.readouterr().out)[-1].rstrip().splitlines()
    assert title in ("  Example:", "  Examples:")
    assert (title == "  Examples:") == (len(examples) > 1)
    for example in examples:
        words = [word for word in path if word != "run" or path[0] == "network"]
        assert example.startswith(" ".join(["    hayflick", *words]))
        assert parsed(example.strip())


RUN = {
    ("reserve",): 0,
    ("calibrate",): 0,
    ("watch",): 1,
    ("compare",): 1,
    ("trace",): 0,
    ("summarise",): 0,
    ("audit",): 1,
    ("admit",): 0,
    ("review", "draw"): 0,
    ("review", "judge"): 0,
    ("pilot",): 0,
    ("rules", "schema"): 0,
    ("sweep", "run"): 0,
    ("sweep", "query"): 0,
}
"""Commands whose examples are run, in this order, and their exit codes; the others are parsed."""


def test_examples_work(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_example_data()
    write_example_log(tmp_path / "traces.jsonl")
    (tmp_path / "corpus.txt").write_text("the cat sat on the mat by the door\n" * 600)
    study = 'format_version = 1\nfamily = "zipf:50"\nsamples = 100\ngenerations = 5\n'
    (tmp_path / "study.toml").write_text(study)
    for path, code in RUN.items():
        lines = COMMANDS[path].epilog.splitlines()[2:]
        for example in lines:
            arguments = shlex.split(example.strip().partition(" > ")[0])[1:]
            assert main(arguments) == code, (example, capsys.readouterr().err)
        capsys.readouterr()
