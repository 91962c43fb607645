import collections

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.answers import Answers
from hayflick.monitor.review_sample import allocate

SIZES = {"a": 70, "b": 25, "c": 4, "d": 1}
GROUPS = [name for name, size in SIZES.items() for _ in range(size)]


def answers(**columns):
    total = len(next(iter(columns.values())))
    frame = {"row": range(1, total + 1), "round": [1] * total, **columns}
    return Answers("talk.csv", ("one",), pl.DataFrame(frame))


TALK = answers(text=[f"answer {k}" for k in range(100)], group=GROUPS)


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
@pytest.mark.parametrize("number", [4, 5, 20, 99, 100])
def test_every_group_is_drawn_and_weights_add_up_to_all(number, allocation):
    sample = hf.draw_review(TALK, number=number, seed=1, allocation=allocation)
    drawn = collections.Counter(one.group for one in sample.drawn)
    assert sum(drawn.values()) == number == len({one.id for one in sample.drawn})
    assert set(drawn) == set(SIZES)
    weights = collections.defaultdict(float)
    for one in sample.drawn:
        assert one.answer == f"answer {one.id - 1}"
        weights[one.group] += one.weight
    assert weights == pytest.approx(SIZES)


def test_allocations_differ():
    def drawn(allocation):
        sample = hf.draw_review(TALK, number=20, seed=1, allocation=allocation)
        return collections.Counter(one.group for one in sample.drawn)

    assert drawn("proportional") == {"a": 13, "b": 5, "c": 1, "d": 1}
    assert drawn("equal") == {"a": 8, "b": 7, "c": 4, "d": 1}


def test_shares_are_divided_as_seats():
    sizes = np.array([53, 24, 23])
    assert allocate(7, sizes=sizes, shares=sizes / 100).tolist() == [3, 2, 2]
    assert allocate(3, sizes=np.array([100, 1, 1]), shares=np.ones(3)).tolist() == [1, 1, 1]


def test_the_seed_decides():
    def drawn(seed):
        return [one.id for one in hf.draw_review(TALK, number=20, seed=seed).drawn]

    assert drawn(1) == drawn(1) != drawn(2)


def test_every_answer_of_a_group_is_as_likely():
    counts = np.zeros(70)
    for seed in range(400):
        for one in hf.draw_review(TALK, number=20, seed=seed).drawn:
            if one.group == "a":
                counts[one.id - 1] += 1
    share = 13 / 70
    assert np.abs(counts / 400 - share).max() < 4.5 * np.sqrt(share * (1 - share) / 400)


def test_a_beginning_holds_the_groups_in_proportion():
    sample = hf.draw_review(
        answers(text=["x"] * 90, group=["a"] * 60 + ["b"] * 30), number=30, seed=2
    )
    begun = collections.Counter(one.group for one in sample.drawn[:15])
    assert abs(begun["a"] - 10) <= 1


def test_too_few_for_all_groups_are_drawn_from_all_as_one():
    sample = hf.draw_review(TALK, number=3, seed=1)
    assert sample.strata == {"": 100}
    assert {one.weight for one in sample.drawn} == {100 / 3}
    assert all(one.group for one in sample.drawn)
    assert hf.draw_review(answers(text=["x", None, "y"]), number=2, seed=1).strata == {"": 2}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"number": 0}, "number: got 0, takes a whole number from 1 to 100"),
        ({"number": 101}, "number: got 101, takes a whole number from 1 to 100"),
        ({"number": 5, "seed": -1}, "seed: got -1"),
        ({"number": 5, "allocation": "optimal"}, "takes one of proportional, equal"),
    ],
)
def test_a_mistake_is_named(settings, message):
    with pytest.raises(ArgumentError, match=message):
        hf.draw_review(TALK, **{"seed": 1, **settings})


def test_answers_need_a_text():
    with pytest.raises(DataError, match=r"talk.csv: was read without a text; name its column"):
        hf.draw_review(answers(group=["a"]), number=1, seed=1)
    with pytest.raises(DataError, match="holds no answer with a text"):
        hf.draw_review(answers(text=pl.Series([None], dtype=pl.String)), number=1, seed=1)
