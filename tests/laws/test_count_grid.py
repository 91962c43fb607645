from itertools import islice

import numpy as np
import pytest

import hayflick as hf
from hayflick.laws.count_grid import surviving_shares

LABELS = {"R": 3000, "PG-13": 1500, "PG": 400, "NC-17": 16}
WORDS = {f"w{rank}": 1 + 400 // rank for rank in range(1, 300)}


@pytest.mark.parametrize(("samples", "within"), [(1, 1e-9), (2, 1e-9), (300, 1e-9)])
@pytest.mark.parametrize("delta", [0.0, 0.1])
@pytest.mark.parametrize("counts", [LABELS, WORDS], ids=["labels", "words"])
def test_shares_are_those_of_the_exact_law(counts, delta, samples, within):
    model = hf.Discrete.from_counts(counts).with_estimator(hf.AddDelta(delta))
    exact = hf.survival(model, generations=30, samples=samples, law="exact").surviving_fraction
    shares = np.array(list(islice(surviving_shares(model, samples=samples), 30)))
    # Of one symbol at least a training set holds an item.
    np.testing.assert_allclose(np.maximum(shares, 1 / model.types), exact[1:], atol=within)


def test_long_lines_of_a_few_labels_agree_with_simulation():
    model = hf.Discrete.from_counts(LABELS)
    shares = np.array(list(islice(surviving_shares(model), 300)))[100::100]
    runs = hf.simulate(model, generations=300, replicates=160, seed=3)["surviving_fraction"]
    error = runs.std("replicate").to_numpy()[101::100] / np.sqrt(160)
    assert (np.abs(runs.mean("replicate").to_numpy()[101::100] - shares) <= 4 * error).all()


def test_one_symbol_survives():
    assert list(islice(surviving_shares(hf.Discrete.from_counts({"a": 9})), 3)) == [1.0] * 3


def test_larger_training_sets_are_interpolated_closely():
    model = hf.Discrete.from_counts(LABELS)
    exact = hf.survival(model, generations=100, samples=620, law="exact").surviving_fraction
    shares = list(islice(surviving_shares(model, samples=620), 100))
    np.testing.assert_allclose(shares, exact[1:], atol=1e-6)
