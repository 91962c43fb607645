import json

import numpy as np
import pytest
import xarray

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix
from hayflick.corpus.sentences import split_sentences

RNG = np.random.default_rng(5)
TEXT = " ".join(
    " ".join(f"w{rank}" for rank in np.minimum(RNG.zipf(1.5, size=1 + RNG.poisson(5)), 40)) + "."
    for _ in range(120)
)
SENTENCES = split_sentences(TEXT)
TINY = split_sentences("The cat sat. The cat ran! The dog sat.")


def test_a_model_from_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("The cat sat. The cat ran!")
    model = hf.NGram.from_text(tmp_path / "a.txt", order=3)
    assert (model.types, model.total, model.order) == (4, 6, 3)
    assert hf.NGram.from_text(tmp_path / "a.txt").order == 2
    assert model.training_size(None) == 6
    assert model.training_size(99) == 99
    assert json.loads(json.dumps(model.describe())) == {
        "family": "ngram",
        "order": 3,
        "input": "a.txt",
        "tokenizer": "words",
        "encoding": "utf-8",
        "types": 4,
        "tokens": 6,
        "sentences": 2,
    }


def test_bad_orders_and_sizes_are_refused(tmp_path):
    for order in (0, 17, 1.5, True):
        with pytest.raises(ArgumentError, match=r"order: .* from 1 to 16"):
            hf.NGram(SENTENCES, order)
        with pytest.raises(ArgumentError, match=r"order: .* from 1 to 16"):
            hf.NGram.from_text(tmp_path / "absent.txt", order=order)
    with pytest.raises(ArgumentError, match="an order longer than the text"):
        hf.NGram(TINY, 10)
    assert hf.NGram(TINY, 9).order == 9
    for samples in (0, 2**30):
        with pytest.raises(ArgumentError, match="samples"):
            hf.NGram(TINY).training_size(samples)


def test_the_first_generation_is_measured_by_hand():
    measured = hf.NGram(TINY, 2).chain(9).measure(hf.NGram(TINY, 2).chain(9).start(3))
    # cat 2, sat 2, the 3, dog 1, ran 1 of 9 words in 3 sentences.
    expected = {
        "surviving_types": 5,
        "surviving_fraction": 1.0,
        "surviving_contexts": 1.0,
        "diversity": 1 - (4 + 4 + 9 + 1 + 1) / 81,
        "sentence_length": 3.0,
    }
    assert measured.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(measured[name], [value] * 3)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_measurements_against_a_slow_reference(order, rng):
    chain = hf.NGram(SENTENCES, order).chain(80)
    population = chain.estimate(chain.generate(rng, chain.start(7), 80))
    population = chain.estimate(chain.generate(rng, population, 80))
    measured, last = chain.measure(population), chain.measure_last(population)["count_by_rank"]
    contexts = chain.model.contexts
    for replicate in range(7):
        text = population.text(replicate)
        tokens = contexts.last[text]
        words, counts = np.unique(tokens[tokens != 0], return_counts=True)
        seen = len(set(text.tolist())) if order > 1 else 1
        assert counts.sum() == 80
        assert measured["surviving_types"][replicate] == words.size
        assert measured["surviving_fraction"][replicate] == words.size / SENTENCES.types
        assert measured["surviving_contexts"][replicate] == seen / contexts.number
        assert measured["diversity"][replicate] == pytest.approx(1 - ((counts / 80) ** 2).sum())
        assert measured["sentence_length"][replicate] == 80 / (tokens == 0).sum()
        ranked = np.append(np.sort(counts)[::-1], np.zeros(SENTENCES.types, np.int64))
        np.testing.assert_array_equal(last[replicate], ranked[chain.ranks - 1])


def test_a_higher_order_loses_contexts_faster(rng):
    left = []
    for order in (1, 2, 4):
        runs = hf.simulate(hf.NGram(SENTENCES, order), generations=5, replicates=32, seed=2)
        left.append(float(runs["surviving_contexts"][:, -1].mean()))
    assert left[0] == 1.0 > left[1] > left[2]


