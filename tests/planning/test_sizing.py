"""The single answers: share, size, period, recovery."""

import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError


def kept(model, regime, *, generations, **options):
    return hf.survival(model, generations=generations, regime=regime, **options).surviving_fraction


def test_the_share_is_the_smallest_that_keeps_enough(words):
    for keep in (0.5, 0.7, 0.85):
        answer = hf.fresh_share(words, keep=keep, generations=20)
        enough = [
            items
            for items in range(101)
            if kept(words, hf.Fresh(items / 100), generations=20)[1:].min() >= keep
        ]
        assert answer.feasible
        assert answer.items == enough[0] == answer.share * 100
        assert answer.anchor is None
        assert answer.reason == ""


def test_beyond_real_data_alone_an_anchor_is_proposed(words):
    answer = hf.fresh_share(words, keep=0.95, generations=20)
    assert not answer.feasible
    assert answer.items is None
    assert "even a training set of real data alone keeps 90.8%" in answer.reason
    assert answer.anchor.regime.reserve.symbols == ("sat", "here")
    assert answer.anchor.stored_up_to == 9
    anchored = kept(words, answer.anchor.regime, generations=20)
    assert anchored[-1] == pytest.approx(answer.anchor.retention.expected[-1])
    assert anchored[1:].min() >= 0.95


def test_no_anchor_fits_a_small_training_set():
    tail = hf.Discrete.from_counts({f"word{number}": 1 for number in range(50)})
    answer = hf.fresh_share(tail, keep=0.9, generations=5, samples=20)
    assert (answer.feasible, answer.anchor) == (False, None)


def test_the_size_is_the_smallest(words):
    answer = hf.sample_size(words, keep=0.9, generations=10, law="branching")
    for size, enough in ((answer.samples, True), (answer.samples - 1, False)):
        left = kept(words, hf.Fresh(0.0), generations=10, samples=size, law="branching")[-1]
        assert (left >= 0.9) == enough
    assert answer.total == 10 * answer.samples
    with_fresh = hf.sample_size(words, keep=0.9, generations=10, share=0.2)
    assert with_fresh.samples < answer.samples


def test_the_exact_law_finds_the_size_where_it_holds(words):
    answer = hf.sample_size(words, keep=0.9, generations=4, law="exact")
    for size, enough in ((answer.samples, True), (answer.samples - 1, False)):
        left = kept(words, hf.Fresh(0.0), generations=4, samples=size, law="exact")[-1]
        assert (left >= 0.9) == enough
    rare = hf.Discrete.from_counts({"the": 999_999, "here": 1})
    with pytest.raises(ArgumentError, match=r"at most 3000 items, none of which keeps 0\.9; use"):
        hf.sample_size(rare, keep=0.9, generations=2, law="exact")


def test_the_period_counts_the_worst_round(words):
    answer = hf.period(words, keep=0.8, generations=20)
    for choice in answer.choices:
        if choice.share is not None and choice.every > 1:
            for items, enough in ((choice.share, True), (choice.share - 0.01, False)):
                regime = hf.Periodic(share=items, every=choice.every)
                assert (kept(words, regime, generations=20)[1:].min() >= 0.8) == enough
    assert answer.best.real_per_round == min(
        choice.real_per_round for choice in answer.choices if choice.real_per_round is not None
    )
    assert answer.choices[-1].share is None
    assert answer.longest == answer.choices[-2].every
    assert hf.period(words, keep=0.99, generations=20).best is None


def test_recovery_counts_rounds_and_items(words):
    answer = hf.recovery(words, keep=0.85, rounds_so_far=20)
    left = answer.retention.expected
    assert left[0] < 0.85 <= left[answer.rounds]
    assert answer.items == answer.rounds * round(answer.share * 100)
    assert hf.recovery(words, keep=0.3, rounds_so_far=2).items == 0
    assert not hf.recovery(words, keep=0.95, rounds_so_far=2).feasible


def test_waiting_costs_more(words):
    delays = (0, 1, 2, 5, 10, 20)
    found = [hf.recovery(words, keep=0.85, rounds_so_far=5, waited=delay) for delay in delays]
    items = [one.items for one in found]
    assert items == sorted(items)
    assert items[-1] > items[0]
