import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from hayflick.core.errors import ArgumentError
from hayflick.network.perspective import classical_scaling, perspective, perspective_over_time


def distances_of(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def test_a_rectangle_by_hand():
    # Corners of 4 by 2 around their centre: eigenvalues 4 · 2² and 4 · 1².
    points = np.array([[2.0, 1.0], [2.0, -1.0], [-2.0, 1.0], [-2.0, -1.0]])
    coordinates, values = classical_scaling(distances_of(points), dimensions=2)
    assert_allclose(values, [16, 4, 0, 0], atol=1e-12)
    assert_allclose(np.abs(coordinates), np.abs(points))
    assert_allclose(distances_of(coordinates), distances_of(points))


def test_distances_by_hand():
    # Two queries: |X_1 - X_2|_F² = 9 + 16 + 0 + 25 = 50, over √2: 5.
    first, second = [[3.0, 0.0], [0.0, 5.0]], [[0.0, 4.0], [0.0, 0.0]]
    space = perspective([first, second], dimensions=1)
    assert_allclose(space.distances, [[0, 5], [5, 0]])
    assert_allclose(np.abs(space.coordinates), 2.5)
    assert space.explained == pytest.approx(1.0)


def test_it_is_the_principal_components_of_the_stacked_responses(rng):
    responses = rng.standard_normal((12, 4, 7)) * np.linspace(1, 3, 7)
    space = perspective(responses, dimensions=3)
    stacked = responses.reshape(12, -1) / np.sqrt(4)
    components = PCA(3, svd_solver="full")
    expected = components.fit_transform(stacked)
    expected *= np.sign(np.sum(expected * space.coordinates, axis=0))
    assert_allclose(space.coordinates, expected, atol=1e-10)
    assert space.explained == pytest.approx(components.explained_variance_ratio_.sum())
    assert_allclose(space.distances, distances_of(stacked), atol=1e-12)


def test_over_time_is_one_scaling_of_all_pairs(rng):
    responses = rng.standard_normal((5, 3, 2, 4))
    space = perspective_over_time(responses)
    joint = perspective(responses.reshape(15, 2, 4))
    assert space.coordinates.shape == (5, 3, 2)
    assert_allclose(space.coordinates.reshape(15, 2), joint.coordinates)
    assert_allclose(space.distances, joint.distances)


def test_models_that_agree_end_in_one_place():
    apart = np.array([[[0.0, 1.0]], [[2.0, 5.0]]])
    responses = [apart / 2**t for t in range(8)]
    gap = np.diff(perspective_over_time(responses).coordinates, axis=1)[:, 0]
    lengths = np.linalg.norm(gap, axis=-1)
    assert_allclose(lengths[1:], lengths[:-1] / 2)


@pytest.mark.parametrize("corners", [2, 3, 4, 6])
def test_equal_eigenvalues_have_fixed_axes(corners, rng):
    # Of a simplex all eigenvalues are equal: any rotation of its axes fits as well.
    distances = np.ones((corners, corners)) - np.eye(corners)
    coordinates, _ = classical_scaling(distances, dimensions=corners - 1)
    assert_allclose(distances_of(coordinates), distances, atol=1e-12)
    noise = rng.standard_normal((corners, corners)) * 1e-14
    again, _ = classical_scaling(
        distances + np.abs(noise + noise.T) * distances, dimensions=corners - 1
    )
    assert_allclose(again, coordinates, atol=1e-6)


def test_turning_and_moving_the_answers_changes_nothing(rng):
    responses = rng.standard_normal((9, 3, 5))
    turn, _ = np.linalg.qr(rng.standard_normal((5, 5)))
    space = perspective(responses)
    assert_allclose(perspective(responses @ turn + 100.0).coordinates, space.coordinates, atol=1e-9)
    assert_allclose(perspective(3 * responses).coordinates, 3 * space.coordinates)


def test_the_farthest_point_of_an_axis_is_positive(rng):
    coordinates = perspective(rng.standard_normal((9, 3, 5)), dimensions=4).coordinates
    assert (coordinates[np.abs(coordinates).argmax(axis=0), range(4)] > 0).all()


def test_all_in_one_place_explains_nothing():
    space = perspective(np.ones((3, 2, 2)))
    assert space.explained is None
    assert_allclose(space.coordinates, 0.0)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda: perspective(np.ones((3, 2))), r"responses: got an array of shape \(3, 2\)"),
        (lambda: perspective(np.ones((0, 2, 2))), "responses: got an array of shape"),
        (lambda: perspective(np.full((3, 2, 2), np.nan)), "responses: got nan or inf"),
        (lambda: perspective(np.ones((3, 2, 2)), dimensions=4), "dimensions: got 4"),
        (lambda: perspective_over_time(np.ones((3, 2, 2))), "responses: got an array"),
        (lambda: classical_scaling(np.ones((2, 2)), dimensions=1), "distances: got another one"),
        (lambda: classical_scaling([[0, 1], [2, 0]], dimensions=1), "distances: got another one"),
        (lambda: classical_scaling([[0, -1], [-1, 0]], dimensions=1), "distances: got an array"),
    ],
)
def test_mistakes_are_refused(task, message):
    with pytest.raises(ArgumentError, match=message):
        task()
