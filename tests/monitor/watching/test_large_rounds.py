"""Large rounds are measured in other ways than small ones, to the same readings."""

import random

import hayflick as hf
from hayflick.diversity import observing
from hayflick.monitor import measuring


def _rows(*, rounds, each):
    draw = random.Random(3)
    words = [f"w{draw.randrange(10**6):x}" for _ in range(300)]
    for number in range(1, rounds + 1):
        for place in range(each):
            answer = " ".join(draw.choices(words, k=12)) if place else ""
            yield {"by": number, "text": answer, "model": "ab"[place % 2], "prompt": place % 5}


def _watched(rows, **columns):
    # Records compare by their spelling: arrays have no truth value.
    watched = hf.watch(rows, by="by", text="text", baseline=6, **columns)
    return repr(watched.readings), repr(watched.charts)


def test_rounds_that_are_counted_again_and_compressed_beside_have_the_same_readings(monkeypatch):
    rows = list(_rows(rounds=12, each=40))
    for columns in ({}, {"group": "model"}, {"group": "model", "prompt": "prompt"}):
        small = _watched(rows, **columns)
        with monkeypatch.context() as large:
            large.setattr(measuring, "_HELD", 90)
            large.setattr(observing, "_MANY", 10)
            assert _watched(rows, **columns) == small
