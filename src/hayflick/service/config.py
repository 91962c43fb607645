"""The TOML file of the service: its settings, streams, rules and alert targets."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hayflick.core.documents import read_small_text
from hayflick.core.errors import DataError
from hayflick.core.toml import read_toml
from hayflick.service.problems import first_fault
from hayflick.service.settings import ServiceSettings
from hayflick.service.stream_settings import StreamSettings

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
        known = [*ServiceSettings.model_fields, *StreamSettings.model_fields]
        raise DataError(f"{place}: {first_fault(fault.errors(), known=known)}") from None


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
