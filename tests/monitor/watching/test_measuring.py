"""Rounds are measured alike, however many are counted at once and whatever the threads."""

import polars as pl
import pytest
from threadpoolctl import threadpool_limits

import hayflick as hf


@pytest.fixture(scope="module")
def stream():
    words = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "saw", "two", "birds"]
    rows = [
        {"round": number, "text": " ".join(words[(number * place + k) % 11] for k in range(6))}
        for number in range(1, 31)
        for place in range(12)
    ]
    return pl.DataFrame(rows)


def values(stream):
    found = hf.watch(stream, text="text", by="round")
    return {group: [one.values for one in rounds] for group, rounds in found.readings.items()}


def test_rounds_counted_together_are_those_counted_alone(stream, monkeypatch):
    together = values(stream)
    monkeypatch.setattr("hayflick.monitor.measuring._COUNTED_TOGETHER", 1)
    assert values(stream) == together


def test_the_number_of_threads_changes_nothing(stream):
    with threadpool_limits(1):
        one = values(stream)
    with threadpool_limits(4):
        assert values(stream) == one
