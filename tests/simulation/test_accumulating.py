"""Rounds that accumulate, against items drawn and kept one by one."""

import numpy as np
import pytest

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.degradation import GaussianContamination
from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.multivariate_gaussian import MultivariateGaussian
from hayflick.chains.ngram import NGram
from hayflick.chains.poisson import Poisson
from hayflick.chains.selection import Interval
from hayflick.chains.stages import Stages
from hayflick.chains.symmetric_mixture import SymmetricMixture, approximate_joint
from hayflick.core.errors import ArgumentError
from hayflick.corpus.sentences import split_sentences
from hayflick.regimes.accumulate import Accumulate, AccumulateSubsample
from hayflick.regimes.scheduled import Scheduled
from hayflick.simulation.simulate import simulate

RUNS, GENERATIONS, SAMPLES = 6000, 6, 8
ACCUMULATING = [Accumulate(), AccumulateSubsample()]


def raw_runs(real, draw, fit, *, subsample, seed=1):
    """Return what `fit` gives of each generation's training set, generation by generation.

    Items are kept as they are: real ones, then `draw` of each model.
    """
    rng = np.random.default_rng(seed)
    kept = real(rng)
    theta, history = fit(kept), []
    for _ in range(GENERATIONS):
        kept = np.concatenate([kept, draw(rng, theta)], axis=1)
        chosen = kept
        if subsample:
            order = np.argsort(rng.random(kept.shape[:2]), axis=1)[:, :SAMPLES]
            chosen = np.stack([row[places] for row, places in zip(kept, order, strict=True)])
        theta = fit(chosen)
        history.append(theta)
    return history, kept


def assert_alike(ours, raw):
    """Two samples have the same mean and the same mean square, to 4 standard errors."""
    for one, other in ((ours, raw), (ours**2, raw**2)):
        error = np.sqrt(one.var() / one.size + other.var() / other.size)
        assert abs(one.mean() - other.mean()) <= 4 * error + 1e-12


def per_run(values):
    return values[:, None] * np.ones(SAMPLES)


def gaussian(ddof):
    def standard(rng):
        noise = rng.standard_normal((RUNS, 12))
        noise -= noise.mean(axis=1, keepdims=True)
        return noise / noise.std(axis=1, ddof=ddof, keepdims=True)

    def draw(rng, theta):
        return rng.normal(per_run(theta[0]), per_run(theta[1]))

    def fit(items):
        return items.mean(axis=1), items.std(axis=1, ddof=ddof)

    return standard, draw, fit


def poisson():
    def real(rng):
        return rng.multinomial(24, np.full(12, 1 / 12), RUNS)

    return real, lambda rng, theta: rng.poisson(per_run(theta[0])), mean_alone


def bernoulli():
    def real(_rng):
        return np.tile(np.arange(12) < 3, (RUNS, 1)) * 1

    def draw(rng, theta):
        return (rng.random((RUNS, SAMPLES)) < theta[0][:, None]) * 1

    return real, draw, mean_alone


def mean_alone(items):
    return (items.mean(axis=1),)


def mixture():
    def of(rng, mean, deviation, number):
        signs = rng.choice([-1.0, 1.0], (RUNS, number))
        return mean * signs + deviation * rng.standard_normal((RUNS, number))

    def real(rng):
        return of(rng, 1.0, 1.0, 12)

    def draw(rng, theta):
        return of(rng, theta[0][:, None], theta[1][:, None], SAMPLES)

    def first(items):
        # θ_0 is given, not fitted.
        if items.shape[1] == 12:
            return np.ones(RUNS), np.ones(RUNS)
        return approximate_joint(items)

    return real, draw, first


CASES = {
    "gaussian": (Gaussian(0.0, 1.0, total=12), gaussian(1), ("mean", "deviation")),
    "gaussian, ddof=0": (Gaussian(0.0, 1.0, total=12, ddof=0), gaussian(0), ("mean", "deviation")),
    "poisson": (Poisson(2.0, total=12), poisson(), ("rate",)),
    "bernoulli": (Bernoulli(0.25, total=12), bernoulli(), ("probability",)),
    "mixture": (SymmetricMixture(1.0, 1.0, total=12), mixture(), ("mean", "deviation")),
}


