import asyncio

import pytest

from hayflick.core.errors import ArgumentError, BudgetExhausted
from hayflick.network.agents.budget import Budget, Prices, Spending


async def spend(budget, most, used, seconds=0.0):
    async with budget.reserve(Spending(most)) as reserved:
        await asyncio.sleep(seconds)
        if used is not None:
            reserved.use(Spending(used))


def test_costs_by_hand():
    prices = Prices(tokens_in=2.0, tokens_out=8.0)
    assert prices.cost(tokens_in=1000, tokens_out=500) == pytest.approx(0.006)
    assert prices.cost(tokens_in=0, tokens_out=500) == pytest.approx(0.004)
    assert prices.cost(tokens_in=None, tokens_out=500) is None
    assert Prices(tokens_in=2.0).cost(tokens_in=1, tokens_out=1) is None
    assert Prices(0.0, 0.0).cost(tokens_in=1, tokens_out=1) == 0.0


def test_a_request_that_failed_counts_with_all_that_was_set_aside():
    budget = Budget(tokens=100)
    asyncio.run(spend(budget, 40, None))
    asyncio.run(spend(budget, 40, 0))
    assert budget.spent == Spending(40)

    async def broken():
        async with budget.reserve(Spending(30)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(broken())
    assert budget.spent == Spending(70)
    with pytest.raises(BudgetExhausted, match=r"100 tokens is exhausted: 70 are spent.*take 40"):
        asyncio.run(spend(budget, 40, 0))
    asyncio.run(spend(budget, 30, 30))
    assert budget.spent == Spending(100)


def test_requests_under_way_are_waited_for_where_they_may_give_something_back():
    budget = Budget(tokens=100)

    async def three():
        await asyncio.gather(*(spend(budget, 60, 20, seconds=0.01) for _ in range(3)))

    asyncio.run(three())
    assert budget.spent == Spending(60)


def test_a_request_that_can_never_fit_does_not_wait():
    budget = Budget(tokens=100)

    async def two():
        first = asyncio.create_task(spend(budget, 60, 0, seconds=0.05))
        await asyncio.sleep(0)
        with pytest.raises(BudgetExhausted):
            await spend(budget, 101, 0)
        assert not first.done()
        await first

    asyncio.run(two())


def test_a_waiting_request_that_is_cancelled_leaves_no_trace():
    budget = Budget(tokens=100)

    async def two():
        first = asyncio.create_task(spend(budget, 60, 10, seconds=0.02))
        second = asyncio.create_task(spend(budget, 60, 10))
        await asyncio.sleep(0.005)
        second.cancel()
        await first
        await spend(budget, 90, 90)

    asyncio.run(two())
    assert budget.spent == Spending(100)


def test_money_and_tokens_both_bind():
    for budget in (Budget(tokens=50), Budget(money=0.5), Budget(tokens=50, money=9.0)):
        asyncio.run(reserve(budget, Spending(50, 0.5)))
        with pytest.raises(BudgetExhausted):
            asyncio.run(reserve(budget, Spending(1, 0.01)))
    asyncio.run(reserve(Budget(), Spending(10**9, 10.0**9)))


async def reserve(budget, most):
    async with budget.reserve(most):
        pass


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Budget(tokens=-1), "tokens: got -1"),
        (lambda: Budget(money=-0.1), "money: got -0.1"),
        (lambda: Prices(tokens_in=-1.0), "price_in: got -1"),
        (lambda: Prices(tokens_out=float("nan")), "price_out: got nan"),
    ],
)
def test_limits_and_prices_are_checked(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
