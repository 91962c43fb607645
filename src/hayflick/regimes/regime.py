"""Regimes by name: what the built-in ones share, and how a text is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

from typing_extensions import override

from hayflick.core.grammar import Entry, LazyEntries, Term, parse
from hayflick.core.protocols import Regime
from hayflick.core.source import Source

_REGIMES = {
    "replace": "replace:Replace",
    "fresh": "fresh:Fresh",
    "periodic": "periodic:Periodic",
    "scheduled": "scheduled:Scheduled",
    "anchor": "anchor:Anchor",
    "accumulate": "accumulate:Accumulate",
    "accumulate-subsample": "accumulate:AccumulateSubsample",
    "triggered": "triggered:Triggered",
}
"""Module and class of every regime that the command line knows, by its name there."""


class NamedRegime(Term, Regime):
    """Base of the regimes that the command line knows.

    A regime is a frozen dataclass with a ``name`` and a ``mix``. Its fields are the keys of the
    grammar. Under its name `hayflick.report.base_forecast` may have a sentence on it.
    """

    __slots__ = ()

    @property
    @override
    def constant(self) -> bool:
        return True

    @override
    def describe(self) -> str:
        return Term.describe(self)

    def numbers(self) -> Mapping[str, float]:
        """Return the numbers of the regime's sentence: counts as ``int``, shares as ``float``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]


def regimes(like: Source) -> Mapping[str, Entry[Regime]]:
    """Return all regimes by name; files are read as the data `like` were."""
    return LazyEntries(_REGIMES, lambda name: _load(name).entry(like))


def _load(name: str) -> Any:
    module, _, kind = _REGIMES[name].partition(":")
    return getattr(import_module(f"hayflick.regimes.{module}"), kind)


def parse_regime(text: str, *, like: Source) -> Regime:
    """Return the regime that `text` names; its files are read as the data `like` were.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is unknown; the message offers the nearest name.
    DataError
        If a file that it names cannot be read.

    Examples
    --------
    >>> parse_regime("fresh:0.05", like=Source("corpus.txt"))
    Fresh(share=0.05)
    """
    return parse("regime", text, regimes(like))
