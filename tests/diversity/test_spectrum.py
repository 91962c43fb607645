"""Second moments against numpy's covariance, and what the eigenvalues say."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity import spectrum as module
from hayflick.diversity.spectrum import SecondMoments, spectrum_numbers


def test_the_matrix_is_the_covariance(rng, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 64)
    vectors = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + 4
    moments = SecondMoments.of(vectors)
    covariance = np.cov(vectors, rowvar=False)
    np.testing.assert_allclose(moments.matrix / 299, covariance, rtol=1e-12)
    np.testing.assert_allclose(moments.second_moment, vectors.T @ vectors / 300, rtol=1e-12)
    expected = np.linalg.eigvalsh(covariance)[::-1]
    np.testing.assert_allclose(moments.eigenvalues, expected, rtol=1e-10)
    assert moments.log_generalised_variance == pytest.approx(np.log(np.linalg.det(covariance)))
    assert moments.scatter.m2 == pytest.approx(hf.Scatter.of(vectors).m2, rel=1e-12)


@pytest.mark.parametrize("mean", [0.0, 0.3, 1e4])
@pytest.mark.parametrize(("count", "components"), [(2, 1), (3, 2), (9, 40), (200, 30)])
def test_one_reduction_gives_the_eigenvalues_of_both_matrices(rng, count, components, mean):
    vectors = rng.normal(size=(count, components)) + mean * rng.normal(size=components)
    moments = SecondMoments.of(np.concatenate([vectors, 2 * vectors.mean(axis=0) - vectors]))
    for found, matrix in (
        (moments.second_moment_eigenvalues, moments.second_moment),
        (moments.eigenvalues, moments.matrix / (moments.count - 1)),
    ):
        expected = np.linalg.eigvalsh(matrix)[::-1]
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13 * expected[0])


def test_no_mean_needs_no_reflection():
    moments = SecondMoments.of([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    np.testing.assert_allclose(moments.second_moment_eigenvalues, [2.0, 0.5])
    np.testing.assert_allclose(moments.eigenvalues, [8 / 3, 2 / 3])


def test_a_mean_of_ten_thousand_deviations(rng):
    vectors = rng.normal(size=(500, 4))
    far = SecondMoments.of(vectors + 1e4).matrix
    np.testing.assert_allclose(far, SecondMoments.of(vectors).matrix, rtol=1e-8, atol=1e-8)


def test_ranks_by_hand():
    # Two directions, one with three times the variance of the other.
    vectors = np.array([[np.sqrt(3), 0], [-np.sqrt(3), 0], [0, 1], [0, -1]])
    moments = SecondMoments.of(vectors)
    assert moments.participation_ratio == pytest.approx(1 / (0.75**2 + 0.25**2))
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert moments.effective_rank == pytest.approx(np.exp(entropy))
    assert moments.log_generalised_variance == pytest.approx(np.log((6 / 3) * (2 / 3)))


def test_equal_directions_have_full_rank():
    corners = np.concatenate([np.eye(6), -np.eye(6)])
    assert SecondMoments.of(corners).effective_rank == pytest.approx(6)
    assert SecondMoments.of(5 * corners).effective_rank == pytest.approx(6)


def test_ranks_do_not_see_moves_turns_and_scales(rng):
    vectors = rng.normal(size=(80, 4)) * [4, 2, 1, 0.5]
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    here = SecondMoments.of(vectors).effective_rank
    for other in (vectors + 5, vectors @ turn, 3 * vectors, rng.permutation(vectors)):
        assert SecondMoments.of(other).effective_rank == pytest.approx(here, rel=1e-10)


def test_singular_is_no_reading(rng):
    few = SecondMoments.of(rng.normal(size=(4, 4)))
    flat = SecondMoments.of(rng.normal(size=(50, 3)) @ rng.normal(size=(3, 4)))
    for moments in (few, flat):
        assert moments.log_generalised_variance is None
        assert "generalised_variance" not in moments.numbers()
        assert moments.effective_rank > 1
    assert SecondMoments.of([[1.0, 2.0], [1.0, 2.0]]).numbers() == {}
    assert SecondMoments.of([[1.0, 2.0]]).numbers() == {}
    assert SecondMoments.empty(3).numbers() == {}
    assert SecondMoments.empty(3).second_moment is None


def test_merging_is_that_of_the_whole(rng):
    vectors = rng.normal(size=(60, 3)) + 10
    a, b, c = (SecondMoments.of(part) for part in np.split(vectors, [1, 30]))
    whole = SecondMoments.of(vectors)
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        np.testing.assert_allclose(merged.matrix, whole.matrix, rtol=1e-12)
        np.testing.assert_allclose(merged.mean, whole.mean, rtol=1e-12)


def test_bad_rows_are_named(rng, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 8)
    vectors = rng.normal(size=(20, 2))
    vectors[11, 0] = np.inf
    with pytest.raises(DataError, match="row 11 holds a number that is not finite"):
        SecondMoments.of(vectors)
    vectors[11] = 0
    with pytest.raises(DataError, match="row 11 is a vector of zeros"):
        SecondMoments.of_directions(vectors)
    with pytest.raises(DataError, match="3 components after 2"):
        SecondMoments.empty(2).merge(SecondMoments.empty(3))
    with pytest.raises(ArgumentError, match="dimension: got 0"):
        SecondMoments.empty(0)


def by_both_matrices(vectors):
    """Return the numbers by inner products and by moments, whichever is smaller."""
    unit = bool(np.allclose((vectors**2).sum(axis=1), 1))
    given = {"unit": unit, "directed": bool(vectors.any(axis=1).all())}
    return module._of_few(vectors, **given), module._of_many(vectors, **given)


@pytest.mark.parametrize("count", [2, 3, 11, 12, 13, 40])
@pytest.mark.parametrize("unit", ["lengths", "directions"])
def test_inner_products_say_what_moments_say(rng, count, unit):
    vectors = rng.normal(size=(count, 12)) * np.linspace(0.1, 3, 12) + 1
    if unit == "directions":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    few, many = by_both_matrices(vectors)
    # Only more vectors than components have a determinant, which inner products do not give.
    assert ("generalised_variance" in many) == (count > 12)
    assert spectrum_numbers(vectors) == (few if count < 12 else many)
    many.pop("generalised_variance", None)
    assert few == pytest.approx(many, rel=1e-9)
    moments = SecondMoments.of_directions(vectors)
    assert few["vendi_1"] == pytest.approx(moments.numbers()["vendi_1"], rel=1e-9)
    same = moments if unit == "directions" else SecondMoments.of(vectors)
    assert few["effective_rank"] == pytest.approx(same.effective_rank, rel=1e-9)


def test_both_matrices_agree_on_duplicates_and_zeros(rng):
    twice = np.repeat(rng.normal(size=(3, 12)), 2, axis=0)
    zero = np.vstack([rng.normal(size=(4, 12)), np.zeros((1, 12))])
    for vectors, names in (
        (twice, {"effective_rank", "participation_ratio", "vendi_1"}),
        (zero, {"effective_rank", "participation_ratio"}),
        (np.full((5, 12), 0.1), {"vendi_1"}),
        (np.full((5, 12), 12**-0.5), {"vendi_1"}),
        (np.zeros((5, 12)), set()),
        (rng.normal(size=(1, 12)), set()),
    ):
        few, many = by_both_matrices(vectors)
        assert few == pytest.approx(many, rel=1e-9)
        assert set(few) == names
    assert spectrum_numbers(np.full((5, 12), 0.1))["vendi_1"] == pytest.approx(1.0)
    assert spectrum_numbers(np.empty((0, 12))) == {}


def test_single_precision_lengths_are_made_1(rng):
    vectors = rng.normal(size=(20, 12))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    for some in (vectors, vectors[:5]):
        assert spectrum_numbers(some) == pytest.approx(
            SecondMoments.of_directions(some).numbers(), rel=1e-9
        )


@pytest.mark.parametrize("count", [3, 20])
def test_the_numbers_refuse_what_moments_refuse(count):
    vectors = np.ones((count, 5))
    vectors[2, 0] = np.nan
    with pytest.raises(DataError, match="row 2 holds a number that is not finite"):
        spectrum_numbers(vectors)
