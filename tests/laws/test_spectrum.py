import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.laws.branching import survival_exponents
from hayflick.laws.survival import spectrum_of


def nothing(model):
    return np.zeros(model.types, np.int64)


def test_equal_counts_share_a_node():
    model = hf.Discrete.from_counts({"a": 5, "b": 2, "c": 2, "d": 1})
    spectrum = spectrum_of(model, reserve=nothing(model))
    assert_allclose(spectrum.probabilities, [0.1, 0.2, 0.5])
    assert spectrum.weights.tolist() == [1, 2, 1]


def test_reserved_symbols_are_left_out():
    model = hf.Discrete.from_counts({"a": 5, "b": 2, "c": 2, "d": 1})
    spectrum = spectrum_of(model, reserve=np.array([1, 0, 3, 0]))
    assert_allclose(spectrum.probabilities, [0.1, 0.2])
    assert spectrum.weights.tolist() == [1, 1]
    assert spectrum_of(model, reserve=np.ones(4, np.int64)).weights.size == 0


@pytest.mark.parametrize("largest", [9, 10**12])
def test_counts_of_any_size_are_grouped(largest):
    model = hf.Discrete.from_counts({"a": largest, "b": 3, "c": 3})
    assert spectrum_of(model, reserve=nothing(model)).weights.tolist() == [2, 1]


@pytest.mark.parametrize("exponent", [0.7, 1.1, 2.0])
def test_many_distinct_values_are_binned_without_changing_the_law(exponent):
    model = hf.Discrete.zipf_mandelbrot(60_000, exponent=exponent, offset=2.7)
    spectrum = spectrum_of(model, reserve=nothing(model))
    assert spectrum.weights.size < 10_000
    assert spectrum.weights.sum() == pytest.approx(60_000)
    for exponent_k in 1e5 * survival_exponents(100)[[0, 9, 99]]:
        full = -np.expm1(-model.probabilities * exponent_k)
        binned = spectrum.weights @ -np.expm1(-spectrum.probabilities * exponent_k)
        assert binned == pytest.approx(full.sum(), rel=1e-7)
