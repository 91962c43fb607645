"""Numbers that were checked by simulation elsewhere, before this code was written."""

import pytest

import hayflick as hf


@pytest.mark.parametrize(
    ("law", "at_10", "at_100"), [("exact", 0.26302, 0.22837), ("branching", 0.26235, 0.22755)]
)
def test_one_symbol_with_fresh_data(law, at_10, at_100):
    model = hf.Discrete.from_counts({"rare": 1, "rest": 499})
    result = hf.survival(model, generations=100, regime=hf.Fresh(share=0.05), law=law)
    rare = result.of_symbols(["rare"])[0]
    assert rare[10] == pytest.approx(at_10, abs=6e-6)
    assert rare[100] == pytest.approx(at_100, abs=6e-6)


def test_one_symbol_beside_stored_others():
    model = hf.Discrete.from_counts({"rare": 1, "rest": 474, "stored": 25})
    anchor = hf.Anchor.from_mapping({"stored": 25})
    result = hf.survival(model, generations=10, regime=anchor, law="branching")
    assert result.of_symbols(["rare"])[0, 10] == pytest.approx(0.1187, abs=6e-5)
    assert result.of_symbols(["stored"])[0, 10] == 1.0


@pytest.mark.parametrize(("k", "expected"), [(1, 0.63397), (10, 0.16139), (50, 0.04112)])
def test_one_symbol_under_replace(k, expected):
    model = hf.Discrete.from_counts({"rare": 1, "rest": 99})
    rare = hf.survival(model, generations=50).of_symbols(["rare"])[0]
    assert rare[k] == pytest.approx(expected, abs=6e-6)


@pytest.mark.parametrize(
    ("k", "simulated", "formula"),
    [
        (1, 0.8647, 0.8647),
        (5, 0.6271, 0.6261),
        (6, 0.5246, 0.5230),
        (10, 0.5479, 0.5449),
        (40, 0.4969, 0.4955),
    ],
)
def test_fresh_data_every_fifth_round(k, simulated, formula):
    model = hf.Discrete.from_counts({"rare": 2, "rest": 498})
    regime = hf.Periodic(share=0.2, every=5)
    branching, exact = (
        hf.survival(model, generations=40, regime=regime, law=law).of_symbols(["rare"])[0, k]
        for law in ("branching", "exact")
    )
    assert branching == pytest.approx(formula, abs=6e-5)
    # What was simulated elsewhere has a standard error of about 0.001.
    assert exact == pytest.approx(simulated, abs=3e-3)
    assert exact >= branching
