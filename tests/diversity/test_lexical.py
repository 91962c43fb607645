"""Counts of words and runs of words against Counter, and by hand."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus import tokenizers as counting
from hayflick.diversity.lexical import NgramCounts, tail_mass, vocabulary_kept

ANSWERS = ["The cat sat.", "the cat ran", "so", "", "the the the the"]


def as_counters(counts):
    return [Counter(dict(table.iter_rows())) for table in counts.tables]


def reference(answers, longest):
    """Return the runs of every length, counted one by one."""
    tokens = [answer.lower().replace(".", "").split() for answer in answers]
    return [
        Counter(
            " ".join(words[at : at + length])
            for words in tokens
            for at in range(len(words) - length + 1)
        )
        for length in range(1, longest + 1)
    ]


def test_runs_stay_inside_their_answer():
    assert as_counters(hf.NgramCounts.of(ANSWERS)) == reference(ANSWERS, 3)


@pytest.mark.parametrize("longest", [1, 2, 5])
def test_random_answers_of_any_length(rng, longest, monkeypatch):
    monkeypatch.setattr(counting, "BATCH_CHARACTERS", 300)
    answers = [" ".join(rng.choice(list("abcde"), size=size)) for size in rng.integers(0, 9, 200)]
    counts = hf.NgramCounts.of(iter(answers), longest=longest)
    assert as_counters(counts) == reference(answers, longest)
    assert counts.texts == 200
    assert counts.longest == longest


def test_numbers_by_hand():
    counts = hf.NgramCounts.of(["a a a b", "a c"])
    # Words a 4, b 1, c 1; pairs aa 2, ab 1, ac 1; triples aaa 1, aab 1.
    assert (counts.total(), counts.types()) == (6, 3)
    entropy = -(4 / 6 * math.log(4 / 6) + 2 / 6 * math.log(1 / 6))
    assert counts.numbers() == pytest.approx(
        {
            "distinct_1": 3 / 6,
            "distinct_2": 3 / 4,
            "distinct_3": 1.0,
            "type_token_ratio": 3 / 6,
            "hill_0": 3.0,
            "hill_1": math.exp(entropy),
            "hill_2": 36 / 18,
            "entropy": entropy,
        }
    )


def test_rarefied_types_are_the_mean_over_all_samples():
    counts = hf.NgramCounts.of(["a a a b b c d"])
    for size in range(1, 8):
        samples = [len(set(sample)) for sample in combinations("aaabbcd", size)]
        assert counts.rarefied(size) == pytest.approx(np.mean(samples))
    assert counts.rarefied(8) is None
    assert counts.rarefied(6, length=2) == counts.types(2)


def test_more_of_the_same_text_lowers_distinct_but_not_rarefied(rng):
    words = np.array([f"w{rank}" for rank in range(300)])
    law = 1 / np.arange(1, 301)
    drawn = rng.choice(words, size=40_000, p=law / law.sum())
    few, many = hf.NgramCounts.of([" ".join(drawn[:2000])]), hf.NgramCounts.of([" ".join(drawn)])
    assert many.distinct(1) < 0.2 * few.distinct(1)
    assert many.rarefied(1000) == pytest.approx(few.rarefied(1000), rel=0.05)


def test_other_scripts_are_counted_too():
    hindi = hf.NgramCounts.of(["नमस्ते दुनिया", "नमस्ते"])
    assert as_counters(hindi)[0] == {"नमस्ते": 2, "दुनिया": 1}
    chinese = hf.NgramCounts.of(["今天天气", "今天"], tokenizer="auto")
    assert chinese.tokenizer == "mixed"
    assert as_counters(chinese)[0] == {"今天": 2, "天天": 1, "天气": 1}
    letters = hf.NgramCounts.of(["ab"], tokenizer="characters:1", longest=2)
    assert as_counters(letters)[1] == {"a b": 1}


def test_merging_adds(rng):
    parts = [hf.NgramCounts.of(part) for part in (ANSWERS[:2], ANSWERS[2:], [])]
    a, b, none = parts
    for merged in (a.merge(b), b.merge(a), a.merge(none).merge(b)):
        assert as_counters(merged) == as_counters(hf.NgramCounts.of(ANSWERS))
        assert merged.texts == 5
        assert merged.numbers() == hf.NgramCounts.of(ANSWERS).numbers()


def test_nothing_said_is_no_reading():
    for counts in (hf.NgramCounts.empty(), hf.NgramCounts.of([]), hf.NgramCounts.of(["", "..."])):
        assert counts.numbers() == {}
        assert counts.type_token_ratio is None
        assert counts.entropy is None
        assert counts.rarefied(1) is None
    assert "distinct_2" not in hf.NgramCounts.of(["one"]).numbers()


def test_what_is_counted_otherwise_does_not_merge():
    words = hf.NgramCounts.of(["a b"])
    with pytest.raises(DataError, match=r"of \('lines', 3\) after \('words', 3\)"):
        words.merge(hf.NgramCounts.of(["a b"], tokenizer="lines"))
    with pytest.raises(DataError, match="count both in the same way"):
        words.merge(hf.NgramCounts.of(["a b"], longest=2))
    with pytest.raises(DataError, match="split by lines, the baseline by words"):
        vocabulary_kept(hf.NgramCounts.of(["a"], tokenizer="lines"), words)
    with pytest.raises(ArgumentError, match=r"tokenizer: got wrods, .* did you mean words\?"):
        hf.NgramCounts.of(["a"], tokenizer="wrods")
    with pytest.raises(ArgumentError, match="length: got 4, takes a whole number from 1 to 3"):
        words.distinct(4)


def test_vocabulary_kept_by_hand():
    baseline = hf.NgramCounts.of(["a a b c d"])
    assert vocabulary_kept(hf.NgramCounts.of(["a a x y z"]), baseline) == 0.25
    assert vocabulary_kept(baseline, baseline) == 1.0
    assert vocabulary_kept(hf.NgramCounts.of([""]), baseline) == 0.0
    assert vocabulary_kept(hf.NgramCounts.empty(), baseline) is None
    assert vocabulary_kept(baseline, hf.NgramCounts.empty()) is None


def test_tail_mass_by_hand():
    baseline = hf.NgramCounts.of(["a a a b b c d"])
    said = hf.NgramCounts.of(["a b b c c c new new"])
    assert tail_mass(said, baseline) == 3 / 8
    assert tail_mass(said, baseline, at_most=2) == 5 / 8
    assert tail_mass(said, baseline, at_most=3) == 6 / 8
    assert tail_mass(hf.NgramCounts.of(["a a"]), baseline) == 0.0
    assert tail_mass(hf.NgramCounts.empty(), baseline) is None
    assert tail_mass(said, hf.NgramCounts.of(["a a"])) is None
    with pytest.raises(ArgumentError, match="at_most: got 0"):
        tail_mass(said, baseline, at_most=0)


def test_tables_are_plain_frames():
    [table] = hf.NgramCounts.of(["a"], longest=1).tables
    assert table.schema == {"symbol": pl.String, "number": pl.Int64}
    assert hf.NgramCounts.empty(longest=1).tables[0].schema == table.schema


@pytest.mark.parametrize("size", [3, 4000])
def test_groups_counted_in_one_go_are_those_counted_one_by_one(size, rng, monkeypatch):
    monkeypatch.setattr("hayflick.corpus.tokenizers.BATCH_CHARACTERS", 5000)
    texts = [" ".join(f"w{k}" for k in rng.integers(0, 50 * size, 6)) for _ in range(size)]
    groups = [f"g{k % 7}" for k in range(size)]
    whole, parts = NgramCounts.by_group(texts, groups, tokenizer="words")
    wholes = NgramCounts.of(texts, tokenizer="words")
    assert whole.numbers() == wholes.numbers()
    assert sorted(parts) == sorted(set(groups))
    for name, part in parts.items():
        own = [text for text, group in zip(texts, groups, strict=True) if group == name]
        alone = NgramCounts.of(own, tokenizer="words")
        assert part.numbers() == alone.numbers()
        assert part.texts == alone.texts
        assert vocabulary_kept(part, wholes) == vocabulary_kept(alone, whole)
        assert tail_mass(part, wholes) == tail_mass(alone, whole)


def test_groups_without_a_word_have_no_counts():
    whole, parts = NgramCounts.by_group(["", "a b"], ["left", "right"], tokenizer="words")
    assert whole.total() == 2
    assert parts["left"].numbers() == {}
    assert parts["left"].texts == 1
    assert NgramCounts.by_group([], [], tokenizer="words")[1] == {}


def test_few_and_many_tokens_are_looked_up_alike(rng, monkeypatch):
    words = np.array([f"w{number}" for number in range(400)])
    said, baseline = (hf.NgramCounts.of([" ".join(rng.choice(words, 300))]) for _ in range(2))
    few = vocabulary_kept(said, baseline), tail_mass(said, baseline)
    monkeypatch.setattr("hayflick.diversity.lexical._FEW", 0)
    assert (vocabulary_kept(said, baseline), tail_mass(said, baseline)) == few
    mine, theirs = (dict(counts.tables[0].rows()) for counts in (said, baseline))
    rare = {word for word, number in theirs.items() if number == 1}
    assert few[0] == len(mine.keys() & theirs.keys()) / len(theirs)
    assert few[1] == sum(mine.get(word, 0) for word in rare) / sum(mine.values())
