"""Two sets of answers side by side: which numbers differ, and what is left out."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError

STREAMS = Path(__file__).parents[3] / "shared" / "data" / "streams"
WORDS = [f"word{number}" for number in range(200)]


@pytest.fixture(scope="module")
def streams_folder():
    if not STREAMS.exists():
        pytest.skip(f"{STREAMS} is not here; the other tests make streams of the same kind")
    return STREAMS


def answers(number, *, seed, words=200, length=8):
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS[:words], k=length)) for _ in range(number)]


def by_metric(result):
    return {one.metric: one for one in result.differences}


def test_a_loss_of_words_is_found_with_its_size():
    old, new = {"a": answers(120, seed=1)}, {"a": answers(120, seed=2, words=60)}
    result = hf.compare(old, new, text="a")
    assert result.verdict == "less diverse"
    words = by_metric(result)["effective_words"]
    assert words.fell
    assert words.low < words.ratio < words.high < 0.6
    assert words.ratio == pytest.approx(words.new / words.old)
    assert result.below(0.9)[0].metric == "effective_words"
    assert hf.compare(new, old, text="a").verdict == "more diverse"


def test_two_draws_from_one_source_do_not_differ():
    result = hf.compare({"a": answers(80, seed=3)}, {"a": answers(80, seed=4)}, text="a")
    assert result.verdict == "no difference found"
    assert result.below(1.0) == ()
    assert result.undecided(0.99)


def test_the_number_of_threads_changes_nothing():
    old, new = {"a": answers(150, seed=3)}, {"a": answers(150, seed=4, words=150)}
    with threadpool_limits(1):
        one = hf.compare(old, new, text="a").differences
    with threadpool_limits(4):
        assert hf.compare(old, new, text="a").differences == one


def test_sizes_make_no_difference():
    result = hf.compare({"a": answers(40, seed=5)}, {"a": answers(400, seed=6)}, text="a")
    assert not any(one.differs for one in result.differences)
    assert result.common_answers == 20


def test_mixes_of_prompts_make_no_difference():
    sides = []
    for seed, numbers in ((7, (60, 15)), (8, (15, 60))):
        texts = answers(numbers[0], seed=seed, words=10)
        texts += [text.replace("word", "other") for text in answers(numbers[1], seed=seed + 10)]
        sides.append({"a": texts, "p": ["x"] * numbers[0] + ["y"] * numbers[1]})
    assert hf.compare(*sides, text="a").verdict != "no difference found"
    matched = hf.compare(*sides, text="a", prompt="p")
    assert matched.verdict == "no difference found"
    assert {"spread", "between_prompts"} <= set(by_metric(matched))
    assert matched.prompts == 2


def test_prompts_that_only_one_side_has_are_named_and_left_out():
    old = {"a": answers(60, seed=9), "p": ["x"] * 30 + ["only here"] * 30}
    new = {"a": answers(60, seed=10), "p": ["x"] * 50 + ["z"] * 10}
    result = hf.compare(old, new, text="a", prompt="p")
    assert (result.old.other_prompts, result.old.unmatched_answers) == (("only here",), 30)
    assert (result.new.other_prompts, result.new.unmatched_answers) == (("z",), 10)
    assert (result.old.compared, result.new.compared) == (30, 50)


@pytest.mark.parametrize("each", [1, 2, 3])
def test_prompts_with_few_answers_are_a_sample_of_prompts(each):
    prompts = [str(row // each) for row in range(90)]
    sides = [{"a": answers(90, seed=seed), "p": prompts} for seed in (11, 12)]
    result = hf.compare(*sides, text="a", prompt="p")
    assert result.draws_prompts
    assert result.verdict == "no difference found"
    assert "between_prompts" in by_metric(result)
    assert ("spread" in by_metric(result)) == (each > 1)
    if each == 1:
        assert [one.metric for one in result.unmeasured] == ["spread"]


def test_one_voice_for_all_prompts_is_seen_between_prompts_only():
    draw = random.Random(13)
    prompts = [f"p{row % 10}" for row in range(200)]
    own = [f"topic{row % 10} " * 3 + " ".join(draw.choices(WORDS, k=5)) for row in range(200)]
    one = ["topic0 " * 3 + " ".join(draw.choices(WORDS, k=5)) for _ in range(200)]
    result = hf.compare({"a": own, "p": prompts}, {"a": one, "p": prompts}, text="a", prompt="p")
    found = by_metric(result)
    assert found["between_prompts"].high < 0.8
    assert found["spread"].low > 0.9


def test_the_same_answers_in_another_order_are_identical():
    texts = answers(60, seed=14)
    result = hf.compare({"a": texts}, {"a": texts[::-1]}, text="a")
    assert result.verdict == "identical"
    assert not any(one.differs for one in result.differences)


def test_a_set_of_equal_answers_has_lost_all():
    result = hf.compare({"a": answers(60, seed=15)}, {"a": ["yes"] * 60}, text="a")
    spread = by_metric(result)["spread"]
    assert (spread.new, spread.ratio) == (0.0, 0.0)
    assert spread.fell
    assert by_metric(result)["effective_words"].new == pytest.approx(1.0)
    both = hf.compare({"a": ["yes"] * 60}, {"a": ["no"] * 60}, text="a")
    assert [(one.metric, one.reason) for one in both.unmeasured] == [
        ("spread", "all answers are alike")
    ]


def test_values_have_a_ratio_where_they_cannot_be_negative():
    draw = np.random.default_rng(16)
    old = {"v": draw.uniform(1, 2, 80).tolist(), "u": draw.normal(size=80).tolist()}
    new = {"v": draw.uniform(2, 4, 80).tolist(), "u": draw.normal(3, 1, 80).tolist()}
    result = hf.compare(old, new, values=["v", "u"])
    found = by_metric(result)
    assert found["v"].old == pytest.approx(np.mean(old["v"]), rel=1e-12)
    assert found["v"].ratio == pytest.approx(np.mean(new["v"]) / np.mean(old["v"]), rel=1e-12)
    assert found["v"].low < found["v"].ratio < found["v"].high
    assert found["u"].ratio is None
    assert found["u"].low < 3.0 < found["u"].high
    assert result.verdict == "different"
    half = {"v": [1.0, float("nan")] * 40, "u": [0.0] * 80}
    assert by_metric(hf.compare(half, half, values=["v"]))["v"].new == pytest.approx(1.0)


def test_phrases_go_in_both_directions():
    old = [f"to be frank {text}" for text in answers(60, seed=17)]
    new = [f"as a model {text}" for text in answers(60, seed=18)]
    phrases = {one.phrase: one.lost for one in hf.compare({"a": old}, {"a": new}, text="a").phrases}
    assert phrases["to be frank"]
    assert not phrases["as a model"]


def test_many_answers_are_sampled_and_that_is_said(tmp_path):
    many = {"a": answers(5000, seed=19, length=3)}
    result = hf.compare(many, {"a": answers(60, seed=20, length=3)}, text="a")
    assert result.was_sampled
    assert (result.old.answers, result.old.compared) == (5000, 2000)
    page = result.save(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "these were sampled, evenly over the prompts" in page


def test_other_languages_have_words_and_phrases():
    draw = random.Random(21)
    old = ["".join(draw.choices("春夏秋冬山川海空雨雪風月花鳥", k=12)) for _ in range(60)]
    new = ["".join(draw.choices("春夏秋冬", k=12)) for _ in range(60)]
    result = hf.compare({"a": old}, {"a": new}, text="a")
    assert by_metric(result)["effective_words"].fell


def test_the_same_seed_gives_the_same_result():
    sides = [{"a": answers(40, seed=seed)} for seed in (22, 23)]
    first, again, other = (
        hf.compare(*sides, text="a", seed=seed).differences for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


FULL = {"a": answers(30, seed=24), "p": ["x"] * 30, "e": [[1.0, 2.0]] * 30}


@pytest.mark.parametrize(
    ("new", "columns", "message"),
    [
        ({"b": ["x"] * 30}, {"text": "a"}, "has no column 'a'"),
        (
            {"a": ["x y"] * 12},
            {"text": "a"},
            "new table: answers that are not empty: 12;.*at least 20",
        ),
        ({"a": ["", None, " "] * 10}, {"text": "a"}, "new table: all of its 30 answers are empty"),
        ({"a": ["x"] * 30, "p": ["q"] * 30}, {"text": "a", "prompt": "p"}, "no prompt in common"),
        (
            {"a": ["x"] * 40, "p": ["x"] * 5 + ["q"] * 35},
            {"text": "a", "prompt": "p"},
            "answers to prompts of both: 5",
        ),
        ({"e": [[1.0, 2.0, 3.0]] * 30}, {"vectors": "e"}, "vectors of 2 numbers"),
        ({"e": [[0.0, 0.0]] * 30}, {"vectors": "e"}, "a vector of zeros or none"),
    ],
)
def test_what_cannot_be_compared_is_refused(new, columns, message):
    with pytest.raises(DataError, match=message):
        hf.compare(FULL, new, **columns)


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 95},
        {"confidence": float("nan")},
        {"confidence": 1.0},
        {"seed": -1},
        {"tokenizer": "wrods"},
        {"embedder": "nothing"},
        {"vectors": "e.npy"},
        {"values": ["v", "v"]},
    ],
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ArgumentError):
        hf.compare(FULL, FULL, text="a", **wrong)


@pytest.mark.parametrize("share", [0, -1, 1.1, 90, float("nan"), "much"])
def test_a_share_that_is_none_is_refused(share):
    result = hf.compare({"v": [1.0, 2.0] * 10}, {"v": [1.0, 2.0] * 10}, values=["v"])
    for method in (result.below, result.undecided):
        with pytest.raises(ArgumentError, match="fail_below"):
            method(share)


def test_an_estimate_below_the_share_that_may_be_chance_is_undecided():
    draw = np.random.default_rng(25)
    old, new = ({"v": (mean + draw.normal(0, 0.9, 20)).clip(0).tolist()} for mean in (2, 1.7))
    result = hf.compare(old, new, values=["v"])
    (value,) = result.differences
    assert value.ratio < 0.95
    assert not value.differs
    assert result.below(0.95) == ()
    assert result.undecided(0.95) == (value,)


def test_huge_values_give_finite_numbers():
    old, new = {"v": [1e-200, 3e-200] * 20}, {"v": [1e59, 2e59] * 20}
    record = hf.compare(old, new, values=["v"]).to_dict()
    assert json.loads(json.dumps(record, allow_nan=False))["differences"][0]["metric"] == "v"


def test_a_recorded_stream_has_lost_words(streams_folder):
    lines = (streams_folder / "a-inspiration.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    sides = [
        {
            name: [row[name] for row in rows if row["generation"] in part]
            for name in ("answer", "prompt")
        }
        for part in (range(1, 11), range(40, 50))
    ]
    for prompt in (None, "prompt"):
        result = hf.compare(*sides, text="answer", prompt=prompt)
        assert result.verdict == "less diverse"
        assert by_metric(result)["effective_words"].high < 0.7
        assert any(one.phrase == "tapestry of" and not one.lost for one in result.phrases)
