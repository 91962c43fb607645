"""How often a request is tried again, and after how long."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.checks import positive_number, whole_number

_MOST = 100


@dataclass(frozen=True, slots=True)
class Retries:
    """Waits that double, up to a longest one, each cut at random by up to a half.

    Parameters
    ----------
    most
        Times that a request is made again after it failed, 0 to 100.
    first_wait_s, longest_wait_s
        Seconds before the first retry, and before any; what an endpoint asks for by its
        Retry-After is waited out in full.
    longest_asked_s
        An endpoint that asks for more is given up.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> Retries().wait_s(3, random=0.0), Retries().wait_s(1, random=0.0, asked=30.0)
    (4.0, 30.0)
    """

    most: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0

    def __post_init__(self) -> None:
        whole_number("retries", self.most, at_least=0, at_most=_MOST)
        positive_number("first_wait_s", self.first_wait_s)
        positive_number("longest_wait_s", self.longest_wait_s)
        positive_number("longest_asked_s", self.longest_asked_s)

    def wait_s(self, attempt: int, *, random: float, asked: float | None = None) -> float | None:
        """Return the wait after a failed attempt, from 1, in seconds; None to give up.

        Parameters
        ----------
        attempt
            Number of the attempt that failed.
        random
            From 0 to 1: agents that failed together do not come back together.
        asked
            What the endpoint asks for.
        """
        if attempt > self.most or (asked or 0.0) > self.longest_asked_s:
            return None
        doubled = min(self.first_wait_s * 2.0 ** (attempt - 1), self.longest_wait_s)
        return max(doubled * (1.0 - random / 2.0), asked or 0.0)
