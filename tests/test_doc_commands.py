"""Commands and files that the documents show: every command is one, every block can be read.

tests/test_docs.py runs what can be run. Here is the rest: lines of cron, jobs of Slurm, YAML of
Kubernetes and GitHub, and commands on files that only a reader has. They are parsed, not run.
"""

from __future__ import annotations

import functools
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from hayflick.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "deploy" / "README.md",
    ROOT / "examples" / "trainers" / "README.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "cli.md"),
]
BLOCK = re.compile(r"^( *)```\{?([\w-]*)\}?[^\n]*\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
SHELL = ("sh", "bash")
COMMAND = re.compile(r"(?<![\w./:@-])hayflick(?= +[a-z])")
HOURLY = re.compile(r"^(?:[\d*/,-]+ ){5}\S", re.MULTILINE)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and the text of every fenced block of a page."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(language, text) for _, language, text in found]


def indented(text: str) -> str:
    """Return the lines of the blocks that are indented in place of fenced."""
    lines = BLOCK.sub("", text).splitlines()
    return "\n".join(line.strip() for line in lines if line.startswith("    "))


def words(text: str) -> list[str]:
    """Return the arguments of a command that begins a text, up to the end of the command."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>()\n")
    lexer.whitespace, lexer.whitespace_split = " \t\r", True
    found: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>()\n"):
            break
        found.append("1" if re.fullmatch(r"\$\w+", word) else word)
    return found


def commands(text: str, *, lines: bool = False) -> Iterator[list[str]]:
    """Yield the arguments of every call of hayflick in shell or YAML.

    With `lines`, as in what a command prints, a call begins its line.
    """
    joined = re.sub(r"\\\n\s*", " ", text)
    for found in COMMAND.finditer(joined):
        line = joined[found.end() :]
        before = joined[: found.start()].rpartition("\n")[2]
        if "#" in before or (lines and before.strip() not in {"", "$"}):
            continue
        quoted = re.search(r"(?:sh -c|--wrap)\s+'$", before)
        yield words(line.split("'" if quoted else "\n", 1)[0])


def lists(value: Any) -> Iterator[list[str]]:
    """Yield the commands that stand in YAML as a list of words."""
    if isinstance(value, dict):
        if "hayflick" in str(value.get("uses", "")) and "run" in value.get("with", {}):
            yield shlex.split(value["with"]["run"])
        for one in value.values():
            yield from lists(one)
    elif isinstance(value, list):
        if value[:1] == ["hayflick"] and len(value) > 1:
            yield [str(word) for word in value[1:]]
        for one in value:
            yield from lists(one)


@functools.cache
def root() -> Any:
    return typer.main.get_command(app)


def problem(arguments: list[str], *, part: bool = False) -> str | None:
    """Return why the command line does not take these arguments; None if it does.

    Nothing is run. Of a part of a command, such as one in a sentence, arguments may be missing.
    """
    rest = [word for word in arguments if word not in {"…", "..."}]
    command, name, context = root(), "hayflick", None
    try:
        while command is not None:
            context = command.make_context(name, rest, parent=context)
            if not hasattr(command, "commands"):
                return None
            rest = [*context._protected_args, *context.args]
            if not rest:
                return None if command.invoke_without_command else "no command"
            name, command, rest = command.resolve_command(context, rest)
    except typer.Exit:
        return None  # --help, --list-metrics
    except typer.TyperException as fault:
        missing = type(fault).__name__ == "MissingParameter" or "requires an arg" in str(fault)
        return None if part and missing else f"{type(fault).__name__}: {fault}"
    return f"no such command: {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_block_is_one(page):
    text = page.read_text(encoding="utf-8")
    found = list(commands(indented(text), lines=True))
    for language, block in blocks(page):
        if language in (*SHELL, "yaml"):
            found += commands(block)
        elif language in ("console", "text", ""):
            found += commands(block, lines=True)
        if language == "yaml":
            for document in yaml.safe_load_all(block):
                found += lists(document)
    wrong = [(shlex.join(one), why) for one in found if (why := problem(one))]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_sentence_is_one(page):
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    found = re.findall(r"(?<!`)`hayflick ([a-z-][^`]*)`", text.replace("\n", " "))
    wrong = [(one, why) for one in found if (why := problem(words(one), part=True))]
    assert wrong == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_shell_can_be_read(page):
    scripts = [text for language, text in blocks(page) if language in SHELL]
    for script in scripts:
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, ""), script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_of_cron_are_lines(page):
    for language, text in blocks(page):
        for line in text.splitlines() if language in (*SHELL, "", "text") else ():
            if HOURLY.match(line):
                assert not line.endswith("\\"), f"cron knows no continued lines: {line}"
                assert not re.search(r"(?<!\\)%", line), f"cron ends a command at %: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_data_can_be_read(page):
    unreadable = []
    for language, text in blocks(page):
        try:
            if language == "toml":
                tomllib.loads(text)
            elif language == "yaml":
                list(yaml.safe_load_all(text))
            elif language == "json":
                for value in text.split("\n") if text.startswith('{"') else [text]:
                    json.loads(value or "null")
        except (ValueError, yaml.YAMLError) as fault:
            unreadable.append((text, str(fault)))
    assert unreadable == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_that_needs_a_framework_can_be_read(page):
    text = page.read_text(encoding="utf-8")
    unreadable = []
    for example in re.findall(r"^```py\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        try:
            compile(example, page.name, "exec")
        except SyntaxError as fault:
            unreadable.append((example, str(fault)))
    assert unreadable == []


def test_a_wrong_command_is_found():
    shown = (
        "sbatch --wrap 'hayflick watch *.summary --out panel.html'\nhayflick gate \\\n  --stat x"
    )
    watch, gate = commands(shown)
    assert (watch, problem(watch)) == (["watch", "*.summary", "--out", "panel.html"], None)
    assert "--stat" in problem(gate)
    assert "comparing" in problem(["comparing", "a"])
    assert "MissingParameter" in problem(["compare", "old.jsonl"])
    assert problem(["compare"], part=True) is None
    assert "valid number" in problem(words('compare a b --fail-below "much" || exit 1'))
    [action] = lists({"uses": "OWNER/hayflick@v1", "with": {"run": "compare a b --text answer"}})
    assert action == ["compare", "a", "b", "--text", "answer"]
