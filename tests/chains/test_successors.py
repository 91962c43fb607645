import numpy as np
import pytest
from scipy import stats

import hayflick as hf
from hayflick.chains.ngram import Contexts, Successors
from hayflick.core.errors import ArgumentError

# Behind 1: 2 five times, 3 three times, 4 twice.
TOKENS = np.array([1, 2, 0] * 5 + [1, 3, 0] * 3 + [1, 4, 0] * 2, np.int32)


def trained(sampler, order=2, tokens=TOKENS):
    contexts = Contexts.of(tokens, order=order)
    arguments = {"contexts": contexts.number, "memory": contexts.memory, "sampler": sampler}
    return Successors.of(contexts.visited, **arguments)


def law_behind(model, context):
    first, last = model.starts[context], model.starts[context + 1]
    weights = np.diff(model.cumulative[first:last], prepend=0.0)
    return dict(zip(model.visits[first:last].tolist(), weights.round(6).tolist(), strict=True))


@pytest.mark.parametrize("order", [2, 3, 7])
@pytest.mark.parametrize(
    ("sampler", "law"),
    [
        (hf.Temperature(1.0), {2: 0.5, 3: 0.3, 4: 0.2}),
        (hf.Temperature(0.5), {2: 25 / 38, 3: 9 / 38, 4: 4 / 38}),
        (hf.TopK(2), {2: 0.625, 3: 0.375}),
        (hf.TopP(0.8), {2: 0.625, 3: 0.375}),
        (hf.TopP(0.81), {2: 0.5, 3: 0.3, 4: 0.2}),
    ],
)
def test_laws_by_hand(sampler, law, order):
    model = trained(sampler, order)
    contexts = Contexts.of(TOKENS, order=order)
    found = law_behind(model, int(contexts.visited[0]))
    assert {int(contexts.last[visit]): p for visit, p in found.items()} == pytest.approx(
        law, abs=1e-6
    )


def test_ties_are_broken_by_the_order_of_the_words():
    tokens = np.array([1, 3, 0, 1, 2, 0, 1, 4, 0], np.int32)
    assert law_behind(trained(hf.TopK(2), tokens=tokens), 1) == {2: 0.5, 3: 0.5}


@pytest.mark.parametrize("sampler", [hf.TopK(1), hf.Temperature(1e-3), hf.TopP(1e-9)])
def test_the_coldest_samplers_write_one_sentence_alone(rng, sampler):
    block = np.empty(0, np.int32), np.zeros(4, np.int64)
    texts, _ = trained(sampler).append(rng, block, draws=10)
    assert texts.tolist() == [1, 2, 0] * 15


@pytest.mark.parametrize("sampler", [hf.Temperature(1.0), hf.TopK(100), hf.TopP(1.0)])
def test_a_sampler_that_changes_nothing_draws_from_the_same_law(rng, sampler):
    block = np.empty(0, np.int32), np.zeros(2, np.int64)
    texts, _ = trained(sampler).append(rng, block, draws=40_000)
    counts = np.bincount(texts, minlength=5)
    assert (counts[1], counts[0]) == (20_000, 20_000)
    assert stats.chisquare(counts[2:], 20_000 * np.array([0.5, 0.3, 0.2])).pvalue > 1e-4


def test_a_context_that_was_lost_has_no_successors():
    model = Successors.of(np.array([1, 0], np.int32), contexts=9, memory=1, sampler=hf.TopK(3))
    assert np.diff(model.starts).tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_a_sampler_that_leaves_no_words_is_refused():
    with pytest.raises(ArgumentError, match=r"sampler: got top-k\S+1, takes .* order 1"):
        trained(hf.TopK(1), order=1, tokens=np.array([1, 0, 2, 0, 3, 0], np.int32))


def test_a_sampler_that_leaves_nothing_is_refused():
    class Nothing:
        def reweight(self, law):
            return 0 * law

        def describe(self):
            return "nothing"

    with pytest.raises(ArgumentError, match="leaves something to draw"):
        trained(Nothing())
