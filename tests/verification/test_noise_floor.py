"""The noise floor of group means against groups that are the same, at 4 standard errors."""

import numpy as np
import pytest

from hayflick.diversity.groups import Groups


@pytest.mark.parametrize("sizes", [(5, 5, 5), (2, 5, 30)])
def test_alike_groups_differ_by_the_floor_on_average(rng, sizes):
    squares, floors = [], []
    for _ in range(1500):
        groups = Groups.of({str(g): rng.normal(size=(size, 2)) for g, size in enumerate(sizes)})
        squares.append(groups.frobenius_norm**2)
        floors.append(groups.noise_floor**2)
    error = np.std(np.array(squares) - floors) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - np.mean(floors)) < 4 * error
