"""Read a study, of whatever kind it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from hayflick.core.documents import read_small_text
from hayflick.core.errors import ArgumentError
from hayflick.core.toml import parse_toml
from hayflick.sweeps.network_study import ExperimentStudy, NetworkStudy, TrainedNetworkStudy
from hayflick.sweeps.study import CellStudy, Study

StudyInput: TypeAlias = CellStudy | Mapping[str, Any] | str | os.PathLike[str]

_KINDS: Mapping[str, type[CellStudy]] = {
    "chain": Study,
    "network": NetworkStudy,
    "trained-network": TrainedNetworkStudy,
}


def study_of(values: Mapping[str, Any], *, name: str = "study", text: str = "") -> CellStudy:
    """Return the study of the values of a file, of the kind that they name.

    Parameters
    ----------
    values, name, text
        As of `CellStudy.of`.

    Raises
    ------
    ArgumentError
        As `CellStudy.of`, and if there is no such kind.

    Examples
    --------
    >>> type(study_of({"format_version": 1, "kind": "network", "agents": 3, "rounds": 4})).__name__
    'NetworkStudy'
    """
    if "experiment" in values:
        return ExperimentStudy.of(values, name=name, text=text)
    kind = values.get("kind", "chain")
    if not isinstance(kind, str) or kind not in _KINDS:
        takes = (
            "chain (a line of models; the default), network (agents that read one pool) or "
            "trained-network (models that are trained on one another's output)"
        )
        raise ArgumentError(f"{name}: kind", got=kind, takes=takes)
    if "kind" not in values and "agents" in values:
        remedy = 'add kind = "network"'
        raise ArgumentError(f"{name}: agents", got="a key of networks", takes="none", remedy=remedy)
    return _KINDS[kind].of(values, name=name, text=text)


def read_study(path: str | os.PathLike[str]) -> CellStudy:
    """Return the study of a TOML file.

    Raises
    ------
    DataError
        If the file cannot be read, or is no TOML.
    ArgumentError
        If a key or a value is not understood; its line is named.
    """
    text = read_small_text(path, what="a study (.toml)")
    name = str(Path(path))
    return study_of(parse_toml(text, name=name), name=name, text=text)


def study_in(study: StudyInput) -> tuple[CellStudy, Path]:
    """Return a study, read if it is a file, and the folder of the files that it names.

    Raises
    ------
    DataError, ArgumentError
        As `read_study`.
    """
    if isinstance(study, CellStudy):
        return study, Path()
    if isinstance(study, Mapping):
        return study_of(study), Path()
    if isinstance(study, str | os.PathLike):
        return read_study(study), Path(study).parent
    takes = "a study file (.toml), its values by key, or a hayflick.Study"
    raise ArgumentError("study", got=study, takes=takes)
