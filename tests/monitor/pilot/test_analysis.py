import numpy as np
import pytest
from scipy import stats

import hayflick as hf
from hayflick.core.errors import DataError
from hayflick.monitor.pilot_analysis import Outcome, adjusted_p
from hayflick.monitor.pilot_variation import PilotData


def trial(*arms, rounds=3, **aim):
    return hf.PilotDesign(
        arms=arms or ("control", "treated"),
        rounds=rounds,
        answers=2,
        aim=hf.Aim(**{"effect": 1.0, **aim}),
        variation=hf.Variation(sd=1.0),
    )


def readings(**arms):
    """Return readings from lists of rounds by arm, a round being a number or several."""
    rows = [
        (value, number, arm)
        for arm, rounds in arms.items()
        for number, values in enumerate(rounds, start=1)
        for value in np.atleast_1d(values)
    ]
    values, rounds, names = zip(*rows, strict=True)
    lines = np.arange(1, len(rows) + 1)
    return PilotData("results.csv", np.array(values, float), np.array(rounds), names, lines)


CONTROL = [1.0, 2.0, 3.0, 2.0]
TREATED = [3.0, 5.0, 4.0]


@pytest.mark.parametrize("sides", [1, 2])
def test_it_is_welchs_test_of_round_means(sides):
    found = hf.analyse_pilot(readings(control=CONTROL, treated=TREATED), plan=trial(sides=sides))
    (one,) = found.comparisons
    side = "two-sided" if sides == 2 else "greater"
    test = stats.ttest_ind(TREATED, CONTROL, equal_var=False, alternative=side)
    both = stats.ttest_ind(TREATED, CONTROL, equal_var=False)
    assert (one.p, one.adjusted) == pytest.approx((test.pvalue, test.pvalue))
    assert (one.statistic, one.degrees) == pytest.approx((test.statistic, test.df))
    interval = both.confidence_interval(found.confidence)
    assert (one.low, one.high) == pytest.approx(interval)
    assert found.confidence == pytest.approx({1: 0.9, 2: 0.95}[sides])


def test_a_fall_is_looked_for_where_a_fall_is_hoped_for():
    data = readings(control=TREATED, treated=CONTROL)
    fall = hf.analyse_pilot(data, plan=trial(effect=-1.0, sides=1)).comparisons[0]
    rise = hf.analyse_pilot(data, plan=trial(effect=1.0, sides=1)).comparisons[0]
    assert fall.p == pytest.approx(1.0 - rise.p)
    assert (fall.outcome, rise.outcome) == (Outcome.GO, Outcome.NO_GO)


def test_rounds_are_the_units_whatever_they_hold():
    wide = readings(control=[[0, 2], [1, 3], [3], [2, 2, 2]], treated=[[3], [5, 5], [0, 8]])
    narrow = readings(control=CONTROL, treated=TREATED)
    one, two = (hf.analyse_pilot(data, plan=trial()).comparisons[0] for data in (wide, narrow))
    assert (one.effect, one.low, one.high, one.p) == pytest.approx(
        (two.effect, two.low, two.high, two.p)
    )


def test_the_relative_scale_compares_ratios():
    data = {"control": np.array([1.0, 1.2, 1.1]), "treated": np.array([0.5, 0.55, 0.6])}
    plan = trial(scale="relative", effect=-0.3)
    one = hf.analyse_pilot(readings(**data), plan=plan)
    scaled = hf.analyse_pilot(readings(**{k: 7 * v for k, v in data.items()}), plan=plan)
    ratio = np.exp(np.log(data["treated"]).mean() - np.log(data["control"]).mean())
    compared = one.comparisons[0]
    assert compared.effect == pytest.approx(ratio - 1.0)
    assert compared.outcome is Outcome.GO
    assert scaled.comparisons[0].high == pytest.approx(compared.high)
    assert one.arms[0].mean == pytest.approx(np.exp(np.log(data["control"]).mean()))


@pytest.mark.parametrize(
    ("treated", "smallest", "outcome"),
    [
        ([2.9, 3.0, 3.1], 1.0, Outcome.GO),
        ([2.0, 2.1, 2.05], 1.0, Outcome.NO_GO),
        ([2.0, 2.6, 3.2], 1.0, Outcome.INCONCLUSIVE),
        # Found, but too small to matter.
        ([2.30, 2.31, 2.32], 1.0, Outcome.NO_GO),
        ([2.30, 2.31, 2.32], 0.2, Outcome.GO),
        ([0.9, 1.0, 1.1], 1.0, Outcome.NO_GO),
    ],
)
def test_decisions(treated, smallest, outcome):
    data = readings(control=[1.95, 2.0, 2.05], treated=treated)
    result = hf.analyse_pilot(data, plan=trial(effect=1.0, smallest=smallest))
    assert result.comparisons[0].outcome is outcome


def test_several_treatments_are_adjusted_and_their_intervals_wider():
    data = {"control": CONTROL, "a": TREATED, "b": [2.0, 3.0, 2.5]}
    alone = hf.analyse_pilot(readings(control=CONTROL, a=TREATED), plan=trial("control", "a"))
    for correction in ("holm", "bonferroni"):
        plan = trial("control", "a", "b", correction=correction)
        both = hf.analyse_pilot(readings(**data), plan=plan)
        one, two = both.comparisons
        assert one.adjusted == pytest.approx(2.0 * one.p)
        assert two.adjusted == pytest.approx((1.0 if correction == "holm" else 2.0) * two.p)
        assert both.confidence == pytest.approx(0.975)
        assert one.high - one.low > alone.comparisons[0].high - alone.comparisons[0].low


def test_adjusted_values_by_hand():
    p = np.array([0.01, 0.04, 0.03, 0.5])
    assert adjusted_p(p, correction="holm") == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert adjusted_p(p, correction="bonferroni") == pytest.approx([0.04, 0.16, 0.12, 1.0])


def test_successive_rounds_by_hand():
    result = hf.analyse_pilot(readings(control=[1, 2, 3], treated=[5, 4, 6]), plan=trial())
    # Apart from their means: (-1, 0, 1) and (0, -1, 1).
    assert result.autocorrelation == pytest.approx(-1.0 / 4.0)
    assert not result.autocorrelated


def test_the_order_of_rows_does_not_matter():
    data = readings(control=CONTROL, treated=TREATED)
    order = np.random.default_rng(1).permutation(data.values.size)
    arms = tuple(data.arms[k] for k in order)
    mixed = PilotData("x", data.values[order], data.rounds[order], arms, data.lines[order])
    one, two = (hf.analyse_pilot(some, plan=trial()).comparisons[0] for some in (data, mixed))
    assert one.p == pytest.approx(two.p)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"control": CONTROL}, "no row is of the arm 'treated'; it has 'control'"),
        (
            {"control": CONTROL, "treated": TREATED, "treatd": [1.0, 2.0]},
            "line 8 is of the arm 'treatd', not in the plan, which has 'control', 'treated'",
        ),
        (
            {"control": CONTROL, "treated": [[1.0, 2.0]]},
            "the arm 'treated' has one round, takes at least 2 .*, and the plan has 3",
        ),
        (
            {"control": [1.0, 1.0], "treated": [2.0, 2.0]},
            "rounds of 'control', 'treated' are all the same",
        ),
    ],
)
def test_what_cannot_be_compared_is_named(data, message):
    with pytest.raises(DataError, match=f"results.csv: .*{message}"):
        hf.analyse_pilot(readings(**data), plan=trial())
