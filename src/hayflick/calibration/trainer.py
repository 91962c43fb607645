"""The user's own trainer: commands that are run without a shell, or a function."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from typing_extensions import override

from hayflick.calibration.loop_settings import LocatedSettings
from hayflick.calibration.processes import LONGEST_LINE, Tick, TimeLimits, run_process
from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, TrainerError, listed

TrainerFunction: TypeAlias = Callable[[str, int, str, int], object]
"""Called with the path of the data, the number of items to write, where to, and a seed."""

_REQUIRED = {"train": ("data", "model"), "generate": ("model", "n", "out")}
_OPTIONAL = {"train": ("seed", "round"), "generate": ("seed", "data", "round")}

_MARK = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\}?|\([^)]*\)?|[@*#?!$])|`")
_SHELL_SIGNS = "|&;<>()`*"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True)
class TrainerCommand:
    """A command of the user's, split into arguments as a shell would, with placeholders.

    Parameters
    ----------
    key
        Its key in the settings.
    arguments
        The program and its arguments.

    Examples
    --------
    >>> command = TrainerCommand.of("train", "python 'my train.py' {data} {model}", name="a.toml")
    >>> command.filled({"data": "/tmp/my run/data.txt", "model": "/tmp/my run/model"})
    ['python', 'my train.py', '/tmp/my run/data.txt', '/tmp/my run/model']
    """

    key: str
    arguments: tuple[str, ...]

    @classmethod
    def of(cls, key: str, text: str, *, name: str) -> TrainerCommand:
        """Return the command of a text.

        Parameters
        ----------
        key
            ``train`` or ``generate``.
        text
            The command.
        name
            Name of the settings in messages.

        Raises
        ------
        ArgumentError
            If it needs a shell, lacks a placeholder, or has an unknown one.
        """
        where = f"{name}: {key}"
        _refuse_shell(where, text)
        try:
            arguments = tuple(shlex.split(text))
        except ValueError as fault:
            takes = "a command whose quotes are closed"
            raise ArgumentError(where, got=text, takes=takes, remedy=str(fault)) from None
        if not arguments:
            raise ArgumentError(where, got=repr(text), takes="a command")
        command = cls(key, arguments)
        command._check_placeholders(where, text)
        return command

    def _check_placeholders(self, where: str, text: str) -> None:
        required, known = _REQUIRED[self.key], _REQUIRED[self.key] + _OPTIONAL[self.key]
        found: set[str] = set()
        for mark in (mark for one in self.arguments for mark in _MARK.finditer(one)):
            inner = mark[1]
            if inner in known:
                found.add(inner)
            elif mark[0] not in ("{{", "}}"):
                takes = f"the placeholders {_braced(known)}"
                near = difflib.get_close_matches(inner or "", known, n=1)
                remedy = f"did you mean {{{near[0]}}}?" if near else "write {{ and }} for braces"
                raise ArgumentError(where, got=mark[0], takes=takes, remedy=remedy)
        missing = [one for one in required if one not in found]
        if missing:
            takes = f"a command with {_braced(required)}"
            remedy = f"{_braced(missing)} is missing: write it where the command takes it"
            raise ArgumentError(where, got=text, takes=takes, remedy=remedy)

    def holds(self, placeholder: str) -> bool:
        """Return whether the command has a placeholder."""
        marks = (mark[1] for one in self.arguments for mark in _MARK.finditer(one))
        return placeholder in marks

    def filled(self, values: Mapping[str, object]) -> list[str]:
        """Return the arguments with values in place of the placeholders, none split or joined."""

        def value(mark: re.Match[str]) -> str:
            return mark[0][0] if mark[1] is None else str(values[mark[1]])

        return [_MARK.sub(value, one) for one in self.arguments]

    def check_program(self, where: str, folder: Path) -> None:
        """Refuse a program that is not there.

        Raises
        ------
        ArgumentError
            If there is none of its name, or it must not be executed.
        """
        program = self.arguments[0]
        if _ASSIGNMENT.match(program):
            takes = "a program and its arguments"
            remedy = "no shell sets variables here: write env before it"
            raise ArgumentError(where, got=program, takes=takes, remedy=remedy)
        path = str(folder / program) if os.sep in program else program
        if shutil.which(path) is None:
            takes = "a program that can be executed"
            remedy = "there is none of that name; no shell is used, so write its path"
            raise ArgumentError(where, got=program, takes=takes, remedy=remedy)


def _braced(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def _refuse_shell(where: str, text: str) -> None:
    sign = _shell_syntax(text.strip())
    if sign is not None:
        remedy = f"{sign} needs a shell: put the command in a script and name that, or quote it"
        takes = "a program and its arguments, without a shell"
        raise ArgumentError(where, got=text, takes=takes, remedy=remedy)


def _shell_syntax(line: str) -> str | None:
    """Return the first part of a command that only a shell understands."""
    quote, place, begins = "", 0, True
    while place < len(line):
        sign = line[place]
        if sign == "\\" and quote != "'":
            place, begins = place + 2, False
            continue
        variable = None if quote == "'" else _VARIABLE.match(line, place)
        if variable is not None:
            return variable[0]
        if not quote and (sign in _SHELL_SIGNS or (sign == "~" and begins)):
            return line[place : place + 2] if line[place : place + 2] in ("&&", "||") else sign
        if not quote and sign in "\r\n":
            return "a line break"
        if sign in "'\"":
            quote = "" if quote == sign else quote or sign
        place, begins = place + 1, sign.isspace() and not quote
    return None


class Trainer(Protocol):
    """What is trained on a round's data and writes the next one's."""

    @property
    def seeded(self) -> bool:
        """Whether it is given the seed."""

    @property
    def stages(self) -> tuple[str, ...]:
        """What it is called to do in a round, in order; the last one writes."""

    def reads(self, stage: str) -> bool:
        """Return whether a stage is given the training set."""

    def run(
        self,
        stage: str,
        values: Mapping[str, object],
        *,
        place: Path,
        limits: TimeLimits,
        tick: Tick,
    ) -> None:
        """Carry out a stage.

        Parameters
        ----------
        stage
            One of `stages`.
        values
            What placeholders stand for.
        place
            Folder for what it prints.
        limits
            How long it may take.
        tick
            Called while it works.

        Raises
        ------
        TrainerError
            If it fails or takes longer than its timeout.
        HoursUsed
            If it takes longer than the budget.
        """


@dataclass(frozen=True, slots=True)
class CommandTrainer(Trainer):
    """A trainer that is run as commands.

    Parameters
    ----------
    commands
        In order.
    folder
        Where they run.
    """

    commands: tuple[TrainerCommand, ...]
    folder: Path

    @property
    @override
    def seeded(self) -> bool:
        return any(command.holds("seed") for command in self.commands)

    @property
    @override
    def stages(self) -> tuple[str, ...]:
        return tuple(command.key for command in self.commands)

    @override
    def reads(self, stage: str) -> bool:
        return self.commands[self.stages.index(stage)].holds("data")

    @override
    def run(
        self,
        stage: str,
        values: Mapping[str, object],
        *,
        place: Path,
        limits: TimeLimits,
        tick: Tick,
    ) -> None:
        command = self.commands[self.stages.index(stage)]
        what = f"{stage}, round {values['round']}"
        run_process(
            command.filled(values),
            what=what,
            folder=self.folder,
            place=place,
            limits=limits,
            tick=tick,
        )


@dataclass(frozen=True, slots=True)
class FunctionTrainer(Trainer):
    """A trainer that is a function of Python, called in this process.

    Parameters
    ----------
    function
        The function.
    """

    function: TrainerFunction

    @property
    @override
    def seeded(self) -> bool:
        return True

    @property
    @override
    def stages(self) -> tuple[str, ...]:
        return ("trainer",)

    @override
    def reads(self, stage: str) -> bool:
        return True

    @override
    def run(
        self,
        stage: str,
        values: Mapping[str, object],
        *,
        place: Path,
        limits: TimeLimits,
        tick: Tick,
    ) -> None:
        data, out = str(values["data"]), str(values["out"])
        try:
            self.function(data, int(str(values["n"])), out, int(str(values["seed"])))
        except Exception as fault:
            reason = display_text(str(fault), longest=LONGEST_LINE)
            kind = type(fault).__name__
            raise TrainerError(
                f"{stage}, round {values['round']}: raised {kind}: {reason}"
            ) from fault


_CALL = (
    "import importlib, sys\n"
    "from operator import attrgetter\n"
    "module, function, data, n, out, seed = sys.argv[1:]\n"
    "attrgetter(function)(importlib.import_module(module))(data, int(n), out, int(seed))\n"
)
_CALL_VALUES = ("{data}", "{n}", "{out}", "{seed}")


def trainer_of(settings: LocatedSettings, function: TrainerFunction | None) -> Trainer:
    """Return the trainer of settings, or of a function that is given beside them.

    Raises
    ------
    ArgumentError
        If there is none, more than one, or a command cannot be run.
    """
    values, name = settings.values, settings.name
    keys = [key for key in ("train", "generate", "trainer") if getattr(values, key) is not None]
    if function is not None:
        return _function_trainer(function, settings, keys)
    if keys == ["trainer"]:
        assert values.trainer is not None
        if not _FUNCTION.fullmatch(values.trainer):
            takes = "module:function, both of Python"
            raise ArgumentError(f"{name}: trainer", got=values.trainer, takes=takes)
        call = (sys.executable, "-c", _CALL, *values.trainer.split(":"), *_CALL_VALUES)
        return CommandTrainer((TrainerCommand("trainer", call),), settings.folder)
    if keys != ["train", "generate"]:
        got = listed(keys) if keys else "none of them"
        takes = "train and generate, or trainer"
        remedy = "" if keys else "in Python, trainer may be a function given to hayflick.loop"
        raise ArgumentError(f"{name}: trainer", got=got, takes=takes, remedy=remedy)
    texts = {"train": values.train or "", "generate": values.generate or ""}
    commands = tuple(TrainerCommand.of(key, text, name=name) for key, text in texts.items())
    for command in commands:
        command.check_program(f"{name}: {command.key}", settings.folder)
    return CommandTrainer(commands, settings.folder)


def _function_trainer(
    function: TrainerFunction, settings: LocatedSettings, keys: list[str]
) -> FunctionTrainer:
    if not callable(function):
        takes = "a function of (data_path, n, out_path, seed)"
        raise ArgumentError("trainer", got=function, takes=takes)
    if keys:
        takes = "nothing beside a function that is given in Python"
        raise ArgumentError(f"{settings.name}: {keys[0]}", got=listed(keys), takes=takes)
    if settings.values.timeout is not None:
        takes = "nothing beside a function of Python, which cannot be ended"
        remedy = 'name it as trainer = "module:function", which runs in a process of its own'
        got = settings.values.timeout
        raise ArgumentError(f"{settings.name}: timeout", got=got, takes=takes, remedy=remedy)
    return FunctionTrainer(function)