@pytest.mark.parametrize("regime", ACCUMULATING, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("case", CASES)
def test_families_of_a_few_numbers(case, regime):
    model, (real, draw, fit), names = CASES[case]
    subsample = regime == AccumulateSubsample()
    raw, _ = raw_runs(real, draw, fit, subsample=subsample)
    settings = {"generations": GENERATIONS, "samples": SAMPLES, "regime": regime}
    runs = simulate(model, replicates=RUNS, seed=2, **settings)
    for name, place in zip(names, range(2), strict=False):
        for generation in (1, 2, GENERATIONS):
            ours = runs[name].sel(generation=generation).to_numpy()
            assert_alike(ours, raw[generation - 1][place])
    # Rounds are not independent: the same items stay.
    last = [runs[names[0]].sel(generation=k).to_numpy() for k in (GENERATIONS - 1, GENERATIONS)]
    assert_alike(last[0] * last[1], raw[-2][0] * raw[-1][0])


@pytest.mark.parametrize("regime", ACCUMULATING, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("total", [None, 12])
def test_several_dimensions(regime, total):
    # Two dimensions from counts of the same law; a scatter is the sum over all kept items.
    def real(rng):
        number = total or SAMPLES
        noise = rng.standard_normal((RUNS, number, 2))
        if total is None:
            return noise
        noise -= noise.mean(axis=1, keepdims=True)
        factor = np.linalg.cholesky(np.einsum("rni,rnj->rij", noise, noise) / (number - 1))
        return np.linalg.solve(factor, noise.swapaxes(1, 2)).swapaxes(1, 2)

    def fit(items):
        if items.shape[1] == (total or SAMPLES) and total is None and first.pop("left", 0):
            return np.zeros((RUNS, 2)), np.tile(np.eye(2), (RUNS, 1, 1))
        mean = items.mean(axis=1)
        gap = items - mean[:, None]
        return mean, np.einsum("rni,rnj->rij", gap, gap) / (items.shape[1] - 1)

    def draw(rng, theta):
        noise = rng.standard_normal((RUNS, SAMPLES, 2))
        return theta[0][:, None] + noise @ np.linalg.cholesky(theta[1]).swapaxes(1, 2)

    first = {"left": 1}
    raw, _ = raw_runs(real, draw, fit, subsample=regime == AccumulateSubsample())
    model = MultivariateGaussian(np.zeros(2), np.eye(2), total=total)
    settings = {"generations": GENERATIONS, "samples": SAMPLES, "regime": regime}
    runs = simulate(model, replicates=RUNS, seed=3, **settings)
    for generation in (1, 2, GENERATIONS):
        mean, covariance = raw[generation - 1]
        recorded = runs.sel(generation=generation)
        log = np.log(np.linalg.det(covariance))
        assert_alike(recorded["log_variance_ratio"].to_numpy(), log)
        assert_alike(recorded["mean_distance"].to_numpy(), np.linalg.norm(mean, axis=1))
        assert (recorded["rank"] == 2).all()


@pytest.mark.parametrize("total", [None, 40])
def test_fewer_items_than_dimensions(total):
    model = MultivariateGaussian(np.zeros(5), np.eye(5), total=total)
    settings = {"generations": 4, "samples": 3, "replicates": 40, "seed": 1}
    ranks = simulate(model, regime=AccumulateSubsample(), **settings)["rank"]
    assert (ranks[:, 1:] == 2).all()
    ranks = simulate(model, regime=Accumulate(), **settings)["rank"]
    assert ranks[0].to_numpy().tolist() == [5] * 5


@pytest.mark.parametrize("regime", ACCUMULATING, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_symbols(regime, weight):
    counts = np.array([6, 4, 1, 1])
    real = np.repeat(np.arange(4), counts)
    # Real items are kept apart from generated ones: 0 … 3 and 4 … 7.
    weights = np.repeat([weight, 1.0], 4)

    def tally(items):
        return np.stack([(items == symbol).sum(axis=1) for symbol in range(8)], axis=1)

    def draw(rng, theta):
        chances = theta[0].cumsum(axis=1)[:, None, :]
        return 4 + (rng.random((RUNS, SAMPLES, 1)) > chances).sum(axis=2)

    def fit(items):
        held = tally(items)
        weighted = (held * weights).reshape(RUNS, 2, 4).sum(axis=1)
        present = (held.reshape(RUNS, 2, 4).sum(axis=1) > 0).sum(axis=1)
        newest = (tally(items[:, -SAMPLES:]).reshape(RUNS, 2, 4).sum(axis=1) > 0).sum(axis=1)
        return weighted / weighted.sum(axis=1, keepdims=True), present, newest

    subsample = regime == AccumulateSubsample()
    raw, kept = raw_runs(lambda _: np.tile(real, (RUNS, 1)), draw, fit, subsample=subsample)
    assert kept.shape == (RUNS, 12 + GENERATIONS * SAMPLES)
    model = Discrete.from_counts(dict(zip("abcd", counts.tolist(), strict=True)))
    settings = {"generations": GENERATIONS, "samples": SAMPLES, "regime": regime}
    stages = Stages(real_weight=weight)
    runs = simulate(model, replicates=RUNS, seed=3, stages=stages, **settings)
    for generation in (1, 2, GENERATIONS):
        law, present, newest = raw[generation - 1]
        recorded = runs.sel(generation=generation)
        assert_alike(recorded["diversity"].to_numpy(), 1 - (law**2).sum(axis=1))
        survivors = recorded["surviving_types"].to_numpy()
        assert_alike(survivors, present if subsample else newest)
        assert (recorded["surviving_in_pool"] == 4).all()
        if "class_survivors" in recorded:
            assert (recorded["class_survivors"].sum("count_class") == survivors).all()


def test_a_pool_of_draws_from_a_law_holds_what_was_drawn():
    law = Discrete.zipf_mandelbrot(50, exponent=1.0)
    runs = simulate(law, generations=3, samples=20, regime=Accumulate(), replicates=64, seed=1)
    assert (runs["surviving_types"][:, 0] == 50).all()
    assert (runs["surviving_in_pool"][:, 0] < 20).all()
    assert (runs["count_by_rank"].sum("rank") == 80).all()


REFUSED = [
    (NGram(split_sentences("A cat. A dog ran.")), {}, Accumulate(), "for the family ngram"),
    (Poisson(1.0), {"real_weight": 2.0}, AccumulateSubsample(), "without real_weight"),
    (Bernoulli(0.5), {"real_weight": 2.0}, AccumulateSubsample(), "without real_weight"),
    (
        Gaussian(0.0, 1.0),
        {"selection": Interval(-1.0, 1.0)},
        AccumulateSubsample(),
        "without selection",
    ),
    (
        Gaussian(0.0, 1.0),
        {"degradation": GaussianContamination(0.1, 5.0, 1.0)},
        AccumulateSubsample(),
        "without degradation",
    ),
    (Gaussian(0.0, 1.0), {}, Scheduled(samples=(9, 1), fresh=(0,)), "got a round of 1"),
]


@pytest.mark.parametrize(("model", "stages", "regime", "message"), REFUSED)
def test_what_a_family_cannot_do_is_refused(model, stages, regime, message):
    with pytest.raises(ArgumentError, match=message):
        simulate(model, generations=3, samples=9, stages=Stages(**stages), regime=regime)


@pytest.mark.parametrize("model", [Poisson(1.0), Discrete.from_counts({"a": 1, "b": 1})], ids=str)
def test_a_pool_beyond_memory_is_refused(model):
    with pytest.raises(ArgumentError, match=r"pool: got 1,00\d,.* items, takes at most"):
        simulate(model, generations=1000, samples=1_001_000, regime=AccumulateSubsample())
