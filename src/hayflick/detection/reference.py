"""What the readings of a classical chart are compared with: frozen, or adaptive.

A frozen reference stays what the baseline said: it finds slow drift,
and alarms on learning. An adaptive one takes up every reading that gives no alarm, with
the weight 1/(n + 1) for a baseline of n readings, and forgets as much: it follows learning, and
misses slow drift.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

KINDS = ("frozen", "adaptive")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a reading is compared with.

    Parameters
    ----------
    mean, deviation
        Of healthy readings.
    readings
        How many of them the baseline had.

    Examples
    --------
    >>> start = Reference(10.0, 2.0, readings=99)
    >>> start.standardised(7.0), round(start.with_reading(7.0).mean, 2)
    (-1.5, 9.97)
    """

    mean: float
    deviation: float
    readings: int

    def standardised(self, value: float) -> float:
        """Return a reading in standard deviations from the mean."""
        return (value - self.mean) / self.deviation

    def with_reading(self, value: float) -> Reference:
        """Return the reference that has taken up one more reading."""
        weight = 1.0 / (self.readings + 1)
        gap = value - self.mean
        variance = (1.0 - weight) * (self.deviation**2 + weight * gap**2)
        return replace(self, mean=self.mean + weight * gap, deviation=math.sqrt(variance))
