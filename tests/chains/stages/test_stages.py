import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.chains.stages import GeneratedLaw
from hayflick.core.errors import ArgumentError

SYMBOLS = ("a", "b", "c")
LAW = np.array([0.6, 0.3, 0.1])
CONFUSION = {"a": {"a": 0.8, "b": 0.2}, "c": {"a": 0.5, "c": 0.5}}


def slow_draws(rng, stages, draws):
    """Make accepted symbols one by one, as a person would."""
    accepted, law = [], LAW
    if stages.sampler is not None:
        law = stages.sampler.reweight(law)
    while len(accepted) < draws:
        symbol = rng.choice(3, p=law)
        match stages.degradation:
            case hf.LabelNoise(rate) if rng.random() < rate:
                symbol = rng.choice([other for other in range(3) if other != symbol])
            case hf.Confusion(rows) if SYMBOLS[symbol] in rows:
                row = rows[SYMBOLS[symbol]]
                symbol = SYMBOLS.index(rng.choice(list(row), p=list(row.values())))
            case hf.Contamination(share, foreign) if rng.random() < share:
                symbol = SYMBOLS.index(rng.choice(list(foreign), p=list(foreign.values())))
        chance = 1.0
        match stages.selection:
            case hf.Verifier(good, true_accept, false_accept):
                chance = true_accept if SYMBOLS[symbol] in good else false_accept
            case hf.Quality(weights):
                chance = weights.get(SYMBOLS[symbol], 1.0) / max(weights.values())
        if rng.random() < chance:
            accepted.append(symbol)
    return np.bincount(accepted, minlength=3)


CASES = [
    hf.Stages(degradation=hf.LabelNoise(0.3)),
    hf.Stages(degradation=hf.Confusion(CONFUSION)),
    hf.Stages(degradation=hf.Contamination(0.4, {"b": 0.25, "c": 0.75})),
    hf.Stages(selection=hf.Verifier(frozenset("ab"), 0.9, 0.2)),
    hf.Stages(selection=hf.Quality({"a": 1.0, "b": 2.0, "c": 4.0})),
    hf.Stages(
        sampler=hf.Temperature(0.5),
        degradation=hf.LabelNoise(0.2),
        selection=hf.Verifier(frozenset("c"), 1.0, 0.5),
    ),
]


@pytest.mark.parametrize("stages", CASES, ids=lambda stages: str(stages.describe()))
def test_the_law_of_what_arrives_against_draws_one_by_one(stages, rng):
    law = GeneratedLaw.of(stages, SYMBOLS).of_law(LAW)
    assert law.sum() == pytest.approx(1.0)
    draws = 4000
    counts = slow_draws(rng, stages, draws)
    error = np.sqrt(draws * law * (1 - law))
    assert (np.abs(counts - draws * law) < 4.5 * error + 1e-9).all()


def test_a_model_with_nothing_acceptable_is_not_selected_from():
    stages = hf.Stages(selection=hf.Verifier(frozenset("c"), 1.0, 0.0))
    law = GeneratedLaw.of(stages, SYMBOLS).of_law(np.array([0.5, 0.5, 0.0]))
    assert law.tolist() == [0.5, 0.5, 0.0]


def test_descriptions_survive_json():
    for stages in CASES:
        assert json.loads(json.dumps(stages.describe())) == stages.describe()
    assert hf.Stages().describe() == {}
    assert hf.Stages(real_weight=2.0).describe() == {"real_weight": 2.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hf.LabelNoise(1.1), "rate: got 1.1"),
        (lambda: hf.Confusion({"a": {"a": 0.5, "b": 0.6}}), "confusion: got 1.1 in all"),
        (lambda: hf.Contamination(-0.1), "share"),
        (lambda: hf.Verifier(frozenset(), 0.0, 0.0), "nothing would be left"),
        (lambda: hf.Interval(1.0, 1.0), "interval"),
        (lambda: hf.Quality({"a": -1.0}), "quality of 'a'"),
        (lambda: hf.AdditiveNoise(-1.0), "deviation"),
        (lambda: hf.GaussianContamination(0.1, float("inf"), 1.0), "mean"),
        (lambda: hf.Grid(step=0.0), "step: got 0.0, takes a number above 0"),
        (lambda: hf.Grid(bits=0), "bits"),
        (lambda: hf.Grid(), "takes a step or bits"),
        (lambda: hf.Grid(step=1.0, bits=3), "takes a step or bits"),
        (lambda: hf.Stages(real_weight=0.0), "real_weight"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("model", "stages", "message"),
    [
        (hf.Gaussian(0, 1), hf.Stages(sampler=hf.TopK(3)), "for the family gaussian: none"),
        (hf.Bernoulli(0.5), hf.Stages(degradation=hf.AdditiveNoise(1)), "LabelNoise, Confusion"),
        (hf.Bernoulli(0.5), hf.Stages(degradation=hf.Confusion(CONFUSION)), "confusion: got 'a'"),
        (hf.Bernoulli(0.5), hf.Stages(selection=hf.Verifier(frozenset("x"), 1, 0)), "'x'"),
        (
            hf.Discrete.from_counts({"a": 2}),
            hf.Stages(selection=hf.Interval(0, 1)),
            "Verifier, Quality",
        ),
        (
            hf.Discrete.from_counts({"a": 2}),
            hf.Stages(degradation=hf.Contamination(1, {"z": 1})),
            "'z'",
        ),
        (
            hf.Discrete.from_counts({"a": 2}),
            hf.Stages(selection=hf.Quality({"a": 0})),
            "0 for every",
        ),
    ],
)
def test_what_a_family_does_not_know_is_refused(model, stages, message):
    with pytest.raises(ArgumentError, match=message):
        model.chain(10, stages=stages)


def test_grids_by_hand():
    values = np.array([0.12, -0.13, 0.26])
    assert_allclose(hf.Grid(step=0.25).rounded(values, unit=9.0), [0.0, -0.25, 0.25])
    assert_allclose(hf.Grid(bits=3).rounded(values, unit=2.0), [0.0, -0.25, 0.25])
