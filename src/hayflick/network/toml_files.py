"""Files in TOML, and what is said of a key or a value that is not understood."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hayflick.core.errors import ArgumentError, DataError


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the values of a TOML file.

    Raises
    ------
    DataError
        If it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise DataError(f"{path}: is no TOML: {fault}") from None
    except RecursionError:
        raise DataError(f"{path}: is nested too deep") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise DataError(f"{path}: cannot be read as UTF-8 text ({fault})") from None


def refusal(name: str, fault: ValidationError, *, model: type[BaseModel]) -> ArgumentError:
    """Return the error of values that a model refused, by file and key.

    Parameters
    ----------
    name
        What the values are called.
    fault
        What the model said.
    model
        The model, whose keys are offered for one that is not known.
    """
    faults = fault.errors(include_url=False, include_context=False)
    # A key that is misspelt is missing too.
    first = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    place: Sequence[int | str] = first["loc"]
    key = ".".join(str(part + 1 if isinstance(part, int) else part) for part in place)
    where = f"{name}: {key}" if key else name
    if first["type"] == "extra_forbidden":
        known = list(_section(model, place[:-1]).model_fields)
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        remedy = f"did you mean {near[0]}?" if near else ""
        return ArgumentError(where, got="an unknown key", takes=", ".join(known), remedy=remedy)
    if first["type"] == "missing":
        return ArgumentError(where, got="nothing", takes="a value")
    shown = "another" if isinstance(first["input"], Mapping | BaseModel) else first["input"]
    takes = first["msg"].removeprefix("Value error, ")
    if first["type"] != "value_error":
        takes = f"a value of its kind: {takes[0].lower()}{takes[1:]}"
    return ArgumentError(where, got=shown, takes=takes)


def _section(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    """Return the model of the section that a place leads to."""
    for key in place:
        if isinstance(key, str):
            kind = model.model_fields[key].annotation
            model = next(one for one in (kind, *get_args(kind)) if _is_model(one))
    return model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
