"""Exact matrix, branching law and simulation hold one another to account."""

import numpy as np
import pytest

import hayflick as hf

GENERATIONS = 25
SIGMAS = 4.5


def model_of(n, p):
    """Return a law of one symbol of probability p among others, and one symbol to store."""
    count = max(1, round(n * p))
    rest = n - count - n // 5
    counts = {"rare": count, "stored": n // 5, "half": rest // 2, "other": rest - rest // 2}
    return hf.Discrete.from_counts(counts)


def regime_of(n, fresh, anchored):
    if anchored:
        return hf.Anchor.from_mapping({"stored": n // 10})
    return hf.Fresh(share=fresh) if fresh else hf.Replace()


@pytest.mark.parametrize(
    ("n", "p"),
    # Of 20 items, 0.2 % are one item as 5 % are.
    [(20, 0.05), (20, 0.3), *((n, p) for n in (100, 500) for p in (0.002, 0.05, 0.3))],
)
@pytest.mark.parametrize(
    ("fresh", "anchored"), [(0, False), (0.05, False), (0.5, False), (1.0, False), (0, True)]
)
def test_exact_branching_and_simulation(n, p, fresh, anchored):
    model, regime = model_of(n, p), regime_of(n, fresh, anchored)
    settings = {"generations": GENERATIONS, "regime": regime}
    exact = hf.survival(model, law="exact", **settings)
    branching = hf.survival(model, law="branching", **settings)
    excess = exact.surviving_fraction - branching.surviving_fraction
    assert excess.min() > -1e-9
    assert excess.max() <= branching.error
    runs = hf.simulate(model, replicates=2000, seed=n, **settings)
    assert_close(runs["surviving_fraction"].to_numpy(), exact.surviving_fraction)
    expected = hf.expected_diversity(model, **settings).expected
    assert_close(runs["diversity"].to_numpy(), expected)


@pytest.mark.parametrize("delta", [0.02, 0.5])
@pytest.mark.parametrize("regime", [hf.Replace(), hf.Fresh(share=0.1)], ids=lambda r: r.describe())
def test_smoothing(delta, regime):
    model = hf.Discrete.zipf_mandelbrot(40, exponent=1.0)
    counts = dict(zip(model.symbols, np.ceil(200 * model.probabilities).astype(int), strict=True))
    model = hf.Discrete.from_counts(counts, estimator=hf.AddDelta(delta))
    settings = {"generations": GENERATIONS, "regime": regime}
    runs = hf.simulate(model, replicates=2000, seed=3, **settings)
    assert_close(
        runs["surviving_fraction"].to_numpy(),
        hf.survival(model, law="exact", **settings).surviving_fraction,
    )
    assert_close(runs["diversity"].to_numpy(), hf.expected_diversity(model, **settings).expected)


@pytest.mark.parametrize("share", [0.0, 0.05])
def test_a_training_set_of_another_size_than_the_data(share):
    law = hf.Discrete.zipf_mandelbrot(3000, exponent=1.1, offset=2.7)
    settings = {"generations": 20, "regime": hf.Fresh(share=share), "samples": 20_000}
    runs = hf.simulate(law, replicates=320, seed=5, **settings)
    expected = hf.survival(law, **settings)
    assert expected.name == "branching"
    assert expected.error < 2e-3
    assert_close(runs["surviving_fraction"].to_numpy(), expected.surviving_fraction)


def assert_close(runs, expected):
    # Where hardly a run differs from the others, their own spread says too little: a share of
    # four symbols has at least the spread of one coin in four.
    coin = np.sqrt(np.clip(expected * (1 - expected), 0, None)) / 4
    error = np.maximum(runs.std(axis=0, ddof=1), coin) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(axis=0) - expected) <= SIGMAS * error + 1e-9).all()
