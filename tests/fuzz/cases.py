"""Cases of the fuzzer: a command of the command line, its arguments, and damaged files."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from fuzz.grammars import PATHS, TEXTS, Values
from fuzz.inputs import damage, make_odd_files
from hayflick.cli.app import app

SERVES = (("network", "serve-agent"), ("serve",))
"""The commands that end only when they are told to."""

FITTING = {
    "RULES": ("rules.toml",),
    "EXPERIMENT": ("village.toml",),
    "PANEL": ("panel.toml",),
    "RUN_DIR": ("run",),
    "RESULTS": ("answers.csv", "answers.jsonl"),
    "REVIEW": ("review.csv",),
    "plan": ("pilot.json",),
    "history": ("runs.nc",),
    "must_keep": ("keep.txt", "keep.json"),
    "rules": ("rules.toml",),
    "source": ("corpus.txt", "answers.csv", "answers.jsonl", "counts.json", "texts", "words.xlsx"),
    "corpus": ("corpus.txt", "counts.json", "texts"),
}
TABLES = ("answers.csv", "answers.jsonl", "answers.tsv", "answers.parquet", "answers.xlsx")
COLUMN_OF = {"by": "round", "text": "answer", "column": "label"}
ALWAYS = (
    *(*COLUMN_OF, "generations", "replicates", "samples", "size", "effect", "sd", "plan", "keep"),
)
NEEDED = ("figure",)
"""Without it, all figures of a paper are made, which takes minutes."""
WRITTEN = ("out", "brief", "plot", "write_rules", "reserve_out")
ENDINGS = (".html", ".json", ".csv", ".svg", ".png", ".nc", ".toml", ".jsonl", "")


@dataclass(frozen=True)
class Case:
    """One run of a command in a folder of its own."""

    number: int
    folder: Path
    arguments: Sequence[str]


def leaves(command: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that can be run, with its path of names."""
    inner = getattr(command, "commands", {})
    if above and (not inner or getattr(command, "invoke_without_command", False)):
        yield above, command
    for name, one in inner.items():
        yield from leaves(one, *above, name)


COMMANDS = [(path, one) for path, one in leaves(typer.main.get_command(app)) if path not in SERVES]


def make_case(number: int, *, seed: int, inputs: Path, folder: Path) -> Case:
    """Copy the inputs, damage some of them, and choose a command with arguments."""
    draw = random.Random(f"{seed}:{number}")
    shutil.copytree(inputs, folder, symlinks=True)
    make_odd_files(folder)
    files = sorted(one.name for one in folder.iterdir())
    path, command = draw.choice(COMMANDS)
    arguments = [*path, *_arguments(draw, path, command, Values(draw, files))]
    used = [one for one in files if any(one in argument for argument in arguments)]
    for name in used:
        if draw.random() < 0.4:
            damage(draw, folder / name)
    if draw.random() < 0.05:
        place = draw.randrange(len(arguments))
        arguments[place : place + 1] = draw.choice(
            [[], [draw.choice(TEXTS)], [arguments[place]] * 2]
        )
    return Case(number, folder, arguments)


ENDING_OF = {
    ("simulate",): ".nc",
    ("review", "draw"): ".csv",
    ("pilot",): ".json",
    ("reserve",): ".jsonl",
    ("network", "run"): "",
    ("network", "record"): ".jsonl",
}


def _ending(draw: random.Random, path: tuple[str, ...], name: str) -> str:
    if draw.random() < 0.1:
        return draw.choice(ENDINGS)
    of_option = {"plot": ".svg", "write_rules": ".toml", "reserve_out": ".json"}
    return of_option.get(name, ENDING_OF.get(path, ".html") if name == "out" else ".html")


def _arguments(
    draw: random.Random, path: tuple[str, ...], command: Any, values: Values
) -> Iterator[str]:
    tabular = False
    for one in command.params:
        if one.name in ("help", "version"):
            continue
        kind = one.type_descriptor.annotation if hasattr(one, "type_descriptor") else str
        if one.param_type_name == "argument":
            chosen = _input(draw, one, values, kind)
            tabular = chosen in (*TABLES, "words.xlsx")
            yield chosen
            continue
        chance = 0.97 if one.required or one.name in ALWAYS else 0.12
        if one.name in ("column", "columns") and not tabular:
            chance = 0.03
        if one.name in NEEDED:
            chance = 1.0
        if draw.random() > chance:
            continue
        option = one.opts[0]
        if getattr(one, "is_flag", False):
            yield option
        elif one.name in COLUMN_OF and draw.random() < 0.85:
            yield from (option, COLUMN_OF[one.name])
        elif one.name in WRITTEN:
            name = f"written{_ending(draw, path, one.name)}"
            yield from (option, name if draw.random() < 0.9 else draw.choice(PATHS))
        else:
            yield from (option, _input(draw, one, values, kind))


def _input(draw: random.Random, parameter: Any, values: Values, kind: Any) -> str:
    name = parameter.name
    fitting = FITTING.get(parameter.metavar or "", FITTING.get(name, ()))
    if not fitting and parameter.param_type_name == "argument" and kind is Path:
        fitting = TABLES
    if name == "source" and draw.random() < 0.5:
        fitting = TABLES
    if fitting and draw.random() < 0.9:
        return draw.choice(fitting)
    return values.of(name, kind)
