import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.core.errors import ArgumentError
from hayflick.laws.surrogate import contraction, distance_floor, floor_constant


def test_the_checked_constant():
    assert floor_constant(0.5) == pytest.approx(0.2689, abs=5e-5)
    assert floor_constant(0.0) == pytest.approx(0.5)
    assert floor_constant(0.5, read=10**6) == pytest.approx(floor_constant(0.5), rel=1e-5)


@pytest.mark.parametrize("k", [2, 7, 100])
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_the_constant_is_the_sum_over_the_weights_of_the_points(k, beta):
    weights = (1 - 1 / k) ** (k - np.arange(1, k + 1)) / k
    left = (1 - 1 / k) ** k
    expected = (k * np.sum(weights**2) - beta * np.sum(weights) ** 2) / (1 - left**2)
    assert floor_constant(beta, read=k) == pytest.approx(expected)
    assert contraction(k) == pytest.approx(left)


def test_contraction_tends_to_one_over_e():
    assert contraction(10**7) == pytest.approx(np.exp(-1), rel=1e-6)
    assert contraction(2) == 0.25


def test_the_floor_against_weights_drawn_as_the_law_says(rng):
    # A pool of M marks, a share p of them 1; two agents average k draws without replacement.
    k, pool, p, runs = 200, 400, 0.3, 1500
    marks = np.zeros(pool)
    marks[: int(p * pool)] = 1.0
    share = np.full((runs, 2), 0.5)
    for _ in range(8):
        drawn = marks[rng.random((runs, 2, pool)).argsort(axis=-1)[..., :k]]
        factors = (1 - 1 / k) ** np.arange(k - 1, -1, -1) / k
        share = (1 - 1 / k) ** k * share + drawn @ factors
    # |π_i - π_j|² has both components, D both orders of the pair.
    found = 2 * 2 * (share[:, 0] - share[:, 1]) ** 2
    (law,) = distance_floor([[p, 1 - p]], agents=2, read=k, share_read=k / pool)
    assert abs(found.mean() - law) < 4 * found.std() / np.sqrt(runs)


def test_every_parameter_matters():
    def floor(p=0.5, agents=3, read=100, share_read=0.5):
        return distance_floor([[p, 1 - p]], agents=agents, read=read, share_read=share_read)[0]

    assert floor(agents=1) == 0.0
    assert_allclose(floor(agents=5), floor() * 20 / 6)
    assert_allclose(floor(read=200), floor() / 2)
    assert_allclose(floor(p=0.1), floor() * 0.09 / 0.25)
    assert floor(share_read=0.1) > floor()
    rounds = distance_floor([[0.5, 0.5], [1.0, 0.0]], agents=3, read=[100, 200], share_read=0.5)
    assert_allclose(rounds, [floor(), 0.0])


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda: contraction(1), "read: got 1"),
        (lambda: floor_constant(1.5), "share_read: got 1.5"),
        (lambda: distance_floor([0.5], agents=2, read=9, share_read=0.5), "responsibilities: got"),
        (
            lambda: distance_floor([[2.0]], agents=2, read=9, share_read=0.5),
            "responsibilities: got",
        ),
        (lambda: distance_floor([[0.5]], agents=2, read=0, share_read=0.5), "read: got 0"),
        (lambda: distance_floor([[0.5]], agents=0, read=9, share_read=0.5), "agents: got 0"),
    ],
)
def test_mistakes_are_refused(task, message):
    with pytest.raises(ArgumentError, match=message):
        task()
