"""The scatter against sums over all pairs, far from 0, and whatever runs in parallel."""

from functools import reduce

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.diversity import scatter as module


def two_pass(vectors):
    """Return mean and M2 as the textbook has them, in more digits than float64."""
    exact = np.asarray(vectors, dtype=np.longdouble)
    mean = exact.mean(axis=0)
    return mean, ((exact - mean) ** 2).sum()


def assert_same(scatter, other, *, relative=1e-12):
    assert scatter.count == other.count
    assert scatter.m2 == pytest.approx(other.m2, rel=relative)
    np.testing.assert_allclose(scatter.mean, other.mean, rtol=relative, atol=1e-300)


def test_a_square_by_hand():
    square = hf.Scatter.of([[0, 0], [2, 0], [2, 2], [0, 2]])
    # Eight ordered pairs at distance 2, four at √8: 8 · 4 + 4 · 8 = 64.
    assert square.frobenius_norm == 8.0
    assert square.root_mean_square_distance == pytest.approx(np.sqrt(64 / 12))
    assert square.variance == pytest.approx(8 / 3)
    assert square.mean_cosine is None


def test_the_norm_is_that_of_all_pairs(rng):
    vectors = rng.normal(size=(300, 17)) * rng.uniform(0.1, 10, size=17) + 3
    scatter = hf.Scatter.of(vectors)
    squares = 2 * (pdist(vectors) ** 2).sum()
    assert scatter.frobenius_norm == pytest.approx(np.sqrt(squares), rel=1e-12)
    expected = np.sqrt(squares / (300 * 299))
    assert scatter.root_mean_square_distance == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
# The largest one is added up by compiled code.
@pytest.mark.parametrize("size", [1, 2, 127, 1000, 14_001])
def test_a_mean_of_ten_thousand_deviations_costs_no_digit(rng, kind, size):
    vectors = (rng.normal(size=(size, 40)) + 1e4).astype(kind)
    scatter = hf.Scatter.of(vectors)
    mean, m2 = two_pass(vectors)
    assert scatter.m2 == pytest.approx(float(m2), rel=1e-12)
    np.testing.assert_allclose(scatter.mean, mean.astype(float), rtol=1e-15)


@pytest.mark.parametrize("far", [slice(0, 1), slice(0, 128), slice(128, 256), slice(499, 500)])
@pytest.mark.parametrize("size", [500, 14_001])
def test_vectors_far_from_the_others_cost_no_digit(rng, far, size):
    vectors = rng.normal(size=(size, 40))
    vectors[far] += 1e5
    assert hf.Scatter.of(vectors).m2 == pytest.approx(float(two_pass(vectors)[1]), rel=1e-12)


def test_equal_vectors_have_next_to_no_scatter():
    same = hf.Scatter.of(np.full((1000, 7), 0.1, dtype=np.float32))
    assert same.m2 <= 1000 * 7 * (0.1 * np.finfo(float).eps) ** 2


def test_it_does_not_depend_on_threads_at_all(rng, monkeypatch):
    monkeypatch.setattr(module, "_SLAB", 256)
    vectors = rng.normal(size=(5000, 6)).astype(np.float32)
    one, three = (hf.Scatter.of(vectors, threads=threads) for threads in (1, 3))
    assert one.m2 == three.m2
    assert (one.mean == three.mean).all()
    assert one.m2 == pytest.approx(float(two_pass(vectors)[1]), rel=1e-12)
    directions = [hf.Scatter.of_directions(vectors, threads=threads).m2 for threads in (1, 3)]
    assert directions[0] == directions[1]


