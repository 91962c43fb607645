import numpy as np
import pytest

from hayflick.core import checks
from hayflick.core.errors import ArgumentError


@pytest.mark.parametrize("value", [1, 7, np.int64(3)])
def test_whole_numbers_pass(value):
    assert checks.whole_number("n", value, at_least=1) == int(value)


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", None, True, float("nan")])
def test_what_is_no_whole_number_from_one_is_refused(value):
    with pytest.raises(ArgumentError, match=r"n: got .* takes a whole number of at least 1"):
        checks.whole_number("n", value, at_least=1)


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), "x", None])
def test_what_is_no_share_is_refused(value):
    with pytest.raises(ArgumentError, match="takes a number from 0 to 1"):
        checks.share("share", value)


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_shares_pass(value):
    assert checks.share("share", value) == value


def test_an_open_range_is_described_as_one():
    with pytest.raises(ArgumentError, match="takes a number of at least 0"):
        checks.number_between("delta", -1.0, low=0.0)
