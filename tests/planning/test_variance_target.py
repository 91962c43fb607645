"""What the median run keeps of a variance: laws, simulations, and plans from them."""

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import chi2

import hayflick as hf
from hayflick.core.errors import ArgumentError, SimulationInterrupted
from hayflick.laws.gaussian_moments import fresh_moments
from hayflick.planning import variance_target as module
from hayflick.planning.retention import Retention, SimulatedRetention, SimulationSettings
from hayflick.planning.variance_target import (
    StoredMoments,
    StoredNumbers,
    VarianceTarget,
    stored_deviations,
)

average_plan = functools.partial(hf.plan, confidence=None)
"""Plan by averages: their optimum can be found by brute force."""

SIGMAS = 4.0


@pytest.fixture
def prices():
    return hf.Gaussian(50.0, 12.0, total=30)


def stored(model, items):
    return StoredNumbers(StoredMoments(items, mean=model.mean, deviation=model.deviation))


@pytest.mark.parametrize("ddof", [0, 1])
def test_without_real_data_the_median_is_exact(ddof):
    model = hf.Gaussian(5.0, 2.0, total=10, ddof=ddof)
    kept = VarianceTarget(model).retention(generations=30)
    runs = hf.simulate(model, generations=30, replicates=20_000, seed=2)["deviation"].to_numpy()
    median = SimulatedRetention.median_of((runs / 2.0) ** 2)
    assert kept.law == "exact"
    gap = np.abs(kept.expected - median.kept)[1:]
    assert (gap < SIGMAS * median.standard_error[1:]).all()
    assert_allclose(kept.baseline[1:], chi2.median(9) / (10 - ddof))


def test_growing_sets_and_fresh_ones_have_laws_too(prices):
    target = VarianceTarget(prices)
    growing = hf.Scheduled(samples=(30, 45, 70), fresh=(0,))
    kept = target.retention(generations=3, regime=growing)
    runs = hf.simulate(prices, generations=3, regime=growing, replicates=20_000, seed=3)
    median = SimulatedRetention.median_of((runs["deviation"].to_numpy() / 12.0) ** 2)
    assert kept.law == "exact"
    assert (np.abs(kept.expected - median.kept)[1:] < SIGMAS * median.standard_error[1:]).all()
    fresh = target.retention(generations=3, regime=hf.Fresh(1.0))
    assert_allclose(fresh.expected[1:], chi2.median(29) / 29)


@pytest.mark.parametrize(
    "regime",
    [hf.Fresh(0.1), hf.Periodic(share=0.5, every=3), hf.Accumulate(), hf.AccumulateSubsample()],
    ids=lambda regime: regime.describe(),
)
def test_what_no_law_gives_is_simulated_only_with_leave(prices, regime):
    target = VarianceTarget(prices)
    with pytest.raises(ArgumentError, match=r"regime: got .*, takes rounds without real data"):
        target.retention(generations=6, regime=regime)
    kept = target.retention(generations=6, regime=regime, simulation=SimulationSettings(seed=1))
    runs = hf.simulate(prices, generations=6, regime=regime, replicates=3000, seed=8)
    other = SimulatedRetention.median_of((runs["deviation"].to_numpy() / 12.0) ** 2)
    assert (kept.law, kept.error) == ("simulated", 0.0)
    gap = np.abs(kept.expected - other.kept)[1:]
    assert (gap < SIGMAS * np.hypot(kept.standard_error, other.standard_error)[1:]).all()
    assert kept.assured < kept.lowest


def numbers_with_a_reserve(model, samples, items, generations, replicates, seed):
    """Return variances where every number is drawn and the stored ones are there themselves."""
    rng = np.random.default_rng(seed)
    held = model.mean + model.deviation * np.resize([1.0, -1.0], items)
    mean = np.full(replicates, model.mean)
    deviation = np.full(replicates, model.deviation)
    path = [deviation]
    for _ in range(generations):
        drawn = mean[:, None] + deviation[:, None] * rng.normal(size=(replicates, samples - items))
        all_of_them = np.concatenate([drawn, np.tile(held, (replicates, 1))], axis=1)
        mean = all_of_them.mean(axis=1)
        deviation = all_of_them.std(axis=1, ddof=model.ddof)
        path.append(deviation)
    return np.stack(path, axis=1)


@pytest.mark.parametrize("items", [2, 8, 30])
def test_stored_numbers_are_in_every_round(prices, items):
    regime = stored(prices, items)
    mixes = [regime.mix(k, samples=30) for k in range(1, 21)]
    own = stored_deviations(prices, mixes, replicates=4000, seed=1, stages=hf.Stages())
    slow = numbers_with_a_reserve(prices, 30, items, 20, 4000, seed=2)
    one, other = SimulatedRetention.median_of(own**2), SimulatedRetention.median_of(slow**2)
    gap = np.abs(one.kept - other.kept)[1:]
    error = np.hypot(one.standard_error, other.standard_error)[1:]
    assert (gap <= SIGMAS * error + 1e-9).all()


def test_a_single_stored_number_has_no_spread():
    moments = StoredMoments(1, mean=3.0, deviation=2.0).moments(2)
    assert moments.scatter.tolist() == [0.0, 0.0]
    assert StoredMoments(4, mean=3.0, deviation=2.0).moments(1).scatter.tolist() == [16.0]


