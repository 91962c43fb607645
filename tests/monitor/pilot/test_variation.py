import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.monitor.pilot_variation import Variation, estimate_variation, read_variation


def test_analysis_of_variance_by_hand():
    # Rounds (1, 3) and (4, 6, 8): MSW = (2 + 8)/3, MSB = (2·2.4² + 3·1.6²), n_0 = 5 - 13/5.
    found = estimate_variation(
        np.array([1.0, 3.0, 4.0, 6.0, 8.0]), rounds=np.array([1, 1, 2, 2, 2])
    )
    between = (2 * 2.4**2 + 3 * 1.6**2 - 10 / 3) / 2.4
    assert found.sd**2 == pytest.approx(between + 10 / 3)
    assert found.correlation == pytest.approx(between / (between + 10 / 3))
    assert found.rounds == 2


def test_rounds_that_do_not_differ_have_no_correlation():
    values = np.array([1.0, 3.0, 2.0, 2.0])
    assert estimate_variation(values, rounds=np.array([1, 1, 2, 2])).correlation == 0.0


def test_it_finds_what_was_planted():
    rng = np.random.default_rng(1)
    effects = rng.normal(0.0, 0.5, 3000)
    values = (effects[:, None] + rng.normal(0.0, 1.0, (3000, 8))).ravel()
    found = estimate_variation(values, rounds=np.repeat(np.arange(3000), 8))
    assert found.sd == pytest.approx(np.sqrt(1.25), rel=0.02)
    assert found.correlation == pytest.approx(0.2, abs=0.015)


def test_one_number_a_round_has_no_correlation():
    found = estimate_variation(np.array([1.0, 2.0, 4.0]), rounds=np.array([1, 2, 3]))
    assert (found.correlation, found.rounds) == (None, 3)
    assert found.sd == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert found.of_round(50) == found.of_round(None) == found.sd**2


def test_the_relative_scale_takes_logarithms_of_means():
    values = np.array([1.0, 3.0, 8.0, 8.0])
    found = estimate_variation(values, rounds=np.array([1, 1, 2, 2]), scale="relative")
    assert found.correlation is None
    assert found.sd == pytest.approx(np.std(np.log([2, 8]), ddof=1))
    scaled = estimate_variation(100 * values, rounds=np.array([1, 1, 2, 2]), scale="relative")
    assert scaled.sd == pytest.approx(found.sd)


def test_the_design_effect():
    variation = Variation(sd=2.0, correlation=0.1)
    independent = Variation(sd=2.0, correlation=0.0).of_round(31)
    assert variation.design_effect(31) == pytest.approx(4.0)
    assert variation.of_round(31) == pytest.approx(4.0 * independent)
    assert variation.of_round(None) == pytest.approx(0.4)


def test_a_table_of_readings(tmp_path):
    path = tmp_path / "baseline.csv"
    path.write_text("week,score\n1,1\n1,3\n2,4\n2,6\n")
    settings = {"round_column": "week", "value_column": "score"}
    found, (source,) = read_variation(path, **settings)
    assert found.sd**2 == pytest.approx(5.5)
    assert (source.name, source.rows, source.role) == ("baseline.csv", 4, "baseline")
    assert read_variation(path, scale="relative", **settings)[0].correlation is None


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ("1,0.5\n1,0.7\n", {}, "has one round, takes at least 2"),
        ("1,0.5\n2,0.5\n", {}, "its readings do not vary"),
        ("1,0.5\n2,high\n", {}, "line 3 holds 'high' in the column 'value', takes a number"),
        ("1,0.5\n2,\n", {}, "line 3 has nothing in the column 'value'"),
        ("1,0.5\n2,0\n", {"scale": "relative"}, "line 3 holds no number above 0"),
        ("1,0.5\n2,-1\n", {"scale": "relative"}, "line 3 holds no number above 0"),
        ("1,nan\n2,1\n", {}, "line 2 has nothing in the column 'value'"),
    ],
)
def test_what_cannot_be_used_is_named(rows, settings, message, tmp_path):
    path = tmp_path / "baseline.csv"
    path.write_text("round,value\n" + rows)
    with pytest.raises(DataError, match=message):
        read_variation(path, **settings)


def test_statements_are_checked():
    with pytest.raises(ArgumentError, match="sd: got 0"):
        hf.pilot(effect=1.0, sd=0.0)
    with pytest.raises(ArgumentError, match=r"correlation: got 1\.5"):
        hf.pilot(effect=1.0, sd=1.0, correlation=1.5)
    with pytest.raises(ArgumentError, match="takes none on the relative scale"):
        hf.pilot(effect=1.0, sd=1.0, correlation=0.5, scale="relative")
