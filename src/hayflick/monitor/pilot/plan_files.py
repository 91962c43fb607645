"""Plan files of trials: JSON, written by the design and read by the analysis."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.provenance import provenance
from hayflick.monitor.pilot.pilot_design import Aim, PilotDesign
from hayflick.monitor.pilot.variation import Variation

FORMAT_VERSION = 1
_TAKES = "takes a plan that hayflick pilot wrote with --out"


def plan_text(trial: PilotDesign) -> str:
    """Return the content of a trial's plan file."""
    return json.dumps(plan_fields(trial), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def plan_fields(trial: PilotDesign) -> dict[str, Any]:
    """Return a trial as plain values, ready for JSON: each arm with the answers of its rounds.

    Examples
    --------
    >>> trial = PilotDesign(
    ...     arms=("a", "b"), rounds=2, answers=50, aim=Aim(effect=1.0), variation=Variation(sd=1.0)
    ... )
    >>> plan_fields(trial)["arms"][1]
    {'name': 'b', 'role': 'treatment', 'rounds': 2, 'answers_per_round': [50, 50]}
    """
    return {
        "format_version": FORMAT_VERSION,
        "arms": [_arm(name, trial) for name in trial.arms],
        "aim": asdict(trial.aim),
        "variation": asdict(trial.variation),
        "price": trial.price,
        "currency": trial.currency,
        "provenance": provenance({"command": "pilot", **plan_parameters(trial)}),
    }


def plan_parameters(trial: PilotDesign) -> dict[str, Any]:
    """Return what makes the trial again, in short."""
    return {
        "arms": list(trial.arms),
        "rounds": trial.rounds,
        "answers": trial.answers,
        "aim": asdict(trial.aim),
        "variation": asdict(trial.variation),
    }


def _arm(name: str, trial: PilotDesign) -> dict[str, Any]:
    return {
        "name": name,
        "role": "control" if name == trial.control else "treatment",
        "rounds": trial.rounds,
        "answers_per_round": None if trial.answers is None else [trial.answers] * trial.rounds,
    }


def read_plan(path: str | os.PathLike[str]) -> PilotDesign:
    """Read a trial's plan file.

    Raises
    ------
    DataError
        If the file is missing, no such plan, or was altered so that it is none any more.
    """
    path = Path(path)
    fields = _fields(path)
    version = fields.get("format_version")
    if version != FORMAT_VERSION:
        reads = f"this version reads {FORMAT_VERSION}"
        raise DataError(f"{path}: has format_version {version}, {reads}; {_TAKES}")
    try:
        return _design(fields)
    except ArgumentError as fault:
        raise DataError(f"{path}: {fault}") from None
    except (LookupError, TypeError, ValueError, AttributeError) as fault:
        raise DataError(f"{path}: is no plan of a trial ({fault!r}); {_TAKES}") from None


def _fields(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; {_TAKES}") from None
    except (OSError, UnicodeDecodeError, ValueError) as fault:
        raise DataError(f"{path}: cannot be read as JSON ({fault}); {_TAKES}") from None
    if not isinstance(fields, dict):
        raise DataError(f"{path}: is no JSON object; {_TAKES}")
    return fields


def _design(fields: Mapping[str, Any]) -> PilotDesign:
    arms = fields["arms"]
    # The control is compared with, wherever it stands.
    ordered = sorted(arms, key=lambda arm: arm["role"] != "control")
    if [arm["role"] for arm in ordered] != ["control", *["treatment"] * (len(arms) - 1)]:
        roles = ", ".join(str(arm["role"]) for arm in arms) or "nothing"
        raise ArgumentError("role", got=roles, takes="one control, and treatments")
    each = ordered[0]["answers_per_round"]
    return PilotDesign(
        arms=tuple(arm["name"] for arm in ordered),
        rounds=ordered[0]["rounds"],
        answers=None if each is None else each[0],
        aim=Aim(**fields["aim"]),
        variation=Variation(**fields["variation"]),
        price=fields["price"],
        currency=fields["currency"],
    )
