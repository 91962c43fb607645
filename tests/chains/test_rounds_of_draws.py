"""Several rounds against loops that draw every item: rounding, and the mixture."""

import numpy as np
import pytest

import hayflick as hf

RUNS, ROUNDS, ITEMS = 4000, 4, 12


def nearest(value, step):
    return step * np.floor(value / step + 0.5) if step else value


def slow_run(rng, model, step):
    """Return the last parameters of one run, from items drawn one training set at a time."""
    match model:
        case hf.Bernoulli(probability):
            for _ in range(ROUNDS):
                probability = nearest(np.mean(rng.random(ITEMS) < probability), step)
            return (probability,)
        case hf.Poisson(rate):
            for _ in range(ROUNDS):
                rate = nearest(np.mean(rng.poisson(rate, ITEMS)), step)
            return (rate,)
        case hf.Gaussian(mean, deviation):
            for _ in range(ROUNDS):
                items = rng.normal(mean, deviation, ITEMS)
                mean, deviation = nearest(items.mean(), step), nearest(items.std(ddof=1), step)
            return mean, deviation
        case hf.SymmetricMixture(mean, deviation):
            for _ in range(ROUNDS):
                items = rng.choice([-1, 1], ITEMS) * mean + rng.normal(0, deviation, ITEMS)
                mean, deviation = approximate(items)
            return mean, deviation


def approximate(items):
    """Fit two mirrored Gaussians by the formulas of Suresh et al., Theorem 4."""
    n, m, s = len(items), np.mean(np.abs(items)), np.mean(items**2)
    kappa = np.exp(((n - 1) / 2 + 8) / (2 * (n - 1) * (n + 7))) - 1
    gap = s - (1 + kappa) * m**2
    a = 50.0 if gap <= 0 else 2 * (1 + kappa) * s / gap
    variance = a * s * (s - m**2) / (a * m**2 + 2 * s) if s <= 2 * a / (a - 2) * m**2 else s
    return np.sqrt(s - variance), np.sqrt(variance)


@pytest.mark.parametrize(
    ("model", "step"),
    [
        (hf.Bernoulli(0.3), 0.15),
        (hf.Poisson(1.6), 0.4),
        (hf.Gaussian(1.05, 2.1), 0.35),
        (hf.SymmetricMixture(1.5, 1.0), 0.0),
    ],
    ids=str,
)
def test_the_last_round_against_loops(rng, model, step):
    stages = hf.Stages(rounding=hf.Grid(step=step)) if step else hf.Stages()
    settings = {"samples": ITEMS, "generations": ROUNDS, "replicates": RUNS, "seed": 9}
    runs = hf.simulate(model, stages=stages, **settings)
    slow = np.array([slow_run(rng, model, step) for _ in range(RUNS)]).T
    for values, other in zip(runs.data_vars.values(), slow, strict=True):
        fast = values[:, -1].to_numpy()
        for power in (1, 2):
            one, two = fast**power, other**power
            error = np.hypot(one.std(), two.std()) / np.sqrt(RUNS)
            assert abs(one.mean() - two.mean()) < 4.5 * error
