"""Which of many groups' alarms to believe: the e-BH procedure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

KeyT = TypeVar("KeyT")


def e_bh(evidence: Mapping[KeyT, float], *, false_discoveries: float) -> frozenset[KeyT]:
    """Return the discoveries of the e-BH procedure.

    Parameters
    ----------
    evidence
        E-values of all streams, by name.
    false_discoveries
        False discovery rate q: the expected share of healthy streams among the discoveries.

    References
    ----------
    Wang and Ramdas, Journal of the Royal Statistical Society B 84 (2022), 822-852.

    Examples
    --------
    >>> sorted(e_bh({"a": 50.0, "b": 25.0, "c": 1.0, "d": 0.2}, false_discoveries=0.1))
    ['a', 'b']
    >>> sorted(e_bh({"a": 1.0, "b": 25.0, "c": 1.0, "d": 0.2}, false_discoveries=0.1))
    []
    """
    order = sorted(evidence, key=lambda name: -evidence[name])
    needed = len(order) / false_discoveries
    enough = [k for k, name in enumerate(order, start=1) if k * evidence[name] >= needed]
    return frozenset(order[: max(enough, default=0)])
