"""Stages in the grammar of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hayflick.chains.stages.degradation import (
    AdditiveNoise,
    Contamination,
    Degradation,
    GaussianContamination,
    LabelNoise,
)
from hayflick.chains.stages.record import Stages
from hayflick.chains.stages.rounding import Grid
from hayflick.chains.stages.samplers import Sampler, Temperature, TopK, TopP
from hayflick.chains.stages.selection import Interval, Quality, Selection, Verifier
from hayflick.core.errors import DataError
from hayflick.core.grammar import Entry, number, parse, whole

SAMPLERS: Mapping[str, Entry[Sampler]] = {
    "temperature": Entry(lambda value: Temperature(number("temperature", value)), ("value",)),
    "top-k": Entry(lambda k: TopK(whole("top-k", k)), ("k",)),
    "top-p": Entry(lambda p: TopP(number("top-p", p)), ("p",)),
}
DEGRADATIONS: Mapping[str, Entry[Degradation]] = {
    "label-noise": Entry(lambda rate: LabelNoise(number("rate", rate)), ("rate",)),
    "contamination": Entry(
        lambda share, file=None: Contamination(number("share", share), _weights(file)),
        ("share",),
        ("file",),
    ),
    "gaussian-contamination": Entry(
        lambda share, mean, deviation: GaussianContamination(
            number("share", share), number("mean", mean), number("deviation", deviation)
        ),
        ("share", "mean", "deviation"),
    ),
    "noise": Entry(lambda deviation: AdditiveNoise(number("deviation", deviation)), ("deviation",)),
}
SELECTIONS: Mapping[str, Entry[Selection]] = {
    "interval": Entry(
        lambda low, high, **rates: Interval(
            number("low", low), number("high", high), **_rates(**rates)
        ),
        ("low", "high"),
        ("true-accept", "false-accept"),
    ),
    "verifier": Entry(
        lambda file, **rates: Verifier(frozenset(_weights(file) or ()), **_rates(**rates)),
        ("file",),
        ("true-accept", "false-accept"),
    ),
    "quality": Entry(lambda file: Quality(_weights(file) or {}), ("file",)),
}
GRIDS: Mapping[str, Entry[Grid]] = {
    "step": Entry(lambda step: Grid(step=number("step", step)), ("step",)),
    "bits": Entry(lambda bits: Grid(bits=whole("bits", bits)), ("bits",)),
}


def parse_stages(
    *,
    sampler: str | None = None,
    degradation: str | None = None,
    selection: str | None = None,
    real_weight: float = 1.0,
    rounding: str | None = None,
) -> Stages:
    """Return stages from their texts; what is None is absent.

    Raises
    ------
    ArgumentError
        If a text is not understood, or a value out of its range.
    DataError
        If a file that a text names cannot be read.

    Examples
    --------
    >>> parse_stages(sampler="top-k:40", rounding="bits:8").describe()
    {'sampler': 'top-k:40', 'rounding': 'bits:8'}
    """
    return Stages(
        sampler=None if sampler is None else parse("sampler", sampler, SAMPLERS),
        degradation=None if degradation is None else parse("degrade", degradation, DEGRADATIONS),
        selection=None if selection is None else parse("select", selection, SELECTIONS),
        real_weight=real_weight,
        rounding=None if rounding is None else parse("round", rounding, GRIDS),
    )


def _rates(true_accept: str = "1", false_accept: str = "0") -> dict[str, float]:
    return {
        "true_accept": number("true-accept", true_accept),
        "false_accept": number("false-accept", false_accept),
    }


def _weights(file: str | None) -> dict[str, float] | None:
    """Return a JSON object of symbol: weight."""
    if file is None:
        return None
    try:
        read: Any = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise DataError(f"{file}: cannot be read as JSON ({fault})") from None
    good = isinstance(read, dict) and all(isinstance(v, int | float) for v in read.values())
    if not good or not read:
        raise DataError(f"{file}: takes a JSON object of symbol: weight")
    return {str(symbol): float(weight) for symbol, weight in read.items()}
