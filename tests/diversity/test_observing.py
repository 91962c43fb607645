import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.diversity.groups import Groups
from hayflick.diversity.observing import CommonSizes, Observer, RoundAnswers

OBSERVER = Observer(scale=2.0, tokenizer="words")


def answers(seed=1, size=40, **columns):
    rng = np.random.default_rng(seed)
    given = {
        "texts": [f"answer {place % 7} of {seed}" for place in range(size)],
        "vectors": rng.normal(size=(size, 3)),
        "groups": ["ab"[place % 2] for place in range(size)],
        **columns,
    }
    return RoundAnswers(round=4, label="monday", **given)


def test_a_round_gives_a_reading_of_all_answers_and_one_of_every_group():
    given = answers()
    readings = OBSERVER.read(given)
    assert [reading.group for reading in readings] == ["", "a", "b"]
    assert {(reading.round, reading.label) for reading in readings} == {(4, "monday")}
    assert [reading.values["answers"] for reading in readings] == [40, 20, 20]
    whole, first, _ = readings
    assert whole.values["frobenius_norm"] == hf.Scatter.of(given.vectors).frobenius_norm
    assert first.values["frobenius_norm"] == hf.Scatter.of(given.vectors[::2]).frobenius_norm
    groups = Groups.of({"a": given.vectors[::2], "b": given.vectors[1::2]})
    assert whole.values["between"] == groups.between
    assert whole.values["noise_floor"] == groups.noise_floor
    assert "between" not in first.values


def test_words_of_groups_add_up_to_those_of_all():
    given = answers()
    (whole, *_), counts = OBSERVER.read(given), hf.NgramCounts.of(given.texts, tokenizer="words")
    for name, value in counts.numbers().items():
        assert whole.values[name] == pytest.approx(value, rel=1e-12)


def test_scores_come_from_disjoint_pairs_within_a_prompt():
    vectors = np.repeat(np.eye(2), 10, axis=0)
    given = answers(size=20, vectors=vectors, groups=None, prompts=["first"] * 10 + ["second"] * 10)
    (reading,) = OBSERVER.read(given)
    assert reading.scores["spread"].tolist() == [0.0] * 10
    assert reading.values["unpaired_answers"] == 0
    mixed = OBSERVER.read(answers(size=20, vectors=vectors, groups=None))[0]
    assert mixed.values["spread"] > 0.1
    assert mixed.values["spread"] == mixed.scores["spread"].mean()


def test_what_cannot_be_paired_is_counted():
    (reading,) = OBSERVER.read(answers(size=5, groups=None, prompts=list("aabbc")))
    assert (reading.values["unpaired_answers"], reading.scores["spread"].size) == (1, 2)


def test_answers_without_a_direction_are_counted_and_left_out():
    given = answers(groups=None)
    given.vectors[3] = np.nan
    (reading,) = OBSERVER.read(given)
    left = np.delete(given.vectors, 3, axis=0)
    assert (reading.values["answers"], reading.values["empty_answers"]) == (40, 1)
    assert reading.values["rms_distance"] == hf.Scatter.of(left).root_mean_square_distance


@pytest.mark.parametrize("size", [0, 1])
def test_undefined_is_never_0(size):
    (reading,) = OBSERVER.read(answers(size=size, groups=None))
    assert reading.values["answers"] == size
    undefined = {"spread", "rms_distance", "frobenius_norm", "mean_cosine", "duplicate_rate"}
    assert not undefined & set(reading.values)
    assert not reading.scores


def test_a_baseline_and_a_list_are_measured_against():
    baseline = hf.NgramCounts.of(["answer again and again"], tokenizer="words")
    observer = Observer(
        scale=None, tokenizer="words", baseline=baseline, must_keep={"answer": 3.0, "gone": 1.0}
    )
    (reading,) = observer.read(answers(groups=None, vectors=None))
    assert reading.values["vocabulary_kept"] == 1 / 3
    assert reading.values["retention"] == 0.75
    assert "spread" not in reading.values


def test_further_numbers_are_means_of_what_is_known():
    values = {"accuracy": np.array([0.5, np.nan, 1.0]), "cost": np.full(3, np.nan)}
    given = RoundAnswers(round=1, values=values)
    (reading,) = OBSERVER.read(given)
    assert reading.values == {"answers": 3, "accuracy": 0.75}


def test_slow_metrics_are_measured_where_asked_for():
    rng = np.random.default_rng(5)
    before = rng.normal(size=(60, 3))
    observer = Observer(
        scale=1.0,
        tokenizer="words",
        baseline_vectors=before,
        slow=frozenset({"drift", "near_duplicate_rate"}),
    )
    (reading,) = observer.read(answers(groups=None, vectors=before[:40] / 4.0))
    assert reading.values["drift_p"] < 0.01
    assert 0.0 <= reading.values["near_duplicate_rate"] <= 1.0
    assert not {"drift", "near_duplicate_rate"} & set(OBSERVER.read(answers())[0].values)


def test_the_vendi_score_needs_a_direction_of_every_answer():
    vectors = np.eye(3)[[0, 1, 2]]
    (reading,) = OBSERVER.read(answers(size=3, groups=None, vectors=vectors))
    assert reading.values["vendi_1"] == pytest.approx(3.0)
    vectors = vectors * np.array([[1.0], [1.0], [0.0]])
    assert "vendi_1" not in OBSERVER.read(answers(size=3, groups=None, vectors=vectors))[0].values


def test_the_same_seed_pairs_alike_and_another_differently():
    def spread(seed):
        observer = Observer(scale=2.0, tokenizer="words", seed=seed)
        return observer.read(answers(groups=None))[0].values["spread"]

    assert spread(1) == spread(1)
    assert spread(1) != spread(2)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ArgumentError, match=r"answers: got lengths \[39, 40\], takes columns"):
        _ = answers(texts=["x"] * 39).size


def test_effective_answers_are_measured_at_150_at_most():
    assert CommonSizes.of(words=[], answers=[299, 400]).answers == 149
    assert CommonSizes.of(words=[], answers=[1000, 400]).answers == 150
    assert CommonSizes.of(words=[], answers=[]).answers is None
