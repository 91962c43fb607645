import pytest

import hayflick as hf
from hayflick.chains.estimators import MAXIMUM_LIKELIHOOD
from hayflick.core.errors import ArgumentError


def test_the_estimate_is_a_mixture_with_the_uniform_law():
    counts, delta = [5, 3, 0, 2], 0.5
    share = hf.AddDelta(delta).uniform_share(total=10, types=4)
    mixture = [(1 - share) * count / 10 + share / 4 for count in counts]
    assert mixture == pytest.approx([(count + delta) / (10 + 4 * delta) for count in counts])


def test_maximum_likelihood_spreads_nothing():
    assert MAXIMUM_LIKELIHOOD.uniform_share(total=10, types=4) == 0.0


@pytest.mark.parametrize("delta", [-0.1, float("nan"), float("inf"), "much"])
def test_a_bad_pseudo_count_is_refused(delta):
    with pytest.raises(ArgumentError, match="delta"):
        hf.AddDelta(delta)
