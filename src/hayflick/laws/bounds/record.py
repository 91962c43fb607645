"""What every bound returns."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.arrays import Floats


@dataclass(frozen=True, eq=False)
class Bounds:
    """Bounds by generation 0 … K; None on the side where there is none.

    A bound says how far off the truth can be, not where it is: where the law is known, plan
    with the law.

    Parameters
    ----------
    lower, upper
        Shape ``(K + 1,)``. Nothing has happened at generation 0, so both hold the known
        value there; the published statements are about k ≥ 1.

    Examples
    --------
    >>> Bounds(lower=None, upper=None)
    Bounds(lower=None, upper=None)
    """

    lower: Floats | None
    upper: Floats | None
