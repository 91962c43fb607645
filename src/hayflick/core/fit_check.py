"""A fit check: where data do not look like what they are taken for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hayflick.core.notes import Note

_VERBATIM = "{note}"


@dataclass(frozen=True, slots=True)
class FitCheck:
    """What was checked and found, what it means, and what to do.

    Parameters
    ----------
    name
        What was checked: ``skew``, ``tails``, ``bound``, ``heaps``, ``variance``, ``labels`` or
        ``missing``.
    column
        The column, or the input where there is none.
    statistic
        Name of the number that was measured; reports translate it.
    value
        The number.
    low, high
        Its 95 % interval; None where there is none.
    p
        Probability of so large a departure in data that fit; None where nothing is tested.
    others
        Further columns of which the same is true, less so.
    meaning, remedy
        A sentence each: what it means, and which option or change would fit.
    """

    name: str
    column: str
    statistic: str
    value: float
    meaning: Note
    remedy: Note
    low: float | None = None
    high: float | None = None
    p: float | None = None
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        others = f" So does {', '.join(self.others)}." if self.others else ""
        return f"{self.meaning}{others} {self.remedy}"

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain values, ready for JSON."""
        record = {one.name: getattr(self, one.name) for one in fields(self)}
        said = {"meaning": str(self.meaning), "remedy": str(self.remedy)}
        return {**record, **said, "others": list(self.others)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> FitCheck:
        """Return a check of which `to_dict` made plain values."""
        # The sentences stand as they are, braces and all.
        said = {name: Note(_VERBATIM, note=record[name]) for name in ("meaning", "remedy")}
        return cls(**{**record, **said, "others": tuple(record["others"])})
