import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError

MODEL = hf.Discrete.zipf_mandelbrot(30, exponent=1.0)
COMPLETE = np.full((4, 4), 0.25)
SETTINGS = {"reading": COMPLETE, "samples": 20, "generations": 60}


def kept(share, quantity):
    law = hf.network_law(MODEL, real_shares=share, **SETTINGS)
    paths = {"within": law.within_mean, "between": law.between, "total": law.total}
    return paths[quantity][-1] / law.real


@pytest.mark.parametrize(("quantity", "keep"), [("within", 0.8), ("total", 0.8), ("between", 0.03)])
def test_the_share_is_enough_and_hardly_less_is_not(quantity, keep):
    found = hf.injection_share(MODEL, keep=keep, quantity=quantity, **SETTINGS)
    assert found.feasible
    assert found.kept == pytest.approx(kept(found.share, quantity))
    assert found.kept >= keep
    assert kept(found.share - 2e-4, quantity) < keep
    assert f"{found.kept:.4g}" in found.reason


def test_enough_without_real_data_is_a_share_of_zero():
    found = hf.injection_share(MODEL, keep=0.1, **SETTINGS)
    assert found.share == 0.0


def test_more_than_a_sample_can_hold_is_infeasible():
    found = hf.injection_share(MODEL, keep=0.96, **SETTINGS)
    assert (found.share, found.feasible) == (None, False)
    # Of 20 draws from the real law itself 1 - 1/20 of the diversity is expected.
    assert found.kept == pytest.approx(0.95)
    assert "no real share keeps 0.96 of the real law's diversity within after 60" in found.reason


def test_between_the_most_may_lie_inside():
    # Isolated pairs drift apart without real data: more of it brings them together.
    silos = {"reading": np.eye(4), "samples": 20, "generations": 60}
    assert hf.injection_share(MODEL, keep=0.5, quantity="between", **silos).share == 0.0
    found = hf.injection_share(MODEL, keep=0.9, quantity="between", **silos)
    assert found.share is None
    assert "at a share of 0" in found.reason


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": 1.5}, "keep: got 1.5"),
        ({"quantity": "sideways"}, "quantity: got sideways, takes one of within, between, total"),
        ({"model": hf.Discrete.from_counts({"a": 9})}, "model: got one symbol"),
        ({"reading": np.ones((2, 2))}, "reading: got a row of model 0 that adds up to 2"),
    ],
)
def test_mistakes_are_refused(settings, message):
    given = {**SETTINGS, "keep": 0.5, "model": MODEL, **settings}
    with pytest.raises(ArgumentError, match=message):
        hf.injection_share(given.pop("model"), **given)
