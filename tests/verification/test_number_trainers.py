"""Trainers of numbers with a known effective sample size and factor, and records of them."""

import numpy as np
import pytest

import hayflick as hf

RECORDS, ROUNDS, AHEAD, SAMPLES = 24, 4, 5, 300


def gaussian(share, scale):
    def train(rng, numbers):
        part = rng.choice(numbers, round(share * numbers.size), replace=False)
        return rng.normal(part.mean(), scale * part.std(ddof=1), numbers.size)

    return train


def kernel_density(rng, numbers):
    noise = rng.normal(0.0, 0.2 * numbers.std(ddof=1), numbers.size)
    return rng.choice(numbers, numbers.size) + noise


@pytest.mark.parametrize(
    ("trainer", "share", "factor"),
    [(gaussian(0.5, 1.0), 0.5, 1.0), (gaussian(1.0, 0.9), 1.0, 0.81), (kernel_density, 1.0, 1.04)],
    ids=["half of the data", "narrowed", "smoothed"],
)
def test_intervals_hold_the_truth_and_the_rounds_that_follow(trainer, share, factor):
    rng = np.random.default_rng(7)
    held = np.zeros(3)
    for _ in range(RECORDS):
        rounds = [rng.normal(50.0, 9.0, SAMPLES)]
        for _ in range(ROUNDS + AHEAD - 1):
            rounds.append(trainer(rng, rounds[-1]))
        fit = hf.calibrate_numbers(rounds[:ROUNDS], ahead=AHEAD)
        found = fit.parameters["effective_share"], fit.parameters["variance_factor"]
        left = rounds[-1].std(ddof=1) / rounds[0].std(ddof=1)
        ahead = fit.forecast.low[0, -1], fit.forecast.high[0, -1]
        held += [
            found[0].low <= share <= found[0].high,
            found[1].low <= factor <= found[1].high,
            ahead[0] <= left <= ahead[1],
        ]
    # 90 %, less four standard errors of so few records.
    assert (held / RECORDS > 0.65).all()


def test_many_rounds_find_the_effective_size_of_half_the_data():
    rng, train = np.random.default_rng(8), gaussian(0.5, 1.0)
    rounds = [rng.normal(50.0, 9.0, SAMPLES)]
    for _ in range(40):
        rounds.append(train(rng, rounds[-1]))
    size = hf.calibrate_numbers(rounds).effective_size
    assert size.value == pytest.approx(SAMPLES / 2, rel=0.3)
    assert size.low < SAMPLES / 2 < size.high < SAMPLES
