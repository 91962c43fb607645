"""Phrases that came or went: by hand, in any script, and with few false finds."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus import tokenizers as counting
from hayflick.diversity.phrases import PhraseCounts, templates


def counted(phrase, *, having, of):
    return PhraseCounts.of([phrase] * having + ["other"] * (of - having))


def test_a_phrase_counts_once_per_answer():
    counts = PhraseCounts.of(["no no no no", "no no", "yes"])
    assert counts.texts == 3
    assert dict(counts.table.iter_rows()) == {"no no": 2, "no no no": 1, "no no no no": 1}


def test_log_odds_by_hand():
    before, after = (counted("as an", having=n, of=100) for n in (20, 60))
    [found] = templates(after, baseline=before, prior=10)
    # α = 10 · 80 / 200 = 4 of 10.
    odds = math.log(64 / 46) - math.log(24 / 86)
    deviation = math.sqrt(1 / 64 + 1 / 46 + 1 / 24 + 1 / 86)
    assert found.phrase == "as an"
    assert (found.baseline_rate, found.present_rate) == (0.2, 0.6)
    assert found.log_odds == pytest.approx(odds)
    assert found.low == pytest.approx(odds - 1.959964 * deviation, rel=1e-6)
    assert found.high == pytest.approx(odds + 1.959964 * deviation, rel=1e-6)
    assert not found.lost


def test_swapping_sides_turns_the_sign():
    before, after = (counted("as an", having=n, of=100) for n in (20, 60))
    [gained], [lost] = templates(after, baseline=before), templates(before, baseline=after)
    assert lost.log_odds == pytest.approx(-gained.log_odds)
    assert lost.low == pytest.approx(-gained.high)
    assert lost.lost


def test_every_parameter_changes_the_answer():
    before, after = (counted("as an", having=n, of=100) for n in (20, 60))
    [found] = templates(after, baseline=before)
    [shrunk] = templates(after, baseline=before, prior=100)
    assert 0 < shrunk.log_odds < found.log_odds
    [surer] = templates(after, baseline=before, error=0.001)
    assert surer.low < found.low
    assert templates(after, baseline=before, fewest=81) == ()
    two = PhraseCounts.of(["as an"] * 60 + ["of the"] * 50)
    assert len(templates(two, baseline=before)) == 2
    assert [one.phrase for one in templates(two, baseline=before, most=1)] == ["of the"]


def test_intervals_hold_together_for_all_phrases_that_are_looked_at():
    before, after = (counted("as an", having=n, of=100) for n in (20, 60))
    others = PhraseCounts.of([f"a{n} b{n}" for n in range(50) for _ in range(5)])
    [found] = templates(after.merge(others), baseline=before.merge(others))
    prior = 10 * 80 / 700
    cells = (60 + prior, 290 + 10 - prior, 20 + prior, 330 + 10 - prior)
    deviation = math.sqrt(sum(1 / cell for cell in cells))
    # 51 phrases, two sides each.
    width = stats.norm.isf(0.05 / 102) * deviation
    assert found.high - found.log_odds == pytest.approx(width)


def test_a_part_of_a_longer_phrase_is_not_named_again():
    before = PhraseCounts.of(["nothing of it"] * 100)
    after = PhraseCounts.of(["as an ai model"] * 60 + ["as an ox"] * 40)
    found = {one.phrase: one.present_rate for one in templates(after, baseline=before)}
    assert found == {"as an": 1.0, "as an ai model": 0.6, "as an ox": 0.4, "nothing of it": 0.0}


def test_scripts_without_spaces_are_written_without():
    before = PhraseCounts.of(["雨です"] * 50)
    after = PhraseCounts.of(["晴れです Windows 11"] * 50)
    found = {one.phrase for one in templates(after, baseline=before)}
    assert "晴れです windows" in found
    assert "雨です" in found


def test_the_same_law_gives_few_finds(rng):
    def answers():
        words = np.array([f"w{rank}" for rank in range(30)])
        law = 1 / np.arange(1, 31)
        return PhraseCounts.of(
            [" ".join(rng.choice(words, size=6, p=law / law.sum())) for _ in range(300)]
        )

    finds = sum(bool(templates(answers(), baseline=answers())) for _ in range(40))
    # At most one in twenty by promise: more than 6 of 40 has a chance of .003.
    assert finds <= 6


def test_phrases_in_all_answers_of_both_are_no_find():
    always = PhraseCounts.of(["thank you"] * 30)
    assert templates(always, baseline=always) == ()


def test_merging_is_that_of_the_whole(monkeypatch):
    texts = ["as an ai", "an ai", "so it is", "as an"] * 20
    whole = dict(PhraseCounts.of(texts).table.iter_rows())
    parts = PhraseCounts.of(texts[:7]).merge(PhraseCounts.of(texts[7:]))
    assert dict(parts.table.iter_rows()) == whole
    monkeypatch.setattr(counting, "BATCH_CHARACTERS", 50)
    assert dict(PhraseCounts.of(texts).table.iter_rows()) == whole


def test_bad_input():
    some = PhraseCounts.of(["a b"])
    with pytest.raises(DataError, match="baseline: no answers"):
        templates(some, baseline=PhraseCounts.empty())
    with pytest.raises(DataError, match="present: no answers"):
        templates(PhraseCounts.of([]), baseline=some)
    for name, value in (("fewest", 0), ("prior", 0), ("error", 0.9), ("most", 0)):
        with pytest.raises(ArgumentError, match=f"{name}: got"):
            templates(some, baseline=some, **{name: value})


def test_frequent_phrases_are_those_of_all(rng):
    words = [*"abcde", "今日", "は", "😀"]
    sides = [
        ["".join(f"{one} " for one in rng.choice(words, rng.integers(0, 9))) for _ in range(size)]
        for size in (40, 25, 0, 1)
    ]
    for fewest in (1, 2, 5, 50):
        found = PhraseCounts.frequent(sides, fewest=fewest)
        alone = [PhraseCounts.of(side) for side in sides]
        together = sum((Counter(dict(one.table.rows())) for one in alone), Counter())
        for ours, theirs in zip(found, alone, strict=True):
            expected = {
                phrase: number
                for phrase, number in theirs.table.rows()
                if together[phrase] >= fewest
            }
            assert dict(ours.table.rows()) == expected
            assert ours.table.height == len(expected)
            assert ours.texts == theirs.texts


def test_no_answers_have_no_frequent_phrases():
    for sides in ([[], []], [["", " "], ["a"]], []):
        found = PhraseCounts.frequent(sides)
        assert [one.table.height for one in found] == [0] * len(sides)
