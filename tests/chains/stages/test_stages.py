import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.degradation import (
    AdditiveNoise,
    Confusion,
    Contamination,
    GaussianContamination,
    LabelNoise,
)
from hayflick.chains.discrete import Discrete
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.samplers import Temperature, TopK
from hayflick.chains.selection import Interval, Quality, Verifier
from hayflick.chains.stages import GeneratedLaw, Grid, Stages
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
            case LabelNoise(rate) if rng.random() < rate:
                symbol = rng.choice([other for other in range(3) if other != symbol])
            case Confusion(rows) if SYMBOLS[symbol] in rows:
                row = rows[SYMBOLS[symbol]]
                symbol = SYMBOLS.index(rng.choice(list(row), p=list(row.values())))
            case Contamination(share, foreign) if rng.random() < share:
                symbol = SYMBOLS.index(rng.choice(list(foreign), p=list(foreign.values())))
        chance = 1.0
        match stages.selection:
            case Verifier(good, true_accept, false_accept):
                chance = true_accept if SYMBOLS[symbol] in good else false_accept
            case Quality(weights):
                chance = weights.get(SYMBOLS[symbol], 1.0) / max(weights.values())
        if rng.random() < chance:
            accepted.append(symbol)
    return np.bincount(accepted, minlength=3)


CASES = [
    Stages(degradation=LabelNoise(0.3)),
    Stages(degradation=Confusion(CONFUSION)),
    Stages(degradation=Contamination(0.4, {"b": 0.25, "c": 0.75})),
    Stages(selection=Verifier(frozenset("ab"), 0.9, 0.2)),
    Stages(selection=Quality({"a": 1.0, "b": 2.0, "c": 4.0})),
    Stages(
        sampler=Temperature(0.5),
        degradation=LabelNoise(0.2),
        selection=Verifier(frozenset("c"), 1.0, 0.5),
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
    stages = Stages(selection=Verifier(frozenset("c"), 1.0, 0.0))
    law = GeneratedLaw.of(stages, SYMBOLS).of_law(np.array([0.5, 0.5, 0.0]))
    assert law.tolist() == [0.5, 0.5, 0.0]


def test_descriptions_survive_json():
    for stages in CASES:
        assert json.loads(json.dumps(stages.describe())) == stages.describe()
    assert Stages().describe() == {}
    assert Stages(real_weight=2.0).describe() == {"real_weight": 2.0}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LabelNoise(1.1), "rate: got 1.1"),
        (lambda: Confusion({"a": {"a": 0.5, "b": 0.6}}), "confusion: got 1.1 in all"),
        (lambda: Contamination(-0.1), "share"),
        (lambda: Verifier(frozenset(), 0.0, 0.0), "nothing would be left"),
        (lambda: Interval(1.0, 1.0), "interval"),
        (lambda: Quality({"a": -1.0}), "quality of 'a'"),
        (lambda: AdditiveNoise(-1.0), "deviation"),
        (lambda: GaussianContamination(0.1, float("inf"), 1.0), "mean"),
        (lambda: Grid(step=0.0), "step: got 0.0, takes a number above 0"),
        (lambda: Grid(bits=0), "bits"),
        (lambda: Grid(), "takes a step or bits"),
        (lambda: Grid(step=1.0, bits=3), "takes a step or bits"),
        (lambda: Stages(real_weight=0.0), "real_weight"),
    ],
)
def test_what_is_out_of_range_is_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("model", "stages", "message"),
    [
        (Gaussian(0, 1), Stages(sampler=TopK(3)), "for the family gaussian: none"),
        (Bernoulli(0.5), Stages(degradation=AdditiveNoise(1)), "LabelNoise, Confusion"),
        (Bernoulli(0.5), Stages(degradation=Confusion(CONFUSION)), "confusion: got 'a'"),
        (Bernoulli(0.5), Stages(selection=Verifier(frozenset("x"), 1, 0)), "'x'"),
        (Discrete.from_counts({"a": 2}), Stages(selection=Interval(0, 1)), "Verifier, Quality"),
        (Discrete.from_counts({"a": 2}), Stages(degradation=Contamination(1, {"z": 1})), "'z'"),
        (Discrete.from_counts({"a": 2}), Stages(selection=Quality({"a": 0})), "0 for every"),
    ],
)
def test_what_a_family_does_not_know_is_refused(model, stages, message):
    with pytest.raises(ArgumentError, match=message):
        model.chain(10, stages=stages)


def test_grids_by_hand():
    values = np.array([0.12, -0.13, 0.26])
    assert_allclose(Grid(step=0.25).rounded(values, unit=9.0), [0.0, -0.25, 0.25])
    assert_allclose(Grid(bits=3).rounded(values, unit=2.0), [0.0, -0.25, 0.25])
