"""The file of a loop, ``trainer.toml``: which trainer learns from which data, how often."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hayflick.core.checks import LARGEST_NUMBER
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import ReactiveRegime, Regime
from hayflick.core.refusals import refusal
from hayflick.core.source import Source
from hayflick.core.toml import read_toml
from hayflick.regimes.regime import parse_regime

MOST_ROUNDS = 10_000
_LONGEST_S = 366 * 86_400.0

_Text = Annotated[str, Field(min_length=1)]
_MAY_CHANGE = {"rounds", "hours", "timeout", "keep_texts", "keep_models", "calibrate"}


class LoopSettings(BaseModel):
    """What a loop does; `docs/loop.md` explains every key.

    Examples
    --------
    >>> settings = LoopSettings.of({
    ...     "data": "real.txt", "rounds": 4,
    ...     "train": "python train.py {data} {model}",
    ...     "generate": "python sample.py {model} {n} {out} {seed}",
    ... })
    >>> settings.regime, settings.seed
    ('replace', 1)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    format_version: Literal[1] = 1
    data: _Text
    column: _Text | None = None
    encoding: _Text = "utf-8"
    tokenizer: _Text | None = None
    regime: _Text = "replace"
    rounds: int = Field(ge=1, le=MOST_ROUNDS)
    samples: int | None = Field(default=None, ge=1, le=LARGEST_NUMBER)
    seed: int = Field(default=1, ge=0, le=LARGEST_NUMBER)
    train: _Text | None = None
    generate: _Text | None = None
    trainer: _Text | None = None
    timeout: float | None = Field(default=None, gt=0, le=_LONGEST_S)
    hours: float | None = Field(default=None, gt=0, le=_LONGEST_S)
    keep_texts: bool = False
    keep_models: bool = False
    calibrate: bool = True

    @classmethod
    def of(cls, values: Mapping[str, Any], *, name: str = "settings") -> Self:
        """Return the settings of the values of a file.

        Parameters
        ----------
        values
            By key.
        name
            Name of the values in messages.

        Raises
        ------
        ArgumentError
            If a key is unknown (the nearest is offered) or missing, or a value is out of its
            range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as fault:
            raise refusal(name, fault, model=cls) from None

    def fixed(self) -> dict[str, Any]:
        """Return the settings that a run keeps from its first round to its last."""
        return self.model_dump(mode="json", exclude=_MAY_CHANGE)


Settings: TypeAlias = LoopSettings | Mapping[str, Any] | str | os.PathLike[str]
"""Settings, their values by key, or their file."""


@dataclass(frozen=True, slots=True)
class LocatedSettings:
    """The settings of a loop, and where they are.

    Parameters
    ----------
    values
        The settings.
    name
        Name of the settings in messages.
    folder
        Where files that they name are looked up, and commands run.
    file
        The file; None for settings that were given in Python.
    """

    values: LoopSettings
    name: str
    folder: Path
    file: Path | None = None

    @classmethod
    def of(cls, given: Settings, *, folder: str | os.PathLike[str] | None = None) -> Self:
        """Return settings, read if they are a file.

        Parameters
        ----------
        given
            The settings.
        folder
            Where files that they name are looked up; None for the folder of their file, or the
            present one.

        Raises
        ------
        DataError
            If the file cannot be read, or is no TOML.
        ArgumentError
            If a key or a value is not understood.
        """
        if isinstance(given, LoopSettings):
            return cls(given, "settings", Path(folder or Path()).resolve())
        if isinstance(given, Mapping):
            return cls(LoopSettings.of(given), "settings", Path(folder or Path()).resolve())
        if not isinstance(given, str | os.PathLike):
            takes = "a file such as trainer.toml, a mapping or a hayflick.LoopSettings"
            raise ArgumentError("settings", got=given, takes=takes)
        file = Path(given)
        values = read_toml(file, what="the settings of a loop (.toml)")
        settings = LoopSettings.of(values, name=str(file))
        return cls(settings, str(file), Path(folder or file.parent).resolve(), file)

    def run_folder(self, out: str | os.PathLike[str] | None) -> Path:
        """Return the folder of the run: the stated one, or one beside the file.

        Raises
        ------
        ArgumentError
            If none is stated for settings that were given in Python.
        """
        if out is not None:
            return Path(out)
        if self.file is None:
            raise ArgumentError("out", got=None, takes="a folder for the run")
        return self.file.with_name(f"{self.file.stem}-run")


_FILES = ("anchor", "scheduled")


def regime_of(values: LoopSettings, source: Source, folder: Path) -> Regime:
    """Return the regime; files are looked up in the folder of the settings.

    Raises
    ------
    ArgumentError
        If it is not understood, or depends on readings, which a loop has not.
    """
    file = regime_file(values, folder)
    text = values.regime if file is None else f"{values.regime.partition(':')[0]}:file={file}"
    regime = parse_regime(text, like=source)
    if isinstance(regime, ReactiveRegime) or values.regime.startswith("accumulate-subsample"):
        takes = "replace, fresh, periodic, scheduled, anchor or accumulate in a loop"
        raise ArgumentError("regime", got=values.regime, takes=takes)
    return regime


def regime_file(values: LoopSettings, folder: Path) -> Path | None:
    """Return the file that a regime names; None if it names none."""
    name, _, rest = values.regime.partition(":")
    if name not in _FILES or not rest or rest.lstrip().startswith("{"):
        return None
    path = folder / rest.removeprefix("file=")
    return path if path.exists() or name == "anchor" else None
