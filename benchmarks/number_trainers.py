"""How well `hayflick.calibrate_numbers` finds what a trainer of numbers is like, and what follows.

Trainers of known effective share and factor (a subsample, a kernel density, a narrowed scale, and
Gaussian ones drawn at random) and one of which neither is known: a mixture fitted by EM, whose own
further rounds are the truth. Every record has four rounds, the forecast looks five ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import hayflick as hf
from pairs import Result

RECORDS, ROUNDS, AHEAD, SAMPLES = 200, 4, 5, 400
COVERAGE = 0.85
HEADER = "| trainer | 90 % intervals hold | mean half-width | forecasts hold | target | met |"

Trainer = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """A trainer's effective share and factor; None where they are not known."""

    trainer: Trainer
    share: float | None = None
    factor: float | None = None


def gaussian(share: float, factor: float) -> Trainer:
    """Return a trainer that fits a Gaussian to a part of the data and changes its scale."""

    def train(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
        part = rng.choice(numbers, max(2, round(share * numbers.size)), replace=False)
        deviation = np.sqrt(factor) * part.std(ddof=1)
        return rng.normal(part.mean(), deviation, numbers.size)

    return train


def kernel_density(bandwidth: float) -> Trainer:
    """Return a trainer that draws from a kernel density with a bandwidth in deviations."""

    def train(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
        noise = rng.normal(0.0, bandwidth * numbers.std(ddof=1), numbers.size)
        return rng.choice(numbers, numbers.size) + noise

    return train


def mixture(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
    """Train a mixture of two Gaussians by 30 steps of EM, and draw from it."""
    means = np.quantile(numbers, [0.25, 0.75])
    deviations, weights = np.full(2, numbers.std()), np.full(2, 0.5)
    for _ in range(30):
        distance = (numbers[:, None] - means) / deviations
        log = np.log(weights / deviations) - 0.5 * distance**2
        belongs = np.exp(log - log.max(axis=1, keepdims=True))
        belongs /= belongs.sum(axis=1, keepdims=True)
        mass = belongs.sum(axis=0)
        means = (belongs * numbers[:, None]).sum(axis=0) / mass
        squares = (belongs * (numbers[:, None] - means) ** 2).sum(axis=0) / mass
        deviations = np.sqrt(np.maximum(squares, 1e-4 * numbers.var()))
        weights = mass / numbers.size
    kinds = rng.choice(2, numbers.size, p=weights / weights.sum())
    return rng.normal(means[kinds], deviations[kinds])


def two_humps(rng: np.random.Generator, samples: int) -> np.ndarray:
    """Draw real numbers from two overlapping groups."""
    return rng.normal(np.where(rng.random(samples) < 0.4, -1.0, 1.0), 0.7)


TRAINERS = {
    "the ideal one": Truth(gaussian(1.0, 1.0), 1.0, 1.0),
    "a Gaussian of half the data": Truth(gaussian(0.5, 1.0), 0.5, 1.0),
    "a scale of .9": Truth(gaussian(1.0, 0.81), 1.0, 0.81),
    "a kernel density, h = .2": Truth(kernel_density(0.2), 1.0, 1.04),
    "a mixture of two, by EM": Truth(mixture),
}


def results() -> Iterator[Result]:
    """Yield how often intervals of the parameters and of the forecast hold the truth."""
    for name, truth in TRAINERS.items():
        yield _covered(name, lambda _, truth=truth: truth)
    yield _covered("Gaussian ones drawn at random", _random)


def _random(rng: np.random.Generator) -> Truth:
    share, factor = float(rng.uniform(0.2, 1.0)), float(np.exp(rng.normal(0.0, 0.05)))
    return Truth(gaussian(share, factor), round(share * SAMPLES) / SAMPLES, factor)


def _covered(name: str, draw: Callable[[np.random.Generator], Truth]) -> Result:
    rng = np.random.default_rng(2024)
    shares, factors, forecasts, widths = [], [], [], []
    for _ in range(RECORDS):
        truth = draw(rng)
        known = truth.share is not None
        rounds = [rng.normal(0.0, 1.0, SAMPLES) if known else two_humps(rng, SAMPLES)]
        for _ in range(ROUNDS + AHEAD - 1):
            rounds.append(truth.trainer(rng, rounds[-1]))
        fit = hf.calibrate_numbers(rounds[:ROUNDS], ahead=AHEAD)
        ahead, left = fit.forecast, rounds[-1].std(ddof=1) / rounds[0].std(ddof=1)
        forecasts.append(ahead.low[0, -1] <= left <= ahead.high[0, -1])
        widths.append((ahead.high[0, -1] - ahead.low[0, -1]) / 2.0)
        if truth.share is not None and truth.factor is not None:
            share, factor = fit.parameters.values()
            shares.append(share.low <= truth.share <= share.high)
            factors.append(factor.low <= truth.factor <= factor.high)
    found = [float(np.mean(one)) for one in (shares, factors) if one]
    met = float(np.mean(forecasts)) >= COVERAGE and all(one >= COVERAGE for one in found)
    return Result(
        name,
        "–" if not found else f"{found[0]:.3f} of e, {found[1]:.3f} of g",
        f"{np.mean(widths):.3f}",
        f"{np.mean(forecasts):.3f} of the spreads",
        f"≥ {COVERAGE} of each",
        met,
    )
