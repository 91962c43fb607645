"""What of a must-keep list is still said."""

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity.retention import retention

SAID = hf.NgramCounts.of(["Ask for a refund, or a change of address.", "Closed on Monday"])


def test_words_and_phrases_by_hand():
    assert retention(SAID, must_keep=["refund", "invoice"]) == 0.5
    assert retention(SAID, must_keep=["Change of ADDRESS", "address of"]) == 0.5
    assert retention(SAID, must_keep=("monday",)) == 1.0
    assert retention(SAID, must_keep={"invoice"}) == 0.0
    assert retention(SAID, must_keep=["refund", "refund", "invoice"]) == 0.5


def test_phrases_do_not_reach_across_answers():
    assert retention(SAID, must_keep=["address closed"]) == 0.0


def test_weights_count():
    assert retention(SAID, must_keep={"refund": 3.0, "invoice": 1.0}) == 0.75
    assert retention(SAID, must_keep={"refund": 1.0, "invoice": 3.0}) == 0.25
    assert retention(SAID, must_keep={"refund": 0.0, "invoice": 2.0}) == 0.0


def test_undefined_is_never_zero():
    assert retention(SAID, must_keep=[]) is None
    assert retention(SAID, must_keep={"refund": 0.0}) is None
    assert retention(hf.NgramCounts.empty(), must_keep=["refund"]) is None


def test_more_answers_lose_nothing():
    listed = ["refund", "invoice", "monday"]
    before = retention(SAID, must_keep=listed)
    assert retention(SAID.merge(hf.NgramCounts.of(["The invoice"])), must_keep=listed) > before


def test_scripts_without_spaces():
    counts = hf.NgramCounts.of(["返品の手続き"], tokenizer="mixed")
    assert retention(counts, must_keep=["返品", "交換"]) == 0.5


def test_what_cannot_be_looked_for_is_refused():
    with pytest.raises(ArgumentError, match=r"'a change of address', 4 tokens, takes at most 3"):
        retention(SAID, must_keep=["refund", "a change of address"])
    longer = hf.NgramCounts.of(["a change of address"], longest=4)
    assert retention(longer, must_keep=["a change of address"]) == 1.0
    with pytest.raises(DataError, match=r"must-keep: no token in '\?!', ''; take them off"):
        retention(SAID, must_keep=["?!", "refund", ""])
    with pytest.raises(ArgumentError, match="weight of 'refund': got -1"):
        retention(SAID, must_keep={"refund": -1})
    with pytest.raises(ArgumentError, match="must_keep: got refund, takes several words"):
        retention(SAID, must_keep="refund")
