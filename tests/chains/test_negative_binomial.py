"""Negative binomial counts: the fit against a search, the statistic against raw draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, stats

import hayflick as hf
from hayflick.chains.negative_binomial import (
    CountHistogram,
    fitted_dispersion,
    probabilities,
    support,
)
from hayflick.cli.main import main
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.records import Mix

LAWS = [(0.1, 3.0), (0.5, 1.0), (3.0, 0.2), (3.0, 2.0), (50.0, 0.01), (2000.0, 0.5), (1e5, 1e-4)]


def drawn(rng, mean, dispersion, size):
    return rng.poisson(rng.gamma(1.0 / dispersion, dispersion * mean, size)).astype(np.float64)


def searched(items):
    """Return the dispersion of items by a search over the likelihood of scipy's law."""
    mean = items.mean()
    if items.var() <= mean:
        return 0.0
    start = np.log((items.var() - mean) / mean**2)

    def loss(logarithm):
        alpha = np.exp(logarithm)
        return -stats.nbinom.logpmf(items, 1.0 / alpha, 1.0 / (1.0 + alpha * mean)).sum()

    return np.exp(optimize.minimize_scalar(loss, bracket=(start - 1, start + 1), tol=1e-10).x)


@pytest.mark.parametrize(("mean", "dispersion"), LAWS)
@pytest.mark.parametrize("items", [6, 40, 1000])
def test_the_fit_maximises_the_likelihood(mean, dispersion, items, rng):
    for _ in range(4):
        values = drawn(rng, mean, dispersion, items)
        if values.any():
            law = hf.NegativeBinomial.from_values(values)
            assert law.mean == values.mean()
            assert_allclose(law.dispersion, searched(values), rtol=1e-4)


def test_cells_without_gaps_and_with_gaps_give_the_same_fit(rng):
    values = drawn(rng, 4.0, 1.0, 500)
    numbers = np.bincount(values.astype(int)).astype(np.float64)
    counts, weights = np.unique(values, return_counts=True)
    whole = fitted_dispersion(np.arange(numbers.size)[None] * 1.0, numbers[None])
    assert_allclose(whole, fitted_dispersion(counts[None], weights[None] * 1.0), rtol=1e-9)
    # Weights are what counts, not their scale.
    assert_allclose(whole, fitted_dispersion(counts[None], weights[None] * 2.5), rtol=1e-9)


@pytest.mark.parametrize("values", [[0, 1], [3, 3, 3, 4], [0, 0, 0, 0], [5, 5]])
def test_samples_without_overdispersion_are_fitted_by_the_poisson_law(values):
    values = np.array(values, dtype=np.float64)
    counts, weights = np.unique(values, return_counts=True)
    assert fitted_dispersion(counts[None], weights[None] * 1.0).tolist() == [0.0]


def test_chances_are_those_of_scipy():
    mean, dispersion = np.array([0.5, 3.0, 40.0]), np.array([2.0, 0.0, 0.3])
    cells = support(mean, dispersion)
    chances, counts = probabilities(mean, dispersion, cells), np.arange(cells)
    laws = [stats.nbinom(0.5, 0.5), stats.poisson(3.0), stats.nbinom(1 / 0.3, 1 / 13.0)]
    for row, law in zip(chances, laws, strict=True):
        assert_allclose(row, law.pmf(counts), atol=1e-13)
        assert law.sf(cells - 1) < 1e-13


@pytest.mark.parametrize("draws", [5, 60], ids=["few: items", "many: a histogram"])
def test_histograms_have_the_law_of_single_draws(draws, rng):
    runs, mean, dispersion = 20_000, 3.0, 0.4
    assert (draws >= support(np.array([mean]), np.array([dispersion]))) == (draws == 60)
    pool = CountHistogram.drawn(rng, draws, np.full(runs, mean), np.full(runs, dispersion))
    assert_array_equal(pool.weights.sum(axis=1), draws)
    moments = [(pool.weights * pool.counts**power).sum(axis=1) for power in (1, 2, 3)]
    items = drawn(rng, mean, dispersion, (runs, draws))
    for power, fast in enumerate(moments, start=1):
        slow = (items**power).sum(axis=1)
        error = np.hypot(fast.std(), slow.std()) / np.sqrt(runs)
        assert abs(fast.mean() - slow.mean()) < 4.5 * error
        assert_allclose(fast.std(), slow.std(), rtol=0.1)


@pytest.mark.parametrize("draws", [8, 40])
def test_a_round_against_raw_draws(draws, rng):
    # Runs of single draws, each fitted by a search: slow and obvious.
    model, fresh, weight, runs = hf.NegativeBinomial(2.0, 0.8), 4, 3.0, 400
    stages = hf.Stages(real_weight=weight)
    chain = model.chain(draws + fresh, stages=stages)
    many = 20_000
    pool = chain.generate(rng, chain.start(many), draws)
    fast = chain.estimate(chain.mix(rng, pool, Mix(generated=draws, fresh=fresh)))
    slow = np.empty((2, runs))
    for run in range(runs):
        generated, real = drawn(rng, 2.0, 0.8, draws), drawn(rng, 2.0, 0.8, fresh)
        items = np.concatenate([generated, *[real] * int(weight)])
        slow[:, run] = items.mean(), searched(items) if items.any() else 0.0
    # A single large count can give any dispersion: compare on a scale on which it does not count.
    for one, other in zip(fast, slow, strict=True):
        one, other = one / (1.0 + one), other / (1.0 + other)
        error = np.hypot(one.std() / np.sqrt(many), other.std() / np.sqrt(runs))
        assert abs(one.mean() - other.mean()) < 4.5 * error


