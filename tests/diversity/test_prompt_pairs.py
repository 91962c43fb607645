"""Pairs of answers to different prompts: disjoint, and at the mix of the baseline."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hayflick.diversity.prompt_pairs import PromptMix

ROUNDS = st.lists(
    st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=30), min_size=1, max_size=4
)


@given(ROUNDS, st.integers(0, 5))
def test_a_mix_pairs_different_prompts_within_what_every_round_has(rounds, seed):
    mix = PromptMix.of(rounds, rng=np.random.default_rng(seed))
    assert all(one != other for one, other in mix.pairs)
    used = Counter(place for pair in mix.pairs for place in pair)
    for place, prompt in enumerate(mix.prompts):
        assert used[place] <= min(Counter(prompts)[prompt] for prompts in rounds)


@given(ROUNDS, st.integers(0, 5))
def test_every_round_of_the_baseline_has_the_whole_mix(rounds, seed):
    mix = PromptMix.of(rounds, rng=np.random.default_rng(seed))
    for prompts in rounds:
        found = mix.matched(prompts, rng=np.random.default_rng(seed))
        if not mix.pairs:
            assert found is None
            continue
        both = np.concatenate([found.first, found.second])
        assert len(set(both.tolist())) == both.size == 2 * len(mix.pairs)
        asked = sorted(
            tuple(sorted((prompts[a], prompts[b])))
            for a, b in zip(found.first, found.second, strict=True)
        )
        mixed = sorted(tuple(sorted((mix.prompts[a], mix.prompts[b]))) for a, b in mix.pairs)
        assert asked == mixed


def test_equal_prompts_meet_each_other_equally_often():
    rounds = [[prompt for prompt in "abcdef" for _ in range(10)]] * 3
    mix = PromptMix.of(rounds, rng=np.random.default_rng(1))
    assert len(mix.pairs) == 30
    assert set(Counter(map(frozenset, mix.pairs)).values()) == {2}


def test_a_round_that_lacks_much_of_the_mix_has_no_reading():
    mix = PromptMix.of([list("abcdefghijklmnopqrst")] * 2, rng=np.random.default_rng(1))
    rng = np.random.default_rng(2)
    assert len(mix.pairs) == 10
    assert mix.matched(list("bcdefghijklmnopqrst"), rng=rng).first.size == 9
    assert mix.matched(list("abcdefgh"), rng=rng) is None


def test_prompts_that_change_from_round_to_round_give_no_mix():
    mix = PromptMix.of([["a", "b"], ["c", "d"]], rng=np.random.default_rng(1))
    assert mix.matched(["a", "b"], rng=np.random.default_rng(1)) is None
