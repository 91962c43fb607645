import numpy as np
import pytest
from numpy.testing import assert_allclose

import hayflick as hf
from hayflick.chains.discrete import Discrete
from hayflick.core.errors import ArgumentError, DataError
from hayflick.laws.diversity import expected_diversity
from hayflick.laws.survival import survival
from hayflick.planning.problem import check_target, planning_problem
from hayflick.planning.strategies import AnchorStrategy, GrowingSizeStrategy
from hayflick.planning.targets import SymbolTarget
from hayflick.regimes.anchor import Anchor
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.periodic import Periodic
from hayflick.regimes.replace import Replace

REGIMES = [
    Replace(),
    Fresh(0.2),
    Periodic(share=0.5, every=3),
    Anchor.from_mapping({"here": 1, "sat": 2}),
]


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.describe())
@pytest.mark.parametrize("law", ["exact", "branching"])
def test_all_types_are_the_law_of_survival(words, regime, law):
    kept = SymbolTarget.of_types(words).retention(generations=12, regime=regime, law=law)
    expected = survival(words, generations=12, regime=regime, law=law)
    assert_allclose(kept.expected, expected.surviving_fraction, atol=1e-12)
    assert_allclose(kept.baseline, expected.baseline)
    assert kept.law == expected.name
    assert kept.error == pytest.approx(expected.error)


@pytest.mark.parametrize("regime", REGIMES, ids=lambda regime: regime.describe())
def test_a_list_is_the_weighted_survival_of_its_types(words, regime):
    target = SymbolTarget.of_list(words, {"cat": 1.0, "here": 3.0})
    kept = target.retention(generations=12, regime=regime)
    alone = survival(words, generations=12, regime=regime).of_symbols(["cat", "here"])
    assert_allclose(kept.expected, (alone[0] + 3.0 * alone[1]) / 4.0, atol=1e-12)
    assert_allclose(kept.baseline[-1], (1 - 0.7**100 + 3 * (1 - 0.99**100)) / 4)


def test_a_list_of_all_types_is_all_types(words):
    listed = SymbolTarget.of_list(words, list(words.symbols)).retention(generations=9)
    assert_allclose(listed.expected, SymbolTarget.of_types(words).retention(generations=9).expected)


def test_diversity_is_relative_to_the_real_datas(words):
    kept = SymbolTarget.of_diversity(words).retention(generations=5, regime=Fresh(0.1))
    law = expected_diversity(words, generations=5, regime=Fresh(0.1)).expected
    assert_allclose(kept.expected, law / law[0])
    assert kept.baseline[-1] == pytest.approx(0.99)


def test_the_lowest_round_counts_not_the_last(words):
    kept = SymbolTarget.of_types(words).retention(
        generations=6, regime=Periodic(share=1.0, every=3)
    )
    assert kept.lowest == kept.expected[5] < kept.expected[6]


def test_a_target_is_a_share_above_nothing():
    assert check_target(1) == 1.0
    for bad in (0.0, -0.1, 1.01, float("nan"), "x", None):
        with pytest.raises(ArgumentError, match=r"keep: got .* takes a share above 0, up to 1"):
            check_target(bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generations": 0}, "generations: got 0"),
        ({"samples": 0}, "samples: got 0"),
        ({"law": "guess"}, "law: got guess"),
        ({"must_keep": []}, "must_keep: got no item"),
        ({"must_keep": {"here": 0.0}}, "weight of 'here': got 0.0"),
        ({"of": "must-keep"}, "of: got must-keep"),
        ({"of": "diversity", "must_keep": ["here"]}, "of: got diversity"),
    ],
)
def test_a_setting_is_checked(words, options, message):
    with pytest.raises(ArgumentError, match=message):
        planning_problem(words, **{"generations": 5, **options})


def test_up_to_ten_missing_items_are_listed(words):
    with pytest.raises(DataError, match=r"lacks 'x0', .*'x9' and 2 more; remove them"):
        planning_problem(words, generations=5, must_keep=[f"x{place}" for place in range(12)])


def test_one_type_has_no_diversity():
    with pytest.raises(DataError, match="one type"):
        planning_problem(Discrete.from_counts({"a": 3}), generations=2, of="diversity")


def zipf():
    counts = np.ceil(2000 / np.arange(1.0, 301.0)).astype(int)
    return Discrete.from_counts({f"w{place}": int(n) for place, n in enumerate(counts)})


@pytest.mark.parametrize("types", [1, 40, 299, 300])
def test_stored_types_are_the_anchor_that_they_make(types):
    problem = planning_problem(zipf(), generations=20)
    anchor = AnchorStrategy(problem)
    kept = problem.retention(anchor.regime(types), problem.samples)
    assert_allclose(anchor.retention(types).expected, kept.expected, atol=1e-12)


def test_the_rarest_are_stored_first_and_the_fewest_that_do():
    model = zipf()
    anchor = AnchorStrategy(planning_problem(model, generations=20))
    types = anchor.smallest(0.9)
    assert anchor.retention(types).lowest >= 0.9 > anchor.retention(types - 1).lowest
    held = model.weights[model.places_of(anchor.regime(types).reserve.symbols)]
    assert held.max() == anchor.highest_count(types) <= np.sort(model.weights)[types]


def test_a_heavier_weight_is_stored_before_a_rarer_type(words):
    problem = planning_problem(words, generations=10, must_keep={"here": 1.0, "sat": 1e6})
    assert AnchorStrategy(problem).regime(1).reserve.symbols == ("sat",)


def test_growth_is_the_slowest_that_keeps_enough(words):
    growing = GrowingSizeStrategy(planning_problem(words, generations=10))
    step = growing.smallest(0.8)
    assert growing.retention(step).lowest >= 0.8 > growing.retention(step - 1).lowest
    sizes = np.array(growing.regime(step).samples)
    assert (sizes == np.round(100 * (1 + step / 10_000) ** np.arange(10))).all()
    kept = survival(words, generations=10, regime=growing.regime(step)).surviving_fraction
    assert kept[1:].min() >= 0.8
    assert growing.smallest(0.999) is None


def test_diversity_is_not_stored(words):
    result = hf.plan(words, of="diversity", keep=0.999, generations=5, replicates=0)
    assert "anchor" not in {design.kind for design in result.frontier.points}
    assert result.fresh.anchor is None