def test_moving_and_turning_change_no_distance(rng):
    vectors = rng.normal(size=(60, 5))
    turn, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    here = hf.Scatter.of(vectors)
    for other in (vectors + 7.0, vectors @ turn, rng.permutation(vectors)):
        assert hf.Scatter.of(other).frobenius_norm == pytest.approx(here.frobenius_norm, rel=1e-12)
    assert hf.Scatter.of(3 * vectors).frobenius_norm == pytest.approx(3 * here.frobenius_norm)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_merging_is_that_of_the_whole_in_any_grouping(rng, offset):
    vectors = rng.normal(size=(97, 32)) + offset
    a, b, c = (hf.Scatter.of(part) for part in np.split(vectors, [5, 40]))
    assert_same(a.merge(b).merge(c), a.merge(b.merge(c)))
    assert_same(a.merge(b), b.merge(a))
    assert_same(a.merge(b).merge(c), hf.Scatter.of(vectors))
    parts = map(hf.Scatter.of, np.split(vectors, 97))
    assert_same(reduce(hf.Scatter.merge, parts), hf.Scatter.of(vectors))


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[::2],
        lambda x: np.asfortranarray(x),
        lambda x: x[:, ::-1],
        lambda x: x.astype(">f4"),
        lambda x: x.astype(np.float16),
        lambda x: (10 * x).astype(np.int8),
        lambda x: x[:3].tolist(),
    ],
)
def test_any_layout_and_real_type(rng, view):
    vectors = view(rng.normal(size=(50, 4)).astype(np.float32))
    mean, m2 = two_pass(vectors)
    scatter = hf.Scatter.of(vectors)
    assert scatter.m2 == pytest.approx(float(m2), rel=1e-12)
    np.testing.assert_allclose(scatter.mean, mean.astype(float), rtol=1e-12, atol=1e-15)


def test_a_file_that_is_mapped_into_memory(rng, tmp_path):
    np.save(tmp_path / "vectors.npy", rng.normal(size=(40, 3)))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert hf.Scatter.of(mapped).m2 == hf.Scatter.of(np.array(mapped)).m2


def test_mean_cosine_is_that_of_all_pairs(rng):
    vectors = rng.normal(size=(30, 4)) + 1
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    expected = (cosines.sum() - 30) / (30 * 29)
    assert hf.Scatter.of_directions(vectors).mean_cosine == pytest.approx(expected, rel=1e-12)
    assert hf.Scatter.of_directions([[1, 0], [0, 2], [-3, 0]]).mean_cosine == pytest.approx(-1 / 3)


def test_directions_of_tiny_and_of_huge_vectors():
    scatter = hf.Scatter.of_directions([[1e-200, 0], [0, 1e200]])
    assert scatter.mean_cosine == 0.0
    assert (scatter.m2, scatter.unit) == (pytest.approx(1.0), True)


def test_cosines_are_lost_where_vectors_of_any_length_come_in():
    unit, other = hf.Scatter.of_directions([[1.0, 0.0], [0.0, 1.0]]), hf.Scatter.of([[3.0, 0.0]])
    assert unit.merge(hf.Scatter.empty(2)).mean_cosine == 0.0
    assert unit.merge(other).mean_cosine is None
    assert other.merge(unit).mean_cosine is None


def test_undefined_is_never_zero():
    none, one = hf.Scatter.empty(3), hf.Scatter.of([[1.0, 2.0, 2.0]])
    for scatter in (none, one):
        assert scatter.frobenius_norm is None
        assert scatter.root_mean_square_distance is None
        assert scatter.variance is None
        assert scatter.numbers() == {}
    assert hf.Scatter.of(np.empty((0, 3))).count == 0
    same = hf.Scatter.of([[1.0, 2.0, 2.0]] * 2)
    assert same.frobenius_norm == 0.0


def test_one_unlike_row_is_named_by_its_number(rng, monkeypatch):
    monkeypatch.setattr(module, "_SLAB", 16)
    vectors = rng.normal(size=(60, 3))
    vectors[37, 1] = np.nan
    for make in (hf.Scatter.of, hf.Scatter.of_directions):
        with pytest.raises(DataError, match="row 37 holds a number that is not finite; leave it"):
            make(vectors)
    vectors[37] = 0.0
    with pytest.raises(DataError, match="row 37 is a vector of zeros, which has no direction"):
        hf.Scatter.of_directions(vectors)
    vectors[37] = 1e200
    with pytest.raises(DataError, match="rows from 32 on are too large to square"):
        hf.Scatter.of(vectors)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([1.0, 2.0], r"vectors: got an array of shape \(2,\), takes vectors in rows"),
        (np.empty((3, 0)), r"shape \(3, 0\)"),
        ([["a", "b"]], "values of type <U1, takes real numbers"),
        (np.ones((2, 2), complex), "complex128"),
    ],
)
def test_what_is_no_rows_of_numbers_is_refused(vectors, message):
    with pytest.raises(ArgumentError, match=message):
        hf.Scatter.of(vectors)


def test_dimensions_do_not_mix():
    with pytest.raises(DataError, match="got 3 components after 2; all take the same embedder"):
        hf.Scatter.empty(2).merge(hf.Scatter.empty(3))
    with pytest.raises(ArgumentError, match="threads: got 0"):
        hf.Scatter.of([[1.0]], threads=0)
