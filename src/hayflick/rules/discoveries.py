r"""Many streams at once: which alarms to believe, by e-BH.

Stream i has the evidence e_i, an e-value: where the stream is healthy, its mean is at most 1,
at any time at which one looks. With K streams and the evidences in descending order,

.. math:: k^* = \max\{k : e_{(k)} \ge K / (q k)\}

the k* streams of the largest evidence are believed. The expected share of healthy streams
among them is at most q, however the streams depend on one another.

References
----------
Wang & Ramdas, *False discovery rate control with e-values*, JRSS B 84 (2022), 822-852,
arXiv:2009.02824, theorem 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

KeyT = TypeVar("KeyT")


def discoveries(evidence: Mapping[KeyT, float], *, false_discoveries: float) -> frozenset[KeyT]:
    """Return the streams whose alarm is believed.

    Parameters
    ----------
    evidence
        The e-value of every stream, healthy or not, by name.
    false_discoveries
        q, the expected share of healthy streams among those that are returned.

    Examples
    --------
    >>> sorted(discoveries({"a": 50.0, "b": 25.0, "c": 1.0, "d": 0.2}, false_discoveries=0.1))
    ['a', 'b']
    >>> sorted(discoveries({"a": 1.0, "b": 25.0, "c": 1.0, "d": 0.2}, false_discoveries=0.1))
    []
    """
    order = sorted(evidence, key=lambda name: -evidence[name])
    needed = len(order) / false_discoveries
    enough = [k for k, name in enumerate(order, start=1) if k * evidence[name] >= needed]
    return frozenset(order[: max(enough, default=0)])
