"""The share of synthetic texts by a detector's rates of error: by hand, and its coverage."""

import numpy as np
import pytest

from hayflick.auditing.synthetic_share import (
    ConfusionCounts,
    SampleMean,
    detector_share,
    mixture_interval,
    rogan_gladen,
)
from hayflick.core.errors import ArgumentError, DataError

KNOWN = ConfusionCounts(900, 100, 50, 950)


def test_the_formula_by_hand():
    found = rogan_gladen(300, 1000, confusion=KNOWN)
    # (0.3 + 0.95 - 1) / (0.9 + 0.95 - 1)
    assert found.value == pytest.approx(0.25 / 0.85)
    assert found.low < found.value < found.high
    assert found.uncorrected == 0.3


@pytest.mark.parametrize("known", [(90, 10, 5, 95), (400, 100, 100, 400), (30, 0, 0, 30)])
def test_the_interval_holds_its_coverage(known):
    rng = np.random.default_rng(3)
    sensitivity, false_rate = known[0] / (known[0] + known[1]), known[2] / (known[2] + known[3])
    generated, human = known[0] + known[1], known[2] + known[3]
    held = total = 0
    for share in (0.0, 0.1, 0.5, 0.9):
        rate = (1 - share) * false_rate + share * sensitivity
        for _ in range(300):
            right, wrong = rng.binomial(generated, sensitivity), rng.binomial(human, false_rate)
            drawn = ConfusionCounts(int(right), generated - right, int(wrong), human - wrong)
            found = rogan_gladen(rng.binomial(2000, rate), 2000, confusion=drawn)
            held += found.low <= share <= found.high
            total += 1
    assert held / total >= 0.935


@pytest.mark.parametrize("positives", [0, 1000])
def test_rates_that_do_not_hold_give_no_share(positives):
    found = rogan_gladen(positives, 1000, confusion=KNOWN)
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)
    assert "they do not hold here" in str(found.notes[0])


def test_a_positive_rate_that_is_by_chance_below_that_of_human_texts_has_an_interval():
    # 3.2 % where 5 % of human texts are called generated: 2.5 standard errors.
    found = rogan_gladen(32, 1000, confusion=KNOWN)
    assert found.value == found.low == 0.0
    assert 0.0 < found.high < 0.03
    assert found.notes == ()


def test_a_detector_that_cannot_tell_gives_no_share():
    found = rogan_gladen(50, 100, confusion=ConfusionCounts(50, 50, 50, 50))
    assert (found.value, found.low, found.high) == (None, 0.0, 1.0)
    assert "too alike" in str(found.notes[0])


def test_scores_at_the_threshold_count_and_missing_ones_do_not():
    found = detector_share([0.5, 0.4, None, float("nan")], threshold=0.5, confusion=KNOWN)
    assert (found.texts, found.uncorrected) == (2, 0.5)
    assert "2 texts without a score" in str(found.notes[0])


@pytest.mark.parametrize("scores", [[], [None], ["high"], [[1.0], [2.0, 3.0]]])
def test_no_usable_score_is_refused(scores):
    with pytest.raises(DataError, match="scores: "):
        detector_share(scores, threshold=0.5, confusion=KNOWN)


@pytest.mark.parametrize(
    ("counts", "named"),
    [((0, 0, 1, 1), "generated"), ((1, 1, 0, 0), "human"), ((-1, 1, 1, 1), "true_positives")],
)
def test_impossible_counts_are_refused(counts, named):
    with pytest.raises(ArgumentError, match=named):
        ConfusionCounts(*counts)


def test_references_that_do_not_differ_say_nothing():
    same = SampleMean.of_proportion(50, 100)
    assert mixture_interval(same, same, same, z=1.96) is None


def test_more_confidence_is_a_wider_interval():
    narrow, wide = (
        rogan_gladen(300, 1000, confusion=KNOWN, confidence=confidence)
        for confidence in (0.9, 0.99)
    )
    assert wide.low < narrow.low < narrow.high < wide.high
