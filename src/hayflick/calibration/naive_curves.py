"""The curves that one would draw through recorded shares without a model of the trainer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hayflick.calibration.record import Record
from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.protocols import Regime
from hayflick.laws.survival import survival
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False)
class NaiveCurve:
    """A curve through recorded shares, and how it did on the last recorded round.

    Parameters
    ----------
    name
        ``ideal law``, ``power law``, ``exponential`` or ``last value``.
    share
        In the rounds ahead, shape ``(rounds,)``; None where the curve has no reading.
    left_out_error
        Predicted less recorded share of the last recorded round, from the rounds before it; None
        where there is no reading.
    """

    name: str
    share: Floats | None
    left_out_error: float | None


def naive_curves(
    record: Record, *, ahead: int, regime: Regime | None, samples: int | None
) -> tuple[NaiveCurve, ...]:
    """Return the naive curves of a record."""
    last = record.transitions
    future = np.arange(last + 1.0, last + 1.0 + ahead)
    shorter = record.kept[:-1]
    law = _ideal(record, regime=regime, samples=samples, last=last + ahead)
    curves = [
        NaiveCurve(
            "ideal law",
            None if law is None else law[last + 1 :],
            None if law is None else float(law[last] - record.kept[-1]),
        )
    ]
    for name, curve in _CURVES.items():
        ahead_of, behind = curve(record.kept, future), curve(shorter, np.array([float(last)]))
        error = None if behind is None else float(behind[0] - record.kept[-1])
        curves.append(NaiveCurve(name, ahead_of, error))
    return tuple(curves)


def _ideal(
    record: Record, *, regime: Regime | None, samples: int | None, last: int
) -> Floats | None:
    """Return the ideal law from round 0 on; None for regimes without one."""
    model = Discrete(record.symbols, record.counts[0])
    size = int(record.sizes[-1]) if samples is None else samples
    mixed = _mixed(record) if regime is None else regime
    if mixed is None:
        return None
    return survival(model, generations=last, regime=mixed, samples=size).surviving_fraction


def _mixed(record: Record) -> Regime | None:
    """Return the regime of the last recorded round; None where no regime of one name is."""
    stored, fresh = bool(record.stored.any()), int(record.fresh[-1])
    if stored and fresh:
        return None
    if stored:
        held = np.flatnonzero(record.stored)
        return Anchor.from_mapping(
            {record.symbols[place]: int(record.stored[place]) for place in held}
        )
    return Fresh(share=fresh / int(record.sizes[-1])) if fresh else Replace()


def _power(kept: Floats, rounds: Floats) -> Floats | None:
    """Return (k + 1)^-a, a by least squares of the logarithms."""
    if (kept <= 0.0).any():
        return None
    logs = np.log(np.arange(1.0, kept.size + 1.0))
    exponent = float(logs @ np.log(kept)) / float(logs @ logs)
    share: Floats = (rounds + 1.0) ** exponent
    return share


def _exponential(kept: Floats, rounds: Floats) -> Floats | None:
    """Return the exponential through the last two rounds."""
    if kept[-2] <= 0.0:
        return None
    share: Floats = kept[-1] * (kept[-1] / kept[-2]) ** (rounds - kept.size + 1.0)
    return np.minimum(share, 1.0)


def _last(kept: Floats, rounds: Floats) -> Floats | None:
    return np.full(rounds.size, kept[-1])


_CURVES: dict[str, Callable[[Floats, Floats], Floats | None]] = {
    "power law": _power,
    "exponential": _exponential,
    "last value": _last,
}
