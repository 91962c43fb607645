import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.chains.discrete import Discrete
from hayflick.chains.smoothing import AddDelta
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix
from hayflick.laws import loss_time as module
from hayflick.laws.loss_time import loss_time
from hayflick.laws.rounds import rounds_of
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


def test_two_tokens_by_hand():
    # From one token of two, n = 2: lost, kept or taken over with 1/4, 1/2, 1/4 per round, so
    # given that it is lost the number of rounds is geometric with success 1/2.
    pair = Discrete.from_counts({"a": 1, "b": 1})
    result = loss_time(pair, np.array([0.5]))
    assert result.law == "exact"
    assert_allclose(result.expected, [2.0])


def simulated(model, regime, samples, symbol, rng, runs=20_000):
    """Return rounds until first missing in runs that lose the symbol, and their mean's error."""
    place = model.symbols.index(symbol)
    mix = regime.mix(1, samples=samples)
    delta, types = model.estimator.delta, model.types
    law = np.full(runs, (model.counts[place] + delta) / (model.total + delta * types))
    times, live, generation = np.full(runs, np.nan), np.arange(runs), 0
    while live.size and generation < 20_000:
        generation += 1
        count = rng.binomial(mix.generated, law)
        count += rng.binomial(mix.fresh, model.probabilities[place], live.size)
        times[live[count == 0]] = generation
        stays = (count > 0) & ((count < samples) | (delta > 0) | (mix.fresh > 0))
        live, law = live[stays], (count[stays] + delta) / (samples + delta * types)
    lost = times[~np.isnan(times)]
    return lost.mean(), lost.std() / np.sqrt(lost.size)


@pytest.mark.parametrize("delta", [0.0, 0.4])
@pytest.mark.parametrize(
    "regime",
    [Replace(), Fresh(share=0.1), Fresh(share=1.0), Anchor.from_mapping({"the": 30})],
    ids=lambda regime: regime.describe(),
)
def test_first_passage_against_simulation(words, regime, delta, rng):
    model = words.with_estimator(AddDelta(delta))
    result = loss_time(model, np.array([0.01]), regime=regime)
    mean, error = simulated(model, regime, 100, "here", rng)
    assert result.law == "exact"
    assert abs(result.expected[0] - mean) < 4 * error


@pytest.mark.parametrize("count", [0.5, 1, 3, 20, 200])
def test_the_matched_law_against_first_passage(count):
    model = Discrete.from_counts({"a": 1, "b": 1})
    rounds = rounds_of(model, regime=Replace(), samples=500, generations=2)
    exact = module._first_passage(rounds, count / 500)
    assert module._matched(np.array([count / 500]), 500)[0] == pytest.approx(exact, rel=1e-3)


@pytest.mark.parametrize("regime", [Fresh(share=0.05), Fresh(share=0.5)])
@pytest.mark.parametrize("delta", [0.0, 0.01])
def test_the_renewal_law_against_first_passage(regime, delta):
    model = Discrete.from_counts({"a": 3, "b": 497}).with_estimator(AddDelta(delta))
    rounds = rounds_of(model, regime=regime, samples=500, generations=2)
    exact = module._first_passage(rounds, 0.006)
    assert module._renewal(rounds, np.array([0.006]))[0] == pytest.approx(exact, rel=0.03)


def test_large_training_sets_take_the_asymptotic_and_the_branching_law(words):
    p = np.array([0.0001])
    assert loss_time(words, p, samples=10_000).law == "asymptotic"
    assert loss_time(words, p, samples=10_000, regime=Fresh(share=0.1)).law == "branching"


def test_what_is_practically_never_lost_takes_forever(words):
    assert (
        loss_time(words, np.array([0.6]), samples=10_000, regime=Fresh(share=0.9)).expected
        == np.inf
    )
    assert loss_time(Discrete.from_counts({"a": 600}), np.array([1.0])).expected == np.inf
    assert loss_time(Discrete.from_counts({"a": 10}), np.array([1.0])).expected == np.inf


def test_rounds_that_differ_are_refused(words):
    class Growing:
        def mix(self, generation, *, samples):
            return Mix(generated=samples * generation)

        def describe(self):
            return "growing"

    with pytest.raises(ArgumentError, match="growing, takes a regime whose rounds are all alike"):
        loss_time(words, np.array([0.01]), regime=Growing())
