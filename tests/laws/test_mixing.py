import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from hayflick.core.errors import ArgumentError
from hayflick.laws.network import mixing, sample_sizes

READING = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.2, 0.3, 0.5]])


def test_what_is_read_and_what_is_real_add_up_to_one():
    for reading in (READING, sparse.csr_array(READING), sparse.coo_array(READING)):
        mix = mixing(reading, real_shares=[0.1, 0.0, 1.0])
        sums = np.asarray(mix.matrix.sum(axis=1)).ravel()
        assert_allclose(sums + mix.real_shares, 1.0)
        assert sparse.issparse(mix.matrix) == sparse.issparse(reading)
        assert mix.models == 3


def test_the_reading_matrix_stays_as_it_was():
    reading = READING.copy()
    mixing(reading, real_shares=0.5)
    assert (reading == READING).all()


def test_it_says_what_it_is():
    assert repr(mixing(READING, real_shares=0.25)) == (
        "Mixing(models=3, dense, real_shares=0.25 … 0.25)"
    )


def test_only_who_has_no_need_to_read_may_read_nobody():
    nobody = [[0.0, 0.0], [0.5, 0.5]]
    assert mixing(nobody, real_shares=[1.0, 0.0]).matrix[0].tolist() == [0.0, 0.0]
    with pytest.raises(ArgumentError, match="models that read nobody: '0'"):
        mixing(nobody, real_shares=[0.9, 0.0])


def test_sizes_are_one_for_all_or_one_each():
    assert sample_sizes([1, 2], models=2).tolist() == [1, 2]
    with pytest.raises(ArgumentError, match=r"samples: got an array of shape \(2,\)"):
        sample_sizes([1, 2], models=3)
