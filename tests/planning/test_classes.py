import numpy as np
import pytest

import hayflick as hf
from hayflick.planning.classes import class_outlooks, mass_lost

LABELS = hf.Discrete.from_counts({"PG": 400, "R": 3000, "NC-17": 16, "PG-13": 1500})
SETTINGS = {"generations": 20, "samples": 4916}


@pytest.mark.parametrize(
    "regime", [hf.Replace(), hf.Fresh(0.02), hf.Anchor.from_mapping({"NC-17": 3})], ids=str
)
def test_outlooks_are_those_of_simulated_runs(regime):
    least = np.array([5, 5, 5, 5])
    outlooks = class_outlooks(LABELS, regime=regime, least=least, **SETTINGS)
    assert [one.symbol for one in outlooks] == ["R", "PG-13", "PG", "NC-17"]
    rare = outlooks[-1]
    rng = np.random.default_rng(3)
    mix = regime.mix(1, samples=4916)
    stored = int(LABELS.align(mix.reserve)[LABELS.positions["NC-17"]])
    counts = np.full(20_000, 16)
    for _ in range(20):
        counts = rng.binomial(mix.generated, counts / 4916) + stored
        counts = counts + rng.binomial(mix.fresh, 16 / 4916, size=counts.size)
    assert rare.gone == pytest.approx((counts == 0).mean(), abs=0.015)
    assert rare.below_least == pytest.approx((counts < 5).mean(), abs=0.015)
    assert rare.below_half == pytest.approx((counts < 8).mean(), abs=0.015)
    assert rare.expected == pytest.approx(counts.mean(), abs=0.5)
    assert (rare.count, rare.least) == (16, 5)
    assert len(rare.enough) == 21
    assert rare.enough[0] == 1.0
    assert rare.enough[-1] == pytest.approx(1 - rare.below_least)


def test_classes_that_do_not_exist_have_no_outlook():
    many = hf.Discrete.from_counts({str(number): 2 for number in range(201)})
    assert class_outlooks(many, regime=hf.Replace(), generations=3) == ()


def test_where_rounds_accumulate_counts_are_simulated():
    least = np.array([5, 5, 20, 5])
    kept = class_outlooks(LABELS, regime=hf.Accumulate(), least=least, **SETTINGS)
    rare = kept[-1]
    assert [one.symbol for one in kept] == ["R", "PG-13", "PG", "NC-17"]
    assert {one.law for one in kept} == {"simulated"}
    # All that is kept begins with the 16 real ones, and each round adds as many on average.
    assert rare.gone == 0.0
    assert rare.expected == pytest.approx(16 * 21, rel=0.1)
    sampled = class_outlooks(LABELS, regime=hf.AccumulateSubsample(), least=least, **SETTINGS)
    assert sampled[-1].expected == pytest.approx(16, rel=0.15)
    assert sampled[-1].below_least > rare.below_least
    assert len(sampled[-1].enough) == 21


def test_a_law_without_data_has_expected_counts():
    law = hf.Discrete.zipf_mandelbrot(5, exponent=1.0)
    outlooks = class_outlooks(law, regime=hf.Replace(), generations=3, samples=50)
    assert outlooks[-1].count == pytest.approx(50 * law.probabilities[-1])


@pytest.mark.parametrize("samples", [None, 5000])
def test_the_lost_mass_is_what_the_lost_types_cover(words, samples):
    law = hf.survival(words, generations=30, samples=samples)
    lost = mass_lost(law)
    chances = law.of_symbols(words.symbols)
    assert lost == pytest.approx(words.probabilities @ (1 - chances), abs=1e-9)
    assert lost[0] == 0.0


def test_what_a_reserve_holds_is_not_lost(words):
    held = hf.Anchor.from_mapping(dict.fromkeys(words.symbols, 1))
    assert mass_lost(hf.survival(words, generations=5, regime=held)).max() == 0.0
