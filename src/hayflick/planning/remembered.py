"""Results that are asked for again and again, such as the law of a design: the last are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_MOST = 64

_Value = TypeVar("_Value")


class Remembered(Generic[_Value]):
    """Keeps the last results by what they were asked for.

    Examples
    --------
    >>> squares = Remembered[int]()
    >>> squares.of(3, lambda: 9), squares.of(3, lambda: 1 // 0)
    (9, 9)
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, _Value] = {}

    def of(self, key: Hashable, compute: Callable[[], _Value]) -> _Value:
        """Return what is known for a key, or compute it."""
        if key not in self._known:
            found = compute()
            while len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[key] = found
        return self._known[key]
