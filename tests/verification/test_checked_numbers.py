"""Numbers that were checked by simulation elsewhere, before this code was written."""

import pytest

from hayflick.chains.discrete import Discrete
from hayflick.laws.survival import survival
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh


@pytest.mark.parametrize(
    ("law", "at_10", "at_100"), [("exact", 0.26302, 0.22837), ("branching", 0.26235, 0.22755)]
)
def test_one_symbol_with_fresh_data(law, at_10, at_100):
    model = Discrete.from_counts({"rare": 1, "rest": 499})
    result = survival(model, generations=100, regime=Fresh(share=0.05), law=law)
    rare = result.of_symbols(["rare"])[0]
    assert rare[10] == pytest.approx(at_10, abs=6e-6)
    assert rare[100] == pytest.approx(at_100, abs=6e-6)


def test_one_symbol_beside_stored_others():
    model = Discrete.from_counts({"rare": 1, "rest": 474, "stored": 25})
    anchor = Anchor.from_mapping({"stored": 25})
    result = survival(model, generations=10, regime=anchor, law="branching")
    assert result.of_symbols(["rare"])[0, 10] == pytest.approx(0.1187, abs=6e-5)
    assert result.of_symbols(["stored"])[0, 10] == 1.0


@pytest.mark.parametrize(("k", "expected"), [(1, 0.63397), (10, 0.16139), (50, 0.04112)])
def test_one_symbol_under_replace(k, expected):
    model = Discrete.from_counts({"rare": 1, "rest": 99})
    rare = survival(model, generations=50).of_symbols(["rare"])[0]
    assert rare[k] == pytest.approx(expected, abs=6e-6)
