"""What an agent cannot get over by itself."""

from __future__ import annotations

from hayflick.core.errors import HayflickError


class EndpointError(HayflickError):
    """An endpoint refused, or went on failing after all retries.

    Attributes
    ----------
    agent, url : str
        Who asked, and where.

    Examples
    --------
    >>> print(EndpointError("it answers 404", agent="anna", url="http://127.0.0.1:8000/v1"))
    agent anna, http://127.0.0.1:8000/v1: it answers 404
    """

    def __init__(self, reason: str, *, agent: str, url: str) -> None:
        self.agent, self.url = agent, url
        super().__init__(f"agent {agent}, {url}: {reason}")


class BudgetExhausted(HayflickError):  # noqa: N818
    """The next request could exceed the budget, so it is not made."""
