"""The budget of a run in tokens and money, shared by all its agents.

Before a request is made, the most that it can take is reserved: one token for every byte of the
prompt, an upper bound for any tokenizer of bytes, and all the tokens that it may write. If that
exceeds what is left beside the reservations of requests under way, it waits for those; if none is
under way, the budget is exhausted and the request is not made. A request that failed but may have
been charged for counts in full. What an endpoint claims beyond the budget is not counted: nothing
is left then, and no further request is made.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self, final

from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import BudgetExhausted

_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a million tokens; None if unknown.

    Examples
    --------
    >>> round(Prices(tokens_in=0.15, tokens_out=0.6).cost(tokens_in=1000, tokens_out=200), 9)
    0.00027
    """

    tokens_in: float | None = None
    tokens_out: float | None = None

    def __post_init__(self) -> None:
        for name, price in (("price_in", self.tokens_in), ("price_out", self.tokens_out)):
            if price is not None:
                number_between(name, price, low=0.0)

    def cost(self, *, tokens_in: int | None, tokens_out: int | None) -> float | None:
        """Return the cost of tokens; None if a price or a number is unknown."""
        if self.tokens_in is None or self.tokens_out is None:
            return None
        if tokens_in is None or tokens_out is None:
            return None
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / _MILLION


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens and money; unknown prices count as no money."""

    tokens: int = 0
    money: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(self.tokens + other.tokens, self.money + other.money)

    def __sub__(self, other: Spending) -> Spending:
        return Spending(self.tokens - other.tokens, self.money - other.money)


@final
class Budget:
    """The limits of a run's spending, and what was spent.

    Parameters
    ----------
    tokens, money
        Largest number of tokens, read and written, and amount of money; None for no limit.
    spent
        What was spent before, by the same run.

    Raises
    ------
    ArgumentError
        If a limit is negative.

    Examples
    --------
    >>> async def two_requests():
    ...     budget = Budget(tokens=100)
    ...     async with budget.reserve(Spending(90)) as first:
    ...         first.use(Spending(30))
    ...     async with budget.reserve(Spending(90)):
    ...         pass
    >>> asyncio.run(two_requests())
    Traceback (most recent call last):
    ...
    hayflick.core.errors.BudgetExhausted: the budget of 100 tokens is exhausted: 30 are
    spent, and the next request could take 90; raise the budget and resume the run
    """

    def __init__(
        self, *, tokens: int | None = None, money: float | None = None, spent: Spending = Spending()
    ) -> None:
        self.tokens = None if tokens is None else whole_number("tokens", tokens, at_least=0)
        self.money = None if money is None else number_between("money", money, low=0.0)
        self.spent = spent
        self._reserved = Spending()
        self._under_way = 0
        self._waiting: list[asyncio.Future[None]] = []

    def reserve(self, most: Spending) -> Reservation:
        """Reserve the most that a request can take, while it is under way.

        Raises
        ------
        BudgetExhausted
            On entering, if it does not fit, and no request under way can release enough.
        """
        return Reservation(self, most)

    async def _admit(self, most: Spending) -> None:
        while shortage := self._shortage(self._reserved, most):
            if not self._under_way or self._shortage(Spending(), most):
                raise BudgetExhausted(shortage)
            await self._wait_for_change()
        self._reserved += most
        self._under_way += 1

    def _settle(self, most: Spending, spent: Spending) -> None:
        self._under_way -= 1
        # Floating-point sums of money do not cancel exactly.
        self._reserved = self._reserved - most if self._under_way else Spending()
        self.spent = self._within(self.spent + spent)
        self._wake()

    def _within(self, total: Spending) -> Spending:
        """Return spending of no more than the budget, or than was spent before."""
        tokens, money = total.tokens, total.money
        if self.tokens is not None:
            tokens = min(tokens, max(self.tokens, self.spent.tokens))
        if self.money is not None:
            money = min(money, max(self.money, self.spent.money))
        return Spending(tokens, money)

    def _shortage(self, reserved: Spending, most: Spending) -> str:
        """Return why a request does not fit beside what is reserved; empty if it does."""
        after = self.spent + reserved + most
        remedy = "raise the budget and resume the run"
        if self.tokens is not None and after.tokens > self.tokens:
            spent = f"{self.spent.tokens:,} are spent, and the next request could take"
            budget = f"the budget of {self.tokens:,} tokens is exhausted"
            return f"{budget}: {spent} {most.tokens:,}; {remedy}"
        if self.money is not None and after.money > self.money:
            spent = f"{self.spent.money:.6g} is spent, and the next request could cost"
            return f"the budget of {self.money:g} is exhausted: {spent} {most.money:.6g}; {remedy}"
        return ""

    async def _wait_for_change(self) -> None:
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        await change

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            if not change.done():
                change.set_result(None)


@final
class Reservation:
    """What is reserved for one request; it counts in full unless its use is reported."""

    def __init__(self, budget: Budget, most: Spending) -> None:
        self._budget, self._most, self._spent = budget, most, most

    def use(self, spent: Spending) -> None:
        """Report what the request really took."""
        self._spent = spent

    async def __aenter__(self) -> Self:
        await self._budget._admit(self._most)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._budget._settle(self._most, self._spent)
