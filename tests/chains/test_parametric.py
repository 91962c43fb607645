"""Families of a few numbers: compiled rounds against stages, and both against raw draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import hayflick as hf
from hayflick.chains.gaussian import interval_draws
from hayflick.chains.symmetric_mixture import approximate_joint, exact_joint
from hayflick.core.errors import ArgumentError
from hayflick.core.records import Mix, Schedule
from hayflick.core.reproducibility import stream
from hayflick.simulation.blocks import advance

SCALAR = [
    hf.Bernoulli(0.2),
    hf.Bernoulli(0.02, total=50, estimator=hf.AddDelta(0.5)),
    hf.Poisson(1.3),
    hf.Gaussian(2.0, 3.0),
    hf.Gaussian(2.0, 3.0, ddof=0),
    hf.Gaussian(2.0, 3.0, resampler=hf.GaussianResampler(0.5, 1.1)),
    hf.Gaussian(
        2.0, 3.0, resampler=hf.GaussianResampler(0.7, covariance=((0.1, 0.02), (0.02, 0.1)))
    ),
]


@pytest.mark.parametrize("model", SCALAR, ids=str)
@pytest.mark.parametrize("fresh", [0, 1, 7])
@pytest.mark.parametrize("rounding", [None, hf.Grid(bits=6)], ids=["exact", "rounded"])
def test_compiled_rounds_are_the_stages_one_by_one(model, fresh, rounding):
    chain = model.chain(20, stages=hf.Stages(rounding=rounding))
    mixes = [Mix(generated=20 - fresh, fresh=fresh)] * 12
    assert chain.compiled
    schedule = Schedule(mixes)
    path = chain.run_rounds(
        (stream(3, block=0),), chain.start(32), schedule.generated, schedule.fresh
    )
    rng, population = stream(3, block=0), chain.start(32)
    for generation, mix in enumerate(mixes):
        population = advance(chain, rng, population, mix)
        assert_allclose(path[generation], population, rtol=1e-13, atol=1e-14)


def raw_next(rng, model, parameters, draws, fresh, stages, runs=40_000):
    """Return parameters after one round from raw draws, shape ``(parameters, runs)``."""

    def draw(values, number):
        shape = (runs, number)
        match model:
            case hf.Bernoulli():
                return (rng.random(shape) < values[0]) * 1.0
            case hf.Poisson():
                return rng.poisson(values[0], shape) * 1.0
            case hf.Gaussian():
                return rng.normal(values[0], values[1], shape)

    def arrived(number):
        items = draw(parameters, number)
        match stages.degradation:
            case hf.LabelNoise(rate):
                items = np.where(rng.random(items.shape) < rate, 1 - items, items)
            case hf.AdditiveNoise(deviation):
                items = items + rng.normal(0, deviation, items.shape)
            case hf.GaussianContamination(share, mean, deviation):
                foreign = rng.normal(mean, deviation, items.shape)
                items = np.where(rng.random(items.shape) < share, foreign, items)
        return items

    items = arrived(draws)
    for _ in range(200):
        match stages.selection:
            case hf.Verifier(_, true_accept, false_accept):
                chance = np.where(items == 1, true_accept, false_accept)
            case hf.Interval(low, high, true_accept, false_accept):
                inside = (low <= items) & (items <= high)
                chance = np.where(inside, true_accept, false_accept)
            case _:
                break
        # Refused items are drawn again; once accepted, an item stays.
        if _ == 0:
            pending = np.ones(items.shape, bool)
        pending &= rng.random(items.shape) >= chance
        if not pending.any():
            break
        items = np.where(pending, arrived(draws), items)
    real = draw(chain_real(model), fresh)
    weights = np.concatenate([np.ones(draws), np.full(fresh, stages.real_weight)])
    values = np.concatenate([items, real], axis=1)
    mean = (values * weights).sum(axis=1) / weights.sum()
    if not isinstance(model, hf.Gaussian):
        return mean[None]
    scatter = (weights * (values - mean[:, None]) ** 2).sum(axis=1)
    correction = model.ddof * np.sum(weights**2) / weights.sum()
    return np.stack([mean, np.sqrt(scatter / (weights.sum() - correction))])


def chain_real(model):
    return model.chain(10).real


CASES = [
    (hf.Bernoulli(0.2), hf.Stages()),
    (hf.Bernoulli(0.2), hf.Stages(degradation=hf.LabelNoise(0.3), real_weight=3.0)),
    (hf.Bernoulli(0.2), hf.Stages(selection=hf.Verifier(frozenset("1"), 0.8, 0.4))),
    (hf.Poisson(1.5), hf.Stages(real_weight=2.0)),
    (hf.Gaussian(1.0, 2.0), hf.Stages()),
    (hf.Gaussian(1.0, 2.0, ddof=0), hf.Stages(real_weight=2.5)),
    (hf.Gaussian(1.0, 2.0), hf.Stages(real_weight=2.5)),
    (hf.Gaussian(1.0, 2.0), hf.Stages(degradation=hf.AdditiveNoise(1.5))),
    (hf.Gaussian(1.0, 2.0), hf.Stages(degradation=hf.GaussianContamination(0.3, 5.0, 0.5))),
    (hf.Gaussian(1.0, 2.0), hf.Stages(selection=hf.Interval(0.0, 2.5, 0.9, 0.3))),
    (
        hf.Gaussian(1.0, 2.0),
        hf.Stages(selection=hf.Interval(0.0, 2.5), degradation=hf.AdditiveNoise(1.0)),
    ),
]


@pytest.mark.parametrize(("model", "stages"), CASES, ids=str)
def test_a_round_against_raw_draws(model, stages, rng):
    chain, draws, fresh = model.chain(11, stages=stages), 7, 4
    runs = 40_000
    population = chain.start(runs)
    pool = chain.generate(rng, population, draws)
    pool = chain.mix(rng, pool, Mix(generated=draws, fresh=fresh))
    fast = chain.estimate(pool)
    slow = raw_next(rng, model, chain.real, draws, fresh, stages)
    for one, other in zip(fast, slow, strict=True):
        for power in (1, 2):
            gap = np.mean(one**power) - np.mean(other**power)
            error = np.hypot(np.std(one**power), np.std(other**power)) / np.sqrt(runs)
            assert abs(gap) < 4.5 * error
    together = np.corrcoef(fast)[0, 1] if len(fast) > 1 else 0.0
    expected = np.corrcoef(slow)[0, 1] if len(slow) > 1 else 0.0
    assert together == pytest.approx(expected, abs=0.03)


def test_the_golden_ratio_is_the_best_weight_of_as_many_real_items():
    # He, Xu, Cheng, arXiv:2502.18049: with as many fresh as generated items the weight of
    # the real ones that spoils the mean least is 1/φ of all, φ times the generated ones'.
    def spread(share):
        weight = share / (1.0 - share)
        stages = hf.Stages(real_weight=weight)
        runs = hf.simulate(
            hf.Gaussian(0.0, 1.0),
            generations=40,
            samples=200,
            regime=hf.Fresh(share=0.5),
            stages=stages,
            replicates=12_000,
            seed=5,
        )
        return float((runs["mean"][:, -1] ** 2).mean()) * 100

    def law(share):
        return (share**2 + (1 - share) ** 2) / (1 - (1 - share) ** 2)

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    error = np.sqrt(2.0 / 12_000)
    for share in (0.4, golden, 0.85):
        assert spread(share) == pytest.approx(law(share), rel=4.5 * error)
    shares = np.linspace(0.05, 0.95, 901)
    assert shares[np.argmin(law(shares))] == pytest.approx(golden, abs=1e-3)


def test_a_vector_of_one_dimension_is_a_gaussian():
    one = hf.MultivariateGaussian(np.zeros(1), np.eye(1))
    runs = hf.simulate(one, samples=12, generations=6, replicates=4000, seed=1)
    scalar = hf.simulate(hf.Gaussian(0.0, 1.0), samples=12, generations=6, replicates=4000, seed=2)
    log = 2.0 * np.log(scalar["deviation"])
    gap = runs["log_variance_ratio"].mean("replicate") - log.mean("replicate")
    error = np.sqrt(2.0 * log.var("replicate") / 4000)
    assert (np.abs(gap) <= 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("fresh", [0, 2, 6])
@pytest.mark.parametrize("noise", [None, hf.AdditiveNoise(0.7)])
def test_scatter_and_mean_of_vectors_against_raw_draws(rng, fresh, noise):
    covariance = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    model = hf.MultivariateGaussian(np.array([1.0, -2.0, 0.0]), covariance)
    chain, runs = model.chain(9, stages=hf.Stages(degradation=noise)), 30_000
    pool = chain.generate(rng, chain.start(runs), 9 - fresh)
    fitted = chain.estimate(chain.mix(rng, pool, Mix(generated=9 - fresh, fresh=fresh)))
    found = fitted.factor @ np.swapaxes(fitted.factor, 1, 2)
    extra = 0.0 if noise is None else noise.deviation**2
    shape = (runs, 9 - fresh)
    values = rng.multivariate_normal(model.mean, covariance + extra * np.eye(3), shape)
    real = rng.multivariate_normal(model.mean, covariance, (runs, fresh))
    values = np.concatenate([values, real], axis=1)
    centred = values - values.mean(axis=1, keepdims=True)
    slow = np.swapaxes(centred, 1, 2) @ centred / 8
    for one, other in ((found, slow), (found**2, slow**2)):
        error = np.hypot(one.std(axis=0), other.std(axis=0)) / np.sqrt(runs)
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4.5 * error).all()
    error = np.sqrt(2 * np.diag(covariance + extra) / 9 / runs)
    assert (np.abs(fitted.mean.mean(axis=0) - model.mean) < 4.5 * error).all()


@pytest.mark.parametrize(("samples", "rank"), [(2, 1), (3, 2), (4, 3), (5, 3)])
def test_too_few_vectors_lose_rank_for_good(samples, rank):
    model = hf.MultivariateGaussian(np.zeros(3), np.eye(3))
    runs = hf.simulate(model, samples=samples, generations=60, replicates=32, seed=1)
    assert (runs["rank"][:, 1:] == rank).all()
    assert np.isneginf(runs["log_variance_ratio"][:, 1:]).all() == (rank < 3)


def test_fresh_vectors_bring_rank_back():
    model = hf.MultivariateGaussian(np.zeros(3), np.eye(3))
    regime = hf.Fresh(share=0.5)
    runs = hf.simulate(model, samples=4, generations=4, regime=regime, replicates=32, seed=1)
    assert (runs["rank"] == 3).all()


def slow_approximate(values):
    """Follow the paper's formulas for one sample, step by step."""
    n, eta = len(values), 2.0
    m, s = np.mean(np.abs(values)), np.mean(values**2)
    kappa = np.exp((eta - 1) * ((n - 1) / 2 + 4 * eta) / (eta * (n - 1) * (n + 4 * eta - 1))) - 1
    a = 50.0
    if s > (1 + kappa) * m**2:
        a = 2 * (1 + kappa) * s / (s - (1 + kappa) * m**2)
    variance = s
    if s <= 2 * a / (a - 2) * m**2:
        variance = a * s * (s - m**2) / (a * m**2 + 2 * s)
    return np.sqrt(s - variance), np.sqrt(variance)


