"""The TOML file of the service: its settings, streams, rules and alert targets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hayflick.core.display_text import display_text
from hayflick.core.documents import read_small_text
from hayflick.core.errors import DataError
from hayflick.core.toml import read_toml
from hayflick.service.settings import ServiceSettings

_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_SECRET = ("url", "secret")


def read_settings(
    path: str | os.PathLike[str], *, environment: Mapping[str, str] = os.environ
) -> ServiceSettings:
    """Return the settings of a TOML file.

    Its tables and keys are those of `hayflick.service.settings.ServiceSettings`. In the ``url`` and
    ``secret`` of a target, ``$NAME`` and ``${NAME}`` are read from the environment, so that the
    file can be under version control. A rule file is named by its path, seen from the file's
    folder, or is written out.

    Parameters
    ----------
    path
        The file.
    environment
        Values by name.

    Raises
    ------
    DataError
        If the file cannot be used; the message names the file and the key.
    """
    place = Path(path)
    found = read_toml(place, what="a settings file")
    targets = found.get("targets")
    for name, target in targets.items() if isinstance(targets, dict) else ():
        for key in _SECRET:
            if isinstance(target, dict) and isinstance(target.get(key), str):
                where = f"{place}: targets.{name}.{key}"
                target[key] = _filled(target[key], environment, where=where)
    rules = found.get("rules")
    if isinstance(rules, dict):
        found["rules"] = {name: _rules(value, place.parent) for name, value in rules.items()}
    try:
        return ServiceSettings.model_validate(found)
    except ValidationError as fault:
        raise DataError(f"{place}: {first_fault(fault)}") from None


def first_fault(fault: ValidationError) -> str:
    """Return what is wrong first, with the key that it is about; never a value of the file."""
    first = fault.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"] if not _is_branch(part))
    message = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] == "extra_forbidden":
        message = "there is no such key"
    return f"{display_text(where)}: {message}" if where else message


def _is_branch(part: object) -> bool:
    """Return whether a part of a place is none of the file's keys: pydantic names unions' kinds."""
    return isinstance(part, str) and ("[" in part or part in {"int", "str"})


def _filled(text: str, environment: Mapping[str, str], *, where: str) -> str:
    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in environment:
            raise DataError(f"{where}: the environment has no variable {name}; set it")
        return environment[name]

    return _VARIABLE.sub(value, text)


def _rules(value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or "\n" in value:
        return value
    return read_small_text(folder / value, what="a rules file")
