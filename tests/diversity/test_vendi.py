"""The Vendi score: published constants, and the small matrix against the large one."""

import math

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.diversity.spectrum import SecondMoments, vendi_score_of_kernel

ORDERS = (0, 0.5, 1, 2, 7.5, math.inf)


@pytest.mark.parametrize("order", ORDERS)
def test_identity_and_ones(order):
    assert vendi_score_of_kernel(np.eye(6), order=order) == pytest.approx(6)
    assert vendi_score_of_kernel(np.ones((6, 6)), order=order) == pytest.approx(1)
    assert hf.vendi_score(SecondMoments.of_directions(np.eye(6)), order=order) == pytest.approx(6)
    same = SecondMoments.of_directions(np.tile([3.0, 4.0], (6, 1)))
    assert hf.vendi_score(same, order=order) == pytest.approx(1)


def test_two_answers_by_hand():
    # Eigenvalues (1 ± c) / 2.
    kernel = [[1.0, 0.6], [0.6, 1.0]]
    expected = math.exp(-(0.8 * math.log(0.8) + 0.2 * math.log(0.2)))
    assert vendi_score_of_kernel(kernel) == pytest.approx(expected)
    assert vendi_score_of_kernel(kernel, order=2) == pytest.approx(1 / 0.68)
    assert vendi_score_of_kernel(kernel, order=math.inf) == pytest.approx(1 / 0.8)
    pair = SecondMoments.of_directions([[1.0, 0.0], [0.6, 0.8]])
    assert hf.vendi_score(pair) == pytest.approx(expected)
    assert pair.numbers()["vendi_1"] == pytest.approx(expected)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [4, 40])
def test_the_small_matrix_gives_the_score_of_all_similarities(rng, order, size):
    vectors = rng.normal(size=(size, 7)) + 0.5
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = vendi_score_of_kernel(unit @ unit.T, order=order)
    score = hf.vendi_score(SecondMoments.of_directions(vectors), order=order)
    assert score == pytest.approx(expected, rel=1e-9)


def test_copies_of_all_answers_change_nothing(rng):
    vectors = rng.normal(size=(5, 4))
    once, twice = (
        SecondMoments.of_directions(vectors),
        SecondMoments.of_directions(np.tile(vectors, (2, 1))),
    )
    assert hf.vendi_score(twice) == pytest.approx(hf.vendi_score(once))


def test_undefined_is_never_zero():
    assert hf.vendi_score(SecondMoments.empty(3)) is None
    assert vendi_score_of_kernel(np.empty((0, 0))) is None
    assert "vendi_1" not in SecondMoments.of_directions([[1.0, 0.0]]).numbers()
    assert "vendi_1" not in SecondMoments.of([[1.0, 0.0], [0.0, 2.0]]).numbers()


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (np.ones((2, 3)), "takes a square matrix"),
        ([[1.0, 0.5], [0.2, 1.0]], "takes a symmetric matrix"),
        ([[2.0, 0.0], [0.0, 1.0]], "ones on its diagonal"),
    ],
)
def test_what_is_no_similarity_is_refused(kernel, message):
    with pytest.raises(ArgumentError, match=message):
        vendi_score_of_kernel(kernel)


def test_vectors_of_any_length_are_refused():
    with pytest.raises(
        ArgumentError, match=r"takes moments of vectors of length 1: SecondMoments\.of_d"
    ):
        hf.vendi_score(SecondMoments.of([[1.0, 0.0], [0.0, 2.0]]))
    with pytest.raises(ArgumentError, match="order: got -1"):
        hf.vendi_score(SecondMoments.empty(2), order=-1)
