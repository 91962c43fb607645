import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix


def test_two_tokens_by_hand():
    # From one token of two, n = 2: lost, kept or taken over with 1/4, 1/2, 1/4 per round, so
    # given that it is lost the number of rounds is geometric with success 1/2.
    pair = hf.Discrete.from_counts({"a": 1, "b": 1})
    result = hf.loss_time(pair)
    assert result.law == "exact"
    assert_allclose(result.of_symbols(["a", "b"]), [2.0, 2.0])


def test_a_single_token_is_lost_at_once_or_never(words):
    assert_allclose(hf.loss_time(words, samples=1).of_symbols(["here", "the"]), [1.0, 1.0])


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
    [hf.Replace(), hf.Fresh(share=0.1), hf.Fresh(share=1.0), hf.Anchor.from_mapping({"the": 30})],
    ids=lambda regime: regime.describe(),
)
def test_first_passage_against_simulation(words, regime, delta, rng):
    model = words.with_estimator(hf.AddDelta(delta))
    result = hf.loss_time(model, regime=regime)
    mean, error = simulated(model, regime, 100, "here", rng)
    assert result.law == "exact"
    assert abs(result.of_symbols(["here"])[0] - mean) < 4 * error


def slow_draws(model, mix, total, observed):
    """Return the law of what is generated, whole, at every observed share."""
    uniform = model.estimator.uniform_share(total=total, types=model.types)
    law = (1 - uniform) * observed + uniform / model.types
    return stats.binom.pmf(np.arange(mix.generated + 1), mix.generated, law[:, None])


def slow_passage(model, mix, samples, p, drawn):
    """Solve for the mean at every count, from whole binomial laws."""
    counts = np.arange(samples + 1)
    fresh = stats.binom.pmf(np.arange(mix.fresh + 1), mix.fresh, p)
    start = np.convolve(slow_draws(model, mix, model.total, np.array([p]))[0], fresh)
    matrix = np.array([np.convolve(row, fresh) for row in drawn])
    takes_over = mix.generated == samples and model.estimator.delta == 0
    last = samples - 1 if takes_over else samples
    lost = 1 - counts[1 : last + 1] / samples if takes_over else np.ones(last)
    inner = np.eye(last) - matrix[1 : last + 1, 1 : last + 1]
    time = np.linalg.solve(inner, lost)
    return (start[0] + start[1 : last + 1] @ (lost + time)) / (
        start[0] + start[1 : last + 1] @ lost
    )


@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.004)], ids=str)
@pytest.mark.parametrize("delta", [0.0, 0.01])
def test_the_grid_against_a_slow_reference(regime, delta):
    counts = {"a": 1, "b": 15, "c": 190, "d": 794}
    model = hf.Discrete.from_counts(counts).with_estimator(hf.AddDelta(delta))
    times = hf.loss_time(model, regime=regime)
    assert times.law == "interpolated"
    mix = regime.mix(1, samples=1000)
    drawn = slow_draws(model, mix, 1000, np.arange(1001) / 1000)
    for symbol, count in list(counts.items())[:2]:
        slow = slow_passage(model, mix, 1000, count / 1000, drawn)
        # Beyond, the reference itself is ill-conditioned.
        if 0 < slow < 1e11:
            assert times.of_symbols([symbol])[0] == pytest.approx(slow, rel=1e-3)


def test_the_diffusion_is_the_limit_of_many_items():
    model = hf.Discrete.from_counts({"a": 10_000, "b": 90_000})
    diffusion = -2 * 100_000 * 0.1 * np.log(0.1) / 0.9
    assert hf.loss_time(model).of_symbols(["a"])[0] == pytest.approx(diffusion, rel=1e-3)


@pytest.mark.parametrize("exponent", [6, 8, 10])
def test_the_largest_training_sets_follow_the_diffusion(exponent):
    n = 10**exponent
    shares = np.array([0.5, 0.1, 0.9, 1e-2, 1e-3])
    found = hf.loss_time(hf.Discrete.from_counts({"a": 1, "b": 1}), samples=n)
    expected = -2 * n * shares * np.log(shares) / (1 - shares)
    assert_allclose(found.of_probabilities(shares), expected, rtol=5e-4)
    # The number of rounds a few copies live grows by 2 c ln 10 with every power of ten.
    counts = np.array([1.0, 10.0, 100.0])
    few = found.of_probabilities(counts / n) / counts + 2 * np.log(counts / n)
    assert_allclose(few, [-0.6455, -0.1492, -0.0232], atol=2e-3)


def test_with_fresh_data_the_time_grows_with_the_training_set():
    # The diffusion's limit: the same number of fresh items, time in units of n.
    pair = hf.Discrete.from_counts({"a": 1, "b": 1})
    shares = np.array([0.1, 0.01, 0.001])
    times = []
    for n in (10**8, 10**10):
        law = hf.loss_time(pair, samples=n, regime=hf.Fresh(share=2 / n))
        times.append(law.of_probabilities(shares) / n)
    assert_allclose(*times, rtol=2e-4)


def test_how_far_off_a_time_can_be_is_stated(words):
    exact = hf.loss_time(words)
    assert exact.error_of(np.array([10.0, np.inf])).max() < 1e-11
    wide = hf.loss_time(words, samples=10_000)
    assert_allclose(wide.error_of(np.array([100.0, 1e11])), [0.002, 0.007], rtol=1e-3)


def test_what_is_practically_never_lost_takes_forever(words):
    whole = hf.loss_time(words, samples=10_000, regime=hf.Fresh(share=0.9))
    assert whole.of_probabilities(np.array([0.6])) == np.inf
    assert hf.loss_time(hf.Discrete.from_counts({"a": 600})).of_symbols(["a"]) == np.inf
    assert hf.loss_time(hf.Discrete.from_counts({"a": 10})).of_symbols(["a"]) == np.inf


def test_what_a_reserve_holds_is_never_lost(words):
    times = hf.loss_time(words, regime=hf.Anchor.from_mapping({"here": 2}))
    found = times.of_symbols(["sat", "here"])
    assert found[1] == np.inf
    assert found[0] < np.inf


def test_no_symbols_have_no_times(words):
    assert hf.loss_time(words).of_symbols([]).shape == (0,)


def test_rounds_that_differ_are_refused(words):
    class Growing:
        constant = False

        def mix(self, generation, *, samples):
            return Mix(generated=samples * generation)

        def describe(self):
            return "growing"

    with pytest.raises(ArgumentError, match="growing, takes a regime whose rounds are all alike"):
        hf.loss_time(words, regime=Growing())
