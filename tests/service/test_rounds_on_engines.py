"""Rounds are measured once, and as `watch` does, on each engine and by two processes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from watched_stream import HOUR, answers, stored, watching

from hayflick.service.round_keeper import RoundKeeper


@pytest.fixture
def watch(database):
    """Make services over one store, which end with the test."""
    yield from watching(database)


def test_rounds_and_windows_are_those_of_watch(database, watch):
    watched = watch(every="1h", baseline=4, review=2)
    for part in range(9):
        if part != 6:
            watched.send(answers(part, 20, group=f"g{part % 2}", prompt="why?"))
        watched.now += HOUR
        watched.work()
    watched.send(answers(9, 5))
    assert watched.row.measured_round == 9
    assert len(stored(database, "reviews")) == 16
    watched.check()


def test_processes_that_keep_the_same_rounds_measure_each_once(watch):
    watched = watch(every=20, baseline=3)
    keepers = [watched.keeper, RoundKeeper(watched.service)]
    for part in range(12):
        watched.send(answers(part, 20), work=False)
        with ThreadPoolExecutor(2) as pool:
            measured = list(pool.map(RoundKeeper.work, keepers))
        assert sum(measured) == (0 if part < 2 else 3 if part == 2 else 1)
    watched.check()
