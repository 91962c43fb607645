import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import hayflick as hf
from hayflick.laws import wright_fisher
from hayflick.laws.rounds import rounds_of
from hayflick.laws.wright_fisher import WrightFisher, binomial_rows


@pytest.mark.parametrize("trials", [0, 1, 5, 400, 3000])
def test_binomial_rows_against_scipy(trials):
    p = np.array([0.0, 1e-9, 0.03, 0.5, 1.0])
    expected = stats.binom.pmf(np.arange(trials + 1), trials, p[:, None])
    assert_allclose(binomial_rows(trials, p), expected, atol=1e-12, rtol=1e-9)


def slow_laws(model, regime, samples, generations, p):
    """Return the laws of one count by adding up every way there, term by term."""
    share, types = model.estimator.uniform_share, model.types
    law = None
    for generation in range(1, generations + 1):
        mix = regime.mix(generation, samples=samples)
        fresh = stats.binom.pmf(np.arange(mix.fresh + 1), mix.fresh, p)
        starts = {None: 1.0} if law is None else dict(enumerate(law))
        new = np.zeros(samples + 1)
        for count, weight in starts.items():
            if count is None:
                uniform = model.initial_uniform_share
                chance = (1 - uniform) * p + uniform / types
            else:
                uniform = share(total=samples, types=types)
                chance = (1 - uniform) * count / samples + uniform / types
            drawn = stats.binom.pmf(np.arange(mix.generated + 1), mix.generated, chance)
            together = np.convolve(drawn, fresh)
            new[: together.size] += weight * together
        law = new
        yield law


@pytest.mark.parametrize("delta", [0.0, 0.7])
@pytest.mark.parametrize(
    "regime",
    [hf.Replace(), hf.Fresh(share=0.2), hf.Fresh(share=1.0), hf.Anchor.from_mapping({"the": 4})],
    ids=lambda regime: regime.describe(),
)
def test_laws_against_a_slow_reference(words, regime, delta):
    model = words.with_estimator(hf.AddDelta(delta))
    rounds = rounds_of(model, regime=regime, samples=20, generations=4)
    fast = list(WrightFisher(rounds).laws(np.array([0.01, 0.3])))
    for row, p in enumerate((0.01, 0.3)):
        slow = list(slow_laws(model, regime, 20, 4, p))
        for generation in range(4):
            law = np.zeros(21)
            law[: fast[generation].shape[1]] = fast[generation][row]
            assert_allclose(law, slow[generation], atol=1e-13)


def test_every_law_sums_to_one(words):
    rounds = rounds_of(words, regime=hf.Fresh(share=0.1), samples=300, generations=30)
    for law in WrightFisher(rounds).laws(np.array([0.01, 0.6])):
        assert_allclose(law.sum(axis=1), 1.0, atol=1e-11)
        assert law.min() > -1e-15


def test_what_is_affordable_depends_on_size_rounds_and_symbols():
    def ask(samples, generations, types):
        model = hf.Discrete.zipf_mandelbrot(types, exponent=1)
        rounds = rounds_of(model, regime=hf.Replace(), samples=samples, generations=generations)
        return wright_fisher.affordable(rounds, np.unique(model.probabilities))

    assert ask(1000, 50, 60)
    assert not ask(wright_fisher.LARGEST_SAMPLE + 1, 1, 1)
    assert not ask(3000, 1000, 100)


def test_what_is_cut_off_and_left_out_changes_nothing(monkeypatch):
    model = hf.Discrete.zipf_mandelbrot(40, exponent=1.5)
    rounds = rounds_of(model, regime=hf.Fresh(share=0.05), samples=300, generations=25)
    windowed = WrightFisher(rounds).present(model.probabilities)
    assert (windowed[0] == 1.0).all()
    monkeypatch.setattr(wright_fisher, "_CERTAIN", 0.0)
    monkeypatch.setattr(wright_fisher, "_NEGLIGIBLE", -1.0)
    monkeypatch.setattr(wright_fisher, "_DEVIATIONS", 1e3)
    whole = WrightFisher(rounds).present(model.probabilities)
    assert_allclose(windowed, whole, atol=1e-12)
