import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import hayflick as hf
from hayflick.core.errors import ArgumentError

MODEL = hf.Discrete.zipf_mandelbrot(30, exponent=1.0)
READING = np.array([[0.5, 0.3, 0.2, 0.0], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25], [0.1, 0, 0, 0.9]])
SAMPLES = np.array([20, 50, 5, 200])
SHARES = np.array([0.0, 0.1, 0.3, 0.02])


def reference(model, *, reading, samples, real_shares, generations):
    """Return Q by the recursion of Q and c as it is stated, entry by entry."""
    f = np.asarray(real_shares, float)
    a = (1.0 - f)[:, None] * reading
    h = np.sum(model.probabilities**2)
    models = len(f)
    q, c = np.full((models, models), h), np.full(models, h)
    path = [q]
    for _ in range(generations):
        new = np.empty_like(q)
        for i in range(models):
            for j in range(models):
                r = a[i] @ q @ a[j] + (a[i] @ c) * f[j] + f[i] * (a[j] @ c) + h * f[i] * f[j]
                new[i, j] = r if i != j else (1 - 1 / samples[i]) * r + 1 / samples[i]
        q, c = new, a @ c + h * f
        path.append(q)
    return np.array(path)


def test_the_recursion_as_stated_gives_the_same():
    settings = {"reading": READING, "samples": SAMPLES, "real_shares": SHARES, "generations": 60}
    path = reference(MODEL, **settings)
    law = hf.network_law(MODEL, **settings)
    own = np.diagonal(path, axis1=1, axis2=2)
    assert_allclose(law.within, 1 - own, rtol=1e-12)
    squared = [np.sum(d[:, None] + d - 2 * q) for d, q in zip(own, path, strict=True)]
    assert_allclose(law.squared_distance, squared, rtol=1e-10, atol=1e-13)
    assert_allclose(law.heterozygosity, 1 - path[-1], rtol=1e-12)
    assert law.name == "exact"


def test_one_model_is_one_chain():
    counts = hf.Discrete.from_counts({"a": 30, "b": 15, "c": 5})
    for share in (0.0, 0.2):
        law = hf.network_law(counts, reading=[[1.0]], real_shares=share, generations=40)
        assert law.squared_distance.tolist() == [0.0] * 41
        assert law.distance is None
        if share == 0:
            expected = hf.expected_diversity(counts, generations=40).expected
            assert_allclose(law.within[:, 0], expected, rtol=1e-13)


def test_a_share_of_each_draw_loses_a_little_more_than_a_fixed_number_of_real_items():
    # Here every draw is real with probability f; Fresh trains on exactly f n real items.
    counts = hf.Discrete.from_counts({"a": 50, "b": 50})
    law = hf.network_law(counts, reading=[[1.0]], real_shares=0.5, generations=1)
    fixed = hf.expected_diversity(counts, generations=1, regime=hf.Fresh(0.5)).expected
    assert law.within[1, 0] == pytest.approx(fixed[1])
    later = hf.network_law(counts, reading=[[1.0]], real_shares=0.5, generations=20).within[-1, 0]
    assert later < hf.expected_diversity(counts, generations=20, regime=hf.Fresh(0.5)).expected[-1]


def test_a_complete_network_by_hand():
    # Two models that read both: S = mean of H everywhere, so H_12 follows the mean.
    coin = hf.Discrete.from_counts({"heads": 5, "tails": 5})
    law = hf.network_law(coin, reading=np.full((2, 2), 0.5), samples=10, generations=2)
    # Round 1: S = .5, H_ii = .45, H_12 = .5. Round 2: S = .475, H_ii = .4275.
    assert_allclose(law.within, [[0.5, 0.5], [0.45, 0.45], [0.4275, 0.4275]])
    assert_allclose(law.squared_distance, [0.0, 0.2, 0.19])
    assert_allclose(law.heterozygosity, [[0.4275, 0.475], [0.475, 0.4275]])
    assert_allclose(law.squared_distances, [[0.0, 0.095], [0.095, 0.0]])
    assert_allclose(law.distance, np.sqrt([0.0, 0.1, 0.095]))
    assert_allclose(law.between, [0.0, 0.025, 0.02375])
    assert_allclose(law.total, [0.5, 0.475, 0.45125])
    assert_allclose(law.drift[-1], [0.0725, 0.0725])


def test_silos_are_independent_chains():
    law = hf.network_law(MODEL, reading=np.eye(3), samples=[5, 10, 20], generations=12)
    kept = (1 - 1 / np.array([5, 10, 20])) ** 12
    assert_allclose(law.within[-1], law.real * kept, rtol=1e-13)
    # Independent models stay as far from one another in the mean as p_0 from itself.
    assert_allclose(law.heterozygosity[0, 1], law.real)
    gap = law.real * (1 - kept[0] + 1 - kept[1])
    assert law.squared_distances[0, 1] == pytest.approx(gap)


