"""Evaluation items in a data set, against sets of runs in Python."""

import random

import numpy as np
import pytest

from hayflick.auditing import dataset as module
from hayflick.auditing.leakage import find_leakage
from hayflick.core.errors import ArgumentError, DataError

DRAW = random.Random(1)
WORDS = [f"w{number}" for number in range(400)]


def sentences(number, length):
    return [" ".join(DRAW.choices(WORDS, k=length)) for _ in range(number)]


def runs(text, length):
    words = text.split()
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


@pytest.mark.parametrize("length", [2, 8])
def test_the_shares_are_those_of_sets_of_runs(length, monkeypatch):
    monkeypatch.setattr(module, "_TEXTS_AT_ONCE", 7)
    items = sentences(30, 20)
    texts = sentences(60, 50)
    for place, item in enumerate(items[:15]):
        words = item.split()[: 6 + place]
        texts[place] = " ".join(["x", *words, "y"])
    found = find_leakage(texts, items, length=length)
    having = set().union(*(runs(text, length) for text in texts))
    for share, item in zip(found.shares, items, strict=True):
        own = runs(item, length)
        assert share == pytest.approx(len(own & having) / len(own))
    np.testing.assert_array_equal(found.leaked, found.shares >= 0.5)
    assert found.share == np.mean(found.leaked)


def test_a_leaked_item_is_named_with_its_row():
    items, texts = sentences(10, 20), sentences(100, 40)
    texts[70] += " " + items[3].upper()
    texts[80] += " " + items[3]
    found = find_leakage(texts, items)
    [leaked] = found.examples
    assert (leaked.item, leaked.row, leaked.share) == (3, 70, 1.0)
    assert leaked.text == items[3]
    assert found.share == 0.1


def test_one_run_suffices_without_a_threshold():
    item = " ".join(WORDS[:30])
    text = " ".join(["x", *WORDS[5:13], "y"])
    assert not find_leakage([text], [item]).leaked.any()
    found = find_leakage([text], [item], threshold=0)
    assert found.leaked.all()
    assert found.shares[0] == pytest.approx(1 / 23)
    assert not find_leakage(["something else"], [item], threshold=0).leaked.any()


def test_short_items_are_compared_with_whole_rows():
    texts = ["the cat sat on the mat and slept there", "Who is it?"]
    found = find_leakage(texts, ["who is it", "the cat", "", None, "!!!"])
    assert found.too_short == 5
    assert found.shares[0] == 1.0
    assert np.isnan(found.shares[1:]).all()
    assert found.leaked.tolist() == [True, False, False, False, False]
    assert find_leakage(texts, ["", None]).share is None


def test_scripts_without_spaces():
    item = "水は低いところへ流れ、山は高いところに残る"
    texts = [f"問題：{item}。答えは次のとおり。", "関係のない文章がここにあります"]
    found = find_leakage(texts, [item, "まったく別の質問をここに書いておきます"])
    assert found.leaked.tolist() == [True, False]


def test_blank_rows_hold_nothing():
    found = find_leakage([None, ""], sentences(2, 20))
    assert found.shares.tolist() == [0.0, 0.0]
    assert found.share == 0.0


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"length": 0}, "length"),
        ({"threshold": 1.5}, "threshold"),
        ({"listed": -1}, "listed"),
        ({"tokenizer": "letters"}, "tokenizer"),
        ({"normalize": "lower"}, "normalize"),
    ],
)
def test_settings_out_of_range_are_refused(setting, named):
    with pytest.raises(ArgumentError, match=named):
        find_leakage(["a b"], ["c d"], **setting)


@pytest.mark.parametrize(("texts", "items"), [([], ["a"]), (["a"], []), (["a"], [1])])
def test_no_texts_are_refused(texts, items):
    with pytest.raises(DataError, match="texts: " if not texts else "evaluation: "):
        find_leakage(texts, items)


def test_progress_ends():
    told = []
    find_leakage(sentences(3, 10), sentences(2, 10), progress=lambda *stage: told.append(stage))
    assert told[-1] == ("searching the data set", 3, 3)