def test_the_mean_is_a_martingale_and_the_dispersion_falls():
    model, runs = hf.NegativeBinomial(3.0, 1.0), 1000
    found = hf.simulate(model, samples=30, generations=40, replicates=runs, seed=3)
    means = found["mean"].to_numpy()
    for generation in (1, 10, 40):
        values = means[:, generation]
        assert abs(values.mean() - 3.0) < 4.5 * values.std() / np.sqrt(runs)
    # After one round: variance of a count over the number of items.
    once = hf.simulate(model, samples=30, generations=1, replicates=4000, seed=3)["mean"]
    assert_allclose(once[:, 1].var(), (3.0 + 9.0) / 30, rtol=0.1)
    assert found["dispersion"][:, -1].median() < 0.7


def test_a_mean_of_zero_is_absorbing_and_a_dispersion_of_zero_is_not():
    runs = hf.simulate("negative-binomial:1", samples=4, generations=60, replicates=256, seed=1)
    mean, dispersion = runs["mean"].to_numpy(), runs["dispersion"].to_numpy()
    dead = mean[:, :-1] == 0.0
    assert dead.any()
    assert (mean[:, 1:][dead] == 0.0).all()
    assert (dispersion[:, 1:][dead] == 0.0).all()
    poisson = (dispersion[:, :-1] == 0.0) & ~dead
    assert 0.1 < (dispersion[:, 1:][poisson] > 0.0).mean() < 0.9


def test_accumulated_rounds_hold_the_real_counts():
    values = np.array([0, 0, 1, 5, 2, 0, 9, 1, 1, 30], dtype=np.float64)
    model = hf.NegativeBinomial.from_values(values)
    pools = model.chain(6).pools([Mix(generated=6, accumulate=True)])
    kept = pools.start(np.random.default_rng(1), 3)
    assert_array_equal((kept.weights * kept.counts).sum(axis=1), 49.0)
    merged = kept.merge(CountHistogram.of_items(np.tile([0.0, 4.0, 30.0], (3, 1))))
    assert merged.counts[0].tolist() == [0, 1, 2, 4, 5, 9, 30]
    assert merged.weights[0].tolist() == [4, 3, 1, 1, 1, 1, 2]
    for regime in (hf.Accumulate(), hf.AccumulateSubsample()):
        settings = {"generations": 20, "regime": regime, "replicates": 64, "seed": 1}
        runs = hf.simulate(model, samples=10, **settings)
        alone = hf.simulate(model, samples=10, generations=20, replicates=64, seed=1)
        spread = runs["mean"][:, -1].std()
        assert spread < alone["mean"][:, -1].std()
    known = hf.NegativeBinomial(2.0, 1.0, total=50)
    kept = known.chain(6).pools([Mix(generated=6, accumulate=True)])
    assert_array_equal(kept.start(np.random.default_rng(1), 3).weights.sum(axis=1), 50.0)


def write(path, values):
    path.write_text("\n".join(["visits", *map(str, values)]))
    return path


def test_counts_of_a_file_are_forecast_and_simulated(tmp_path, rng, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "visits.csv", drawn(rng, 3.0, 1.5, 400).astype(int))
    result = hf.forecast(path, family="negative-binomial", generations=5, replicates=32)
    law = hf.NegativeBinomial.from_file(path, column="visits")
    assert result.model == law
    assert [one.name for one in result.series] == ["spread", "dispersion", "mean", "events"]
    assert result.kept == pytest.approx(1.0, abs=0.2)
    assert result.baseline == pytest.approx(1.0, abs=0.05)
    assert f"dispersion {law.dispersion:.4g}" in " ".join(map(str, tables(result)))
    arguments = ["simulate", "negative-binomial", "--corpus", "visits.csv", "--replicates", "32"]
    assert main([*arguments, "--generations", "3", "--seed", "2"]) == 0
    assert "dispersion" in capsys.readouterr().out


def tables(result):
    from hayflick.core.display import report_of

    return report_of(result).tables(result)


def test_counts_that_the_family_does_not_take_are_refused(tmp_path):
    path = write(tmp_path / "visits.csv", [1, 2.5, 3])
    with pytest.raises(DataError, match=r"holds 2\.5, takes counts: whole numbers from 0"):
        hf.NegativeBinomial.from_file(path)
    with pytest.raises(ArgumentError, match="dispersion: got -1, takes a number of at least 0"):
        hf.NegativeBinomial(1.0, -1)
    with pytest.raises(ArgumentError, match=r"mean: got 0\.0, takes a number above 0"):
        hf.NegativeBinomial(0.0, 1.0)
    with pytest.raises(ArgumentError, match="samples: got 1000000, takes at most 100,000 where"):
        hf.NegativeBinomial(1e6, 1.0).chain(1_000_000)
    with pytest.raises(ArgumentError, match="samples: got 1, takes"):
        hf.simulate(hf.NegativeBinomial(1.0, 1.0), samples=1, generations=2)
