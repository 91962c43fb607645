import numpy as np
import pytest
from scipy.special import logsumexp

from hayflick.detection.evidence import log_means
from hayflick.detection.guaranteed import (
    FRACTIONS,
    copies_required,
    log_capital,
    lower_bound,
    mean_of_logs,
)


def test_capital_by_hand():
    scores = np.array([0.2, 0.9])
    slow = [np.log((1 + f * (0.2 / 0.4 - 1)) * (1 + f * (0.9 / 0.4 - 1))) for f in FRACTIONS]
    assert log_capital(scores, claimed=0.4) == pytest.approx(slow, abs=1e-14)


def test_a_bet_at_the_worst_score_loses_but_not_all():
    assert np.isfinite(log_capital(np.zeros(1000), claimed=1e-9)).all()
    assert log_capital(np.zeros(1), claimed=0.5).min() == pytest.approx(np.log1p(-FRACTIONS[-1]))


def test_no_bet_gains_in_the_mean_where_the_claim_is_true():
    scores, chances = np.array([0.0, 0.3, 1.0]), np.array([0.5, 0.3, 0.2])
    mean = float(chances @ scores)
    for claimed, gain in ((mean, 0.0), (mean + 0.1, -1.0), (mean - 0.1, 1.0)):
        each = [np.exp(log_capital(np.array([score]), claimed=claimed)) for score in scores]
        expected = chances @ np.array(each) - 1.0
        assert np.sign(np.round(expected, 12)) == pytest.approx(gain)


def test_the_mean_of_logarithms_does_not_overflow():
    assert mean_of_logs(np.array([5000.0, 5000.0])) == pytest.approx(5000.0)
    assert mean_of_logs(np.log([1.0, 3.0])) == pytest.approx(np.log(2.0))


def test_the_bound_is_where_the_capital_reaches_the_error():
    scores = np.random.default_rng(1).beta(3, 5, 400)
    for error in (0.05, 0.001):
        bound = lower_bound(scores, error=error)
        assert mean_of_logs(log_capital(scores, claimed=bound)) == pytest.approx(-np.log(error))
        assert bound < scores.mean()


def test_the_bound_moves_with_error_and_size_and_not_with_the_order():
    scores = np.random.default_rng(2).beta(3, 5, 400)
    bound = lower_bound(scores, error=0.01)
    assert lower_bound(scores, error=0.1) > bound > lower_bound(scores, error=0.001)
    assert lower_bound(np.tile(scores, 4), error=0.01) > bound
    assert lower_bound(scores[::-1].copy(), error=0.01) == pytest.approx(bound, rel=1e-9)


def test_scores_that_say_nothing_bound_nothing():
    assert lower_bound(np.empty(0), error=0.01) == 0.0
    assert lower_bound(np.zeros(50), error=0.01) == 0.0


def test_as_many_copies_as_needed_reach_the_share():
    scores = np.random.default_rng(3).beta(3, 5, 5)
    copies = int(np.ceil(copies_required(scores, share=0.5, error=0.001)))
    mean = scores.mean()
    assert lower_bound(np.tile(scores, copies), error=0.001) >= 0.5 * mean
    assert lower_bound(np.tile(scores, copies - 1), error=0.001) < 0.5 * mean
    assert copies_required(np.append(np.zeros(10**6), 1.0), share=0.5, error=0.001) == np.inf


def test_means_of_logarithms_are_those_of_scipy(rng):
    logs = rng.normal(scale=500, size=(50, 7))
    logs[0], logs[1, :3] = -np.inf, -np.inf
    before = logs.copy()
    assert log_means(logs) == pytest.approx(logsumexp(logs, axis=1) - np.log(7), rel=1e-14)
    assert (logs == before).all()
    assert mean_of_logs(logs[0]) == -np.inf
