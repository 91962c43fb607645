"""Answers that are asked for side by side, and kept as they arrive."""

import asyncio

import pytest

from hayflick.core.errors import EndpointError
from hayflick.network.agents.protocol import Answer, AnswerSeed
from hayflick.network.rounds import Question, ask_all


class Waiting:
    """An agent that takes a while, one that fails among its answers, or none that waits."""

    def __init__(self, *, seconds=0.0, fails_at=None):
        self.seconds, self.fails_at = seconds, fails_at
        self.name, self.asked = "anna", []

    async def answer(self, query, context, *, seed):
        self.asked.append(seed.index)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if seed.index == self.fails_at:
            raise EndpointError("it answers 500", agent="anna", url="http://127.0.0.1")
        return Answer(f"{query} {seed.index}")


def asked(agent, *, answers, concurrency=4, store):
    questions = [
        Question(agent, "Why?", (), AnswerSeed(1, "anna", index=index)) for index in range(answers)
    ]
    asyncio.run(ask_all(questions, concurrency=concurrency, store=store))


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.02])
def test_every_answer_is_kept_once(seconds):
    kept = []
    asked(Waiting(seconds=seconds), answers=23, store=kept.extend)
    assert sorted(one.place for one in kept) == list(range(23))


def test_nobody_is_far_ahead_of_what_is_kept():
    ahead = []
    agent, kept = Waiting(), []

    def keep(answers):
        ahead.append(len(agent.asked) - len(kept))
        kept.extend(answers)

    asked(agent, answers=40, concurrency=3, store=keep)
    # One answer that waits to be kept and one behind it, of each of the three who ask.
    assert max(ahead) <= 6
    assert len(ahead) > 5


def test_answers_that_arrive_together_are_kept_together():
    sizes = []
    asked(Waiting(seconds=0.03), answers=8, store=lambda answers: sizes.append(len(answers)))
    assert sizes == [4, 4]


def test_after_a_failure_what_was_under_way_is_kept_and_nothing_more_is_asked():
    agent, kept = Waiting(seconds=0.02, fails_at=1), []
    with pytest.raises(EndpointError, match="anna"):
        asked(agent, answers=30, store=kept.extend)
    # The first answer arrived before the failure, and its place was taken.
    assert sorted(one.place for one in kept) == [0, 2, 3, 4]
    assert agent.asked == [0, 1, 2, 3, 4]


def test_where_nothing_can_be_kept_nothing_more_is_asked():
    agent = Waiting(seconds=0.001)

    def full(answers):
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        asked(agent, answers=100, store=full)
    assert len(agent.asked) <= 12


def test_what_could_not_be_kept_at_once_is_kept_at_the_end():
    agent, kept, times = Waiting(seconds=0.01), [], []

    def locked_once(answers):
        times.append(len(answers))
        if len(times) == 2:
            raise OSError("database is locked")
        kept.extend(answers)

    with pytest.raises(OSError, match="locked"):
        asked(agent, answers=100, store=locked_once)
    assert 4 < len(agent.asked) < 20
    assert sorted(one.place for one in kept) == agent.asked


def test_stopped_by_hand_what_has_arrived_is_kept():
    agent, kept = Waiting(seconds=0.05), []

    async def stopped():
        questions = [
            Question(agent, "Why?", (), AnswerSeed(1, "anna", index=index)) for index in range(9)
        ]
        asking = asyncio.ensure_future(ask_all(questions, concurrency=3, store=kept.extend))
        await asyncio.sleep(0.0525)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert len(kept) == 3

    asyncio.run(stopped())
