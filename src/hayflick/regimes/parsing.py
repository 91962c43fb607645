"""Regimes in the grammar of the command line."""

from __future__ import annotations

from collections.abc import Mapping

from hayflick.core.grammar import (
    Entry,
    number,
    parse,
    whole,
)
from hayflick.core.protocols import Regime
from hayflick.corpus.source import Source
from hayflick.regimes.accumulate import Accumulate, AccumulateSubsample
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace
from hayflick.regimes.scheduled import Scheduled
from hayflick.regimes.triggered import Threshold, Triggered


def regimes(like: Source) -> Mapping[str, Entry[Regime]]:
    """Return all regimes by name; files are read as the data `like` were."""
    return {
        "replace": Entry(Replace),
        "fresh": Entry(lambda share: Fresh(share=number("share", share)), ("share",)),
        "periodic": Entry(_periodic, ("share", "every")),
        "scheduled": Entry(lambda file: Scheduled.from_file(file), ("file",)),
        "anchor": Entry(lambda file: Anchor.from_file(file, like=like), ("file",)),
        "accumulate": Entry(Accumulate),
        "accumulate-subsample": Entry(AccumulateSubsample),
        "triggered": Entry(_triggered, ("below", "items"), ("metric",)),
    }


def _periodic(share: str, every: str) -> Periodic:
    return Periodic(share=number("share", share), every=whole("every", every))


def _triggered(below: str, items: str, metric: str = "surviving_fraction") -> Triggered:
    return Triggered(Threshold(number("below", below), whole("items", items), metric))


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
    return parse("regime", text, regimes(like))