def test_the_approximate_joint_estimator_against_its_formulas(rng):
    values = rng.normal(0, 1, (200, 10)) + 1.5 * rng.choice([-1, 1], (200, 10))
    found = np.stack(approximate_joint(values))
    slow = np.array([slow_approximate(row) for row in values]).T
    assert_allclose(found, slow, rtol=1e-10, atol=1e-7)


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.5, 30.0])
def test_the_exact_joint_estimator_maximises_the_likelihood(rng, mean):
    values = rng.normal(0, 1, (3000, 10)) + mean * rng.choice([-1, 1], (3000, 10))
    means, deviations = exact_joint(values)

    def likelihood(mean, deviation):
        mean, deviation = mean[:, None], deviation[:, None]
        logs = [-((values - sign * mean) ** 2) / (2 * deviation**2) for sign in (1, -1)]
        return np.sum(np.logaddexp(*logs) - np.log(deviation), axis=1)

    best, root = likelihood(means, deviations), np.sqrt(np.mean(values**2, axis=1))
    # On the ridge σ² = S - μ² where every maximum lies, no point of a grid is better.
    for share in np.linspace(0.0, 0.999, 200):
        other = share * root
        assert (likelihood(other, np.sqrt(root**2 - other**2)) <= best + 1e-6).all()


