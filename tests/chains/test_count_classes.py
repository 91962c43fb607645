import numpy as np
import pytest

from hayflick.chains.block_counts import count_classes


def test_classes_by_hand():
    classes = count_classes(np.array([1, 2, 5, 6, 7, 8, 9, 10, 14, 15, 99, 100, 12_345]))
    assert classes.lower.tolist() == [1, 2, 5, 6, 8, 10, 15, 80, 100, 10_000]
    assert classes.sizes.tolist() == [1, 1, 1, 2, 2, 2, 1, 1, 1, 1]


def test_expected_counts_below_one_have_a_class():
    classes = count_classes(np.array([0.01, 0.99, 1.0, 2.7]))
    assert classes.lower.tolist() == [0, 1, 2]
    assert classes.sizes.tolist() == [2, 1, 1]


@pytest.mark.parametrize("largest", [1, 9, 10, 999_999, 10**9])
def test_every_symbol_has_a_class_at_or_below_its_count(largest):
    counts = np.unique(np.geomspace(1, largest, 50).astype(np.int64))
    classes = count_classes(counts)
    assert (classes.lower[classes.of_symbol] <= counts).all()
    assert classes.sizes.sum() == counts.size
