import numpy as np
import pytest

from hayflick.papers.figure import curves, mean_agreement, share_agreement, single_runs


def test_series_stand_one_under_the_other():
    table = curves(law=np.array([1.0, 0.5]), upper=None, lower=np.array([1.0, 0.25]))
    assert table.columns == ["generation", "value", "series"]
    assert table.filter(series="lower")["value"].to_list() == [1.0, 0.25]
    assert set(table["series"]) == {"law", "lower"}


def test_single_runs_are_numbered():
    assert set(single_runs(np.zeros((2, 3)))["series"]) == {"run 1", "run 2"}


def test_agreement_of_shares_by_hand():
    law = np.array([1.0, 0.5, 0.001])
    found = np.array([1.0, 0.55, 0.9])
    # Of 100 runs 50 are expected, with a standard error of .05; 0.1 are too few to judge.
    assert share_agreement(found, law, replicates=100) == pytest.approx(1.0)
    assert share_agreement(found, law, replicates=2) == 0.0


def test_agreement_of_means_by_hand():
    values = np.array([[1.0, 2.0], [1.0, 4.0]])
    assert mean_agreement(values, np.array([1.0, 5.0])) == pytest.approx(2.0)
    assert mean_agreement(values, np.array([1.0, 3.0])) == 0.0