def test_mixtures_are_drawn_from_both_components(rng):
    model = hf.SymmetricMixture(3.0, 0.5)
    chain = model.chain(4000, stages=hf.Stages(degradation=hf.AdditiveNoise(1.2)))
    pool = chain.generate(rng, chain.start(1), 4000)
    pool = chain.mix(rng, pool, Mix(generated=4000, fresh=10))
    assert pool.values.shape == (1, 4010)
    drawn = pool.values[0, :4000]
    upper = drawn[drawn > 0]
    assert upper.size == pytest.approx(2000, abs=4.5 * np.sqrt(1000))
    assert upper.std() == pytest.approx(1.3, rel=0.08)


@pytest.mark.parametrize("model", [*SCALAR, hf.SymmetricMixture(1.0, 1.0)], ids=str)
def test_a_reserve_is_refused(model):
    with pytest.raises(ArgumentError, match="replace or fresh"):
        hf.simulate(
            model, samples=10, generations=2, regime=hf.Anchor.from_mapping({"a": 1}), seed=1
        )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hf.Bernoulli(1.2), "probability: got 1.2, takes a number from 0 to 1"),
        (lambda: hf.Poisson(0.0), "rate: got 0.0, takes a number above 0"),
        (lambda: hf.Gaussian(0.0, 0.0), "deviation: got 0.0, takes a number above 0"),
        (lambda: hf.Gaussian(float("nan"), 1.0), "mean"),
        (lambda: hf.Gaussian(0.0, 1.0, ddof=2), "ddof: got 2, takes 0 or 1"),
        (lambda: hf.Gaussian(0.0, 1.0).chain(1), "samples: got 1, takes a whole number from 2"),
        (lambda: hf.MultivariateGaussian(np.zeros(2), np.ones((2, 2))), "singular"),
        (lambda: hf.MultivariateGaussian(np.zeros(2), np.eye(3)), "shapes"),
        (lambda: hf.SymmetricMixture(-1.0, 1.0), "mean"),
        (lambda: hf.SymmetricMixture(1.0, 1.0, estimator="map"), "estimator: got map"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_chances_of_zero_and_one_stay():
    for chance in (0.0, 1.0):
        runs = hf.simulate(hf.Bernoulli(chance), samples=10, generations=3, replicates=32, seed=1)
        assert_array_equal(runs["probability"], chance)


def test_few_fresh_vectors_add_up_in_rank():
    model = hf.MultivariateGaussian(np.zeros(5), np.eye(5))
    runs = hf.simulate(
        model, samples=4, generations=3, regime=hf.Fresh(share=0.5), replicates=32, seed=1
    )
    assert (runs["rank"][:, 1:] == 3).all()


def test_whole_numbers_are_parameters_too():
    for whole, decimal in (
        (hf.Gaussian(70, 12), hf.Gaussian(70.0, 12.0)),
        (hf.Poisson(3), hf.Poisson(3.0)),
        (hf.Bernoulli(1), hf.Bernoulli(1.0)),
        (hf.SymmetricMixture(2, 1), hf.SymmetricMixture(2.0, 1.0)),
    ):
        one, two = (
            hf.simulate(model, samples=10, generations=4, replicates=40, seed=1)
            for model in (whole, decimal)
        )
        for name in one.data_vars:
            assert_array_equal(one[name], two[name])


def test_the_unbiased_variance_is_unbiased_under_any_weight():
    for weight in (0.3, 1.0, 9.0):
        runs = hf.simulate(
            hf.Gaussian(0.0, 1.0),
            samples=20,
            generations=1,
            regime=hf.Fresh(share=0.2),
            stages=hf.Stages(real_weight=weight),
            replicates=20_000,
            seed=3,
        )
        variance = runs["deviation"][:, 1].to_numpy() ** 2
        assert abs(variance.mean() - 1.0) < 4.5 * variance.std() / np.sqrt(20_000)


def test_the_golden_ratio_is_about_the_best_weight_for_the_variance_too():
    def spread(share):
        stages = hf.Stages(real_weight=share / (1.0 - share))
        runs = hf.simulate(
            hf.Gaussian(0.0, 1.0),
            generations=40,
            samples=200,
            regime=hf.Fresh(share=0.5),
            stages=stages,
            replicates=6000,
            seed=6,
        )
        return float((runs["deviation"][:, -1] ** 2).var())

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    assert spread(golden) < 0.97 * min(spread(0.4), spread(0.85))


def test_distinct_models_have_distinct_descriptions():
    chains = [
        hf.Gaussian(0, 1).chain(9),
        hf.Gaussian(0, 1, ddof=0).chain(9),
        hf.Gaussian(0, 1, ddof=0).chain(8),
        hf.Gaussian(0, 1 + 1e-12).chain(9),
        hf.Gaussian(0, 1).chain(9, stages=hf.Stages(rounding=hf.Grid(step=0.123456789))),
        hf.Gaussian(0, 1).chain(9, stages=hf.Stages(rounding=hf.Grid(step=0.123456))),
        hf.SymmetricMixture(0, 1).chain(9),
        hf.SymmetricMixture(0, 1, estimator="joint-ml").chain(9),
        hf.Bernoulli(0.25).chain(9),
        hf.Bernoulli(0.25, estimator=hf.AddDelta(1.0)).chain(9),
    ]
    described = [str(chain.describe()) for chain in chains]
    assert len(set(described)) == len(described)


def test_far_intervals_are_drawn_alike_on_both_sides(rng):
    one = np.ones(1)
    above = interval_draws(rng, 0.0 * one, one, 5000, hf.Interval(8.5, 9.5))
    below = interval_draws(rng, 0.0 * one, one, 5000, hf.Interval(-9.5, -8.5))
    assert ((above >= 8.5) & (above <= 9.5)).all()
    assert np.unique(above).size == 5000
    assert above.mean() == pytest.approx(-below.mean(), abs=4.5 * above.std() / np.sqrt(2500))


@pytest.mark.parametrize(
    "stages",
    [
        hf.Stages(),
        hf.Stages(degradation=hf.GaussianContamination(0.3, 5.0, 1.0)),
        hf.Stages(selection=hf.Interval(0.0, 1.0)),
        hf.Stages(degradation=hf.AdditiveNoise(1.0), real_weight=2.0),
    ],
    ids=lambda stages: str(stages.describe()),
)
def test_real_data_alone_leave_nothing_to_generate(stages):
    runs = hf.simulate(
        hf.Gaussian(1.0, 2.0),
        samples=30,
        generations=2,
        regime=hf.Fresh(share=1.0),
        stages=stages,
        replicates=2000,
        seed=1,
    )
    deviation = runs["deviation"][:, 2].to_numpy()
    assert abs((deviation**2).mean() - 4.0) < 4.5 * (deviation**2).std() / np.sqrt(2000)
