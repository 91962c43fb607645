"""Regimes in the grammar of the command line: ``name`` or ``name:key=value,…``.

A value without a key belongs to the regime's first key: ``fresh:0.05`` is short for
``fresh:share=0.05``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.corpus.source import Source
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, slots=True)
class _Entry:
    """A regime's keys in order, all of them required, and how it is made from them."""

    keys: tuple[str, ...]
    make: Callable[[dict[str, str], Source], Regime]


def _number(argument: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(argument, got=text, takes="a number") from None


_REGIMES = {
    "replace": _Entry((), lambda options, like: Replace()),  # noqa: ARG005
    "fresh": _Entry(
        ("share",),
        lambda options, like: Fresh(share=_number("share", options["share"])),  # noqa: ARG005
    ),
    "anchor": _Entry(
        ("file",),
        lambda options, like: Anchor.from_file(options["file"], like=like),
    ),
}


def parse_regime(text: str, *, like: Source) -> Regime:
    """Return the regime that `text` names; its files are read as the data `like` were.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is not understood; the nearest name is offered.
    DataError
        If a file that it names cannot be read.

    Examples
    --------
    >>> parse_regime("fresh:0.05", like=Source("corpus.txt"))
    Fresh(share=0.05)
    """
    name, _, rest = text.partition(":")
    if name not in _REGIMES:
        near = difflib.get_close_matches(name, _REGIMES, n=1)
        remedy = f"did you mean {near[0]}?" if near else ""
        takes = f"one of {', '.join(map(_usage, _REGIMES))}"
        raise ArgumentError("regime", got=text, takes=takes, remedy=remedy)
    entry = _REGIMES[name]
    options = _options(text, rest, entry.keys)
    return entry.make(options, like)


def _usage(name: str) -> str:
    keys = _REGIMES[name].keys
    return f"{name}:{','.join(f'{key}={key.upper()}' for key in keys)}" if keys else name


def _options(text: str, rest: str, keys: tuple[str, ...]) -> dict[str, str]:
    takes = _usage(text.partition(":")[0])
    # A single value may hold commas and equals signs, as file names do.
    parts = [rest] if len(keys) == 1 else rest.split(",")
    options: dict[str, str] = {}
    for place, part in enumerate(filter(None, parts)):
        key, _, value = part.partition("=")
        if key not in keys and place == 0 and keys:
            key, value = keys[0], part
        if key not in keys or key in options or not value:
            raise ArgumentError("regime", got=text, takes=takes)
        options[key] = value
    if set(options) != set(keys):
        raise ArgumentError("regime", got=text, takes=takes)
    return options