@pytest.mark.parametrize("stages", [hf.Stages(), hf.Stages(sampler=hf.Temperature(0.9))])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_threads_and_block_sizes_never_change_the_result(order, stages):
    settings = {"generations": 3, "samples": 500, "replicates": 40, "seed": 1, "stages": stages}
    for regime in (hf.Replace(), hf.Fresh(share=0.1)):
        model = hf.NGram(SENTENCES, order)
        first = hf.simulate(model, threads=1, block_size=32, regime=regime, **settings)
        for threads, block_size in ((2, 32), (1, 64), (2, 64)):
            other = hf.simulate(
                hf.NGram(SENTENCES, order),
                threads=threads,
                block_size=block_size,
                regime=regime,
                **settings,
            )
            xarray.testing.assert_identical(first, other)
    assert dict(first.sizes)["generation"] == 4
    assert first["count_by_rank"].dims == ("replicate", "rank")


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_pool_has_the_size_of_a_training_text(share, rng):
    chain = hf.NGram(SENTENCES, 3).chain(200)
    population = chain.start(5)
    for generation in (1, 2, 3):
        mix = hf.Fresh(share=share).mix(generation, samples=200)
        pool = chain.mix(rng, chain.generate(rng, population, mix.generated), mix)
        words = [np.count_nonzero(pool.text(replicate)) for replicate in range(5)]
        assert words == [200] * 5
        assert pool.size == 200
        population = chain.estimate(pool)


def test_fresh_text_is_written_by_the_real_model_without_a_sampler(rng):
    chain = hf.NGram(TINY, 2).chain(10, stages=hf.Stages(sampler=hf.TopK(1)))
    pool = chain.mix(rng, chain.generate(rng, chain.start(200), 3), Mix(generated=3, fresh=6))
    texts = [pool.text(replicate) for replicate in range(200)]
    symbols = chain.model.sentences.symbols
    assert {tuple(symbols[token - 1] for token in text[:3]) for text in texts} == {
        ("the", "cat", "sat")
    }
    # Two sentences of three each.
    assert len({tuple(text.tolist()) for text in texts}) == 9


def test_fresh_text_brings_words_back(rng):
    settings = {"generations": 15, "replicates": 32, "seed": 3}
    model = hf.NGram(SENTENCES, 3)
    alone = hf.simulate(model, **settings)["surviving_types"][:, -1].mean()
    mixed = hf.simulate(model, regime=hf.Fresh(share=0.3), **settings)["surviving_types"][
        :, -1
    ].mean()
    assert float(mixed) > float(alone) + 5


def test_stored_items_are_refused(rng):
    model = hf.NGram(SENTENCES, 2)
    with pytest.raises(ArgumentError, match="regime: got a reserve"):
        model.chain(9).check([Mix(generated=5, reserve=hf.Counts.from_mapping({"w1": 2}))])
    with pytest.raises(ArgumentError, match="regime: got a reserve"):
        hf.simulate(model, generations=1, regime=hf.Anchor.from_mapping({"w1": 2}), replicates=2)


def test_other_stages_than_a_sampler_are_refused():
    with pytest.raises(ArgumentError, match="for the family ngram"):
        hf.NGram(TINY).chain(9, stages=hf.Stages(degradation=hf.LabelNoise(0.1)))
    chain = hf.NGram(TINY).chain(9, stages=hf.Stages(sampler=hf.TopK(2)))
    assert chain.describe()["sampler"] == hf.TopK(2).describe()


def test_the_greediest_model_repeats_itself(rng):
    chain = hf.NGram(TINY, 2).chain(9, stages=hf.Stages(sampler=hf.TopK(1)))
    population = chain.start(2)
    for _ in range(2):
        population = chain.estimate(chain.generate(rng, population, 9))
    # Behind "cat" come "sat" and "ran" once each: the first in the order of words stays.
    kept = [chain.model.sentences.symbols.index(word) + 1 for word in ("the", "cat", "sat")]
    assert population.text(1).tolist() == [*kept, 0] * 3


def test_a_japanese_text_runs():
    sentences = split_sentences("猫が好き。犬も好き。猫も犬も好き。鳥は好きか？", tokenizer="mixed")
    runs = hf.simulate(hf.NGram(sentences, 3), generations=3, replicates=4, seed=1)
    assert (runs["surviving_types"].diff("generation") <= 0).all()


def test_rounding_drops_rare_successors():
    text = "a b. " * 30 + "a c. "
    model = hf.NGram(split_sentences(text), order=2)
    kept = {
        bits: hf.simulate(
            model,
            samples=60,
            generations=1,
            replicates=64,
            seed=1,
            stages=hf.Stages(rounding=hf.Grid(bits=bits)),
        )["surviving_types"][:, 1].mean()
        for bits in (3, 12)
    }
    # "c" follows "a" once in 31 times: less than half a step of 1/8.
    assert kept[3] == 2
    assert 2 < kept[12] < 3