def brute_force(model, keep, rounds, costs):
    """Return the lowest price of every share, period, reserve and size that keeps enough."""
    target, n, found = VarianceTarget(model), model.total, []

    def look(regime, samples, acquired):
        kept = target.retention(
            regime=regime,
            samples=samples,
            generations=rounds,
            simulation=SimulationSettings(seed=1),
        )
        enough = kept.assured >= keep - 1e-12
        if enough:
            mixes = [regime.mix(k, samples=samples) for k in range(1, rounds + 1)]
            generated = np.mean([mix.generated for mix in mixes])
            parts = (acquired, generated, 1, 1, np.maximum(1 - kept.expected[1:], 0).mean())
            found.append(acquired if costs is None else np.dot(costs.prices, parts))
        return enough

    for items in range(n + 1):
        look(hf.Fresh(items / n), n, items)
        for every in (2, 3, 5, 10):
            real = items * (rounds // every) / rounds
            look(hf.Periodic(share=items / n, every=every), n, real)
        if items:
            look(stored(model, items), n, items / rounds)
    look(hf.Accumulate(), n, n / rounds)
    look(hf.AccumulateSubsample(), n, n / rounds)
    if costs is not None:
        for size in range(n, 40 * n):
            # A larger one keeps more, and costs more.
            if look(hf.Fresh(0.0), size, 0):
                break
    return min(found)


@pytest.mark.parametrize(
    ("keep", "costs"), [(0.7, None), (0.95, None), (0.9, hf.CostModel(real=1.0, generated=1e-6))]
)
def test_the_planted_optimum_is_found(keep, costs, monkeypatch):
    monkeypatch.setattr(module, "_REPLICATES", (64, 256))
    model = hf.Gaussian(0.0, 1.0, total=12)
    result = average_plan(model, keep=keep, generations=10, costs=costs, replicates=2)
    cheapest = brute_force(model, keep, 10, costs)
    assert result.best.price == pytest.approx(cheapest)


def test_the_recommended_share_is_enough_in_other_runs(prices):
    result = average_plan(prices, keep=0.8, generations=15, replicates=2)
    for design in result.designs:
        if isinstance(design.regime, (hf.Fresh, hf.Periodic)):
            runs = hf.simulate(
                prices, generations=15, regime=design.regime, replicates=10_000, seed=77
            )
            median = SimulatedRetention.median_of((runs["deviation"].to_numpy() / 12.0) ** 2)
            assert median.kept[1:].min() > 0.8 - median.standard_error.max()
            gap = np.abs(median.kept - design.retention.expected)[1:]
            error = np.hypot(median.standard_error, design.retention.standard_error)[1:]
            assert (gap < SIGMAS * error).all()


def test_the_mean_stands_beside_the_median(prices):
    result = average_plan(prices, keep=0.8, generations=10, replicates=2)
    fresh = next(design for design in result.designs if design.kind == "fresh")
    items = fresh.regime.mix(1, samples=30).fresh
    exact = fresh_moments(30, fresh=items, generations=10).variance
    assert_allclose(fresh.expected, exact)
    assert exact[-1] > fresh.retention.expected[-1]
    biased = VarianceTarget(hf.Gaussian(0.0, 1.0, total=30, ddof=0))
    assert biased.exact_mean(hf.Fresh(0.1), samples=30, generations=3) is None


def test_without_leave_only_laws_are_looked_at(prices):
    low = average_plan(prices, keep=0.1, generations=5, replicates=0)
    assert (low.best.kind, low.best.retention.law, low.fresh) == ("replace", "exact", None)
    assert {"fresh", "periodic", "anchor", "accumulate"} <= set(low.left_out)
    larger = average_plan(
        prices, keep=0.9, generations=5, replicates=0, costs=hf.CostModel(generated=1.0)
    )
    assert {design.kind for design in larger.designs} == {"larger", "growing"}
    high = average_plan(prices, keep=0.95, generations=5, replicates=0)
    assert not high.feasible
    assert "no design" in high.reason


def test_a_large_pool_is_not_sampled():
    target = VarianceTarget(hf.Gaussian(0.0, 1.0, total=50_000))
    assert target.can_simulate("accumulate", samples=50_000, generations=50)
    assert not target.can_simulate("accumulate-subsample", samples=50_000, generations=50)


def test_ctrl_c_leaves_the_laws(prices, monkeypatch):
    def interrupted(*arguments, **settings):
        raise SimulationInterrupted(None)

    monkeypatch.setattr(module, "simulate", interrupted)
    result = average_plan(prices, keep=0.1, generations=5)
    assert result.interrupted
    assert result.best.retention.law == "exact"
    assert result.recoveries == ()


def test_what_does_not_fit_numbers_is_refused(prices):
    with pytest.raises(ArgumentError, match="of: got types, takes variance for numbers"):
        average_plan(prices, of="types")
    with pytest.raises(ArgumentError, match="of: got must-keep, takes variance for numbers"):
        average_plan(prices, must_keep=["a"])
    with pytest.raises(ArgumentError, match="law: got branching, takes auto"):
        average_plan(prices, law="branching")
    with pytest.raises(ArgumentError, match="samples: got 1"):
        average_plan(prices, samples=1)
    with pytest.raises(ArgumentError, match="history: got a recorded run, takes nothing for"):
        average_plan(prices, history="run.nc")


def test_labels_have_no_variance(words):
    with pytest.raises(ArgumentError, match="of: got variance, takes variance for numbers, and"):
        average_plan(words, of="variance")


def test_a_variance_above_the_real_one_pays_for_none_that_is_missing():
    above = Retention(np.array([1.0, 1.2, 0.9]), "exact", 0.0, np.ones(3))
    assert above.missing == pytest.approx(0.05)
