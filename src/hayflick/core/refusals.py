"""What pydantic refuses in a user's file, as an error that names the file and the key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from hayflick.core.errors import ArgumentError


def refusal(name: str, fault: ValidationError, *, model: type[BaseModel]) -> ArgumentError:
    """Return the error for values that a model refused, with the file and the key.

    Parameters
    ----------
    name
        Name of the values in messages.
    fault
        The model's own error.
    model
        The model, whose keys are offered for an unknown one.
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