def test_real_data_alone_leave_the_noise_of_the_samples():
    law = hf.network_law(
        MODEL, reading=np.zeros((4, 4)), samples=25, real_shares=1.0, generations=9
    )
    assert_allclose(law.within[1:], law.real * (1 - 1 / 25))
    assert_allclose(law.squared_distance[1:], 4 * 3 * 2 * law.real / 25)
    assert law.settled == 1


def test_models_may_be_numbered_in_any_order(rng):
    order = rng.permutation(4)
    law = hf.network_law(MODEL, reading=READING, samples=SAMPLES, real_shares=SHARES, generations=9)
    shuffled = hf.network_law(
        MODEL,
        reading=READING[np.ix_(order, order)],
        samples=SAMPLES[order],
        real_shares=SHARES[order],
        generations=9,
    )
    assert_allclose(shuffled.within, law.within[:, order])
    assert_allclose(shuffled.squared_distance, law.squared_distance)


@pytest.mark.parametrize("models", [3, 40, 300])
def test_sparse_and_dense_give_the_same(models, rng):
    ring = np.eye(models) / 2 + (np.roll(np.eye(models), 1, 1) + np.roll(np.eye(models), -1, 1)) / 4
    settings = {"samples": rng.integers(2, 90, models), "real_shares": rng.random(models) / 9}
    dense = hf.network_law(MODEL, reading=ring, generations=7, **settings)
    thin = hf.network_law(MODEL, reading=sparse.csr_array(ring), generations=7, **settings)
    assert_allclose(thin.within, dense.within, rtol=1e-12)
    assert_allclose(thin.heterozygosity, dense.heterozygosity, rtol=1e-12)
    assert_allclose(dense.heterozygosity, dense.heterozygosity.T, rtol=1e-14)


@pytest.mark.parametrize(
    "change",
    [
        {"reading": READING[::-1]},
        {"samples": 30},
        {"real_shares": 0.1},
        {"model": hf.Discrete.zipf_mandelbrot(30, exponent=2.0)},
    ],
)
def test_every_parameter_matters(change):
    settings = {"model": MODEL, "reading": READING, "samples": SAMPLES, "real_shares": SHARES}
    before, after = (
        hf.network_law(changed.pop("model"), generations=5, **changed)
        for changed in (dict(settings), {**settings, **change})
    )
    assert abs(before.squared_distance[-1] - after.squared_distance[-1]) > 1e-4
    assert abs(before.within[-1] - after.within[-1]).min() > 1e-5


def test_a_network_with_real_data_settles_and_says_when():
    settings = {"reading": READING, "samples": SAMPLES, "real_shares": 0.1}
    law = hf.network_law(MODEL, generations=5000, **settings)
    assert 50 < law.settled < 500
    plain = reference(
        MODEL, reading=READING, samples=SAMPLES, real_shares=[0.1] * 4, generations=900
    )
    assert_allclose(law.within[-1], 1 - np.diag(plain[-1]), rtol=1e-10)
    assert hf.network_law(MODEL, generations=20, **settings).settled is None


def test_models_that_read_one_another_end_as_one_symbol():
    law = hf.network_law(MODEL, reading=READING, samples=10, generations=4000)
    assert law.within[-1].max() < 1e-9
    assert law.squared_distance[-1] < 1e-9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reading": [[0.5, 0.4], [0, 1]]}, "reading: got a row of model 0 that adds up to 0.9"),
        ({"reading": [[1.5, -0.5], [0, 1]]}, "reading: got an entry of -0.5"),
        ({"reading": [[np.nan, 1], [0, 1]]}, "reading: got an entry of nan"),
        ({"reading": [[1, 0]]}, r"reading: got shape \(1, 2\)"),
        ({"reading": np.zeros((0, 0))}, r"reading: got shape \(0, 0\)"),
        ({"reading": [[1, 0], [0, 0]]}, "models that read nobody: '1', takes .* let it read"),
        (
            {"samples": [1, 2, 3]},
            r"samples: got an array of shape \(3,\), takes .* 2: one per model",
        ),
        ({"samples": 0}, "samples: got 0"),
        ({"samples": 2.5}, "samples: got 2.5"),
        ({"real_shares": [0.5, 1.5]}, "real_shares: got 1.5"),
        ({"real_shares": np.nan}, "real_shares: got nan"),
        ({"generations": 0}, "generations: got 0"),
        (
            {"model": hf.Discrete.from_counts({"a": 3}, estimator=hf.AddDelta(0.1))},
            "estimator: got add",
        ),
    ],
)
def test_mistakes_are_refused(settings, message):
    given = {"reading": np.eye(2), "samples": 9, "generations": 3, "model": MODEL, **settings}
    model = given.pop("model")
    with pytest.raises(ArgumentError, match=message):
        hf.network_law(model, **given)


def test_a_law_without_data_needs_samples():
    with pytest.raises(ArgumentError, match="samples: got None"):
        hf.network_law(MODEL, reading=np.eye(2), generations=3)
