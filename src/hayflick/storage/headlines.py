"""What the overview says of a stream: one number, how it has changed, and its line."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

LONGEST_LINE = 60
"""Readings that a headline carries."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """The number of a stream that lost most, or that comes first where none did.

    Parameters
    ----------
    metric, group
        The number; an empty group is all answers together.
    loss
        Share of its baseline that it lost, negative for a gain; None before there is a baseline.
    before, now
        Its median in the baseline, and its last readings' median; None without either.
    since
        Name of the round in which its change began; None without an alarm.
    line
        Its last readings, `LONGEST_LINE` at most; None for a round without one.
    baseline
        How many of them, from the first on, belong to the baseline.
    """

    metric: str
    group: str = ""
    loss: float | None = None
    before: float | None = None
    now: float | None = None
    since: str | None = None
    line: Sequence[float | None] = ()
    baseline: int = 0

    def text(self) -> str:
        """Return it as it is stored.

        Examples
        --------
        >>> one = Headline(metric="spread", loss=0.25, line=(1.0, None, 0.75))
        >>> Headline.of(one.text()) == one
        True
        """
        row = {name: _plain(value) for name, value in asdict(self).items()}
        return json.dumps({**row, "line": [_plain(one) for one in self.line]}, allow_nan=False)

    @classmethod
    def of(cls, text: str) -> Headline:
        """Return what was stored."""
        row = json.loads(text)
        return cls(**{**row, "line": tuple(row["line"])})


def _plain(value: object) -> object:
    """Return a value that JSON can hold: a number that is not finite is none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
