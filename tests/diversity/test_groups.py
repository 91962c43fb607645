"""Within and between, and what group means differ by without a cause."""

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.diversity.groups import Groups

AGENTS = {"a": [[0.0], [2.0]], "b": [[4.0], [6.0], [8.0]]}


def test_unequal_groups_by_hand():
    groups = Groups.of(AGENTS)
    # Means 1 and 6, of all 4: M2 are 2 and 8, between 2 · 9 + 3 · 4 = 30.
    assert groups.within == pytest.approx(10 / 5)
    assert groups.between == pytest.approx(30 / 5)
    assert groups.total.m2 == pytest.approx(40)
    assert groups.frobenius_norm == pytest.approx(np.sqrt(2 * 25))
    # 2 (n - 1) · 10 / (5 - 2) · (1/2 + 1/3)
    assert groups.noise_floor == pytest.approx(np.sqrt(2 * (10 / 3) * (5 / 6)))


def test_total_is_within_and_between(rng):
    vectors = {str(g): rng.normal(size=(g + 1, 5)) * (g + 1) + g for g in range(6)}
    groups = Groups.of(vectors)
    everything = hf.Scatter.of(np.concatenate(list(vectors.values())))
    share = everything.m2 / everything.count
    assert groups.within + groups.between == pytest.approx(share, rel=1e-12)
    assert groups.total.m2 == pytest.approx(everything.m2, rel=1e-12)


def test_groups_of_one_size_have_the_floor_of_the_theory(rng):
    answers, agents = 7, 4
    vectors = rng.normal(size=(agents, answers, 3))
    groups = Groups.of({str(g): rows for g, rows in enumerate(vectors)})
    trace = np.mean([np.trace(np.cov(rows, rowvar=False)) for rows in vectors])
    expected = agents * (agents - 1) * 2 * trace / answers
    assert groups.noise_floor**2 == pytest.approx(expected, rel=1e-12)


def test_merging_adds_groups_and_answers():
    first = Groups.of({"a": [[0.0]], "b": [[4.0], [6.0]]})
    second = Groups.of({"a": [[2.0]], "b": [[8.0]], "c": np.empty((0, 1))})
    merged, whole = first.merge(second), Groups.of(AGENTS)
    assert set(merged.scatters) == {"a", "b"}
    assert merged.numbers() == pytest.approx(whole.numbers(), rel=1e-12)
    assert second.merge(first).numbers() == pytest.approx(whole.numbers(), rel=1e-12)


def test_undefined_is_never_zero():
    assert Groups.empty().numbers() == {}
    assert Groups.of({"a": [[1.0], [2.0]]}).numbers() == {"within": 0.25}
    single = Groups.of({"a": [[1.0]], "b": [[3.0]]})
    assert single.noise_floor is None
    assert single.between == 1.0


def test_dimensions_do_not_mix():
    with pytest.raises(DataError, match="groups: vectors of 1 and 2 components"):
        Groups.of({"a": [[1.0]], "b": [[1.0, 2.0]]})
